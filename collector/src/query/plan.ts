import { RESOLUTIONS, type FlowQuery, type FrameNotice, type Ring } from '@ringflow/contract';
import {
  candidates,
  closedTables,
  furtherBack,
  REACH_SLACK_MS,
  withoutMany,
  type Asked,
  type Candidates,
  type SourceTable,
} from './candidates.ts';
import { finestReaching, furthest, type OldestByTable, type StoreFacts } from './reach.ts';
import { ceilTo, floorTo, stepSeconds, type Window } from './window.ts';

export { RAW_TABLE, ringFor } from './candidates.ts';
export type { OldestByTable, StoreFacts } from './reach.ts';

/** One table for one range of time; the parts of a plan adjoin and never overlap, so their sums add up. */
export interface PlanPart extends Window {
  readonly table: string;
  /** `raw` or the name of the resolution. */
  readonly resolution: string;
  /** Bucket length of the table; 1 for raw rows, which know their nanoseconds. */
  readonly resolutionMs: number;
  /** The additive ring that answers. */
  readonly ring?: Ring;
  /** The top list that answers. */
  readonly list?: Ring;
}

/**
 * The time of the parts that are top lists: single records that no list has yet are added to them, wherever in this time
 * they fall.
 */
export interface OpenTime extends Window {
  /** The filter says yes or no to what a list does not name: it reads nothing but what is known of that, too. */
  readonly matchesUnnamed: boolean;
}

/** What the unnamed rows of a top list say of their records. */
export const KNOWN_OF_UNNAMED: ReadonlySet<string> = new Set(['sampler_address', 'dup']);

export interface Plan {
  readonly parts: readonly PlanPart[];
  /** There when parts are top lists. */
  readonly open?: OpenTime;
  /** What is answered; differs from what was asked by alignment only. */
  readonly window: Window;
  /** Bucket length; 0 when the query has no buckets. */
  readonly stepMs: number;
  /** Start of the data that could answer, as finely as it is known; null when the store is empty. */
  readonly oldestMs: number | null;
  readonly notices: readonly FrameNotice[];
}

/** What a plan may know and do beyond the age of the tables. */
export interface PlanOptions {
  readonly facts?: StoreFacts;
  /** Top lists may answer; the statement must keep apart what they do not name (`m_other`, source.ts). */
  readonly lists?: Asked['lists'];
}

/** Points of a time series when the caller does not say how many fit. */
const DEFAULT_POINTS = 1000;
const MAX_POINTS = 5000;

/** Points that fit a panel. */
export function pointsOf({ maxDataPoints }: Pick<FlowQuery, 'maxDataPoints'>): number {
  return Math.min(maxDataPoints > 0 ? maxDataPoints : DEFAULT_POINTS, MAX_POINTS);
}

/** Leaving out the last bucket is only noticed where buckets are long; on every live panel it would be noise. */
const WORTH_A_NOTICE_MS = 600_000;

/**
 * On a busy collector a window may be answered from whole minutes without a word, when it is longer or shorter by this part
 * of it at most: on every live panel it would be noise.
 */
const SMALL_DIFFERENCE = 0.01;

const FINEST_MS = RESOLUTIONS[0].seconds * 1000;

/**
 * Chooses the tables for a query: the coarsest ones that are fine enough and hold all of `columns` (dimensions and the
 * filter's columns), finer ones for what does not fill whole buckets or is younger than a coarse table, raw rows or a
 * top list for what no ring has. Because all of them spread flows by the same rule, the parts add up to the exact answer.
 */
