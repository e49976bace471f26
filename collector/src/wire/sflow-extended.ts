/** The extended records of an sFlow sample, written to a row; each reads only inside its own bounds (H01). */
import { COLUMN_INDEX, pushWord, useColumn, writeString, type Batch, type ColumnData } from './batch.ts';
import { writeAddress } from './packet-columns.ts';
import type { Packet } from './packet-fields.ts';
import type { SflowColumns } from './sflow-columns.ts';
import type { FlowRecords } from './sflow-records.ts';

/** Registry indexes of the columns that are seldom filled: a plain object, because a look-up by name costs as much as a store. */
const AT = {
  as_path: COLUMN_INDEX.as_path,
  bgp_communities: COLUMN_INDEX.bgp_communities,
  bgp_next_hop: COLUMN_INDEX.bgp_next_hop,
  drop_reason: COLUMN_INDEX.drop_reason,
  dst_as: COLUMN_INDEX.dst_as,
  dst_mask: COLUMN_INDEX.dst_mask,
  dst_vlan: COLUMN_INDEX.dst_vlan,
  forwarding_status: COLUMN_INDEX.forwarding_status,
  l2_segment_id: COLUMN_INDEX.l2_segment_id,
  local_pref: COLUMN_INDEX.local_pref,
  mpls_label: COLUMN_INDEX.mpls_label,
  nat_dst_addr: COLUMN_INDEX.nat_dst_addr,
  nat_dst_port: COLUMN_INDEX.nat_dst_port,
  nat_src_addr: COLUMN_INDEX.nat_src_addr,
  nat_src_port: COLUMN_INDEX.nat_src_port,
  next_hop: COLUMN_INDEX.next_hop,
  next_hop_as: COLUMN_INDEX.next_hop_as,
  src_as: COLUMN_INDEX.src_as,
  src_mask: COLUMN_INDEX.src_mask,
  src_peer_as: COLUMN_INDEX.src_peer_as,
  src_vlan: COLUMN_INDEX.src_vlan,
  tunnel_dst_addr: COLUMN_INDEX.tunnel_dst_addr,
  tunnel_proto: COLUMN_INDEX.tunnel_proto,
  tunnel_src_addr: COLUMN_INDEX.tunnel_src_addr,
  user_name: COLUMN_INDEX.user_name,
} as const;

/** The array of a column that is seldom filled, or null when the batch does not keep it. */
function rare(columns: SflowColumns, index: number): ColumnData | null {
  return columns.kept[index] === 1 && columns.batch ? useColumn(columns.batch, index) : null;
}

/** Forwarding status 2 in the upper two bits: dropped (F22); the lower six would be IANA's reasons, not sFlow's. */
export function writeDrop(columns: SflowColumns, row: number, reason: number): void {
  const status = rare(columns, AT.forwarding_status);
  if (status) status[row] = 0x80;
  const dropReason = rare(columns, AT.drop_reason);
  if (dropReason) dropReason[row] = reason;
}

/** VLANs of an extended_switch record. */
export function writeSwitch(columns: SflowColumns, row: number, view: DataView, at: number): void {
  const from = view.getUint32(at);
  const to = view.getUint32(at + 8);
  // All ones: the switch has no VLAN to tell (H07).
  const source = from < 0x1000 ? rare(columns, AT.src_vlan) : null;
  if (source) source[row] = from;
  const destination = to < 0x1000 ? rare(columns, AT.dst_vlan) : null;
  if (destination) destination[row] = to;
}

/** Length of an XDR address (type word and bytes) at `at`; 0 when it does not fit, 4 when there is none. */
function addressLength(view: DataView, at: number, end: number): number {
  if (at + 4 > end) return 0;
  const family = view.getUint32(at);
  const length = family === 1 ? 8 : family === 2 ? 20 : 4;
  return at + length <= end ? length : 0;
}

function writeTypedAddress(
  columns: SflowColumns,
  index: number,
  row: number,
  view: DataView,
  at: number,
  length: number,
): void {
  const data = length > 4 ? rare(columns, index) : null;
  if (data) writeAddress(data as Uint32Array, row, view, at + 4, length === 8 ? 4 : 6);
}

/** Next hop and prefix lengths of an extended_router record. */
export function writeRouter(columns: SflowColumns, row: number, view: DataView, at: number, end: number): void {
  const length = addressLength(view, at, end);
  if (length === 0 || at + length + 8 > end) return;
  writeTypedAddress(columns, AT.next_hop, row, view, at, length);
  const source = rare(columns, AT.src_mask);
  if (source) source[row] = view.getUint32(at + length);
  const destination = rare(columns, AT.dst_mask);
  if (destination) destination[row] = view.getUint32(at + length + 4);
}

