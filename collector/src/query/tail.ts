import { migrateQuery, type DataFrameJson } from '@ringflow/contract';
import { checkQuery } from './check.ts';
import { columnOf, frameOf } from './frames.ts';
import { recordColumns, recordFields } from './kinds/records.ts';
import { filterSql, type QueryContext } from './prepare.ts';
import type { Plan } from './plan.ts';
import type { RunResult, SqlQuery } from './runner.ts';
import { bind, integer, join, render, sql } from './sql.ts';
import { outputSql, partSql } from './values.ts';

/** What newly stored records are looked for by. */
export interface TailQuery {
  readonly filter: string;
  /** Fields of the records; none = all that are stored. */
  readonly columns: readonly string[];
}

/** A range of arrival times, nanoseconds since the epoch as text, (after, upTo]. */
export interface TailRange {
  readonly after: string;
  readonly upTo: string;
}

/** The statements of a live tail; the caller keeps the time up to which it has seen everything. */
export interface Tail {
  /** How many records match in a range. */
  count(range: TailRange): SqlQuery;
  counted(result: RunResult): number;
  /** The latest of them, at most `limit`. */
  rows(range: TailRange, limit: number): SqlQuery;
  /** Oldest first. */
  frame(statement: SqlQuery, result: RunResult): DataFrameJson;
}

/** @throws RingflowError for what is wrong with filter or columns */
export function prepareTail({ filter, columns: names }: TailQuery, context: QueryContext): Tail {
  const query = checkQuery(migrateQuery({ refId: 'tail', kind: 'records', filter, columns: [...names] }));
  const columns = recordColumns(query.columns);
  const { condition } = filterSql(filter, context);
  // By arrival, which is how the table is sorted: a look at what is new reads nothing else.
  const from = ({ after, upTo }: TailRange) =>
    sql`FROM flows WHERE time_received_ns > fromUnixTimestamp64Nano(${bind(after, 'Int64')}, 'UTC') AND time_received_ns <= fromUnixTimestamp64Nano(${bind(upTo, 'Int64')}, 'UTC') AND (${condition})`;
  const outputs = columns.map(
    (column, index) => sql`${outputSql(column, partSql(column.name, context.names))} AS c${integer(index)}`,
  );
  return {
    count: (range) => render(sql`SELECT count() ${from(range)}`),
    counted: (result) => columnOf<number>(result, 0)[0] ?? 0,
    rows: (range, limit) =>
      render(sql`SELECT ${join(outputs)} ${from(range)} ORDER BY time_received_ns DESC LIMIT ${bind(limit, 'UInt32')}`),
    frame: (statement, result) => {
      const oldestFirst = { ...result, columns: result.columns.map((values) => [...values].reverse()) };
      return frameOf(recordFields(columns, oldestFirst, context.names), {
        refId: 'tail',
        shape: 'records',
        plan: RAW_PLAN,
        statements: [statement],
        results: [result],
        notices: [],
      });
    },
  };
}

const RAW_PLAN: Plan = {
  parts: [{ table: 'flows', resolution: 'raw', resolutionMs: 1, fromMs: 0, toMs: 0 }],
  window: { fromMs: 0, toMs: 0 },
  stepMs: 0,
  oldestMs: null,
  notices: [],
};
