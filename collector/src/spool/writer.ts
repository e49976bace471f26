import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { LedgerDelta } from '@ringflow/contract';
import type { Batch } from '../wire/index.ts';
import { SPOOL_DEFAULTS, type SpoolConfig } from './config.ts';
import {
  createSpoolDirectory,
  freeBytes,
  recoverOpenSegment,
  removeDelta,
  scanSpool,
  segmentPath,
  syncDirectory,
  writeFileDurably,
} from './directory.ts';
import { encodeNative, nativeSizeBound } from './native.ts';
import { createPieces } from './pieces.ts';
import { deltaName, isPlainDelta, mergeDeltas, segmentId, type Segment } from './segment.ts';

export interface SpoolWriterOptions extends Partial<SpoolConfig> {
  readonly directory: string;
  /** Lower-case letters and digits; one running writer per name. */
  readonly inlet: string;
}

export interface SpoolWriterDeps {
  /** Milliseconds since the epoch. */
  now?(): number;
  /** Called when a write fails; it is tried again until it succeeds. */
  onError?(error: Error): void;
}

/** A batch on its way to disk. */
export interface SealedSegment {
  readonly id: string;
  readonly rows: number;
  readonly sizeBytes: number;
  /** True once the file is synced and renamed; false when the writer was stopped before that. */
  readonly sealed: Promise<boolean>;
}

export interface SpoolWriterStatus {
  readonly boot: number;
  /** Sequence number of the last segment that was handed over. */
  readonly sequence: number;
  readonly sealedSegments: number;
  readonly sealedRows: number;
  readonly sealedBytes: number;
  /** Rows that were handed over and are not on disk yet, those of the open segment among them. */
  readonly inFlightRows: number;
  readonly inFlightSegments: number;
  /** Bytes waiting in the directory, from all inlets. */
  readonly waitingBytes: number;
  readonly maxBytes: number;
  readonly full: boolean;
  /** Half-written segments found at start: sealed after all, or counted as lost. */
  readonly recovered: { readonly sealed: number; readonly lost: number };
  readonly writeErrors: number;
  readonly lastError: string | null;
}

export interface SpoolWriter {
  /** Makes the directory, takes a new boot number and settles what an earlier boot left half-written. */
  start(): Promise<void>;
  /** Encodes the rows into the open segment, as a block of their own; the batch may be reset at once. */
  append(batch: Batch): void;
  /** Rows of the open segment. */
  openRows(): number;
  /**
   * Appends the rows and hands the open segment to the disk; the batch may be reset at once. A delta without rows is
   * recorded alone, and leaves the open segment as it is. Segments reach the disk in the order of the calls. Ask
   * {@link full} first.
   *
   * @param delta of all rows of the open segment
   */
  seal(batch: Batch, delta: LedgerDelta): SealedSegment;
  /** True when the next rows must be dropped (reason `spool_full`): budget used up, disk full or disk too slow. */
  full(): boolean;
  /** Resolves when everything handed over so far is sealed. */
  flush(): Promise<void>;
  /** Flushes (giving up after `timeoutMs`) and stops. */
  stop(timeoutMs?: number): Promise<void>;
  /** Changes the budget while it writes. */
  limit(budget: Pick<SpoolConfig, 'max_bytes' | 'min_free_bytes'>): void;
  status(): SpoolWriterStatus;
}

interface Job {
  segment: Segment;
  delta: LedgerDelta;
  body: readonly Uint8Array[];
  settle(sealed: boolean): void;
  sealed: Promise<boolean>;
}

const RESCAN_MS = 1000;
const RETRY_FIRST_MS = 100;
const RETRY_MAX_MS = 5000;

