import {
  columnsOfFilter,
  migrateQuery,
  parseFilter,
  RingflowError,
  type FlowQuery,
  type FlowQueryInput,
  type ParseOptions,
  type QueryKind,
  type TimePoint,
} from '@ringflow/contract';
import { checkQuery } from './check.ts';
import { compileFilter } from './filter-sql.ts';
import type { Kind, Prepared } from './kinds/kind.ts';
import { prepareRecords } from './kinds/records.ts';
import { prepareStat } from './kinds/stat.ts';
import { prepareTable } from './kinds/table.ts';
import { prepareTimeseries } from './kinds/timeseries.ts';
import type { OldestByTable } from './plan.ts';
import type { NameLookup } from './resolve.ts';
import { compiled, sql, type Sql } from './sql.ts';
import { columnsOf } from './values.ts';
import { parseTimePoint, type Window } from './window.ts';

const KINDS: Readonly<Record<QueryKind, Kind>> = {
  timeseries: prepareTimeseries,
  table: prepareTable,
  records: prepareRecords,
  stat: prepareStat,
};

/** What queries are prepared with; all of it comes in, so this room reads no clock and no disk. */
export interface QueryContext {
  /** Configured sets (`@name`) and fields of the filter language. */
  readonly filterOptions?: ParseOptions;
  readonly names: NameLookup;
  /** Oldest data by table. */
  readonly oldest: OldestByTable;
  readonly nowMs: number;
  /** Highest sampling rate of any exporter. Default: 1. */
  readonly samplingRate?: number;
  readonly downtimes?: readonly Window[];
}

/** Longest window: ten years. */
const MAX_WINDOW_MS = 10 * 366 * 86_400_000;

/** The window of a request, checked. */
export function parseWindow(from: TimePoint, to: TimePoint, nowMs: number): Window {
  const read = (name: string, value: TimePoint): number => {
    const ms = typeof value === 'string' || typeof value === 'number' ? parseTimePoint(value, nowMs) : null;
    if (ms === null)
      throw new RingflowError('query_window', `${name} is not a time: ${JSON.stringify(value)?.slice(0, 64)}`, {
        hint: 'Write milliseconds since the epoch, 2026-01-31T12:00:00Z, now or now-6h',
      });
    return ms;
  };
  const window = { fromMs: read('from', from), toMs: read('to', to) };
  if (window.fromMs >= window.toMs)
    throw new RingflowError('query_window', 'from must be before to', {
      hint: 'Swap from and to, or widen the window',
    });
  if (window.toMs - window.fromMs > MAX_WINDOW_MS)
    throw new RingflowError('query_window', 'The window is longer than ten years', {
      hint: 'Move from and to closer together',
    });
  return window;
}

/** One query of a request to the statements that answer it. Throws what is wrong with it. */
export function prepareQuery(input: FlowQueryInput, window: Window, context: QueryContext): Prepared {
  const query = checkQuery(migrateQuery(input));
  const filter = filterSql(query.filter, context);
  const once = leavesOutDuplicates(query, filter.columns);
  return KINDS[query.kind]({
    query,
    window,
    filter: once ? sql`dup = 0 AND (${filter.condition})` : filter.condition,
    filterColumns: once ? [...filter.columns, 'dup'] : filter.columns,
    oldest: context.oldest,
    names: context.names,
    nowMs: context.nowMs,
    samplingRate: context.samplingRate ?? 1,
    downtimes: context.downtimes ?? [],
  });
}

/** Columns that ask what an exporter saw, where; or that ask for duplicates themselves. */
const OF_EXPORTERS: ReadonlySet<string> = new Set(['sampler_address', 'in_if', 'out_if', 'flow_direction', 'dup']);

function leavesOutDuplicates(query: FlowQuery, filterColumns: readonly string[]): boolean {
  if (query.duplicates !== 'auto') return query.duplicates === 'leave_out';
  const asked = [...query.groupBy, ...query.unique].flatMap(columnsOf);
  return query.kind !== 'records' && ![...asked, ...filterColumns].some((column) => OF_EXPORTERS.has(column));
}

/** A filter's text as a condition, and the columns that it reads. */
export function filterSql(
  text: string,
  context: Pick<QueryContext, 'filterOptions' | 'names'>,
): { condition: Sql; columns: readonly string[] } {
  const { tree, error } = parseFilter(text, context.filterOptions);
  if (error) throw new RingflowError(error.code, error.message, { position: error.position, hint: error.hint });
  return { condition: compiled(compileFilter(tree, context.names)), columns: columnsOfFilter(tree) };
}
