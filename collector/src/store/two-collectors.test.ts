import type { ChildProcess } from 'node:child_process';
import { createForkedStore, type ForkedStore } from './testing/forked-store.ts';
import { startHttpFront, type HttpFront } from './testing/http-front.ts';
import { expectListsEqualRings } from './testing/top-lists.ts';
import { createTopTraffic } from './testing/top-traffic.ts';
import type { Store } from './service.ts';
import { createWorld, firstRow, sums, type World } from './testing/world.ts';

const NOON = Date.UTC(2026, 2, 10, 12, 0, 0);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const SEGMENTS = 4;
const ROWS = 1500;
const ATTEMPTS = 4;

let front: HttpFront;
let worlds: World[];
let collectors: ForkedStore[];

beforeEach(async () => {
  worlds = [await createWorld(), await createWorld()];
  collectors = await Promise.all(worlds.map(createForkedStore));
});
afterEach(async () => {
  for (const collector of collectors) collector.killAll();
  for (const world of worlds) await world.remove();
  await front.close();
});

/** Waits for the next result of a segment; not for ever, as the last one may have come before. */
function somethingLoaded(child: ChildProcess): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, 2000);
    child.once('message', () => {
      clearTimeout(timer);
      done();
    });
  });
}

/** Two collectors, each with a spool of its own, load and consolidate at the same time; each is killed again and again. */
async function feedOneStore(cluster?: string): Promise<void> {
  front = await startHttpFront(cluster);
  const config = { url: front.url, cluster: cluster ?? '', top_k: 30, top_batch_rows: ROWS };
  for (const [collector, world] of worlds.entries())
    for (let index = 0; index < SEGMENTS; index++) {
      const seed = collector * SEGMENTS + index + 1;
      await world.seal(createTopTraffic({ rows: ROWS, seed, receivedMs: NOON + index * 20 * MINUTE }));
    }

  let kills = 0;
  const live = async (forked: ForkedStore, collector: number): Promise<void> => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const clock = { startMs: NOON + 2 * HOUR + attempt * 100 * MINUTE, speed: 100 };
      // First in the middle of loading, then of the top lists.
      const isLoading = attempt < ATTEMPTS / 2;
      const child = await forked.start({ config, clock, consolidates: true }, isLoading ? 'ready' : 'loaded');
      let idle = false;
      child.on('message', (message) => (idle ||= message === 'idle'));
      if (isLoading) await somethingLoaded(child);
      await new Promise((done) => setTimeout(done, (attempt * 230 + collector * 310) % (isLoading ? 190 : 1100)));
      if (!idle) kills++;
      await forked.kill(child);
    }
  };
  await Promise.all(collectors.map(live));
  expect(kills).toBeGreaterThanOrEqual(ATTEMPTS);

  const stores = worlds.map((world) => world.store(config, { now: () => NOON + 60 * HOUR }));
  await Promise.all(stores.map((store) => store.start()));
  for (const store of stores) {
    expect(await store.load()).toBe(true);
    while (await store.consolidate());
    expect(store.ledger()).toMatchObject({
      received: SEGMENTS * ROWS,
      stored: SEGMENTS * ROWS,
      waiting: 0,
      difference: 0,
    });
  }
  const [store] = stores;
  if (!store) throw new Error('There is no store');
  expect(await firstRow(store, 'SELECT count() FROM flows')).toEqual([2 * SEGMENTS * ROWS]);
  const { raw, rings } = await sums(store);
  for (const [, , ...totals] of rings) expect(totals).toEqual(raw);
  await expectListsEqualRings(store);
  expect(await firstRow(store, 'SELECT count() FROM top_5m WHERE other')).not.toEqual([0]);
  // Each has made its own rows of the lists.
  expect(await firstRow(store, 'SELECT uniqExact(loader) FROM top_5m')).toEqual([2]);
}

test('two collectors that are killed again and again feed one server: nothing is lost or doubled, top lists too', async () => {
  await feedOneStore();
}, 600_000);

test('the same with Distributed tables', async () => {
  await feedOneStore('flows_cluster');
}, 600_000);

test('the open batch of a collector that is gone goes into the top lists by another one; back again, it goes on', async () => {
  front = await startHttpFront();
  let nowMs = NOON;
  const [gone, other] = worlds.map((world) => world.store({ url: front.url, top_k: 30 }, { now: () => nowMs })) as [
    Store,
    Store,
  ];
  const listed = () => firstRow(other, 'SELECT sum(flows), uniqExact(loader) FROM top_5m WHERE list = 1');
  const load = async (store: Store, world: number, seed: number): Promise<void> => {
    await worlds[world]?.seal(createTopTraffic({ rows: ROWS, seed, receivedMs: NOON }));
    expect(await store.load()).toBe(true);
  };
  await gone.start();
  await other.start();
  await load(gone, 0, 1);
  await load(other, 1, 2);
  nowMs += 10 * MINUTE;
  while (await other.consolidate());
  // Ten minutes are no reason to take somebody for dead.
  expect(await listed()).toEqual([ROWS, 1]);
  nowMs += 2 * HOUR;
  while (await other.consolidate());
  expect(await listed()).toEqual([2 * ROWS, 2]);
  await load(gone, 0, 3);
  nowMs += 10 * MINUTE;
  while (await gone.consolidate());
  expect(await listed()).toEqual([3 * ROWS, 2]);
  nowMs += 30 * HOUR;
  while (await other.consolidate());
  while (await gone.consolidate());
  await expectListsEqualRings(other);
}, 300_000);
