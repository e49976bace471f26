import { COLUMNS, type ColumnName } from '@ringflow/contract';
import { type Batch, COLUMN_INDEX, itemsPerRow, useColumn } from './batch.ts';
import type { Layout } from './layout.ts';

/** What trades places when a flow is seen from the other end (F03). */
const PAIRS: readonly (readonly [ColumnName, ColumnName])[] = [
  ['src_addr', 'dst_addr'],
  ['src_port', 'dst_port'],
  ['src_mask', 'dst_mask'],
  ['src_mac', 'dst_mac'],
  ['src_vlan', 'dst_vlan'],
  ['src_as', 'dst_as'],
  ['src_peer_as', 'next_hop_as'],
  ['in_if', 'out_if'],
  ['in_phys_if', 'out_phys_if'],
  ['ingress_vrf_id', 'egress_vrf_id'],
  ['nat_src_addr', 'nat_dst_addr'],
  ['nat_src_port', 'nat_dst_port'],
  ['tunnel_src_addr', 'tunnel_dst_addr'],
];

/** Counters, and what only holds for the way forward: zero unless the record says otherwise. */
const FORWARD_ONLY: readonly ColumnName[] = [
  'bytes',
  'packets',
  'frame_bytes',
  'post_bytes',
  'post_packets',
  'total_bytes',
  'total_packets',
  'next_hop',
  'bgp_next_hop',
  'as_path',
  'mpls_label',
  'post_ip_tos',
  'post_src_mac',
  'post_dst_mac',
];

/** By registry index: the column that the reverse row takes its value from, -1 for none. */
const REVERSE_SOURCE: readonly number[] = (() => {
  const from = COLUMNS.map((_, index) => index);
  for (const [a, b] of PAIRS) {
    from[COLUMN_INDEX[a]] = COLUMN_INDEX[b];
    from[COLUMN_INDEX[b]] = COLUMN_INDEX[a];
  }
  for (const name of FORWARD_ONLY) from[COLUMN_INDEX[name]] = -1;
  return from;
})();

/** True when the reverse half, already written to `row`, counted anything. */
export function hasReverseCounters(batch: Batch, row: number): boolean {
  for (const index of [COLUMN_INDEX.bytes, COLUMN_INDEX.packets]) {
    const data = batch.data[index];
    if (data && (data[row * 2] !== 0 || data[row * 2 + 1] !== 0)) return true;
  }
  return false;
}

/** Makes `row` all zero again in the columns that `layout` writes. */
export function clearRow(batch: Batch, layout: Layout, row: number): void {
  for (const index of layout.columns) {
    const data = batch.data[index];
    const items = itemsPerRow(COLUMNS[index]?.type ?? 'u8');
    data?.fill(0, row * items, (row + 1) * items);
  }
}

/** Completes the reverse row from the forward one, ends exchanged; what `reverse` wrote itself stays. */
export function mirrorRow(batch: Batch, kept: Uint8Array, reverse: Layout, forward: number, row: number): void {
  for (let index = 0; index < COLUMNS.length; index++) {
    const from = REVERSE_SOURCE[index] as number;
    if (from < 0 || kept[index] !== 1 || batch.used[from] !== 1 || reverse.columns.includes(index)) continue;
    const source = batch.data[from];
    if (!source) continue;
    const target = useColumn(batch, index);
    const items = itemsPerRow(COLUMNS[index]?.type ?? 'u8');
    // Text and lists are offset and length: both rows may point at the same bytes.
    for (let i = 0; i < items; i++) target[row * items + i] = source[forward * items + i] as number;
  }
}
