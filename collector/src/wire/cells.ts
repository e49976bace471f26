import { COLUMNS, formatAddress, type Column } from '@ringflow/contract';
import type { Batch } from './batch.ts';

/** A column's value outside the hot path: text for addresses, MACs and strings, bigint where 53 bits may not do. */
export type CellValue = number | bigint | string | readonly number[];

/**
 * Reads one cell of a batch, for JSON, tests and messages; the hot path works on the arrays themselves.
 *
 * @param index registry index of the column
 * @returns zero, the empty string or an empty list when nothing was written
 */
export function readCell(batch: Batch, index: number, row: number): CellValue {
  const column = COLUMNS[index] as Column;
  const data = batch.data[index];
  switch (column.type) {
    case 'u8':
    case 'u16':
    case 'u32':
      return data?.[row] ?? 0;
    case 'u64':
    case 'time':
      return data ? (BigInt(data[row * 2 + 1] ?? 0) << 32n) | BigInt(data[row * 2] ?? 0) : 0n;
    case 'mac':
      return data ? formatMacWords(data[row * 2] ?? 0, data[row * 2 + 1] ?? 0) : formatMacWords(0, 0);
    case 'addr':
      return data ? formatAddress(data as Uint32Array, row * 4) : '::';
    case 'string': {
      const bytes = readStringBytes(batch, index, row);
      return column.text === 'hex' ? hexOf(bytes) : new TextDecoder().decode(bytes);
    }
    case 'u32[]': {
      if (!data) return [];
      const from = data[row * 2] ?? 0;
      return [...batch.words.subarray(from, from + (data[row * 2 + 1] ?? 0))];
    }
  }
}

/** The raw bytes of a string column; only valid until the batch is written to again. */
export function readStringBytes(batch: Batch, index: number, row: number): Uint8Array {
  const data = batch.data[index];
  const from = data?.[row * 2] ?? 0;
  return batch.arena.subarray(from, from + (data?.[row * 2 + 1] ?? 0));
}

/** True when the cell holds nothing but zero. */
export function isEmptyCell(value: CellValue): boolean {
  return (
    value === 0 ||
    value === 0n ||
    value === '' ||
    value === '::' ||
    value === '00:00:00:00:00:00' ||
    (Array.isArray(value) && value.length === 0)
  );
}

/** `aa:bb:cc:dd:ee:ff` of the two words of a `mac` column. */
function formatMacWords(low: number, high: number): string {
  return hexOf(new Uint8Array([high >>> 8, high, low >>> 24, low >>> 16, low >>> 8, low]), ':');
}

function hexOf(bytes: Uint8Array, separator = ''): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(separator);
}
