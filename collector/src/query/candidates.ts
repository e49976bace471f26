import {
  RESOLUTIONS,
  RINGS,
  TOP_LISTS,
  TOP_RESOLUTIONS,
  type FlowQuery,
  type FrameNotice,
  type Resolution,
  type Ring,
  type TopList,
} from '@ringflow/contract';
import { levelled, furthest, type OldestByTable, type ReachingTable, type StoreFacts } from './reach.ts';
import { columnsOf, partsOf } from './values.ts';
import { ceilTo, type Window } from './window.ts';

/** Name of the table of single records. */
export const RAW_TABLE = 'flows';

/**
 * Single records that a query may read instead of a top list, which knows only the largest: two cores spread and group
 * about as many in a second.
 */
const FEW_ROWS = 5_000_000;

/** The same beside a ring, which answers at once: a dashboard asks for a dozen of them every few seconds. */
const FEW_BESIDE_RINGS = 1_000_000;

/** Data that begins this much after the window is not worth another table, nor a notice. */
export const REACH_SLACK_MS = 60_000;

/** A table that holds all that a query needs. */
export interface SourceTable extends ReachingTable {
  /** `raw` or the name of the resolution. */
  readonly resolution: string;
  readonly ring?: Ring;
  readonly list?: Ring;
  /** Later buckets do not have everything yet. */
  readonly closedMs?: number;
}

/** What a query asks of a table, in names of the registry. */
export interface Asked {
  /** Stored columns of dimensions and filter. */
  readonly columns: ReadonlySet<string>;
  /** Dimensions and the filter's columns apart; where they are given, top lists may answer. */
  readonly lists?: { readonly dimensions: readonly string[]; readonly filterColumns: readonly string[] };
}

export interface Candidates {
  /** Least length of a bucket of a series; 0 where the tables decide. */
  readonly leastMs: number;
  /** Coarsest first, single records last. */
  readonly tables: readonly SourceTable[];
  readonly notices: readonly FrameNotice[];
}

/**
 * The tables that may answer: an additive ring, where one has every column, because it is exact and small; single
 * records, where they are few and reach back far enough; a top list; single records as far as they go.
 */
export function candidates(
  resolution: FlowQuery['resolution'],
  asked: Asked,
  window: Window,
  oldest: OldestByTable,
  facts: StoreFacts,
  nowMs: number,
): Candidates {
  const ring = ringFor(asked.columns);
  const raw: SourceTable = {
    table: RAW_TABLE,
    resolution: 'raw',
    resolutionMs: 1,
    oldestMs: oldest[RAW_TABLE] ?? null,
  };
  // Against the rings it is seen whether single records were dropped, whoever answers.
  const family = levelled([...tablesOf(RESOLUTIONS, { ring: ring ?? RINGS[0] }, oldest), raw]);
  const levelRaw = family.at(-1) as SourceTable;
  const these = (tables: readonly SourceTable[], leastMs = 0): Candidates => ({ tables, leastMs, notices: [] });
  if (resolution === 'raw') return these([levelRaw]);
  if (ring) return these(resolution === 'auto' ? family : family.filter((one) => one.resolution === resolution));
  const list = asked.lists && listFor(asked.lists);
  const lists = list ? levelled(tablesOf(TOP_RESOLUTIONS, { list }, oldest)) : [];
  if (resolution !== 'auto') {
    const forcedMs = lists.find((one) => one.resolution === resolution)?.resolutionMs;
    // A coarse list is filled bucket by bucket, so the finer ones have to answer for the latest.
    return forcedMs === undefined
      ? { ...these([levelRaw]), notices: [noRing(resolution, asked.columns)] }
      : these(
          lists.filter(({ resolutionMs }) => resolutionMs <= forcedMs),
          forcedMs,
        );
  }
  const reach = furthest(lists)?.oldestMs ?? null;
  if (reach === null) return these([levelRaw]);
  const rawReach = levelRaw.oldestMs ?? Infinity;
  const suffices = rawReach <= Math.max(window.fromMs, reach) + REACH_SLACK_MS;
  if (suffices && rowsOf(window, raw, facts, nowMs) <= FEW_ROWS) return these([levelRaw]);
  // Beside a list, single records answer what is older than it, and its uneven ends where these are few.
  const ends = { fromMs: nowMs - 2 * (TOP_RESOLUTIONS[0].seconds * 1000), toMs: nowMs };
  const beside = (raw.oldestMs ?? Infinity) < reach || rowsOf(ends, raw, facts, nowMs) <= FEW_ROWS;
  return these(beside ? [...lists, levelRaw] : lists);
}

/**
 * Rings without the single records that would make their ends exact to the millisecond, or their series finer than a minute,
 * where those of `read` are too many. What only single records reach back to is left to them.
 *
 * @param tables of {@link candidates}
 */
