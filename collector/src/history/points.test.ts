import { choosePoints } from './points.ts';
import type { ReadHints } from './request.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NOW = Date.UTC(2026, 2, 10, 12, 0, 30);
const DAYS = { rings_1m: 14, rings_5m: 90, rings_1h: 730, rings_1d: 3650 };
const oldest = Object.fromEntries(
  Object.entries(DAYS).map(([table, days]) => [table, Math.floor((NOW - days * DAY) / DAY) * DAY]),
);

function choose(startMs: number, endMs: number, hints: Partial<ReadHints> = {}, forced?: string) {
  const query = { startMs, endMs, matchers: [], hints: { stepMs: 0, func: '', startMs, rangeMs: 0, ...hints } };
  return choosePoints(query, oldest, NOW, forced);
}
const name = (...given: Parameters<typeof choose>) => choose(...given)?.resolution.name;

test('the resolution fits the range or the step, and reaches back to the beginning', () => {
  // Instant selectors: as coarse as the step.
  expect(name(NOW - HOUR, NOW)).toBe('1m');
  expect(name(NOW - DAY, NOW, { stepMs: 5 * MINUTE })).toBe('5m');
  expect(name(NOW - 365 * DAY, NOW, { stepMs: 6 * HOUR })).toBe('1h');
  expect(name(NOW - 365 * DAY, NOW, { stepMs: DAY })).toBe('1d');
  // Ranges: 60 buckets or more.
  expect(name(NOW - HOUR, NOW, { rangeMs: HOUR })).toBe('1m');
  expect(name(NOW - DAY, NOW, { rangeMs: DAY })).toBe('5m');
  expect(name(NOW - 30 * DAY, NOW, { rangeMs: 30 * DAY })).toBe('1h');
  expect(name(NOW - 365 * DAY, NOW, { rangeMs: 365 * DAY })).toBe('1d');
  // What does not reach back is not taken, where a coarser one does.
  expect(name(NOW - 20 * DAY, NOW, { stepMs: MINUTE })).toBe('5m');
  expect(name(NOW - 100 * DAY, NOW, { rangeMs: HOUR })).toBe('1h');
  expect(name(NOW - 1000 * DAY, NOW)).toBe('1d');
  expect(name(-1e15, NOW)).toBe('1d');
  expect(name(NOW - HOUR, NOW, { stepMs: DAY }, '5m')).toBe('5m');
  expect(() => choose(NOW - HOUR, NOW, {}, '2m')).toThrow('There is no resolution "2m"');
  expect(
    choosePoints(
      { startMs: 0, endMs: NOW, matchers: [], hints: { stepMs: 0, func: '', startMs: 0, rangeMs: 0 } },
      {},
      NOW,
    ),
  ).toBeNull();
});

test('a point stands on the last millisecond of its bucket, and an open bucket has none', () => {
  const noon = NOW - 30_000;
  const hour = choose(noon - HOUR, noon, { rangeMs: HOUR });
  expect(hour?.timesMs).toHaveLength(60);
  expect([hour?.timesMs[0], hour?.timesMs.at(-1)]).toEqual([noon - 59 * MINUTE - 1, noon - 1]);
  expect([hour?.fromMs, hour?.toMs]).toEqual([noon - HOUR, noon]);
  expect(choose(noon - HOUR, NOW + DAY)?.timesMs.at(-1)).toBe(noon - 1);
  expect(choose(noon, NOW, {}, '1h')).toBeNull();
});

test('nothing stands before the first bucket that is kept', () => {
  const begin = oldest['rings_1d'] as number;
  const points = choose(0, begin + 2 * DAY, { rangeMs: 2 * DAY });
  expect(Array.from(points?.timesMs ?? [])).toEqual([begin + DAY - 1, begin + 2 * DAY - 1]);
  expect(choose(0, begin - 1, { rangeMs: DAY })).toBeNull();
});

test('a bucket that is longer than what is looked at has more points of one value', () => {
  const noon = NOW - 30_000 - 200 * DAY;
  const range = choose(noon - HOUR, noon, { rangeMs: 10 * MINUTE });
  expect(range?.resolution.name).toBe('1h');
  expect(range?.timesMs).toHaveLength(12);
  expect([...new Set(range?.buckets)]).toEqual([0]);
  // Whatever moment is asked, the look-back of 5 minutes finds a point of the bucket that holds it.
  for (const at of [noon - 31 * MINUTE, noon - 17 * MINUTE - 1, noon - 1]) {
    const seen = choose(at - 5 * MINUTE, at);
    expect([...(seen?.timesMs ?? [])].length).toBeGreaterThanOrEqual(1);
    expect((seen?.timesMs.at(-1) ?? 0) > at - 5 * MINUTE).toBe(true);
  }
});

test.each([
  ['steps of a query', 0],
  ['steps that do not begin with a bucket', 7 * MINUTE + 1234],
])('points that no step sees are left out: %s', (_, offset) => {
  const stepMs = 6 * HOUR;
  const firstMs = NOW - 360 * DAY + offset;
  const startMs = firstMs - 5 * MINUTE;
  const endMs = firstMs + 340 * DAY;
  const points = choose(startMs, endMs, { stepMs, startMs });
  expect(points?.resolution.name).toBe('1h');
  const times = Array.from(points?.timesMs ?? []);
  const stepsOf = (first: number) =>
    Array.from({ length: Math.floor((endMs - first) / stepMs) }, (_one, n) => first + n * stepMs);
  const blind = (step: number) => !times.some((time) => time <= step && time > step - 5 * MINUTE);
  expect(stepsOf(firstMs).filter(blind)).toEqual([]);
  // A subquery's steps are multiples of its step.
  expect(stepsOf(Math.ceil(firstMs / stepMs) * stepMs).filter(blind)).toEqual([]);
  expect(times.length).toBeLessThan(5 * stepsOf(firstMs).length);
});

test('who asks for series gets the open bucket, too, and no points', () => {
  const points = choose(NOW - HOUR, NOW, { func: 'series' });
  expect([points?.resolution.name, points?.timesMs.length]).toEqual(['5m', 0]);
  expect((points?.toMs ?? 0) > NOW).toBe(true);
});
