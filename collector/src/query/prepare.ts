import {
  columnsOfFilter,
  migrateQuery,
  parseFilter,
  RingflowError,
  type DataFrameJson,
  type FlowQuery,
  type FrameNotice,
  type FilterNode,
  type FlowQueryInput,
  type ParseOptions,
  type QueryKind,
  type TimePoint,
} from '@ringflow/contract';
import { checkQuery } from './check.ts';
import { compileFilter } from './filter-sql.ts';
import { prepareComparedTable } from './kinds/compared-table.ts';
import { prepareGeo } from './kinds/geo.ts';
import { prepareGraph } from './kinds/graph.ts';
import { prepareHeatmap } from './kinds/heatmap.ts';
import type { Kind, KindInput, Prepared } from './kinds/kind.ts';
import { prepareRecords } from './kinds/records.ts';
import { prepareStat } from './kinds/stat.ts';
import { prepareSeries } from './kinds/variants.ts';
import { createLegend } from './legend.ts';
import { mirrored, type Way } from './mirror.ts';
import type { OldestByTable, StoreFacts } from './plan.ts';
import type { NameLookup } from './resolve.ts';
import { compiled, sql, type Sql } from './sql.ts';
import { refuseVariables } from './unfilled.ts';
import { columnsOf } from './values.ts';
import { parseTimePoint, type Window } from './window.ts';

const KINDS: Readonly<Record<QueryKind, Kind>> = {
  timeseries: prepareSeries,
  table: prepareComparedTable,
  records: prepareRecords,
  stat: prepareStat,
  graph: prepareGraph,
  geo: prepareGeo,
  heatmap: prepareHeatmap,
};

/** What queries are prepared with; all of it comes in, so this room reads no clock and no disk. */
export interface QueryContext {
  /** Configured sets (`@name`) and fields of the filter language. */
  readonly filterOptions?: ParseOptions;
  readonly names: NameLookup;
  /** Oldest data by table. */
  readonly oldest: OldestByTable;
  /** What else is known about the tables. Default: nothing. */
  readonly facts?: StoreFacts;
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
  const asked = migrateQuery(input);
  const query = checkQuery(asked);
  const tree = treeOf(query.filter, context);
  const ways = query.mirror ? mirrored(tree, query.groupBy) : null;
  const common = {
    window,
    oldest: context.oldest,
    facts: context.facts ?? {},
    names: context.names,
    nowMs: context.nowMs,
    samplingRate: context.samplingRate ?? 1,
    downtimes: context.downtimes ?? [],
    ...(query.legend === '' ? {} : { seriesName: createLegend(query, context.names) }),
  };
  const wayInput = (way: Way, prefix: string) => ({
    word: way.word,
    ...filteredBy(way.tree, { ...query, groupBy: [...way.groupBy] }, context, prefix),
  });
  const prepared = KINDS[query.kind]({
    ...common,
    ...filteredBy(tree, query, context, 'f'),
    // The statement of a way names the filter of what is shown, too.
    ...(ways ? { ways: [wayInput(ways[0], 'g'), wayInput(ways[1], 'h')] as const } : {}),
  });
  if (asked.limit <= query.limit) return prepared;
  return {
    statements: prepared.statements,
    frames: (results) => withNotice(prepared.frames(results), tooMany(asked.limit, query)),
  };
}

function tooMany(asked: number, { kind, limit }: FlowQuery): FrameNotice {
  return {
    severity: 'warning',
    code: 'truncated',
    text: `${asked} were asked for; a query of kind "${kind}" has at most ${limit}`,
  };
}

function withNotice([first, ...more]: readonly DataFrameJson[], notice: FrameNotice): DataFrameJson[] {
  if (!first) return [];
  const { meta } = first.schema;
  const notices = [notice, ...meta.notices];
  const custom = { ...meta.custom, notices: [...new Set(notices.map(({ code }) => code))] };
  return [{ ...first, schema: { ...first.schema, meta: { ...meta, notices, custom } } }, ...more];
}

function filteredBy(
  tree: FilterNode | null,
  query: FlowQuery,
  context: QueryContext,
  prefix: string,
): Pick<KindInput, 'query' | 'filter' | 'filterColumns' | 'fixedColumns'> {
  const { condition, columns, fixed } = treeSql(tree, context, prefix);
  const once = leavesOutDuplicates(query, columns);
  return {
    query,
    filter: once ? sql`dup = 0 AND (${condition})` : condition,
    filterColumns: once ? [...columns, 'dup'] : columns,
    fixedColumns: fixed,
  };
}

/** Columns that ask what an exporter saw, where; or that ask for duplicates themselves. */
const OF_EXPORTERS: ReadonlySet<string> = new Set(['sampler_address', 'in_if', 'out_if', 'flow_direction', 'dup']);

/** What an exporter saw is asked, so records whose packets another one counts, too, are counted (semantics 5.8). */
export function countsDuplicates(columns: readonly string[]): boolean {
  return columns.some((column) => OF_EXPORTERS.has(column));
}

function leavesOutDuplicates(query: FlowQuery, filterColumns: readonly string[]): boolean {
  if (query.duplicates !== 'auto') return query.duplicates === 'leave_out';
  const asked = [...query.groupBy, ...query.unique].flatMap(columnsOf);
  return query.kind !== 'records' && !countsDuplicates([...asked, ...filterColumns]);
}

/** A filter's text as a condition, the columns that it reads, and those that it lets have one value only. */
export function filterSql(text: string, context: Pick<QueryContext, 'filterOptions' | 'names'>): FilterSql {
  return treeSql(treeOf(text, context), context, 'f');
}

interface FilterSql {
  readonly condition: Sql;
  readonly columns: readonly string[];
  readonly fixed: readonly string[];
}

function treeOf(text: string, { filterOptions }: Pick<QueryContext, 'filterOptions'>): FilterNode | null {
  refuseVariables(text);
  const { tree, error } = parseFilter(text, filterOptions);
  if (error) throw new RingflowError(error.code, error.message, { position: error.position, hint: error.hint });
  return tree;
}

function treeSql(tree: FilterNode | null, { names }: Pick<QueryContext, 'names'>, prefix: string): FilterSql {
  return {
    condition: compiled(compileFilter(tree, names, prefix)),
    columns: columnsOfFilter(tree),
    fixed: tree ? fixedColumns(tree) : [],
  };
}

/** Columns of which a filter takes one value: `column = value`, alone or joined by `and`. */
function fixedColumns(node: FilterNode): string[] {
  if (node.kind === 'and') return node.items.flatMap(fixedColumns);
  if (node.kind !== 'condition' || node.operator !== '=' || node.values.length !== 1) return [];
  const { columns, computed, attributes } = node.field;
  const single = node.values.every(({ kind }) => kind === 'number' || kind === 'name' || kind === 'addresses');
  return single && columns.length === 1 && !computed && !attributes ? [...columns] : [];
}
