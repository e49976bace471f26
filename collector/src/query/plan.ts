import { RESOLUTIONS, RINGS, type FrameNotice, type FlowQuery, type Ring } from '@ringflow/contract';
import { ceilTo, floorTo, stepSeconds, type Window } from './window.ts';

/** One table for one range of time; the parts of a plan adjoin and never overlap, so their sums add up. */
export interface PlanPart extends Window {
  readonly table: string;
  /** `raw` or the name of the resolution. */
  readonly resolution: string;
  /** Bucket length of the table; 1 for raw rows, which know their nanoseconds. */
  readonly resolutionMs: number;
  /** The ring that answers; absent for raw rows. */
  readonly ring?: Ring;
}

export interface Plan {
  readonly parts: readonly PlanPart[];
  /** What is answered; differs from what was asked by alignment only. */
  readonly window: Window;
  /** Bucket length; 0 when the query has no buckets. */
  readonly stepMs: number;
  /** Start of the data that could answer, as finely as it is known; null when the store is empty. */
  readonly oldestMs: number | null;
  readonly notices: readonly FrameNotice[];
}

/** What is on disk, by table name: milliseconds since the epoch of the oldest data, null when the table is empty. */
export type OldestByTable = Readonly<Record<string, number | null>>;

/** Name of the table of single records. */
export const RAW_TABLE = 'flows';

/** Points of a time series when the caller does not say how many fit. */
const DEFAULT_POINTS = 1000;
const MAX_POINTS = 5000;

interface SourceTable {
  readonly table: string;
  readonly resolution: string;
  readonly resolutionMs: number;
  readonly ring?: Ring;
  readonly oldestMs: number | null;
}

/**
 * Chooses the tables for a query: the coarsest ones that are fine enough and hold all of `columns` (dimensions and the
 * filter's columns), finer ones for what does not fill whole buckets or is younger than a coarse table, raw rows for
 * what no ring has. Because rings and raw rows spread flows by the same rule, the parts add up to the exact answer.
 */
export function planQuery(
  query: Pick<FlowQuery, 'kind' | 'resolution' | 'intervalMs' | 'maxDataPoints'>,
  asked: Window,
  columns: ReadonlySet<string>,
  oldest: OldestByTable,
  nowMs: number,
): Plan {
  const notices: FrameNotice[] = [];
  const sources = sourcesFor(query, columns, levelled(oldest), notices);
  const bucketed = query.kind === 'timeseries';

  let stepMs = 0;
  let window = asked;
  let usable = sources;
  if (bucketed) {
    const points = Math.min(query.maxDataPoints > 0 ? query.maxDataPoints : DEFAULT_POINTS, MAX_POINTS);
    const wantedMs = stepSeconds(asked, query.intervalMs, points, 1) * 1000;
    const needMs = finestNeeded(sources, asked);
    stepMs = stepSeconds(asked, query.intervalMs, points, Math.max(needMs / 1000, 1)) * 1000;
    if (stepMs > wantedMs)
      notices.push({
        severity: 'info',
        code: 'resolution',
        text: `Buckets are ${duration(stepMs)} long, the finest that is kept for this time`,
      });
    usable = sources.filter((source) => stepMs % source.resolutionMs === 0);
    window = wholeBuckets(asked, stepMs, nowMs);
    if (window.toMs < asked.toMs && stepMs >= WORTH_A_NOTICE_MS)
      notices.push({
        severity: 'info',
        code: 'incomplete_bucket',
        text: `The bucket that began at ${new Date(window.toMs).toISOString()} is not complete yet and is left out`,
      });
  }

  const parts = widenEdges(cover(window, usable, oldestOf(usable)?.table), window, usable);
  const first = parts[0];
  const last = parts.at(-1);
  const answered =
    first && last ? { fromMs: first.fromMs, toMs: last.toMs } : { fromMs: window.fromMs, toMs: window.fromMs };
  if (!bucketed && first && last && (answered.fromMs !== window.fromMs || answered.toMs !== window.toMs)) {
    notices.push({
      severity: 'info',
      code: 'resolution',
      text: `Whole buckets of ${duration(Math.max(first.resolutionMs, last.resolutionMs))} are counted: ${new Date(answered.fromMs).toISOString()} to ${new Date(answered.toMs).toISOString()}`,
    });
  }
  const oldestMs = beginningOf(oldestOf(usable)?.oldestMs ?? null, oldest);
  const retention = retentionNotice(window, oldestMs, oldest, usable);
  if (retention) notices.push(retention);
  return { parts, window: bucketed ? window : answered, stepMs, oldestMs, notices };
}

