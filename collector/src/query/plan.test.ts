import { planQuery, type OldestByTable, type Plan } from './plan.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.UTC(2026, 5, 30, 10, 20, 30);
/** Of days, as retention leaves them; hours of months, days of years. */
const MIDNIGHT = Date.UTC(2026, 5, 30);
const OLDEST: OldestByTable = {
  flows: MIDNIGHT - 2 * DAY,
  rings_1m: MIDNIGHT - 10 * DAY,
  rings_5m: MIDNIGHT - 40 * DAY,
  rings_1h: Date.UTC(2026, 2, 1),
  rings_1d: Date.UTC(2020, 0, 1),
  top_5m: MIDNIGHT - 20 * DAY,
  top_1h: Date.UTC(2026, 3, 1),
  top_1d: Date.UTC(2021, 0, 1),
};
/** The coarser lists are filled an hour after their buckets end. */
const CLOSED = { top_1h: NOW - 2 * HOUR, top_1d: MIDNIGHT };

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

/** A plan that may use the top lists, when there are so many single records. */
const listed = (
  kind: 'table' | 'timeseries',
  fromMs: number,
  dimensions: string[],
  records: number,
  more: Partial<Parameters<typeof planQuery>[0]> = {},
  oldest: OldestByTable = OLDEST,
): Plan =>
  planQuery(
    { kind, resolution: 'auto', intervalMs: 0, maxDataPoints: 0, ...more },
    { fromMs, toMs: NOW },
    new Set([...dimensions, 'dup']),
    oldest,
    NOW,
    { facts: { rows: { flows: records }, closed: CLOSED }, lists: { dimensions, filterColumns: ['dup'] } },
  );

test('the parts of a plan adjoin and cover exactly the window', () => {
  for (let index = 0; index < 1500; index++) {
    const fromMs = NOW - ((index * 7_919_353_001) % ((index % 3 === 0 ? 2000 : 60) * DAY)) - 1;
    const toMs = fromMs + 1 + ((index * 104_729_001_007) % (NOW - fromMs));
    for (const kind of ['table', 'timeseries'] as const) {
      const { parts, window, stepMs } = plan(kind, fromMs, toMs, index % 2 === 0 ? ['in_if', 'sampler_address'] : []);
      expect([parts[0]?.fromMs, parts.at(-1)?.toMs]).toEqual([window.fromMs, window.toMs]);
      expect(window.fromMs).toBeLessThanOrEqual(fromMs);
      parts.forEach((part, at) => {
        if (at > 0) expect(part.fromMs).toBe(parts[at - 1]?.toMs);
        expect([part.fromMs % part.resolutionMs, part.toMs % part.resolutionMs]).toEqual([0, 0]);
        // Only what reaches back furthest answers for what no table has.
        if (part.table !== 'rings_1d') expect(part.fromMs).toBeGreaterThanOrEqual(OLDEST[part.table] ?? 0);
        if (stepMs > 0) expect([stepMs % part.resolutionMs, part.fromMs % stepMs === 0 || at > 0]).toEqual([0, true]);
      });
    }
  }
});

test('a long window is coarse inside and fine at its ends', () => {
  expect(tables(plan('table', MIDNIGHT - 2 * DAY + 17 * 60_000 + 1, NOW))).toEqual([
    'flows',
    'rings_1m',
    'rings_5m',
    'rings_1h',
    'rings_1d',
    'rings_1h',
    'rings_5m',
    'flows',
  ]);
});

test.each([
  ['minutes', 'rings_1m', 7 * DAY, 60_000],
  ['5 minutes', 'rings_5m', 30 * DAY, 300_000],
  ['hours', 'rings_1h', 80 * DAY, HOUR],
  ['days', 'rings_1d', 1000 * DAY, DAY],
])('where only %s are kept the whole bucket is counted', (_, table, agoMs, resolutionMs) => {
  const found = plan('table', NOW - agoMs - 1, NOW - agoMs + 3 * DAY + 1);
  expect([tables(found)[0], tables(found).at(-1), codes(found)]).toEqual([table, table, ['resolution']]);
  expect([found.window.fromMs % resolutionMs, found.window.toMs % resolutionMs]).toEqual([0, 0]);
  expect(NOW - agoMs - 1 - found.window.fromMs).toBeLessThan(resolutionMs);
});

test('a table that begins in the midst of a coarser bucket leaves no hole before it', () => {
  const oldest = { ...OLDEST, rings_1h: Date.UTC(2026, 2, 1, 13) };
  const { parts, window } = plan('table', Date.UTC(2026, 2, 1, 5), Date.UTC(2026, 2, 20), [], {}, oldest);
  expect(parts[0]).toMatchObject({ table: 'rings_1d', fromMs: Date.UTC(2026, 2, 1) });
  expect(window).toEqual({ fromMs: Date.UTC(2026, 2, 1), toMs: Date.UTC(2026, 2, 20) });
});

