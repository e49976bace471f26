import { COLUMNS, type Column, type ColumnName, type ColumnType } from '@ringflow/contract';

/** Backing store of one column, see {@link createColumnData}. */
export type ColumnData = Uint8Array | Uint16Array | Uint32Array;

/**
 * Rows as columns: what the decoders write, enrichment changes and the spool puts on disk. Nothing is allocated per
 * record; the arrays have the byte layout of ClickHouse's Native format (little endian), so sealing copies them whole.
 *
 * | type            | array         | words per row                                                        |
 * |-----------------|---------------|----------------------------------------------------------------------|
 * | u8, u16, u32    | of that width | 1                                                                    |
 * | u64, time, mac  | Uint32Array   | 2: low, high                                                         |
 * | addr            | Uint32Array   | 4: the sixteen bytes in network order, read as little-endian words   |
 * | string          | Uint32Array   | 2: offset and length in `arena`                                      |
 * | u32[]           | Uint32Array   | 2: offset and length in `words`                                      |
 */
export interface Batch {
  /** Rows that fit. The inlet seals well before, so that any datagram fits whole (`MAX_RECORDS_PER_DATAGRAM`). */
  readonly capacity: number;
  rows: number;
  /** Columns this batch can hold, in registry order. */
  readonly columns: readonly Column[];
  /** By registry index; null until a decoder first writes the column. */
  readonly data: (ColumnData | null)[];
  /** By registry index: 1 when the column may hold something other than zero in this batch. */
  readonly used: Uint8Array;
  /** Bytes of the string columns. */
  arena: Uint8Array;
  arenaLength: number;
  /** Items of the u32[] columns. */
  words: Uint32Array;
  wordsLength: number;
  /** Kept when asked for: which columns the exporter sent, from which row on. */
  readonly runs: Run[] | null;
}

/** From `row` on, the records carry exactly these columns (registry indexes). */
export interface Run {
  row: number;
  columns: readonly number[];
}

/** A UDP payload holds at most 65,507 bytes and a record at least one; a biflow makes two rows. */
export const MAX_RECORDS_PER_DATAGRAM = 131_072;

/** Registry index of each column. */
export const COLUMN_INDEX: Readonly<Record<ColumnName, number>> = Object.fromEntries(
  COLUMNS.map((column, index) => [column.name, index]),
) as Record<ColumnName, number>;

/** 32-bit words (or narrower items) that one row takes. */
export function itemsPerRow(type: ColumnType): number {
  switch (type) {
    case 'u8':
    case 'u16':
    case 'u32':
      return 1;
    case 'u64':
    case 'time':
    case 'mac':
    case 'string':
    case 'u32[]':
      return 2;
    case 'addr':
      return 4;
  }
}

export function createColumnData(type: ColumnType, rows: number): ColumnData {
  if (type === 'u8') return new Uint8Array(rows);
  if (type === 'u16') return new Uint16Array(rows);
  return new Uint32Array(rows * itemsPerRow(type));
}

export interface BatchOptions {
  /** Rows that the caller wants to fill before sealing; room for one more datagram is added. */
  rowLimit: number;
  /** Columns to keep; what is not in here is never decoded. Default: the stored ones. */
  columns?: readonly Column[];
  /** Note which columns each record carries (`ringflow decode` needs it, the inlet does not). */
  trackRuns?: boolean;
}

export function createBatch(options: BatchOptions): Batch {
  const wanted = new Set<string>(
    (options.columns ?? COLUMNS.filter((column) => column.stored)).map((column) => column.name),
  );
  return {
    capacity: options.rowLimit + MAX_RECORDS_PER_DATAGRAM,
    rows: 0,
    columns: COLUMNS.filter((column) => wanted.has(column.name)),
    data: COLUMNS.map(() => null),
    used: new Uint8Array(COLUMNS.length),
    arena: new Uint8Array(1 << 16),
    arenaLength: 0,
    words: new Uint32Array(1 << 12),
    wordsLength: 0,
    runs: options.trackRuns === true ? [] : null,
  };
}

/** True when the batch keeps the column at all. */
export function hasColumn(batch: Batch, index: number): boolean {
  return batch.columns.some((column) => COLUMN_INDEX[column.name as ColumnName] === index);
}

/**
 * The array of a column, allocated at first use and zero wherever nothing was written. Call it once per set of
 * records, not per record. Untouched pages of the array cost no memory.
 */
export function useColumn(batch: Batch, index: number): ColumnData {
  batch.used[index] = 1;
  let data = batch.data[index];
  if (!data) {
    const column = COLUMNS[index];
    if (!column) throw new RangeError(`No column ${index}`);
    data = createColumnData(column.type, batch.capacity);
    batch.data[index] = data;
  }
  return data;
}

/** Empties the batch; columns that were written are zero again. */
export function resetBatch(batch: Batch): void {
  for (let index = 0; index < COLUMNS.length; index++) {
    const data = batch.data[index];
    if (batch.used[index] === 1 && data) {
      data.fill(0, 0, batch.rows * itemsPerRow((COLUMNS[index] as Column).type));
      batch.used[index] = 0;
    }
  }
  batch.rows = 0;
  batch.arenaLength = 0;
  batch.wordsLength = 0;
  if (batch.runs) batch.runs.length = 0;
}

/** Copies bytes into the arena and points the row of a string column at them. */
export function writeString(
  batch: Batch,
  data: Uint32Array,
  row: number,
  bytes: Uint8Array,
  from: number,
  to: number,
): void {
  const length = to - from;
  const need = batch.arenaLength + length;
  if (need > batch.arena.length) {
    const grown = new Uint8Array(Math.max(need, batch.arena.length * 2));
    grown.set(batch.arena.subarray(0, batch.arenaLength));
    batch.arena = grown;
  }
  for (let i = 0; i < length; i++) batch.arena[batch.arenaLength + i] = bytes[from + i] as number;
  data[row * 2] = batch.arenaLength;
  data[row * 2 + 1] = length;
  batch.arenaLength = need;
}

/** Appends a number to the list of the row; lists of one row must be written without another row's in between. */
export function pushWord(batch: Batch, data: Uint32Array, row: number, value: number): void {
  if (batch.wordsLength === batch.words.length) {
    const grown = new Uint32Array(batch.words.length * 2);
    grown.set(batch.words);
    batch.words = grown;
  }
  if (data[row * 2 + 1] === 0) data[row * 2] = batch.wordsLength;
  batch.words[batch.wordsLength++] = value;
  data[row * 2 + 1] = (data[row * 2 + 1] as number) + 1;
}
