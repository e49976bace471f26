import { randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { rememberTaken, type DropCount, type Ledger, type LedgerDelta, type TakenBatch } from '@ringflow/contract';
import { lostDelta, mergeDeltas, segmentId, syncDirectory, writeFileDurably, type Segment } from '../spool/index.ts';
import type { SegmentGroup } from './groups.ts';

/** What has left the spool, as kept on disk; survives every kind of end. */
interface LedgerState {
  version: 1;
  /** Random; tells this collector's segments from those of others that feed the same database. */
  instance: string;
  received: number;
  stored: number;
  dropped: DropCount[];
  /** Last settled sequence number by inlet and boot; what is not above it has been counted. */
  settled: Record<string, Boots>;
  /** Batches that came over HTTP and are settled; absent where none ever did. */
  taken?: TakenBatch[];
  /** Segments that are being inserted together; absent when they are settled. */
  announced?: SegmentGroup;
}

/** A segment and what the ledger learns from it. */
export interface CountedSegment {
  readonly segment: Segment;
  readonly delta: LedgerDelta;
}

type Boots = Record<string, number>;

/** Boots that are remembered per inlet: segments older than these cannot lie in the spool any more. */
const BOOTS_KEPT = 64;

export interface DurableLedger {
  /** Reads the file; a missing one is made, with a new instance name. */
  load(): Promise<void>;
  /** Name of this collector: part of every deduplication token. */
  instance(): string;
  /** True when the segment was counted before: it only has to be deleted. */
  isSettled(segment: Pick<Segment, 'inlet' | 'boot' | 'sequence'>): boolean;
  /** Name of the last settled segment by inlet. */
  lastSettled(): Readonly<Record<string, string>>;
  /**
   * Says which segments are about to be inserted together, and returns once that is on disk: killed, the next process
   * must insert the same ones under the same token. Null takes it back.
   */
  announce(group: SegmentGroup | null): Promise<void>;
  /** What was announced and is not settled. */
  announced(): SegmentGroup | null;
  /**
   * Counts segments as stored, or as dropped when they were lost, all of them at once, and returns once that is on disk. They
   * are in order and of one writer.
   */
  settle(segments: readonly CountedSegment[]): Promise<void>;
  /** Totals with what waits in the spool added. */
  totals(waiting: readonly LedgerDelta[]): Ledger;
}

/** The totals of the ledger in one small file that is replaced as a whole. */
export function createDurableLedger(path: string): DurableLedger {
  let state: LedgerState = { version: 1, instance: '', received: 0, stored: 0, dropped: [], settled: {} };

  async function load(): Promise<void> {
    try {
      state = JSON.parse(await readFile(path, 'utf8')) as LedgerState;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      await mkdir(dirname(path), { recursive: true });
      await save({ ...state, instance: randomBytes(6).toString('hex') });
    }
  }

  async function save(next: LedgerState): Promise<void> {
    await writeFileDurably(path, JSON.stringify(next));
    await syncDirectory(dirname(path));
    state = next;
  }

  function isSettled({ inlet, boot, sequence }: Pick<Segment, 'inlet' | 'boot' | 'sequence'>): boolean {
    return sequence <= (state.settled[inlet]?.[boot] ?? 0);
  }

  function lastSettled(): Record<string, string> {
    return Object.fromEntries(
      Object.entries(state.settled).map(([inlet, boots]) => {
        const boot = Math.max(...Object.keys(boots).map(Number));
        return [inlet, segmentId({ inlet, boot, sequence: boots[boot] as number })];
      }),
    );
  }

  async function announce(group: SegmentGroup | null): Promise<void> {
    if (group === null && !state.announced) return;
    const { announced: _, ...rest } = state;
    await save(group === null ? rest : { ...rest, announced: group });
  }

  async function settle(segments: readonly CountedSegment[]): Promise<void> {
    const last = segments.at(-1)?.segment;
    if (!last) return;
    let sum: LedgerDelta = { received: state.received, rows: state.stored, dropped: state.dropped };
    for (const { segment, delta } of segments)
      sum = mergeDeltas(sum, segment.state === 'lost' ? lostDelta(delta) : delta);
    const boots: Boots = { ...state.settled[last.inlet], [last.boot]: last.sequence };
    const kept = Object.entries(boots)
      .sort(([a], [b]) => Number(b) - Number(a))
      .slice(0, BOOTS_KEPT);
    const { announced: _, ...rest } = state;
    await save({
      ...rest,
      received: sum.received,
      stored: sum.rows,
      dropped: sum.dropped,
      settled: { ...state.settled, [last.inlet]: Object.fromEntries(kept) },
      ...(sum.taken ? { taken: rememberTaken(state.taken ?? [], sum.taken) } : {}),
    });
  }

  function totals(waiting: readonly LedgerDelta[]): Ledger {
    let sum: LedgerDelta = { received: state.received, rows: 0, dropped: state.dropped };
    for (const delta of waiting) sum = mergeDeltas(sum, delta);
    const dropped = sum.dropped.reduce((records, drop) => records + drop.records, 0);
    return {
      received: sum.received,
      stored: state.stored,
      waiting: sum.rows,
      dropped: sum.dropped,
      difference: sum.received - state.stored - sum.rows - dropped,
    };
  }

  return {
    load,
    instance: () => state.instance,
    isSettled,
    lastSettled,
    announce,
    announced: () => state.announced ?? null,
    settle,
    totals,
  };
}

/** The window of batches that the ledger's file remembers; empty when there is no file yet. */
export async function readTaken(path: string): Promise<TakenBatch[]> {
  try {
    return (JSON.parse(await readFile(path, 'utf8')) as LedgerState).taken ?? [];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return [];
  }
}
