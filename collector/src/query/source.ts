import { spreadSql, type Ring } from '@ringflow/contract';
import { hasKey } from './candidates.ts';
import { RAW_TABLE, type Plan, type PlanPart } from './plan.ts';
import { alias, bind, columnSql, EMPTY, integer, join, sql, type Sql } from './sql.ts';
import type { NameLookup } from './resolve.ts';
import { isEitherSide, partSql, partsOf } from './values.ts';
import type { Window } from './window.ts';

/** What a statement needs of each row, besides the counters. */
export interface SourceShape {
  /** Columns and either-side dimensions; they come out as `d0`, `d1` … in the type of the column. */
  readonly dimensions: readonly string[];
  /** Rows are split into buckets and carry `bucket` (seconds since the epoch of its start). */
  readonly bucketed: boolean;
  /**
   * How an either-side dimension comes out: a row for each side, or one row with both values in an array (for counting
   * distinct values without counting traffic twice).
   */
  readonly sides: 'rows' | 'arrays';
  /** In place of dimensions: something computed from a single record, as `d0`; only raw rows have it. */
  readonly value?: Sql;
  /** Looks up what is grouped by an attribute. */
  readonly names: NameLookup;
}

/** True when rows may come that a top list does not name: `m_other` is 1 there, and what they are about is unknown. */
export function hasUnnamed(plan: Plan): boolean {
  return plan.open !== undefined;
}

/** Batches of single records that no top list has yet; the store keeps this view. */
const IS_OPEN: Sql = sql`batch IN (SELECT batch FROM top_open)`;

/**
 * The parts of a plan as one relation with `d0…`, `bucket`, `m_bytes`, `m_packets`, `m_flows` (scaled and cut to the
 * window), `m_rate` (sampling rate of the record; 1 in rings) and, where {@link hasUnnamed}, `m_other`. Names are ours, so
 * that the filter sees the columns.
 */
export function sourceSql(plan: Plan, filter: Sql, shape: SourceShape): Sql {
  const parts = plan.parts.map((part) => partSourceSql(part, plan, filter, shape));
  if (plan.open) parts.push(rawPart(plan.open, plan, sql`${IS_OPEN} AND (${filter})`, shape));
  if (parts.length > 0) return join(parts, ' UNION ALL ');
  // Nothing to ask: an empty range of the raw table keeps the shape of the answer.
  return rawPart({ fromMs: plan.window.fromMs, toMs: plan.window.fromMs }, plan, filter, shape);
}

/** One part of a plan as {@link sourceSql} has it. */
export function partSourceSql(part: PlanPart, plan: Plan, filter: Sql, shape: SourceShape): Sql {
  if (part.table === RAW_TABLE) return rawPart(part, plan, filter, shape);
  const of = part.list ? sql`list = ${integer(part.list.id)}` : sql`ring = ${integer(part.ring?.id ?? 0)}`;
  const other = part.list ? sql`, other AS m_other` : namedSql(plan);
  // Rows without a name match a filter only where it asks for nothing that they do not know.
  const condition = part.list && plan.open?.matchesUnnamed !== true ? sql`other = 0 AND (${filter})` : filter;
  const step = integer(plan.stepMs / 1000);
  const bucket = shape.bucketed
    ? sql`toInt64(intDiv(toUnixTimestamp(rings.bucket), ${step}) * ${step}) AS bucket, `
    : EMPTY;
  const rows = sql`SELECT ${dimensionsSql(shape, part.list)}${bucket}bytes AS m_bytes, packets AS m_packets, flows AS m_flows, toUInt32(1) AS m_rate${other}
    FROM ${alias(part.table)} AS rings WHERE ${of} AND ${insideSql(part)} AND (${condition})`;
  if (shape.sides === 'arrays' || !shape.dimensions.some(isEitherSide)) return rows;
  // The side that a row stands for is no column of the source.
  const mark = hasUnnamed(plan) ? sql`, m_other` : EMPTY;
  return sql`SELECT ${aliasesSql(shape)}${shape.bucketed ? sql`bucket, ` : EMPTY}m_bytes, m_packets, m_flows, m_rate${mark} FROM (${rows})`;
}

/** The mark of rows that are not of a top list, where others are. */
function namedSql(plan: Plan): Sql {
  return hasUnnamed(plan) ? sql`, toUInt8(0) AS m_other` : EMPTY;
}

/** Alias of the n-th dimension. */
export function dimensionAlias(index: number): Sql {
  return alias(`d${index}`);
}

/** Milliseconds as the nanoseconds of a time column; a string, because they do not fit a JavaScript number. */
function nanos(ms: number): Sql {
  return bind(ms === 0 ? '0' : `${ms}000000`, 'Int64');
}

const time = (ms: number): Sql => sql`fromUnixTimestamp64Nano(${nanos(ms)}, 'UTC')`;

