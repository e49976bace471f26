import { markLost, readDelta, removeSegment, segmentId, type Segment } from '../spool/index.ts';
import { RAW_TABLE } from './ddl.ts';
import type { Engine, SegmentSource, Slice } from './engine.ts';
import { EngineError } from './engine-error.ts';
import { groupOf, groupToken, isPart, nextGroup, portionsOf, type SegmentGroup } from './groups.ts';
import { insertCells, insertRows } from './inserts.ts';
import type { CountedSegment, DurableLedger } from './ledger.ts';
import { openSegments } from './segment-source.ts';
import { planSlices, slicesOf, type PlannedSlice } from './slices.ts';
import type { KeptSegments, TopBatches } from './top/index.ts';
import { sumSegments, watchTraffic, type SegmentSums, type TrafficDelta, type TrafficWatch } from './traffic.ts';

/** What became of segments that went together. */
export interface LoadResult {
  /** Their ids, in order. */
  readonly segments: readonly string[];
  /** Rows that are in the store now. */
  readonly rows: number;
  readonly sizeBytes: number;
  readonly outcome: 'stored' | 'lost' | 'settled_before';
  readonly durationMs: number;
  readonly traffic: readonly TrafficDelta[];
  /** Why they were given up, or their traffic not counted. */
  readonly reason?: string;
}

export interface LoaderDeps {
  readonly engine: Engine;
  readonly ledger: DurableLedger;
  /** Stamps rows with their batch of the top lists. */
  readonly batches: Pick<TopBatches, 'stamp' | 'settled'>;
  /** Keeps the files for the top lists. */
  readonly kept: Pick<KeptSegments, 'keep'>;
  /** Rows that go together at most, unless one segment has more. */
  readonly groupRows?: number;
  /** Counted per segment on top of exporters, interfaces, protocols and services. */
  readonly watches?: readonly TrafficWatch[];
}

export interface Loader {
  /** Those of the waiting segments that must go together now. */
  next(waiting: readonly Segment[]): Segment[];
  /**
   * Takes what {@link Loader.next} gave out of the spool, or only the first of it where that cannot go with the others:
   * rows into the store, deltas into the ledger, files away. Killed at any point and called again, it ends the same: each
   * insert is recognised by its token, the ledger by the sequence numbers.
   *
   * @throws EngineError when the engine fails; the segments stay
   */
  load(group: readonly Segment[]): Promise<LoadResult>;
  /** Declares what {@link Loader.load} tried last unreadable and counts its rows as dropped. */
  giveUp(group: readonly Segment[], reason: string): Promise<LoadResult>;
}

/** Errors of the engine that say the segment's bytes are wrong, not the engine (src/Common/ErrorCodes.cpp). */
const UNREADABLE: ReadonlySet<number> = new Set([27, 32, 33, 117, 131, 190, 271]);

function isUnreadable(error: unknown): error is Error {
  return error instanceof RangeError || (error instanceof EngineError && UNREADABLE.has(error.engineCode));
}

/** What is known of a group before it is inserted. */
interface ReadGroup {
  readonly source: SegmentSource;
  readonly sums: SegmentSums;
}

/** The batch of the top lists that segments' rows, or some of them, are in. */
interface Stamped {
  readonly batch: string;
  readonly segments: readonly Segment[];
}

