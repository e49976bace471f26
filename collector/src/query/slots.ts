import { RINGS, METRICS, type FrameNotice, type Ring } from '@ringflow/contract';
import { candidates, closedTables, type SourceTable } from './candidates.ts';
import type { KindInput } from './kinds/kind.ts';
import {
  beginningOf,
  coverWindow,
  duration,
  pointsOf,
  retentionNotice,
  spanOf,
  wholeBuckets,
  KNOWN_OF_UNNAMED,
  type Plan,
  type PlanPart,
} from './plan.ts';
import { finestReaching } from './reach.ts';
import { dimensionAlias, dimensionsSql, insideSql, partSourceSql, sourceSql } from './source.ts';
import { alias, EMPTY, integer, join, sql, type Sql } from './sql.ts';
import { columnsOf, partsOf } from './values.ts';
import { stepSeconds } from './window.ts';

/** Measures that compare the rates of pieces of time, here called slots: whole minutes, or buckets of 5 minutes. */
export type SlotMeasure = 'peak' | 'p95';

export function isOfSlots(measure: string): measure is SlotMeasure {
  return measure === 'peak' || measure === 'p95';
}

const MINUTE_MS = 60_000;
/** Buckets of a 95th percentile (semantics 5.12). */
const P95_SLOT_MS = 300_000;

export interface SlotPlan {
  /** Its `stepMs` is the length of a point of a series; 0 without. */
  readonly plan: Plan;
  /** Length of a slot. Of a peak it is what the values are sums of, also where a slot is longer. */
  readonly slotMs: number;
  /** Parts that know the busiest minute of each cell of the ring, in slots as long as their buckets. */
  readonly peaks: readonly PlanPart[];
  /** Parts of top lists for a peak: of the minutes in their buckets only the mean is known. */
  readonly means: readonly PlanPart[];
  /** Everything else; its `stepMs` is the slot. */
  readonly sums: Plan;
}

/** Chooses the tables for the busiest minute, or for the 95th percentile of 5 minutes. */
export function planSlots(input: KindInput, dimensions: readonly string[]): SlotPlan {
  const { query, filterColumns, oldest, facts, nowMs } = input;
  const columns = new Set([...dimensions.flatMap(columnsOf), ...filterColumns]);
  const asked = { columns, lists: { dimensions, filterColumns } };
  const found = candidates(query.resolution, asked, input.window, oldest, facts, nowMs);
  const peak = query.measure === 'peak';
  // A minute of a ring is as good as one of single records, and there are fewer.
  const inRings = found.tables.some(({ ring }) => ring);
  const tables = inRings ? found.tables.filter(({ ring }) => ring) : found.tables;
  const notices = [...found.notices];

  const lists = tables.filter(({ list }) => list);
  const reachMs = Math.max(found.leastMs, finestReaching(lists.length > 0 ? lists : tables, input.window.fromMs));
  const slotMs = peak ? MINUTE_MS : Math.max(P95_SLOT_MS, reachMs);
  const leastMs = Math.max(slotMs, reachMs);
  const bucketed = query.kind === 'timeseries';
  const stepMs = bucketed ? stepSeconds(input.window, query.intervalMs, pointsOf(query), leastMs / 1000) * 1000 : 0;
  const alignMs = bucketed ? stepMs : peak ? MINUTE_MS : slotMs;
  const window = wholeBuckets(input.window, alignMs, nowMs);
  if (!peak && slotMs > P95_SLOT_MS)
    notices.push({
      severity: 'warning',
      code: 'approximate',
      text: `The percentile is of ${duration(slotMs)} each instead of 5 min, the finest that is kept for this time: it is lower`,
    });

  // Buckets that are longer than a slot know something of a peak, and nothing of a percentile.
  const fitting = tables.filter(({ resolutionMs }) => (peak ? stepMs : slotMs) % resolutionMs === 0);
  const parts = coverWindow(window, peak ? peakTables(input, dimensions, fitting) : closedTables(fitting, facts));
  const peaks = peak ? parts.filter(({ ring, resolutionMs }) => ring && resolutionMs > MINUTE_MS) : [];
  const means = peak ? parts.filter(({ list }) => list) : [];
  const answered = spanOf(parts) ?? { fromMs: window.fromMs, toMs: window.fromMs };
  const oldestMs = beginningOf(fitting, oldest);
  const retention = retentionNotice(window, oldestMs, columns, oldest, fitting);
  if (retention) notices.push(retention);
  const listed = spanOf(parts.filter(({ list }) => list));
  const matchesUnnamed = filterColumns.every((name) => KNOWN_OF_UNNAMED.has(name));
  const plan: Plan = {
    parts,
    ...(listed ? { open: { ...listed, matchesUnnamed } } : {}),
    window: bucketed ? window : answered,
    stepMs,
    oldestMs,
    notices,
  };
  return {
    plan,
    slotMs,
    peaks,
    means,
    sums: { ...plan, parts: parts.filter((part) => !peaks.includes(part) && !means.includes(part)), stepMs: slotMs },
  };
}