export function planQuery(
  query: Pick<FlowQuery, 'kind' | 'resolution' | 'intervalMs' | 'maxDataPoints'>,
  asked: Window,
  columns: ReadonlySet<string>,
  oldest: OldestByTable,
  nowMs: number,
  { facts = {}, lists }: PlanOptions = {},
): Plan {
  const found = candidates(query.resolution, { columns, ...(lists ? { lists } : {}) }, asked, oldest, facts, nowMs);
  const notices = [...found.notices];
  const bucketed = query.kind === 'timeseries';
  // A series of seconds reads the single records of all of its time, anything else at most those of a minute at each end.
  const read = bucketed ? asked : { fromMs: nowMs - 2 * FINEST_MS, toMs: nowMs };
  const mayLeaveOut = query.resolution === 'auto' && lengthOf(asked) >= FINEST_MS;
  const tables = mayLeaveOut ? withoutMany(found.tables, read, oldest, facts, nowMs) : found.tables;
  const many = tables.length < found.tables.length;

  let stepMs = 0;
  let window = asked;
  let usable = tables;
  if (bucketed) {
    const step = stepFor(query, asked, { ...found, tables }, many);
    stepMs = step.stepMs;
    notices.push(...step.notices);
    usable = tables.filter((source) => stepMs % source.resolutionMs === 0);
    window = wholeBuckets(asked, stepMs, nowMs);
    if (window.toMs < asked.toMs && stepMs >= WORTH_A_NOTICE_MS) notices.push(incompleteBucket(window.toMs));
  } else if (many) {
    // As long as what was asked for, and without the minute that still fills.
    window = { fromMs: floorTo(asked.fromMs, FINEST_MS), toMs: floorTo(asked.toMs, FINEST_MS) };
  }

  // The sums of rings are whole at once; top lists are filled bucket by bucket.
  const parts = coverWindow(window, usable.some(({ list }) => list) ? closedTables(usable, facts) : usable);
  const answered = spanOf(parts) ?? { fromMs: window.fromMs, toMs: window.fromMs };
  const small = many ? { endMs: FINEST_MS, lengthMs: lengthOf(asked) * SMALL_DIFFERENCE } : { endMs: 1, lengthMs: 0 };
  if (!bucketed && parts.length > 0 && !isLike(answered, asked, small))
    notices.push(wholeBucketsNotice(parts, answered));
  const oldestMs = beginningOf(usable, oldest);
  const needed = query.kind === 'records' ? null : columns;
  const retention = retentionNotice(window, oldestMs, needed, oldest, usable);
  if (retention) notices.push(retention);
  const listed = spanOf(parts.filter(({ list }) => list));
  const matchesUnnamed = lists?.filterColumns.every((name) => KNOWN_OF_UNNAMED.has(name)) ?? false;
  const open = listed ? { open: { ...listed, matchesUnnamed } } : {};
  return { parts, ...open, window: bucketed ? window : answered, stepMs, oldestMs, notices };
}

/** Length of the buckets of a series: what was asked for, or the least that the tables of this time have. */
function stepFor(
  query: Pick<FlowQuery, 'intervalMs' | 'maxDataPoints'>,
  asked: Window,
  { tables, leastMs }: Candidates,
  many: boolean,
): { stepMs: number; notices: FrameNotice[] } {
  const { intervalMs } = query;
  const points = pointsOf(query);
  const lists = tables.filter(({ list }) => list);
  const needMs = Math.max(leastMs, finestReaching(lists.length > 0 ? lists : tables, asked.fromMs));
  const wantedMs = stepSeconds(asked, intervalMs, points, 1) * 1000;
  const stepMs = stepSeconds(asked, intervalMs, points, Math.max(needMs / 1000, 1)) * 1000;
  if (stepMs <= wantedMs) return { stepMs, notices: [] };
  const text =
    lists.length > 0 || many
      ? `Buckets are ${duration(stepMs)} long, as those of the ${many ? 'rings' : 'top lists'}; resolution "raw" reads single records`
      : `Buckets are ${duration(stepMs)} long, the finest that is kept for this time`;
  return { stepMs, notices: [{ severity: 'info', code: 'resolution', text }] };
}

/** Whole buckets that hold the window; a last one that still fills is left out. */
export function wholeBuckets(window: Window, stepMs: number, nowMs: number): Window {
  const fromMs = floorTo(window.fromMs, stepMs);
  const endMs = ceilTo(window.toMs, stepMs);
  const completeMs = floorTo(nowMs, stepMs);
  // Where nothing is complete yet (a window younger than its bucket) the incomplete one is all there is.
  return { fromMs, toMs: endMs <= completeMs || completeMs <= fromMs ? endMs : completeMs };
}

/** The parts that cover a window with tables, coarsest first; what reaches back furthest answers for all the past. */
export function coverWindow(window: Window, tables: readonly SourceTable[]): PlanPart[] {
  return cover(window, tables, furthest(tables)?.table);
}

/**
 * Covers the window from the coarsest table inwards. At an end where no finer table has the rest of a bucket, the whole
 * bucket is taken.
 */
