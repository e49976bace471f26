import { RESOLUTIONS, RingflowError, type Resolution } from '@ringflow/contract';
import { levelled, type OldestByTable } from '../query/index.ts';
import type { ReadQuery } from './request.ts';

/** Which buckets answer a selector, and where their points stand. */
export interface Points {
  readonly resolution: Resolution;
  /** Start of the first bucket, and the end of the last one, milliseconds since the epoch. */
  readonly fromMs: number;
  readonly toMs: number;
  /** From here on, minutes are there to take peaks of; start of a bucket. */
  readonly minutesFromMs: number;
  /** Where the points stand, ascending. */
  readonly timesMs: Float64Array;
  /** The bucket of each point, counted from the first. */
  readonly buckets: Uint32Array;
}

/** How far an instant selector looks back for a sample: Prometheus's `--query.lookback-delta`. */
const LOOK_BACK_MS = 300_000;
/** A range has at least this many buckets, so that its uneven ends do not weigh. */
const BUCKETS_OF_RANGE = 60;
/** The labels of series are looked up in at least this many buckets. */
const BUCKETS_OF_LABELS = 10;
/** Data that begins this much after the window is not worth a coarser resolution. */
const REACH_SLACK_MS = 60_000;

/**
 * Chooses the resolution of an answer and its points.
 *
 * A series is a step: each bucket's rate until the next. Its point stands on the last millisecond of the bucket, so that
 * `[1h]` at a full hour holds the buckets of that hour and no other, whether a range includes its beginning (Prometheus
 * before 3.0) or not. Buckets that have not ended are left out. All buckets of an answer are of one length, because
 * `avg_over_time` weighs every point alike.
 *
 * The length: for a range selector the coarsest of which 60 fit the range, for an instant one the coarsest that fits the
 * step; coarser where finer ones do not reach back to the beginning. Where the question looks at less than a bucket (a
 * short range, or the look-back of 5 minutes), the bucket has a point at every 5 minutes (or minute) of it.
 *
 * @param oldest what is on disk, by table
 * @param forced name of the resolution to take
 * @throws RingflowError `bad_request` when there is no such resolution
 */
export function choosePoints(query: ReadQuery, oldest: OldestByTable, nowMs: number, forced?: string): Points | null {
  const { stepMs, func, rangeMs } = query.hints;
  const wantedMs =
    func === 'series'
      ? (query.endMs - query.startMs) / BUCKETS_OF_LABELS
      : rangeMs > 0
        ? rangeMs / BUCKETS_OF_RANGE
        : stepMs;
  const resolution = forced === undefined ? resolutionFor(wantedMs, query.startMs, oldest) : named(forced);
  const oldestMs = resolution && oldest[resolution.table];
  if (!resolution || oldestMs === null || oldestMs === undefined) return null;
  const bucketMs = resolution.seconds * 1000;
  const floor = (ms: number): number => Math.floor(ms / bucketMs) * bucketMs;
  const fromMs = floor(Math.max(query.startMs, oldestMs));
  const minutesMs = oldest[RESOLUTIONS[0].table] ?? Infinity;
  const minutesFromMs = minutesMs <= fromMs ? fromMs : Math.ceil(minutesMs / bucketMs) * bucketMs;
  // Who asks for labels only has no use for points; a series of today is one.
  if (func === 'series') {
    const endMs = Math.ceil((Math.min(query.endMs, nowMs) + 1) / bucketMs) * bucketMs;
    return fromMs < endMs ? { resolution, fromMs, toMs: endMs, minutesFromMs, ...pointsOf([]) } : null;
  }
  const toMs = floor(Math.min(query.endMs + bucketMs, nowMs));
  if (fromMs >= toMs) return null;

  const gridMs = gridOf(bucketMs, rangeMs > 0 ? rangeMs : LOOK_BACK_MS);
  const isSeen = rangeMs > 0 ? () => true : seenBy(query, gridMs);
  const points: [at: number, bucket: number][] = [];
  for (let bucket = 0, startMs = fromMs; startMs < toMs; bucket++, startMs += bucketMs) {
    for (let endMs = startMs + gridMs; endMs <= startMs + bucketMs; endMs += gridMs) {
      const at = endMs - 1;
      if (at < query.startMs || at > query.endMs || !isSeen(at)) continue;
      points.push([at, bucket]);
    }
  }
  return { resolution, fromMs, toMs, minutesFromMs, ...pointsOf(points) };
}

function pointsOf(points: readonly (readonly [at: number, bucket: number])[]): Pick<Points, 'timesMs' | 'buckets'> {
  return {
    timesMs: Float64Array.from(points, ([at]) => at),
    buckets: Uint32Array.from(points, ([, bucket]) => bucket),
  };
}

function named(name: string): Resolution {
  const found = RESOLUTIONS.find((resolution) => resolution.name === name);
  if (!found)
    throw new RingflowError('bad_request', `There is no resolution "${name}"`, {
      hint: `Write __resolution__ as one of ${RESOLUTIONS.map((resolution) => resolution.name).join(', ')}`,
    });
  return found;
}

/** The coarsest that is as fine as wanted and reaches back to `startMs`, or as far as any does. */
function resolutionFor(wantedMs: number, startMs: number, oldest: OldestByTable): Resolution | undefined {
  const tables = levelled(
    [...RESOLUTIONS].reverse().map((resolution) => ({
      resolution,
      table: resolution.table,
      resolutionMs: resolution.seconds * 1000,
      oldestMs: oldest[resolution.table] ?? null,
    })),
  ).filter((table) => table.oldestMs !== null);
  const furthestMs = Math.min(...tables.map(({ oldestMs }) => oldestMs as number));
  const reachMs = Math.max(startMs, furthestMs) + REACH_SLACK_MS;
  const reaching = tables.filter(({ oldestMs }) => (oldestMs as number) <= reachMs);
  return (reaching.find(({ resolutionMs }) => resolutionMs <= wantedMs) ?? reaching.at(-1))?.resolution;
}

/** Distance of the points of a bucket: the bucket, or a resolution that fits into what is looked at. */
function gridOf(bucketMs: number, lookedAtMs: number): number {
  if (bucketMs <= lookedAtMs) return bucketMs;
  const lengths = RESOLUTIONS.map(({ seconds }) => seconds * 1000).filter((length) => length <= lookedAtMs);
  return lengths.at(-1) ?? RESOLUTIONS[0].seconds * 1000;
}

/**
 * Whether an instant selector can see a point. It looks back from the steps of a query, which are counted from its start,
 * or from those of a subquery, which are multiples of its step; a year in steps of a day needs no point in between.
 */
function seenBy({ hints, startMs }: ReadQuery, gridMs: number): (at: number) => boolean {
  const { stepMs } = hints;
  if (stepMs <= 2 * LOOK_BACK_MS + 2 * gridMs) return () => true;
  const firstMs = hints.startMs > 0 ? hints.startMs : startMs;
  return (at) => (at - firstMs) % stepMs <= LOOK_BACK_MS || stepMs - (at % stepMs) <= LOOK_BACK_MS;
}
