import { join } from 'node:path';
import { scanSpool } from '../spool/index.ts';
import { COLUMN_INDEX, createBatch, useColumn, type Batch } from '../wire/index.ts';
import { createEmbeddedEngine } from './engine-embedded.ts';
import { insertCells } from './inserts.ts';
import type { LoadResult } from './load.ts';
import { migrate } from './migrations.ts';
import { openSegments } from './segment-source.ts';
import { createTraffic, writeTime } from './testing/batches.ts';
import { startHttpFront } from './testing/http-front.ts';
import { createWorld, firstRow, sums, type World } from './testing/world.ts';

const NOON = Date.UTC(2026, 2, 10, 12);
const DAY_MS = 86_400_000;

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.remove());

function startDayBefore(batch: Batch): Batch {
  const start = useColumn(batch, COLUMN_INDEX.time_flow_start_ns) as Uint32Array;
  for (let row = 0; row < batch.rows; row++) writeTime(start, row, NOON - DAY_MS, 0);
  return batch;
}

test('day-long flows are loaded in slices and without those that wait beside them: every record once, rings equal raw', async () => {
  await world.seal(startDayBefore(createTraffic({ rows: 1_200, seed: 3, receivedMs: NOON })));
  await world.seal(createTraffic({ rows: 100, seed: 4, receivedMs: NOON }));
  await world.seal(createTraffic({ rows: 100, seed: 5, receivedMs: NOON }));
  const results: LoadResult[] = [];
  const store = world.store({}, { onLoaded: (result) => results.push(result) });
  await store.start();
  await store.load();
  expect(results.map(({ rows, segments }) => [rows, segments.length])).toEqual([
    [1_200, 1],
    [200, 2],
  ]);
  expect(store.ledger()).toEqual({ received: 1_400, stored: 1_400, waiting: 0, dropped: [], difference: 0 });
  const { raw, rings } = await sums(store);
  for (const ring of rings) expect(ring.slice(2)).toEqual(raw);
  // A day has 1,440 minutes: each of them has its part of the bytes.
  const [minutes] = await firstRow(store, 'SELECT uniqExact(bucket) FROM rings_1m WHERE ring = 1');
  expect(Number(minutes)).toBeGreaterThan(1_435);
}, 300_000);

test.each(['embedded', 'remote'])(
  'a stop does not wait for a statement that takes long: the segment waits, no failure is told, and the next start ends it; %s',
  async (kind) => {
    const front = kind === 'remote' ? await startHttpFront() : null;
    const config = { url: front?.url ?? '' };
    try {
      await world.seal(startDayBefore(createTraffic({ rows: 650, seed: 6, receivedMs: NOON })));
      const errors: string[] = [];
      const onError = (error: Error) => errors.push(error.message);
      const first = world.store(config, { onError });
      await first.start();
      const loaded = first.load();
      while ((await firstRow(first, 'SELECT count() FROM flows'))[0] !== 650);
      await first.stop();
      expect(await loaded).toBe(false);
      expect([first.status().loadFailures, errors]).toEqual([0, []]);
      expect(first.ledger()).toMatchObject({ stored: 0, waiting: 650, difference: 0 });
      const second = world.store(config, { onError });
      await second.start();
      await second.load();
      expect(second.ledger()).toEqual({ received: 650, stored: 650, waiting: 0, dropped: [], difference: 0 });
      const { raw, rings } = await sums(second);
      expect(raw[2]).toBe(650);
      for (const ring of rings) expect(ring.slice(2)).toEqual(raw);
      expect(errors).toEqual([]);
      await second.stop();
    } finally {
      await front?.close();
    }
  },
  300_000,
);

test('flows are spread a block at a time: two million row-minutes of few cells take little memory', async () => {
  const batch = createBatch({ rowLimit: 1_400 });
  batch.rows = 1_400;
  const end = useColumn(batch, COLUMN_INDEX.time_flow_end_ns) as Uint32Array;
  for (let row = 0; row < batch.rows; row++) writeTime(end, row, NOON, 0);
  await world.seal(startDayBefore(batch));
  const engine = createEmbeddedEngine({
    path: join(world.directory, 'engine'),
    database: 'ringflow',
    querySlots: 1,
    maxWaiting: 1,
    maxMemoryBytes: 4e9,
  });
  await engine.open();
  try {
    await migrate(engine);
    const source = await openSegments(world.spoolDirectory, (await scanSpool(world.spoolDirectory)).ready);
    let peakBytes = 0;
    let done = false;
    const inserted = insertCells(engine, source, 'x').finally(() => (done = true));
    while (!done) {
      const [row] = await engine.select<{ peak: number }>(
        "SELECT max(peak_memory_usage) AS peak FROM system.processes WHERE query LIKE 'INSERT INTO rings_1m%'",
      );
      peakBytes = Math.max(peakBytes, row?.peak ?? 0);
    }
    await inserted;
    expect(await engine.select('SELECT sum(flows) AS flows FROM rings_1d WHERE ring = 6')).toEqual([{ flows: 1_400 }]);
    expect(peakBytes).toBeGreaterThan(1e6);
    expect(peakBytes).toBeLessThan(200e6);
  } finally {
    await engine.close();
  }
}, 60_000);