/**
 * Tables whose oldest data is about as old as the oldest of all have lost nothing yet; their beginnings differ only
 * because a bucket begins before its first flow and a flow before it is received. They count as equally old.
 */
function levelled(oldest: OldestByTable): OldestByTable {
  const known = Object.values(oldest).filter((ms) => ms !== null);
  const least = Math.min(...known);
  return Object.fromEntries(
    Object.entries(oldest).map(([table, ms]) => [table, ms !== null && ms - least <= SAME_BEGINNING_MS ? least : ms]),
  );
}

/** The finest statement of when data begins, among tables that begin together. */
function beginningOf(oldestMs: number | null, oldest: OldestByTable): number | null {
  if (oldestMs === null) return null;
  return Math.max(
    oldestMs,
    ...Object.values(oldest)
      .filter((ms) => ms !== null && ms - oldestMs <= SAME_BEGINNING_MS)
      .map(Number),
  );
}

/** Tables that hold every column, coarsest first. */
function sourcesFor(
  query: Pick<FlowQuery, 'resolution'>,
  columns: ReadonlySet<string>,
  oldest: OldestByTable,
  notices: FrameNotice[],
): SourceTable[] {
  const raw: SourceTable = {
    table: RAW_TABLE,
    resolution: 'raw',
    resolutionMs: 1,
    oldestMs: oldest[RAW_TABLE] ?? null,
  };
  const ring = ringFor(columns);
  if (query.resolution === 'raw') return [raw];
  if (!ring) {
    if (query.resolution !== 'auto')
      notices.push({
        severity: 'warning',
        code: 'resolution',
        text: `No ring has ${[...columns].join(', ')}, so raw records were read`,
      });
    return [raw];
  }
  const rings: SourceTable[] = [...RESOLUTIONS]
    .filter((resolution) => query.resolution === 'auto' || query.resolution === resolution.name)
    .map((resolution) => ({
      table: resolution.table,
      resolution: resolution.name,
      resolutionMs: resolution.seconds * 1000,
      ring,
      oldestMs: oldest[resolution.table] ?? null,
    }))
    .sort((a, b) => b.resolutionMs - a.resolutionMs);
  return query.resolution === 'auto' ? [...rings, raw] : rings;
}

/** The first ring whose keys contain the columns; the registry lists the small ones first. */
export function ringFor(columns: ReadonlySet<string>): Ring | undefined {
  return (RINGS as readonly Ring[]).find((ring) =>
    [...columns].every((column) => (ring.keys as readonly string[]).includes(column)),
  );
}

/** The table that reaches back furthest; among equals the finest. */
function oldestOf(sources: readonly SourceTable[]): SourceTable | undefined {
  let best: SourceTable | undefined;
  for (const source of sources) {
    if (!best || (source.oldestMs ?? Infinity) <= (best.oldestMs === null ? Infinity : best.oldestMs)) best = source;
  }
  return best;
}

/** Resolution of the finest table that reaches back to the beginning of the window, or as far as any does. */
function finestNeeded(sources: readonly SourceTable[], window: Window): number {
  const furthest = oldestOf(sources)?.oldestMs ?? null;
  if (furthest === null) return sources.at(-1)?.resolutionMs ?? 1;
  const reach = Math.max(window.fromMs, furthest);
  const fineFirst = [...sources].reverse();
  const found = fineFirst.find((source) => source.oldestMs !== null && source.oldestMs <= reach);
  return (found ?? fineFirst[0])?.resolutionMs ?? 1;
}

const MAX_RESOLUTION_MS = Math.max(...RESOLUTIONS.map((resolution) => resolution.seconds)) * 1000;
/** Leaving out the last bucket is only noticed where buckets are long; on every live panel it would be noise. */
const WORTH_A_NOTICE_MS = 600_000;
/** Data that begins this much after the window is not worth a notice. */
const NOTICE_SLACK_MS = 60_000;
/** Retention drops whole days, so tables that begin this close together have lost nothing against each other. */
const SAME_BEGINNING_MS = 2 * MAX_RESOLUTION_MS;

