import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RESOLUTIONS, TOP_RESOLUTIONS, type FlowQueryInput } from '@ringflow/contract';
import { EXPORTERS } from '../collector/src/demo/index.ts';
import {
  NO_NAMES,
  prepareQuery,
  QUERY_DEFAULTS,
  reachOf,
  type StoreFacts,
  type Window,
} from '../collector/src/query/index.ts';
import {
  createEmbeddedEngine,
  createStore,
  EngineError,
  migrate,
  STORE_DEFAULTS,
  type Engine,
} from '../collector/src/store/index.ts';
import { expectSame, hasNfdump, NOT_NAMED, nfdumpTop, startArchive, TOPS, type Top } from './archive.ts';
import { makeDataset } from './dataset.ts';
import { cpuSeconds, describeMachine, median, option, printTable, textOption, untilQuiet } from './measure.ts';
import { fillOpen, fillYear, type YearDays } from './year.ts';

/**
 * What dashboards ask, from the query model to the finished frame, while nothing is loaded: over an hour of records,
 * over a year of rings, and top lists over all records beside `nfdump -s` over the same ones (nfcapd wrote them from the
 * same datagrams, in the same run). Rows read do not depend on the machine.
 */

/** Over the hour before the last record. */
const HOUR: readonly { readonly name: string; readonly query: FlowQueryInput }[] = [
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

/** At every age; every one of them can be answered by rings. */
const YEAR: typeof HOUR = [
  { name: 'bytes, total', query: { kind: 'timeseries' } },
  { name: 'bytes by exporter', query: { kind: 'timeseries', groupBy: ['sampler_address'] } },
  { name: 'bytes by service, top 10', query: { kind: 'timeseries', groupBy: ['service'] } },
  { name: 'one interface', query: { kind: 'timeseries', filter: 'exporter = 192.0.2.1 and in_if = 7' } },
  { name: 'top 10 interfaces', query: { kind: 'table', groupBy: ['sampler_address', 'in_if'] } },
  { name: 'top 10 pairs of AS', query: { kind: 'table', groupBy: ['src_as', 'dst_as'] } },
  { name: 'totals', query: { kind: 'stat' } },
  { name: 'peak of the network', query: { kind: 'timeseries', measure: 'peak' } },
  {
    name: 'top 10 interfaces by peak',
    query: { kind: 'table', groupBy: ['sampler_address', 'in_if'], measure: 'peak' },
  },
  { name: '95th percentile of the network', query: { kind: 'stat', measure: 'p95' } },
];

/** Over 30 days; answered by top lists. */
const TALKERS: typeof HOUR = [
  { name: 'top 10 sources', query: { kind: 'table', groupBy: ['src_addr'] } },
  { name: 'top 10 sources per day', query: { kind: 'timeseries', groupBy: ['src_addr'], intervalMs: 86_400_000 } },
  { name: 'top 10 address pairs', query: { kind: 'table', groupBy: ['src_addr', 'dst_addr'] } },
  { name: 'top 10 either side', query: { kind: 'table', groupBy: ['addr'] } },
  {
    name: 'one source per 2 hours',
    query: { kind: 'timeseries', filter: 'src_addr = 10.1.0.7', intervalMs: 7_200_000 },
  },
];

const WINDOW_SECONDS = 3600;
/** Flows are exported up to a minute after their beginning. */
const MARGIN_MS = 300_000;

interface Data {
  readonly rows: number;
  readonly toMs: number;
  /** nfcapd's files are there, too. */
  readonly archived: boolean;
}

/** Fills a folder with records and nfcapd's files of them, or takes what an earlier run left there (`--data=FOLDER`). */
async function prepare(directory: string, rows: number): Promise<Data> {
  const marker = join(directory, 'data.json');
  try {
    return JSON.parse(readFileSync(marker, 'utf8')) as Data;
  } catch {
    // Nothing there yet.
  }
  const toMs = Math.floor(Date.now() / 60_000) * 60_000;
  const archive = hasNfdump() ? await startArchive(join(directory, 'nfcapd')) : null;
  const store = openStore(directory);
  await store.start();
  const made = await makeDataset({
    directory: join(directory, 'spool'),
    rows,
    rowsPerSegment: 262_144,
    recordsPerSecond: rows / WINDOW_SECONDS,
    endMs: toMs,
    // Both count what is sent as it is: nfdump does not know sFlow, and its top lists are not of estimates.
    exporters: EXPORTERS.filter(({ protocol }) => protocol !== 'sflow').map((exporter) => ({
      ...exporter,
      sampling: 1,
    })),
    ...(archive ? { mirror: (datagram: Uint8Array) => archive.send(datagram) } : {}),
  });
  const archived = await archive?.stop();
  if (archived !== undefined && archived !== made) throw new Error(`nfcapd wrote ${archived} of ${made} records`);
  while (!(await store.load()));
  await store.stop();
  // An hour later all of it is in the top lists.
  const later = openStore(directory, () => Date.now() + 3_600_000);
  await later.start();
  while (!(await later.load()));
  while (await later.consolidate());
  await later.stop();
  const data: Data = { rows: made, toMs, archived: archive !== null };
  writeFileSync(marker, JSON.stringify(data));
  return data;
}

function openStore(directory: string, now: () => number = Date.now): ReturnType<typeof createStore> {
  return createStore(STORE_DEFAULTS, {
    spoolDirectory: join(directory, 'spool'),
    engineDirectory: join(directory, 'store'),
    ledgerPath: join(directory, 'ledger.json'),
    now,
    onError: (error, what) => console.error(what, error),
  });
}

interface Asked {
  readonly frames: ReturnType<ReturnType<typeof prepareQuery>['frames']>;
  readonly rowsRead: number;
}

/** Asks as the API does. */
async function ask(
  run: Engine['query'],
  input: FlowQueryInput,
  window: Window,
  oldest: Readonly<Record<string, number | null>>,
  facts: StoreFacts = {},
): Promise<Asked> {
  const prepared = prepareQuery({ refId: 'A', ...input }, window, {
    names: NO_NAMES,
    oldest,
    facts,
    nowMs: window.toMs,
  });
  const limits = {
    timeoutMs: 120_000,
    maxRows: QUERY_DEFAULTS.max_rows,
    maxMemoryBytes: QUERY_DEFAULTS.max_memory_bytes,
  };
  const results = await Promise.all(
    prepared.statements.map((statement) => run(statement, { id: randomUUID(), ...limits })),
  );
  return {
    frames: prepared.frames(results),
    rowsRead: results.reduce((sum, result) => sum + result.rowsRead, 0),
  };
}

/** One row of a table of queries: source, rows read, milliseconds and CPU of `rounds` runs after one to warm up. */
async function measured(name: string, rounds: number, once: () => Promise<Asked>): Promise<string[]> {
  const wall: number[] = [];
  const cpu: number[] = [];
  await untilQuiet();
  let last: Asked;
  try {
    last = await once();
  } catch (error) {
    // Too much for the memory of a query: an answer, too.
    if (!(error instanceof EngineError)) throw error;
    return [name, error.code, '–', '–', '–', '–'];
  }
  for (let round = 0; round < rounds; round++) {
    const [began, before] = [performance.now(), cpuSeconds()];
    last = await once();
    wall.push(performance.now() - began);
    cpu.push((cpuSeconds() - before) * 1000);
  }
  return [
    name,
    last.frames[0]?.schema.meta.custom.table ?? '–',
    last.rowsRead.toLocaleString('en'),
    median(wall).toFixed(0),
    Math.max(...wall).toFixed(0),
    median(cpu).toFixed(0),
  ];
}

const HEAD = ['answered from', 'rows read', 'ms', 'slowest', 'CPU ms'];

async function benchRecords(directory: string, data: Data, rounds: number): Promise<void> {
  const store = openStore(directory);
  await store.start();
  await new Promise((resolve) => setTimeout(resolve, 3000));
  const { toMs, rows } = data;
  const { oldest, facts } = reachOf(store.status().tables);
  const hour = { fromMs: toMs - WINDOW_SECONDS * 1000, toMs };
  const table: string[][] = [];
  for (const { name, query } of HOUR)
    table.push(await measured(name, rounds, () => ask((...args) => store.run(...args), query, hour, oldest, facts)));
  console.log(`\n## ${rows.toLocaleString('en')} records of one hour; median of ${rounds}\n`);
  printTable(['query over one hour', ...HEAD], table);

  if (data.archived) {
    const all = { fromMs: hour.fromMs - MARGIN_MS, toMs: toMs + MARGIN_MS };
    const tops: string[][] = [];
    for (const { field, statistic, filter, nfdump } of TOPS) {
      const query: FlowQueryInput = { kind: 'table', groupBy: [field], filter };
      const asked: Record<'records' | 'chosen' | 'nfdump', Timing[]> = { records: [], chosen: [], nfdump: [] };
      let source = '–';
      const ours = async (input: FlowQueryInput): Promise<Timing> => {
        const [began, before] = [performance.now(), cpuSeconds()];
        const { frames } = await ask((...args) => store.run(...args), input, all, oldest, facts);
        const timing = { ms: performance.now() - began, cpuMs: (cpuSeconds() - before) * 1000 };
        source = frames[0]?.schema.meta.custom.table ?? '–';
        expectSame(topOf(frames[0]), theirs, field, source === 'flows' ? 0 : NOT_NAMED);
        return timing;
      };
      let theirs: Top = [];
      await untilQuiet();
      // Alternately, so that all have the same minutes; the first of each warms up.
      for (let round = 0; round <= rounds; round++) {
        const run = nfdumpTop(join(directory, 'nfcapd'), statistic, nfdump);
        theirs = run.top;
        const records = await ours({ ...query, resolution: 'raw' });
        const chosen = await ours(query);
        if (round === 0) continue;
        asked.nfdump.push({ ms: run.wallMs, cpuMs: run.cpuMs });
        asked.records.push(records);
        asked.chosen.push(chosen);
      }
      const ms = (of: readonly Timing[]): number => median(of.map((timing) => timing.ms));
      const cpu = (of: readonly Timing[]): number => median(of.map(({ cpuMs }) => cpuMs));
      tops.push([
        `top 10 ${field}${filter === '' ? '' : ', filtered'}`,
        ...[asked.nfdump, asked.records].map((of) => `${ms(of).toFixed(0)} (${cpu(of).toFixed(0)})`),
        (ms(asked.nfdump) / ms(asked.records)).toFixed(1),
        `${ms(asked.chosen).toFixed(0)} (${cpu(asked.chosen).toFixed(0)})`,
        (ms(asked.nfdump) / ms(asked.chosen)).toFixed(1),
        source,
      ]);
    }
    console.log(
      `\n## Top lists over all ${rows.toLocaleString('en')} records, beside nfdump -s; median of ${rounds}\n`,
    );
    printTable(
      [
        'same answer from all, ms (CPU ms)',
        'nfdump',
        'single records',
        'times faster',
        'as the planner chooses',
        'times faster',
        'answered from',
      ],
      tops,
    );
  }
  await store.stop();
}

interface Timing {
  readonly ms: number;
  readonly cpuMs: number;
}

function topOf(frame: Asked['frames'][number] | undefined): Top {
  const values = (name: string): unknown[] =>
    frame?.data.values[frame.schema.fields.findIndex((field) => field.name === name)] ?? [];
  const keys = frame?.data.values[0] ?? [];
  const bytes = values('bytes');
  return keys.slice(0, 10).map((key, row) => ({ key: String(key), bytes: Number(bytes[row]) }));
}

async function benchYear(rounds: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'ringflow-bench-'));
  const engine = createEmbeddedEngine({
    path: directory,
    database: STORE_DEFAULTS.database,
    querySlots: STORE_DEFAULTS.query_slots,
    maxWaiting: STORE_DEFAULTS.query_queue,
    maxMemoryBytes: STORE_DEFAULTS.max_memory_bytes,
  });
  await engine.open();
  await migrate(engine);
  const dayMs = 86_400_000;
  const endMs = Math.floor(Date.now() / dayMs) * dayMs;
  const years = option('years', 2);
  const days: YearDays = {
    '1m': option('minute-days', 2),
    '5m': option('5-minute-days', 10),
    '1h': option('hour-days', 365),
    '1d': years * 365,
    top: [1, 31, 365],
  };
  const began = performance.now();
  const filled = await fillYear(engine, endMs, days);
  // What 100 million records in 30 days leave in the raw table until they are in a list.
  const perSecond = 100e6 / (30 * 86_400);
  await fillOpen(engine, endMs, Math.round(perSecond * 300));
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  const since = (many: number): number => endMs - many * dayMs;
  const oldest = {
    flows: since(7),
    ...Object.fromEntries(RESOLUTIONS.map(({ name, table }) => [table, since(days[name])])),
    ...Object.fromEntries(TOP_RESOLUTIONS.map(({ table }, index) => [table, since(days.top[index] ?? 0)])),
  };
  // As if the records of the week were there.
  const facts: StoreFacts = {
    rows: { flows: perSecond * 7 * 86_400 },
    closed: Object.fromEntries([...RESOLUTIONS, ...TOP_RESOLUTIONS].map(({ table }) => [table, endMs - 3_600_000])),
  };
  const run = (query: FlowQueryInput, window: Window) => () => ask(engine.query, query, window, oldest, facts);
  const table: string[][] = [];
  for (const [age, name] of [
    [years * 365, `${years} years`],
    [365, 'a year'],
    [30, '30 days'],
    [7, 'a week'],
    [1, 'a day'],
  ] as const) {
    const window = { fromMs: endMs - age * dayMs + 60_000, toMs: endMs };
    for (const { name: what, query } of YEAR)
      table.push(await measured(`${name}: ${what}`, rounds, run(query, window)));
  }
  const rows = Object.entries(filled).map(([name, count]) => `${count.toLocaleString('en')} rows in ${name}`);
  console.log(`\n## Rings (${rows.join(', ')}; filled in ${seconds} s); median of ${rounds}\n`);
  printTable(['query', ...HEAD], table);

  const talkers: string[][] = [];
  const month = { fromMs: endMs - 30 * dayMs, toMs: endMs };
  for (const { name, query } of TALKERS) talkers.push(await measured(name, rounds, run(query, month)));
  console.log(`\n## Top lists: 30 days of what 100 million records were; median of ${rounds}\n`);
  printTable(['query over 30 days', ...HEAD], talkers);
  await engine.close();
  rmSync(directory, { recursive: true, force: true });
}

async function run(): Promise<void> {
  const rounds = option('rounds', 5);
  console.log(describeMachine());
  if (option('year', 1) === 1) await benchYear(rounds);
  const kept = textOption('data');
  const directory = kept ?? mkdtempSync(join(tmpdir(), 'ringflow-bench-'));
  if (option('rows', 4e6) > 0) await benchRecords(directory, await prepare(directory, option('rows', 4e6)), rounds);
  if (kept === undefined) rmSync(directory, { recursive: true, force: true });
}

void run().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
