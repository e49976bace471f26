import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { RINGS } from '@ringflow/contract';
import { ARCHIVE_TABLES } from './archives.ts';
import { ARCHIVE_NAMES, STORE_DEFAULTS, type ArchiveName, type StoreConfig } from './config.ts';
import { createEmbeddedEngine } from './engine-embedded.ts';
import { migrate } from './migrations.ts';
import { limitMerges, type Dropped } from './retention.ts';
import type { Store } from './service.ts';
import { createTraffic } from './testing/batches.ts';
import { allRows, createWorld, firstRow, type World } from './testing/world.ts';

const run = promisify(execFile);
const NOON = Date.UTC(2026, 2, 10, 12, 0, 0);

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.remove());

async function started(...args: Parameters<World['store']>): Promise<Store> {
  const store = world.store(...args);
  await store.start();
  return store;
}

const DAY_MS = 86_400_000;
const MIB = 1024 * 1024;

/** The defaults, with other ages. */
function archives(seconds: Partial<Record<ArchiveName, number>>): StoreConfig['archives'] {
  const defaults = STORE_DEFAULTS.archives;
  return Object.fromEntries(
    ARCHIVE_NAMES.map((name) => [name, { ...defaults[name], seconds: seconds[name] ?? defaults[name].seconds }]),
  ) as unknown as StoreConfig['archives'];
}

/** Kilobytes on disk, as the operator sees them. */
async function diskUsage(directory: string): Promise<number> {
  // Files that go away meanwhile make du fail, after it has printed.
  const { stdout } = await run('du', ['-sk', directory]).catch((error: { stdout: string }) => error);
  return Number(stdout.split('\t')[0]) * 1024;
}

describe('age', () => {
  test('records older than their age go, whole days at a time; rings stay for theirs', async () => {
    for (const age of [0, 1, 2, 3])
      await world.seal(createTraffic({ rows: 100, seed: age + 1, receivedMs: NOON - age * DAY_MS }));
    const config = { archives: archives({ raw: 2 * 86_400, '1m': 3 * 86_400, '5m': 3 * 86_400, '1h': 0, '1d': 0 }) };
    const store = await started(config, { now: () => NOON });
    await store.load();
    const dropped = await store.retain();
    expect(dropped.map(({ table, what, why }) => [table, what, why])).toEqual([['flows', '20260307', 'age']]);
    expect(await firstRow(store, 'SELECT count(), min(toDate(time_received_ns)) FROM flows')).toEqual([
      300,
      '2026-03-08',
    ]);
    expect(await firstRow(store, 'SELECT sum(flows) FROM rings_1m WHERE ring = 1')).toEqual([400]);
    await store.stop();
    const later = await started(config, { now: () => NOON + 2 * DAY_MS });
    // Once records are gone, the others reach back to their arrival only, not to their flow times.
    expect(later.status().tables.find(({ table }) => table === 'flows')?.oldestMs).toBe(NOON - 2 * DAY_MS);
    expect((await later.retain()).map(({ table, what }) => [table, what])).toEqual([
      ['flows', '20260308'],
      ['flows', '20260309'],
      ['rings_1m', '20260307'],
      ['rings_1m', '20260308'],
      ['rings_5m', '20260307'],
      ['rings_5m', '20260308'],
    ]);
    // The day before the first that is left is a month of hours, which is not touched.
    expect(await firstRow(later, 'SELECT sum(flows) FROM rings_1h WHERE ring = 1')).toEqual([400]);
  });

  test('minutes are not dropped before their peaks were taken', async () => {
    await world.seal(createTraffic({ rows: 500, seed: 1, receivedMs: NOON }));
    const config = { archives: archives({ '1m': 86_400 }) };
    const store = await started(config, { now: () => NOON + 3 * DAY_MS });
    await store.load();
    const busiest = await firstRow(
      store,
      'SELECT max(b) FROM (SELECT sum(bytes) AS b FROM rings_1m WHERE ring = 6 AND dup = 0 GROUP BY bucket)',
    );
    expect((await store.retain()).map(({ table }) => table)).toEqual(['rings_1m']);
    expect(await firstRow(store, 'SELECT max(peak_bytes) FROM rings_1d WHERE ring = 6')).toEqual(busiest);
  });
});

