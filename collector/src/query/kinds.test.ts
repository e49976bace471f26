import { createTestStore, sum, valuesOf, type TestRow, type TestStore } from './testing/store.ts';

const HOUR = 3_600_000;
const T0 = Date.UTC(2026, 0, 10, 12);

/** Seeded rows: several exporters, sampling, flows across minutes and hours, IPv6, flows without duration. */
function createRows(count: number): TestRow[] {
  let seed = 42;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  return Array.from({ length: count }, (_, index) => {
    const startMs = T0 - HOUR + random(4 * HOUR);
    const lengths = [0, random(900), random(50_000), random(60_000), random(4_000_000)];
    return {
      startMs,
      endMs: startMs + (lengths[random(5)] as number),
      bytes: 40 + random(1_000_000),
      packets: 1 + random(900),
      sampling_rate: [0, 1, 100][random(3)] as number,
      sampler_address: `::ffff:192.0.2.${1 + random(3)}`,
      src_addr: index % 7 === 0 ? `2001:db8::${1 + random(20)}` : `::ffff:10.0.0.${1 + random(40)}`,
      dst_addr: `::ffff:10.0.1.${1 + random(40)}`,
      src_port: 1024 + random(1000),
      dst_port: [53, 80, 443, 8080][random(4)] as number,
      proto: [6, 17][random(2)] as number,
      type: 4,
      etype: index % 7 === 0 ? 0x86dd : 0x0800,
      in_if: 1 + random(5),
      out_if: 1 + random(5),
      src_as: [0, 64_500, 15_169][random(3)] as number,
      dst_as: [0, 64_501][random(2)] as number,
      service: 6 * 65_536 + ([53, 80, 443][random(3)] as number),
    };
  });
}

/** The rule of semantics 5.6, written down a second time. */
function partOf(row: TestRow, counter: 'bytes' | 'packets', fromMs: number, toMs: number): number {
  const scaled = BigInt(row[counter]) * BigInt(Math.max(row.sampling_rate ?? 0, 1));
  if (row.endMs <= row.startMs) return row.startMs >= fromMs && row.startMs < toMs ? Number(scaled) : 0;
  const clamp = (at: number): bigint => BigInt(Math.min(Math.max(at, row.startMs), row.endMs) - row.startMs);
  const length = BigInt(row.endMs - row.startMs);
  return Number((scaled * clamp(toMs)) / length - (scaled * clamp(fromMs)) / length);
}

const rows = createRows(4000);
const bytesIn = (fromMs: number, toMs: number, which: (row: TestRow) => boolean = () => true): number =>
  sum(rows.filter(which).map((row) => partOf(row, 'bytes', fromMs, toMs)));
const flowsIn = (fromMs: number, toMs: number, which: (row: TestRow) => boolean = () => true): number =>
  rows.filter((row) => which(row) && row.endMs >= fromMs && row.endMs < toMs).length;

let store: TestStore | undefined;
beforeAll(async () => {
  store = await createTestStore();
  await store.insert(rows);
});
afterAll(async () => store?.close());

const ask: TestStore['ask'] = (...args) => (store as TestStore).ask(...args);

describe('5.6 spreading', () => {
  test.each([
    ['whole hours', T0, T0 + 2 * HOUR],
    ['whole minutes', T0 + 7 * 60_000, T0 + 2 * HOUR + 13 * 60_000],
    ['any milliseconds', T0 + 12_345, T0 + HOUR + 678_901],
    ['less than a minute', T0 + 90_001, T0 + 110_002],
  ])('%s: rings, raw records and arithmetic give the same sums', async (_, fromMs, toMs) => {
    for (const resolution of ['auto', 'raw'] as const) {
      const [frame] = await ask({ kind: 'stat', resolution }, fromMs, toMs);
      expect(valuesOf(frame, 'bytes')).toEqual([bytesIn(fromMs, toMs)]);
      expect(valuesOf(frame, 'packets')).toEqual([sum(rows.map((row) => partOf(row, 'packets', fromMs, toMs)))]);
      expect(valuesOf(frame, 'flows')).toEqual([flowsIn(fromMs, toMs)]);
    }
  });

  test('a window of whole hours reads the coarsest ring only, an uneven one adds finer tables at its ends', async () => {
    const [even] = await ask({ kind: 'stat' }, T0, T0 + 2 * HOUR);
    expect(even?.schema.meta.custom).toMatchObject({ table: 'rings_1h', resolution: '1h', ring: 'total' });
    const [uneven] = await ask({ kind: 'stat' }, T0 - 30_500, T0 + 2 * HOUR + 61_000);
    expect(uneven?.schema.meta.custom.table).toBe('flows + rings_1h + rings_1m');
  });
});

