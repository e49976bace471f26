import { readdirSync } from 'node:fs';
import { RESOLUTIONS } from '@ringflow/contract';
import { createTraffic } from './testing/batches.ts';
import { newParts } from './testing/new-parts.ts';
import { createForkedStore, type ForkedStore } from './testing/forked-store.ts';
import { createWorld, firstRow, sums, type World } from './testing/world.ts';

const NOON = Date.UTC(2026, 2, 10, 12, 0, 0);
const SEGMENTS = 16;
const ROWS = 10_000;
const TABLES = ['flows', ...RESOLUTIONS.map(({ table }) => table)];

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

function waitingFiles(): number {
  return readdirSync(world.spoolDirectory).filter((name) => name.endsWith('.native')).length;
}

test('a store that is killed again and again in mid-load stores every record once, in raw and in all rings', async () => {
  // Around midnight, so that blocks go to two partitions each.
  const seal = (index: number): Promise<void> => {
    const drops = index === 3 ? 17 : 0;
    return world.seal(
      createTraffic({ rows: ROWS, seed: index + 1, receivedMs: NOON + 12 * 3_600_000 + (index - 4) * 1000 }),
      {
        received: ROWS + drops,
        rows: ROWS,
        dropped: drops > 0 ? [{ reason: 'spool_full', exporter: '192.0.2.1', records: drops }] : [],
      },
    );
  };
  let sealed = 0;
  while (sealed < 4) await seal(sealed++);
  let kills = 0;
  for (let attempt = 0; waitingFiles() > 0 && attempt < 40; attempt++) {
    // In mid-insert: when the tables have got this many parts more, two each.
    const parts = newParts(world, TABLES);
    const child = await forked.start();
    while (waitingFiles() > 0 && parts() < 1 + ((attempt * 3) % (2 * TABLES.length)))
      await new Promise((done) => setTimeout(done, 1));
    if (waitingFiles() > 0) kills++;
    await forked.kill(child);
    // What comes meanwhile must not join those that were being inserted.
    if (sealed < SEGMENTS) await seal(sealed++);
  }
  while (sealed < SEGMENTS) await seal(sealed++);
  const store = world.store();
  await store.start();
  expect(await store.load()).toBe(true);
  expect(kills).toBeGreaterThan(3);
  expect(await firstRow(store, 'SELECT count() FROM flows')).toEqual([SEGMENTS * ROWS]);
  const { raw, rings } = await sums(store);
  for (const [, , ...totals] of rings) expect(totals).toEqual(raw);
  expect(store.ledger()).toEqual({
    received: SEGMENTS * ROWS + 17,
    stored: SEGMENTS * ROWS,
    waiting: 0,
    dropped: [{ reason: 'spool_full', exporter: '192.0.2.1', records: 17 }],
    difference: 0,
  });
  expect(readdirSync(world.spoolDirectory).filter((name) => /\.(native|delta|lost|open)$/.test(name))).toEqual([]);
}, 300_000);