export function withoutMany(
  tables: readonly SourceTable[],
  read: Window,
  oldest: OldestByTable,
  facts: StoreFacts,
  nowMs: number,
): readonly SourceTable[] {
  const rings = tables.filter(({ ring }) => ring);
  const raw = tables.find(({ table }) => table === RAW_TABLE);
  const reach = furthest(rings)?.oldestMs ?? null;
  if (!raw || reach === null || (raw.oldestMs ?? Infinity) < reach) return tables;
  const inside = rowsOf(read, { ...raw, oldestMs: oldest[RAW_TABLE] ?? null }, facts, nowMs);
  return inside > FEW_BESIDE_RINGS ? rings : tables;
}

/** Tables of one family, coarsest first. */
function tablesOf(
  resolutions: readonly Resolution[],
  what: { readonly ring: Ring } | { readonly list: Ring },
  oldest: OldestByTable,
): SourceTable[] {
  return [...resolutions].reverse().map(({ name, seconds, table }) => ({
    table,
    resolution: name,
    resolutionMs: seconds * 1000,
    oldestMs: oldest[table] ?? null,
    ...what,
  }));
}

/**
 * The same tables with the end of what each coarse one has: as the store says, else the beginning of the next finer one.
 *
 * @param tables coarsest first, levelled
 */
export function closedTables(tables: readonly SourceTable[], { closed }: StoreFacts): SourceTable[] {
  return tables.map((table, at) => {
    const finer = tables[at + 1];
    if (!finer || finer.resolutionMs === 1) return table;
    const closedMs =
      closed?.[table.table] ?? (finer.oldestMs === null ? undefined : ceilTo(finer.oldestMs, table.resolutionMs));
    return closedMs === undefined ? table : { ...table, closedMs };
  });
}

/** Single records in a range of time, judged by how many there are. */
function rowsOf(window: Window, raw: SourceTable, { rows }: StoreFacts, nowMs: number): number {
  const all = rows?.[RAW_TABLE] ?? 0;
  if (raw.oldestMs === null || nowMs <= raw.oldestMs) return all;
  const insideMs = Math.max(0, Math.min(window.toMs, nowMs) - Math.max(window.fromMs, raw.oldestMs));
  return (all * insideMs) / (nowMs - raw.oldestMs);
}

/** The first ring whose keys contain the columns; the registry lists the small ones first. */
export function ringFor(columns: ReadonlySet<string>): Ring | undefined {
  return (RINGS as readonly Ring[]).find((ring) => [...columns].every((column) => hasKey(ring, column)));
}

/**
 * The top list that has every dimension as it is called, else the one that has what the dimensions are computed from. Of
 * several the one that keeps fewest others apart, because it names most: a list of prefixes more of them than one of
 * addresses. A filter reads stored columns.
 */
function listFor({ dimensions, filterColumns }: NonNullable<Asked['lists']>): Ring | undefined {
  const having = (namesOf: (dimension: string) => readonly string[]): TopList | undefined => {
    const needed = new Set([...dimensions.flatMap(namesOf), ...filterColumns]);
    const others = ({ keys, follows = [] }: TopList): number =>
      keys.filter((key) => !needed.has(key) && !follows.includes(key)).length;
    return (TOP_LISTS as readonly TopList[])
      .filter((list) => [...needed].every((name) => hasKey(list, name)))
      .reverse()
      .sort((a, b) => others(a) - others(b))[0];
  };
  return having(partsOf) ?? having(columnsOf);
}

export function hasKey(ring: Ring, name: string): boolean {
  return (ring.keys as readonly string[]).includes(name);
}

function noRing(resolution: string, columns: ReadonlySet<string>): FrameNotice {
  return {
    severity: 'warning',
    code: 'resolution',
    text: `Nothing of ${resolution} has ${[...columns].join(', ')}, so single records were read`,
  };
}

/** What to leave out of a query so that it can be asked further back, and how far; null when nothing helps. */
export function furtherBack(
  columns: ReadonlySet<string>,
  oldest: OldestByTable,
  sinceMs: number,
): { readonly leaveOut: readonly string[]; readonly sinceMs: number } | null {
  const families = [
    ...(RINGS as readonly Ring[]).map((ring) => [ring, RESOLUTIONS] as const),
    ...(TOP_LISTS as readonly Ring[]).map((list) => [list, TOP_RESOLUTIONS] as const),
  ];
  let best: { leaveOut: readonly string[]; sinceMs: number } | null = null;
  for (const [ring, resolutions] of families) {
    const known = resolutions.flatMap(({ table }) => oldest[table] ?? []);
    const leaveOut = [...columns].filter((column) => !hasKey(ring, column));
    if (known.length === 0 || Math.min(...known) >= sinceMs) continue;
    if (!best || leaveOut.length < best.leaveOut.length) best = { leaveOut, sinceMs: Math.min(...known) };
  }
  return best;
}
