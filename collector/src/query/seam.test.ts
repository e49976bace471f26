import { RESOLUTIONS } from '@ringflow/contract';
import { createTestStore, sum, valuesOf, type TestRow, type TestStore } from './testing/store.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const T0 = Date.UTC(2026, 0, 1);
const DAYS = 12;
const NOW = T0 + DAYS * DAY;

/** A sender of 1000 bytes a second, in flows of ten minutes that adjoin. */
const STEADY: readonly TestRow[] = Array.from({ length: DAYS * 144 }, (_, index) => ({
  startMs: T0 + index * 10 * MINUTE,
  endMs: T0 + (index + 1) * 10 * MINUTE,
  bytes: 600_000,
  packets: 6000,
  sampler_address: '::ffff:192.0.2.1',
  in_if: 1,
  dst_port: 443,
}));

/** When each table begins: what is older was dropped. */
const OLDEST = {
  flows: NOW - DAY,
  rings_1m: NOW - 3 * DAY,
  rings_5m: NOW - 6 * DAY,
  rings_1h: NOW - 9 * DAY,
  rings_1d: T0,
};

let store: TestStore | undefined;
beforeAll(async () => {
  store = await createTestStore();
  await store.insert(STEADY);
  for (const [table, oldestMs] of Object.entries(OLDEST)) {
    const time = table === 'flows' ? 'time_received_ns' : 'bucket';
    await store.engine.exec(
      `ALTER TABLE ${table} DELETE WHERE ${time} < toDateTime(${oldestMs / 1000}, 'UTC') SETTINGS mutations_sync = 2`,
    );
  }
});
afterAll(async () => store?.close());

const ask: TestStore['ask'] = (query, fromMs, toMs, context = {}) =>
  (store as TestStore).ask(query, fromMs, toMs, { oldest: OLDEST, nowMs: NOW, ...context });

test.each([
  [
    'a window over all tables',
    T0 + 7 * MINUTE,
    NOW - 13 * MINUTE - 1500,
    'rings_1d + rings_1h + rings_5m + rings_1m + flows',
  ],
  ['hours at its beginning', NOW - 8 * DAY, NOW - 90 * MINUTE, 'rings_1d + rings_1h + rings_5m'],
  ['minutes at its beginning', NOW - 2 * DAY + MINUTE, NOW - 30_500, 'rings_1m + rings_5m + rings_1h + flows'],
])('sums of %s are those of the time that was answered', async (_, fromMs, toMs, tables) => {
  const [frame] = await ask({ kind: 'table', groupBy: ['in_if'], measure: 'total' }, fromMs, toMs);
  const { custom } = frame?.schema.meta ?? {};
  expect(new Set(custom?.table.split(' + '))).toEqual(new Set(tables.split(' + ')));
  expect(sum(valuesOf(frame, 'bytes'))).toBe((custom?.toMs ?? 0) - (custom?.fromMs ?? 0));
  // What answers for which time is said, without a gap and without anything twice.
  const parts = custom?.tables ?? [];
  expect([parts[0]?.fromMs, parts.at(-1)?.toMs]).toEqual([custom?.fromMs, custom?.toMs]);
  parts.slice(1).forEach((part, index) => expect(part.fromMs).toBe(parts[index]?.toMs));
  const [rates] = await ask({ kind: 'table', groupBy: ['in_if'], measure: 'rate' }, fromMs, toMs);
  expect(sum(valuesOf(rates, 'bps'))).toBeCloseTo(8000, 6);
});

test.each([
  ['days', T0, DAY],
  ['hours', NOW - 9 * DAY, HOUR],
  ['5 minutes', NOW - 5 * DAY, 5 * MINUTE],
  ['minutes', NOW - 2 * DAY, MINUTE],
  ['10 seconds', NOW - 3 * HOUR, 10_000],
])('a line is flat across every seam, in buckets of %s', async (_, fromMs, stepMs) => {
  // Single records know no minute that is shorter than it is.
  for (const measure of stepMs < MINUTE ? (['rate'] as const) : (['rate', 'peak'] as const)) {
    const [frame] = await ask({ kind: 'timeseries', measure, intervalMs: stepMs, maxDataPoints: 5000 }, fromMs, NOW);
    const values = frame?.data.values[1] as number[];
    expect(values).toHaveLength((NOW - fromMs) / stepMs);
    expect([Math.min(...values), Math.max(...values)]).toEqual([8000, 8000]);
    expect(frame?.schema.meta.custom.stepSeconds).toBe(stepMs / 1000);
  }
});

test('a window of ten years has buckets of whole days and says where data begins', async () => {
  const [frame] = await ask({ kind: 'timeseries', measure: 'total' }, NOW - 3650 * DAY, NOW);
  const { custom } = frame?.schema.meta ?? {};
  expect([custom?.resolution, (custom?.stepSeconds ?? 1) % 86_400]).toEqual(['1d', 0]);
  expect(sum((frame?.data.values[1] ?? []) as number[])).toBe((custom?.toMs ?? 0) - T0);
  expect(frame?.schema.meta.notices.map(({ text }) => text).join()).toContain(
    'Data begins at 2026-01-01T00:00:00.000Z',
  );
});

test('what only single records have says since when, and what to leave out', async () => {
  const [frame] = await ask({ kind: 'table', groupBy: ['dst_port'] }, NOW - 10 * DAY, NOW);
  expect(frame?.schema.meta.notices).toEqual([
    {
      severity: 'warning',
      code: 'beyond_retention',
      text: 'What needs dst_port can be answered since 2026-01-12T00:00:00.000Z; leave out dst_port to go back to 2026-01-01T00:00:00.000Z',
    },
  ]);
});

test('every step of a time series is made of whole buckets of what is read', async () => {
  for (const { seconds } of RESOLUTIONS)
    for (const days of [1, 5, 8, 11])
      for (const points of [10, 100, 1000, 5000]) {
        const [frame] = await ask(
          { kind: 'timeseries', maxDataPoints: points, intervalMs: seconds * 400 },
          NOW - days * DAY,
          NOW,
        );
        const { stepSeconds = 0, tables = [] } = frame?.schema.meta.custom ?? {};
        for (const { resolution } of tables) {
          const length = RESOLUTIONS.find(({ name }) => name === resolution)?.seconds ?? 1;
          expect(stepSeconds % length).toBe(0);
        }
      }
});
