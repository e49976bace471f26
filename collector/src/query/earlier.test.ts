import type { DataFrameJson } from '@ringflow/contract';
import { createTestStore, valuesOf, type TestRow, type TestStore } from './testing/store.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Noon; four weeks and more before it have traffic. */
const T0 = Date.UTC(2026, 1, 10, 12);

const row = (startMs: number, bytes: number, more: Partial<TestRow> = {}): TestRow => ({
  startMs,
  endMs: startMs + 60_000,
  bytes,
  packets: 10,
  sampling_rate: 1,
  src_as: 64_500,
  dst_as: 64_600,
  direction: 2,
  ...more,
});

/** AS64500 sends 1000 bytes an hour on each of 28 days (900 to 1100), ten times as much today; AS64501 is new. */
const rows: TestRow[] = [
  ...Array.from({ length: 28 }, (_, at) => row(T0 - (at + 1) * DAY + 600_000, 900 + (at % 3) * 100)),
  // The hour before noon is another one, and is not compared with.
  ...Array.from({ length: 28 }, (_, at) => row(T0 - (at + 1) * DAY - HOUR + 600_000, 77_000)),
  row(T0 + 600_000, 10_000),
  row(T0 + 600_000, 700, { src_as: 64_501 }),
  row(T0 + 600_000, 40, { src_as: 64_502, src_port: 1 }),
  // The other way.
  row(T0 + 600_000, 333, { src_as: 64_600, dst_as: 64_500, direction: 1 }),
  // One that was large a week ago and is not there today.
  row(T0 - 7 * DAY + 600_000, 5_000_000, { src_as: 64_777 }),
];

let store: TestStore | undefined;
beforeAll(async () => {
  store = await createTestStore();
  await store.insert(rows);
});
afterAll(async () => store?.close());

const ask = async (query: object, fromMs = T0, toMs = T0 + HOUR, context = {}): Promise<DataFrameJson> => {
  const [frame] = await (store as TestStore).ask(query, fromMs, toMs, { nowMs: T0 + 2 * HOUR, ...context });
  return frame as DataFrameJson;
};
const series = (frame: DataFrameJson): Record<string, unknown[]> =>
  Object.fromEntries(
    frame.schema.fields.map((field, at) => [
      field.config.displayNameFromDS ?? field.name,
      frame.data.values[at] as unknown[],
    ]),
  );
const codes = (frame: DataFrameJson): string[] => frame.schema.meta.notices.map(({ code }) => code);
const OUT = { filter: 'dst_as = 64600', groupBy: ['src_as'], measure: 'total', intervalMs: HOUR } as const;

