import { spreadSql } from '@ringflow/contract';
import type { Plan, PlanPart } from './plan.ts';
import { RAW_TABLE } from './plan.ts';
import { alias, bind, columnSql, EMPTY, integer, join, sql, type Sql } from './sql.ts';
import { columnsOf, isEitherSide } from './values.ts';

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
}

/**
 * The parts of a plan as one relation with `d0…`, `bucket`, `m_bytes`, `m_packets`, `m_flows` (scaled and cut to the
 * window) and `m_rate` (sampling rate of the record; 1 in rings). Names are ours, so that the filter sees the columns.
 */
export function sourceSql(plan: Plan, filter: Sql, shape: SourceShape): Sql {
  const parts = plan.parts.map((part) =>
    part.table === RAW_TABLE ? rawPart(part, filter, shape, plan.stepMs) : ringPart(part, filter, shape, plan.stepMs),
  );
  if (parts.length > 0) return join(parts, ' UNION ALL ');
  // Nothing to ask: an empty range of the raw table keeps the shape of the answer.
  return rawPart(
    { table: RAW_TABLE, resolution: 'raw', resolutionMs: 1, fromMs: plan.window.fromMs, toMs: plan.window.fromMs },
    filter,
    shape,
    plan.stepMs,
  );
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

function rawPart(part: PlanPart, filter: Sql, shape: SourceShape, stepMs: number): Sql {
  const from = nanos(part.fromMs);
  const to = nanos(part.toMs);
  const step = integer(stepMs * 1_000_000);
  const bucketFrom = sql`(k * ${step})`;
  const begin = shape.bucketed ? bucketFrom : from;
  const end = shape.bucketed ? sql`(k + 1) * ${step}` : to;
  const counted = (counter: string) => spread(sql`(${columnSql(counter)} * greatest(sampling_rate, 1))`, begin, end);
  const flows = shape.bucketed
    ? sql`toUInt64(intDiv(m_end, ${step}) = k)`
    : sql`toUInt64(m_end >= ${from} AND m_end < ${to})`;
  const buckets = shape.bucketed
    ? sql`arrayJoin(range(intDiv(greatest(m_start, ${from}), ${step}), intDiv(least(m_end, ${to} - 1), ${step}) + 1)) AS k, toInt64(k * ${integer(stepMs / 1000)}) AS bucket, `
    : EMPTY;
  return sql`SELECT ${dimensionsSql(shape)}toUnixTimestamp64Nano(time_flow_start_ns) AS m_start, greatest(toUnixTimestamp64Nano(time_flow_end_ns), m_start) AS m_end, ${buckets}${counted('bytes')} AS m_bytes, ${counted('packets')} AS m_packets, ${flows} AS m_flows, sampling_rate AS m_rate
    FROM flows WHERE time_flow_end_ns >= ${time(part.fromMs)} AND time_flow_start_ns < ${time(part.toMs)} AND (${filter})`;
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

function ringPart(part: PlanPart, filter: Sql, shape: SourceShape, stepMs: number): Sql {
  const at = sql`toInt64(toUnixTimestamp(rings.bucket))`;
  const stepSeconds = integer(stepMs / 1000);
  // `k` and the times stand in for those of the raw part: all parts of a union have the same columns.
  const buckets = shape.bucketed
    ? sql`toInt64(0) AS k, intDiv(${at}, ${stepSeconds}) * ${stepSeconds} AS bucket, `
    : EMPTY;
  return sql`SELECT ${dimensionsSql(shape)}toInt64(0) AS m_start, toInt64(0) AS m_end, ${buckets}bytes AS m_bytes, packets AS m_packets, flows AS m_flows, toUInt32(1) AS m_rate
    FROM ${alias(part.table)} AS rings WHERE ring = ${integer(part.ring?.id ?? 0)} AND rings.bucket >= toDateTime(${bind(part.fromMs / 1000, 'UInt32')}, 'UTC') AND rings.bucket < toDateTime(${bind(part.toMs / 1000, 'UInt32')}, 'UTC') AND (${filter})`;
}

/** `d0`, `d1` …, followed by a comma when there are any. */
function dimensionsSql(shape: SourceShape): Sql {
  if (shape.dimensions.length === 0) return EMPTY;
  const both = (dimension: string) => columnsOf(dimension).map((column) => columnSql(column)) as [Sql, Sql];
  const pairs = shape.dimensions.filter(isEitherSide).map(both);
  const pieces = shape.dimensions.map((dimension, index) => {
    const name = dimensionAlias(index);
    if (!isEitherSide(dimension)) return sql`${columnSql(dimension)} AS ${name}`;
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
