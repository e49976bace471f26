import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { BlastOptions, BlastReport } from './blaster.ts';
import { startNfcapd, startRingflow, type Collector, type Medium } from './collectors.ts';
import {
  cpuSeconds,
  describeMachine,
  formatSpread,
  machineSeconds,
  median,
  option,
  printTable,
  untilQuiet,
} from './measure.ts';
import type { Protocol } from './traffic.ts';

/**
 * Datagram to disk: flows per CPU-second of the whole collector process, while records are offered at a steady rate or
 * as fast as the sender can. nfcapd has its turn before or after in every round. Both write to the disk at the steady
 * rate (Ringflow syncs each segment, nfcapd never) and to memory under the flood.
 */

const RATES: readonly { readonly name: string; readonly recordsPerSecond: number; readonly medium: Medium }[] = [
  { name: '1 M/s', recordsPerSecond: 1e6, medium: 'disk' },
  { name: 'flood', recordsPerSecond: 0, medium: 'memory' },
];
const NAMES: Readonly<Record<Protocol, string>> = { netflow5: 'v5', netflow9: 'v9', ipfix: 'IPFIX', sflow: 'sFlow' };
/** Beside nfcapd only what it reads; `--sflow=1` adds sFlow for Ringflow alone. */
const COMPARED: readonly Protocol[] = ['netflow5', 'netflow9', 'ipfix'];

interface Sample {
  readonly flowsPerCpuSecond: number;
  readonly offered: number;
  readonly kept: number;
  /** CPUs that were busy with neither collector nor sender. */
  readonly others: number;
}

/** Runs the blaster in a process of its own. */
function send(options: BlastOptions): Promise<BlastReport> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(__dirname, 'blaster.cjs'), JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(output) as BlastReport);
      else reject(new Error(`The blaster ended with ${code}`));
    });
  });
}

async function measure(
  collector: Collector,
  protocol: Protocol,
  recordsPerSecond: number,
  seconds: number,
): Promise<Sample> {
  const target = { protocol, host: '127.0.0.1', port: collector.port };
  // Compiled code, touched pages, a template: what a collector has that has run for a while.
  let warm = 0;
  for (const seed of [2, 3]) {
    warm += (await send({ ...target, recordsPerSecond: 400_000, seconds: 1, seed })).records;
    await collector.settle();
  }
  // A busy machine may lose some of them.
  warm = collector.written() ?? warm;
  await untilQuiet();
  const [began, busyBefore, before] = [performance.now(), machineSeconds(), cpuSeconds(collector.pid)];
  const report = await send({ ...target, recordsPerSecond, seconds });
  await collector.settle();
  const used = cpuSeconds(collector.pid) - before;
  const others = (machineSeconds() - busyBefore - used - report.cpuSeconds) / ((performance.now() - began) / 1000);
  const kept = (await collector.stop()) - warm;
  return { flowsPerCpuSecond: kept / used, offered: report.recordsPerSecond, kept: kept / report.records, others };
}

async function run(): Promise<void> {
  const rounds = option('rounds', 3);
  const seconds = option('seconds', 4);
  console.log(describeMachine());
  const starts: ((medium: Medium) => Promise<Collector | null>)[] = [
    (medium) => startRingflow(join(__dirname, '..', 'ringflow.cjs'), medium),
    startNfcapd,
  ];
  const samples = new Map<string, Sample[]>();
  const names = ['', ''];
  const protocols: readonly Protocol[] = option('sflow', 0) === 1 ? [...COMPARED, 'sflow'] : COMPARED;
  for (let round = 0; round < rounds; round++) {
    for (const protocol of protocols) {
      for (const { name, recordsPerSecond, medium } of RATES) {
        for (const which of round % 2 === 0 ? [0, 1] : [1, 0]) {
          if (which === 1 && protocol === 'sflow') continue;
          const collector = await starts[which]?.(medium);
          if (!collector) continue;
          names[which] = collector.name;
          const sample = await measure(collector, protocol, recordsPerSecond, seconds);
          const key = `${protocol} ${name} ${which}`;
          samples.set(key, [...(samples.get(key) ?? []), sample]);
        }
      }
    }
  }
  const rows = protocols.flatMap((protocol) =>
    RATES.flatMap(({ name }) => {
      const [ours, theirs] = [0, 1].map((which) => samples.get(`${protocol} ${name} ${which}`) ?? []) as [
        Sample[],
        Sample[],
      ];
      const cells = (list: readonly Sample[]) =>
        list.length === 0
          ? ['–', '–', '–']
          : [
              formatSpread(list.map(({ flowsPerCpuSecond }) => flowsPerCpuSecond / 1e6)),
              (median(list.map(({ offered }) => offered)) / 1e6).toFixed(1),
              `${(median(list.map(({ kept }) => kept)) * 100).toFixed(1)} %`,
            ];
      const efficiency = (list: readonly Sample[]) => median(list.map(({ flowsPerCpuSecond }) => flowsPerCpuSecond));
      const ratio = theirs.length === 0 ? '–' : (efficiency(ours) / efficiency(theirs)).toFixed(2);
      const others = median([...ours, ...theirs].map((sample) => sample.others)).toFixed(2);
      return [[`${NAMES[protocol]}, ${name}`, ...cells(ours), ...cells(theirs), ratio, others]];
    }),
  );
  const columns = (name: string) => [`${name}: M flows/CPU-s`, 'offered M/s', 'kept'];
  printTable(
    ['capture', ...columns(names[0] as string), ...columns(names[1] || 'nfcapd'), 'ratio', 'CPUs busy with others'],
    rows,
  );
  console.log(
    `median of ${rounds} rounds of ${seconds} s (lowest–highest), order alternating; sender on the same machine`,
  );
}

void run().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
