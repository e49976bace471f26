import { open } from 'node:fs/promises';
import { CLICKHOUSE_TYPES, type ColumnName, type TopList } from '@ringflow/contract';
import type { SegmentSource } from '../engine.ts';
import { encodeNativeBlock, widthOf, type NativeColumn, type ReadRoom } from '../native-blocks.ts';
import { columnOf, ownKeys, SCOPE } from './keys.ts';
import { pickRecords, type PickedRecords } from './picked-records.ts';
import type { BatchRecords } from './records.ts';
import { HIGH, type Values } from './items.ts';
import type { RankedRow } from './ranks.ts';
import type { Scope } from './spread.ts';
import { TOP_COUNTERS, TOP_FLOORS, TOP_KEYS } from './tables.ts';

const keyColumn = (name: ColumnName): NativeColumn => ({ name, type: CLICKHOUSE_TYPES[columnOf(name).type] });
const FIXED: readonly NativeColumn[] = [
  { name: 'list', type: 'UInt8' },
  { name: 'bucket', type: "DateTime('UTC')" },
  { name: 'other', type: 'UInt8' },
  { name: 'loader', type: 'UInt32' },
];
const VALUES: readonly NativeColumn[] = [...TOP_COUNTERS, ...TOP_FLOORS].map((name) => ({ name, type: 'UInt64' }));

/** Columns of the file: everything that a table of top lists has. */
const COLUMNS: SegmentSource['columns'] = [
  ...FIXED,
  ...TOP_KEYS.map(({ name }) => keyColumn(name as ColumnName)),
  ...VALUES,
];

/** Where the records are that rows were ranked of. */
export interface BatchFiles {
  readonly paths: readonly string[];
  readonly room: ReadRoom;
}

/** Lists of one resolution, ready to be written. */
export interface RankedLists {
  readonly scopes: readonly Scope[];
  readonly lists: ReadonlyMap<TopList, readonly RankedRow[]>;
}

/** Writes the lists as rows of their table, in Native format, which both engines take. */
export async function writeLists(
  path: string,
  { paths, room }: BatchFiles,
  records: BatchRecords,
  { scopes, lists }: RankedLists,
  loader: number,
): Promise<SegmentSource> {
  const picked = await pickRecords(paths, namedRecords(records, lists), room);
  const order = orderOf(scopes, records);
  const file = await open(path, 'wx');
  try {
    for (const [list, rows] of lists) {
      if (rows.length === 0) continue;
      const sorted = [...rows].sort(
        (a, b) => (order[a.scope] as number) - (order[b.scope] as number) || Number(a.row < 0) - Number(b.row < 0),
      );
      await file.write(encodeNativeBlock(rows.length, blockOf(list, sorted, scopes, records, picked, loader)));
    }
  } finally {
    await file.close();
  }
  return { paths: [path], columns: COLUMNS };
}

/** 1 for each record that gives its keys to a row. */
function namedRecords(records: BatchRecords, lists: RankedLists['lists']): Uint8Array {
  const named = new Uint8Array(records.rows);
  for (const rows of lists.values()) for (const { row } of rows) if (row >= 0) named[row] = 1;
  return named;
}

/** Place of each scope in the table's order: bucket, exporter, duplicates. */
function orderOf(scopes: readonly Scope[], { exporters }: BatchRecords): Uint32Array {
  const sorted = scopes
    .map((scope, index) => ({ ...scope, index }))
    .sort(
      (a, b) =>
        a.bucket - b.bucket ||
        Buffer.compare(exporters[a.exporter] as Uint8Array, exporters[b.exporter] as Uint8Array) ||
        a.dup - b.dup,
    );
  const order = new Uint32Array(scopes.length);
  sorted.forEach(({ index }, place) => (order[index] = place));
  return order;
}

function blockOf(
  list: TopList,
  rows: readonly RankedRow[],
  scopes: readonly Scope[],
  { exporters }: BatchRecords,
  picked: PickedRecords,
  loader: number,
): (NativeColumn & { readonly data: Uint8Array })[] {
  const numbers = (column: NativeColumn, value: (row: RankedRow) => number | bigint) => ({
    ...column,
    data: encodeNumbers(widthOf(column), rows, value),
  });
  const scopeOf = ({ scope }: RankedRow) => scopes[scope] as Scope;
  const [ofList, ofBucket, ofOther, ofLoader] = FIXED as [NativeColumn, NativeColumn, NativeColumn, NativeColumn];
  const [address, dup] = SCOPE.map(keyColumn) as [NativeColumn, NativeColumn];
  const addresses = new Uint8Array(rows.length * 16);
  rows.forEach((row, index) => addresses.set(exporters[scopeOf(row).exporter] as Uint8Array, index * 16));
  const from = Int32Array.from(rows, ({ row }) => (row < 0 ? -1 : picked.indexOf(row)));
  const values = (of: (row: RankedRow) => Values) =>
    [0, 1, 2].map((index) => (row: RankedRow) => of(row)[index] as number | bigint);
  return [
    numbers(ofList, () => list.id),
    numbers(ofBucket, (row) => scopeOf(row).bucket),
    numbers(ofOther, ({ row }) => (row < 0 ? 1 : 0)),
    numbers(ofLoader, () => loader),
    { ...address, data: addresses },
    numbers(dup, (row) => scopeOf(row).dup),
    ...ownKeys(list).map((key) => ({ ...keyColumn(key), data: picked.take(key, from) })),
    ...[...values(({ counters }) => counters), ...values(({ floors }) => floors)].map((value, index) =>
      numbers(VALUES[index] as NativeColumn, value),
    ),
  ];
}

function encodeNumbers(
  width: number,
  rows: readonly RankedRow[],
  valueOf: (row: RankedRow) => number | bigint,
): Uint8Array {
  const data = new Uint8Array(width * rows.length);
  const view = new DataView(data.buffer);
  rows.forEach((row, index) => {
    const value = valueOf(row);
    if (typeof value === 'bigint') view.setBigUint64(index * 8, value, true);
    else if (width === 1) view.setUint8(index, value);
    else {
      view.setUint32(index * width, value, true);
      if (width === 8) view.setUint32(index * 8 + 4, value / HIGH, true);
    }
  });
  return data;
}