function rawPart(part: Window, plan: Plan, filter: Sql, shape: SourceShape): Sql {
  const { stepMs } = plan;
  const more = namedSql(plan);
  const from = bind(String(part.fromMs), 'Int64');
  const to = bind(String(part.toMs), 'Int64');
  const scaled = (counter: string) => sql`${columnSql(counter)} * greatest(sampling_rate, 1)`;
  const rows = sql`SELECT ${shape.value ? sql`${shape.value} AS d0, ` : dimensionsSql(shape)}toUnixTimestamp64Milli(time_flow_start_ns) AS m_start, greatest(toUnixTimestamp64Milli(time_flow_end_ns), m_start) AS m_end, ${scaled('bytes')} AS all_bytes, ${scaled('packets')} AS all_packets, sampling_rate AS m_rate
    FROM flows WHERE time_flow_end_ns >= ${time(part.fromMs)} AND time_flow_start_ns < ${time(part.toMs)} AND (${filter})`;
  const dimensions = (shape.value ? [''] : shape.dimensions)
    .map((_, index) => sql`${dimensionAlias(index)}, `)
    .reduce((left, right) => sql`${left}${right}`, EMPTY);
  if (!shape.bucketed) {
    return sql`SELECT ${dimensions}${spread(sql`all_bytes`, from, to)} AS m_bytes, ${spread(sql`all_packets`, from, to)} AS m_packets, toUInt64(m_end >= ${from} AND m_end < ${to}) AS m_flows, m_rate${more} FROM (${rows})`;
  }
  // Buckets are counted from the window's first in 16 bits where they fit, and joined by the clause, not by the function: an hour in
  // seconds makes 3600 rows of one record, and the function holds all of them for a whole block (ten times the memory).
  const step = integer(stepMs);
  const first = integer(Math.floor(part.fromMs / stepMs));
  const narrow = (part.toMs - part.fromMs) / stepMs < 65_000;
  const unsigned = (value: Sql) => (narrow ? sql`toUInt16(${value})` : sql`toUInt32(${value})`);
  const indexOf = (at: Sql) => unsigned(sql`intDiv(${at}, ${step}) - ${first}`);
  const begin = sql`((${first} + i) * ${step})`;
  const end = sql`((${first} + i + 1) * ${step})`;
  return sql`SELECT ${dimensions}toInt64((${first} + i) * ${integer(stepMs / 1000)}) AS bucket, ${spread(sql`all_bytes`, begin, end)} AS m_bytes, ${spread(sql`all_packets`, begin, end)} AS m_packets, toUInt64(m_end >= ${begin} AND m_end < ${end}) AS m_flows, m_rate${more}
    FROM (${rows}) ARRAY JOIN range(${indexOf(sql`greatest(m_start, ${from})`)}, ${unsigned(sql`${indexOf(sql`least(m_end, ${to} - 1)`)} + 1`)}) AS i`;
}

/** The registry's formula over our aliases; its pieces are put in by name so that the text stays one. */
function spread(counter: Sql, from: Sql, to: Sql): Sql {
  const text = spreadSql('$counter', 'm_start', 'm_end', '$from', '$to');
  const pieces: Record<string, Sql> = { counter, from, to };
  const parts: Sql[] = text
    .split(/(\$counter|\$from|\$to)/)
    .map((part) =>
      part.startsWith('$') ? (pieces[part.slice(1)] as Sql) : { kind: 'sql', parts: [part], params: {} },
    );
  return parts.reduce((left, right) => sql`${left}${right}`, EMPTY);
}

/** The latest second that a bucket's time can hold (2106). */
const LATEST_SECOND = 2 ** 32 - 1;

/** The rows of a table of buckets, called `rings`, that lie in a range of time. */
export function insideSql({ fromMs, toMs }: Window): Sql {
  const at = (ms: number) => sql`toDateTime(${bind(Math.min(ms / 1000, LATEST_SECOND), 'UInt32')}, 'UTC')`;
  return sql`rings.bucket >= ${at(fromMs)} AND rings.bucket < ${at(toMs)}`;
}

/** `d0, d1, `: the names alone. */
function aliasesSql({ dimensions }: SourceShape): Sql {
  return dimensions
    .map((_, index) => sql`${dimensionAlias(index)}, `)
    .reduce((left, right) => sql`${left}${right}`, EMPTY);
}

/** `d0`, `d1` …, followed by a comma when there are any. */
export function dimensionsSql(shape: Omit<SourceShape, 'bucketed'>, list?: Ring): Sql {
  if (shape.dimensions.length === 0) return EMPTY;
  // A list may have as a column what elsewhere is computed.
  const valueSql = (part: string): Sql => (list && hasKey(list, part) ? alias(part) : partSql(part, shape.names));
  const both = (dimension: string) => partsOf(dimension).map(valueSql) as [Sql, Sql];
  const pairs = shape.dimensions.filter(isEitherSide).map(both);
  const pieces = shape.dimensions.map((dimension, index) => {
    const name = dimensionAlias(index);
    if (!isEitherSide(dimension)) return sql`${valueSql(dimension)} AS ${name}`;
    const [source, destination] = both(dimension);
    return shape.sides === 'arrays'
      ? sql`[${source}, ${destination}] AS ${name}`
      : sql`if(m_side = 0, ${source}, ${destination}) AS ${name}`;
  });
  if (pairs.length === 0 || shape.sides === 'arrays') return sql`${join(pieces)}, `;
  // A record whose two sides are the same in every grouped pair counts once.
  const same = join(
    pairs.map(([source, destination]) => sql`${source} = ${destination}`),
    ' AND ',
  );
  return sql`arrayJoin(if(${same}, [0], [0, 1])) AS m_side, ${join(pieces)}, `;
}
