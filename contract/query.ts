import { FILTER_LIMITS } from './filter/limits.ts';

/**
 * The query model: what a panel, an alert rule or `ringflow query` asks for. One object per target; the collector
 * applies `migrateQuery` to everything it receives, so old dashboards and hand-written JSON mean the same thing.
 */

/** Version that `migrateQuery` brings every query to. */
export const QUERY_VERSION = 1;

/** Shapes of an answer; each has a file of its own in the collector's `query/kinds`. */
export const QUERY_KINDS = ['timeseries', 'table', 'records', 'stat', 'graph', 'geo', 'heatmap'] as const;
export type QueryKind = (typeof QUERY_KINDS)[number];

/** What is counted. Bytes and packets are scaled by the sampling rate; flows are stored records and are not. */
export const METRICS = ['bytes', 'packets', 'flows'] as const;
export type Metric = (typeof METRICS)[number];

/**
 * How a metric is shown: per second (bytes become bits), as the sum, or as percent of the total of the same filter and
 * window (of the same bucket in a time series), or as percent of the speed of the interface that is grouped by; `peak` is
 * the rate of the busiest minute of a bucket or window, `p95` the 95th percentile of the rates of its 5-minute buckets
 * (semantics 5.12).
 */
export const MEASURES = ['rate', 'total', 'share', 'utilization', 'peak', 'p95'] as const;
export type Measure = (typeof MEASURES)[number];

/** `auto` takes the coarsest table that is fine enough and has every column; the others force one. */
export const QUERY_RESOLUTIONS = ['auto', 'raw', '1m', '5m', '1h', '1d'] as const;
export type QueryResolution = (typeof QUERY_RESOLUTIONS)[number];

/**
 * What becomes of records whose packets another record counts, too (`dup`). `auto` leaves them out of totals and counts
 * them where the question is what an exporter or interface saw (semantics 5.8); single records are always all shown.
 */
export const DUPLICATE_MODES = ['auto', 'count', 'leave_out'] as const;
export type DuplicateMode = (typeof DUPLICATE_MODES)[number];

/** The same window earlier, beside the one asked for: an hour, a day, a week, four weeks before. */
export const COMPARE_WINDOWS = ['none', '1h', '1d', '1w', '4w'] as const;
export type CompareWindow = (typeof COMPARE_WINDOWS)[number];

/** Shapes of single records: one row each, lines of a log (Explore), or a frame of both. */
export const RECORD_FORMATS = ['table', 'logs', 'both'] as const;
export type RecordFormat = (typeof RECORD_FORMATS)[number];

/**
 * What a heatmap groups by where its rows are ranges of a number: sizes and lengths of records, in powers of two. Any
 * other field gives a row per value of the top `limit`.
 */
export const HISTOGRAM_FIELDS = ['bytes', 'packets', 'duration', 'bps', 'pps', 'bpp'] as const;
export type HistogramField = (typeof HISTOGRAM_FIELDS)[number];

/** Order of rows. `by` is a metric, `share`, or one of the query's columns. */
export interface QuerySort {
  by: string;
  descending: boolean;
}

