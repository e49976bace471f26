import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Which processes work on a data directory; kept in `ringflow.pid` there. */
interface Holders {
  readonly main: number;
  readonly children: readonly number[];
}

export interface DataLock {
  /** Notes the children, so that the next main waits for them when this one is killed. */
  noteChildren(pids: readonly number[]): void;
  release(): void;
}

/** Somebody else works on the data directory. */
export class DataLockError extends Error {
  override readonly name = 'DataLockError';
  readonly code = 'data_dir_in_use';
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

/** Longest wait for the children of a main that was killed: they seal and finish the segment in hand. */
const ORPHAN_WAIT_MS = 20_000;

/**
 * Takes the data directory for this process; refuses when another main has it. The children of a main that died are
 * waited for, because they still hold its ports and its engine.
 */
export async function lockDataDirectory(
  directory: string,
  deps: { isRunning?: (pid: number) => boolean; waiting?: () => void } = {},
): Promise<DataLock> {
  const { isRunning = isRingflow, waiting } = deps;
  const path = join(directory, 'ringflow.pid');
  mkdirSync(directory, { recursive: true });
  for (;;) {
    try {
      writeFileSync(path, JSON.stringify({ main: process.pid, children: [] } satisfies Holders), { flag: 'wx' });
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holders = readHolders(path);
    if (holders && holders.main !== process.pid && isRunning(holders.main)) {
      throw new DataLockError(
        `Another ringflow (process ${holders.main}) works in ${directory}`,
        'Stop it first, or give this one a folder of its own: RINGFLOW_DATA=FOLDER',
      );
    }
    const deadlineMs = Date.now() + ORPHAN_WAIT_MS;
    const orphans = (): number[] => (holders?.children ?? []).filter((pid) => pid !== process.pid && isRunning(pid));
    if (orphans().length > 0) waiting?.();
    while (orphans().length > 0) {
      if (Date.now() > deadlineMs)
        throw new DataLockError(
          `Processes ${orphans().join(', ')} of an earlier ringflow still work in ${directory}`,
          `Stop them: kill ${orphans().join(' ')}`,
        );
      await sleep(100);
    }
    rmSync(path, { force: true });
  }
  return {
    noteChildren: (children) => {
      writeFileSync(`${path}.tmp`, JSON.stringify({ main: process.pid, children } satisfies Holders));
      renameSync(`${path}.tmp`, path);
    },
    release: () => rmSync(path, { force: true }),
  };
}

function readHolders(path: string): Holders | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Holders;
  } catch {
    // Gone in the meantime, or cut off by a crash: nobody's.
    return undefined;
  }
}

/** True when the process lives and, where the system says what it is, is a ringflow. */
function isRingflow(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  try {
    const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    // A zombie has no command line: it holds nothing any more.
    return commandLine.includes('ringflow');
  } catch {
    return true;
  }
}
