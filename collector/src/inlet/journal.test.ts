import { spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createJournal, type Journal } from './journal.ts';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ringflow-journal-'));
  path = join(directory, 'deep', 'templates.journal');
});
afterEach(() => rmSync(directory, { recursive: true }));

/** A journal with an owner of its entries, as the inlet is: it keeps what holds. */
function openJournal(): Journal & { readonly kept: Map<string, unknown> } {
  const kept = new Map<string, unknown>();
  const journal = createJournal(path, () => kept);
  for (const [key, value] of journal.open()) kept.set(key, value);
  return {
    ...journal,
    kept,
    append(changes) {
      for (const [key, value] of changes) {
        if (value === null) kept.delete(key);
        else kept.set(key, value);
      }
      journal.append(changes);
    },
  };
}

function reopened(): Record<string, unknown> {
  const journal = createJournal(path, () => []);
  const entries = Object.fromEntries(journal.open());
  journal.close();
  return entries;
}

test('T12 what was appended is there after a restart; later wins, null removes', () => {
  const journal = openJournal();
  expect([...journal.kept]).toEqual([]);
  journal.append([
    ['a', { fields: [1, 2] }],
    ['b', 'ü\n"'],
    ['c', 3],
  ]);
  journal.append([
    ['a', { fields: [3] }],
    ['c', null],
  ]);
  // No close, no sync: a kill -9 has neither.
  expect(reopened()).toEqual({ a: { fields: [3] }, b: 'ü\n"' });
});

test('what its owner has not taken up is gone with the first change', () => {
  const journal = openJournal();
  journal.append([
    ['a', 1],
    ['b', 2],
  ]);
  journal.close();
  const second = openJournal();
  second.kept.delete('a');
  expect(reopened()).toEqual({ a: 1, b: 2 });
  second.append([['c', 3]]);
  second.close();
  expect(reopened()).toEqual({ b: 2, c: 3 });
});

test('X10 a tail that was cut at any byte costs the last entry only', () => {
  const journal = openJournal();
  journal.append([['first', 1]]);
  const keep = statSync(path).size;
  journal.append([['second', { long: 'x'.repeat(40) }]]);
  journal.close();
  const whole = new Uint8Array(readFileSync(path));
  for (let size = keep; size < whole.length; size++) {
    writeFileSync(path, whole.subarray(0, size));
    expect(reopened()).toEqual({ first: 1 });
  }
  writeFileSync(path, whole);
  expect(Object.keys(reopened())).toEqual(['first', 'second']);
});

test('X10 garbage is left out, reported, and gone after the next start', () => {
  const journal = openJournal();
  journal.append([['a', 1]]);
  journal.close();
  appendFileSync(path, '00000000 ["b",2]\n\u0000\u0001garbage');
  const second = openJournal();
  expect(Object.fromEntries(second.kept)).toEqual({ a: 1 });
  expect(second.status().damagedBytes).toBeGreaterThan(0);
  second.append([['c', 3]]);
  second.close();
  expect(reopened()).toEqual({ a: 1, c: 3 });
  truncateSync(path, 0);
  expect(reopened()).toEqual({});
});

test('the file does not grow without bound', () => {
  const journal = openJournal();
  for (let i = 0; i < 20_000; i++) journal.append([['template', { number: i, pad: 'x'.repeat(50) }]]);
  expect(statSync(path).size).toBeLessThan(300 * 1024);
  journal.close();
  expect(reopened()).toEqual({ template: { number: 19_999, pad: 'x'.repeat(50) } });
});

test('T12 a kill -9 loses nothing that was reported as written', async () => {
  // The child runs the same source through the same transformer that jest uses.
  const transform = require.resolve('@swc/core');
  const script = `
    const { transformFileSync } = require(${JSON.stringify(transform)});
    const { code } = transformFileSync(${JSON.stringify(join(__dirname, 'journal.ts'))}, { jsc: { parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } });
    const module_ = { exports: {} };
    new Function('module', 'exports', 'require', code)(module_, module_.exports, require);
    const kept = new Map();
    const journal = module_.exports.createJournal(${JSON.stringify(path)}, () => kept);
    journal.open();
    const step = (i) => {
      kept.set('key' + (i % 500), { i });
      journal.append([['key' + (i % 500), { i }]]);
      process.stdout.write(i + '\\n', () => setImmediate(step, i + 1));
    };
    step(0);
  `;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
    if (said.length > 20_000) child.kill('SIGKILL');
  });
  await new Promise((resolve) => child.on('exit', resolve));
  const last = Number(said.slice(0, said.lastIndexOf('\n')).split('\n').at(-1));
  expect(last).toBeGreaterThan(1000);
  const entries = reopened() as Record<string, { i: number }>;
  expect(Object.keys(entries)).toHaveLength(500);
  // One more may have been written than was said.
  const highest = Math.max(...Object.values(entries).map(({ i }) => i));
  expect(highest === last || highest === last + 1).toBe(true);
  for (let i = highest - 499; i <= highest; i++) expect(entries[`key${i % 500}`]).toEqual({ i });
});
