import { RESOLUTIONS, type FlowQueryInput } from '@ringflow/contract';
import { consolidatePeaks } from '../store/index.ts';
import { createTestStore, valuesOf, type TestRow, type TestStore } from './testing/store.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const T0 = Date.UTC(2026, 0, 10);
const END = T0 + 3 * DAY;

/** Seeded records within one minute each, so that the minutes of a group are sums that a reader can make. */
function createRows(count: number): TestRow[] {
  let seed = 7;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  return Array.from({ length: count }, () => {
    const startMs = T0 + random(3 * 24 * 60) * MINUTE + random(30_000);
    return {
      startMs,
      endMs: startMs + random(20_000),
      bytes: 1 + random(1_000_000),
      packets: 1 + random(100),
      sampler_address: `::ffff:192.0.2.${1 + random(2)}`,
      in_if: 1 + random(3),
      out_if: 1 + random(3),
      src_addr: `::ffff:10.0.0.${1 + random(20)}`,
      proto: [6, 17][random(2)] as number,
      service: random(5),
      dup: random(10) === 0 ? 1 : 0,
    };
  });
}

const rows = createRows(6000);
const NOW = END + DAY;

/** Sums of whole slots by their start. */
function slotSums(slotMs: number, which: (row: TestRow) => boolean): Map<number, number> {
  const sums = new Map<number, number>();
  for (const row of rows.filter(which)) {
    const slot = Math.floor(row.startMs / slotMs) * slotMs;
    sums.set(slot, (sums.get(slot) ?? 0) + row.bytes);
  }
  return sums;
}

const once = (row: TestRow): boolean => row['dup'] === 0;
const peakIn = (fromMs: number, toMs: number, which: (row: TestRow) => boolean): number =>
  (Math.max(0, ...[...slotSums(MINUTE, which)].filter(([at]) => at >= fromMs && at < toMs).map(([, sum]) => sum)) * 8) /
  60;
const p95In = (fromMs: number, toMs: number, which: (row: TestRow) => boolean): number => {
  const slots = (toMs - fromMs) / (5 * MINUTE);
  const sums = [...slotSums(5 * MINUTE, which)].filter(([at]) => at >= fromMs && at < toMs).map(([, sum]) => sum);
  const all = [...new Array<number>(slots - sums.length).fill(0), ...sums].sort((a, b) => a - b);
  return ((all[Math.ceil(0.95 * slots) - 1] as number) * 8) / 300;
};

let store: TestStore | undefined;
beforeAll(async () => {
  store = await createTestStore();
  await store.insert(rows);
  while ((await consolidatePeaks(store.engine, NOW)).more);
});
afterAll(async () => store?.close());

const table = (resolution: string): number =>
  (RESOLUTIONS.find(({ name }) => name === resolution)?.seconds ?? 0) * 1000;
/** Everything is kept, and what the peaks' job has done is known. */
const KEPT = {
  nowMs: NOW,
  oldest: { flows: T0, rings_1m: T0, rings_5m: T0, rings_1h: T0, rings_1d: T0 },
  facts: { closed: { rings_5m: END, rings_1h: END, rings_1d: END } },
};
/** Minutes are kept for the last day only. */
const DROPPED = { ...KEPT, oldest: { ...KEPT.oldest, flows: END - HOUR, rings_1m: END - DAY } };

const ask = async (query: FlowQueryInput, fromMs: number, toMs: number, context: object = KEPT) => {
  const [frame] = await (store as TestStore).ask(query, fromMs, toMs, context);
  if (!frame) throw new Error('no frame');
  return frame;
};

