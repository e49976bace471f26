import { formatAddressBytes, parseAddress, TCP_FLAGS, type ColumnName } from '@ringflow/contract';
import type { JsonRecord } from './record-writer.ts';

/**
 * nfdump's names of what a record says: of its JSON (`nfdump -o json`, 1.6: bin/output_json.c, 1.7:
 * src/output/output_json.c; `-o ndjson` has the same), of its CSV (1.6 and 1.7 before 1.7.3: output_csv.c) and of the
 * later `-o csv-fast` (output_csv_fast.c). Times are local times, which `toNs` turns into nanoseconds.
 */
const NAMES: Readonly<Record<string, ColumnName>> = {
  in_packets: 'packets',
  in_bytes: 'bytes',
  aggr_flows: 'flows',
  proto: 'proto',
  src_port: 'src_port',
  dst_port: 'dst_port',
  icmp_type: 'icmp_type',
  icmp_code: 'icmp_code',
  src_tos: 'ip_tos',
  fwd_status: 'forwarding_status',
  src4_addr: 'src_addr',
  dst4_addr: 'dst_addr',
  src6_addr: 'src_addr',
  dst6_addr: 'dst_addr',
  input_snmp: 'in_if',
  output_snmp: 'out_if',
  src_mask: 'src_mask',
  dst_mask: 'dst_mask',
  direction: 'flow_direction',
  src_vlan: 'src_vlan',
  dst_vlan: 'dst_vlan',
  vlanID: 'vlan_id',
  ethertype: 'etype',
  src_as: 'src_as',
  dst_as: 'dst_as',
  next_as: 'next_hop_as',
  ip4_next_hop: 'next_hop',
  ip6_next_hop: 'next_hop',
  bgp4_next_hop: 'bgp_next_hop',
  bgp6_next_hop: 'bgp_next_hop',
  ip4_router: 'sampler_address',
  ip6_router: 'sampler_address',
  in_src_mac: 'src_mac',
  in_dst_mac: 'dst_mac',
  src4_xlt_ip: 'nat_src_addr',
  dst4_xlt_ip: 'nat_dst_addr',
  src6_xlt_ip: 'nat_src_addr',
  dst6_xlt_ip: 'nat_dst_addr',
  src_xlt_port: 'nat_src_port',
  dst_xlt_port: 'nat_dst_port',
  event_id: 'fw_event',
  ingress_vrf: 'ingress_vrf_id',
  egress_vrf: 'egress_vrf_id',
  observationDomainID: 'observation_domain_id',
};

const CSV_NAMES: Readonly<Record<string, ColumnName>> = {
  sa: 'src_addr',
  da: 'dst_addr',
  sp: 'src_port',
  dp: 'dst_port',
  pr: 'proto',
  fwd: 'forwarding_status',
  stos: 'ip_tos',
  ipkt: 'packets',
  ibyt: 'bytes',
  in: 'in_if',
  out: 'out_if',
  sas: 'src_as',
  das: 'dst_as',
  smk: 'src_mask',
  dmk: 'dst_mask',
  dir: 'flow_direction',
  nh: 'next_hop',
  nhb: 'bgp_next_hop',
  svln: 'src_vlan',
  dvln: 'dst_vlan',
  ismc: 'src_mac',
  idmc: 'dst_mac',
  ra: 'sampler_address',
  srcAddr: 'src_addr',
  dstAddr: 'dst_addr',
  srcPort: 'src_port',
  dstPort: 'dst_port',
  proto: 'proto',
  srcAS: 'src_as',
  dstAS: 'dst_as',
  input: 'in_if',
  output: 'out_if',
  srcTos: 'ip_tos',
  packets: 'packets',
  bytes: 'bytes',
};

/** Order of the letters in `...AP.SF`, from the highest bit. */
const FLAG_LETTERS = 'CEUAPRSF';

/** True for an object of nfdump's JSON: 1.6 says `t_first`, 1.7 `first`. */
export function isNfdump(record: JsonRecord): boolean {
  return ('in_packets' in record || 'in_bytes' in record) && ('first' in record || 't_first' in record);
}

/**
 * An object of nfdump's JSON with goflow2's names: one record, two where it counts the answers as well.
 *
 * @param toNs nanoseconds of a local time `2026-01-31T12:00:00.123`, as digits
 */
export function fromNfdump(record: JsonRecord, toNs: (local: string) => string): JsonRecord[] {
  const out: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(record)) {
    const column = NAMES[name];
    if (column !== undefined) out[column] = value;
  }
  noteTime(out, 'time_flow_start_ns', record['first'] ?? record['t_first'], toNs);
  noteTime(out, 'time_flow_end_ns', record['last'] ?? record['t_last'], toNs);
  noteTime(out, 'time_received_ns', record['received'] ?? record['t_received'], toNs);
  if (typeof record['tcp_flags'] === 'string') out['tcp_flags'] = flagsOf(record['tcp_flags']);
  return finished(out, record['out_packets'], record['out_bytes']);
}

/** Lines of nfdump's CSV. */
export interface NfdumpCsv {
  /** The records of a line; none for the heading and for what is behind the records (`Summary`). */
  records(line: string): JsonRecord[];
}