test('columns that nothing else has are read from raw records; what is gone, and what to leave out, is said', () => {
  const found = plan('table', NOW - 7 * DAY, NOW, ['dst_port', 'src_port']);
  expect(tables(found)).toEqual(['flows']);
  expect(found.notices).toEqual([
    {
      severity: 'warning',
      code: 'beyond_retention',
      text: 'What needs dst_port and src_port can be answered since 2026-06-28T00:00:00.000Z; leave out dst_port to go back to 2021-01-01T00:00:00.000Z',
    },
  ]);
  expect(codes(plan('table', NOW - DAY, NOW, ['dst_port']))).toEqual([]);
});

test('a time series has buckets of the finest table that reaches back', () => {
  expect(plan('timeseries', NOW - HOUR, NOW, [], { intervalMs: 5000 }).stepMs).toBe(5000);
  const minutes = plan('timeseries', NOW - 5 * DAY, NOW - 5 * DAY + HOUR, [], { intervalMs: 5000 });
  expect([minutes.stepMs, tables(minutes), codes(minutes)]).toEqual([60_000, ['rings_1m'], ['resolution']]);
  const hours = plan('timeseries', NOW - 50 * DAY, NOW - 49 * DAY, [], { intervalMs: 5000 });
  expect([hours.stepMs, tables(hours)]).toEqual([HOUR, ['rings_1h']]);
  const years = plan('timeseries', NOW - 3650 * DAY, NOW, []);
  expect([years.stepMs, tables(years)]).toEqual([4 * DAY, ['rings_1d']]);
});

/** A plan that rings may answer, on a collector of so many records a second. */
const busy = (
  kind: 'table' | 'timeseries',
  fromMs: number,
  toMs: number,
  recordsPerSecond: number,
  more: Partial<Parameters<typeof planQuery>[0]> = {},
): Plan =>
  planQuery(
    { kind, resolution: 'auto', intervalMs: 0, maxDataPoints: 0, ...more },
    { fromMs, toMs },
    new Set(['dup']),
    OLDEST,
    NOW,
    { facts: { rows: { flows: (recordsPerSecond * (NOW - (OLDEST['flows'] ?? 0))) / 1000 } } },
  );

test('where a minute has many single records, rings answer in whole minutes, and only in those that are over', () => {
  expect(tables(busy('table', NOW - HOUR, NOW, 5000))).toContain('flows');
  const found = busy('table', NOW - HOUR, NOW, 100_000);
  expect([tables(found).includes('flows'), found.window.toMs - found.window.fromMs, codes(found)]).toEqual([
    false,
    HOUR,
    [],
  ]);
  expect(found.window.toMs).toBe(NOW - 30_000);
  // Longer or shorter by more than a hundredth, that is said.
  const uneven = busy('table', NOW - 10 * 60_000 + 20_000, NOW, 100_000);
  expect([uneven.window.toMs - uneven.window.fromMs, codes(uneven)]).toEqual([600_000, ['resolution']]);
  // Less than a minute; what has passed; what is asked for by name.
  expect(tables(busy('table', NOW - 40_000, NOW, 100_000))).toContain('flows');
  const past = busy('table', NOW - 2 * HOUR - 1, NOW - HOUR - 1, 100_000);
  expect([past.window.fromMs, past.window.toMs]).toEqual([NOW - 2 * HOUR - 30_000, NOW - HOUR - 30_000]);
  expect(tables(busy('table', NOW - HOUR, NOW, 100_000, { resolution: 'raw' }))).toEqual(['flows']);
});

test('a series of seconds reads single records where they are few', () => {
  const few = busy('timeseries', NOW - 900_000, NOW, 1000, { intervalMs: 1000 });
  expect([few.stepMs, tables(few), codes(few)]).toEqual([1000, ['flows'], []]);
  const many = busy('timeseries', NOW - 900_000, NOW, 100_000, { intervalMs: 1000 });
  expect([many.stepMs, tables(many), codes(many)]).toEqual([60_000, ['rings_1m'], ['resolution']]);
  expect(busy('timeseries', NOW - 900_000, NOW, 100_000, { intervalMs: 1000, resolution: 'raw' }).stepMs).toBe(1000);
});

test('long buckets come from the coarse ring although finer ones have the time', () => {
  expect(tables(plan('timeseries', NOW - DAY, NOW, [], { intervalMs: HOUR }))).toEqual(['rings_1h']);
});

test('a resolution can be forced; where nothing of it has the columns it is said', () => {
  for (const resolution of ['1m', '5m', '1h', '1d'] as const)
    expect(tables(plan('table', NOW - DAY, NOW, [], { resolution }))).toEqual([`rings_${resolution}`]);
  expect(tables(plan('table', NOW - DAY, NOW, [], { resolution: 'raw' }))).toEqual(['flows']);
  const forced = plan('table', NOW - DAY, NOW, ['dst_port'], { resolution: '1h' });
  expect([tables(forced), codes(forced)]).toEqual([['flows'], ['resolution']]);
});

