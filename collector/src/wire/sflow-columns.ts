import { FLOW_TYPES, QUALITY, type ColumnName } from '@ringflow/contract';
import { COLUMN_INDEX, hasColumn, useColumn, type Batch } from './batch.ts';
import {
  bindPacketColumns,
  createPacketColumns,
  layer3Bytes,
  writeAddress,
  writeMac,
  writePacket,
  type PacketColumns,
} from './packet-columns.ts';
import type { Packet } from './packet-fields.ts';
import { hasOtherRecord, writeDrop, writeGateway, writeOthers, writeRouter, writeSwitch } from './sflow-extended.ts';
import type { FlowRecords } from './sflow-records.ts';

/** What a sample says besides its records. */
export interface SampleHeader {
  arrivalMs: number;
  sequence: number;
  subAgent: number;
  readonly agent: Uint32Array;
  rate: number;
  inIf: number;
  outIf: number;
  dropped: boolean;
  dropReason: number;
}

const COMMON = [
  'type',
  'time_received_ns',
  'sequence_num',
  'sampler_address',
  'observation_domain_id',
  'sampling_rate',
  'quality',
  'time_flow_start_ns',
  'time_flow_end_ns',
  'bytes',
  'packets',
  'flows',
  'frame_bytes',
  'in_if',
  'out_if',
] as const satisfies readonly ColumnName[];

/** The arrays of one batch that samples are written to. */
export interface SflowColumns {
  batch: Batch | null;
  indexes: number[];
  readonly packet: PacketColumns;
  readonly kept: Uint8Array;
  arrivalMs: number;
  /** Arrival as nanoseconds since the epoch, low and high word. */
  nsLow: number;
  nsHigh: number;
  type: Uint8Array;
  data: Record<Exclude<(typeof COMMON)[number], 'type'>, Uint32Array>;
}

/** Columns to bind to a batch; a decoder keeps one. */
export function createSflowColumns(): SflowColumns {
  return {
    batch: null,
    indexes: [],
    packet: createPacketColumns(),
    kept: new Uint8Array(Object.keys(COLUMN_INDEX).length),
    arrivalMs: 0,
    nsLow: 0,
    nsHigh: 0,
    type: new Uint8Array(0),
    data: {} as SflowColumns['data'],
  };
}

/** Points the columns at a batch; once per datagram. */
export function bindSflowColumns(columns: SflowColumns, batch: Batch, arrivalMs: number): void {
  bindPacketColumns(columns.packet, batch);
  if (columns.batch !== batch) {
    columns.batch = batch;
    columns.indexes = [];
    for (let index = 0; index < columns.kept.length; index++) columns.kept[index] = hasColumn(batch, index) ? 1 : 0;
    for (const name of COMMON) {
      const index = COLUMN_INDEX[name];
      if (columns.kept[index] === 1) columns.indexes.push(index);
      const data = useColumn(batch, index);
      if (name === 'type') columns.type = data as Uint8Array;
      else columns.data[name] = data as Uint32Array;
    }
  }
  const used = batch.used;
  for (let i = 0; i < columns.indexes.length; i++) used[columns.indexes[i] as number] = 1;
  if (columns.arrivalMs === arrivalMs) return;
  columns.arrivalMs = arrivalMs;
  // Milliseconds times a million does not fit 53 bits: in two parts of 16 and the rest.
  const upper = Math.floor(arrivalMs / 65_536);
  const upperNs = upper * 1_000_000;
  const low = (arrivalMs - upper * 65_536) * 1_000_000 + (upperNs % 65_536) * 65_536;
  columns.nsLow = low >>> 0;
  columns.nsHigh = Math.floor(upperNs / 65_536) + Math.floor(low / 4_294_967_296);
}

