import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FlowQueryInput, QueryResponse, StatusResponse } from '@ringflow/contract';

const BIN = join(__dirname, '../../../bin/ringflow.mjs');

/** A collector that runs as its users run it: `ringflow serve` in a folder of its own. */
export interface RunningCollector {
  readonly url: string;
  readonly udpPort: number;
  readonly pid: number;
  status(): Promise<StatusResponse>;
  metrics(): Promise<string>;
  query(query: FlowQueryInput, from?: string | number, to?: string | number): Promise<QueryResponse['results'][string]>;
  /** Process id of a child. */
  childPid(role: 'inlet' | 'store'): Promise<number>;
  /** Resolves with the exit code, null after a signal. */
  readonly exited: Promise<number | null>;
  kill(signal: NodeJS.Signals): void;
  output(): string;
}

/** A temporary data directory with a configuration: any free ports unless one is named, quick seals. */
export function createFolder(more = '', udpPort = 0): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'ringflow-e2e-'));
  writeFileSync(
    join(path, 'ringflow.yml'),
    `data_dir: ./data\ninlet: {listen: ["127.0.0.1:${udpPort}"], seal_interval_ms: 200}\nhttp: {port: 0}\nlog: {level: info, format: json}\n${more}`,
  );
  // Children of a collector that was killed end a moment later, and may write until then.
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 20 }) };
}

/** Environment without the settings of whoever runs the tests. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('RINGFLOW_')));
}

/** Runs the command line to its end. */
export function runCommand(
  args: readonly string[],
  folder: string,
  env: Record<string, string> = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [BIN, ...args], { cwd: folder, env: { ...cleanEnvironment(), ...env } });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** Starts `ringflow serve` (or `demo`) and waits until it says where it is. */
export async function startCollector(
  folder: string,
  command = 'serve',
  env: Record<string, string> = {},
): Promise<RunningCollector> {
  const child: ChildProcess = spawn(process.execPath, [BIN, command], {
    cwd: folder,
    // As quick as the seals.
    env: { ...cleanEnvironment(), RINGFLOW_STORE_LOAD_SECONDS: '0.2', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const found = await until(
    async () => {
      const url = /Metrics\s+(https?:\S+)\/metrics/.exec(output)?.[1];
      const udpPort = Number(/Flow export\s+UDP (\d+)/.exec(output)?.[1]);
      if (child.exitCode !== null) throw new Error(`ringflow ${command} ended with ${child.exitCode}:\n${output}`);
      return url && udpPort ? { url, udpPort } : undefined;
    },
    30_000,
    () => `ringflow ${command} did not say where it is:\n${output}`,
  ).catch((error: unknown) => {
    child.kill('SIGTERM');
    throw error;
  });
  const get = async (path: string): Promise<Response> => {
    const response = await fetch(found.url + path);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response;
  };
  const status = async (): Promise<StatusResponse> => (await (await get('/api/v1/status')).json()) as StatusResponse;
  return {
    ...found,
    pid: child.pid as number,
    status,
    metrics: async () => (await get('/metrics')).text(),
    query: async (query, from = 'now-1h', to = 'now+1h') => {
      const response = await fetch(`${found.url}/api/v1/query`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ from, to, queries: [{ refId: 'A', ...query }] }),
      });
      const { results } = (await response.json()) as QueryResponse;
      return results?.['A'] ?? { status: response.status, frames: [], error: `no answer: ${response.status}` };
    },
    childPid: async (role) => {
      const processes = (await status()).details['processes'] as { role: string; pid?: number; state: string }[];
      const pid = processes.find((one) => one.role === role)?.pid;
      if (pid === undefined) throw new Error(`${role} does not run`);
      return pid;
    },
    exited,
    kill: (signal) => void child.kill(signal),
    output: () => output,
  };
}

/** Asks until there is an answer. */
export async function until<T>(
  ask: () => Promise<T | undefined | false>,
  timeoutMs: number,
  what: string | (() => string),
): Promise<T> {
  const deadlineMs = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > deadlineMs)
      throw new Error(`Not within ${timeoutMs} ms: ${typeof what === 'string' ? what : what()}`);
    await sleep(50);
  }
}
