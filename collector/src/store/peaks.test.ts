import { join } from 'node:path';
import { RESOLUTIONS, RINGS } from '@ringflow/contract';
import { STORE_DEFAULTS } from './config.ts';
import { createEmbeddedEngine } from './engine-embedded.ts';
import type { Engine } from './engine.ts';
import { insertCells } from './inserts.ts';
import { migrate } from './migrations.ts';
import { consolidatePeaks } from './peaks.ts';
import { RING_KEYS } from './rings.ts';
import { openSegments } from './segment-source.ts';
import { createWildTraffic } from './testing/wild.ts';
import { createWorld, type World } from './testing/world.ts';
import { scanSpool, segmentId, type Segment } from '../spool/index.ts';
import type { Batch } from '../wire/index.ts';

const NOON = Date.UTC(2026, 2, 10, 12, 0, 0);
const HOUR_MS = 3_600_000;
const KEYS = RING_KEYS.map(({ name }) => name).join(', ');

let world: World;
let engine: Engine;
let load: (batch: Batch) => Promise<void>;

beforeEach(async () => {
  world = await createWorld();
  engine = createEmbeddedEngine({
    path: join(world.directory, 'engine'),
    database: STORE_DEFAULTS.database,
    querySlots: 1,
    maxWaiting: 10,
    maxMemoryBytes: 2e9,
  });
  await engine.open();
  await migrate(engine);
  load = async (batch) => {
    await world.seal(batch);
    const segment = (await scanSpool(world.spoolDirectory)).ready.at(-1) as Segment;
    const source = await openSegments(world.spoolDirectory, [segment]);
    await insertCells(engine, source, segmentId(segment));
  };
});
afterEach(async () => {
  await engine.close();
  await world.remove();
});

async function consolidateAll(nowMs: number): Promise<number> {
  let buckets = 0;
  for (let more = true; more;) {
    const report = await consolidatePeaks(engine, nowMs);
    buckets += report.done;
    more = report.more;
  }
  return buckets;
}

/** Cells of a resolution whose peak is not the largest minute, and how many cells there are. */
async function wrongPeaks(table: string, seconds: number): Promise<{ wrong: number; cells: number; rings: number }> {
  const [row] = await engine.select<{ wrong: number; cells: number; rings: number }>(
    `SELECT countIf((pb, pp, pf) != (mb, mp, mf) OR (b, p, f) != (sb, sp, sf)) AS wrong, count() AS cells, uniqExact(ring) AS rings
FROM (
  SELECT ring, bucket, ${KEYS}, sum(bytes) AS b, sum(packets) AS p, sum(flows) AS f, max(peak_bytes) AS pb, max(peak_packets) AS pp, max(peak_flows) AS pf
  FROM ${table} GROUP BY ring, bucket, ${KEYS}
) AS kept
FULL JOIN (
  SELECT ring, toStartOfInterval(minute, INTERVAL ${seconds} SECOND, 'UTC') AS bucket, ${KEYS}, max(b) AS mb, max(p) AS mp, max(f) AS mf, sum(b) AS sb, sum(p) AS sp, sum(f) AS sf
  FROM (SELECT ring, bucket AS minute, ${KEYS}, sum(bytes) AS b, sum(packets) AS p, sum(flows) AS f FROM rings_1m GROUP BY ring, minute, ${KEYS})
  GROUP BY ring, bucket, ${KEYS}
) AS minutes USING (ring, bucket, ${KEYS})`,
  );
  return row as { wrong: number; cells: number; rings: number };
}

async function expectAllPeaks(): Promise<void> {
  for (const { table, seconds } of RESOLUTIONS.slice(1)) {
    const found = await wrongPeaks(table, seconds);
    expect([table, found.wrong, found.rings]).toEqual([table, 0, RINGS.length]);
    expect(found.cells).toBeGreaterThan(500);
  }
}

test('the peak of every cell is its busiest whole minute at every resolution, also after records that come late', async () => {
  await load(createWildTraffic({ rows: 600, seed: 1, receivedMs: NOON }));
  await load(createWildTraffic({ rows: 600, seed: 2, receivedMs: NOON + 60_000 }));
  const later = NOON + HOUR_MS;
  expect(await consolidateAll(later)).toBeGreaterThan(100);
  await expectAllPeaks();
  // Nothing changed: nothing to do.
  expect(await consolidateAll(later + HOUR_MS)).toBe(0);

  await load(createWildTraffic({ rows: 400, seed: 3, receivedMs: NOON + HOUR_MS, latestMs: 8 * HOUR_MS }));
  expect((await wrongPeaks('rings_1d', 86_400)).wrong).toBeGreaterThan(0);
  await consolidateAll(later + HOUR_MS);
  await expectAllPeaks();
}, 60_000);

test('a bucket is left alone until it is closed, and what is touched again waits a while', async () => {
  await load(createWildTraffic({ rows: 500, seed: 1, receivedMs: NOON + 30_000, latestMs: 1, longestMs: 1 }));
  expect(await consolidateAll(NOON + 300_000)).toBe(0);
  expect(await consolidateAll(NOON + 420_000)).toBe(1);
  await load(createWildTraffic({ rows: 500, seed: 2, receivedMs: NOON + 40_000, latestMs: 1, longestMs: 1 }));
  expect(await consolidateAll(NOON + 480_000)).toBe(0);
  expect(await consolidateAll(NOON + 420_000 + 900_000)).toBe(1);
});

test('a run that ended before it was marked is repeated, with the same peaks', async () => {
  await load(createWildTraffic({ rows: 300, seed: 1, receivedMs: NOON }));
  const buckets = await consolidateAll(NOON + HOUR_MS);
  // What a kill in the middle leaves: rows in one table and not in the next, no mark.
  await engine.exec('TRUNCATE TABLE peak_state');
  for (const table of ['rings_1h', 'rings_1d'])
    await engine.exec(
      `ALTER TABLE ${table} UPDATE peak_bytes = 0, peak_packets = 0, peak_flows = 0 WHERE 1`,
      {},
      { mutations_sync: 1 },
    );
  expect(await consolidateAll(NOON + HOUR_MS)).toBe(buckets);
  await expectAllPeaks();
}, 60_000);
