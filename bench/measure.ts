import { readdirSync, readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';

/**
 * CPU seconds of a process so far, all threads together, from the scheduler's own nanosecond count: clock ticks (what
 * `ps` shows) undercount short bursts. Linux only. Threads that ended are not in it; node, nfcapd and the engine keep theirs.
 */
export function cpuSeconds(pid: number = process.pid): number {
  let nanoseconds = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    try {
      nanoseconds += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'latin1').split(' ')[0]);
    } catch {
      // The thread ended since the folder was read.
    }
  }
  return nanoseconds / 1e9;
}

/** CPU seconds of the calling process's main thread: what one core did, without the collector's and compiler's threads. */
export function mainThreadSeconds(): number {
  return Number(readFileSync(`/proc/${process.pid}/task/${process.pid}/schedstat`, 'latin1').split(' ')[0]) / 1e9;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** `median (lowest–highest)`. */
export function formatSpread(values: readonly number[], digits = 1): string {
  const [low, high] = [Math.min(...values), Math.max(...values)].map((value) => value.toFixed(digits));
  return `${median(values).toFixed(digits)} (${low}–${high})`;
}

/** Prints a Markdown table, so that it can stand in docs/benchmarks.md as it is. */
export function printTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)));
  // Names to the left, numbers to the right.
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, column) => (column === 0 ? (cells[column] ?? '').padEnd(width) : (cells[column] ?? '').padStart(width))).join(' | ')} |`;
  console.log(line(head));
  console.log(`|${widths.map((width, column) => `${'-'.repeat(width + 1)}${column === 0 ? '-' : ':'}`).join('|')}|`);
  for (const row of rows) console.log(line(row));
}

/** What the numbers were measured on, for the first line of each benchmark; a high load average spoils them. */
export function describeMachine(): string {
  const all = cpus();
  return `${all.length} CPUs (${all[0]?.model.trim() ?? 'unknown'}), ${process.platform} ${process.arch}, Node ${process.versions.node}; load average ${(loadavg()[0] ?? 0).toFixed(1)}`;
}

/** Busy CPU seconds of the whole machine since boot (steps of 10 ms); processes of others included. */
export function machineSeconds(): number {
  const [user, nice, system, , , irq, softirq] = readFileSync('/proc/stat', 'latin1').split(/\s+/).slice(1).map(Number);
  return ((user ?? 0) + (nice ?? 0) + (system ?? 0) + (irq ?? 0) + (softirq ?? 0)) / 100;
}

/**
 * Waits until the machine has been idle for two seconds, at most `patienceSeconds` (`--patience=`, 0 = not at all): two
 * hardware threads of one core slow each other down, so other programs cost CPU time even where they do not wait for it.
 */
export async function untilQuiet(patienceSeconds = option('patience', 0)): Promise<void> {
  const deadline = performance.now() + patienceSeconds * 1000;
  for (let calm = 0; calm < 4 && performance.now() < deadline;) {
    const before = machineSeconds();
    await new Promise((resolve) => setTimeout(resolve, 500));
    calm = machineSeconds() - before < 0.1 ? calm + 1 : 0;
  }
}

/** Value of `--name=value` on the command line of the benchmark. */
export function option(name: string, fallback: number): number {
  const found = process.argv.find((argument) => argument.startsWith(`--${name}=`));
  return found === undefined ? fallback : Number(found.slice(name.length + 3));
}

/** Text of `--name=value` on the command line of the benchmark. */
export function textOption(name: string): string | undefined {
  return process.argv.find((argument) => argument.startsWith(`--${name}=`))?.slice(name.length + 3);
}

/** Resolves with the first answer that is not undefined; asks every 20 ms. */
export async function waitFor<T>(ask: () => T | undefined, timeoutMs: number, what: string): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = ask();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new Error(`Not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
