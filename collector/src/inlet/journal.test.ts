import { spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createJournal } from './journal.ts';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ringflow-journal-'));
  path = join(directory, 'deep', 'templates.journal');
});
afterEach(() => rmSync(directory, { recursive: true }));

function reopened(): Record<string, unknown> {
  const journal = createJournal(path);
  const entries = Object.fromEntries(journal.open());
  journal.close();
  return entries;
}

test('T12 what was appended is there after a restart; later wins, null removes', () => {
  const journal = createJournal(path);
  expect([...journal.open()]).toEqual([]);
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

test('an identical repetition writes nothing', () => {
  const journal = createJournal(path);
  journal.open();
  journal.append([['a', [1]]]);
  const before = statSync(path).size;
  journal.append([['a', [1]]]);
  expect(statSync(path).size).toBe(before);
  journal.close();
});

test('X10 a tail that was cut at any byte costs the last entry only', () => {
  const journal = createJournal(path);
  journal.open();
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
  const journal = createJournal(path);
  journal.open();
  journal.append([['a', 1]]);
  journal.close();
  appendFileSync(path, '00000000 ["b",2]\n\u0000\u0001garbage');
  const second = createJournal(path);
  expect(Object.fromEntries(second.open())).toEqual({ a: 1 });
  expect(second.status().damagedBytes).toBeGreaterThan(0);
  second.append([['c', 3]]);
  second.close();
  expect(reopened()).toEqual({ a: 1, c: 3 });
  truncateSync(path, 0);
  expect(reopened()).toEqual({});
});

test('the file does not grow without bound', () => {
  const journal = createJournal(path);
  journal.open();
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
    const journal = module_.exports.createJournal(${JSON.stringify(path)});
    journal.open();
    const step = (i) => {
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
