import { markLost, readDelta, removeSegment, segmentId, type Segment } from '../spool/index.ts';
import { RAW_TABLE } from './ddl.ts';
import type { Engine, SegmentSource, Settings } from './engine.ts';
import { EngineError } from './engine-error.ts';
import { groupOf, groupToken, isPart, nextGroup } from './groups.ts';
import type { CountedSegment, DurableLedger } from './ledger.ts';
import { openSegments } from './segment-source.ts';
import { MAX_ROW_MINUTES, planSlices, type PlannedSlice } from './slices.ts';
import type { TopBatches } from './top-batches.ts';
import type { KeptSegments } from './top-kept.ts';
import { sumSegments, watchTraffic, type TrafficDelta, type TrafficWatch } from './traffic.ts';

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
  /** Rows that are inserted together at most, unless one segment has more. */
  readonly groupRows?: number;
  /** Counted per segment on top of exporters, interfaces, protocols and services. */
  readonly watches?: readonly TrafficWatch[];
}

export interface Loader {
  /** Those of the waiting segments that must go together now. */
  next(waiting: readonly Segment[]): Segment[];
  /**
   * Takes what {@link Loader.next} gave out of the spool, or only the first of it where that cannot go with the others:
   * rows into the store, deltas into the ledger, files away. Killed at any point and called again, it ends the same: the
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
      return await store(group, began);
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      // Nothing was inserted: rows become one block before the first of them is written.
      await ledger.announce(null);
      return group.length > 1 ? load([first]) : giveUp([first], error.message);
    }
  }

  async function store(group: readonly Segment[], began: number): Promise<LoadResult> {
    const rows = group.reduce((sum, segment) => sum + segment.rows, 0);
    let traffic: readonly TrafficDelta[] = [];
    let reason: string | undefined;
    if (rows > 0) {
      const source = await openSegments(directory, group);
      const sums = await sumSegments(engine, source);
      if (sums.rows !== rows) throw new RangeError(`The segment holds ${sums.rows} rows, its name says ${rows}`);
      const tooMuch = sums.rowMinutes > MAX_ROW_MINUTES;
      const before = ledger.announced();
      // Some tables may have it already, under the token of all.
      const again = before && isPart(before, group[0] as Segment) ? before : null;
      if (tooMuch && group.length > 1 && !again) return load(group.slice(0, 1));
      // One alone, too: others may have come to it when it is inserted again.
      if (!again) await ledger.announce(groupOf(group));
      const slices =
        tooMuch && group.length === 1
          ? await planSlices(engine, source, rows)
          : [{ offset: 0, rows, rowMinutes: sums.rowMinutes }];
      for (const batch of await insert(groupToken(again ?? groupOf(group)), source, slices))
        await kept.keep(batch, directory, group);
      traffic = sums.traffic;
      try {
        traffic = [...traffic, ...(await watchTraffic(engine, source, watches))];
      } catch (error) {
        // The rows are stored; a filter that the engine refuses must not undo that.
        reason = `watches were not counted: ${(error as Error).message}`;
      }
    }
    await count(group);
    for (const segment of group) await removeSegment(directory, segment);
    return { ...result(group, rows, 'stored', began), traffic, ...(reason === undefined ? {} : { reason }) };
  }

  /** Each slice has a token of its own; returns the batches that the rows are in. */
  async function insert(
    id: string,
    source: SegmentSource,
    slices: readonly PlannedSlice[],
  ): Promise<ReadonlySet<string>> {
    const used = new Set<string>();
    const token = `${ledger.instance()}:${id}`;
    for (const slice of slices) {
      const whole = slices.length === 1;
      const settings = insertSettings(whole ? token : `${token}:${slice.offset}`);
      // Replayed, rows that are there keep the batch they came with: the token is the same, whatever the batch.
      const constants = { batch: await batches.stamp() };
      used.add(constants.batch);
      await engine.loadSegment(engine.dialect.stored(RAW_TABLE), source, settings, {
        constants,
        slice: whole ? undefined : slice,
      });
      batches.settled(slice.rows, slice.rowMinutes);
    }
    return used;
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

/**
 * What goes together is one block in one thread, in the raw table and in every ring, so that a replay makes the same blocks
 * and each table recognises those it has (DESIGN: the engine).
 */
export function insertSettings(token: string): Settings {
  return {
    insert_deduplication_token: token,
    deduplicate_blocks_in_dependent_materialized_views: 1,
    max_insert_threads: 1,
    max_threads: 1,
    max_insert_block_size: 100_000_000,
    max_block_size: 100_000_000,
    min_insert_block_size_rows: 100_000_000,
    min_insert_block_size_bytes: 0,
    max_partitions_per_insert_block: 0,
    // The views are analysed with every insert. The new analyser hashes all of the spreading for each key of each
    // grouping set: 85 ms of CPU, the one before it 30 ms.
    allow_experimental_analyzer: 0,
  };
}