describe('table', () => {
  test.each([
    ['a ring', ['sampler_address'], 'rings_1h'],
    ['raw records', ['src_addr', 'dst_port'], 'flows'],
    ['more than is shown', ['src_addr', 'dst_addr', 'src_port'], 'flows'],
  ])('shown + other = total exactly, shares add to 100.0: %s', async (_, groupBy, table) => {
    const [frame] = await ask({ kind: 'table', groupBy, limit: 2 }, T0, T0 + 2 * HOUR);
    expect(frame?.schema.meta.custom.table).toBe(table);
    expect(sum(valuesOf(frame, 'bytes'))).toBe(bytesIn(T0, T0 + 2 * HOUR));
    expect(sum(valuesOf(frame, 'flows'))).toBe(flowsIn(T0, T0 + 2 * HOUR));
    expect(Math.round(sum(valuesOf(frame, 'share')) * 10)).toBe(1000);
    expect(valuesOf<string>(frame, groupBy[0] as string).at(-1)).toBe('other');
  });

  test('top by bytes with a filter, against arithmetic', async () => {
    const [frame] = await ask(
      { kind: 'table', groupBy: ['dst_port'], filter: 'proto = udp and src_addr in 10.0.0.0/8', limit: 3 },
      T0,
      T0 + 2 * HOUR,
    );
    const which = (row: TestRow): boolean => row['proto'] === 17 && String(row.src_addr).startsWith('::ffff:10.');
    const expected = [53, 80, 443, 8080]
      .map(
        (port) => [String(port), bytesIn(T0, T0 + 2 * HOUR, (row) => which(row) && row['dst_port'] === port)] as const,
      )
      .sort((a, b) => b[1] - a[1]);
    expect(valuesOf<string>(frame, 'dst_port')).toEqual([...expected.slice(0, 3).map(([port]) => port), 'other']);
    expect(valuesOf(frame, 'bytes')).toEqual(expected.map(([, bytes]) => bytes));
  });

  test('pages do not overlap and orders are kept', async () => {
    const page = (offset: number) =>
      ask(
        {
          kind: 'table',
          groupBy: ['src_addr'],
          limit: 10,
          offset,
          other: false,
          sort: [{ by: 'flows', descending: false }],
        },
        T0,
        T0 + 2 * HOUR,
      );
    const [[first], [second]] = [await page(0), await page(10)];
    const flows = [...valuesOf(first, 'flows'), ...valuesOf(second, 'flows')];
    expect(flows).toEqual([...flows].sort((a, b) => a - b));
    expect(new Set([...valuesOf<string>(first, 'src_addr'), ...valuesOf<string>(second, 'src_addr')]).size).toBe(20);
    expect(first?.schema.meta.custom.notices).toContain('truncated');
  });

  test('either side: a record counts for both addresses, once when they are equal', async () => {
    const [frame] = await ask(
      { kind: 'table', groupBy: ['as'], limit: 10, filter: 'sampler_address = 192.0.2.1' },
      T0,
      T0 + 2 * HOUR,
    );
    const which = (asn: number) => (row: TestRow) =>
      row.sampler_address === '::ffff:192.0.2.1' && (row['src_as'] === asn || row['dst_as'] === asn);
    const expected = [0, 64_500, 15_169, 64_501]
      .map((asn) => [asn === 0 ? '' : `AS${asn}`, bytesIn(T0, T0 + 2 * HOUR, which(asn))] as const)
      .sort((a, b) => b[1] - a[1]);
    expect(valuesOf<string>(frame, 'as')).toEqual(expected.map(([text]) => text));
    expect(valuesOf(frame, 'bytes')).toEqual(expected.map(([, bytes]) => bytes));
    expect(frame?.schema.meta.custom.notices).toContain('not_partitioned');
    const total = bytesIn(T0, T0 + 2 * HOUR, (row) => row.sampler_address === '::ffff:192.0.2.1');
    expect(valuesOf(frame, 'share')).toEqual(expected.map(([, bytes]) => Math.round((bytes / total) * 1000) / 10));
  });

  test('either side across two tables: a window that no ring covers alone', async () => {
    const [fromMs, toMs] = [T0 + 30_500, T0 + HOUR + 90_000];
    const [frame] = await ask({ kind: 'table', groupBy: ['as'], limit: 10 }, fromMs, toMs);
    expect(frame?.schema.meta.custom.table).toContain(' + ');
    const expected = [0, 64_500, 15_169, 64_501]
      .map((asn) => bytesIn(fromMs, toMs, (row) => row['src_as'] === asn || row['dst_as'] === asn))
      .sort((a, b) => b - a);
    expect(valuesOf(frame, 'bytes')).toEqual(expected);
  });

  test('rates divide by the seconds of the window; columns cut the answer down', async () => {
    const [frame] = await ask({ kind: 'table', groupBy: ['proto'], measure: 'rate', columns: ['bps'] }, T0, T0 + HOUR);
    expect(frame?.schema.fields.map((field) => field.name)).toEqual(['proto', 'bps']);
    expect(sum(valuesOf(frame, 'bps'))).toBeCloseTo((bytesIn(T0, T0 + HOUR) * 8) / 3600, 6);
  });
});

