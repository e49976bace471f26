import { spawn, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StatusResponse } from '@ringflow/contract';

export type Role = 'inlet' | 'store';

/** A `ringflow serve` that is killed and started again on one folder and one port. */
export interface Victim {
  start(): Promise<void>;
  status(): Promise<StatusResponse>;
  /** The process id of a child, undefined while it is not there. */
  pid(role: Role): Promise<number | undefined>;
  /** True when another process than `before` is up in that role. */
  isUp(role: Role, before: number | undefined): Promise<boolean>;
  /** SIGKILL for main; its children end by themselves when they notice. */
  killMain(): Promise<void>;
  /** SIGTERM; the exit status. */
  end(): Promise<number | null>;
  /** The collector's own clock is so far off from now on; the engine's is not. */
  shiftClock(offsetMs: number): void;
  output(): string;
}

const START_MS = 60_000;

/** Turns the clock of Node's `Date` in main, inlet and store: nothing of ours asks another one for the time of day. */
const CLOCK = `
const { readFileSync } = require('node:fs');
const RealDate = Date;
let offsetMs = 0;
const read = () => { try { offsetMs = Number(readFileSync(process.env.CHAOS_CLOCK, 'utf8')) || 0; } catch {} };
read();
setInterval(read, 100).unref();
globalThis.Date = class extends RealDate {
  constructor(...parts) { if (parts.length === 0) super(RealDate.now() + offsetMs); else super(...parts); }
  static now() { return RealDate.now() + offsetMs; }
};`;

/** @param bundle the collector as one file */
export function createVictim(folder: string, bundle: string): Victim {
  let child: ChildProcess | null = null;
  let exited: Promise<number | null> = Promise.resolve(null);
  let url = '';
  let output = '';
  const clockFile = join(folder, 'clock');
  const preload = join(folder, 'clock.cjs');
  writeFileSync(preload, CLOCK);
  writeFileSync(clockFile, '0');

  async function start(): Promise<void> {
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('RINGFLOW_')));
    const started = spawn(process.execPath, [bundle, 'serve'], {
      cwd: folder,
      env: { ...env, NODE_OPTIONS: `--require ${preload}`, CHAOS_CLOCK: clockFile },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child = started;
    const from = output.length;
    const take = (chunk: Buffer): void => void (output += chunk.toString());
    started.stdout?.on('data', take);
    started.stderr?.on('data', take);
    exited = new Promise((resolve) => started.once('exit', (code) => resolve(code)));
    const deadlineMs = performance.now() + START_MS;
    for (;;) {
      const found = /Metrics\s+(http:\S+)\/metrics/.exec(output.slice(from))?.[1];
      if (found) {
        url = found;
        return;
      }
      if (started.exitCode !== null)
        throw new Error(`ringflow serve ended with ${started.exitCode}:\n${output.slice(from)}`);
      if (performance.now() > deadlineMs) throw new Error(`ringflow serve is not up:\n${output.slice(from)}`);
      await sleep(50);
    }
  }

  async function status(): Promise<StatusResponse> {
    const response = await fetch(`${url}/api/v1/status`, { signal: AbortSignal.timeout(5000) });
    if (!response.ok) throw new Error(`status ${response.status}`);
    return (await response.json()) as StatusResponse;
  }

  async function processOf(role: Role): Promise<{ pid?: number; state?: string }> {
    try {
      const processes = (await status()).details['processes'] as { role: string; pid?: number; state: string }[];
      return processes.find((one) => one.role === role) ?? {};
    } catch {
      return {};
    }
  }

  return {
    start,
    status,
    pid: async (role) => (await processOf(role)).pid,
    isUp: async (role, before) => {
      const { pid, state } = await processOf(role);
      return pid !== undefined && pid !== before && state === 'up';
    },
    async killMain() {
      child?.kill('SIGKILL');
      await exited;
    },
    async end() {
      child?.kill('SIGTERM');
      return exited;
    },
    shiftClock: (offsetMs) => writeFileSync(clockFile, String(offsetMs)),
    output: () => output,
  };
}
