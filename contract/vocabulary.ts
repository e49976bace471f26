/**
 * Words for the small numbers that enrichment writes into rows: the index is the number on disk. 0 is always "not
 * known"; new words go to the end.
 */

/** Kind of an address by its range (semantics 5.3), before anything that is configured. */
export const SCOPES = [
  '',
  'public',
  'private',
  'cgnat',
  'documentation',
  'multicast',
  'broadcast',
  'linklocal',
  'loopback',
  'reserved',
] as const;
export type Scope = Exclude<(typeof SCOPES)[number], ''>;

/** Which way a record crosses the border of the own networks (semantics 5.4). */
export const DIRECTIONS = ['', 'in', 'out', 'internal', 'transit'] as const;

/** `public` when either end is (semantics 5.3). */
export const LOCALITIES = ['', 'private', 'public'] as const;

/** Which end of the record is the client (semantics 5.2). */
export const CLIENT_SIDES = ['', 'src', 'dst'] as const;

/** The rule that told client from server (semantics 5.2), in the order in which they are tried. */
export const ROLE_RULES = [
  '',
  'initiator',
  'multicast',
  'endpoint',
  'tcp_flags',
  'opposite_record',
  'known_port',
  'lower_port',
  'own_address',
  'lower_address',
] as const;

/** The rule that named the application (semantics 5.5), in the order in which they are tried. */
export const APP_RULES = [
  '',
  'endpoint',
  'application_name',
  'application_id',
  'vendor',
  'prefix',
  'port_table',
  'port',
] as const;

/** Why a record is left out of totals (semantics 5.8); 0 = it counts. */
export const DUPLICATES = ['', 'egress', 'other_exporter'] as const;
