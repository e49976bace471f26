import { RESOLUTIONS, RINGS } from '@ringflow/contract';
import { ONE_SERVER, type Dialect } from './dialect.ts';
import type { Engine } from './engine.ts';
import { RING_COUNTERS, RING_KEYS, RING_PEAKS } from './rings.ts';

const [MINUTE, FIRST] = RESOLUTIONS;
const TOTAL = RINGS.find(({ name }) => name === 'total') ?? RINGS[0];
const FIVE = `toStartOfInterval(bucket, INTERVAL ${FIRST.seconds} SECOND, 'UTC')`;
const KEYS = RING_KEYS.map(({ name }) => name).join(', ');

/** A bucket is looked at this long after its end: nearly all of its records have come by then. */
const GRACE_MS = 120_000;

/** What late records touched is looked at again, but not with every record: long flows touch a bucket all the time. */
const AGAIN_MS = 900_000;

/** Buckets of one run, so that a run is short: four hours. */
const MAX_BUCKETS = 48;

/** Buckets of one statement: an hour, so that each coarser table gets about a row for each of its cells. */
const STATEMENT_BUCKETS = 12;

/** Memory of one statement's cells, from which they spill to disk. */
const SPILL_BYTES = 256 * 1024 * 1024;

/** Records that come this late may not be in the peaks yet. */
const LATE_MS = 3_600_000;

/**
 * Milliseconds since the epoch: buckets that end up to here have their peaks, except for records that came later than an
 * hour; null while no peak was taken.
 */
export async function peaksClosedMs(engine: Engine): Promise<number | null> {
  const [state] = await engine.select<{ buckets: number; last: number }>(
    'SELECT count() AS buckets, toUnixTimestamp(max(bucket)) AS last FROM peak_state',
  );
  return state && state.buckets > 0 ? (state.last + FIRST.seconds) * 1000 - LATE_MS : null;
}

/** What one run did. */
export interface PeaksReport {
  /** Buckets whose peaks were taken. */
  readonly done: number;
  /** True when more closed buckets wait: call again. */
  readonly more: boolean;
}

/** Which buckets' peaks are taken, and of which sums. */
export function createPeakStateTable(dialect: Dialect = ONE_SERVER): string {
  return `CREATE TABLE IF NOT EXISTS ${dialect.on('peak_state')} (
  bucket DateTime('UTC'),
  seen UInt64,
  at DateTime64(3, 'UTC')
) ENGINE = ${dialect.engine('peak_state', 'ReplacingMergeTree(at)')}
PARTITION BY toYYYYMM(bucket)
ORDER BY bucket`;
}

/**
 * Takes the peaks of closed 5-minute buckets: in each cell the largest sum of a whole minute. The rows go into the
 * table of 5 minutes with sums of 0; the views carry them on to hours and days as the maximum, so that a peak is the
 * same at every zoom. `seen` is what the minutes of a bucket summed up to before its peaks were taken: records that come
 * late change it, and the bucket is taken again. A peak never falls and a maximum takes any repetition, so a run that is
 * killed at any point is made good by the next one.
 */
export async function consolidatePeaks(engine: Engine, nowMs: number): Promise<PeaksReport> {
  const closed = Math.floor((nowMs - GRACE_MS) / (FIRST.seconds * 1000)) * FIRST.seconds;
  const due = await engine.select<{ start: number; seen: number }>(
    `SELECT toUnixTimestamp(minutes.five) AS start, minutes.seen AS seen
FROM (
  SELECT ${FIVE} AS five, bitShiftRight(cityHash64(${RING_COUNTERS.map((name) => `sum(${name})`).join(', ')}), 11) AS seen
  FROM ${MINUTE.table} WHERE ring = ${TOTAL.id} AND bucket < toDateTime({closed:UInt32}, 'UTC') GROUP BY five
) AS minutes
LEFT JOIN (SELECT bucket AS five, argMax(seen, at) AS seen, max(at) AS last FROM peak_state GROUP BY bucket) AS done ON minutes.five = done.five
WHERE toUnixTimestamp(done.last) = 0 OR (minutes.seen != done.seen AND toUnixTimestamp64Milli(done.last) <= {again:Int64})
ORDER BY start LIMIT ${MAX_BUCKETS + 1}`,
    { closed, again: nowMs - AGAIN_MS },
  );
  const batch = due.slice(0, MAX_BUCKETS);
  for (let index = 0; index < batch.length; index += STATEMENT_BUCKETS) {
    const starts = batch.slice(index, index + STATEMENT_BUCKETS).map(({ start }) => start);
    const bounds = { from: starts[0] ?? 0, to: (starts.at(-1) ?? 0) + FIRST.seconds };
    await engine.exec(takePeaksSql(engine.dialect), { starts, ...bounds }, SETTINGS);
  }
  if (batch.length > 0) {
    await engine.exec(
      `INSERT INTO peak_state (bucket, seen, at)
SELECT toDateTime(start, 'UTC'), seen, fromUnixTimestamp64Milli({now:Int64}, 'UTC')
FROM (SELECT arrayJoin(arrayZip({starts:Array(UInt32)}, {seen:Array(UInt64)})) AS pair, pair.1 AS start, pair.2 AS seen)`,
      { now: nowMs, starts: batch.map(({ start }) => start), seen: batch.map(({ seen }) => seen) },
    );
  }
  return { done: batch.length, more: due.length > MAX_BUCKETS };
}

const takePeaksSql = (
  dialect: Dialect,
): string => `INSERT INTO ${dialect.stored(FIRST.table)} (ring, bucket, ${KEYS}, ${RING_PEAKS.join(', ')})
SELECT ring, five, ${KEYS}, ${RING_COUNTERS.map((_, index) => `max(c${index})`).join(', ')}
FROM (
  SELECT ring, bucket AS minute, ${FIVE} AS five, ${KEYS}, ${RING_COUNTERS.map((name, index) => `sum(${name}) AS c${index}`).join(', ')}
  FROM ${MINUTE.table}
  WHERE bucket >= toDateTime({from:UInt32}, 'UTC') AND bucket < toDateTime({to:UInt32}, 'UTC') AND toUnixTimestamp(${FIVE}) IN {starts:Array(UInt32)}
  GROUP BY ring, minute, ${KEYS}
)
GROUP BY ring, five, ${KEYS}`;

/** Not recognised as a repetition: it must reach the tables that an earlier, killed run did not reach. */
const SETTINGS = {
  insert_deduplicate: 0,
  max_threads: 1,
  max_bytes_before_external_group_by: SPILL_BYTES,
  // As with the cells themselves (inserts.ts): there is one row of each.
  optimize_on_insert: 0,
};
