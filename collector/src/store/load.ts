import type { LedgerDelta } from '@ringflow/contract';
import { markLost, readDelta, removeSegment, segmentId, type Segment } from '../spool/index.ts';
import { RAW_TABLE } from './ddl.ts';
import type { Engine, SegmentSource, Settings } from './engine.ts';
import { EngineError } from './engine-error.ts';
import type { DurableLedger } from './ledger.ts';
import { openSegment } from './segment-source.ts';
import { planSlices } from './slices.ts';
import type { TopBatches } from './top-batches.ts';
import { segmentTraffic, type TrafficDelta, type TrafficWatch } from './traffic.ts';

/** What became of one segment. */
export interface LoadResult {
  readonly segment: string;
  /** Rows that are in the store now. */
  readonly rows: number;
  readonly sizeBytes: number;
  readonly outcome: 'stored' | 'lost' | 'settled_before';
  readonly durationMs: number;
  readonly traffic: readonly TrafficDelta[];
  /** Why the segment was given up, or its traffic not counted. */
  readonly reason?: string;
}

export interface LoaderDeps {
  readonly engine: Engine;
  readonly ledger: DurableLedger;
  /** Stamps rows with their batch of the top lists. */
  readonly batches: Pick<TopBatches, 'stamp' | 'settled'>;
  /** Counted per segment on top of exporters, interfaces, protocols and services. */
  readonly watches?: readonly TrafficWatch[];
}

export interface Loader {
  /**
   * Takes one segment out of the spool: rows into the store, delta into the ledger, file away. Killed at any point and
   * called again, it ends the same: the insert is recognised by its token, the ledger by the sequence number.
   *
   * @throws EngineError when the engine fails; the segment stays
   */
  load(segment: Segment): Promise<LoadResult>;
  /** Declares a segment unreadable and counts its rows as dropped. */
  giveUp(segment: Segment, reason: string): Promise<LoadResult>;
}

/** Errors of the engine that say the segment's bytes are wrong, not the engine (src/Common/ErrorCodes.cpp). */
const UNREADABLE: ReadonlySet<number> = new Set([27, 32, 33, 117, 131, 190, 271]);

/** Loads segments of one spool directory. */
export function createLoader(directory: string, deps: LoaderDeps): Loader {
  const { engine, ledger, batches, watches = [] } = deps;

  async function load(segment: Segment): Promise<LoadResult> {
    const began = performance.now();
    if (ledger.isSettled(segment)) {
      await removeSegment(directory, segment);
      return result(segment, 0, 'settled_before', began);
    }
    if (segment.state === 'lost') return settleLost(segment, began, 'half-written when its writer died');
    const delta = await readDelta(directory, segment);
    let traffic: readonly TrafficDelta[] = [];
    let reason: string | undefined;
    if (segment.rows > 0) {
      let source: SegmentSource;
      try {
        source = await openSegment(directory, segment);
        await insert(segment, source);
      } catch (error) {
        const unreadable =
          error instanceof RangeError || (error instanceof EngineError && UNREADABLE.has(error.engineCode));
        if (!unreadable) throw error;
        batches.settled(0, 0);
        return settleLost(await markLost(directory, segment), began, error.message);
      }
      try {
        traffic = await segmentTraffic(engine, source, watches);
      } catch (error) {
        // The rows are stored; a filter that the engine refuses must not undo that.
        reason = `traffic was not counted: ${(error as Error).message}`;
      }
    }
    await settle(segment, delta);
    return { ...result(segment, segment.rows, 'stored', began), traffic, ...(reason === undefined ? {} : { reason }) };
  }

  /** Each slice has a token of its own; a segment in one piece is known by its id alone. */
  async function insert(segment: Segment, source: SegmentSource): Promise<void> {
    const token = `${ledger.instance()}:${segmentId(segment)}`;
    const slices = await planSlices(engine, source, segment.rows);
    for (const slice of slices) {
      const whole = slices.length === 1;
      const settings = insertSettings(whole ? token : `${token}:${slice.offset}`);
      // Replayed, rows that are there keep the batch they came with: the token is the same, whatever the batch.
      const constants = { batch: await batches.stamp() };
      await engine.loadSegment(engine.dialect.stored(RAW_TABLE), source, settings, {
        constants,
        slice: whole ? undefined : slice,
      });
      batches.settled(slice.rows, slice.rowMinutes);
    }
  }

  async function giveUp(segment: Segment, reason: string): Promise<LoadResult> {
    const began = performance.now();
    batches.settled(0, 0);
    return settleLost(segment.state === 'lost' ? segment : await markLost(directory, segment), began, reason);
  }

  async function settleLost(segment: Segment, began: number, reason: string): Promise<LoadResult> {
    await settle(segment, await readDelta(directory, segment));
    return { ...result(segment, 0, 'lost', began), reason };
  }

  /** The ledger first: what is deleted without it would be missing from the sums for ever. */
  async function settle(segment: Segment, delta: LedgerDelta): Promise<void> {
    await ledger.settle(segment, delta);
    await removeSegment(directory, segment);
  }

  return { load, giveUp };
}

function result(segment: Segment, rows: number, outcome: LoadResult['outcome'], began: number): LoadResult {
  return {
    segment: segmentId(segment),
    rows,
    sizeBytes: segment.sizeBytes,
    outcome,
    durationMs: performance.now() - began,
    traffic: [],
  };
}

/**
 * One segment is one block in one thread, in the raw table and in every ring, so that a replay makes the same blocks
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
