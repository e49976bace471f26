import { spreadSql } from '@ringflow/contract';
import type { Plan, PlanPart } from './plan.ts';
import { RAW_TABLE } from './plan.ts';
import { alias, bind, columnSql, EMPTY, integer, join, sql, type Sql } from './sql.ts';
import type { NameLookup } from './resolve.ts';
import { isEitherSide, partSql, partsOf } from './values.ts';

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
  /** Looks up what is grouped by an attribute. */
  readonly names: NameLookup;
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
  const from = bind(String(part.fromMs), 'Int64');
  const to = bind(String(part.toMs), 'Int64');
  const scaled = (counter: string) => sql`${columnSql(counter)} * greatest(sampling_rate, 1)`;
  const rows = sql`SELECT ${dimensionsSql(shape)}toUnixTimestamp64Milli(time_flow_start_ns) AS m_start, greatest(toUnixTimestamp64Milli(time_flow_end_ns), m_start) AS m_end, ${scaled('bytes')} AS all_bytes, ${scaled('packets')} AS all_packets, sampling_rate AS m_rate
    FROM flows WHERE time_flow_end_ns >= ${time(part.fromMs)} AND time_flow_start_ns < ${time(part.toMs)} AND (${filter})`;
  const dimensions = shape.dimensions
    .map((_, index) => sql`${dimensionAlias(index)}, `)
    .reduce((left, right) => sql`${left}${right}`, EMPTY);
  if (!shape.bucketed) {
    return sql`SELECT ${dimensions}${spread(sql`all_bytes`, from, to)} AS m_bytes, ${spread(sql`all_packets`, from, to)} AS m_packets, toUInt64(m_end >= ${from} AND m_end < ${to}) AS m_flows, m_rate FROM (${rows})`;
  }
  // Buckets are counted from the window's first in 16 bits, and joined by the clause, not by the function: an hour in
  // seconds makes 3600 rows of one record, and the function holds all of them for a whole block (ten times the memory).
  const step = integer(stepMs);
  const first = integer(Math.floor(part.fromMs / stepMs));
  const indexOf = (at: Sql) => sql`toUInt16(intDiv(${at}, ${step}) - ${first})`;
  const begin = sql`((${first} + i) * ${step})`;
  const end = sql`((${first} + i + 1) * ${step})`;
  return sql`SELECT ${dimensions}toInt64((${first} + i) * ${integer(stepMs / 1000)}) AS bucket, ${spread(sql`all_bytes`, begin, end)} AS m_bytes, ${spread(sql`all_packets`, begin, end)} AS m_packets, toUInt64(m_end >= ${begin} AND m_end < ${end}) AS m_flows, m_rate
    FROM (${rows}) ARRAY JOIN range(${indexOf(sql`greatest(m_start, ${from})`)}, toUInt16(${indexOf(sql`least(m_end, ${to} - 1)`)} + 1)) AS i`;
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
  const stepSeconds = integer(stepMs / 1000);
  const bucket = shape.bucketed
    ? sql`toInt64(intDiv(toUnixTimestamp(rings.bucket), ${stepSeconds}) * ${stepSeconds}) AS bucket, `
    : EMPTY;
  return sql`SELECT ${dimensionsSql(shape)}${bucket}bytes AS m_bytes, packets AS m_packets, flows AS m_flows, toUInt32(1) AS m_rate
    FROM ${alias(part.table)} AS rings WHERE ring = ${integer(part.ring?.id ?? 0)} AND rings.bucket >= toDateTime(${bind(part.fromMs / 1000, 'UInt32')}, 'UTC') AND rings.bucket < toDateTime(${bind(part.toMs / 1000, 'UInt32')}, 'UTC') AND (${filter})`;
}

/** `d0`, `d1` …, followed by a comma when there are any. */
function dimensionsSql(shape: SourceShape): Sql {
  if (shape.dimensions.length === 0) return EMPTY;
  const both = (dimension: string) => partsOf(dimension).map((part) => partSql(part, shape.names)) as [Sql, Sql];
  const pairs = shape.dimensions.filter(isEitherSide).map(both);
  const pieces = shape.dimensions.map((dimension, index) => {
    const name = dimensionAlias(index);
    if (!isEitherSide(dimension)) return sql`${partSql(dimension, shape.names)} AS ${name}`;
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
