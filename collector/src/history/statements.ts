import { RESOLUTIONS, type ColumnName } from '@ringflow/contract';
import {
  alias,
  columnSql,
  countsDuplicates,
  EMPTY,
  filterSql,
  integer,
  bind,
  join,
  render,
  ringFor,
  sql,
  type Sql,
  type SqlQuery,
  type QueryContext,
} from '../query/index.ts';
import type { Family, FamilyPart, Measure } from './definitions.ts';
import { keyOf, type Key, type KeyDeps } from './keys.ts';
import type { Matcher } from './matchers.ts';
import type { Points } from './points.ts';

/** A part of a family as it is asked: one ring, its keys, and what its rows must fulfil. */
export interface Source {
  readonly fixed: Readonly<Record<string, string>>;
  /** Key columns of the ring that answers: one value of each is a cell. */
  readonly columns: readonly string[];
  readonly keys: readonly Key[];
  /** Ring number, filter, duplicates, and what the matchers say of the columns. */
  readonly condition: Sql;
}

/** What sources are made with. */
export interface SourceDeps extends KeyDeps, Pick<QueryContext, 'filterOptions'> {
  /** `metrics.watches`: name to filter. */
  readonly watches: Readonly<Record<string, string>>;
}

/** The parts of a family that matchers leave, as sources. */
export function sourcesOf(family: Family, matchers: readonly Matcher[], deps: SourceDeps): Source[] {
  const parts: readonly (FamilyPart & { filter?: string })[] =
    family.id === 'watch'
      ? Object.entries(deps.watches).map(([watch, filter]) => ({ keys: [], fixed: { watch }, filter }))
      : family.parts;
  return parts.flatMap(({ keys, fixed, filter = '' }): Source[] => {
    const fits = Object.entries(fixed).every(([name, value]) =>
      matchers.every((matcher) => matcher.name !== name || matcher.matches(value)),
    );
    if (!fits) return [];
    const { condition, columns } = filterSql(filter, deps);
    const asked: readonly string[] = [...keys, ...columns];
    const isOnce = !countsDuplicates(asked);
    // A watch whose fields no ring has together has no history.
    const ring = ringFor(new Set([...asked, ...(isOnce ? ['dup'] : [])]));
    if (!ring) return [];
    const made = keys.map((column: ColumnName) => keyOf(column, deps));
    const narrowed = made.flatMap((key) =>
      matchers.flatMap((matcher) => (matcher.name === key.label ? (key.condition(matcher) ?? []) : [])),
    );
    const all = [sql`ring = ${integer(ring.id)}`, ...(isOnce ? [sql`dup = 0`] : []), ...narrowed, sql`(${condition})`];
    return [{ fixed, columns: ring.keys, keys: made, condition: join(all, ' AND ') }];
  });
}

/** Groups that have rows: one row per group, at most `limit`. Without keys it is one row where there is anything. */
export function groupsSql(source: Source, points: Points, limit: number): SqlQuery {
  const groups = groupsOf(source);
  const rows = sql`FROM ${alias(points.resolution.table)} AS rings WHERE ${within(points)} AND ${source.condition}`;
  if (groups.length === 0) return render(sql`SELECT count() FROM (SELECT 1 ${rows} LIMIT 1)`);
  return render(sql`SELECT ${join(groups)} ${rows} GROUP BY ${join(aliases(source))} LIMIT ${integer(limit)}`);
}

/**
 * Values of groups: one row per group with its buckets (counted from the first) and their sums or peaks, as two arrays.
 *
 * @param page the values of each key; rows of other groups may come, too
 */
export function valuesSql(
  source: Source,
  measure: Measure,
  points: Points,
  page: readonly (readonly (string | number)[])[],
): SqlQuery {
  const among = source.keys.map((key, index) => key.among([...new Set(page.map((group) => group[index] ?? 0))]));
  const cells: Cells = { source, points, condition: join([source.condition, ...among], ' AND ') };
  const by = followed(aliases(source));
  const values = measure.isPeak ? peaks(measure, cells) : means(measure, cells);
  const grouping = source.keys.length === 0 ? EMPTY : sql` GROUP BY ${join(aliases(source))}`;
  return render(sql`SELECT ${by}groupArray(b), groupArray(v) FROM (${values})${grouping}`);
}

interface Cells {
  readonly source: Source;
  readonly points: Points;
  readonly condition: Sql;
}

function means({ counter }: Measure, { source, points, condition }: Cells): Sql {
  return sql`SELECT ${followed(groupsOf(source))}${bucketSql(points)}, sum(${columnSql(counter)}) AS v
    FROM ${alias(points.resolution.table)} AS rings WHERE ${within(points)} AND ${condition} GROUP BY ${followed(aliases(source))}b`;
}

/**
 * The busiest minute of a group: of its minutes, as long as they are there. Before that each cell of the ring has its own
 * busiest minute, or at least its mean where none was taken (an import); where a group is made of several cells, their
 * sum is the most that it can have been.
 */
function peaks({ counter }: Measure, { source, points, condition }: Cells): Sql {
  const groups = followed(groupsOf(source));
  const by = followed(aliases(source));
  const minutesFromMs = Math.min(points.minutesFromMs, points.toMs);
  const minutes = sql`SELECT ${by}b, max(m) AS v FROM (SELECT ${groups}${bucketSql(points)}, rings.bucket AS minute, sum(${columnSql(counter)}) AS m
    FROM ${alias(RESOLUTIONS[0].table)} AS rings WHERE ${within({ ...points, fromMs: minutesFromMs })} AND ${condition} GROUP BY ${by}b, minute) GROUP BY ${by}b`;
  if (minutesFromMs === points.fromMs) return minutes;
  const cells = sql`SELECT ${by}b, sum(m) AS v FROM (SELECT ${groups}${bucketSql(points)}, greatest(max(${alias(`peak_${counter}`)}), intDiv(sum(${columnSql(counter)}), ${integer(points.resolution.seconds / 60)})) AS m
    FROM ${alias(points.resolution.table)} AS rings WHERE ${within({ ...points, toMs: minutesFromMs })} AND ${condition} GROUP BY ${by}b, ${join(source.columns.map(columnSql))}) GROUP BY ${by}b`;
  return minutesFromMs === points.toMs ? cells : join([cells, minutes], ' UNION ALL ');
}

/** Buckets are counted from the first of the answer, whatever part of it a statement reads. */
function bucketSql({ fromMs, resolution }: Points): Sql {
  return sql`toUInt32(intDiv(toUnixTimestamp(rings.bucket) - ${integer(fromMs / 1000)}, ${integer(resolution.seconds)})) AS b`;
}

/** Pieces with a comma after each. */
function followed(pieces: readonly Sql[]): Sql {
  return pieces.length === 0 ? EMPTY : sql`${join(pieces)}, `;
}

function groupsOf({ keys }: Source): Sql[] {
  return keys.map(({ group }, index) => sql`${group} AS ${alias(`k${index}`)}`);
}

function aliases({ keys }: Source): Sql[] {
  return keys.map((_, index) => alias(`k${index}`));
}

function within({ fromMs, toMs }: Pick<Points, 'fromMs' | 'toMs'>): Sql {
  const time = (ms: number): Sql => sql`toDateTime(${bind(ms / 1000, 'UInt32')}, 'UTC')`;
  return sql`rings.bucket >= ${time(fromMs)} AND rings.bucket < ${time(toMs)}`;
}
