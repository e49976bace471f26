import { readdirSync } from 'node:fs';
import { RESOLUTIONS } from '@ringflow/contract';
import { INSERT_ROWS } from './groups.ts';
import { createTraffic } from './testing/batches.ts';
import { newParts } from './testing/new-parts.ts';
import { createForkedStore, type ForkedStore } from './testing/forked-store.ts';
import { createWorld, firstRow, sums, type World } from './testing/world.ts';

const NOON = Date.UTC(2026, 2, 10, 12, 0, 0);
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

/** Loads segments while the store is killed in mid-insert, later and later, and looks at what is there in the end. */
async function killInMidLoad({ segments, rows }: { segments: number; rows: number }): Promise<void> {
  // Around midnight, so that blocks go to two partitions each.
  const seal = (index: number): Promise<void> => {
    const drops = index === 3 ? 17 : 0;
    return world.seal(
      createTraffic({ rows, seed: index + 1, receivedMs: NOON + 12 * 3_600_000 + (index - 4) * 1000 }),
      {
        received: rows + drops,
        rows,
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
    if (sealed < segments) await seal(sealed++);
  }
  while (sealed < segments) await seal(sealed++);
  const store = world.store();
  await store.start();
  expect(await store.load()).toBe(true);
  expect(kills).toBeGreaterThan(3);
  expect(await firstRow(store, 'SELECT count() FROM flows')).toEqual([segments * rows]);
  const { raw, rings } = await sums(store);
  for (const [, , ...totals] of rings) expect(totals).toEqual(raw);
  expect(store.ledger()).toEqual({
    received: segments * rows + 17,
    stored: segments * rows,
    waiting: 0,
    dropped: [{ reason: 'spool_full', exporter: '192.0.2.1', records: 17 }],
    difference: 0,
  });
  expect(readdirSync(world.spoolDirectory).filter((name) => /\.(native|delta|lost|open)$/.test(name))).toEqual([]);
}

test('a store that is killed again and again in mid-load stores every record once, in raw and in all rings', async () => {
  await killInMidLoad({ segments: 16, rows: 10_000 });
}, 300_000);

test('the same with groups that go into the raw table by several inserts', async () => {
  await killInMidLoad({ segments: 8, rows: Math.floor(INSERT_ROWS / 2) + 1 });
}, 300_000);
