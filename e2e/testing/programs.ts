import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Debian keeps daemons where the PATH of ordinary users does not look. */
const MORE_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/sbin'];

/** Path of a program, or null when it is not installed. */
export function findProgram(name: string): string | null {
  for (const folder of [...(process.env['PATH'] ?? '').split(delimiter), ...MORE_FOLDERS]) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Next folder.
    }
  }
  return null;
}

/** `describe` where all programs are installed; else the tests are skipped, and one line says why. */
export function describeWith(programs: readonly string[], name: string, tests: () => void): void {
  const missing = programs.filter((program) => findProgram(program) === null);
  if (missing.length > 0) process.stderr.write(`${name}: ${missing.join(', ')} not installed; its tests are skipped\n`);
  (missing.length > 0 ? describe.skip : describe)(name, tests);
}

/** A program that runs; it is killed when its time is over. */
export interface RunningProgram {
  /** What it has written to standard output and standard error. */
  output(): string;
  kill(signal: NodeJS.Signals): void;
  /** Resolves when it has ended; rejects with what it wrote when that took too long. */
  readonly ended: Promise<{ code: number | null; stdout: string; stderr: string }>;
}

/** Starts an installed program. */
export function startProgram(name: string, args: readonly string[], cwd: string, timeoutMs: number): RunningProgram {
  const child: ChildProcess = spawn(findProgram(name) ?? name, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`${name} did not end within ${timeoutMs} ms:\n${stdout}${stderr}`));
    }, timeoutMs);
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code, stdout, stderr });
    });
  });
  // Whoever waits for it sees the rejection; nobody waits after a test has failed.
  ended.catch(() => undefined);
  return { output: () => stdout + stderr, kill: (signal) => void child.kill(signal), ended };
}