describe('compare', () => {
  test('a time series carries the same series of a week ago on its own time axis, whoever was on top then', async () => {
    const frame = await ask({ ...OUT, compare: '1w', limit: 2 });
    expect(series(frame)).toEqual({
      Time: [T0],
      AS64500: [10_000],
      'AS64500 (1 week before)': [900],
      AS64501: [700],
      'AS64501 (1 week before)': [0],
      other: [40],
      'other (1 week before)': [5_000_000],
    });
    expect(frame.schema.fields[2]?.labels).toEqual({ src_as: 'AS64500', compare: '1w' });
  });

  test('one total without groups', async () => {
    const frame = await ask({ measure: 'total', intervalMs: HOUR, compare: '1d' });
    expect(series(frame)).toEqual({ Time: [T0], Bytes: [11_073], 'Bytes (1 day before)': [900] });
  });

  test('a table has what its rows had before, and the change', async () => {
    const frame = await ask({ kind: 'table', groupBy: ['src_as'], filter: 'dst_as = 64600', compare: '1w', limit: 2 });
    expect(valuesOf<string>(frame, 'src_as')).toEqual(['AS64500', 'AS64501', 'other']);
    expect(valuesOf(frame, 'bytes')).toEqual([10_000, 700, 40]);
    expect(valuesOf(frame, 'bytes_before')).toEqual([900, 0, 5_000_000]);
    expect(valuesOf(frame, 'change_percent')).toEqual([1011.1, null, -100]);
  });

  test('a window that has not ended is compared with as much of the earlier one', async () => {
    const table = {
      kind: 'table',
      groupBy: ['src_as'],
      filter: 'dst_as = 64600',
      measure: 'rate',
      compare: '1d',
    } as const;
    const half = { nowMs: T0 + HOUR / 2 };
    const frame = await ask(table, T0, T0 + HOUR, half);
    expect(valuesOf(frame, 'bps')[0]).toBeCloseTo((10_000 * 8) / 1800, 6);
    expect(valuesOf(frame, 'bps_before')[0]).toBeCloseTo((900 * 8) / 1800, 6);
  });

  test('before the first data nothing is known, and the answer says so', async () => {
    const query = { ...OUT, compare: '4w' } as const;
    const frame = await ask(query, T0 - 20 * DAY, T0 - 20 * DAY + HOUR);
    const before = Object.entries(series(frame)).filter(([name]) => name.includes('4 weeks before'));
    expect(before.map(([, values]) => values)).toEqual([[null]]);
    expect(codes(frame)).toContain('no_history');
    const table = await ask({ kind: 'table', groupBy: ['src_as'], compare: '4w' }, T0 - 20 * DAY, T0 - 20 * DAY + HOUR);
    expect([valuesOf(table, 'bytes_before'), valuesOf(table, 'change_percent')]).toEqual([[null], [null]]);
    expect(codes(table)).toContain('no_history');
  });

  test('buckets that do not fit the time between say so', async () => {
    const frame = await ask({ measure: 'total', intervalMs: DAY, compare: '1h' }, T0 - 3 * DAY, T0);
    expect(codes(frame)).toContain('no_history');
  });
});

describe('baseline', () => {
  test('the deviation from the median of the same hour of four weeks, of a series and of a row', async () => {
    const frame = await ask({ ...OUT, baseline: true, limit: 2 });
    // Of 900, 1000 and 1100 over 28 days the median is 1000.
    expect(series(frame)).toMatchObject({ 'AS64500 (deviation)': [900], 'AS64501 (deviation)': [null] });
    expect(frame.schema.fields[2]).toMatchObject({
      name: 'deviation',
      labels: { src_as: 'AS64500', baseline: 'deviation' },
      config: { unit: 'percent' },
    });
    const table = await ask({ kind: 'table', groupBy: ['src_as'], filter: 'dst_as = 64600', baseline: true, limit: 2 });
    expect(valuesOf(table, 'deviation').slice(0, 2)).toEqual([900, null]);
  });

  test('buckets shorter than an hour are compared with the rate of the hour', async () => {
    const frame = await ask({ ...OUT, baseline: true, intervalMs: 600_000, limit: 1 });
    // All of the hour's bytes are in one sixth of it: sixty times the usual rate.
    expect(series(frame)['AS64500 (deviation)']?.[1]).toBe(5900);
    expect(series(frame)['AS64500 (deviation)']?.[0]).toBe(-100);
  });

  test('with less than seven days known there is no deviation, and a notice', async () => {
    const frame = await ask({ ...OUT, baseline: true, limit: 1 }, T0 - 22 * DAY, T0 - 22 * DAY + HOUR);
    expect(series(frame)['AS64500 (deviation)']).toEqual([null]);
    expect(codes(frame)).toContain('no_history');
  });
});

