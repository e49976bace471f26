import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addressWords, formatCountry, parseAddress } from '@ringflow/contract';
import { encodeMmdb } from '../../demo/mmdb-writer.ts';
import { findLeaf } from '../geo/table.ts';
import { createTableWorkers, loadTableHere } from './table-worker.ts';

const ROOT = join(__dirname, '../../../..');
/** What processes start from. */
const BUNDLE = join(ROOT, 'collector/dist/ringflow.cjs');
const forever = new AbortController().signal;

let folder: string;
let path: string;
beforeAll(() => {
  // Builds, when something has changed.
  execFileSync(process.execPath, [join(ROOT, 'collector/bin/ringflow.mjs'), '--version']);
  folder = mkdtempSync(join(tmpdir(), 'ringflow-tables-'));
  path = join(folder, 'geo.mmdb');
  const networks = Array.from({ length: 20_000 }, (_, i) => ({
    network: `20.${i >> 8}.${i & 255}.0/24`,
    record: { country_code: 'NO', city: `Town ${i}` },
  }));
  writeFileSync(path, encodeMmdb(networks, { type: 'Test', description: 'Test', builtMs: 1_800_000_000_000 }));
});
afterAll(() => rmSync(folder, { recursive: true }));

test('a thread hands over the same table as a load in this one, in memory that both share', async () => {
  const table = await createTableWorkers(BUNDLE)('geo', path, forever);
  // As text: arrays that come from another thread are not of this one's classes.
  expect(JSON.stringify(table) === JSON.stringify(await loadTableHere('geo', path, forever))).toBe(true);
  expect(Object.prototype.toString.call(table.nodes.buffer)).toBe('[object SharedArrayBuffer]');
  const leaf = findLeaf(table, addressWords(parseAddress('20.5.6.7') as Uint8Array), 0);
  expect(formatCountry(table.countries[leaf] as number)).toBe('NO');
});

test('the event loop goes on while a table is loaded', async () => {
  let turns = 0;
  const timer = setInterval(() => turns++, 5);
  await createTableWorkers(BUNDLE)('geo', path, forever);
  clearInterval(timer);
  expect(turns).toBeGreaterThan(5);
});

test('what is wrong with a file comes back as its reason', async () => {
  writeFileSync(join(folder, 'none'), 'x');
  await expect(createTableWorkers(BUNDLE)('geo', join(folder, 'none'), forever)).rejects.toThrow(/^It is no MaxMind/);
  await expect(createTableWorkers(BUNDLE)('as_names', join(folder, 'nowhere'), forever)).rejects.toThrow('ENOENT');
});

test('a file that takes too long, or too much memory, is given up, and the process lives', async () => {
  await expect(createTableWorkers(BUNDLE, { timeMs: 20, heapMb: 500 })('geo', path, forever)).rejects.toThrow(
    'It could not be read within 0.02 s',
  );
  await expect(createTableWorkers(BUNDLE, { timeMs: 60_000, heapMb: 8 })('geo', path, forever)).rejects.toThrow(
    /memory/,
  );
});

test('a load that nobody waits for any more ends', async () => {
  const stop = new AbortController();
  const load = createTableWorkers(BUNDLE)('geo', path, stop.signal);
  stop.abort();
  await expect(load).rejects.toThrow('Given up');
});