export interface FlowQuery {
  /** Names the query within one request; the answer comes back under it. */
  refId: string;
  version: number;
  kind: QueryKind;
  /** Text in the filter language; empty = everything. */
  filter: string;
  /**
   * Series or rows are made for each combination of these; empty = one total. Stored columns, and the filter language's
   * either-side fields (`addr`, `port`, `as` …): there a record belongs to both values (once, when they are equal), so
   * rows do not add up to the total.
   *
   * `graph`: two or more, each the next stop on the way; `geo`: one country or place (markers) or two (markers and lines);
   * `heatmap`: one field, or one of {@link HISTOGRAM_FIELDS}, or `hour` (of the day, in UTC, over days).
   */
  groupBy: string[];
  /** What ranks the top `limit`, and what a time series draws. */
  metric: Metric;
  measure: Measure;
  /** Series, rows or records to return. Series and rows beyond it are summed as `other`. */
  limit: number;
  /** Rows to skip (`table` and `records`): page n of size `limit` starts at (n − 1) × limit. */
  offset: number;
  /** Add what is not shown as a series or row of its own, so that shown + other = total. */
  other: boolean;
  /** Order of rows; empty = by `metric`, largest first (`records`: latest end first). */
  sort: QuerySort[];
  /** Fields of the answer; empty = all: stored columns for `records`, `bps`, `bytes`, `share` … for `table` and `stat`. */
  columns: string[];
  /** `stat`: columns whose distinct values are counted. */
  unique: string[];
  resolution: QueryResolution;
  duplicates: DuplicateMode;
  /** `timeseries` and `table`: also the values of the same window this much earlier, of the same series or rows. */
  compare: CompareWindow;
  /** `timeseries` and `table`: also the deviation in percent from the median of the same hour of the last four weeks. */
  baseline: boolean;
  /**
   * `timeseries`: also the other way, as negative values: source and destination, input and output, in and out are
   * swapped in filter and groups; where neither names a side, `direction = out` is drawn up and `direction = in` down.
   * `table`: a column for each of the two ways, of the rows that are shown.
   */
  mirror: boolean;
  /** `records`: rows for tables, lines for logs, or both. */
  format: RecordFormat;
  /** `timeseries`: how series are called, `{{src_as}} via {{exporter_name}}`; empty = the values of the groups. */
  legend: string;
  /** Bucket length wanted by the caller (Grafana sends it); made coarser where the source is. 0 = from `maxDataPoints`. */
  intervalMs: number;
  /** Points that fit the panel (Grafana sends it). 0 = 1000. */
  maxDataPoints: number;
}

/** What a query means where it says nothing; the collector and the plugin's editor start from the same values. */
export const QUERY_DEFAULTS: Readonly<Omit<FlowQuery, 'refId'>> = {
  version: QUERY_VERSION,
  kind: 'timeseries',
  filter: '',
  groupBy: [],
  metric: 'bytes',
  measure: 'rate',
  limit: 10,
  offset: 0,
  other: true,
  sort: [],
  columns: [],
  unique: [],
  resolution: 'auto',
  duplicates: 'auto',
  compare: 'none',
  baseline: false,
  mirror: false,
  format: 'table',
  legend: '',
  intervalMs: 0,
  maxDataPoints: 0,
};

/** Defaults that differ by kind: tables and totals show sums, `records` a page. */
export const QUERY_KIND_DEFAULTS: Readonly<Record<QueryKind, Partial<FlowQuery>>> = {
  timeseries: {},
  table: { measure: 'total' },
  records: { measure: 'total', limit: 100 },
  stat: { measure: 'total' },
  graph: { measure: 'total', limit: 50 },
  geo: { measure: 'total', limit: 100 },
  heatmap: {},
};

/** Most series of one time-series query; more would not be legible and is refused with this number. */
export const MAX_SERIES = 200;
/** Most rows of one table or page of records. */
export const MAX_ROWS = 10_000;
/** Most grouping columns of one query. */
export const MAX_DIMENSIONS = 12;
/** Most queries of one request. */
export const MAX_QUERIES = 50;
/** Longest filter text, in characters. */
export const MAX_FILTER_LENGTH = FILTER_LIMITS.length;

/** A query as it comes in: any part may be missing, any version. */
export type FlowQueryInput = Partial<FlowQuery> & { refId?: string };

/**
 * Fills in the defaults and rewrites older versions. Never throws and keeps values it does not understand, so that the
 * check that follows can name them.
 */
export function migrateQuery(input: Readonly<Record<string, unknown>> | FlowQueryInput): FlowQuery {
  const given: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(input)) if (value !== undefined && value !== null) given[key] = value;
  // Grafana's own name for the kind; `kind` wins where both are given.
  if (given['kind'] === undefined && typeof given['queryType'] === 'string' && given['queryType'] !== '')
    given['kind'] = given['queryType'];
  const kind = typeof given['kind'] === 'string' ? given['kind'] : QUERY_DEFAULTS.kind;
  const query: Record<string, unknown> = {
    refId: 'A',
    ...structuredDefaults(),
    ...(QUERY_KIND_DEFAULTS[kind as QueryKind] ?? {}),
  };
  for (const key of QUERY_KEYS) if (given[key] !== undefined) query[key] = given[key];
  query['version'] = QUERY_VERSION;
  return query as unknown as FlowQuery;
}

function structuredDefaults(): Omit<FlowQuery, 'refId'> {
  return { ...QUERY_DEFAULTS, groupBy: [], sort: [], columns: [], unique: [] };
}

