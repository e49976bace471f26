import type { Segment } from '../spool/index.ts';
import { GROUP_ROWS, groupOf, groupToken, INSERT_ROWS, nextGroup, portionsOf } from './groups.ts';

const segment = (sequence: number, more: Partial<Segment> = {}): Segment => ({
  inlet: '0',
  boot: 7,
  sequence,
  rows: 1000,
  sizeBytes: 1,
  hasDelta: false,
  state: 'native',
  ...more,
});
const sequences = (group: readonly Segment[]): number[] => group.map(({ sequence }) => sequence);

test('segments of one writer that follow each other go together, up to a bound', () => {
  expect(nextGroup([], null)).toEqual([]);
  expect(
    sequences(
      nextGroup(
        [1, 2, 3].map((each) => segment(each)),
        null,
      ),
    ),
  ).toEqual([1, 2, 3]);
  expect(sequences(nextGroup([segment(1), segment(3)], null))).toEqual([1]);
  expect(sequences(nextGroup([segment(1), segment(2, { boot: 8 })], null))).toEqual([1]);
  expect(sequences(nextGroup([segment(1), segment(2, { inlet: '1' })], null))).toEqual([1]);
  expect(sequences(nextGroup([segment(1), segment(2, { rows: GROUP_ROWS - 1000 }), segment(3)], null))).toEqual([1, 2]);
  expect(sequences(nextGroup([segment(1, { rows: GROUP_ROWS + 1 }), segment(2, { rows: 0 })], null))).toEqual([1]);
  expect(sequences(nextGroup([segment(1), segment(2)], null, 1500))).toEqual([1]);
});

test('a half-written segment goes alone', () => {
  const lost = segment(2, { state: 'lost' });
  expect(sequences(nextGroup([segment(1), lost, segment(3)], null))).toEqual([1]);
  expect(sequences(nextGroup([lost, segment(3)], null))).toEqual([2]);
});

test('what was announced goes together again, and nothing else with it', () => {
  const announced = groupOf([segment(2), segment(3)]);
  const waiting = [2, 3, 4].map((each) => segment(each));
  expect(sequences(nextGroup(waiting, announced))).toEqual([2, 3]);
  expect(sequences(nextGroup(waiting.slice(1), announced))).toEqual([3]);
  // Before those of another writer, which would be announced in their place.
  const other = [segment(8, { inlet: '' }), segment(9, { inlet: '' })];
  expect(sequences(nextGroup([...other, ...waiting], announced))).toEqual([2, 3]);
  expect(sequences(nextGroup(other, announced))).toEqual([8, 9]);
  expect(groupToken(announced)).toBe('0_00000000000007_0000000002-3');
  expect(groupToken(groupOf([segment(2)]))).toBe('0_00000000000007_0000000002');
});

test('a group goes into the raw table by portions of whole segments', () => {
  const portions = (...rows: number[]): number[][] =>
    portionsOf(rows.map((each, index) => segment(index + 1, { rows: each }))).map(sequences);
  expect(portions(1000, 1000)).toEqual([[1, 2]]);
  expect(portions(INSERT_ROWS - 1000, 1000, 1)).toEqual([[1, 2], [3]]);
  expect(portions(1, INSERT_ROWS + 6, 1, 0)).toEqual([[1], [2], [3, 4]]);
  // One alone is known by the token that it always had, before there were portions.
  const [only = []] = portionsOf([segment(2), segment(3)]);
  expect(groupToken(groupOf(only))).toBe('0_00000000000007_0000000002-3');
});