/** Next hop, own AS, source AS, source peer AS, path<segment type, AS<>>, communities<>, local preference (H13). */
export function writeGateway(
  columns: SflowColumns,
  batch: Batch,
  row: number,
  view: DataView,
  from: number,
  end: number,
): void {
  const length = addressLength(view, from, end);
  if (length === 0 || from + length + 16 > end) return;
  writeTypedAddress(columns, AT.bgp_next_hop, row, view, from, length);
  let at = from + length;
  const ownAs = view.getUint32(at);
  const sourceAs = view.getUint32(at + 4);
  const segments = view.getUint32(at + 12);
  const peer = rare(columns, AT.src_peer_as);
  if (peer) peer[row] = view.getUint32(at + 8);
  const source = rare(columns, AT.src_as);
  if (source) source[row] = sourceAs === 0 ? ownAs : sourceAs;
  at += 16;
  const path = rare(columns, AT.as_path) as Uint32Array | null;
  // An empty path: the destination is in the exporter's own AS.
  let lastAs = ownAs;
  let firstAs = 0;
  for (let segment = 0; segment < segments; segment++) {
    if (at + 8 > end) return;
    const count = view.getUint32(at + 4);
    at += 8;
    if (count > (end - at) / 4) return;
    for (let i = 0; i < count; i++, at += 4) {
      lastAs = view.getUint32(at);
      if (firstAs === 0) firstAs = lastAs;
      if (path) pushWord(batch, path, row, lastAs);
    }
  }
  const destination = rare(columns, AT.dst_as);
  if (destination) destination[row] = lastAs;
  const next = firstAs === 0 ? null : rare(columns, AT.next_hop_as);
  if (next) next[row] = firstAs;
  if (at + 4 > end) return;
  const communities = view.getUint32(at);
  at += 4;
  if (communities > (end - at) / 4) return;
  const list = rare(columns, AT.bgp_communities) as Uint32Array | null;
  for (let i = 0; i < communities; i++, at += 4) if (list) pushWord(batch, list, row, view.getUint32(at));
  const preference = at + 4 <= end ? rare(columns, AT.local_pref) : null;
  if (preference) preference[row] = view.getUint32(at);
}

/** True when {@link writeOthers} has something to do. */
export function hasOtherRecord(records: FlowRecords): boolean {
  return (
    records.userAt >= 0 ||
    records.mplsAt >= 0 ||
    records.natAt >= 0 ||
    records.natPortAt >= 0 ||
    records.vlanTunnelAt >= 0 ||
    records.tunnelIpv4At >= 0 ||
    records.tunnelIpv6At >= 0 ||
    records.vniAt >= 0
  );
}

/** User, MPLS, NAT, stripped VLAN tags, tunnel and segment records. */
export function writeOthers(
  columns: SflowColumns,
  batch: Batch,
  row: number,
  view: DataView,
  records: FlowRecords,
  packet: Packet,
): void {
  if (records.userAt >= 0) writeUser(columns, batch, row, view, records.userAt, records.userEnd);
  if (records.mplsAt >= 0 && packet.mplsCount === 0)
    writeMpls(columns, batch, row, view, records.mplsAt, records.mplsEnd);
  if (records.natAt >= 0) {
    const length = addressLength(view, records.natAt, records.natEnd);
    if (length > 0) {
      writeTypedAddress(columns, AT.nat_src_addr, row, view, records.natAt, length);
      const second = records.natAt + length;
      writeTypedAddress(columns, AT.nat_dst_addr, row, view, second, addressLength(view, second, records.natEnd));
    }
  }
  if (records.natPortAt >= 0) {
    const source = rare(columns, AT.nat_src_port);
    if (source) source[row] = view.getUint32(records.natPortAt);
    const destination = rare(columns, AT.nat_dst_port);
    if (destination) destination[row] = view.getUint32(records.natPortAt + 4);
  }
  // Tags that were stripped before sampling: only of use when the frame itself has none left.
  if (records.vlanTunnelAt >= 0 && packet.vlanCount === 0 && records.vlanTunnelAt + 8 <= records.vlanTunnelEnd) {
    if (view.getUint32(records.vlanTunnelAt) > 0)
      columns.packet.half.vlan_id[row] = view.getUint32(records.vlanTunnelAt + 4) & 0x0fff;
  }
  if (!packet.hasInner && (records.tunnelIpv4At >= 0 || records.tunnelIpv6At >= 0)) {
    const version = records.tunnelIpv4At >= 0 ? 4 : 6;
    const at = version === 4 ? records.tunnelIpv4At : records.tunnelIpv6At;
    const source = rare(columns, AT.tunnel_src_addr);
    if (source) writeAddress(source as Uint32Array, row, view, at + 8, version);
    const destination = rare(columns, AT.tunnel_dst_addr);
    if (destination) writeAddress(destination as Uint32Array, row, view, at + 8 + (version === 4 ? 4 : 16), version);
    const proto = rare(columns, AT.tunnel_proto);
    if (proto) proto[row] = view.getUint32(at + 4);
  }
  const segment = records.vniAt >= 0 && packet.vni < 0 ? rare(columns, AT.l2_segment_id) : null;
  if (segment) segment[row * 2] = view.getUint32(records.vniAt);
}

function writeUser(columns: SflowColumns, batch: Batch, row: number, view: DataView, at: number, end: number): void {
  const data = rare(columns, AT.user_name) as Uint32Array | null;
  if (!data || at + 8 > end) return;
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const length = view.getUint32(at + 4);
  if (length > end - at - 8) return;
  if (length > 0) {
    writeString(batch, data, row, bytes, at + 8, at + 8 + length);
    return;
  }
  const second = at + 8;
  if (second + 8 > end) return;
  const otherLength = view.getUint32(second + 4);
  if (otherLength > 0 && otherLength <= end - second - 8)
    writeString(batch, data, row, bytes, second + 8, second + 8 + otherLength);
}

function writeMpls(columns: SflowColumns, batch: Batch, row: number, view: DataView, from: number, end: number): void {
  const length = addressLength(view, from, end);
  const data = rare(columns, AT.mpls_label) as Uint32Array | null;
  if (!data || length === 0 || from + length + 4 > end) return;
  const at = from + length + 4;
  const count = view.getUint32(at - 4);
  if (count > (end - at) / 4) return;
  for (let i = 0; i < count; i++) pushWord(batch, data, row, view.getUint32(at + i * 4) >>> 12);
}
