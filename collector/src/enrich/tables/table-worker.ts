import { parentPort, Worker, workerData } from 'node:worker_threads';
import { loadAsNames, loadAsPrefixes } from '../geo/as-files.ts';
import { loadGeoTable } from '../geo/load.ts';
import { loadNetworks } from '../networks/network-file.ts';
import { loadAllowList, loadReputation } from '../reputation/load.ts';

/**
 * What turns a file into a table: one entry per kind of file. The table may hold typed arrays over SharedArrayBuffers,
 * so that it passes from thread to thread without being copied.
 */
const LOADERS = {
  geo: loadGeoTable,
  as_prefixes: loadAsPrefixes,
  as_names: loadAsNames,
  networks: loadNetworks,
  reputation: loadReputation,
  reputation_allow: loadAllowList,
} as const;

type Loaders = typeof LOADERS;
export type TableKind = keyof Loaders;

/** Loads a file of a kind; rejects with what is wrong with it. */
export type LoadTable = <K extends TableKind>(
  kind: K,
  input: Parameters<Loaders[K]>[0],
  signal: AbortSignal,
) => Promise<Awaited<ReturnType<Loaders[K]>>>;

/** What a thread may take: a file that wants more is not what it says it is. */
export interface TableLimits {
  readonly timeMs: number;
  readonly heapMb: number;
}

const LIMITS: TableLimits = { timeMs: 120_000, heapMb: 1536 };

type Message = { readonly table: unknown } | { readonly error: string };

/** Loads in the thread that asks: for tests, and for commands that have nothing else to do. */
export const loadTableHere: LoadTable = (kind, input) => LOADERS[kind](input as never) as never;

/**
 * Loads in a thread of its own that lives for one file: the event loop goes on, and neither a file that makes a reader
 * loop nor one that makes it eat memory takes the process along.
 *
 * @param entry the bundle, which calls {@link runTableWorker} when it finds itself in such a thread
 */
export function createTableWorkers(entry: string, { timeMs, heapMb }: TableLimits = LIMITS): LoadTable {
  return (kind, input, signal) =>
    new Promise((resolve, reject) => {
      const worker = new Worker(entry, {
        workerData: { kind, input },
        resourceLimits: { maxOldGenerationSizeMb: heapMb },
      });
      const timer = setTimeout(
        () => end(() => reject(new Error(`It could not be read within ${timeMs / 1000} s`))),
        timeMs,
      );
      const abort = (): void => end(() => reject(new Error('Given up')));
      let ended = false;
      function end(settle: () => void): void {
        if (ended) return;
        ended = true;
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        settle();
        void worker.terminate();
      }
      signal.addEventListener('abort', abort, { once: true });
      if (signal.aborted) abort();
      worker.once('message', (message: Message) =>
        end(() => ('error' in message ? reject(new Error(message.error)) : resolve(message.table as never))),
      );
      worker.once('error', (error) => end(() => reject(error)));
      worker.once('exit', () => end(() => reject(new Error('The thread that read it ended'))));
    });
}

/** The other end of {@link createTableWorkers}: loads one file, answers, and is done. */
export async function runTableWorker(): Promise<void> {
  const { kind, input } = workerData as { kind: TableKind; input: never };
  const answer = (message: Message): void => parentPort?.postMessage(message);
  try {
    answer({ table: await LOADERS[kind](input) });
  } catch (error) {
    answer({ error: error instanceof Error ? error.message : String(error) });
  }
}
