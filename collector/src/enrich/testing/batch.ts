import { addressWords, COLUMNS, formatAddress, parseAddress, type Column, type ColumnName } from '@ringflow/contract';
import { COLUMN_INDEX, createBatch, useColumn, writeString, type Batch } from '../../wire/index.ts';

/** Columns of a record; addresses as text, strings as text or bytes, times in seconds. */
export type Row = Partial<Record<ColumnName, number | string | Uint8Array>>;

/** A batch with these rows; 64-bit columns take numbers of 32 bits. */
export function batchOf(rows: readonly Row[], columns: readonly Column[] = COLUMNS): Batch {
  const batch = createBatch({ rowLimit: rows.length, columns });
  addRows(batch, rows);
  return batch;
}

export function addRows(batch: Batch, rows: readonly Row[]): void {
  for (const row of rows) {
    const at = batch.rows++;
    for (const [name, value] of Object.entries(row)) {
      const index = COLUMN_INDEX[name as ColumnName];
      const data = useColumn(batch, index);
      const { type } = COLUMNS[index] as Column;
      if (type === 'addr') data.set(addressWords(parseAddress(value as string) as Uint8Array), at * 4);
      else if (type === 'string') {
        const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : (value as Uint8Array);
        writeString(batch, data as Uint32Array, at, bytes, 0, bytes.length);
      } else if (type === 'time') {
        const ns = BigInt(value as number) * 1_000_000_000n;
        data.set([Number(ns & 0xffff_ffffn), Number(ns >> 32n)], at * 2);
      } else data[at * (data.length / batch.capacity)] = value as number;
    }
  }
}

/** Numbers of a column by row, 0 where nothing was written. */
export function numbersOf(batch: Batch, name: ColumnName): number[] {
  const data = batch.data[COLUMN_INDEX[name]];
  return Array.from({ length: batch.rows }, (_, row) =>
    data ? (data[row * (data.length / batch.capacity)] as number) : 0,
  );
}

/** Words of a column whose numbers have words. */
export function wordsOf(batch: Batch, name: ColumnName): string[] {
  const { words } = COLUMNS[COLUMN_INDEX[name]] as Column;
  return numbersOf(batch, name).map((value) => words?.[value] as string);
}

/** Texts of an address column. */
export function addressesOf(batch: Batch, name: ColumnName): string[] {
  const data = batch.data[COLUMN_INDEX[name]] as Uint32Array | null;
  return Array.from({ length: batch.rows }, (_, row) => (data ? formatAddress(data, row * 4) : '::'));
}
