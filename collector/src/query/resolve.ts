import { dscpName, type Attribute, type Column, type NameKind } from '@ringflow/contract';

/** What is known about one interface of one exporter. */
export interface InterfaceName {
  /** Text form of the exporter's address. */
  readonly exporter: string;
  /** ifIndex. */
  readonly index: number;
  readonly name: string;
  readonly description: string;
  /** Bits per second, 0 = unknown. */
  readonly speedBps: number;
}

/** Part of an entry that is known: an attribute's value, by the id and, where ids are an exporter's own, the exporter. */
export interface AttributeValue {
  /** Text form of the exporter's address; empty where an id means the same everywhere. */
  readonly exporter: string;
  readonly id: number;
  readonly value: string;
}

/**
 * Names of what rows keep as ids. Names live in small tables and are looked up when asked, so a renamed interface
 * renames history too (DESIGN). The second half serves filters and groups: names to ids.
 */
export interface NameLookup {
  /** Name of an exporter by the text form of its address. */
  exporter(address: string): string | undefined;
  interface(exporter: string, index: number): InterfaceName | undefined;
  /** Name of an id that means the same everywhere: of an AS, a place, a set of networks … */
  named(kind: NameKind, id: number): string | undefined;
  /** Addresses of the exporters whose name matches. */
  exportersWhere(matches: (name: string) => boolean): readonly string[];
  /** Interfaces whose name or description matches. */
  interfacesWhere(matches: (text: string) => boolean): readonly InterfaceName[];
  /** Ids whose name matches; of a set, the name of a member. */
  idsWhere(kind: NameKind, matches: (name: string) => boolean): readonly number[];
  /** Every entry that has the attribute, once. */
  attributeValues(attribute: Attribute): readonly AttributeValue[];
}

/** A lookup that knows nothing: ids are shown as they are. */
export const NO_NAMES: NameLookup = {
  exporter: () => undefined,
  interface: () => undefined,
  named: () => undefined,
  exportersWhere: () => [],
  interfacesWhere: () => [],
  idsWhere: () => [],
  attributeValues: () => [],
};

/** Columns that hold an ifIndex; the name depends on the exporter of the same row. */
const INTERFACE_COLUMNS: ReadonlySet<string> = new Set(['in_if', 'out_if', 'if']);

/** As much of a column as decides whether its values have names. */
export type NamedColumn = Pick<Column, 'name' | 'names'>;

/** True when values of the column may have a name that is looked up. */
export function hasNames(column: NamedColumn): boolean {
  return (
    column.name === 'sampler_address' ||
    column.name === 'ip_tos' ||
    INTERFACE_COLUMNS.has(column.name) ||
    column.names !== undefined
  );
}

/** True when the name of a value depends on the exporter of the same row. */
export function isOfExporter(column: NamedColumn): boolean {
  return INTERFACE_COLUMNS.has(column.name);
}

/**
 * The looked-up name of a value, or undefined.
 *
 * @param value as the engine returned it, addresses already in their text form
 * @param exporter text form of the row's exporter, where the row has one
 */
export function nameOf(
  names: NameLookup,
  column: NamedColumn,
  value: unknown,
  exporter: string | undefined,
): string | undefined {
  if (column.name === 'sampler_address') return names.exporter(String(value));
  if (column.name === 'ip_tos') return dscpName(Number(value));
  if (isOfExporter(column)) return exporter === undefined ? undefined : names.interface(exporter, Number(value))?.name;
  if (column.names !== undefined && typeof value === 'number') return names.named(column.names, value);
  return undefined;
}