/** Appends the row of one flow sample or discarded packet. */
export function writeSample(
  columns: SflowColumns,
  batch: Batch,
  view: DataView,
  header: SampleHeader,
  records: FlowRecords,
  packet: Packet,
  decapsulate: boolean,
): void {
  const row = batch.rows++;
  const { data } = columns;
  columns.type[row] = FLOW_TYPES.SFLOW_5;
  const two = row * 2;
  // sFlow has no flow time: a sample happens when it arrives (C14).
  data.time_received_ns[two] = columns.nsLow;
  data.time_received_ns[two + 1] = columns.nsHigh;
  data.time_flow_start_ns[two] = columns.nsLow;
  data.time_flow_start_ns[two + 1] = columns.nsHigh;
  data.time_flow_end_ns[two] = columns.nsLow;
  data.time_flow_end_ns[two + 1] = columns.nsHigh;
  data.sequence_num[row] = header.sequence;
  data.observation_domain_id[row] = header.subAgent;
  const four = row * 4;
  data.sampler_address[four] = header.agent[0] as number;
  data.sampler_address[four + 1] = header.agent[1] as number;
  data.sampler_address[four + 2] = header.agent[2] as number;
  data.sampler_address[four + 3] = header.agent[3] as number;
  data.sampling_rate[row] = header.rate;
  data.in_if[row] = header.inIf;
  data.out_if[row] = header.outIf;
  data.packets[two] = 1;
  data.flows[row] = 1;

  let quality = header.rate === 0 && !header.dropped ? QUALITY.sampling_unknown : 0;
  if (packet.truncated) quality |= QUALITY.header_truncated;
  if (records.rawAt >= 0) {
    // A frame length that cannot be (H05) is replaced by what the packet says of itself.
    const stripped = Math.min(view.getUint32(records.rawAt + 8), 0xffff);
    const announced = view.getUint32(records.rawAt + 4);
    const least = packet.ipBytes > 0 ? packet.layer2Bytes + packet.ipBytes : view.getUint32(records.rawAt + 12);
    const frameBytes =
      announced < least || announced > 65_535 + packet.layer2Bytes + stripped ? least + stripped : announced;
    data.frame_bytes[two] = frameBytes;
    data.bytes[two] = layer3Bytes(packet, decapsulate, frameBytes, stripped);
    writePacket(columns.packet, row, view, packet, decapsulate);
  }
  if (packet.ipVersion === 0 && !writeSampledIp(columns, row, view, records) && records.rawAt < 0) {
    if (records.ethernetAt >= 0) writeSampledEthernet(columns, row, view, records.ethernetAt);
    // One packet of unknown size.
    else quality |= QUALITY.no_counters;
  }
  data.quality[row] = quality;
  if (header.dropped) writeDrop(columns, row, header.dropReason);
  if (records.switchAt >= 0) writeSwitch(columns, row, view, records.switchAt);
  if (records.routerAt >= 0) writeRouter(columns, row, view, records.routerAt, records.routerEnd);
  if (records.gatewayAt >= 0) writeGateway(columns, batch, row, view, records.gatewayAt, records.gatewayEnd);
  if (hasOtherRecord(records)) writeOthers(columns, batch, row, view, records, packet);
  if (batch.runs) batch.runs.push({ row, columns: sentColumns(records, packet) });
}

function writeSampledIp(columns: SflowColumns, row: number, view: DataView, records: FlowRecords): boolean {
  const version = records.ipv4At >= 0 ? 4 : records.ipv6At >= 0 ? 6 : 0;
  if (version === 0) return false;
  const at = version === 4 ? records.ipv4At : records.ipv6At;
  const addressBytes = version === 4 ? 4 : 16;
  const { wide, half, byte } = columns.packet;
  const proto = view.getUint32(at + 4);
  const ports = at + 8 + 2 * addressBytes;
  columns.data.bytes[row * 2] = view.getUint32(at);
  half.etype[row] = version === 4 ? 0x0800 : 0x86dd;
  byte.proto[row] = proto;
  writeAddress(wide.src_addr, row, view, at + 8, version);
  writeAddress(wide.dst_addr, row, view, at + 8 + addressBytes, version);
  if (proto === 1 || proto === 58) {
    // Agents put type and code where ports would be.
    byte.icmp_type[row] = view.getUint32(ports);
    byte.icmp_code[row] = view.getUint32(ports + 4);
  } else {
    half.src_port[row] = view.getUint32(ports);
    half.dst_port[row] = view.getUint32(ports + 4);
    half.tcp_flags[row] = view.getUint32(ports + 8) & 0x0fff;
  }
  byte.ip_tos[row] = view.getUint32(ports + 12);
  return true;
}

function writeSampledEthernet(columns: SflowColumns, row: number, view: DataView, at: number): void {
  const { wide, half } = columns.packet;
  const frameBytes = view.getUint32(at);
  const type = view.getUint32(at + 20);
  columns.data.frame_bytes[row * 2] = frameBytes;
  // Header and FCS are part of that length.
  columns.data.bytes[row * 2] = Math.max(0, frameBytes - 18);
  writeMac(wide.src_mac, row, view, at + 4);
  writeMac(wide.dst_mac, row, view, at + 12);
  if (type >= 0x0600 && type <= 0xffff) half.etype[row] = type;
}

/** Columns to print even when they are zero, because the agent sent them. */
function sentColumns(records: FlowRecords, packet: Packet): number[] {
  const sent: ColumnName[] = [];
  if (records.rawAt >= 0 || records.ethernetAt >= 0) sent.push('frame_bytes');
  if (records.switchAt >= 0) sent.push('src_vlan', 'dst_vlan');
  if (records.routerAt >= 0) sent.push('next_hop', 'src_mask', 'dst_mask');
  if (records.gatewayAt >= 0)
    sent.push('bgp_next_hop', 'src_as', 'dst_as', 'src_peer_as', 'as_path', 'bgp_communities', 'local_pref');
  if (packet.ipVersion === 4) sent.push('fragment_id', 'ip_flags', 'fragment_offset');
  if (packet.ipVersion === 6) sent.push('ipv6_flow_label');
  return sent.map((name) => COLUMN_INDEX[name]);
}