/**
 * Coarse buckets know the busiest minute of each cell. That is the one of a group where each group is one cell of some
 * ring; elsewhere the minutes themselves are added up as far back as they are kept.
 */
function peakTables(input: KindInput, dimensions: readonly string[], tables: readonly SourceTable[]): SourceTable[] {
  if (tables.some(({ list }) => list)) return closedTables(tables, input.facts);
  const cell = cellRing(input, dimensions);
  if (!cell) return closedTables(tables, {});
  return closedTables(
    tables.map((table) => (table.ring ? { ...table, ring: cell } : table)),
    input.facts,
  );
}

/** The ring of which every group is one cell: its keys are all grouped by, or the filter fixes them. */
function cellRing({ filterColumns, fixedColumns }: KindInput, dimensions: readonly string[]): Ring | undefined {
  const plain = dimensions.filter((dimension) => {
    const [part, ...more] = partsOf(dimension);
    return more.length === 0 && part === dimension && columnsOf(dimension).join() === dimension;
  });
  const known = new Set<string>([...plain, ...fixedColumns, 'dup']);
  const needed = [...dimensions.flatMap(columnsOf), ...filterColumns];
  return (RINGS as readonly Ring[]).find(
    ({ keys }) =>
      needed.every((name) => (keys as readonly string[]).includes(name)) && keys.every((key) => known.has(key)),
  );
}

/**
 * One row per group and slot: `d0…`, `slot` (seconds since the epoch), `v_bytes`, `v_packets`, `v_flows` of the slot,
 * or of its busiest minute for a peak, `m_over` = 1 where that is an upper bound (peaks of several cells were added),
 * `m_under` = 1 where it is a lower one (only the mean of several minutes is known).
 */
