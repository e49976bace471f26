import type { KindInput } from './kind.ts';
import { METRICS, type FlowQuery, type Metric } from '@ringflow/contract';
import { planQuery, type Plan } from '../plan.ts';
import { dimensionAlias, hasUnnamed, sourceSql } from '../source.ts';
import { alias, bind, EMPTY, join, sql, type Sql } from '../sql.ts';
import { answerColumn, columnsOf, isEitherSide, outputSql, type AnswerColumn } from '../values.ts';

/** The dimensions of a query as columns; the query has been checked, so each exists. */
export function dimensionsOf(query: FlowQuery): AnswerColumn[] {
  return query.groupBy.map((name) => {
    const column = answerColumn(name);
    if (!column) throw new TypeError(`Not a column: ${name}`);
    return column;
  });
}

/** Columns that a plan must find in one table. */
export function neededColumns(dimensions: readonly string[], filterColumns: readonly string[]): ReadonlySet<string> {
  return new Set([...dimensions.flatMap((dimension) => columnsOf(dimension)), ...filterColumns]);
}

/**
 * The plan of a query that groups by `dimensions`. Top lists may answer it: its statements must be those of this file,
 * which keep apart what a list does not name.
 */
export function planGroups(input: KindInput, dimensions: readonly string[]): Plan {
  const { query, window, filterColumns, oldest, facts, nowMs } = input;
  return planQuery(query, window, neededColumns(dimensions, filterColumns), oldest, nowMs, {
    facts,
    lists: { dimensions, filterColumns },
  });
}

/** False when a record can belong to several groups, so that groups do not add up to the total. */
export function isPartition(query: FlowQuery): boolean {
  return !query.groupBy.some((dimension) => isEitherSide(dimension));
}

/** Sum of a metric over the rows of the source. */
export const metricSum = (metric: Metric): Sql => sql`sum(${alias(`m_${metric}`)})`;

/**
 * The top `limit` groups after `offset`, and the rest as one group with `shown` = 0 and keys at their default. Groups
 * and total come from one pass over the rows, so shown + other = total exactly, whatever arrives meanwhile.
 *
 * Columns: `shown`, the dimensions, bytes, packets, flows, highest sampling rate (for the rest: of all).
 */
export function rankedSql({ query, filter, names }: KindInput, plan: Plan): Sql {
  const columns = dimensionsOf(query);
  const source = sourceSql(plan, filter, { dimensions: query.groupBy, bucketed: false, sides: 'rows', names });
  const keys = columns.map((_, index) => dimensionAlias(index));
  const keyList = join(keys);
  const sums = METRICS.map((metric) => sql`${metricSum(metric)} AS ${alias(`s_${metric}`)}`);
  const outputs = columns.map((column, index) => outputSql(column, dimensionAlias(index)));
  const counters = METRICS.map((metric) => {
    const sum = alias(`s_${metric}`);
    return sql`if(total, ${sum} - sum(if(total, 0, ${sum})) OVER (), ${sum})`;
  });
  // What a top list does not name is in the total, and in no group.
  const [unnamed, isNamed] = hasUnnamed(plan) ? [sql`, m_other`, sql`m_other = 0 AND `] : [EMPTY, EMPTY];
  // The total sorts first, so it is never cut off; rows of the pages before this one stay in the rest.
  const groups = sql`SELECT grouping(${keyList}) > 0 AS total, ${keyList}, ${join(sums)}, max(m_rate) AS s_rate FROM (${source}) GROUP BY GROUPING SETS ((${keyList}${unnamed}), ()) HAVING total OR ${isNamed}s_bytes + s_packets + s_flows > 0 ORDER BY total DESC, ${orderSql(query, keys)} LIMIT ${bind(query.offset + query.limit + 1, 'UInt64')}`;
  return sql`SELECT toUInt8(NOT total) AS shown, ${join(outputs)}, ${join(counters)}, s_rate FROM (SELECT *, rowNumberInAllBlocks() AS place FROM (${groups})) WHERE total OR place > ${bind(query.offset, 'UInt64')} ORDER BY place > 0 DESC, place`;
}

/**
 * One row per group of the top `limit` and bucket, and the rest as one group with `shown` = 0. Membership is decided
 * once over the whole window, so a series does not come and go; the rest is summed in the same pass as the groups, so
 * shown + other = total exactly, whatever arrives meanwhile.
 *
 * Columns: `shown`, the dimensions, `bucket`, bytes, packets, flows, highest sampling rate.
 */