describe('peak', () => {
  test.each(['5m', '1h', '1d'] as const)(
    'is the busiest minute of the network at every zoom: buckets of %s',
    async (zoom) => {
      const stepMs = table(zoom);
      for (const context of [KEPT, DROPPED]) {
        const frame = await ask(
          { kind: 'timeseries', measure: 'peak', intervalMs: stepMs, maxDataPoints: 5000 },
          T0,
          END,
          context,
        );
        const times = frame.data.values[0] as number[];
        expect(times[1]).toBe((times[0] as number) + stepMs);
        expect(valuesOf(frame, 'peak_bps')).toEqual(times.map((at) => peakIn(at, at + stepMs, once)));
        expect(frame.schema.meta.custom.notices).toEqual([]);
      }
    },
  );

  test('is the same whichever table answers', async () => {
    const peaks = await Promise.all(
      (['raw', '1m', '5m', '1h', '1d'] as const).map(async (resolution) =>
        valuesOf(await ask({ kind: 'stat', measure: 'peak', resolution }, T0, END), 'peak_bps'),
      ),
    );
    expect(peaks).toEqual(peaks.map(() => [peakIn(T0, END, once)]));
  });

  test('of interfaces is exact where one exporter is asked for, whatever is dropped', async () => {
    const found = await ask(
      {
        kind: 'table',
        measure: 'peak',
        groupBy: ['in_if'],
        filter: 'sampler_address = 192.0.2.1',
        duplicates: 'leave_out',
      },
      T0,
      END,
      DROPPED,
    );
    const expected = [1, 2, 3]
      .map((index) => [
        String(index),
        peakIn(T0, END, (row) => once(row) && row['in_if'] === index && row.sampler_address === '::ffff:192.0.2.1'),
      ])
      .sort((a, b) => Number(b[1]) - Number(a[1]));
    expect(valuesOf<string>(found, 'in_if').map((name, row) => [name, valuesOf(found, 'peak_bps')[row]])).toEqual(
      expected,
    );
    expect(found.schema.meta.custom).toMatchObject({ ring: 'interface_in', notices: [] });
  });

  test('of what is several cells is added up from minutes while they are kept, and a bound before', async () => {
    const query: FlowQueryInput = { kind: 'table', measure: 'peak', groupBy: ['service'] };
    const exact = await ask(query, T0, END);
    const expected = [0, 1, 2, 3, 4].map((service) =>
      peakIn(T0, END, (row) => once(row) && row['service'] === service),
    );
    expect(valuesOf(exact, 'peak_bps')).toEqual(expected.sort((a, b) => b - a));
    expect(exact.schema.meta.custom.table).toBe('rings_1m');
    const bound = await ask(query, T0, END, DROPPED);
    valuesOf(bound, 'peak_bps').forEach((peak, row) => expect(peak).toBeGreaterThanOrEqual(expected[row] as number));
    expect(bound.schema.meta.notices.map(({ text }) => text).join()).toContain('upper bounds');
  });

  test('from single records, whole minutes', async () => {
    const found = await ask({ kind: 'table', measure: 'peak', groupBy: ['src_addr'], limit: 3 }, T0 + 30_000, END);
    const all = Array.from({ length: 20 }, (_, index) =>
      peakIn(T0, END, (row) => once(row) && row.src_addr === `::ffff:10.0.0.${index + 1}`),
    ).sort((a, b) => b - a);
    expect(valuesOf(found, 'peak_bps')).toEqual(all.slice(0, 3));
    expect(found.schema.meta.custom.notices).toEqual(['truncated']);
  });

  test('a bucket whose peak was never taken shows its mean and says so', async () => {
    const query = { kind: 'stat', measure: 'peak', resolution: '5m' } as const;
    await (store as TestStore).insert([
      { startMs: T0 - 2 * DAY, endMs: T0 - 2 * DAY, bytes: 3_000_000, packets: 1, dup: 0 },
    ]);
    const found = await ask(query, T0 - 3 * DAY, T0 - DAY, { ...KEPT, oldest: { rings_5m: T0 - 3 * DAY } });
    expect(valuesOf(found, 'peak_bps')).toEqual([(600_000 * 8) / 60]);
    expect(found.schema.meta.custom.notices).toEqual(['approximate']);
  });
});

describe('p95', () => {
  test('of the window: buckets without data count as zero', async () => {
    for (const resolution of ['auto', 'raw', '1m'] as const) {
      const found = await ask({ kind: 'stat', measure: 'p95', resolution }, T0, END);
      expect(valuesOf(found, 'p95_bps')).toEqual([p95In(T0, END, once)]);
    }
    const dense = await ask({ kind: 'table', measure: 'p95', groupBy: ['proto'] }, T0, END);
    expect(valuesOf(dense, 'p95_bps')).toEqual(
      [6, 17].map((proto) => p95In(T0, END, (row) => once(row) && row['proto'] === proto)).sort((a, b) => b - a),
    );
    // Seldom seen in more than a twentieth of the buckets: the percentile is zero.
    const sparse = await ask(
      {
        kind: 'stat',
        measure: 'p95',
        filter: 'src_addr = 10.0.0.1 and in_if = 1 and proto = tcp',
        duplicates: 'leave_out',
      },
      T0,
      END,
    );
    expect(valuesOf(sparse, 'p95_bps')).toEqual([0]);
  });

  test('of each bucket of a series', async () => {
    const found = await ask({ kind: 'timeseries', measure: 'p95', groupBy: ['proto'], intervalMs: 6 * HOUR }, T0, END);
    const times = found.data.values[0] as number[];
    expect(
      found.schema.fields
        .slice(1)
        .map(({ labels }) => labels?.['proto'])
        .sort(),
    ).toEqual(['TCP', 'UDP']);
    found.schema.fields.slice(1).forEach((field, index) => {
      const proto = field.labels?.['proto'] === 'TCP' ? 6 : 17;
      expect(found.data.values[index + 1]).toEqual(
        times.map((at) => p95In(at, at + 6 * HOUR, (row) => once(row) && row['proto'] === proto)),
      );
    });
  });

  test('leaves out what is unknown, and says when its buckets are longer than 5 minutes', async () => {
    const down = await ask({ kind: 'stat', measure: 'p95' }, T0 - DAY, END, {
      ...KEPT,
      oldest: { rings_5m: T0 - DAY },
      downtimes: [{ fromMs: T0 - DAY, toMs: T0 }],
    });
    expect(valuesOf(down, 'p95_bps')).toEqual([p95In(T0, END, once)]);
    const coarse = await ask({ kind: 'stat', measure: 'p95' }, T0, END, {
      ...KEPT,
      oldest: { rings_1m: END - HOUR, rings_5m: END - DAY, rings_1h: T0 },
    });
    expect(coarse.schema.meta.custom).toMatchObject({ table: 'rings_1h', notices: ['approximate'] });
  });
});
