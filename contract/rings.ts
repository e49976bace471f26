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

/** The small ones first: the first that has what a query needs answers it. */
export const RINGS = [
  { id: 6, name: 'total', keys: ['dup'] },
  { id: 1, name: 'exporter', keys: ['sampler_address', 'type', 'etype', 'dup'] },
  { id: 2, name: 'interface_in', keys: ['sampler_address', 'in_if', 'dup'] },
  { id: 3, name: 'interface_out', keys: ['sampler_address', 'out_if', 'dup'] },
  { id: 7, name: 'direction', keys: ['sampler_address', 'direction', 'locality', 'src_scope', 'dst_scope', 'dup'] },
  { id: 8, name: 'tos', keys: ['sampler_address', 'direction', 'ip_tos', 'dup'] },
  { id: 9, name: 'tcp_flags', keys: ['sampler_address', 'direction', 'tcp_flags', 'dup'] },
  { id: 10, name: 'vlan', keys: ['sampler_address', 'vlan_id', 'dup'] },
  { id: 4, name: 'service', keys: ['sampler_address', 'proto', 'service', 'dup'] },
  { id: 11, name: 'application', keys: ['sampler_address', 'direction', 'app', 'dup'] },
  { id: 12, name: 'threat', keys: ['sampler_address', 'direction', 'src_threat', 'dst_threat', 'client_side', 'dup'] },
  {
    id: 13,
    name: 'country',
    keys: ['sampler_address', 'direction', 'src_country', 'dst_country', 'client_side', 'dup'],
  },
  { id: 14, name: 'as', keys: ['sampler_address', 'direction', 'src_as', 'dst_as', 'client_side', 'dup'] },
  {
    id: 15,
    name: 'network_service',
    keys: ['sampler_address', 'direction', 'src_network', 'dst_network', 'client_side', 'proto', 'service', 'dup'],
  },
] as const satisfies readonly Ring[];

/** A length of bucket that is kept on disk. */
export interface Resolution {
  readonly name: string;
  readonly seconds: number;
  /** Holds all rings of the resolution. */
  readonly table: string;
}

/** Resolutions kept on disk, finest first. `table` holds all rings of that resolution. */
export const RESOLUTIONS = [
  { name: '1m', seconds: 60, table: 'rings_1m' },
  { name: '5m', seconds: 300, table: 'rings_5m' },
  { name: '1h', seconds: 3600, table: 'rings_1h' },
  { name: '1d', seconds: 86_400, table: 'rings_1d' },
] as const satisfies readonly Resolution[];

/** A top list: a ring of which only the largest rows are kept by name. */
export interface TopList extends Ring {
  /** Keys that say what the list is a list of; what is left out is bounded by them (`floor_bytes`), whatever the others. */
  readonly of: readonly ColumnName[];
  /** Keys that follow from the others, as the country does from the address: not compared when rows are summed. */
  readonly follows?: readonly ColumnName[];
}

const SOURCE_FACTS = ['src_as', 'src_country', 'src_place', 'src_network', 'src_threat', 'src_scope'] as const;
const DESTINATION_FACTS = ['dst_as', 'dst_country', 'dst_place', 'dst_network', 'dst_threat', 'dst_scope'] as const;

/**
 * The top lists: what has too many values for an additive ring. Of each bucket and exporter the largest are kept by
 * name, everything else in one row `other`, so that the sums of a list are those of the records.
 */
export const TOP_LISTS = [
  {
    id: 1,
    name: 'source',
    of: ['src_addr'],
    keys: ['sampler_address', 'direction', 'client_side', 'src_addr', ...SOURCE_FACTS, 'dup'],
    follows: SOURCE_FACTS,
  },
  {
    id: 2,
    name: 'destination',
    of: ['dst_addr'],
    keys: ['sampler_address', 'direction', 'client_side', 'dst_addr', ...DESTINATION_FACTS, 'dup'],
    follows: DESTINATION_FACTS,
  },
  { id: 3, name: 'source_port', of: ['src_port'], keys: ['sampler_address', 'direction', 'proto', 'src_port', 'dup'] },
  {
    id: 4,
    name: 'destination_port',
    of: ['dst_port'],
    keys: ['sampler_address', 'direction', 'proto', 'dst_port', 'dup'],
  },
  {
    id: 5,
    name: 'conversation',
    of: ['src_addr', 'dst_addr'],
    keys: ['sampler_address', 'direction', 'client_side', 'src_addr', 'dst_addr', 'proto', 'service', 'app', 'dup'],
  },
  { id: 6, name: 'source_prefix', of: ['src_prefix'], keys: ['sampler_address', 'direction', 'src_prefix', 'dup'] },
  {
    id: 7,
    name: 'destination_prefix',
    of: ['dst_prefix'],
    keys: ['sampler_address', 'direction', 'dst_prefix', 'dup'],
  },
  {
    id: 8,
    name: 'source_place',
    of: ['src_place'],
    keys: ['sampler_address', 'direction', 'client_side', 'src_country', 'src_place', 'dup'],
  },
  {
    id: 9,
    name: 'destination_place',
    of: ['dst_place'],
    keys: ['sampler_address', 'direction', 'client_side', 'dst_country', 'dst_place', 'dup'],
  },
] as const satisfies readonly TopList[];

/** Resolutions of the top lists, finest first. */
export const TOP_RESOLUTIONS = [
  { name: '5m', seconds: 300, table: 'top_5m' },
  { name: '1h', seconds: 3600, table: 'top_1h' },
  { name: '1d', seconds: 86_400, table: 'top_1d' },
] as const satisfies readonly Resolution[];