describe('timeseries', () => {
  test.each([
    ['from a ring', 60_000, ['sampler_address'], 'rings_1m'],
    ['from raw records', 10_000, ['src_addr'], 'flows'],
    ['from raw records in long buckets', 600_000, ['dst_port'], 'flows'],
  ])('every bucket adds up and membership is fixed: %s', async (_, intervalMs, groupBy, table) => {
    const [fromMs, toMs] = [T0, T0 + HOUR / 2];
    const [frame] = await ask(
      { kind: 'timeseries', groupBy, limit: 2, intervalMs, maxDataPoints: 5000, measure: 'total' },
      fromMs,
      toMs,
    );
    expect(frame?.schema.meta).toMatchObject({
      type: 'timeseries-wide',
      custom: { table, stepSeconds: intervalMs / 1000 },
    });
    const [times, ...series] = frame?.data.values as number[][];
    expect(times).toEqual(
      Array.from({ length: (toMs - fromMs) / intervalMs }, (_, index) => fromMs + index * intervalMs),
    );
    expect(series).toHaveLength(3);
    (times as number[]).forEach((time, index) =>
      expect(sum(series.map((values) => values[index] ?? 0))).toBe(bytesIn(time, time + intervalMs)),
    );
  });

  test('rates divide by the bucket; the field carries interval, unit, labels', async () => {
    const [frame] = await ask({ kind: 'timeseries', groupBy: ['proto'], intervalMs: 60_000 }, T0, T0 + HOUR);
    expect(frame?.schema.fields[0]).toEqual({
      name: 'time',
      type: 'time',
      config: { interval: 60_000, displayNameFromDS: 'Time' },
    });
    expect(
      frame?.schema.fields
        .slice(1)
        .map((field) => [field.labels, field.config.unit, field.config.displayNameFromDS])
        .sort(),
    ).toEqual([
      [{ proto: 'TCP' }, 'bps', 'TCP'],
      [{ proto: 'UDP' }, 'bps', 'UDP'],
    ]);
    const values = frame?.data.values.slice(1) as number[][];
    expect((values[0]?.[5] as number) + (values[1]?.[5] as number)).toBeCloseTo(
      (bytesIn(T0 + 300_000, T0 + 360_000) * 8) / 60,
      6,
    );
  });

  test('shares of every bucket add to 100.0', async () => {
    const [frame] = await ask(
      { kind: 'timeseries', groupBy: ['src_addr'], measure: 'share', limit: 5, intervalMs: 300_000 },
      T0,
      T0 + HOUR,
    );
    const [times, ...series] = frame?.data.values as number[][];
    (times as number[]).forEach((_, index) =>
      expect(Math.round(sum(series.map((values) => values[index] ?? 0)) * 10)).toBe(1000),
    );
  });

  test('no traffic is zero; before the first data and while the collector was down it is null', async () => {
    const silent = (context: object) =>
      ask(
        { kind: 'timeseries', filter: 'dst_port = 1', intervalMs: HOUR, measure: 'total' },
        T0 - 3 * HOUR,
        T0 + 2 * HOUR,
        context,
      );
    const [frame] = await silent({ oldest: { flows: T0 - HOUR + 5, rings_1m: T0 - HOUR, rings_1h: T0 - HOUR } });
    expect(valuesOf<number | null>(frame, 'bytes')).toEqual([null, null, 0, 0, 0]);
    const [down] = await silent({ downtimes: [{ fromMs: T0, toMs: T0 + HOUR }] });
    expect(valuesOf<number | null>(down, 'bytes')).toEqual([null, null, 0, null, 0]);
  });

  test('a bucket that still fills is left out', async () => {
    const [frame] = await ask({ kind: 'timeseries', intervalMs: 600_000 }, T0, T0 + HOUR + 1, {
      nowMs: T0 + HOUR + 1,
      samplingRate: 100,
    });
    expect((frame?.data.values[0] as number[]).at(-1)).toBe(T0 + HOUR - 600_000);
    expect(frame?.schema.meta.custom.notices).toEqual(['incomplete_bucket', 'sampled']);
  });

  test('more than 50 series come as one frame each', async () => {
    const frames = await ask(
      { kind: 'timeseries', groupBy: ['src_port'], limit: 60, intervalMs: 600_000 },
      T0,
      T0 + HOUR,
    );
    expect(frames).toHaveLength(61);
    expect(frames[3]?.schema).toMatchObject({
      meta: { type: 'timeseries-multi' },
      fields: [{ name: 'time' }, { name: 'bps' }],
    });
  });
});

