import { spreadSql } from '@ringflow/contract';
import { COLUMN_INDEX, createBatch, useColumn, type Batch } from '../wire/index.ts';
import type { LoadResult } from './load.ts';
import type { Store } from './service.ts';
import { createRandom, writeIpv4, writeTime } from './testing/batches.ts';
import { allRows, createWorld, type World } from './testing/world.ts';

const NOON = Date.UTC(2026, 2, 10, 12, 0, 0);
const SECOND = 1000;
const MINUTE = 60_000;

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.remove());

interface Flow {
  readonly startMs: number;
  readonly endMs: number;
  readonly bytes: number;
  readonly receivedMs?: number;
  readonly quality?: number;
}

function batchOf(flows: readonly Flow[]): Batch {
  const batch = createBatch({ rowLimit: flows.length });
  const column = (name: keyof typeof COLUMN_INDEX) => useColumn(batch, COLUMN_INDEX[name]) as Uint32Array;
  flows.forEach(({ startMs, endMs, bytes, receivedMs = endMs + SECOND, quality = 0 }, row) => {
    writeTime(column('time_received_ns'), row, receivedMs, 0);
    writeTime(column('time_flow_start_ns'), row, startMs, 0);
    writeTime(column('time_flow_end_ns'), row, endMs, 0);
    column('bytes')[row * 2] = bytes >>> 0;
    column('bytes')[row * 2 + 1] = Math.floor(bytes / 2 ** 32);
    column('packets')[row * 2] = 1;
    column('quality')[row] = quality;
    writeIpv4(column('sampler_address'), row, 0xc0000201);
  });
  batch.rows = flows.length;
  return batch;
}

async function loaded(flows: readonly Flow[], results: LoadResult[] = []): Promise<Store> {
  await world.seal(batchOf(flows));
  const store = world.store({}, { onLoaded: (result) => results.push(result) });
  await store.start();
  await store.load();
  return store;
}

/** Bits per second of every bucket: of the rings, or of the records spread by the same formula. */
async function rates(store: Store, seconds: number): Promise<number[]> {
  const table = ({ 60: 'rings_1m', 300: 'rings_5m', 3600: 'rings_1h' } as Record<number, string>)[seconds];
  const sql = table
    ? `SELECT sum(bytes) * 8 / ${seconds} FROM ${table} WHERE ring = 6 GROUP BY bucket ORDER BY bucket`
    : `SELECT sum(${spreadSql('all_bytes', 's', 'e', 'k0', 'k1')}) * 8 / ${seconds} FROM (
SELECT bytes AS all_bytes, toUnixTimestamp64Milli(time_flow_start_ns) AS s, toUnixTimestamp64Milli(time_flow_end_ns) AS e, toInt64(arrayJoin(range(toUInt32(intDiv(s, ${seconds * 1000})), toUInt32(intDiv(e, ${seconds * 1000}) + 1)))) AS k, k * ${seconds * 1000} AS k0, (k + 1) * ${seconds * 1000} AS k1
FROM flows) GROUP BY k ORDER BY k`;
  return (await allRows(store, sql)).map(([value]) => Number(value));
}

test('a flow of 60 s that fills a port of 10 Gbit/s never shows a point above it', async () => {
  const speed = 1e10;
  // Back to back for ten minutes, cut at odd moments: each is exported at once when its minute is over.
  const flows = Array.from({ length: 10 }, (_, index) => {
    const startMs = NOON + 17_321 + index * MINUTE;
    return { startMs, endMs: startMs + MINUTE, bytes: (speed / 8) * 60 };
  });
  const store = await loaded(flows);
  for (const seconds of [1, 60, 300, 3600]) {
    const found = await rates(store, seconds);
    expect(Math.max(...found)).toBeLessThanOrEqual(speed);
    const whole = { 1: 600, 60: 9, 300: 1, 3600: 0 }[seconds] as number;
    expect(found.filter((rate) => rate > speed * 0.999).length).toBeGreaterThanOrEqual(whole - 2);
  }
});

test('a steady sender with an active timeout of 60 s draws a flat line', async () => {
  const random = createRandom(5);
  const perConversation = 2e6 / 8;
  const flows: Flow[] = [];
  // Two hundred conversations that were all there before and go on after: cut where their own timeouts fall.
  for (let conversation = 0; conversation < 200; conversation++) {
    let startMs = NOON - MINUTE + Math.floor(random() * MINUTE);
    while (startMs < NOON + 22 * MINUTE) {
      flows.push({ startMs, endMs: startMs + MINUTE, bytes: perConversation * 60 });
      startMs += MINUTE;
    }
  }
  const store = await loaded(flows);
  for (const [seconds, from, to] of [
    [1, 120, 1200],
    [60, 2, 20],
    [300, 1, 4],
  ] as const) {
    // The first and last buckets are not full: the sender comes and goes there.
    const found = (await rates(store, seconds)).slice(from, to);
    expect(found.length).toBe(to - from);
    for (const rate of found) expect(Math.abs(rate / (200 * 2e6) - 1)).toBeLessThan(0.02);
  }
});

test('late records and odd times are counted by exporter', async () => {
  const results: LoadResult[] = [];
  const at = (ms: number, more: Partial<Flow> = {}): Flow => ({ startMs: ms, endMs: ms, bytes: 1000, ...more });
  await loaded(
    [
      at(NOON, { receivedMs: NOON + 3_600_000 }),
      at(NOON, { receivedMs: NOON + 3_600_001 }),
      at(NOON, { receivedMs: NOON + 86_400_000, bytes: 500 }),
      at(NOON, { quality: 2 }),
      at(NOON, { quality: 6 }),
      at(NOON, { receivedMs: NOON - 300_001 }),
      at(NOON, { receivedMs: NOON - 300_000 }),
      at(NOON, { startMs: NOON - 172_800_001 }),
    ],
    results,
  );
  const exporter = '192.0.2.1';
  const odd = (reason: string) => ({ kind: 'times', exporter, reason, bytes: 0, packets: 0, records: 1 });
  expect(results[0]?.traffic.filter(({ kind }) => kind === 'late' || kind === 'times')).toEqual([
    { kind: 'late', exporter, bytes: 1500, packets: 2, records: 2 },
    ...['moved', 'corrected', 'ahead', 'cut'].map(odd),
  ]);
});

test('a late record is added to the bucket of its time, at every resolution', async () => {
  const store = await loaded([
    { startMs: NOON, endMs: NOON, bytes: 1000 },
    { startMs: NOON, endMs: NOON, bytes: 7, receivedMs: NOON + 5 * 86_400_000 },
  ]);
  for (const table of ['rings_1m', 'rings_5m', 'rings_1h', 'rings_1d'])
    expect(await allRows(store, `SELECT sum(bytes), sum(flows) FROM ${table} WHERE ring = 6 GROUP BY bucket`)).toEqual([
      [1007, 2],
    ]);
});