/** Whole buckets that hold the window; a last one that still fills is left out. */
function wholeBuckets(window: Window, stepMs: number, nowMs: number): Window {
  const fromMs = floorTo(window.fromMs, stepMs);
  const endMs = ceilTo(window.toMs, stepMs);
  const completeMs = floorTo(nowMs, stepMs);
  // Where nothing is complete yet (a window younger than its bucket) the incomplete one is all there is.
  return { fromMs, toMs: endMs <= completeMs || completeMs <= fromMs ? endMs : completeMs };
}

/** Covers the window from the coarsest table inwards; the table that reaches back furthest answers for all the past. */
function cover(window: Window, sources: readonly SourceTable[], unbounded: string | undefined): PlanPart[] {
  const [source, ...finer] = sources;
  if (!source || window.fromMs >= window.toMs) return [];
  const begin = source.table === unbounded ? window.fromMs : Math.max(window.fromMs, source.oldestMs ?? Infinity);
  const fromMs = ceilTo(begin, source.resolutionMs);
  const toMs = floorTo(window.toMs, source.resolutionMs);
  if (!(fromMs < toMs)) return cover(window, finer, unbounded);
  return [
    ...cover({ fromMs: window.fromMs, toMs: fromMs }, finer, unbounded),
    {
      table: source.table,
      resolution: source.resolution,
      resolutionMs: source.resolutionMs,
      ...(source.ring ? { ring: source.ring } : {}),
      fromMs,
      toMs,
    },
    ...cover({ fromMs: toMs, toMs: window.toMs }, finer, unbounded),
  ];
}

/** Takes the whole bucket at an end of the window where no finer table has the rest of it. */
function widenEdges(parts: PlanPart[], window: Window, sources: readonly SourceTable[]): PlanPart[] {
  const first = parts[0];
  const last = parts.at(-1);
  if (!first || !last) {
    // A window shorter than a bucket, and only rings to answer it.
    const source = sources.at(-1);
    if (!source || window.fromMs >= window.toMs) return [];
    const { table, resolution, resolutionMs, ring } = source;
    return [
      {
        table,
        resolution,
        resolutionMs,
        ...(ring ? { ring } : {}),
        fromMs: floorTo(window.fromMs, resolutionMs),
        toMs: ceilTo(window.toMs, resolutionMs),
      },
    ];
  }
  const widened = [...parts];
  if (first.fromMs > window.fromMs && first.fromMs - window.fromMs < first.resolutionMs)
    widened[0] = { ...first, fromMs: first.fromMs - first.resolutionMs };
  const tail = widened.at(-1) as PlanPart;
  if (tail.toMs < window.toMs && window.toMs - tail.toMs < tail.resolutionMs)
    widened[widened.length - 1] = { ...tail, toMs: tail.toMs + tail.resolutionMs };
  return widened;
}

function retentionNotice(
  window: Window,
  oldestMs: number | null,
  oldest: OldestByTable,
  used: readonly SourceTable[],
): FrameNotice | null {
  if (oldestMs === null || oldestMs <= window.fromMs + NOTICE_SLACK_MS) return null;
  const others = Object.entries(oldest).filter(
    ([table, ms]) => ms !== null && !used.some((source) => source.table === table),
  );
  const elsewhere = others.some(([, ms]) => (ms as number) < oldestMs - SAME_BEGINNING_MS);
  const since = new Date(oldestMs).toISOString();
  return elsewhere
    ? {
        severity: 'warning',
        code: 'beyond_retention',
        text: `Records with these fields are kept since ${since}; before that only ${RINGS.map((ring) => ring.keys.join(' × ')).join('; ')} can be asked`,
      }
    : { severity: 'info', code: 'beyond_retention', text: `Data begins at ${since}` };
}

/** `90 s` as people write it; exact multiples only, for notices. */
export function duration(ms: number): string {
  const units = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1000],
  ] as const;
  for (const [unit, length] of units) if (ms >= length && ms % length === 0) return `${ms / length} ${unit}`;
  return `${ms} ms`;
}
