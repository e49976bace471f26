import { fork, type ChildProcess } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { createTraffic } from './testing/batches.ts';
import { createWorld, firstRow, sums, type World } from './testing/world.ts';

const NOON = Date.UTC(2026, 2, 10, 12, 0, 0);
const SEGMENTS = 8;
const ROWS = 60_000;

let world: World;
const children: ChildProcess[] = [];

beforeEach(async () => {
  world = await createWorld();
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await world.remove();
});

/** Starts the store as a process of its own and waits until it loads. */
async function startProcess(script: string): Promise<ChildProcess> {
  const child = fork(
    script,
    [world.spoolDirectory, join(world.directory, 'engine'), join(world.directory, 'ledger.json')],
    { execArgv: [] },
  );
  children.push(child);
  await new Promise<void>((ready, failed) => {
    child.once('exit', (code) => failed(new Error(`The store ended with ${code} before it was ready`)));
    child.on('message', (message) => message === 'ready' && ready());
  });
  return child;
}

function waitingFiles(): number {
  return readdirSync(world.spoolDirectory).filter((name) => name.endsWith('.native')).length;
}

test('a store that is killed again and again in mid-load stores every record once, in raw and in all rings', async () => {
  const script = join(world.directory, 'store-process.cjs');
  await build({
    entryPoints: [resolve(__dirname, 'testing/store-process.ts')],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    external: ['chdb', '@clickhouse/client'],
    outfile: script,
    logLevel: 'error',
    // Packages are found from here, not from the temporary directory; import() would not look there.
    supported: { 'dynamic-import': false },
    banner: { js: `module.paths.unshift(...${JSON.stringify(module.paths)});` },
  });
  // Around midnight, so that blocks go to two partitions each.
  for (let index = 0; index < SEGMENTS; index++) {
    const drops = index === 3 ? 17 : 0;
    await world.seal(
      createTraffic({ rows: ROWS, seed: index + 1, receivedMs: NOON + 12 * 3_600_000 + (index - 4) * 1000 }),
      {
        received: ROWS + drops,
        rows: ROWS,
        dropped: drops > 0 ? [{ reason: 'spool_full', exporter: '192.0.2.1', records: drops }] : [],
      },
    );
  }
  let kills = 0;
  for (let attempt = 0; waitingFiles() > 0 && attempt < 40; attempt++) {
    const child = await startProcess(script);
    // A moment that moves through insert, view, ledger and deletion.
    await new Promise((done) => setTimeout(done, (attempt * 37) % 190));
    if (waitingFiles() > 0) kills++;
    const ended = new Promise((done) => child.once('exit', done));
    child.kill('SIGKILL');
    await ended;
  }
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
}, 120_000);