/** Turns batches into sealed segments, in order and in the background. */
export function createSpoolWriter(options: SpoolWriterOptions, deps: SpoolWriterDeps = {}): SpoolWriter {
  let config: SpoolConfig = { ...SPOOL_DEFAULTS, ...withoutUndefined(options) };
  const { directory, inlet } = options;
  if (!/^[a-z0-9]+$/.test(inlet)) throw new RangeError(`Inlet name ${inlet} must be lower-case letters and digits`);
  const now = deps.now ?? Date.now;
  const queue: Job[] = [];
  const pieces = createPieces();
  let openRows = 0;
  let boot = 0;
  let sequence = 0;
  let running: Promise<void> | null = null;
  let busy: Job | null = null;
  let started = false;
  let stopping = false;
  let directoryBytes = 0;
  let diskShort = false;
  let rescanTimer: NodeJS.Timeout | null = null;
  let wakeRetry: (() => void) | null = null;
  const counts = {
    segments: 0,
    rows: 0,
    bytes: 0,
    errors: 0,
    lastError: null as string | null,
    recoveredSealed: 0,
    recoveredLost: 0,
  };

  async function start(): Promise<void> {
    await createSpoolDirectory(directory);
    const bootFile = join(directory, `${inlet}.boot`);
    const last = Number(await readFile(bootFile, 'utf8').catch(() => '0')) || 0;
    const contents = await scanSpool(directory);
    const own = [...contents.ready, ...contents.open].filter((segment) => segment.inlet === inlet);
    // Never a number that was used before, even when the clock was set back: ids must not repeat.
    boot = Math.max(now(), last + 1, ...own.map((segment) => segment.boot + 1));
    await writeFileDurably(bootFile, String(boot));
    for (const segment of contents.open) {
      if (segment.inlet !== inlet) continue;
      const { state } = await recoverOpenSegment(directory, segment);
      if (state === 'lost') counts.recoveredLost++;
      else counts.recoveredSealed++;
    }
    for (const id of contents.orphanDeltas) if (id.startsWith(`${inlet}_`)) await removeDelta(directory, id);
    await syncDirectory(directory);
    directoryBytes = contents.sizeBytes;
    await rescan();
    rescanTimer = setInterval(() => void rescan(), RESCAN_MS);
    rescanTimer.unref();
    started = true;
  }

  /** The store deletes files while we write: what is left is seen by looking. */
  async function rescan(): Promise<void> {
    try {
      const [contents, free] = await Promise.all([scanSpool(directory), freeBytes(directory)]);
      directoryBytes = contents.sizeBytes;
      diskShort = free < config.min_free_bytes;
    } catch (error) {
      noteError(error as Error);
    }
  }

  function noteError(error: Error): void {
    counts.errors++;
    counts.lastError = error.message;
    deps.onError?.(error);
  }

  function append(batch: Batch): void {
    if (!started || stopping) throw new Error('The spool writer is not running');
    if (batch.rows === 0) return;
    pieces.grow(encodeNative(batch, pieces.room(nativeSizeBound(batch))));
    openRows += batch.rows;
  }

  function seal(batch: Batch, delta: LedgerDelta): SealedSegment {
    append(batch);
    const { rows } = delta;
    if (rows !== openRows && (rows > 0 || batch.rows > 0))
      throw new RangeError(`The segment has ${openRows} rows, its ledger delta ${rows}`);
    const waiting = queue[queue.length - 1];
    // While the disk does not answer, the drops of many seconds become one record.
    if (rows === 0 && waiting && waiting !== busy && waiting.segment.rows === 0) {
      waiting.delta = mergeDeltas(waiting.delta, delta);
      waiting.segment = { ...waiting.segment, hasDelta: !isPlainDelta(waiting.delta) };
      return describe(waiting);
    }
    const body = rows > 0 ? pieces.take() : [];
    if (rows > 0) openRows = 0;
    sequence++;
    let settle: (sealed: boolean) => void = () => undefined;
    const sealed = new Promise<boolean>((resolve) => (settle = resolve));
    const segment: Segment = {
      inlet,
      boot,
      sequence,
      rows,
      sizeBytes: body.reduce((sum, { length }) => sum + length, 0),
      hasDelta: !isPlainDelta(delta),
      state: 'open',
    };
    const job: Job = { segment, delta, body, settle, sealed };
    queue.push(job);
    running ??= drain();
    return describe(job);
  }

  function describe(job: Job): SealedSegment {
    return { id: segmentId(job.segment), rows: job.segment.rows, sizeBytes: job.segment.sizeBytes, sealed: job.sealed };
  }

  async function drain(): Promise<void> {
    let retryMs = RETRY_FIRST_MS;
    for (let job = queue[0]; job; job = queue[0]) {
      busy = job;
      try {
        await write(job);
      } catch (error) {
        noteError(error as Error);
        if (stopping) break;
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, retryMs);
          wakeRetry = () => (clearTimeout(timer), resolve());
        });
        wakeRetry = null;
        retryMs = Math.min(retryMs * 2, RETRY_MAX_MS);
        continue;
      }
      retryMs = RETRY_FIRST_MS;
      queue.shift();
      pieces.giveBack(job.body);
      directoryBytes += job.segment.sizeBytes;
      counts.segments++;
      counts.rows += job.segment.rows;
      counts.bytes += job.segment.sizeBytes;
      job.settle(true);
    }
    busy = null;
    running = null;
  }

  /** Delta first, then the rows, then the rename that seals both: every earlier crash leaves an `.open` file or less. */
  async function write(job: Job): Promise<void> {
    const { segment, delta, body } = job;
    if (segment.hasDelta) await writeFileDurably(join(directory, deltaName(segment)), JSON.stringify(delta));
    const path = segmentPath(directory, segment);
    const file = await open(path, 'w');
    try {
      for (const piece of body)
        for (let at = 0; at < piece.length;) at += (await file.write(piece, at, piece.length - at)).bytesWritten;
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(path, segmentPath(directory, { ...segment, state: 'native' }));
    await syncDirectory(directory);
  }

  function full(): boolean {
    return (
      diskShort || queue.length >= config.max_in_flight || directoryBytes + inFlight('sizeBytes') >= config.max_bytes
    );
  }

  function inFlight(what: 'rows' | 'sizeBytes'): number {
    let sum = 0;
    for (const job of queue) sum += job.segment[what];
    return sum;
  }

  async function flush(): Promise<void> {
    await queue[queue.length - 1]?.sealed;
  }

  async function stop(timeoutMs = 10_000): Promise<void> {
    if (!started) return;
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([flush(), new Promise<void>((resolve) => (timer = setTimeout(resolve, timeoutMs)))]);
    clearTimeout(timer);
    stopping = true;
    wakeRetry?.();
    await running;
    for (const job of queue.splice(0)) job.settle(false);
    if (rescanTimer) clearInterval(rescanTimer);
    started = false;
  }

  function status(): SpoolWriterStatus {
    return {
      boot,
      sequence,
      sealedSegments: counts.segments,
      sealedRows: counts.rows,
      sealedBytes: counts.bytes,
      inFlightRows: openRows + inFlight('rows'),
      inFlightSegments: queue.length,
      waitingBytes: directoryBytes,
      maxBytes: config.max_bytes,
      full: full(),
      recovered: { sealed: counts.recoveredSealed, lost: counts.recoveredLost },
      writeErrors: counts.errors,
      lastError: counts.lastError,
    };
  }

  function limit(budget: Pick<SpoolConfig, 'max_bytes' | 'min_free_bytes'>): void {
    config = { ...config, max_bytes: budget.max_bytes, min_free_bytes: budget.min_free_bytes };
  }

  return { start, append, openRows: () => openRows, seal, full, flush, stop, limit, status };
}

function withoutUndefined<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}
