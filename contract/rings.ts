import type { ColumnName } from './columns.ts';

/**
 * The additive rings: which sums are kept at every resolution. Adding one is adding an entry; `id` is what the rows
 * on disk carry, so an entry's number and keys never change (a changed ring gets a new number), except that a key may come
 * whose default is true of all older rows. Every ring has `dup`: totals leave out what another record counts.
 */
export interface Ring {
  readonly id: number;
  readonly name: string;
  /** Key columns. A query is answered by the ring whose keys contain its dimensions and its filter's columns. */
  readonly keys: readonly ColumnName[];
}

export const RINGS = [
  { id: 1, name: 'exporter', keys: ['sampler_address', 'type', 'etype', 'dup'] },
  { id: 2, name: 'interface_in', keys: ['sampler_address', 'in_if', 'dup'] },
  { id: 3, name: 'interface_out', keys: ['sampler_address', 'out_if', 'dup'] },
  { id: 4, name: 'service', keys: ['sampler_address', 'proto', 'service', 'dup'] },
  { id: 5, name: 'as', keys: ['sampler_address', 'src_as', 'dst_as', 'dup'] },
] as const satisfies readonly Ring[];

/** Resolutions kept on disk, finest first. `table` holds all rings of that resolution. */
export const RESOLUTIONS = [
  { name: '1m', seconds: 60, table: 'rings_1m' },
  { name: '1h', seconds: 3600, table: 'rings_1h' },
] as const;