describe('top lists', () => {
  test('answer what single records are too many for, or do not reach back to', () => {
    const few = listed('table', NOW - DAY, ['src_addr'], 1e6);
    expect([tables(few), few.open]).toEqual([['flows'], undefined]);
    // 2.4 days of 1e8 records: five minutes of them are few.
    const many = listed('table', NOW - DAY, ['src_addr'], 1e8);
    expect(tables(many)).toEqual(['flows', 'top_5m', 'top_1h', 'top_5m', 'flows']);
    expect(many.window).toEqual({ fromMs: NOW - DAY, toMs: NOW });
    // Of 1e11 not even the ends of the window: whole buckets are counted.
    const more = listed('table', NOW - DAY, ['src_addr'], 1e11);
    expect([tables(more), codes(more)]).toEqual([['top_5m', 'top_1h', 'top_5m'], ['resolution']]);
    const month = listed('table', MIDNIGHT - 30 * DAY, ['src_addr'], 1e6);
    expect(tables(month)).toEqual(['top_1d', 'top_1h', 'top_5m', 'flows']);
  });

  test('records that no list has yet are added for the time of the lists, which end before what is not whole', () => {
    const { parts, open } = listed('table', MIDNIGHT - 30 * DAY, ['src_addr'], 1e8);
    const lists = parts.filter(({ list }) => list);
    expect(open).toEqual({ fromMs: lists[0]?.fromMs, toMs: lists.at(-1)?.toMs, matchesUnnamed: true });
    expect(parts.find(({ table }) => table === 'top_1d')?.toMs).toBeLessThanOrEqual(CLOSED.top_1d);
    expect(parts.find(({ table }) => table === 'top_1h')?.toMs).toBeLessThanOrEqual(CLOSED.top_1h);
  });

  test('how many records there are is judged by when they begin, not by when the day does', () => {
    const began = NOW - HOUR;
    const day = { ...OLDEST, flows: began, rings_1m: began, rings_5m: began, rings_1h: NOW - 80 * 60_000 };
    const young = { ...day, rings_1d: MIDNIGHT, top_5m: began, top_1h: NOW - 80 * 60_000, top_1d: null };
    expect(tables(listed('table', began, ['src_addr'], 5e7, {}, young))).toEqual(['top_5m']);
    expect(tables(listed('table', began, ['src_addr'], 1e7, {}, young))).toEqual(['flows', 'top_5m', 'flows']);
    expect(tables(listed('table', began, ['src_addr'], 4e6, {}, young))).toEqual(['flows']);
  });

  test('that are younger than the records leave the older time to these', () => {
    const young = { ...OLDEST, top_5m: NOW - HOUR, top_1h: NOW - HOUR, top_1d: NOW - HOUR };
    const found = planQuery(
      { kind: 'table', resolution: 'auto', intervalMs: 0, maxDataPoints: 0 },
      { fromMs: NOW - DAY, toMs: NOW },
      new Set(['src_addr']),
      young,
      NOW,
      { facts: { rows: { flows: 1e8 } }, lists: { dimensions: ['src_addr'], filterColumns: [] } },
    );
    expect(tables(found)).toEqual(['flows', 'top_5m', 'flows']);
    expect(found.window.fromMs).toBe(NOW - DAY);
  });

  test('have buckets of 5 minutes, and a series says so', () => {
    const found = listed('timeseries', NOW - DAY, ['dst_port'], 1e8, { intervalMs: 60_000 });
    expect([found.stepMs, tables(found), codes(found)]).toEqual([300_000, ['top_5m'], ['resolution']]);
    const forced = listed('timeseries', NOW - DAY, ['dst_port'], 0, { intervalMs: 60_000, resolution: '1h' });
    expect([forced.stepMs, tables(forced)]).toEqual([HOUR, ['top_1h', 'top_5m']]);
  });

  test.each([
    [['src_addr'], 'source'],
    [['src_addr', 'src_country'], 'source'],
    [['src_place'], 'source_place'],
    [['dst_prefix'], 'destination_prefix'],
    [['src_port', 'proto'], 'source_port'],
    [['addr'], 'conversation'],
    [['client_addr', 'server_addr'], 'conversation'],
    [['src_prefix', 'dst_prefix'], 'conversation'],
  ])('%s: the one that names most', (dimensions, name) => {
    expect(listed('table', MIDNIGHT - 30 * DAY, dimensions, 1e9).parts[0]?.list?.name).toBe(name);
  });
});

test('an empty store is asked all the same', () => {
  const empty = { flows: null, rings_1m: null, rings_5m: null, rings_1h: null, rings_1d: null };
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