/** Loads segments of one spool directory. */
export function createLoader(directory: string, deps: LoaderDeps): Loader {
  const { engine, ledger, batches, kept, watches = [] } = deps;

  async function load(group: readonly Segment[]): Promise<LoadResult> {
    const began = performance.now();
    const [first] = group as readonly [Segment];
    if (ledger.isSettled(first)) {
      await removeSegment(directory, first);
      return result([first], 0, 'settled_before', began);
    }
    if (first.state === 'lost') return giveUp([first], 'half-written when its writer died');
    try {
      const read = await readGroup(group);
      const slices = read ? slicesOf(read.sums) : 0;
      if (slices > 1 && group.length > 1 && !announcedFor(group))
        return await load(group.slice(0, Math.max(1, Math.floor(group.length / slices))));
      return await store(group, read, began);
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      await ledger.announce(null);
      // A portion becomes one block before its first row is written; those that are in have tokens of their own.
      const [portion = group] = portionsOf(group);
      if (portion.length < group.length) return load(portion);
      return group.length > 1 ? load([first]) : giveUp([first], error.message);
    }
  }

  /** Null when there are no rows. */
  async function readGroup(group: readonly Segment[]): Promise<ReadGroup | null> {
    const rows = rowsOf(group);
    if (rows === 0) return null;
    const source = await openSegments(directory, group);
    const sums = await sumSegments(engine, source);
    if (sums.rows !== rows) throw new RangeError(`The segment holds ${sums.rows} rows, its name says ${rows}`);
    return { source, sums };
  }

  /** What was announced before an end: some tables may have it already, under the token of all. */
  function announcedFor(group: readonly Segment[]): SegmentGroup | null {
    const announced = ledger.announced();
    return announced && isPart(announced, group[0] as Segment) ? announced : null;
  }

  async function store(group: readonly Segment[], read: ReadGroup | null, began: number): Promise<LoadResult> {
    let traffic: readonly TrafficDelta[] = [];
    let reason: string | undefined;
    if (read) {
      const again = announcedFor(group);
      // One alone, too: others may have come to it when it is inserted again.
      if (!again) await ledger.announce(groupOf(group));
      for (const { batch, segments } of await insert(group, tokenOf(again ?? groupOf(group)), read))
        await kept.keep(batch, directory, segments);
      ({ traffic } = read.sums);
      try {
        traffic = [...traffic, ...(await watchTraffic(engine, read.source, watches))];
      } catch (error) {
        // The rows are stored; a filter that the engine refuses must not undo that.
        reason = `watches were not counted: ${(error as Error).message}`;
      }
    }
    await count(group);
    for (const segment of group) await removeSegment(directory, segment);
    return { ...result(group, rowsOf(group), 'stored', began), traffic, ...(reason === undefined ? {} : { reason }) };
  }

  function tokenOf(group: SegmentGroup): string {
    return `${ledger.instance()}:${groupToken(group)}`;
  }

  /** Rows by portions and then the rings of all at once; of flows that are too long, each slice under a token of its own. */
  async function insert(group: readonly Segment[], token: string, { source, sums }: ReadGroup): Promise<Stamped[]> {
    const stamped: Stamped[] = [];
    if (slicesOf(sums) > 1 && group.length === 1) {
      for (const slice of await planSlices(engine, source, sums.rows)) {
        const batch = await insertRaw(source, `${token}:${slice.offset}`, slice, slice);
        stamped.push({ batch, segments: group });
        await insertCells(engine, source, `${token}:${slice.offset}`, slice);
      }
      return stamped;
    }
    for (const portion of portionsOf(group)) {
      const rows = rowsOf(portion);
      if (rows === 0) continue;
      const rowMinutes = (sums.rowMinutes * rows) / sums.rows;
      const part = await openSegments(directory, portion);
      const batch = await insertRaw(part, tokenOf(groupOf(portion)), { rows, rowMinutes });
      stamped.push({ batch, segments: portion });
    }
    await insertCells(engine, source, token);
    return stamped;
  }

  /** Returns the batch that the rows are stamped with. */
  async function insertRaw(
    source: SegmentSource,
    token: string,
    { rows, rowMinutes }: Pick<PlannedSlice, 'rows' | 'rowMinutes'>,
    slice?: Slice,
  ): Promise<string> {
    // Replayed, rows that are there keep the batch they came with: the token is the same, whatever the batch.
    const batch = await batches.stamp();
    await insertRows(engine, RAW_TABLE, source, token, { constants: { batch }, slice });
    batches.settled(rows, rowMinutes);
    return batch;
  }

  async function giveUp(waiting: readonly Segment[], reason: string): Promise<LoadResult> {
    const began = performance.now();
    batches.settled(0, 0);
    const announced = ledger.announced();
    const tried = announced ? waiting.filter((segment) => isPart(announced, segment)) : [];
    const group = tried.length > 0 ? tried : waiting.slice(0, 1);
    await count(group.map((segment) => ({ ...segment, state: 'lost' })));
    for (const segment of group) {
      const lost = segment.state === 'lost' ? segment : await markLost(directory, segment);
      await removeSegment(directory, lost);
    }
    return { ...result(group, 0, 'lost', began), reason };
  }

  /** Always before files are deleted: what is deleted without it would be missing from the sums for ever. */
  async function count(group: readonly Segment[]): Promise<void> {
    const counted: CountedSegment[] = [];
    for (const segment of group) counted.push({ segment, delta: await readDelta(directory, segment) });
    await ledger.settle(counted);
  }

  return { next: (waiting) => nextGroup(waiting, ledger.announced(), deps.groupRows), load, giveUp };
}

function rowsOf(group: readonly Segment[]): number {
  return group.reduce((sum, { rows }) => sum + rows, 0);
}

function result(group: readonly Segment[], rows: number, outcome: LoadResult['outcome'], began: number): LoadResult {
  return {
    segments: group.map(segmentId),
    rows,
    sizeBytes: group.reduce((sum, segment) => sum + segment.sizeBytes, 0),
    outcome,
    durationMs: performance.now() - began,
    traffic: [],
  };
}
