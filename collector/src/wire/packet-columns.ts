import type { ColumnName } from '@ringflow/contract';
import { COLUMN_INDEX, hasColumn, pushWord, useColumn, type Batch } from './batch.ts';
import { choosePacket, type Packet } from './packet-fields.ts';

/** Columns that nearly every sampled packet fills. */
const COMMON_32 = [
  'src_addr',
  'dst_addr',
  'src_mac',
  'dst_mac',
  'fragment_id',
] as const satisfies readonly ColumnName[];
const COMMON_16 = ['etype', 'src_port', 'dst_port', 'tcp_flags', 'vlan_id'] as const satisfies readonly ColumnName[];
const COMMON_8 = [
  'proto',
  'ip_tos',
  'ip_ttl',
  'ip_flags',
  'icmp_type',
  'icmp_code',
] as const satisfies readonly ColumnName[];
/** Columns that few do: taken from the batch when there is something to write. */
const RARE = [
  'ip_version',
  'fragment_offset',
  'ipv6_flow_label',
  'dot1q_vlan_id',
  'dot1q_customer_vlan_id',
  'mpls_label',
  'l2_segment_id',
  'tunnel_src_addr',
  'tunnel_dst_addr',
  'tunnel_proto',
] as const satisfies readonly ColumnName[];

/** The arrays of one batch that packets are written to. */
export interface PacketColumns {
  batch: Batch | null;
  /** Registry indexes of the common columns that the batch keeps. */
  indexes: number[];
  rare: Record<(typeof RARE)[number], boolean>;
  wide: Record<(typeof COMMON_32)[number], Uint32Array>;
  half: Record<(typeof COMMON_16)[number], Uint16Array>;
  byte: Record<(typeof COMMON_8)[number], Uint8Array>;
}

/** Columns to bind to a batch; a decoder keeps one. */
export function createPacketColumns(): PacketColumns {
  return {
    batch: null,
    indexes: [],
    rare: Object.fromEntries(RARE.map((name) => [name, false])) as PacketColumns['rare'],
    wide: {} as PacketColumns['wide'],
    half: {} as PacketColumns['half'],
    byte: {} as PacketColumns['byte'],
  };
}

/** Points the columns at a batch. Call it once per datagram: the batch may be another one, or emptied since. */
export function bindPacketColumns(columns: PacketColumns, batch: Batch): void {
  if (columns.batch !== batch) {
    columns.batch = batch;
    columns.indexes = [];
    const bind = (name: ColumnName): Uint8Array | Uint16Array | Uint32Array => {
      const index = COLUMN_INDEX[name];
      // A column that the batch does not keep still has an array, so that writing needs no test.
      if (hasColumn(batch, index)) columns.indexes.push(index);
      return useColumn(batch, index);
    };
    for (const name of COMMON_32) columns.wide[name] = bind(name) as Uint32Array;
    for (const name of COMMON_16) columns.half[name] = bind(name) as Uint16Array;
    for (const name of COMMON_8) columns.byte[name] = bind(name) as Uint8Array;
    for (const name of RARE) columns.rare[name] = hasColumn(batch, COLUMN_INDEX[name]);
  }
  const used = batch.used;
  for (let i = 0; i < columns.indexes.length; i++) used[columns.indexes[i] as number] = 1;
}

/**
 * Writes a packet to a row: addresses, ports, Ethernet and VLAN, MPLS labels, the other header of a tunnel. Counters
 * are the caller's: {@link layer3Bytes} says how many bytes the packet has.
 *
 * @param view the bytes that the packet was read from
 * @param decapsulate true = the innermost packet fills the row and `tunnel_*` holds the outer one (H11)
 */
export function writePacket(
  columns: PacketColumns,
  row: number,
  view: DataView,
  packet: Packet,
  decapsulate: boolean,
): void {
  const chosen = choosePacket(packet, decapsulate);
  const { wide, half, byte } = columns;
  half.etype[row] = chosen.etype;
  if (chosen.ipVersion !== 0) {
    byte.proto[row] = chosen.proto;
    byte.ip_tos[row] = chosen.tos;
    byte.ip_ttl[row] = chosen.ttl;
    byte.ip_flags[row] = chosen.ipFlags;
    wide.fragment_id[row] = chosen.fragmentId;
    writeAddress(wide.src_addr, row, view, chosen.srcAddrAt, chosen.ipVersion);
    writeAddress(wide.dst_addr, row, view, chosen.dstAddrAt, chosen.ipVersion);
    if (chosen.hasPorts) {
      half.src_port[row] = chosen.srcPort;
      half.dst_port[row] = chosen.dstPort;
      half.tcp_flags[row] = chosen.tcpFlags;
    } else if (chosen.hasIcmp) {
      byte.icmp_type[row] = chosen.icmpType;
      byte.icmp_code[row] = chosen.icmpCode;
    }
  }
  const frame = chosen.srcMacAt < 0 ? packet : chosen;
  if (frame.srcMacAt >= 0) {
    writeMac(wide.src_mac, row, view, frame.srcMacAt);
    writeMac(wide.dst_mac, row, view, frame.dstMacAt);
    half.vlan_id[row] = frame.vlan;
  }
  if (
    chosen.fragmentOffset !== 0 ||
    chosen.flowLabel !== 0 ||
    chosen.mplsCount !== 0 ||
    frame.vlanCount !== 0 ||
    packet.hasInner ||
    packet.vni >= 0 ||
    columns.rare.ip_version
  ) {
    writeRare(columns, row, view, packet, chosen, frame);
  }
}

