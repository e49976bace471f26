import type { Engine } from '../engine.ts';
import { raiseTopState, readTopStates } from './state.ts';

/**
 * Rows go into the top lists in batches: what one collector stored within some minutes. Each row carries the number of
 * its batch, so that a late record is found as surely as one in time, and so that a query knows which rows are in the lists.
 */
export interface TopBatches {
  /** Opens the first batch of this process, above all that the loader had before. */
  start(): Promise<void>;
  /**
   * Value of the column `batch` for the rows of an insert. The batch stays open until {@link TopBatches.settled}: also
   * when the insert fails, because a server may commit it later.
   */
  stamp(): Promise<string>;
  /** The rows of the last stamp are stored, or given up; `rowMinutes` as in slices.ts. */
  settled(rows: number, rowMinutes: number): void;
  /** Closes the open batch when it is due and no insert is under way. */
  closeDue(): Promise<void>;
  /** Number of this loader: 32 bits. */
  loader(): number;
  /** Epoch of the open batch; all before it are closed. */
  openEpoch(): number;
  /** When a batch was closed, in milliseconds since the epoch; null while it is open. */
  closedMs(epoch: number): number | null;
}

/** When a batch is closed; whichever comes first. */
export interface BatchBounds {
  readonly seconds: number;
  /** As many as the lists can be made of in memory; those of long flows weigh more. */
  readonly rows: number;
}

const DEFAULT_BOUNDS: BatchBounds = { seconds: 300, rows: 500_000 };

/** Minutes of long flows that weigh as much as a row: a record is spread over its 5-minute buckets. */
const MINUTES_PER_ROW = 10;
/** Batches whose closing time is kept: more than ever wait. */
const REMEMBERED = 10_000;
/** Minutes that slices.ts counts for a flow of up to a minute. */
const USUAL_MINUTES = 3;

/**
 * A loader that was not seen for an hour may be taken for dead, and its batches be consolidated by another one
 * (lists.ts); one that comes back after half of that goes on in a new batch.
 */
export const DEAD_AFTER_MS = 3_600_000;
const FENCE_MS = DEAD_AFTER_MS / 2;

/** Value of the column `batch`, as a decimal number. */
export function batchNumber(loader: number, epoch: number): string {
  return String((BigInt(loader) << 32n) | BigInt(epoch));
}

export interface TopBatchesDeps {
  readonly engine: Engine;
  /** Name of the collector: hexadecimal digits (ledger.ts). */
  instance(): string;
  /** Milliseconds since the epoch. */
  now(): number;
  readonly bounds?: BatchBounds;
}

export function createTopBatches(deps: TopBatchesDeps): TopBatches {
  const { engine, now, bounds = DEFAULT_BOUNDS } = deps;
  let loader = 0;
  let epoch = 0;
  let seenMs = 0;
  /** Of the first row; 0 when the batch is empty. */
  let begunMs = 0;
  let weight = 0;
  let pinned = false;
  let opening: Promise<void> | null = null;
  /** Of this process; what an earlier one left was closed when this one started. */
  const closed = new Map<number, number>();
  let startedMs = 0;

  async function start(): Promise<void> {
    // 0 stands for rows of no loader.
    loader = Number.parseInt(deps.instance().slice(0, 8), 16) || 1;
    const state = (await readTopStates(engine)).find((known) => known.loader === loader);
    epoch = state?.openedEpoch ?? 0;
    startedMs = now();
    await open();
  }

  /** What is opened is on disk before the first row carries it; nothing is stamped meanwhile. */
  function open(): Promise<void> {
    opening ??= raiseTopState(engine, loader, { openedEpoch: epoch + 1 }, now())
      .then(() => {
        closed.set(epoch, now());
        closed.delete(epoch - REMEMBERED);
        epoch += 1;
        seenMs = now();
        begunMs = 0;
        weight = 0;
      })
      .finally(() => (opening = null));
    return opening;
  }

  function due(): boolean {
    if (begunMs === 0) return false;
    return weight >= bounds.rows || now() - begunMs >= bounds.seconds * 1000;
  }

  async function closeDue(): Promise<void> {
    if (!pinned && due()) await open();
  }

  async function stamp(): Promise<string> {
    if (opening || (!pinned && (due() || now() - seenMs > FENCE_MS))) await open();
    pinned = true;
    return batchNumber(loader, epoch);
  }

  function settled(rows: number, rowMinutes: number): void {
    pinned = false;
    if (rows > 0 && begunMs === 0) begunMs = now();
    weight += rows + Math.max(0, rowMinutes - rows * USUAL_MINUTES) / MINUTES_PER_ROW;
  }

  return {
    start,
    stamp,
    settled,
    closeDue,
    loader: () => loader,
    openEpoch: () => epoch,
    closedMs: (asked) => (asked >= epoch ? null : (closed.get(asked) ?? startedMs)),
  };
}
