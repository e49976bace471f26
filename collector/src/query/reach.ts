/** What is on disk, by table name: milliseconds since the epoch of the oldest data, null when the table is empty. */
export type OldestByTable = Readonly<Record<string, number | null>>;

/** What else is known about the tables; where it is missing, the finer table is asked. */
export interface StoreFacts {
  /** Rows by table: what reading it costs. */
  readonly rows?: Readonly<Record<string, number>>;
  /**
   * By table, milliseconds since the epoch: buckets that end up to here have their peak (rings), or all that was
   * consolidated (top lists).
   */
  readonly closed?: Readonly<Record<string, number>>;
}

/** A table as the store describes it. */
export interface DescribedTable {
  readonly table: string;
  readonly oldestMs: number | null;
  readonly rows: number;
  readonly closedMs?: number;
}

/** The store's description of its tables as plans want it. */
export function reachOf(tables: readonly DescribedTable[]): { oldest: OldestByTable; facts: StoreFacts } {
  const closed = tables.flatMap(({ table, closedMs }) => (closedMs === undefined ? [] : [[table, closedMs] as const]));
  return {
    oldest: Object.fromEntries(tables.map(({ table, oldestMs }) => [table, oldestMs])),
    facts: {
      rows: Object.fromEntries(tables.map(({ table, rows }) => [table, rows])),
      closed: Object.fromEntries(closed),
    },
  };
}

/** One table that could answer a query, or part of its time. */
export interface ReachingTable {
  readonly table: string;
  /** Bucket length; 1 for single records. */
  readonly resolutionMs: number;
  readonly oldestMs: number | null;
}

/** A record is received after its flow began; without a ring to compare with, nothing else tells the two apart. */
const RECEIVED_LATER_MS = 3_600_000;

/**
 * Tables whose oldest data lies in the oldest bucket of the next coarser one have lost nothing against it; their
 * beginnings differ only because a bucket begins before its first flow. They count as equally old.
 *
 * @param coarseFirst tables of one family, single records last
 */
export function levelled<T extends ReachingTable>(coarseFirst: readonly T[]): T[] {
  let coarser: { from: number; level: number; resolutionMs: number } | undefined;
  return coarseFirst.map((table) => {
    if (table.oldestMs === null) return table;
    const slackMs = table.resolutionMs === 1 ? RECEIVED_LATER_MS : 0;
    const together = coarser !== undefined && table.oldestMs < coarser.from + Math.max(coarser.resolutionMs, slackMs);
    const level = together && coarser ? Math.min(coarser.level, table.oldestMs) : table.oldestMs;
    coarser = { from: table.oldestMs, level, resolutionMs: table.resolutionMs };
    return { ...table, oldestMs: level };
  });
}

/** The table that reaches back furthest; among equals the finest, which is the last. */
export function furthest<T extends ReachingTable>(tables: readonly T[]): T | undefined {
  let best: T | undefined;
  for (const table of tables) if (!best || (table.oldestMs ?? Infinity) <= (best.oldestMs ?? Infinity)) best = table;
  return best;
}

/** Resolution of the finest table that reaches back to `fromMs`, or as far as any does. */
export function finestReaching(tables: readonly ReachingTable[], fromMs: number): number {
  const oldestMs = furthest(tables)?.oldestMs ?? null;
  if (oldestMs === null) return tables.at(-1)?.resolutionMs ?? 1;
  const reachMs = Math.max(fromMs, oldestMs);
  const found = [...tables].reverse().find((table) => table.oldestMs !== null && table.oldestMs <= reachMs);
  return found?.resolutionMs ?? 1;
}
