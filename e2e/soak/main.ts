import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { FLOW_TYPES, type DropCount } from '@ringflow/contract';
import type { BlastOptions, BlastReport } from '../../bench/blaster.ts';
import { describeMachine, median, printTable } from '../../bench/measure.ts';
import { exporterOf, PROTOCOLS, type Protocol } from '../../bench/traffic.ts';
import { createEmbeddedEngine, STORE_DEFAULTS } from '../../collector/src/store/index.ts';
import { lookAt, startCollector, type Collector, type Sample } from './collector.ts';
import { watchDashboards } from './dashboards.ts';
import { judge, memoryGrowth, type Evidence, type Sums } from './verdict.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3600' },
    rate: { type: 'string', default: '100000' },
    'query-every': { type: 'string', default: '5' },
    'sample-every': { type: 'string', default: '10' },
    'budget-mib': { type: 'string' },
    json: { type: 'string' },
  },
});
const SECONDS = Number(values.seconds);
const RATE = Number(values.rate);
/** A fifth of what the run would store, so that retention has work. */
const BUDGET_BYTES = values['budget-mib']
  ? Number(values['budget-mib']) * 2 ** 20
  : Math.max(16 * 2 ** 20, Math.round((SECONDS * RATE * 30) / 5));
const SETTLE_MS = 600_000;
const MIB = 2 ** 20;
const TYPES: Readonly<Record<Protocol, number>> = {
  netflow5: FLOW_TYPES.NETFLOW_V5,
  netflow9: FLOW_TYPES.NETFLOW_V9,
  ipfix: FLOW_TYPES.IPFIX,
  sflow: FLOW_TYPES.SFLOW_5,
};

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'ringflow-soak-'));
  const data = join(folder, 'data');
  writeFileSync(
    join(folder, 'ringflow.yml'),
    `data_dir: ./data\ninlet: {listen: ["127.0.0.1:0"]}\nhttp: {port: 0}\nstore: {max_bytes: ${BUDGET_BYTES}}\nlog: {level: info, format: json}\n`,
  );
  console.log(describeMachine());
  console.log(
    `${SECONDS} s at ${RATE.toLocaleString('en')} records/s, a quarter each of NetFlow v5, v9, IPFIX and sFlow; budget ${(BUDGET_BYTES / MIB).toFixed(0)} MiB`,
  );
  const collector = await startCollector(folder, join(__dirname, 'ringflow.cjs')).catch((error: unknown) => {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  });
  let evidence: Evidence;
  let dropped: number;
  try {
    const run = await play(collector, data);
    const exitCode = await collector.end();
    dropped = [...collector.output().matchAll(/retention dropped data/g)].length;
    evidence = { ...run, ...(await readStore(data)), exitCode };
  } catch (error) {
    await collector.end();
    throw error;
  }
  report(evidence, dropped);
  const problems = judge(evidence);
  if (values.json) writeFileSync(values.json, JSON.stringify({ ...evidence, problems }, null, 1));
  for (const problem of problems) console.error(`PROBLEM ${problem}`);
  if (problems.length > 0) {
    writeFileSync(join(folder, 'output.log'), collector.output());
    console.error(`the collector's output and data are in ${folder}`);
    process.exitCode = 1;
  } else {
    rmSync(folder, { recursive: true, force: true });
    console.log('what was sent is stored, the ledger is exact, nothing grows');
  }
}

async function play(collector: Collector, data: string): Promise<Pick<Evidence, 'samples' | 'answers' | 'sent'>> {
  const beganMs = performance.now();
  const samples: Sample[] = [];
  let sending = true;
  const looking = (async () => {
    while (sending) {
      samples.push(await lookAt(collector, data, beganMs));
      await sleep(Number(values['sample-every']) * 1000);
    }
  })();
  const dashboards = watchDashboards(collector, Number(values['query-every']) * 1000);
  const reports = await Promise.all(PROTOCOLS.map((protocol) => send(collector.port, protocol)));
  const answers = await dashboards.stop();
  await settle(collector);
  sending = false;
  await looking;
  samples.push(await lookAt(collector, data, beganMs));
  const sent = Object.fromEntries(
    reports.map(({ protocol, records, bytes, packets }) => [protocol, scaled(protocol, records, bytes, packets)]),
  );
  return { samples, answers, sent };
}

/** The store counts what a sampled packet stands for, the sender what it wrote. */
function scaled(protocol: Protocol, records: number, bytes: number, packets: number): Sums {
  const rate = BigInt(exporterOf(protocol).sampling);
  return {
    records: String(records),
    bytes: String(BigInt(bytes) * rate),
    packets: String(BigInt(packets) * rate),
  };
}

