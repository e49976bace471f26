import { rememberTaken, TAKEN_KEPT, type TakenBatch } from './index.ts';

const batch = (records: number): TakenBatch => ({ source: '', records, hash: String(records) });
const source = (name: string, records: number): TakenBatch => ({ source: name, records, hash: String(records) });

test('of a source only the last entry counts, batches stay in their order', () => {
  expect(
    rememberTaken([batch(1), source('a', 1), source('b', 1)], [batch(2), source('a', 5), batch(3), source('a', 7)]),
  ).toEqual([batch(1), source('b', 1), batch(2), batch(3), source('a', 7)]);
  expect(rememberTaken([], [])).toEqual([]);
});

test('the oldest are forgotten, batches and sources each among their own', () => {
  const batches = Array.from({ length: TAKEN_KEPT + 10 }, (_, index) => batch(index));
  const sources = Array.from({ length: TAKEN_KEPT + 5 }, (_, index) => source(`s${index}`, index));
  const kept = rememberTaken(sources, batches);
  expect(kept).toHaveLength(2 * TAKEN_KEPT);
  expect(kept[0]).toEqual(sources[5]);
  expect(kept[TAKEN_KEPT]).toEqual(batches[10]);
});
