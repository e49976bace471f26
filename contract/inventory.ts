/**
 * Rows keep ids; what an id is called lives in a small table and is looked up when asked, so that a new name renames
 * history too (DESIGN: contracts).
 */

/**
 * | kind        | id                                                                         | attributes |
 * |-------------|----------------------------------------------------------------------------|------------|
 * | exporter    | the exporter's address                                                     | group, role, site, region, tenant |
 * | interface   | ifIndex                                                                    | connectivity, provider, boundary, vrf |
 * | vrf         | VRF id                                                                     |            |
 * | application | engine and selector as hexadecimal digits (RFC 6759)                       |            |
 * | sampler     | sampler or selector id                                                     |            |
 * | as          | AS number                                                                  |            |
 * | place       | {@link nameId} of country, subdivision, city, latitude and longitude        | country, subdivision, city, latitude, longitude |
 * | network     | {@link nameId} of the names of all networks that hold the address, joined by `,` | role, site, region, tenant of the most specific one |
 * | threat      | {@link nameId} of all labels of the address, joined by `,`                  | category, list, confidence of the first label |
 * | app         | {@link nameId} of the application's name, or the number of a service        |            |
 */
export const NAME_KINDS = [
  'exporter',
  'interface',
  'vrf',
  'application',
  'sampler',
  'as',
  'place',
  'network',
  'threat',
  'app',
] as const;
export type NameKind = (typeof NAME_KINDS)[number];

/** Kinds whose ids are an exporter's own: without the exporter they mean nothing. */
export const EXPORTER_KINDS: ReadonlySet<NameKind> = new Set(['interface', 'vrf', 'application', 'sampler']);

/**
 * Where a name comes from, best first: what a person configured, what the exporter sends, what it answers when asked, a
 * file for those that say nothing.
 */
export const NAME_SOURCES = ['config', 'options', 'sflow', 'snmp', 'file', 'enrich'] as const;
export type NameSource = (typeof NAME_SOURCES)[number];

/** What is known about one id. */
export interface NameEntry {
  readonly kind: NameKind;
  /** Text form of the exporter's address; empty where an id means the same everywhere. */
  readonly exporter: string;
  readonly id: string;
  /** Empty when not known. */
  readonly name: string;
  readonly description: string;
  /** Bits per second of an interface; 0 when not known. */
  readonly speedBps: number;
  readonly source: NameSource;
  readonly attributes: Readonly<Record<string, string>>;
}

/**
 * The id of a text: 32-bit FNV-1a, kept away from the 24 bits that service numbers take (`serviceOf`), so an id means
 * the same after every restart and on every collector without anything being agreed on. Never 0.
 */
export function nameId(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash < 0x0100_0000 ? hash + 0x0100_0000 : hash;
}

/** Separates the members of a set in the name of a `network` or `threat` entry. */
export const SET_SEPARATOR = ',';