export function seriesSql(input: KindInput, plan: Plan): Sql {
  const { query, filter, names } = input;
  const columns = dimensionsOf(query);
  const shape = { dimensions: query.groupBy, sides: 'rows', names } as const;
  const source = sourceSql(plan, filter, { ...shape, bucketed: true });
  if (columns.length === 0)
    return sql`SELECT toUInt8(1) AS shown, bucket, ${join(METRICS.map(metricSum))}, max(m_rate) FROM (${source}) GROUP BY bucket ORDER BY bucket`;
  const keys = columns.map((_, index) => dimensionAlias(index));
  const keyList = join(keys);
  const shownKeys = columns.map((_, index) => alias(`g${index}`));
  const groups = columns.map(
    (_, index) =>
      sql`if(shown, ${dimensionAlias(index)}, defaultValueOfArgumentType(${dimensionAlias(index)})) AS ${alias(`g${index}`)}`,
  );
  const outputs = columns.map((column, index) => outputSql(column, alias(`g${index}`)));
  const isNamed = hasUnnamed(plan) ? sql`m_other = 0 AND ` : EMPTY;
  const { members } = input;
  const top = members ? topSql(members, planGroups(members, members.query.groupBy)) : topSql(input, plan);
  const rest = query.other || query.measure === 'share' ? EMPTY : sql` WHERE shown`;
  return sql`WITH source AS (${source}), top AS (${top})
    SELECT shown, ${join(outputs)}, bucket, ${join(METRICS.map((metric) => alias(`m_${metric}`)))}, m_rate FROM (
      SELECT shown, ${join(shownKeys)}, bucket, ${join(METRICS.map((metric) => sql`sum(${alias(`m_${metric}`)}) AS ${alias(`m_${metric}`)}`))}, max(m_rate) AS m_rate
      FROM (SELECT toUInt8(${isNamed}(${keyList}) IN (SELECT ${keyList} FROM top)) AS shown, ${join(groups)}, bucket, m_bytes, m_packets, m_flows, m_rate FROM source)${rest}
      GROUP BY shown, bucket, ${join(shownKeys)})
    ORDER BY bucket`;
}

/** Keys of the top `limit` groups after `offset`: rows are not cut into buckets for it, which is most of the work. */
export function topSql({ query, filter, names }: KindInput, plan: Plan): Sql {
  const source = sourceSql(plan, filter, { dimensions: query.groupBy, sides: 'rows', names, bucketed: false });
  const keys = query.groupBy.map((_, index) => dimensionAlias(index));
  const keyList = join(keys);
  const named = hasUnnamed(plan) ? sql` WHERE m_other = 0` : EMPTY;
  return sql`SELECT ${keyList} FROM (${source})${named} GROUP BY ${keyList} HAVING sum(m_bytes) + sum(m_packets) + sum(m_flows) > 0 ORDER BY ${orderSql(query, keys)} LIMIT ${bind(query.limit, 'UInt32')} OFFSET ${bind(query.offset, 'UInt64')}`;
}

/** Totals of the source: bytes, packets, flows, highest sampling rate. */
export function totalSql({ filter, names }: KindInput, plan: Plan, bucketed: boolean): Sql {
  const source = sourceSql(plan, filter, { dimensions: [], bucketed, sides: 'rows', names });
  const bucket = bucketed ? sql`bucket, ` : EMPTY;
  const group = bucketed ? sql` GROUP BY bucket` : EMPTY;
  return sql`SELECT ${bucket}${join(METRICS.map(metricSum))}, max(m_rate) FROM (${source})${group}`;
}

/** Order of groups: as asked, else by the metric; the keys break ties, so that pages do not overlap. */
function orderSql(query: FlowQuery, keys: readonly Sql[]): Sql {
  const asked = (query.kind === 'table' ? query.sort : []).map(({ by, descending }) => {
    const at = query.groupBy.indexOf(by);
    const expression = at >= 0 ? (keys[at] as Sql) : metricSum(metricOf(by) ?? query.metric);
    return descending ? sql`${expression} DESC` : sql`${expression} ASC`;
  });
  const terms = asked.length > 0 ? asked : [sql`${metricSum(query.metric)} DESC`];
  return join([...terms, ...keys]);
}

/** The metric that a field name of an answer stands for; shares rank like their metric. */
export function metricOf(name: string): Metric | undefined {
  const names: Readonly<Record<string, Metric>> = {
    bytes: 'bytes',
    bps: 'bytes',
    packets: 'packets',
    pps: 'packets',
    flows: 'flows',
    fps: 'flows',
  };
  return Object.hasOwn(names, name) ? names[name] : undefined;
}
