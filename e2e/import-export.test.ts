/** The page about import and export as its readers use it, and files of nfcapd whose sums nfdump knows. */
import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  cleanEnvironment,
  createFolder,
  runCommand,
  startCollector,
  until,
  type RunningCollector,
} from '../collector/src/cli/testing/collector.ts';
import {
  createExporter,
  createFlowSource,
  createRandom,
  EXPORTERS,
  type DemoExporter,
} from '../collector/src/demo/index.ts';
import { capturesDirectory } from '../collector/src/wire/testing/captures.ts';
import { documentedBlocks, ROOT } from './testing/documented.ts';
import { captureWithNfcapd, readNfdumpTotals } from './testing/nfdump.ts';
import { describeWith, startProgram } from './testing/programs.ts';
import type { Totals } from './testing/traffic.ts';

const BLOCKS = documentedBlocks('docs/how-to/import-export.md');
const block = (name: string): string => BLOCKS.get(name) ?? '';
const TOKEN = 'open-sesame';

let folder: ReturnType<typeof createFolder>;
let collector: RunningCollector;
beforeAll(async () => {
  folder = createFolder();
  const base = 'data_dir: ./data\ninlet: {listen: ["127.0.0.1:0"], seal_interval_ms: 200}\n';
  writeFileSync(join(folder.path, 'ringflow.yml'), base + block('config').replace('http:\n', 'http:\n  port: 0\n'));
  collector = await startCollector(folder.path);
});
afterAll(async () => {
  collector?.kill('SIGTERM');
  await collector?.exited;
  folder?.remove();
});

/** Runs a block of the page: `ringflow` is this one, and the collector is the one of the test. */
async function runBlock(name: string): Promise<string> {
  const text = block(name).replaceAll('http://127.0.0.1:8055', collector.url);
  const head = `set -eo pipefail\nringflow() { "${process.execPath}" "${join(ROOT, 'collector/bin/ringflow.mjs')}" "$@"; }\n`;
  const { stdout, stderr } = await promisify(execFile)('bash', ['-c', head + text], {
    cwd: folder.path,
    env: { ...cleanEnvironment(), RINGFLOW_URL: collector.url },
  });
  return stdout + stderr;
}

/** Sums of all that was received so far, from an export of the store. */
async function storedTotals(): Promise<Totals> {
  await until(async () => (await collector.status()).ledger.waiting === 0, 15_000, 'all is stored');
  const { stdout, stderr, code } = await runCommand(
    ['export', '--from', 'now-9y', '--to', 'now+1d', '--columns', 'bytes,packets'],
    folder.path,
    { RINGFLOW_URL: collector.url },
  );
  if (code !== 0) throw new Error(stderr);
  const rows = stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Totals]));
  const sum = (name: 'bytes' | 'packets'): number => rows.reduce((total, row) => total + row[name], 0);
  return { records: rows.length, bytes: sum('bytes'), packets: sum('packets') };
}

const minus = (left: Totals, right: Totals): Totals => ({
  records: left.records - right.records,
  bytes: left.bytes - right.bytes,
  packets: left.packets - right.packets,
});

test('the request of the page is taken', async () => {
  const { status } = JSON.parse(await runBlock('post')) as { status: unknown };
  expect(status).toEqual([{ name: 'flows', successful: 1, failed: 0, repeated: 0, ignored: {} }]);
});

/** A file of nfcapd: v5 of the demo's network, and captures of real exporters where they are on this machine. */
function captureSomething(): Promise<string> {
  return captureWithNfcapd(folder.path, async (port) => {
    const exporter = EXPORTERS.find(({ protocol }) => protocol === 'netflow5') as DemoExporter;
    const nowMs = Date.now();
    const source = createFlowSource(exporter, createRandom(7));
    const running = createExporter(exporter, { host: '127.0.0.1', port }, nowMs);
    await running.start();
    await running.send(Array.from({ length: 300 }, () => source.conversation(nowMs - 1000)).flat(), nowMs);
    await running.stop();
    for (const name of ['combo-v9-loss', 'ipfix-yaf', 'ipfix-softflowd']) {
      const pcap = join(capturesDirectory(), 'pcap', `${name}.pcap`);
      if (existsSync(pcap)) await runCommand(['replay', pcap, '--target', `127.0.0.1:${port}`], folder.path);
    }
  });
}

describeWith(['nfcapd', 'nfdump'], 'files of nfcapd', () => {
  let file: string;
  let expected: Totals;
  beforeAll(async () => {
    file = await captureSomething();
    expected = await readNfdumpTotals(file, folder.path);
    expect(expected.records).toBeGreaterThan(100);
  });

  test('as the page says, through JSON', async () => {
    copyFileSync(file, join(folder.path, 'nfcapd.202601011200'));
    const before = await storedTotals();
    expect(await runBlock('import')).toContain('records (nfdump JSON) taken');
    const after = minus(await storedTotals(), before);
    expect({ ...after, records: 0 }).toEqual({ ...expected, records: 0 });
    // A flow with counters for both ways is two records.
    const both = JSON.parse(readFileSync(join(folder.path, 'flows.json'), 'utf8')) as {
      out_bytes?: number;
      in_bytes: number;
    }[];
    expect(after.records).toBe(
      expected.records + both.filter((flow) => flow.in_bytes > 0 && (flow.out_bytes ?? 0) > 0).length,
    );
    expect(await runBlock('import')).toContain(`0 of ${after.records.toLocaleString('en')} records`);
    expect(minus(await storedTotals(), before)).toEqual(after);
  });

  test('through CSV, from standard input', async () => {
    const { stdout } = await startProgram('nfdump', ['-r', file, '-o', 'csv'], folder.path, 10_000).ended;
    writeFileSync(join(folder.path, 'flows.csv'), stdout);
    const before = await storedTotals();
    const { stderr, code } = await runCommand(['import', 'flows.csv'], folder.path, {
      RINGFLOW_URL: collector.url,
      RINGFLOW_HTTP_INGEST_TOKEN: TOKEN,
    });
    expect([code, stderr]).toEqual([0, expect.stringContaining('records (nfdump CSV) taken')]);
    const after = minus(await storedTotals(), before);
    expect({ ...after, records: 0 }).toEqual({ ...expected, records: 0 });
  });
});

test('the exports of the page hold what is stored', async () => {
  const output = await runBlock('export');
  for (const name of ['day.parquet', 'https.csv', 'day.ndjson']) expect(output).toContain(`${name}: `);
  const { records } = await storedTotals();
  expect(readFileSync(join(folder.path, 'day.ndjson'), 'utf8').trim().split('\n')).toHaveLength(records);
  const parquet = readFileSync(join(folder.path, 'day.parquet'));
  expect([parquet.subarray(0, 4).toString(), parquet.subarray(-4).toString()]).toEqual(['PAR1', 'PAR1']);
  expect(readFileSync(join(folder.path, 'https.csv'), 'utf8').split('\n')[0]).toBe('"src_addr","dst_addr","bytes"');
  await runBlock('http');
  const csv = readdirSync(folder.path).find((name) => /^ringflow-.*\.csv$/.test(name)) as string;
  expect(readFileSync(join(folder.path, csv), 'utf8').trim().split('\n')).toHaveLength(records + 1);
});
