import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { STORE_DEFAULTS } from './config.ts';
import { createEmbeddedEngine } from './engine-embedded.ts';
import { retain } from './retention.ts';
import type { Store } from './service.ts';
import { createTraffic } from './testing/batches.ts';
import { createWorld, firstRow, type World } from './testing/world.ts';

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

const bytesOf = (store: Store): number => store.status().tables.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);

describe('retention', () => {
  test('records older than their age go, whole days at a time; rings stay for theirs', async () => {
    const day = 86_400_000;
    for (const age of [0, 1, 2, 3])
      await world.seal(createTraffic({ rows: 100, seed: age + 1, receivedMs: NOON - age * day }));
    const retention = { raw_seconds: 2 * 86_400, rings_1m_seconds: 3 * 86_400, rings_1h_seconds: 0 };
    const store = await started({ retention }, { now: () => NOON });
    await store.load();
    const dropped = await store.retain();
    expect(dropped.map(({ table, what, why }) => [table, what, why])).toEqual([['flows', '20260307', 'age']]);
    expect(await firstRow(store, 'SELECT count(), min(toDate(time_received_ns)) FROM flows')).toEqual([
      300,
      '2026-03-08',
    ]);
    expect(await firstRow(store, 'SELECT sum(flows) FROM rings_1m WHERE ring = 1')).toEqual([400]);
    await store.stop();
    const later = await started({ retention }, { now: () => NOON + 2 * day });
    // Once records are gone, the others reach back to their arrival only, not to their flow times.
    expect(later.status().tables.find(({ table }) => table === 'flows')?.oldestMs).toBe(NOON - 2 * day);
    expect((await later.retain()).map(({ table, what }) => [table, what])).toEqual([
      ['flows', '20260308'],
      ['flows', '20260309'],
      ['rings_1m', '20260307'],
      ['rings_1m', '20260308'],
    ]);
  });

  test('the budget holds while segments come in, oldest records first, even within one day', async () => {
    const maxBytes = 16 * 1024 * 1024;
    const store = await started({ max_bytes: maxBytes }, { now: () => NOON + 60_000 });
    let seed = 0;
    for (let round = 0; round < 8; round++) {
      for (let segment = 0; segment < 2; segment++)
        await world.seal(createTraffic({ rows: 50_000, seed: ++seed, receivedMs: NOON + seed * 1000 }));
      await store.load();
      expect(bytesOf(store)).toBeLessThan(maxBytes * 1.1);
    }
    await store.retain();
    // The store looks at its tables every five seconds.
    await sleep(5100);
    await store.load();
    expect(bytesOf(store)).toBeGreaterThan(0);
    expect(bytesOf(store)).toBeLessThanOrEqual(maxBytes);
    const [rows, oldest, newest] = await firstRow(
      store,
      'SELECT count(), toUnixTimestamp64Milli(min(time_received_ns)), toUnixTimestamp64Milli(max(time_received_ns)) FROM flows',
    );
    expect(rows).toBeGreaterThan(100_000);
    expect(rows).toBeLessThan(16 * 50_000);
    expect(oldest).toBeGreaterThanOrEqual(NOON + 2000);
    expect(newest).toBeGreaterThanOrEqual(NOON + 16_000);
    expect(await firstRow(store, 'SELECT sum(flows) FROM rings_1h WHERE ring = 1')).toEqual([16 * 50_000]);
    expect(store.ledger()).toMatchObject({ stored: 16 * 50_000, difference: 0 });
  }, 120_000);

  test('tables that are empty and budgets that are kept drop nothing', async () => {
    const engine = createEmbeddedEngine({
      path: join(world.directory, 'engine'),
      database: 'ringflow',
      querySlots: 1,
      maxWaiting: 10,
      maxMemoryBytes: 2e9,
    });
    await engine.open();
    expect(await retain(engine, STORE_DEFAULTS, NOON)).toEqual([]);
    await engine.close();
  });
});