describe('stat', () => {
  test('distinct values, also of either side', async () => {
    const [frame] = await ask(
      { kind: 'stat', unique: ['src_addr', 'addr', 'src_port'], metric: 'flows' },
      T0,
      T0 + 2 * HOUR,
    );
    const present = rows.filter(
      (row) =>
        partOf(row, 'bytes', T0, T0 + 2 * HOUR) + partOf(row, 'packets', T0, T0 + 2 * HOUR) > 0 ||
        (row.endMs >= T0 && row.endMs < T0 + 2 * HOUR),
    );
    expect(frame?.schema.fields.map((field) => field.name)).toEqual([
      'flows',
      'bytes',
      'packets',
      'unique_src_addr',
      'unique_addr',
      'unique_src_port',
    ]);
    expect(valuesOf(frame, 'unique_src_addr')).toEqual([new Set(present.map((row) => row.src_addr)).size]);
    expect(valuesOf(frame, 'unique_addr')).toEqual([
      new Set(present.flatMap((row) => [row.src_addr, row.dst_addr])).size,
    ]);
    expect(valuesOf(frame, 'bytes')).toEqual([bytesIn(T0, T0 + 2 * HOUR)]);
  });

  test('an empty window is zero', async () => {
    const [frame] = await ask({ kind: 'stat', unique: ['src_addr'] }, T0 + 1000 * HOUR, T0 + 1001 * HOUR);
    expect(frame?.data.values).toEqual([[0], [0], [0], [0]]);
  });
});

describe('records', () => {
  test('filter, order, page: nothing twice, nothing missing', async () => {
    const page = (offset: number) =>
      ask(
        {
          kind: 'records',
          filter: 'dst_port = 443',
          limit: 50,
          offset,
          columns: ['time_flow_end_ns', 'src_addr', 'src_port', 'bytes', 'proto'],
        },
        T0,
        T0 + HOUR,
      );
    const expected = rows
      .filter((row) => row['dst_port'] === 443 && row.endMs >= T0 && row.endMs < T0 + HOUR)
      .sort((a, b) => b.endMs - a.endMs);
    const pages = [await page(0), await page(50), await page(100)].map(([frame]) => frame);
    expect(pages[0]?.schema.meta.custom.total).toBe(expected.length);
    const seen = pages.flatMap((frame) =>
      valuesOf(frame, 'time_flow_end_ns').map((end, index) => [
        end,
        valuesOf<string>(frame, 'src_addr')[index],
        valuesOf(frame, 'bytes')[index],
      ]),
    );
    const text = (address: unknown): string => String(address).replace('::ffff:', '');
    expect(seen.map((row) => row.join())).toEqual(
      expected.slice(0, 150).map((row) => [row.endMs, text(row.src_addr), row.bytes].join()),
    );
    expect(new Set(valuesOf<string>(pages[0], 'proto'))).toEqual(new Set(['TCP', 'UDP']));
  });

  test('all stored columns, each with a label', async () => {
    const [frame] = await ask({ kind: 'records', limit: 1 }, T0, T0 + HOUR);
    expect(frame?.schema.fields.length).toBeGreaterThan(40);
    expect(frame?.schema.fields.every((field) => field.config.displayNameFromDS)).toBe(true);
    expect(valuesOf<string>(frame, 'etype')[0]).toMatch(/^IPv[46]$/);
  });
});
