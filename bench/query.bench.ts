import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FlowQueryInput } from '@ringflow/contract';
import { NO_NAMES, prepareQuery, QUERY_DEFAULTS } from '../collector/src/query/index.ts';
import { createStore, STORE_DEFAULTS } from '../collector/src/store/index.ts';
import { makeDataset } from './dataset.ts';
import { cpuSeconds, describeMachine, median, option, printTable, untilQuiet } from './measure.ts';

/**
 * What dashboards ask, from the query model to the finished frame: the collector's own SQL on the embedded engine,
 * while nothing is loaded. Rows read do not depend on the machine.
 */

const QUERIES: readonly { readonly name: string; readonly query: FlowQueryInput }[] = [
  { name: 'bytes per minute, total', query: { kind: 'timeseries', intervalMs: 60_000 } },
  {
    name: 'bytes per minute by service, top 10',
    query: { kind: 'timeseries', groupBy: ['service'], intervalMs: 60_000 },
  },
  {
    name: 'the same from single records',
    query: { kind: 'timeseries', groupBy: ['service'], intervalMs: 60_000, resolution: 'raw' },
  },
  { name: 'top 10 interfaces', query: { kind: 'table', groupBy: ['sampler_address', 'in_if'] } },
  { name: 'top 10 pairs of AS', query: { kind: 'table', groupBy: ['src_as', 'dst_as'] } },
  { name: 'top 10 sources', query: { kind: 'table', groupBy: ['src_addr'] } },
  { name: 'top 10 address pairs', query: { kind: 'table', groupBy: ['src_addr', 'dst_addr'] } },
  { name: 'top 10 either side', query: { kind: 'table', groupBy: ['addr'] } },
  {
    name: 'top 10 sources in a /8 over TCP 443',
    query: {
      kind: 'table',
      groupBy: ['src_addr'],
      filter: 'dst_addr in 10.0.0.0/8 and src_port = 443 and proto = tcp',
    },
  },
  { name: '100 latest records of one host', query: { kind: 'records', filter: 'addr = 10.10.0.1' } },
  { name: 'totals and distinct sources', query: { kind: 'stat', unique: ['src_addr'] } },
];

async function run(): Promise<void> {
  const rows = option('rows', 4e6);
  const rounds = option('rounds', 5);
  const windowSeconds = 3600;
  console.log(describeMachine());
  const directory = mkdtempSync(join(tmpdir(), 'ringflow-bench-'));
  const spoolDirectory = join(directory, 'spool');
  const toMs = Math.floor(Date.now() / 60_000) * 60_000;
  await makeDataset({
    directory: spoolDirectory,
    rows,
    rowsPerSegment: 200_000,
    recordsPerSecond: rows / windowSeconds,
    endMs: toMs,
  });
  const store = createStore(STORE_DEFAULTS, {
    spoolDirectory,
    engineDirectory: join(directory, 'store'),
    ledgerPath: join(directory, 'ledger.json'),
    onError: (error, what) => console.error(what, error),
  });
  await store.start();
  while (!(await store.load()));
  await new Promise((resolve) => setTimeout(resolve, 3000));

  const window = { fromMs: toMs - windowSeconds * 1000, toMs };
  const oldest = Object.fromEntries(store.status().tables.map(({ table, oldestMs }) => [table, oldestMs]));
  const ask = async (input: FlowQueryInput) => {
    const prepared = prepareQuery({ refId: 'A', ...input }, window, { names: NO_NAMES, oldest, nowMs: toMs });
    const limits = {
      timeoutMs: 60_000,
      maxRows: QUERY_DEFAULTS.max_rows,
      maxMemoryBytes: QUERY_DEFAULTS.max_memory_bytes,
    };
    const results = await Promise.all(
      prepared.statements.map((statement) => store.run(statement, { id: randomUUID(), ...limits })),
    );
    const frames = prepared.frames(results);
    return { frames, rowsRead: results.reduce((sum, result) => sum + result.rowsRead, 0) };
  };
  const table: string[][] = [];
  for (const { name, query } of QUERIES) {
    const wall: number[] = [];
    const cpu: number[] = [];
    await untilQuiet();
    let last = await ask(query);
    for (let round = 0; round < rounds; round++) {
      const [began, before] = [performance.now(), cpuSeconds()];
      last = await ask(query);
      wall.push(performance.now() - began);
      cpu.push((cpuSeconds() - before) * 1000);
    }
    const source = last.frames[0]?.schema.meta.custom.table ?? '–';
    table.push([
      name,
      source,
      last.rowsRead.toLocaleString('en'),
      median(wall).toFixed(0),
      Math.max(...wall).toFixed(0),
      median(cpu).toFixed(0),
    ]);
  }
  printTable(['query over one hour', 'answered from', 'rows read', 'ms', 'slowest', 'CPU ms'], table);
  console.log(`${rows.toLocaleString('en')} records; median of ${rounds}`);
  await store.stop();
  rmSync(directory, { recursive: true, force: true });
}

void run().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
