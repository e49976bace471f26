import { COLUMNS, storedColumns, TOP_LISTS, type Column, type ColumnName, type TopList } from '@ringflow/contract';

/** All top lists, in the order in which they are made. */
export const ALL_LISTS: readonly TopList[] = TOP_LISTS;

const BY_NAME: ReadonlyMap<string, Column> = new Map(COLUMNS.map((column) => [column.name, column]));

/** The registry's entry of a column. */
export function columnOf(name: ColumnName): Column {
  return BY_NAME.get(name) as Column;
}

/** What a list is made for, besides the bucket: each exporter, and duplicates apart. */
export const SCOPE = ['sampler_address', 'dup'] as const satisfies readonly ColumnName[];

/** Keys of a list without those that say what it is made for. */
export function ownKeys(list: TopList): ColumnName[] {
  return list.keys.filter((key) => !(SCOPE as readonly string[]).includes(key));
}

/** Keys of a list whose values are compared. */
export function comparedKeys(list: TopList): ColumnName[] {
  const follows: readonly string[] = list.follows ?? [];
  return ownKeys(list).filter((key) => !follows.includes(key));
}

/** Stored columns that keys are computed from, each once. */
export function storedOf(keys: readonly ColumnName[]): ColumnName[] {
  return [...new Set(keys.flatMap((key) => storedColumns(key)))];
}