/** A process per protocol, each a quarter of the records. */
function send(port: number, protocol: Protocol): Promise<BlastReport> {
  const options: BlastOptions = {
    protocol,
    host: '127.0.0.1',
    port,
    recordsPerSecond: RATE / PROTOCOLS.length,
    seconds: SECONDS,
  };
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(__dirname, 'blaster.cjs'), JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(output) as BlastReport);
      else reject(new Error(`The sender of ${protocol} ended with ${code}`));
    });
  });
}

/** Waits until all that was received is stored. */
async function settle(collector: Collector): Promise<void> {
  const deadlineMs = performance.now() + SETTLE_MS;
  for (let last = -1; ;) {
    const { ledger } = await collector.status();
    if (ledger.waiting === 0 && ledger.received === last) return;
    last = ledger.received;
    if (performance.now() > deadlineMs) throw new Error(`${ledger.waiting} records still wait`);
    await sleep(1500);
  }
}

/** Reads the stopped collector's engine: sums of the day ring, which retention leaves longest. */
async function readStore(data: string): Promise<Pick<Evidence, 'stored' | 'ledger'>> {
  const engine = createEmbeddedEngine({
    path: join(data, 'store'),
    database: STORE_DEFAULTS.database,
    querySlots: 1,
    maxWaiting: 1,
    maxMemoryBytes: 2 ** 30,
  });
  await engine.open();
  try {
    const rows = await engine.select<Sums & { type: number }>(
      'SELECT type, toString(sum(flows)) AS records, toString(sum(bytes)) AS bytes, toString(sum(packets)) AS packets FROM rings_1d WHERE ring = 1 GROUP BY type',
    );
    const stored = Object.fromEntries(
      PROTOCOLS.flatMap((protocol) => {
        const row = rows.find(({ type }) => Number(type) === TYPES[protocol]);
        return row ? [[protocol, { records: row.records, bytes: row.bytes, packets: row.packets }]] : [];
      }),
    );
    const ledger = JSON.parse(readFileSync(join(data, 'ledger.json'), 'utf8')) as {
      received: number;
      stored: number;
      dropped: DropCount[];
    };
    const dropped = ledger.dropped.reduce((sum, { records }) => sum + records, 0);
    return { stored, ledger: { received: ledger.received, stored: ledger.stored, dropped } };
  } finally {
    await engine.close();
  }
}

function report({ samples, answers, ledger }: Evidence, dropped: number): void {
  const step = Math.max(1, Math.ceil(samples.length / 12));
  const mib = (bytes: number): string => (bytes / MIB).toFixed(0);
  const roles = Object.keys(samples[0]?.processes ?? {});
  printTable(
    [
      'after',
      ...roles.map((role) => `${role} MiB`),
      'all MiB',
      'fds',
      'parts',
      'tables MiB',
      'segments',
      'oldest s',
      'M stored',
      'diff',
    ],
    samples
      .filter((_, index) => index % step === 0 || index === samples.length - 1)
      .map((sample) => [
        `${sample.seconds.toFixed(0)} s`,
        ...roles.map((role) => mib(sample.processes[role]?.residentBytes ?? 0)),
        mib(sample.memoryBytes),
        String(sample.descriptors),
        String(sample.parts),
        mib(sample.tableBytes),
        String(sample.spoolSegments),
        sample.oldestWaitingSeconds.toFixed(1),
        (sample.stored / 1e6).toFixed(1),
        String(sample.difference),
      ]),
  );
  printTable(
    ['question', 'asked', 'median ms', 'slowest ms', 'errors'],
    answers.map(({ name, milliseconds, errors }) => [
      name,
      String(milliseconds.length + errors.length),
      milliseconds.length > 0 ? median(milliseconds).toFixed(0) : '–',
      milliseconds.length > 0 ? Math.max(...milliseconds).toFixed(0) : '–',
      String(errors.length),
    ]),
  );
  const [first, last] = [samples[0], samples[samples.length - 1]];
  if (!first || !last) return;
  const millions = (last.stored - first.stored) / 1e6;
  const cpu = roles.map((role) => {
    const used = (last.processes[role]?.cpuSeconds ?? 0) - (first.processes[role]?.cpuSeconds ?? 0);
    return `${role} ${(used / millions).toFixed(2)}`;
  });
  console.log(`CPU-seconds per million records, questions included: ${cpu.join(', ')}`);
  console.log(
    `memory of all processes: at most ${mib(Math.max(...samples.map(({ memoryBytes }) => memoryBytes)))} MiB, ${(memoryGrowth(samples) * 100).toFixed(1)} % growth over the last half; retention dropped ${dropped} parts or partitions`,
  );
  console.log(`ledger: received ${ledger.received} = stored ${ledger.stored} + dropped ${ledger.dropped}`);
}

main().catch((error: Error) => {
  console.error(error);
  process.exit(1);
});
