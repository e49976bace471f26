import type { Sample } from './collector.ts';
import type { Answers } from './dashboards.ts';

/** Shorter runs are not judged by their trends: caches are still filling. */
const TREND_SECONDS = 600;
/** Growth over the last half, by the straight line through its samples, as a share of its mean. */
const MEMORY_GROWTH = 0.1;
/** Descriptors and parts: the last quarter's most against the second quarter's. */
const MORE_DESCRIPTORS = 20;
const MORE_PARTS = 100;

/** Sums of one protocol, counted by the sender or read from the store; text, for they exceed 2^53. */
export interface Sums {
  readonly records: string;
  readonly bytes: string;
  readonly packets: string;
}

export interface Evidence {
  readonly samples: readonly Sample[];
  readonly answers: readonly Answers[];
  readonly sent: Readonly<Record<string, Sums>>;
  readonly stored: Readonly<Record<string, Sums>>;
  readonly ledger: { readonly received: number; readonly stored: number; readonly dropped: number };
  readonly exitCode: number | null;
}

/** Growth of all processes' memory over the last half, as a share of its mean. */
export function memoryGrowth(samples: readonly Sample[]): number {
  const half = samples.slice(samples.length >> 1);
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const times = half.map(({ seconds }) => seconds);
  const bytes = half.map(({ memoryBytes }) => memoryBytes);
  const [time, size] = [mean(times), mean(bytes)];
  const covariance = times.reduce((sum, t, i) => sum + (t - time) * ((bytes[i] as number) - size), 0);
  const variance = times.reduce((sum, t) => sum + (t - time) ** 2, 0);
  return variance === 0
    ? 0
    : ((covariance / variance) * ((times[times.length - 1] as number) - (times[0] as number))) / size;
}

/** What is wrong; empty when nothing is. */
export function judge(evidence: Evidence): string[] {
  const { samples, answers, sent, stored, ledger } = evidence;
  const problems: string[] = [];
  const last = samples[samples.length - 1];
  if (last && last.seconds >= TREND_SECONDS) {
    const growth = memoryGrowth(samples);
    if (growth > MEMORY_GROWTH) problems.push(`memory grew by ${(growth * 100).toFixed(1)} % over the last half`);
    const quarter = (index: number): readonly Sample[] =>
      samples.slice((samples.length * index) >> 2, (samples.length * (index + 1)) >> 2);
    for (const [what, allowed] of [
      ['descriptors', MORE_DESCRIPTORS],
      ['parts', MORE_PARTS],
    ] as const) {
      const [before, after] = [1, 3].map((index) => Math.max(...quarter(index).map((sample) => sample[what]))) as [
        number,
        number,
      ];
      if (after > before * 1.25 + allowed)
        problems.push(`${what}: ${before} in the second quarter, ${after} in the last`);
    }
  }
  const differing = samples.filter(({ difference }) => difference !== 0);
  if (differing.length > 0)
    problems.push(`ledger difference ${differing[0]?.difference} after ${differing[0]?.seconds.toFixed(0)} s`);
  if (ledger.received !== ledger.stored + ledger.dropped)
    problems.push(`received ${ledger.received} is not stored ${ledger.stored} + dropped ${ledger.dropped}`);
  if (ledger.dropped > 0) problems.push(`${ledger.dropped} records were dropped`);
  if (last && last.kernelDrops > 0) problems.push(`the kernel dropped ${last.kernelDrops} datagrams`);
  for (const protocol of Object.keys(sent)) {
    const [there, here] = [sent[protocol], stored[protocol]].map((sums) => JSON.stringify(sums));
    if (there !== here) problems.push(`${protocol}: sent ${there}, stored ${here}`);
  }
  for (const { name, errors } of answers)
    if (errors.length > 0) problems.push(`${name}: ${errors.length} times without an answer, first: ${errors[0]}`);
  if (evidence.exitCode !== 0) problems.push(`ringflow serve ended with ${evidence.exitCode} after SIGTERM`);
  return problems;
}
