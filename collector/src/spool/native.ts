import { CLICKHOUSE_TYPES, COLUMNS, type Column, type ColumnName, type ColumnType } from '@ringflow/contract';
import type { Batch, ColumnData } from '../wire/index.ts';
import { NARROW_TYPES, narrow } from './narrow.ts';

/** Bytes of one value; 0 where the length varies. */
export const NATIVE_WIDTHS: Readonly<Record<ColumnType, number>> = {
  u8: 1,
  u16: 2,
  u32: 4,
  u64: 8,
  time: 8,
  addr: 16,
  mac: 8,
  string: 0,
  'u32[]': 0,
};

/** Fixed widths first and strings last: a reader finds the columns without touching their values. */
const LAYOUT_RANK: Readonly<Record<ColumnType, number>> = {
  u8: 0,
  u16: 0,
  u32: 0,
  u64: 0,
  time: 0,
  addr: 0,
  mac: 0,
  'u32[]': 1,
  string: 2,
};

/** One column of one block, ready to be written. */
export interface EncodedColumn {
  readonly column: Column;
  readonly data: ColumnData;
}

const LAYOUT = COLUMNS.map((column, index) => ({ column: column as Column, index }))
  .filter(({ column }) => column.stored)
  .sort((a, b) => LAYOUT_RANK[a.column.type] - LAYOUT_RANK[b.column.type]);

/** Name and type of each column as they stand in a block, by both, for each type that it may be written in; made once. */
const HEADERS: ReadonlyMap<string, Uint8Array> = new Map(
  LAYOUT.flatMap(({ column: { name, type } }) =>
    [CLICKHOUSE_TYPES[type], ...NARROW_TYPES].map((written) => [headerKey(name, written), headerBytes(name, written)]),
  ),
);

function headerKey(name: string, type: string): string {
  return `${name} ${type}`;
}

/** The columns of a batch that go to disk: stored ones that hold something. A missing one reads as its default. */
export function usedColumns(batch: Batch): EncodedColumn[] {
  const used: EncodedColumn[] = [];
  for (const { column, index } of LAYOUT) {
    const data = batch.data[index];
    if (batch.used[index] === 1 && data) used.push({ column, data });
  }
  return used;
}

/** Names of the columns of a batch, in the order of the block. */
export function usedColumnNames(batch: Batch): ColumnName[] {
  return usedColumns(batch).map(({ column }) => column.name as ColumnName);
}

/** An upper bound of the bytes that {@link encodeNative} writes: strings and narrowed columns take less. */
export function nativeSizeBound(batch: Batch): number {
  let size = 20;
  for (const { column, data } of usedColumns(batch)) {
    size += (HEADERS.get(headerKey(column.name, CLICKHOUSE_TYPES[column.type])) as Uint8Array).length;
    if (column.type === 'u32[]') size += batch.rows * 8 + listItems(data, batch.rows) * 4;
    else if (column.type === 'string') size += batch.rows * 5 + listItems(data, batch.rows);
    else size += batch.rows * NATIVE_WIDTHS[column.type];
  }
  return size;
}

/**
 * Writes a batch as one block of ClickHouse's Native format (column after column; a block of a file has no header
 * but the numbers of columns and rows) and returns the bytes written. `target` holds {@link nativeSizeBound} bytes.
 */
export function encodeNative(batch: Batch, target: Uint8Array): number {
  const columns = usedColumns(batch);
  const { rows } = batch;
  const view = new DataView(target.buffer, target.byteOffset, target.byteLength);
  let at = writeVarint(target, 0, columns.length);
  at = writeVarint(target, at, rows);
  for (const { column, data } of columns) {
    const narrowed = narrow(column.type, data, rows);
    if (narrowed) {
      const end = narrowed.write(data, rows, view, writeHeader(target, at, column.name, narrowed.type));
      if (end >= 0) {
        at = end;
        continue;
      }
    }
    at = writeHeader(target, at, column.name, CLICKHOUSE_TYPES[column.type]);
    if (column.type === 'string') at = writeStrings(batch, data, target, at);
    else if (column.type === 'u32[]') at = writeLists(batch, data, view, at);
    else {
      // The arrays already have the layout of the format (little endian): one copy of the whole column.
      const length = rows * NATIVE_WIDTHS[column.type];
      target.set(new Uint8Array(data.buffer, data.byteOffset, length), at);
      at += length;
    }
  }
  return at;
}

function writeHeader(target: Uint8Array, at: number, name: string, type: string): number {
  const header = HEADERS.get(headerKey(name, type)) as Uint8Array;
  target.set(header, at);
  return at + header.length;
}

function listItems(data: ColumnData, rows: number): number {
  let items = 0;
  for (let row = 0; row < rows; row++) items += data[row * 2 + 1] as number;
  return items;
}

function writeStrings(batch: Batch, data: ColumnData, target: Uint8Array, from: number): number {
  const { arena, rows } = batch;
  let at = from;
  for (let row = 0; row < rows; row++) {
    const offset = data[row * 2] as number;
    const length = data[row * 2 + 1] as number;
    at = writeVarint(target, at, length);
    for (let i = 0; i < length; i++) target[at + i] = arena[offset + i] as number;
    at += length;
  }
  return at;
}

/** Ends of the lists as 64-bit numbers, then all items. */
function writeLists(batch: Batch, data: ColumnData, view: DataView, from: number): number {
  const { words, rows } = batch;
  let at = from + rows * 8;
  let end = 0;
  for (let row = 0; row < rows; row++) {
    const offset = data[row * 2] as number;
    const length = data[row * 2 + 1] as number;
    end += length;
    view.setUint32(from + row * 8, end, true);
    view.setUint32(from + row * 8 + 4, 0, true);
    for (let i = 0; i < length; i++, at += 4) view.setUint32(at, words[offset + i] as number, true);
  }
  return at;
}

function writeVarint(target: Uint8Array, from: number, value: number): number {
  let at = from;
  let rest = value;
  while (rest > 127) {
    target[at++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  target[at++] = rest;
  return at;
}

function headerBytes(name: string, type: string): Uint8Array {
  const parts = [new TextEncoder().encode(name), new TextEncoder().encode(type)];
  return Uint8Array.from(parts.flatMap((part) => [part.length, ...part]));
}
