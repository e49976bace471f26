import { ceilTo, floorTo, parseTimePoint, stepSeconds } from './window.ts';

const NOW = Date.UTC(2026, 0, 31, 12);

test.each([
  [0, 0],
  [1_700_000_000_000.9, 1_700_000_000_000],
  ['1700000000000', 1_700_000_000_000],
  ['now', NOW],
  ['now-1h', NOW - 3_600_000],
  ['now - 90s', NOW - 90_000],
  ['now+5m', NOW + 300_000],
  ['now-1M', NOW - 30 * 86_400_000],
  ['2026-01-31', Date.UTC(2026, 0, 31)],
  ['2026-01-31T12:00', NOW],
  ['2026-01-31T12:00:00', NOW],
  ['2026-01-31 12:00:00.5', NOW + 500],
  ['2026-01-31T13:00:00+01:00', NOW],
  ['2026-01-31T12:00:00Z', NOW],
])('%p is a time', (text, expected) => {
  expect(parseTimePoint(text, NOW)).toBe(expected);
});

test.each([
  '',
  'yesterday',
  'now-',
  'now-1',
  'now-1x',
  'now/d',
  'now-1h; DROP',
  '2026-13-01',
  '2026-01-32T00:00:00Z',
  '-5',
  -1,
  NaN,
  Infinity,
  1e18,
  '99999999999999999',
  'now-999999999y',
])('%p is none', (text) => {
  expect(parseTimePoint(text, NOW)).toBeNull();
});

test('buckets begin at multiples of their length', () => {
  expect([floorTo(125_000, 60_000), ceilTo(125_000, 60_000), ceilTo(120_000, 60_000)]).toEqual([
    120_000, 180_000, 120_000,
  ]);
});

test.each([
  // window seconds, interval ms, points, resolution s → step s
  [3600, 0, 1000, 1, 5],
  [3600, 60_000, 1000, 1, 60],
  [3600, 0, 1000, 60, 60],
  [86_400, 0, 800, 60, 120],
  [86_400 * 30, 0, 1000, 1, 3600],
  [86_400 * 30, 43_000, 1000, 3600, 3600],
  [10, 1, 1000, 1, 1],
  [86_400 * 3650, 0, 100, 3600, 86_400 * 37],
])('%d s, %d ms, %d points, source of %d s: buckets of %d s', (seconds, intervalMs, points, resolution, expected) => {
  expect(stepSeconds({ fromMs: 0, toMs: seconds * 1000 }, intervalMs, points, resolution)).toBe(expected);
});
