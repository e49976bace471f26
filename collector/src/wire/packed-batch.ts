import { COLUMNS, type Column } from '@ringflow/contract';
import { itemsPerRow, useColumn, type Batch, type ColumnData } from './batch.ts';

/** The rows of a batch without its spare room: plain data that can be sent to another process of the same version. */
export interface PackedBatch {
  readonly rows: number;
  /** Columns that hold something, by registry index. */
  readonly columns: readonly { readonly index: number; readonly data: ColumnData }[];
  /** See {@link Batch}. */
  readonly arena: Uint8Array;
  readonly words: Uint32Array;
}

/** Copies the rows out of a batch, which may be reset afterwards. */
export function packBatch(batch: Batch): PackedBatch {
  const columns = batch.data.flatMap((data, index) =>
    data && batch.used[index] === 1 ? [{ index, data: data.slice(0, batch.rows * widthOf(index)) }] : [],
  );
  return {
    rows: batch.rows,
    columns,
    arena: batch.arena.slice(0, batch.arenaLength),
    words: batch.words.slice(0, batch.wordsLength),
  };
}

/** Appends the rows from `from` on to a batch that has room for them. */
export function appendPacked(batch: Batch, packed: PackedBatch, from = 0): void {
  const added = packed.rows - from;
  if (added <= 0) return;
  if (batch.rows + added > batch.capacity) throw new RangeError(`The batch has no room for ${added} rows`);
  const arenaBase = batch.arenaLength;
  const wordsBase = batch.wordsLength;
  batch.arena = withRoom(batch.arena, arenaBase, packed.arena) as Uint8Array;
  batch.words = withRoom(batch.words, wordsBase, packed.words) as Uint32Array;
  batch.arenaLength = arenaBase + packed.arena.length;
  batch.wordsLength = wordsBase + packed.words.length;
  for (const { index, data } of packed.columns) {
    const width = widthOf(index);
    const target = useColumn(batch, index);
    const at = batch.rows * width;
    target.set(data.subarray(from * width), at);
    const { type } = COLUMNS[index] as Column;
    if (type !== 'string' && type !== 'u32[]') continue;
    // Where a text or list begins counts from the beginning of its batch.
    const base = type === 'string' ? arenaBase : wordsBase;
    for (let i = at; i < at + added * width; i += width) target[i] = (target[i] as number) + base;
  }
  batch.rows += added;
}

function widthOf(index: number): number {
  return itemsPerRow((COLUMNS[index] as Column).type);
}

/** The array with `items` behind its first `length` items, moved to a larger one when it must be. */
function withRoom<T extends Uint8Array | Uint32Array>(array: T, length: number, items: T): T {
  let target = array;
  if (length + items.length > array.length) {
    const size = Math.max(length + items.length, array.length * 2);
    target = (array instanceof Uint8Array ? new Uint8Array(size) : new Uint32Array(size)) as T;
    target.set(array.subarray(0, length));
  }
  target.set(items, length);
  return target;
}
