import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { RESOLUTIONS, TOP_LISTS, TOP_RESOLUTIONS } from '@ringflow/contract';
import { scanSpool } from '../../spool/index.ts';
import { COLUMN_INDEX, useColumn } from '../../wire/index.ts';
import { STORE_DEFAULTS } from '../config.ts';
import type { Engine } from '../engine.ts';
import { createDurableLedger } from '../ledger.ts';
import { createLoader } from '../load.ts';
import { migrate } from '../migrations.ts';
import { createEngine } from '../service.ts';
import { createTopTraffic } from '../testing/top-traffic.ts';
import { createWorld, type World } from '../testing/world.ts';
import { createTopBatches } from './batches.ts';
import { createKeptSegments } from './kept-segments.ts';
import { createTopLists } from './lists.ts';

const NOON = Date.UTC(2026, 2, 10, 12, 0, 0);

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.remove());

/** Two segments, with IPv4 alone and mixed; some records of the first have counters that were never true. */
async function seal(): Promise<void> {
  const times = { receivedMs: NOON, rows: 1500 };
  const wide = createTopTraffic({ ...times, seed: 5 });
  const bytes = useColumn(wide, COLUMN_INDEX.bytes) as Uint32Array;
  for (let row = 0; row < 20; row++) bytes[row * 2 + 1] = 0xfff00000 + row;
  await world.seal(wide);
  const narrow = createTopTraffic({ ...times, seed: 6, longestMs: 30 * 3_600_000, rows: 400 });
  for (const name of ['src_addr', 'dst_addr'] as const) {
    const words = useColumn(narrow, COLUMN_INDEX[name]) as Uint32Array;
    for (let row = 0; row < narrow.rows; row++) words.set([0, 0, 0xffff0000], row * 4);
  }
  await world.seal(narrow);
}

interface Made {
  /** Rows of the tables of top lists, in an order that does not depend on how they were made. */
  readonly rows: readonly unknown[];
  /** Sums of each list, and of the rings, by bucket, exporter and kind of duplicate. */
  readonly sums: readonly unknown[];
  /** Batches whose records were read from the table. */
  readonly selected: number;
  /** Files that were kept, when all was in the lists. */
  readonly left: readonly string[];
}

/** Loads what was sealed and makes lists with room for so many bytes of kept segments. */
async function make(maxKeptBytes: number, name: string): Promise<Made> {
  const directory = join(world.directory, name);
  await mkdir(directory, { recursive: true });
  const engine = createEngine({ ...STORE_DEFAULTS, query_slots: 1 }, join(directory, 'engine'));
  await engine.open();
  try {
    await migrate(engine);
    let selected = 0;
    const counting: Engine = {
      ...engine,
      selectToFile(...call) {
        selected++;
        return engine.selectToFile(...call);
      },
    };
    const ledger = createDurableLedger(join(directory, 'ledger.json'));
    await ledger.load();
    let nowMs = NOON;
    const now = () => nowMs;
    const batches = createTopBatches({ engine, instance: ledger.instance, now });
    await batches.start();
    const kept = createKeptSegments(maxKeptBytes);
    await kept.start(join(directory, 'kept'));
    const loader = createLoader(world.spoolDirectory, { engine, ledger, batches, kept });
    for (let waiting = (await scanSpool(world.spoolDirectory)).ready; waiting.length > 0;) {
      const { segments } = await loader.load(loader.next(waiting));
      waiting = waiting.slice(segments.length);
    }
    // All hours and days are over: records go into every table with their batch.
    nowMs += 50 * 3_600_000;
    const commit = (work: () => Promise<void>) => work();
    const lists = createTopLists({
      engine: counting,
      batches,
      now,
      kept,
      directory: join(directory, 'lists'),
      // More than there are: nothing depends on which of two equal rows is kept.
      topK: () => 100_000,
      commit,
    });
    while (await lists.run());
    const rows: unknown[] = [];
    const sums: unknown[] = [];
    const scope = 'toUnixTimestamp(bucket) AS at, toString(sampler_address) AS exporter, dup';
    const values = ['bytes', 'packets', 'flows'].map((value) => `toString(sum(${value})) AS ${value}_sum`).join(', ');
    const by = 'GROUP BY at, exporter, dup ORDER BY at, exporter, dup';
    for (const { name: resolution, table } of TOP_RESOLUTIONS) {
      rows.push(await engine.select(`SELECT * EXCEPT (loader) FROM ${table} FINAL ORDER BY ALL`));
      const rings = RESOLUTIONS.find((one) => one.name === resolution)?.table ?? '';
      const truth = await engine.select(`SELECT ${scope}, ${values} FROM ${rings} WHERE ring = 1 ${by}`);
      for (const { id } of TOP_LISTS)
        sums.push([await engine.select(`SELECT ${scope}, ${values} FROM ${table} WHERE list = ${id} ${by}`), truth]);
    }
    return { rows, sums, selected, left: await readdir(join(directory, 'kept')) };
  } finally {
    await engine.close();
  }
}

test('lists made of kept segments are those made of the table, also of counters that fill 64 bits; without room nothing is kept', async () => {
  await seal();
  const kept = await make(1e9, 'kept');
  expect([kept.selected, kept.left]).toEqual([0, []]);
  for (const [found, truth] of kept.sums as [unknown[], unknown[]][]) {
    expect(truth.length).toBeGreaterThan(5);
    expect(found).toEqual(truth);
  }
  await seal();
  const read = await make(1000, 'read');
  expect([read.selected, read.left]).toEqual([1, []]);
  expect((read.rows[0] as unknown[]).length).toBeGreaterThan(3000);
  expect(read.rows).toEqual(kept.rows);
}, 120_000);