/** A reader of nfdump's CSV with this heading; null when the heading is not nfdump's. */
export function createNfdumpCsvReader(heading: string, toNs: (local: string) => string): NfdumpCsv | null {
  const names = heading.trim().split(',');
  const isFull = names[0] === 'ts' && names.includes('ibyt');
  if (!isFull && !(names.includes('srcAddr') && names.includes('bytes'))) return null;
  let isOver = false;

  function records(line: string): JsonRecord[] {
    const cells = line.trim().split(',');
    if (line.startsWith('Summary')) isOver = true;
    if (isOver || cells.length < names.length || cells[0] === names[0]) return [];
    const out: Record<string, unknown> = {};
    const by: Record<string, string> = {};
    names.forEach((name, index) => {
      const cell = (cells[index] as string).trim();
      by[name] = cell;
      const column = CSV_NAMES[name];
      if (column !== undefined) out[column] = cell;
    });
    csvTimes(out, by, toNs);
    const flags = by['flg'] ?? by['flags'];
    if (flags !== undefined) out['tcp_flags'] = flagsOf(flags);
    // `8.0` in the place of the port: type and code of ICMP.
    const [, type, code] = /^(\d+)\.(\d+)$/.exec(by['dp'] ?? by['dstPort'] ?? '') ?? [];
    if (type !== undefined) Object.assign(out, { icmp_type: type, icmp_code: code, dst_port: '0' });
    return finished(out, by['opkt'], by['obyt']);
  }
  return { records };
}

/**
 * `ts` and `te` are whole seconds, `td` has the milliseconds between them. Since 1.7.3 `firstSeen` has them too, with
 * `duration` beside it; csv-fast writes milliseconds of the epoch.
 */
function csvTimes(
  out: Record<string, unknown>,
  by: Readonly<Record<string, string>>,
  toNs: (local: string) => string,
): void {
  const read = (text: string): bigint => BigInt(/^\d{1,13}$/.test(text) ? `${text}000000` : toNs(text));
  const first = by['ts'] ?? by['firstSeen'];
  const last = by['te'] ?? by['lastSeen'];
  const seconds = by['td'] ?? by['duration'];
  const start = first === undefined ? null : read(first);
  let end = last === undefined ? start : read(last);
  if (start !== null && seconds !== undefined) {
    const exact = start + BigInt(Math.round(Number(seconds) * 1000)) * 1_000_000n;
    // A flow that ends before it begins has a duration of millions of years.
    if (end === null || last === undefined || Math.abs(Number(exact - end)) <= 1e9) end = exact;
  }
  if (start !== null) out['time_flow_start_ns'] = String(start);
  if (end !== null) out['time_flow_end_ns'] = String(end);
  if (by['tr'] !== undefined) out['time_received_ns'] = String(read(by['tr']));
}

function noteTime(
  out: Record<string, unknown>,
  name: ColumnName,
  value: unknown,
  toNs: (local: string) => string,
): void {
  if (typeof value === 'string' && value !== '') out[name] = toNs(value);
}

/** What both forms need at the end. */
function finished(out: Record<string, unknown>, outPackets: unknown, outBytes: unknown): JsonRecord[] {
  // nfcapd multiplies by the sampling rate when it stores.
  out['sampling_rate'] = 1;
  out['time_received_ns'] ??= out['time_flow_end_ns'];
  if (out['etype'] === undefined) {
    const address = typeof out['src_addr'] === 'string' ? parseAddress(out['src_addr']) : null;
    if (address) out['etype'] = formatAddressBytes(address).includes(':') ? 'IPv6' : 'IPv4';
  }
  for (const name of ['next_hop', 'bgp_next_hop', 'sampler_address'])
    if (out[name] === '0.0.0.0' || out[name] === '::') delete out[name];
  const counts = (packets: unknown, bytes: unknown): boolean => Number(packets ?? 0) > 0 || Number(bytes ?? 0) > 0;
  if (!counts(outPackets, outBytes)) return [out];
  const answer = { packets: outPackets, bytes: outBytes };
  // Counters of the way out alone count the flow itself; beside the others they count its answers (RFC 5103).
  return counts(out['packets'], out['bytes']) ? [out, { ...reversed(out), ...answer }] : [{ ...out, ...answer }];
}

const ENDS: readonly (readonly [ColumnName, ColumnName])[] = [
  ['src_addr', 'dst_addr'],
  ['src_port', 'dst_port'],
  ['src_mask', 'dst_mask'],
  ['src_as', 'dst_as'],
  ['src_mac', 'dst_mac'],
  ['src_vlan', 'dst_vlan'],
  ['in_if', 'out_if'],
];

/** The same flow seen from its other end; flags and translations are the first one's only. */
function reversed(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const back: Record<string, unknown> = { ...record, quality: 'reverse', flows: 0 };
  for (const [one, other] of ENDS) [back[one], back[other]] = [record[other] ?? null, record[one] ?? null];
  for (const name of Object.keys(back)) if (name.startsWith('nat_') || name.startsWith('icmp_')) delete back[name];
  delete back['tcp_flags'];
  return back;
}

function flagsOf(text: string): number {
  if (/^(0x[0-9a-f]+|\d+)$/i.test(text)) return Number(text);
  let flags = 0;
  for (let i = 0; i < 8; i++) if (text[i] === FLAG_LETTERS[i]) flags |= HIGHEST_FLAG >> i;
  return flags;
}

const HIGHEST_FLAG = TCP_FLAGS.cwr;
