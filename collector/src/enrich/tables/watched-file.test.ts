import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createWatchedFile, type WatchedFile, type WatchedFileOptions } from './watched-file.ts';

let folder: string;
let path: string;
let file: WatchedFile;
let loaded: string[];
let errors: string[];
let nowMs: number;

/** Watches a file whose content is its lines; `bad` is none. */
function watch(options: Partial<WatchedFileOptions<string>> = {}): WatchedFile {
  file = createWatchedFile<string>({
    path,
    intervalMs: 20,
    load: async (from) => {
      const text = readFileSync(from, 'utf8');
      if (text.startsWith('bad')) throw new Error(`It says ${text}`);
      return text;
    },
    entriesOf: (text) => text.length,
    onLoaded: (text) => loaded.push(text),
    onError: (error) => errors.push(error.message),
    now: () => nowMs,
    ...options,
  });
  return file;
}

/** As programs that care replace a file. */
function replace(text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; !condition(); i++) {
    if (i > 200) throw new Error(`Not reached: ${JSON.stringify({ loaded, errors, status: file.status() })}`);
    await sleep(10);
  }
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ringflow-watched-'));
  path = join(folder, 'list');
  loaded = [];
  errors = [];
  nowMs = 1_800_000_000_000;
});
afterEach(async () => {
  await file.stop();
  rmSync(folder, { recursive: true });
});

test('a file is loaded at the start, and again when it changes, and only then', async () => {
  writeFileSync(path, 'one');
  await watch().start();
  expect(loaded).toEqual(['one']);
  await sleep(60);
  expect(loaded).toEqual(['one']);
  nowMs += 1000;
  replace('three');
  await until(() => loaded.length === 2);
  expect(loaded).toEqual(['one', 'three']);
  expect(file.status()).toMatchObject({ path, entries: 5, error: null, loads: 2, failures: 0, loadedMs: nowMs });
  // The same length and the same time: the inode tells.
  const then = new Date(file.status().modifiedMs);
  writeFileSync(`${path}.new`, 'THREE');
  utimesSync(`${path}.new`, then, then);
  renameSync(`${path}.new`, path);
  await until(() => loaded.length === 3);
});

test('what cannot be read is said once, and the last good content stays', async () => {
  writeFileSync(path, 'good');
  await watch().start();
  replace('bad 1');
  await until(() => errors.length === 1);
  await sleep(60);
  expect(errors).toEqual([`${path}: It says bad 1`]);
  expect(loaded).toEqual(['good']);
  expect(file.status()).toMatchObject({ error: 'It says bad 1', entries: 4, loads: 1, failures: 1 });
  rmSync(path);
  await until(() => errors.length === 2);
  expect(errors[1]).toBe(`${path}: There is no such file`);
  replace('good again');
  await until(() => loaded.length === 2);
  expect(file.status()).toMatchObject({ error: null, loads: 2, failures: 2 });
});

test('a file that is not there does not keep anything from starting, and is loaded when it comes', async () => {
  await watch().start();
  expect(errors).toEqual([`${path}: There is no such file`]);
  expect(file.status()).toMatchObject({ loadedMs: 0, entries: 0 });
  writeFileSync(path, 'late');
  await until(() => loaded.length === 1);
});

test('a file that is replaced while it is read is read again: never half of two, and never the old one', async () => {
  writeFileSync(path, 'first');
  let reads = 0;
  await watch({
    load: async (from) => {
      const before = readFileSync(from, 'utf8');
      if (++reads === 1) replace('second');
      await sleep(30);
      return `${before}+${readFileSync(from, 'utf8')}`;
    },
  }).start();
  expect(loaded).toEqual(['second+second']);
  expect(reads).toBe(2);
});

test('a file that never stands still is left for later, and what was there before stays', async () => {
  writeFileSync(path, 'still');
  let restless = false;
  let reads = 0;
  await watch({
    load: async (from) => {
      reads++;
      if (restless) replace(`${reads}`);
      return readFileSync(from, 'utf8');
    },
  }).start();
  restless = true;
  replace('moving');
  await until(() => errors.length === 1);
  expect(errors).toEqual([`${path}: It changes while it is read`]);
  expect(loaded).toEqual(['still']);
  restless = false;
  await until(() => loaded.length === 2);
  expect(file.status().error).toBeNull();
});

test('a start does not wait for a slow file, which is taken over when it is there', async () => {
  writeFileSync(path, 'slow');
  let finish: (text: string) => void = () => undefined;
  await watch({ load: () => new Promise((resolve) => (finish = resolve)) }).start();
  expect(loaded).toEqual([]);
  finish('slow');
  await until(() => loaded.length === 1);
});

test('a stop gives up a load that runs', async () => {
  writeFileSync(path, 'slow');
  let isAborted = false;
  const starting = watch({
    load: (_path, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          isAborted = true;
          reject(new Error('Given up'));
        });
      }),
  }).start();
  await sleep(30);
  await file.stop();
  await starting;
  expect([isAborted, loaded, errors]).toEqual([true, [], []]);
  expect(existsSync(path)).toBe(true);
});