function writeRare(
  columns: PacketColumns,
  row: number,
  view: DataView,
  packet: Packet,
  chosen: Packet,
  frame: Packet,
): void {
  const { batch, rare } = columns;
  if (!batch) return;
  if (rare.ip_version) useColumn(batch, COLUMN_INDEX.ip_version)[row] = chosen.ipVersion;
  if (rare.fragment_offset && chosen.fragmentOffset !== 0)
    useColumn(batch, COLUMN_INDEX.fragment_offset)[row] = chosen.fragmentOffset;
  if (rare.ipv6_flow_label && chosen.flowLabel !== 0)
    useColumn(batch, COLUMN_INDEX.ipv6_flow_label)[row] = chosen.flowLabel;
  if (rare.dot1q_vlan_id && frame.vlanCount > 0) useColumn(batch, COLUMN_INDEX.dot1q_vlan_id)[row] = frame.vlan;
  if (rare.dot1q_customer_vlan_id && frame.vlanCount > 1)
    useColumn(batch, COLUMN_INDEX.dot1q_customer_vlan_id)[row] = frame.customerVlan;
  if (rare.mpls_label && chosen.mplsCount > 0) {
    const data = useColumn(batch, COLUMN_INDEX.mpls_label) as Uint32Array;
    for (let i = 0; i < chosen.mplsCount; i++) pushWord(batch, data, row, chosen.mplsLabels[i] as number);
  }
  if (rare.l2_segment_id && packet.vni >= 0) {
    const data = useColumn(batch, COLUMN_INDEX.l2_segment_id);
    data[row * 2] = packet.vni;
    // IANA 351: the top byte names the encapsulation, 1 = VXLAN.
    if (packet.vxlan) data[row * 2 + 1] = 0x0100_0000;
  }
  const other = chosen === packet ? packet.inner : packet;
  if (packet.hasInner && other && other.ipVersion !== 0) {
    if (rare.tunnel_src_addr)
      writeAddress(
        useColumn(batch, COLUMN_INDEX.tunnel_src_addr) as Uint32Array,
        row,
        view,
        other.srcAddrAt,
        other.ipVersion,
      );
    if (rare.tunnel_dst_addr)
      writeAddress(
        useColumn(batch, COLUMN_INDEX.tunnel_dst_addr) as Uint32Array,
        row,
        view,
        other.dstAddrAt,
        other.ipVersion,
      );
    if (rare.tunnel_proto) useColumn(batch, COLUMN_INDEX.tunnel_proto)[row] = other.proto;
  }
}

/**
 * Layer 3 bytes of the sampled packet (F31): what the IP header says, else the frame without its Ethernet header and
 * what was stripped (FCS).
 *
 * @param frameBytes length of the frame on the wire; 0 = unknown
 */
export function layer3Bytes(packet: Packet, decapsulate: boolean, frameBytes: number, strippedBytes: number): number {
  const chosen = choosePacket(packet, decapsulate);
  if (chosen.ipBytes > 0) return chosen.ipBytes;
  return Math.max(0, frameBytes - packet.layer2Bytes - strippedBytes);
}

/** Copies an address of the packet into an `addr` column; `version` is 4 or 6. */
export function writeAddress(data: Uint32Array, row: number, view: DataView, at: number, version: number): void {
  const to = row * 4;
  if (version === 4) {
    data[to + 2] = 0xffff_0000;
    data[to + 3] = view.getUint32(at, true);
    return;
  }
  data[to] = view.getUint32(at, true);
  data[to + 1] = view.getUint32(at + 4, true);
  data[to + 2] = view.getUint32(at + 8, true);
  data[to + 3] = view.getUint32(at + 12, true);
}

/** Copies six bytes into a `mac` column. */
export function writeMac(data: Uint32Array, row: number, view: DataView, at: number): void {
  data[row * 2] = view.getUint32(at + 2);
  data[row * 2 + 1] = view.getUint16(at);
}