export function slotsSql({ plan, peaks, means, sums }: SlotPlan, input: KindInput, dimensions: readonly string[]): Sql {
  const { filter, names } = input;
  const keys = dimensions.map((_, index) => sql`${dimensionAlias(index)}, `);
  const keyList = keys.reduce((left, right) => sql`${left}${right}`, EMPTY);
  const grouped = keys.length > 0 && plan.open ? sql` WHERE m_other = 0` : EMPTY;
  const shape = { dimensions, sides: 'rows', names } as const;
  const parts: Sql[] = peaks.map((part) => peakPart(part, filter, keyList, shape));
  for (const part of means) {
    const minutes = integer(part.resolutionMs / MINUTE_MS);
    const mean = METRICS.map((metric) => sql`intDiv(${alias(`m_${metric}`)}, ${minutes}) AS ${alias(`c_${metric}`)}`);
    const source = partSourceSql(part, sums, filter, { ...shape, bucketed: true });
    parts.push(
      sql`SELECT ${keyList}bucket AS slot, ${join(mean)}, toUInt8(0) AS c_over, toUInt8(1) AS c_under FROM (${source})${grouped}`,
    );
  }
  if (sums.parts.length > 0 || sums.open || parts.length === 0) {
    const source = sourceSql(sums, filter, { ...shape, bucketed: true });
    const sum = METRICS.map((metric) => sql`${alias(`m_${metric}`)} AS ${alias(`c_${metric}`)}`);
    parts.push(
      sql`SELECT ${keyList}bucket AS slot, ${join(sum)}, toUInt8(0) AS c_over, toUInt8(0) AS c_under FROM (${source})${grouped}`,
    );
  }
  const values = METRICS.map((metric) => sql`sum(${alias(`c_${metric}`)}) AS ${alias(`v_${metric}`)}`);
  return sql`SELECT ${keyList}slot, ${join(values)}, max(c_over) AS m_over, max(c_under) AS m_under FROM (${join(parts, ' UNION ALL ')}) GROUP BY ${keyList}slot HAVING v_bytes + v_packets + v_flows > 0`;
}

/** Rows of one cell may not be merged yet, so cells are put together first; then the cells of a group. */
function peakPart(
  part: PlanPart,
  filter: Sql,
  keyList: Sql,
  shape: { readonly dimensions: readonly string[]; readonly sides: 'rows'; readonly names: KindInput['names'] },
): Sql {
  const cell = (part.ring?.keys ?? []).map((_, index) => alias(`k${index}`));
  const cellColumns = (part.ring?.keys ?? []).map((name, index) => sql`${alias(name)} AS ${alias(`k${index}`)}`);
  const of = (format: (metric: string) => Sql): Sql => join(METRICS.map(format));
  const minutes = integer(part.resolutionMs / MINUTE_MS);
  const rows = sql`SELECT ${dimensionsSql(shape)}toInt64(toUnixTimestamp(rings.bucket)) AS slot, ${join(cellColumns)}, ${of((metric) => sql`${alias(metric)} AS ${alias(`a_${metric}`)}, ${alias(`peak_${metric}`)} AS ${alias(`p_${metric}`)}`)}
    FROM ${alias(part.table)} AS rings WHERE ring = ${integer(part.ring?.id ?? 0)} AND ${insideSql(part)} AND (${filter})`;
  // A peak that was never taken is 0; the mean of the bucket is the least that it can be.
  const cells = sql`SELECT ${keyList}slot, ${of((metric) => sql`max(${alias(`p_${metric}`)}) AS ${alias(`q_${metric}`)}, sum(${alias(`a_${metric}`)}) AS ${alias(`s_${metric}`)}`)} FROM (${rows}) GROUP BY ${keyList}slot, ${join(cell)}`;
  return sql`SELECT ${keyList}slot, ${of((metric) => sql`sum(greatest(${alias(`q_${metric}`)}, intDiv(${alias(`s_${metric}`)}, ${minutes}))) AS c_${alias(metric)}`)}, toUInt8(count() > 1) AS c_over, toUInt8(max(q_bytes + q_packets + q_flows = 0)) AS c_under FROM (${cells}) WHERE s_bytes + s_packets + s_flows > 0 GROUP BY ${keyList}slot`;
}

/** What the flags of an answer mean. */
export function slotNotices(over: boolean, under: boolean, { peaks }: SlotPlan): FrameNotice[] {
  const notices: FrameNotice[] = [];
  const until = peaks.at(-1);
  if (over && until)
    notices.push({
      severity: 'warning',
      code: 'approximate',
      text: `Before ${new Date(until.toMs).toISOString()} the peaks of what was added up are known, not their sum in each minute: peaks there are upper bounds`,
    });
  if (under)
    notices.push({
      severity: 'warning',
      code: 'approximate',
      text: 'Of part of the time only the mean of several minutes is known: the busiest minute can have been higher',
    });
  return notices;
}
