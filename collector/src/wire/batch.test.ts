import { COLUMN_INDEX, createBatch, pushWord, resetBatch, useColumn, writeString } from './batch.ts';

test('a reset batch reads as zero, whatever was written', () => {
  const batch = createBatch({ rowLimit: 10 });
  const bytes = useColumn(batch, COLUMN_INDEX.bytes);
  bytes[0] = 7;
  bytes[1] = 8;
  const path = useColumn(batch, COLUMN_INDEX.as_path) as Uint32Array;
  pushWord(batch, path, 0, 64500);
  pushWord(batch, path, 0, 64501);
  const name = useColumn(batch, COLUMN_INDEX.app_name) as Uint32Array;
  writeString(batch, name, 0, new Uint8Array([65, 66, 67]), 1, 3);
  expect([...batch.arena.subarray(0, 2)]).toEqual([66, 67]);
  expect([path[0], path[1]]).toEqual([0, 2]);
  batch.rows = 1;
  resetBatch(batch);
  expect([bytes[0], bytes[1], path[1], name[1], batch.rows]).toEqual([0, 0, 0, 0, 0]);
  expect(batch.used.some((used) => used === 1)).toBe(false);
});