describe('bytes', () => {
  test('the directory stays within the budget while five times as much comes in; oldest first, every ring answers', async () => {
    const maxBytes = 20 * MIB;
    let now = NOON;
    const dropped: Dropped[] = [];
    const store = await started(
      { max_bytes: maxBytes },
      { now: () => now, onDropped: (what) => dropped.push(...what) },
    );
    const directory = join(world.directory, 'engine');
    const usages: number[] = [];
    let watching = true;
    const watch = (async () => {
      while (watching) {
        usages.push(await diskUsage(directory));
        await sleep(50);
      }
    })();
    const rounds = 40;
    const rows = 12_000;
    for (let round = 0; round < rounds; round++) {
      now = NOON + round * 1_800_000;
      await world.seal(createTraffic({ rows, seed: round + 1, receivedMs: now, noise: true }));
      expect(await store.load()).toBe(true);
      await store.retain();
    }
    watching = false;
    await watch;
    expect(Math.max(...usages)).toBeLessThanOrEqual(maxBytes * 1.05);
    expect(dropped.length).toBeGreaterThan(20);
    expect(dropped[0]?.table).toBe('flows');
    expect(store.ledger()).toMatchObject({ stored: rounds * rows, difference: 0 });
    const newest = now - 600_000;
    for (const { table, oldestMs, sizeBytes, budgetBytes } of store
      .status()
      .tables.filter((status) => status.rows > 0)) {
      expect(sizeBytes).toBeLessThan(budgetBytes * 1.3);
      if (table === 'flows') continue;
      // What is left of a table is whole: every ring has every record of each bucket from the oldest on.
      const found = await allRows(
        store,
        `SELECT ring, sum(flows), sum(bytes) FROM ${table} WHERE bucket >= toDateTime(${(oldestMs as number) / 1000}, 'UTC') AND bucket < toDateTime(${newest / 1000}, 'UTC') GROUP BY ring`,
      );
      expect(found).toHaveLength(RINGS.length);
      expect(new Set(found.map(([, flows, bytes]) => `${String(flows)} ${String(bytes)}`)).size).toBe(1);
    }
    const [oldest] = await firstRow(store, 'SELECT toUnixTimestamp64Milli(min(time_received_ns)) FROM flows');
    expect(oldest).toBeGreaterThan(NOON + ((rounds - 15) / rounds) * (now - NOON));
  }, 240_000);

  test('tables that are empty and budgets that are kept drop nothing', async () => {
    const store = await started({}, { now: () => NOON });
    expect(await store.retain()).toEqual([]);
  });
});

test('merges take ten parts at least, make none larger than a 64th of the budget, and write with small buffers', async () => {
  const path = join(world.directory, 'engine');
  const { database } = STORE_DEFAULTS;
  const engine = createEmbeddedEngine({ path, database, querySlots: 1, maxWaiting: 1, maxMemoryBytes: 1e9 });
  await engine.open();
  try {
    await migrate(engine);
    await limitMerges(engine, 6400 * MIB);
    const made = await engine.select<{ name: string; statement: string }>(
      'SELECT name, create_table_query AS statement FROM system.tables WHERE database = currentDatabase() AND name IN {tables:Array(String)}',
      { tables: ARCHIVE_TABLES },
    );
    expect(made.map(({ name }) => name).sort()).toEqual([...ARCHIVE_TABLES].sort());
    for (const { statement } of made) {
      expect(statement).toContain('min_parts_to_merge_at_once = 10');
      expect(statement).toContain(`max_bytes_to_merge_at_max_space_in_pool = ${100 * MIB}`);
      expect(statement).toContain('max_compress_block_size = 131072');
    }
  } finally {
    await engine.close();
  }
});
