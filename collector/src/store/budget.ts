import { setTimeout as sleep } from 'node:timers/promises';
import type { StoreConfig } from './config.ts';
import type { Engine } from './engine.ts';
import { limitMerges, MAX_INCOMING_SHARE, retain, type Dropped } from './retention.ts';

/** Retention is looked at whenever segments of this share of the budget are loaded. */
const LOOK_SHARE = 0.02;

/**
 * What a segment takes in all tables until it was merged, as a share of its size: at most. Measured: 0.15 to 0.3, and 0.65
 * for records that no codec makes smaller.
 */
const STORED_SHARE = 1;

/** Above this share of the budget nothing more is loaded until files were deleted; segments wait in the spool. */
const PAUSE_SHARE = 0.97;
const PAUSE_MS = 250;
/** A query that still reads parts keeps them on disk; it ends before this. */
const LONGEST_PAUSE_MS = 60_000;

export interface BudgetDeps {
  readonly engine: Engine;
  /** Read at each use: a reload changes it. */
  readonly config: Pick<StoreConfig, 'max_bytes' | 'archives'>;
  /** Milliseconds since the epoch. */
  now(): number;
  onDropped(dropped: readonly Dropped[]): void;
}

/** Keeps the store within its bytes on disk while it is loaded. */
export interface Budget {
  /** Sets the engine up for the budget. */
  start(): Promise<void>;
  /** A segment of this size is about to be loaded; resolves when there is room for it. */
  makeRoom(sizeBytes: number): Promise<void>;
  /** Drops what is too old or too much. */
  retain(): Promise<readonly Dropped[]>;
  /** Lets {@link Budget.makeRoom} return at once; resolves when nothing is under way. */
  stop(): Promise<void>;
}

export function createBudget({ engine, config, now, onDropped }: BudgetDeps): Budget {
  let sinceLook = 0;
  let limitedFor = 0;
  let stopping = false;
  let running: Promise<{ dropped: readonly Dropped[]; diskBytes: number }> | null = null;

  async function start(): Promise<void> {
    await limitMerges(engine, config.max_bytes);
    limitedFor = config.max_bytes;
  }

  function look(incomingBytes = 0): Promise<{ dropped: readonly Dropped[]; diskBytes: number }> {
    sinceLook = 0;
    running ??= (async () => {
      if (limitedFor !== config.max_bytes) await start();
      const report = await retain(engine, config, now(), incomingBytes);
      if (report.dropped.length > 0) onDropped(report.dropped);
      return report;
    })()
      .catch((error: unknown) => {
        // What the engine was doing was stopped, too.
        if (stopping) return { dropped: [], diskBytes: 0 };
        throw error;
      })
      .finally(() => (running = null));
    return running;
  }

  async function makeRoom(sizeBytes: number): Promise<void> {
    sinceLook += sizeBytes;
    if (sinceLook <= config.max_bytes * LOOK_SHARE) return;
    const incomingBytes = Math.min(sizeBytes * STORED_SHARE, config.max_bytes * MAX_INCOMING_SHARE);
    const deadline = performance.now() + LONGEST_PAUSE_MS;
    while (!stopping && performance.now() < deadline) {
      const { diskBytes } = await look(incomingBytes);
      if (diskBytes + incomingBytes <= config.max_bytes * PAUSE_SHARE) return;
      await sleep(PAUSE_MS);
    }
  }

  async function stop(): Promise<void> {
    stopping = true;
    await running?.catch(() => undefined);
  }

  return { start, makeRoom, retain: async () => (await look()).dropped, stop };
}