function cover(window: Window, sources: readonly SourceTable[], unbounded: string | undefined): PlanPart[] {
  const [source, ...finer] = sources;
  if (!source || window.fromMs >= window.toMs) return [];
  const { table, resolution, resolutionMs, ring, list, closedMs = Infinity } = source;
  const beginMs = table === unbounded ? window.fromMs : Math.max(window.fromMs, source.oldestMs ?? Infinity);
  let fromMs = ceilTo(beginMs, resolutionMs);
  let toMs = floorTo(Math.min(window.toMs, closedMs), resolutionMs);
  const widestMs = ceilTo(window.toMs, resolutionMs);
  if (!(fromMs < toMs)) {
    const parts = cover(window, finer, unbounded);
    if (covers(parts, window) || beginMs > window.fromMs || widestMs > closedMs) return parts;
    [fromMs, toMs] = [floorTo(window.fromMs, resolutionMs), widestMs];
  }
  let before = cover({ fromMs: window.fromMs, toMs: fromMs }, finer, unbounded);
  if (fromMs > window.fromMs && beginMs === window.fromMs && !covers(before, { fromMs: window.fromMs, toMs: fromMs })) {
    fromMs = floorTo(window.fromMs, resolutionMs);
    before = [];
  }
  let after = cover({ fromMs: toMs, toMs: window.toMs }, finer, unbounded);
  if (toMs < window.toMs && widestMs <= closedMs && !covers(after, { fromMs: toMs, toMs: window.toMs })) {
    toMs = widestMs;
    after = [];
  }
  return [
    ...before,
    { table, resolution, resolutionMs, ...(ring ? { ring } : {}), ...(list ? { list } : {}), fromMs, toMs },
    ...after,
  ];
}

/** Parts adjoin, so their ends say whether they have all of a window. */
function covers(parts: readonly PlanPart[], window: Window): boolean {
  const span = spanOf(parts);
  return span !== undefined && span.fromMs <= window.fromMs && span.toMs >= window.toMs;
}

export function spanOf(parts: readonly PlanPart[]): Window | undefined {
  const [first, last] = [parts[0], parts.at(-1)];
  return first && last ? { fromMs: first.fromMs, toMs: last.toMs } : undefined;
}

/** Where the data of a query begins: the finest statement among the tables that reach back equally far. */
export function beginningOf(usable: readonly SourceTable[], oldest: OldestByTable): number | null {
  const level = furthest(usable)?.oldestMs ?? null;
  if (level === null) return null;
  return Math.max(...usable.filter(({ oldestMs }) => oldestMs === level).map(({ table }) => oldest[table] ?? level));
}

const lengthOf = ({ fromMs, toMs }: Window): number => toMs - fromMs;

/** True when each end moved by less than `endMs` and the length changed by no more than `lengthMs`. */
function isLike(answered: Window, asked: Window, { endMs, lengthMs }: { endMs: number; lengthMs: number }): boolean {
  const moved = [answered.fromMs - asked.fromMs, answered.toMs - asked.toMs].map(Math.abs);
  return moved.every((ms) => ms < endMs) && Math.abs(lengthOf(answered) - lengthOf(asked)) <= lengthMs;
}

function incompleteBucket(beginMs: number): FrameNotice {
  return {
    severity: 'info',
    code: 'incomplete_bucket',
    text: `The bucket that began at ${iso(beginMs)} is not complete yet and is left out`,
  };
}

function wholeBucketsNotice(parts: readonly PlanPart[], answered: Window): FrameNotice {
  const edgeMs = Math.max(parts[0]?.resolutionMs ?? 1, parts.at(-1)?.resolutionMs ?? 1);
  return {
    severity: 'info',
    code: 'resolution',
    text: `Whole buckets of ${duration(edgeMs)} are counted: ${iso(answered.fromMs)} to ${iso(answered.toMs)}`,
  };
}

/**
 * Says since when a query can be answered, and what to leave out to go back further.
 *
 * @param columns null when it is about single records as such
 */
export function retentionNotice(
  window: Window,
  oldestMs: number | null,
  columns: ReadonlySet<string> | null,
  oldest: OldestByTable,
  used: readonly SourceTable[],
): FrameNotice | null {
  if (oldestMs === null || oldestMs <= window.fromMs + REACH_SLACK_MS) return null;
  const level = furthest(used)?.oldestMs ?? oldestMs;
  const further = used.some(({ ring }) => ring) ? null : furtherBack(columns ?? new Set(), oldest, level);
  if (!further) return { severity: 'info', code: 'beyond_retention', text: `Data begins at ${iso(oldestMs)}` };
  if (!columns)
    return {
      severity: 'warning',
      code: 'beyond_retention',
      text: `Single records are kept since ${iso(oldestMs)}; sums go back to ${iso(further.sinceMs)}`,
    };
  const named = [...columns].filter((column) => column !== 'dup');
  const instead =
    further.leaveOut.length === 0
      ? `resolution "auto" goes back to ${iso(further.sinceMs)}`
      : `leave out ${inWords(further.leaveOut)} to go back to ${iso(further.sinceMs)}`;
  return {
    severity: 'warning',
    code: 'beyond_retention',
    text: `${named.length > 0 ? `What needs ${inWords(named)}` : 'This'} can be answered since ${iso(oldestMs)}; ${instead}`,
  };
}

function inWords(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

const iso = (ms: number): string => new Date(ms).toISOString();

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
