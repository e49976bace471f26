import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine } from './engine.ts';
import { createEmbeddedEngine } from './engine-embedded.ts';
import { createExports, type Exports } from './exports.ts';
import { migrate } from './migrations.ts';

const LIMITS = { timeoutMs: 60_000, maxRows: 1e9, maxMemoryBytes: 512 * 1024 ** 2, maxBytes: 1e9, format: 'CSV' };
/** A hundred million rows: nobody waits for its end. */
const ENDLESS = { sql: 'SELECT n, bytes FROM flows ARRAY JOIN range(100) AS n', params: {} };

let folder: string;
let engine: Engine;
let exports: Exports;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ringflow-exports-'));
  mkdirSync(join(folder, 'exports'));
  writeFileSync(join(folder, 'exports', 'of-an-earlier-process'), 'x');
  const path = join(folder, 'store');
  engine = createEmbeddedEngine({
    path,
    database: 'ringflow',
    querySlots: 2,
    maxWaiting: 10,
    maxMemoryBytes: 2 * 1024 ** 3,
  });
  await engine.open();
  await migrate(engine);
  await engine.exec('INSERT INTO flows (bytes, time_received_ns) SELECT number, now64(9) FROM numbers(1000000)');
  exports = createExports(engine, join(folder, 'exports'), 0);
  await exports.start();
});
afterAll(async () => {
  await engine.close();
  rmSync(folder, { recursive: true, force: true });
});

const files = (): string[] => readdirSync(join(folder, 'exports'));
/** Another query is answered: nothing is held any more. */
const isAlive = async (): Promise<unknown> =>
  (await engine.query({ sql: 'SELECT count() FROM flows', params: {} }, { ...LIMITS, id: 'alive', maxRows: 10 }))
    .columns;

test('rows are in a file of their own', async () => {
  expect(files()).toEqual([]);
  const query = { sql: 'SELECT bytes FROM flows WHERE bytes < {n:UInt64}', params: { n: 3 } };
  const { path, sizeBytes } = await exports.run(query, { ...LIMITS, id: 'a/../b' });
  expect(path).toBe(join(folder, 'exports', 'a_.._b'));
  expect([readFileSync(path, 'utf8'), sizeBytes]).toEqual(['0\n1\n2\n', 6]);
  rmSync(path);
});

test.each([
  ['bytes', { maxBytes: 10_000_000 }, 'query_rows'],
  ['rows', { maxRows: 100_000 }, 'query_rows'],
  ['time', { timeoutMs: 300 }, 'query_timeout'],
])('too many %s end it and leave no file', async (_, limit, code) => {
  await expect(exports.run(ENDLESS, { ...LIMITS, ...limit, id: `too-many-${code}` })).rejects.toMatchObject({ code });
  expect(files()).toEqual([]);
  expect(await isAlive()).toEqual([[1_000_000]]);
});

test('a caller that goes ends it in the engine', async () => {
  const gone = new AbortController();
  const running = exports.run(ENDLESS, { ...LIMITS, id: 'gone', signal: gone.signal });
  setTimeout(() => gone.abort(), 500);
  await expect(running).rejects.toMatchObject({ code: 'query_cancelled' });
  expect(files()).toEqual([]);
  expect(await isAlive()).toEqual([[1_000_000]]);
});

test('a full disk is left alone', async () => {
  const careful = createExports(engine, join(folder, 'exports'), Number.MAX_SAFE_INTEGER);
  await expect(careful.run(ENDLESS, { ...LIMITS, id: 'full' })).rejects.toMatchObject({
    code: 'query_rows',
    message: expect.stringContaining('no room'),
  });
});

test.each([
  "SELECT bytes FROM flows INTO OUTFILE '/tmp/x'",
  "SELECT * FROM file('/etc/passwd', 'LineAsString')",
  "SELECT file('/etc/passwd')",
  'SELECT bytes FROM flows SETTINGS readonly = 0',
  'SELECT sleep(3) FROM flows',
])('%s is refused', async (sql) => {
  await expect(exports.run({ sql, params: {} }, { ...LIMITS, id: 'foreign' })).rejects.toMatchObject({
    code: 'query_failed',
    message: expect.stringContaining('must not contain'),
  });
});
