import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FlowQueryInput, QueryResponse, StatusResponse } from '@ringflow/contract';
import { cpuSeconds } from '../../bench/measure.ts';

/** A running `ringflow serve`. */
export interface Collector {
  readonly port: number;
  status(): Promise<StatusResponse>;
  /** Asks one query over the last `seconds`; throws with the collector's own words when it is refused. */
  query(query: FlowQueryInput, seconds: number): Promise<void>;
  /** SIGTERM; resolves with the exit status. */
  end(): Promise<number | null>;
  output(): string;
  readonly pid: number;
}

const START_MS = 60_000;

/** @param bundle the collector as one file */
export async function startCollector(folder: string, bundle: string): Promise<Collector> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('RINGFLOW_')));
  const child = spawn(process.execPath, [bundle, 'serve'], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const deadlineMs = performance.now() + START_MS;
  let url: string | undefined;
  let port = 0;
  while (!url || !port) {
    if (child.exitCode !== null) throw new Error(`ringflow serve ended with ${child.exitCode}:\n${output}`);
    if (performance.now() > deadlineMs) throw new Error(`ringflow serve is not up:\n${output}`);
    await sleep(50);
    url = /Metrics\s+(http:\S+)\/metrics/.exec(output)?.[1];
    port = Number(/Flow export\s+UDP (\d+)/.exec(output)?.[1] ?? 0);
  }
  return {
    port,
    pid: child.pid as number,
    async status() {
      const response = await fetch(`${url}/api/v1/status`, { signal: AbortSignal.timeout(30_000) });
      if (!response.ok) throw new Error(`status ${response.status}`);
      return (await response.json()) as StatusResponse;
    },
    async query(query, seconds) {
      const response = await fetch(`${url}/api/v1/query`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ from: `now-${seconds}s`, to: 'now', queries: [{ refId: 'A', ...query }] }),
      });
      const { results } = (await response.json()) as Partial<QueryResponse>;
      const error = results?.['A']?.error;
      if (!response.ok || error) throw new Error(`${response.status} ${JSON.stringify(error ?? results)}`);
    },
    async end() {
      child.kill('SIGTERM');
      return exited;
    },
    output: () => output,
  };
}

interface ProcessUsage {
  readonly residentBytes: number;
  /** Of pages that several processes share, its part. */
  readonly proportionalBytes: number;
  readonly descriptors: number;
  readonly cpuSeconds: number;
}

/** One look at everything that must not grow. */
export interface Sample {
  readonly seconds: number;
  /** Resident bytes, open file descriptors and CPU seconds by process. */
  readonly processes: Readonly<Record<string, ProcessUsage>>;
  /** Of all processes together: pages that several of them share count once (`Pss` of proc(5)). */
  readonly memoryBytes: number;
  readonly descriptors: number;
  /** Parts that lie in the engine's directory, those just merged away among them. */
  readonly parts: number;
  readonly tableBytes: number;
  readonly spoolSegments: number;
  readonly oldestWaitingSeconds: number;
  readonly received: number;
  readonly stored: number;
  readonly difference: number;
  readonly kernelDrops: number;
}

/** @param beganMs of `performance.now()` */
export async function lookAt(collector: Collector, dataDirectory: string, beganMs: number): Promise<Sample> {
  const { ledger, store, spool, details } = await collector.status();
  const pids: [string, number][] = [['main', collector.pid]];
  for (const { role, pid } of details.processes ?? []) if (pid !== undefined) pids.push([role, pid]);
  const processes = Object.fromEntries(
    pids.map(([role, pid]): [string, ProcessUsage] => [
      role,
      {
        residentBytes: kilobytes(`/proc/${pid}/status`, 'VmRSS'),
        proportionalBytes: kilobytes(`/proc/${pid}/smaps_rollup`, 'Pss'),
        descriptors: readdirSync(`/proc/${pid}/fd`).length,
        cpuSeconds: cpuSeconds(pid),
      },
    ]),
  );
  const sum = (what: 'proportionalBytes' | 'descriptors'): number =>
    Object.values(processes).reduce((total, usage) => total + usage[what], 0);
  return {
    seconds: (performance.now() - beganMs) / 1000,
    processes,
    memoryBytes: sum('proportionalBytes'),
    descriptors: sum('descriptors'),
    parts: countParts(join(dataDirectory, 'store', 'store')),
    tableBytes: store.tables.reduce((total, { sizeBytes }) => total + sizeBytes, 0),
    spoolSegments: spool.waitingSegments,
    oldestWaitingSeconds: details.oldestWaitingSeconds ?? 0,
    received: ledger.received,
    stored: ledger.stored,
    difference: ledger.difference,
    kernelDrops: (details.listeners ?? []).reduce((total, listener) => total + listener.kernelDrops, 0),
  };
}

/** A value of a file of proc(5) that says kB, in bytes. */
function kilobytes(path: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync(path, 'latin1'))?.[1]) * 1024;
}

/** Directories named `<partition>_<first block>_<last block>_<level>`, two levels below. */
function countParts(directory: string): number {
  let parts = 0;
  for (const prefix of list(directory))
    for (const table of list(join(directory, prefix)))
      parts += list(join(directory, prefix, table)).filter((name) => /^\w+_\d+_\d+_\d+$/.test(name)).length;
  return parts;
}

function list(directory: string): string[] {
  try {
    return statSync(directory).isDirectory() ? readdirSync(directory) : [];
  } catch {
    // Dropped since it was listed.
    return [];
  }
}
