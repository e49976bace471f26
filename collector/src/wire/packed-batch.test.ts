import { COLUMNS } from '@ringflow/contract';
import {
  appendPacked,
  COLUMN_INDEX,
  createBatch,
  packBatch,
  pushWord,
  readCell,
  useColumn,
  writeString,
  type Batch,
} from './index.ts';

/** Rows with a number, an address, a text and a list each; the arena and the words grow on the way. */
function fill(from: number, to: number): Batch {
  const batch = createBatch({ rowLimit: to - from, columns: COLUMNS });
  const text = new TextEncoder();
  for (let value = from; value < to; value++) {
    const row = batch.rows++;
    (useColumn(batch, COLUMN_INDEX.bytes) as Uint32Array)[row * 2] = value;
    (useColumn(batch, COLUMN_INDEX.src_addr) as Uint32Array)[row * 4 + 3] = value;
    if (value % 3 !== 0) {
      const bytes = text.encode(`name ${value} ${'x'.repeat(value % 50)}`);
      writeString(batch, useColumn(batch, COLUMN_INDEX.user_name) as Uint32Array, row, bytes, 0, bytes.length);
    }
    const list = useColumn(batch, COLUMN_INDEX.as_path) as Uint32Array;
    for (let i = 0; i < value % 4; i++) pushWord(batch, list, row, value + i);
  }
  return batch;
}

const rows = (batch: Batch): unknown[] =>
  Array.from({ length: batch.rows }, (_, row) =>
    (['bytes', 'src_addr', 'user_name', 'as_path', 'packets'] as const).map((name) =>
      readCell(batch, COLUMN_INDEX[name], row),
    ),
  );

test('packed rows are what they were, behind others and without the first ones', () => {
  const target = createBatch({ rowLimit: 10_000, columns: COLUMNS });
  appendPacked(target, packBatch(fill(0, 1000)));
  // As another process gets it.
  appendPacked(target, structuredClone(packBatch(fill(900, 3000))), 100);
  appendPacked(target, packBatch(fill(0, 5)), 5);
  expect(rows(target)).toEqual(rows(fill(0, 3000)));
  // What does not fit is an error, and changes nothing.
  const small = createBatch({ rowLimit: 1, columns: COLUMNS });
  const many = { ...packBatch(fill(0, 1)), rows: small.capacity + 1 };
  expect(() => appendPacked(small, many)).toThrow(RangeError);
  expect([small.rows, small.arenaLength]).toEqual([0, 0]);
});
