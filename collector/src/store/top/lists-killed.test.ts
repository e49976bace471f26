import { newParts } from '../testing/new-parts.ts';
import { expectListsEqualRings } from '../testing/top-lists.ts';
import { createForkedStore, type ForkedStore } from '../testing/forked-store.ts';
import { createTopTraffic } from '../testing/top-traffic.ts';
import { createWorld, firstRow, type World } from '../testing/world.ts';
import { TOP_TABLES } from './tables.ts';

const NOON = Date.UTC(2026, 2, 10, 12, 0, 0);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const SEGMENTS = 4;
const ROWS = 2000;
const ATTEMPTS = 8;

let world: World;
let forked: ForkedStore;
beforeEach(async () => {
  world = await createWorld();
  forked = await createForkedStore(world);
});
afterEach(async () => {
  forked.killAll();
  await world.remove();
});

test('killed at any moment of batches, hours and days, the lists add up to the rings', async () => {
  const config = { top_k: 30, top_batch_rows: ROWS };
  for (let index = 0; index < SEGMENTS; index++) {
    await world.seal(createTopTraffic({ rows: ROWS, seed: index + 1, receivedMs: NOON + index * 20 * MINUTE }));
  }
  let kills = 0;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    // Each start is later, so that hours and, in the end, a day are due in between.
    const clock = { startMs: NOON + 2 * HOUR + attempt * 100 * MINUTE, speed: 100 };
    const child = await forked.start({ config, clock, consolidates: true }, 'loaded');
    let idle = false;
    child.on('message', (message) => (idle ||= message === 'idle'));
    // In mid-step: when the tables have got this many parts more.
    const parts = newParts(world, TOP_TABLES);
    while (!idle && parts() < 1 + (attempt % 3)) await new Promise((done) => setTimeout(done, 1));
    if (!idle) kills++;
    await forked.kill(child);
  }
  expect(kills).toBeGreaterThan(ATTEMPTS / 2);
  const store = world.store(config, { now: () => NOON + 60 * HOUR });
  await store.start();
  expect(await store.load()).toBe(true);
  while (await store.consolidate());
  expect(await firstRow(store, 'SELECT count() FROM flows')).toEqual([SEGMENTS * ROWS]);
  await expectListsEqualRings(store);
  expect(await firstRow(store, 'SELECT count() FROM top_5m WHERE other')).not.toEqual([0]);
}, 300_000);