const QUERY_KEYS = ['refId', ...Object.keys(QUERY_DEFAULTS)] as readonly (keyof FlowQuery)[];

/** Keys that Grafana adds to every query of its own and that mean nothing here. */
export const GRAFANA_QUERY_KEYS = [
  'datasource',
  'datasourceId',
  'hide',
  'key',
  'queryType',
  'queryCachingTTL',
  'scopes',
  'adhocFilters',
  'timeRange',
] as const;

/** Milliseconds since the epoch, ISO 8601, or `now`, `now-6h` (units s m h d w M y). */
export type TimePoint = number | string;

/** Body of `POST /api/v1/query`. The window is [from, to). */
export interface QueryRequest {
  from: TimePoint;
  to: TimePoint;
  /** IANA name or `utc`; Grafana sends it. Not used yet: buckets are aligned to the epoch. */
  timezone?: string;
  queries: FlowQueryInput[];
}

/** Grafana's `DataFrameJSON`. */
export interface DataFrameJson {
  schema: FrameSchema;
  /** `nanos`: per field, nanoseconds beyond the milliseconds of its values. */
  data: { values: unknown[][]; nanos?: (number[] | null)[] };
}

export interface FrameSchema {
  refId: string;
  name?: string;
  meta: FrameMeta;
  fields: FrameField[];
}

export type FrameFieldType = 'time' | 'number' | 'string' | 'boolean' | 'other';

export interface FrameField {
  name: string;
  type: FrameFieldType;
  labels?: Record<string, string>;
  config: FrameFieldConfig;
}

/** The parts of Grafana's field configuration that a data source sets. */
export interface FrameFieldConfig {
  displayNameFromDS?: string;
  description?: string;
  unit?: string;
  decimals?: number;
  min?: number;
  max?: number;
  /** Milliseconds between two points, on time fields. */
  interval?: number;
  /** Only what Grafana reads nowhere else: the names of the arcs of a node graph. */
  displayName?: string;
  color?: { mode: 'fixed'; fixedColor: string };
  filterable?: boolean;
}

export interface FrameMeta {
  type?: string;
  typeVersion?: [number, number];
  preferredVisualisationType?: 'graph' | 'table' | 'logs' | 'nodeGraph';
  executedQueryString: string;
  stats: FrameStat[];
  notices: FrameNotice[];
  custom: FrameCustom;
}

export interface FrameStat {
  displayName: string;
  value: number;
  unit?: string;
}

/** Kinds of notice; the text is for people, this for programs. */
export const NOTICE_CODES = [
  'beyond_retention',
  'truncated',
  'sampled',
  'resolution',
  'approximate',
  'not_partitioned',
  'incomplete_bucket',
  'no_history',
  'no_place',
] as const;
export type NoticeCode = (typeof NOTICE_CODES)[number];

export interface FrameNotice {
  severity: 'info' | 'warning' | 'error';
  text: string;
  code: NoticeCode;
}

/** A table that answers for a range of time, milliseconds since the epoch, [fromMs, toMs). */
export interface FrameTable {
  table: string;
  resolution: string;
  fromMs: number;
  toMs: number;
}

/** Where an answer comes from. */
export interface FrameCustom {
  /** Table that was read. */
  table: string;
  /** `raw`, or the name of the ring's resolution. */
  resolution: string;
  /** Name of the ring, when one answered. */
  ring?: string;
  /** Name of the top list, when one answered. */
  list?: string;
  /** What answers for which time, when more than one table does. */
  tables?: FrameTable[];
  /** Length of a bucket, time series only. */
  stepSeconds?: number;
  rowsRead: number;
  bytesRead: number;
  elapsedMs: number;
  notices: NoticeCode[];
  /** Rows that match before paging (`records`). */
  total?: number;
  /** Window that was answered, milliseconds since the epoch, [fromMs, toMs). */
  fromMs: number;
  toMs: number;
}

/** One query's answer. `error` is Grafana's field; the other parts say what, where and how to mend it. */
export interface QueryResult {
  status: number;
  frames: DataFrameJson[];
  error?: string;
  errorSource?: 'downstream' | 'plugin';
  code?: string;
  hint?: string;
  /** Characters of the filter, from 0. */
  position?: number;
  length?: number;
}

export interface QueryResponse {
  results: Record<string, QueryResult>;
}
