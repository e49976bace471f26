import { setTimeout as sleep } from 'node:timers/promises';
import type { InletEvents, InletMethods, MainEvents, ProcessEvents, StoreEvents, StoreMethods } from './messages.ts';
import type { Supervisor } from './supervisor.ts';

/**
 * A stop takes no longer than this. Only the inlet holds what is nowhere else, so it may take most of the time to
 * seal. What the store has not loaded stays in the spool, and to kill it in mid-segment does no harm: the segment is
 * loaded again under the same id.
 */
const STOP_MS = 9_500;
const INLET_END_MS = 6_500;
/** How long a stop goes on loading what waits. */
const LAST_LOAD_MS = 4_000;
/** What of the time is left to the store to finish the segment in hand, whatever came before. */
const STORE_END_MS = 2_500;
/** The API cuts its connections, a job that runs may take as long as its query. */
const WEB_END_MS = 1_000;

interface Parts {
  readonly inlet: Pick<Supervisor<InletMethods, InletEvents, ProcessEvents>, 'stop'>;
  readonly store: Pick<Supervisor<StoreMethods, StoreEvents, MainEvents>, 'stop' | 'channel'>;
  /** What else is ending already. */
  readonly others: readonly unknown[];
  /** Does what is left to do when nothing is received any more. */
  sealed(): Promise<void>;
}

/** The inlet seals what it has, the store loads what it can, and both end in time. */
export async function endProcesses({ inlet, store, others, sealed }: Parts): Promise<void> {
  const deadlineMs = performance.now() + STOP_MS;
  const leftMs = (): number => Math.max(0, deadlineMs - performance.now());
  const ending = Promise.allSettled(others);
  await inlet.stop(INLET_END_MS);
  await within(WEB_END_MS, Promise.allSettled([ending, sealed()]));
  await within(
    Math.min(LAST_LOAD_MS, leftMs() - STORE_END_MS),
    store
      .channel()
      ?.call('load', [])
      .catch(() => false),
  );
  await store.stop(Math.max(STORE_END_MS, leftMs()));
}

/** Waits for the work, but not longer than this. */
async function within(limitMs: number, work: Promise<unknown> | undefined): Promise<void> {
  if (!work || limitMs <= 0) return;
  const enough = new AbortController();
  await Promise.race([work, sleep(limitMs, undefined, { signal: enough.signal }).catch(() => undefined)]);
  enough.abort();
}
