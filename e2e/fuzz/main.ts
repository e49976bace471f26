import { resolve } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { INLET_HEAP_GROWTH_PERCENT } from '../../collector/src/inlet/index.ts';
import { runFuzz } from './runner.ts';
import { runSocketFuzz } from './socket.ts';

/** `node main.cjs [--datagrams N] [--seed N] [--only FLOOD] [--json]`: prints what it fed and what came of it; status 1 on a problem. */

const DEFAULT_DATAGRAMS = 10_000_000;
/** One datagram, however wrong, is done in less processor time: a machine that is busy with other things is no hang. */
const HANG_MS = 10_000;
/** Part of the datagrams that goes through a real socket as well. */
const SOCKET_SHARE = 0.01;
/** Of the whole process: what is in use, what the collector of garbage leaves lying meanwhile, code and stacks. */
const MAX_RESIDENT_MIB = 640;

const args = process.argv.slice(2);
const option = (name: string, otherwise: number): number => {
  const at = args.indexOf(`--${name}`);
  const value = at < 0 ? otherwise : Number(args[at + 1]);
  if (!Number.isInteger(value) || value < 0) throw new RangeError(`--${name} must be a whole number`);
  return value;
};

/** Looks from outside the hot loop: it runs while the main thread hangs. */
const WATCHDOG = `
const { workerData } = require('node:worker_threads');
const { writeSync } = require('node:fs');
const { Session } = require('node:inspector');
const at = new Int32Array(workerData.shared);
const cpuMs = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1000; };
let last = -1, since = cpuMs();
setInterval(() => {
  const now = Atomics.load(at, 0);
  if (now !== last || now < 0) { last = now; since = cpuMs(); }
  else if (cpuMs() - since > workerData.hangMs) {
    writeSync(2, 'fuzz: datagram ' + now + ' (seed ' + workerData.seed + ') is not done after ' + workerData.hangMs + ' ms\\n');
    const session = new Session();
    session.connectToMainThread();
    session.on('Debugger.paused', ({ params }) => {
      for (const { functionName, location } of params.callFrames)
        writeSync(2, '  in ' + functionName + ', line ' + (location.lineNumber + 1) + ' of the bundle\\n');
      process.kill(process.pid, 'SIGKILL');
    });
    session.post('Debugger.enable', () => session.post('Debugger.pause'));
    last = -1;
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), 5000);
  }
}, 500);`;

async function main(): Promise<void> {
  setFlagsFromString(`--heap-growing-percent=${INLET_HEAP_GROWTH_PERCENT}`);
  const datagrams = option('datagrams', DEFAULT_DATAGRAMS);
  const seed = option('seed', 1);
  const shared = new SharedArrayBuffer(4);
  const at = new Int32Array(shared);
  Atomics.store(at, 0, -1);
  const watchdog = new Worker(WATCHDOG, { eval: true, workerData: { shared, hangMs: HANG_MS, seed } });
  watchdog.unref();
  console.log(`${datagrams} datagrams, seed ${seed}`);
  const captures = resolve(process.env['RINGFLOW_CAPTURES'] ?? '../shared/captures');
  const print = (line: string): void => console.log(line);
  const onlyAt = args.indexOf('--only');
  const report = await runFuzz({
    datagrams,
    seed,
    captures,
    progress: (n) => Atomics.store(at, 0, n),
    print,
    maxResidentMiB: MAX_RESIDENT_MIB,
    ...(onlyAt < 0 ? {} : { only: args[onlyAt + 1] ?? '' }),
  });
  // What comes through the socket is not counted here.
  Atomics.store(at, 0, -1);
  const socket = await runSocketFuzz({ datagrams: Math.ceil(datagrams * SOCKET_SHARE), seed, captures });
  await watchdog.terminate();
  const problems = [...report.problems, ...socket.problems];
  if (args.includes('--json'))
    console.log(JSON.stringify({ ...report, inlet: { ...report.inlet, exporters: undefined }, socket, problems }));
  else show(report, socket);
  for (const problem of problems) console.error(`PROBLEM ${problem}`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}

function show(report: Awaited<ReturnType<typeof runFuzz>>, socket: Awaited<ReturnType<typeof runSocketFuzz>>): void {
  const { inlet } = report;
  const list = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ');
  console.log(`samples      ${report.samples.captures} captures, ${report.samples.encoders} encoders`);
  console.log(`fed          ${report.datagrams}: ${list(report.kinds)}`);
  console.log(
    `throughput   ${Math.round(report.datagramsPerSecond)} datagrams/s, ${Math.round(report.recordsPerSecond)} records/s over ${report.seconds.toFixed(1)} s; slowest 256 took ${report.slowestGroupMs.toFixed(0)} ms (at ${report.slowestGroupAt})`,
  );
  console.log(
    `records      ${inlet.records} decoded (${inlet.replayedRecords} replayed), ${report.segments.rows} sealed in ${report.segments.files} segments (${report.segments.readBack} read back), dropped ${list(Object.fromEntries(inlet.ledger.dropped.map(({ reason, records }) => [reason, records]))) || 'none'}`,
  );
  console.log(`not decoded  ${list(inlet.losses)}`);
  console.log(
    `kept         ${inlet.decoder.templates} templates, ${inlet.decoder.parkedBytes} bytes parked, ${inlet.names} names (${inlet.namesEvicted} made room, ${inlet.namesRefused} had none), ${inlet.sources.known} known and ${inlet.sources.unknown} unknown sources`,
  );
  console.log(
    `refused      new sources ${inlet.refused.new_source_rate}; forgotten ${inlet.sources.evicted} sources, ${inlet.agents.evicted} agents`,
  );
  console.log(
    `memory       ${report.liveMiB.join(', ')} MiB in use at tenths; resident ${report.rssMiB.join(', ')} MiB, ${Math.round(report.peakRssMiB)} at most`,
  );
  for (const { name, sent, arrived, missing, doubled, wrong } of [...report.honest, report.newcomer])
    console.log(
      `honest       ${name}: ${sent} sent, ${arrived} arrived, ${missing} missing, ${doubled} doubled, ${wrong} wrong`,
    );
  console.log(
    `socket       ${socket.sent} sent, ${socket.received} received, ${socket.kernelDrops} dropped by the kernel, ${socket.records} records = ${socket.sealed} sealed`,
  );
  console.log(report.problems.length + socket.problems.length === 0 ? 'no problem found' : 'PROBLEMS');
}

main().catch((error: Error) => {
  console.error(error);
  process.exitCode = 1;
});
