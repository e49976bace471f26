import { type CountedSegment } from './ledger.ts';
import { EngineError } from './engine-error.ts';
import { segmentId, type Segment } from '../spool/index.ts';
import type { Loader, LoadResult } from './load.ts';
import type { SpoolQueue } from './queue.ts';

export interface LoadingDeps {
  readonly queue: SpoolQueue;
  readonly loader: Loader;
  /** Small segments are loaded together at most this often. */
  readonly loadSeconds: number;
  /** When so many rows wait, they are loaded at once. */
  readonly groupRows: number;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Before so many bytes are loaded. */
  makeRoom(bytes: number): Promise<void>;
  /** After all that was found, or nothing, was loaded. */
  onPass(loaded: boolean): Promise<void>;
  onLoaded?: ((result: LoadResult) => void) | undefined;
  onError?: ((error: Error, what: string) => void) | undefined;
}

export interface LoadingStatus {
  /** Since start. */
  readonly loadedSegments: number;
  readonly loadedRows: number;
  readonly lostSegments: number;
  /** Segments that lay in the spool although they were counted before: not loaded twice. */
  readonly replayedSegments: number;
  readonly loadFailures: number;
  /** Of the failure that the loader is waiting out; null when loading works. */
  readonly lastError: string | null;
}

/** Takes what waits in the spool to the store, again and again. */
export interface Loading {
  start(): void;
  /** Finishes what is in hand; the rest waits in the spool. */
  stop(): Promise<void>;
  /** A segment was sealed: look now. */
  wake(): void;
  /** Loads what waits; true when the spool is empty, false when the engine failed or the store stops. */
  load(): Promise<boolean>;
  /** What an earlier process may have had in hand when it ended was loaded: its batches do not change any more. */
  replayed(): boolean;
  status(): LoadingStatus;
}

/** How often the spool is looked at when nobody calls {@link Loading.wake}. */
const POLL_MS = 500;
const RETRY_FIRST_MS = 250;
const RETRY_MAX_MS = 15_000;
/** Refusals of the same segments by a working engine before they are put aside. */
const ATTEMPTS = 5;

export function createLoading(deps: LoadingDeps): Loading {
  const { queue, loader, now } = deps;
  const counts = { segments: 0, rows: 0, lost: 0, replayed: 0, failures: 0 };
  /** When an insert began last; long ago after a failure. */
  let loadMs = Number.NEGATIVE_INFINITY;
  let lastError: string | null = null;
  let attempts = 0;
  let replayed = false;
  let stopping = false;
  let loop: Promise<void> | null = null;
  let passing: Promise<boolean> | null = null;
  let next: Promise<boolean> | null = null;
  let wakeUp: (() => void) | null = null;
  let woken = false;

  async function run(): Promise<void> {
    let retryMs = RETRY_FIRST_MS;
    while (!stopping) {
      const earlyMs = await untilDueMs();
      if (earlyMs > 0) {
        await sleep(Math.min(earlyMs, POLL_MS));
        continue;
      }
      const good = await pass(true);
      if (!good || !woken) await sleep(good ? POLL_MS : retryMs);
      retryMs = good ? RETRY_FIRST_MS : Math.min(retryMs * 2, RETRY_MAX_MS);
      woken = false;
    }
  }

  /** Small segments are left to gather for a while: each insert costs, whatever it brings. */
  async function untilDueMs(): Promise<number> {
    const earlyMs = loadMs + deps.loadSeconds * 1000 - performance.now();
    if (earlyMs <= 0) return 0;
    woken = false;
    return isMuch(await queue.look(now())) ? 0 : earlyMs;
  }

  /** As many as go together. */
  function isMuch(waiting: readonly CountedSegment[]): boolean {
    return waiting.reduce((rows, { segment }) => rows + segment.rows, 0) >= deps.groupRows;
  }

  async function sleep(ms: number): Promise<void> {
    if (stopping) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    wakeUp = null;
  }

  function load(): Promise<boolean> {
    return pass(false);
  }

  /** What is under way may have looked before the caller's segment was there: then once more. */
  function pass(leavesLittle: boolean): Promise<boolean> {
    if (passing) return (next ??= passing.then(load));
    next = null;
    passing = drain(leavesLittle).finally(() => (passing = null));
    return passing;
  }

  /** Loads until nothing waits, or little. One at a time and in order: the ledger knows the last one of each inlet. */
  async function drain(leavesLittle: boolean): Promise<boolean> {
    try {
      let found = await queue.look(now());
      while (found.length > 0 && !stopping) {
        let waiting = found.map(({ segment }) => segment);
        while (waiting.length > 0 && !stopping) {
          const done = new Set(await loadNext(waiting));
          waiting = waiting.filter((segment) => !done.has(segmentId(segment)));
        }
        if (stopping) return false;
        await deps.onPass(true);
        found = await queue.look(now());
        if (leavesLittle && !isMuch(found)) break;
      }
      if (stopping) return false;
      lastError = null;
      replayed = true;
      await deps.onPass(false);
      return true;
    } catch (error) {
      // What the engine was doing was stopped, too.
      if (stopping) return false;
      counts.failures++;
      loadMs = Number.NEGATIVE_INFINITY;
      lastError = (error as Error).message;
      deps.onError?.(error as Error, 'load');
      return false;
    }
  }

  /** Loads what must go next; resolves with the ids of the segments that are settled. */
  async function loadNext(waiting: readonly Segment[]): Promise<readonly string[]> {
    const group = loader.next(waiting);
    loadMs = performance.now();
    await deps.makeRoom(group.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
    let result: LoadResult;
    try {
      result = await loader.load(group);
    } catch (error) {
      if (stopping) throw error;
      attempts = error instanceof EngineError && error.code === 'query_failed' ? attempts + 1 : 0;
      if (attempts < ATTEMPTS) throw error;
      result = await loader.giveUp(group, (error as Error).message);
    }
    attempts = 0;
    replayed = true;
    const { segments, outcome, reason } = result;
    if (outcome === 'settled_before') counts.replayed += segments.length;
    else if (outcome === 'lost') counts.lost += segments.length;
    else counts.segments += segments.length;
    counts.rows += result.rows;
    if (reason !== undefined) deps.onError?.(new Error(reason), `segment ${segments.join(', ')} ${outcome}`);
    deps.onLoaded?.(result);
    return segments;
  }

  function wake(): void {
    woken = true;
    wakeUp?.();
  }

  async function stop(): Promise<void> {
    stopping = true;
    wakeUp?.();
    await loop;
    await next;
    await passing;
  }

  return {
    start: () => void (loop = run()),
    stop,
    wake,
    load,
    replayed: () => replayed,
    status: () => ({
      loadedSegments: counts.segments,
      loadedRows: counts.rows,
      lostSegments: counts.lost,
      replayedSegments: counts.replayed,
      loadFailures: counts.failures,
      lastError,
    }),
  };
}