describe('mirror', () => {
  test('source and destination change places, the same groups below the line', async () => {
    const frame = await ask({ ...OUT, mirror: true, limit: 1, filter: 'src_as = 64500 or src_as = 64501' });
    expect(series(frame)).toEqual({
      Time: [T0],
      'AS64500 (from)': [10_000],
      'other (from)': [700],
      'AS64500 (to)': [-333],
    });
    expect(frame.schema.fields.slice(1).map(({ labels }) => labels)).toEqual([
      { src_as: 'AS64500', way: 'from' },
      { src_as: 'other', way: 'from' },
      { src_as: 'AS64500', way: 'to' },
    ]);
    expect(frame.schema.fields[3]?.config.min).toBeUndefined();
  });

  test('without sides, traffic out is above and traffic in below', async () => {
    const frame = await ask({ measure: 'total', intervalMs: HOUR, mirror: true });
    expect(series(frame)).toEqual({ Time: [T0], 'Bytes (out)': [10_740], 'Bytes (in)': [-333] });
  });

  test('a direction in the filter turns', async () => {
    const frame = await ask({ measure: 'total', intervalMs: HOUR, mirror: true, filter: 'direction = in' });
    expect(series(frame)).toEqual({ Time: [T0], 'Bytes (in)': [333], 'Bytes (out)': [-10_740] });
  });

  test('both ways, each with a week before', async () => {
    const frame = await ask({ ...OUT, mirror: true, compare: '1w', limit: 1, filter: 'src_as = 64500' });
    expect(series(frame)).toEqual({
      Time: [T0],
      'AS64500 (from)': [10_000],
      'AS64500 (from) (1 week before)': [900],
      'AS64500 (to)': [-333],
      'AS64500 (to) (1 week before)': [0],
    });
  });
});

describe('both ways of the rows of a table', () => {
  const table = async (query: object) =>
    ask({
      kind: 'table',
      mirror: true,
      limit: 1,
      columns: ['bytes', 'bytes_from', 'bytes_to', 'bytes_in', 'bytes_out'],
      ...query,
    });

  test('what an AS sends and gets, and what all others do', async () => {
    const frame = await table({ groupBy: ['src_as'], filter: 'src_as in (64500, 64501)' });
    expect(series(frame)).toEqual({
      'Source AS': ['AS64500', 'other'],
      Bytes: [10_000, 700],
      'Bytes (from)': [10_000, 700],
      'Bytes (to)': [333, 0],
    });
  });

  test('where nothing has a side, out and in add up to the row', async () => {
    const frame = await table({ groupBy: ['service'], filter: 'as = 64600', limit: 5 });
    const [all, out, back] = ['bytes', 'bytes_out', 'bytes_in'].map((name) => valuesOf(frame, name) as number[]);
    expect(all?.length).toBeGreaterThan(0);
    expect(out?.map((value, at) => value + (back?.[at] as number))).toEqual(all);
  });
});

describe('legend', () => {
  test('fields of groups stand in it', async () => {
    const frame = await ask({
      ...OUT,
      groupBy: ['src_as', 'dst_as'],
      legend: '{{src_as}} to {{ DstAS }}',
      limit: 1,
      other: false,
    });
    expect(Object.keys(series(frame))).toEqual(['Time', 'AS64500 to AS64600']);
  });

  test('a field that is not grouped by is named', async () => {
    await expect(ask({ ...OUT, legend: '{{src_addr}}' })).rejects.toThrow('legend names "src_addr"');
  });
});

test.each([
  [{ kind: 'stat', compare: '1d' }, 'cannot be compared'],
  [{ kind: 'graph', groupBy: ['src_as', 'dst_as'], mirror: true }, 'cannot be mirrored'],
  [{ compare: '2d' }, 'compare cannot be'],
  [{ measure: 'peak', baseline: true }, 'stands alone'],
  [{ kind: 'graph', groupBy: ['src_as'] }, 'two fields'],
  [{ kind: 'heatmap', groupBy: ['src_as', 'dst_as'] }, 'one field'],
  [{ kind: 'timeseries', groupBy: ['hour'] }, 'no field "hour"'],
  [{ kind: 'stat', format: 'logs' }, 'format belongs'],
])('%j is refused', async (query, message) => {
  await expect(ask(query)).rejects.toThrow(message);
});

test.each([
  ['exporter = "$exporter"', '$exporter'],
  ['src_addr in (${host}) and proto = tcp', '${host}'],
  ['proto = tcp and $filter', '$filter'],
  ['proto = [[proto]]', '[[proto]]'],
])('a variable that nobody filled in is named: %s', async (filter, name) => {
  await expect(ask({ kind: 'stat', filter })).rejects.toThrow(`The template variable ${name} was not filled in`);
});

test('a dollar in a text is a dollar', async () => {
  await expect(
    ask({ kind: 'stat', filter: 'exporter ~ "^edge$" or exporter = "costs $5 or $more"' }),
  ).resolves.toBeDefined();
});
