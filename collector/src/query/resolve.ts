import type { Column } from '@ringflow/contract';

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

/**
 * Names of what rows keep as ids. Names live in small tables and are looked up when asked, so a renamed interface
 * renames history too (DESIGN). The second half serves filters: names to ids.
 */
export interface NameLookup {
  /** Name of an exporter by the text form of its address. */
  exporter(address: string): string | undefined;
  interface(exporter: string, index: number): InterfaceName | undefined;
  /** Organisation that holds an AS number. */
  as(asn: number): string | undefined;
  /** Addresses of the exporters whose name matches. */
  exportersWhere(matches: (name: string) => boolean): readonly string[];
  /** Interfaces whose name or description matches. */
  interfacesWhere(matches: (text: string) => boolean): readonly InterfaceName[];
  /** AS numbers whose organisation matches. */
  asWhere(matches: (name: string) => boolean): readonly number[];
}

/** A lookup that knows nothing: ids are shown as they are. */
export const NO_NAMES: NameLookup = {
  exporter: () => undefined,
  interface: () => undefined,
  as: () => undefined,
  exportersWhere: () => [],
  interfacesWhere: () => [],
  asWhere: () => [],
};

/** Columns that hold an ifIndex; the name depends on the exporter of the same row. */
const INTERFACE_COLUMNS: ReadonlySet<string> = new Set(['in_if', 'out_if', 'if']);

/** True when values of the column may have a name that is looked up. */
export function hasNames(column: Pick<Column, 'name' | 'text'>): boolean {
  return column.name === 'sampler_address' || INTERFACE_COLUMNS.has(column.name) || column.text === 'asn';
}

/**
 * The looked-up name of a value, or undefined.
 *
 * @param value as the engine returned it, addresses already in their text form
 * @param exporter text form of the row's exporter, where the row has one
 */
export function nameOf(
  names: NameLookup,
  column: Pick<Column, 'name' | 'text'>,
  value: unknown,
  exporter: string | undefined,
): string | undefined {
  if (column.name === 'sampler_address') return names.exporter(String(value));
  if (INTERFACE_COLUMNS.has(column.name))
    return exporter === undefined ? undefined : names.interface(exporter, Number(value))?.name;
  if (column.text === 'asn' && typeof value === 'number') return names.as(value);
  return undefined;
}
