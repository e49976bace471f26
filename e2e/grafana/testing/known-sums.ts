/** What panels ought to say about known records, by plain arithmetic. */
import type { KnownRecord } from './known-load.ts';
import { MINUTE_MS } from './known-load.ts';
import { hostOf, type Host } from './known-world.ts';

export type Metric = 'bytes' | 'packets' | 'flows';
export type Sums = Readonly<Record<Metric, number>>;
export type Where = (record: KnownRecord) => boolean;

/** Milliseconds since the epoch, [fromMs, toMs). */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

const clientOf = (record: KnownRecord): string => (record.clientIsSource ? record.src : record.dst);
const serverOf = (record: KnownRecord): string => (record.clientIsSource ? record.dst : record.src);
const ENDS = {
  src: (record: KnownRecord) => record.src,
  dst: (record: KnownRecord) => record.dst,
  client: clientOf,
  server: serverOf,
};

function directionOf(record: KnownRecord): string {
  const [from, to] = [hostOf(record.src).own, hostOf(record.dst).own];
  return from ? (to ? 'internal' : 'out') : to ? 'in' : 'transit';
}

const PROTOCOLS: Readonly<Record<number, string>> = { 1: 'ICMP', 6: 'TCP', 17: 'UDP' };
const FLAGS: Readonly<Record<number, string>> = {
  0: '',
  0x02: 'SYN',
  0x18: 'PSH,ACK',
  0x1a: 'SYN,PSH,ACK',
  0x1b: 'FIN,SYN,PSH,ACK',
};

const ofHosts = (name: string, fact: (host: Host) => string) =>
  Object.fromEntries(
    Object.entries(ENDS).map(([end, addressOf]) => [
      `${end}_${name}`,
      (record: KnownRecord) => fact(hostOf(addressOf(record))),
    ]),
  );

/** Dimensions of queries: what each says of a record, as text. */
const DIMENSIONS: Readonly<Record<string, (record: KnownRecord) => string>> = {
  ...Object.fromEntries(Object.entries(ENDS).map(([end, addressOf]) => [`${end}_addr`, addressOf])),
  ...ofHosts('as', ({ as }) => (as === 0 ? '' : `AS${as}`)),
  ...ofHosts('as_name', ({ asName }) => asName),
  ...ofHosts('country', ({ country }) => country),
  ...ofHosts('city', ({ city }) => city),
  ...ofHosts('network', ({ network }) => network),
  ...ofHosts('threat_category', ({ threat }) => threat),
  // Named as it is shown: the number of a set of networks is nobody's business.
  src_network_name: ({ src }) => hostOf(src).network,
  dst_network_name: ({ dst }) => hostOf(dst).network,
  sampler_address: ({ exporter }) => exporter.address,
  type: ({ exporter }) => exporter.type,
  in_if: ({ inIf }) => String(inIf),
  out_if: ({ outIf }) => String(outIf),
  src_port: ({ srcPort }) => String(srcPort),
  // ICMP's type and code are where others have the port.
  dst_port: ({ dstPort, proto, clientIsSource }) => String(proto === 1 && clientIsSource ? 8 * 256 : dstPort),
  service: ({ service }) => service,
  // An application that nothing else names is its service.
  app: ({ service }) => service,
  proto: ({ proto }) => PROTOCOLS[proto] as string,
  etype: ({ src }) => (src.includes(':') ? 'IPv6' : 'IPv4'),
  ip_tos: ({ tos }) => String(tos),
  tcp_flags: ({ flags }) => FLAGS[flags] as string,
  vlan_id: ({ exporter, vlan }) => String(exporter.protocol === 'netflow5' ? 0 : vlan),
  direction: directionOf,
  locality: (record) => (hostOf(record.src).own && hostOf(record.dst).own ? 'private' : 'public'),
};

/** Text of a dimension of a record. */
export function factOf(name: string, record: KnownRecord): string {
  const dimension = DIMENSIONS[name];
  if (!dimension) throw new Error(`Nothing is known about ${name}`);
  return dimension(record);
}

/** Whole number of a counter that is counted up to a time: flows are spread evenly over the time that they took. */
function countedUntil(total: number, { startMs, endMs }: KnownRecord, ms: number): number {
  if (ms <= startMs) return 0;
  return ms >= endMs ? total : Math.floor((total * (ms - startMs)) / (endMs - startMs));
}

/** What records count in a span of time. A record itself is counted when it ends. */
export function sumOf(records: readonly KnownRecord[], { fromMs, toMs }: Span): Sums {
  const sums = { bytes: 0, packets: 0, flows: 0 };
  for (const record of records) {
    for (const metric of ['bytes', 'packets'] as const)
      sums[metric] += countedUntil(record[metric], record, toMs) - countedUntil(record[metric], record, fromMs);
    if (record.endMs >= fromMs && record.endMs < toMs) sums.flows++;
  }
  return sums;
}

/** Texts of a group's dimensions as one key. */
export const keyOf = (texts: readonly unknown[]): string => texts.map((text) => String(text ?? '')).join(' | ');

/** Records by the dimensions of a query. */
export function groupsOf(records: readonly KnownRecord[], groupBy: readonly string[]): Map<string, KnownRecord[]> {
  const groups = new Map<string, KnownRecord[]>();
  for (const record of records) {
    const key = keyOf(groupBy.map((name) => factOf(name, record)));
    groups.set(key, [...(groups.get(key) ?? []), record]);
  }
  return groups;
}

/** Pieces of a span, each of a length. */
export function piecesOf({ fromMs, toMs }: Span, lengthMs: number): Span[] {
  return Array.from({ length: Math.round((toMs - fromMs) / lengthMs) }, (_, index) => ({
    fromMs: fromMs + index * lengthMs,
    toMs: fromMs + (index + 1) * lengthMs,
  }));
}

/** Bits per second of the busiest minute. */
export function peakOf(records: readonly KnownRecord[], span: Span): number {
  return Math.max(...piecesOf(span, MINUTE_MS).map((minute) => (sumOf(records, minute).bytes * 8) / 60));
}

/** 95th percentile (nearest rank) of the bits per second of 5 minutes. */
export function percentileOf(records: readonly KnownRecord[], span: Span): number {
  const rates = piecesOf(span, 5 * MINUTE_MS).map((piece) => (sumOf(records, piece).bytes * 8) / 300);
  return rates.sort((a, b) => a - b)[Math.ceil(0.95 * rates.length) - 1] as number;
}
