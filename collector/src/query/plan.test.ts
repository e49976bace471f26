import { planQuery, type OldestByTable, type Plan } from './plan.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.UTC(2026, 5, 30, 10, 20, 30);
const OLDEST: OldestByTable = { flows: NOW - 2 * DAY, rings_1m: NOW - 10 * DAY, rings_1h: NOW - 100 * DAY };

const plan = (
  kind: 'table' | 'timeseries',
  fromMs: number,
  toMs: number,
  columns: string[] = [],
  more: Partial<Parameters<typeof planQuery>[0]> = {},
  oldest: OldestByTable = OLDEST,
): Plan =>
  planQuery(
    { kind, resolution: 'auto', intervalMs: 0, maxDataPoints: 0, ...more },
    { fromMs, toMs },
    new Set(columns),
    oldest,
    NOW,
  );
const tables = ({ parts }: Plan): string[] => parts.map(({ table }) => table);
const codes = ({ notices }: Plan): string[] => notices.map(({ code }) => code);

test('the parts of a plan adjoin and cover exactly the window', () => {
  for (let index = 0; index < 500; index++) {
    const fromMs = NOW - ((index * 7_919_353) % (30 * DAY)) - 1;
    const toMs = fromMs + 1 + ((index * 104_729_001) % (NOW - fromMs));
    for (const kind of ['table', 'timeseries'] as const) {
      const { parts, window, stepMs } = plan(kind, fromMs, toMs, index % 2 === 0 ? ['in_if', 'sampler_address'] : []);
      expect([parts[0]?.fromMs, parts.at(-1)?.toMs]).toEqual([window.fromMs, window.toMs]);
      parts.forEach((part, at) => {
        if (at > 0) expect(part.fromMs).toBe(parts[at - 1]?.toMs);
        expect([part.fromMs % part.resolutionMs, part.toMs % part.resolutionMs]).toEqual([0, 0]);
        if (stepMs > 0) expect([stepMs % part.resolutionMs, part.fromMs % stepMs === 0 || at > 0]).toEqual([0, true]);
      });
    }
  }
});

test('a long window is coarse inside and fine at its ends', () => {
  expect(tables(plan('table', NOW - DAY, NOW))).toEqual(['flows', 'rings_1m', 'rings_1h', 'rings_1m', 'flows']);
});

test('beyond the raw records the whole minute is counted, beyond the minutes the whole hour', () => {
  const week = plan('table', NOW - 7 * DAY - 1, NOW - HOUR);
  expect(tables(week)).toEqual(['rings_1m', 'rings_1h', 'rings_1m', 'flows']);
  expect(codes(week)).toEqual(['resolution']);
  const month = plan('table', NOW - 30 * DAY, NOW - 20 * DAY);
  expect(tables(month)).toEqual(['rings_1h']);
  expect([month.window.fromMs % HOUR, month.window.toMs % HOUR]).toEqual([0, 0]);
});

test('columns that no ring has are read from raw records, and what is gone is said', () => {
  const found = plan('table', NOW - 7 * DAY, NOW, ['dst_port']);
  expect(tables(found)).toEqual(['flows']);
  expect(found.notices).toEqual([expect.objectContaining({ severity: 'warning', code: 'beyond_retention' })]);
  expect(codes(plan('table', NOW - DAY, NOW, ['dst_port']))).toEqual([]);
});

test('a time series has buckets of the finest table that reaches back', () => {
  expect(plan('timeseries', NOW - HOUR, NOW, [], { intervalMs: 5000 }).stepMs).toBe(5000);
  const minutes = plan('timeseries', NOW - 5 * DAY, NOW - 5 * DAY + HOUR, [], { intervalMs: 5000 });
  expect([minutes.stepMs, tables(minutes), codes(minutes)]).toEqual([60_000, ['rings_1m'], ['resolution']]);
  const hours = plan('timeseries', NOW - 50 * DAY, NOW - 49 * DAY, [], { intervalMs: 5000 });
  expect([hours.stepMs, tables(hours)]).toEqual([HOUR, ['rings_1h']]);
});

test('long buckets come from the coarse ring although finer ones have the time', () => {
  expect(tables(plan('timeseries', NOW - DAY, NOW, [], { intervalMs: HOUR }))).toEqual(['rings_1h']);
});

test('a resolution can be forced; where no ring has the columns it is said', () => {
  expect(tables(plan('table', NOW - DAY, NOW, [], { resolution: '1m' }))).toEqual(['rings_1m']);
  expect(tables(plan('table', NOW - DAY, NOW, [], { resolution: 'raw' }))).toEqual(['flows']);
  const forced = plan('table', NOW - DAY, NOW, ['dst_port'], { resolution: '1h' });
  expect([tables(forced), codes(forced)]).toEqual([['flows'], ['resolution']]);
});

test('an empty store is asked all the same', () => {
  const empty = { flows: null, rings_1m: null, rings_1h: null };
  expect(codes(plan('table', NOW - DAY, NOW, ['dst_port'], {}, empty))).toEqual([]);
  expect(plan('table', NOW - DAY, NOW, ['dst_port'], {}, empty).parts).toHaveLength(1);
  expect(plan('timeseries', NOW - DAY, NOW, [], {}, empty).parts.length).toBeGreaterThan(0);
  expect(plan('timeseries', NOW - DAY, NOW, [], {}, {}).parts.length).toBeGreaterThan(0);
});

test('a collector that has just begun: tables begin at slightly different times and nothing is lost', () => {
  const young = { flows: NOW - 250_000, rings_1m: NOW - 300_500, rings_1h: NOW - 20 * 60_000 - 30_000 };
  const found = plan('table', NOW - HOUR, NOW, [], {}, young);
  expect([found.window, codes(found)]).toEqual([{ fromMs: NOW - HOUR, toMs: NOW }, ['beyond_retention']]);
});
