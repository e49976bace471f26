import { combineFilters, valueCondition } from './filter/adhoc.ts';
import { createFieldTable } from './filter/fields.ts';
import { migrateQuery, type DataFrameJson, type FlowQuery, type FlowQueryInput, type FrameField } from './query.ts';

/** How much a record deserves a look: denied, talks to somebody on a reputation list, anything else. */
export const RECORD_SEVERITIES = ['error', 'warning', 'info'] as const;
export type RecordSeverity = (typeof RECORD_SEVERITIES)[number];

/** The filter of each severity; together they are everything, and none overlaps. */
const SEVERITY_FILTERS: Readonly<Record<RecordSeverity, string>> = {
  error: 'forwarding_status between 128 and 191 or fw_event = 3',
  warning: 'not (forwarding_status between 128 and 191 or fw_event = 3) and (src_threat != "" or dst_threat != "")',
  info: 'not (forwarding_status between 128 and 191 or fw_event = 3) and src_threat = "" and dst_threat = ""',
};

/** Fields that a line of a log needs, besides those that were asked for. */
export const LOG_COLUMNS = [
  'time_flow_end_ns',
  'src_addr',
  'src_port',
  'dst_addr',
  'dst_port',
  'proto',
  'tcp_flags',
  'packets',
  'bytes',
  'sampler_address',
  'in_if',
  'out_if',
  'direction',
  'app',
  'forwarding_status',
  'fw_event',
  'src_threat',
  'dst_threat',
  'sequence_num',
] as const;

/**
 * A frame of kind `records` as lines of a log (Grafana's `log-lines`): `timestamp`, `body`, `severity`, `id` and `labels`
 * (an object per line with all fields that are not empty).
 */
export function recordsToLogs(frame: DataFrameJson): DataFrameJson {
  const { fields, meta } = frame.schema;
  const columns = new Map(fields.map(({ name }, index) => [name, frame.data.values[index] ?? []]));
  const at = (name: string, row: number): string => {
    const value = columns.get(name)?.[row];
    return value === null || value === undefined ? '' : String(value);
  };
  const rows = frame.data.values[0]?.length ?? 0;
  const each = <T>(make: (row: number) => T): T[] => Array.from({ length: rows }, (_, row) => make(row));
  const timeAt = fields.findIndex(({ name }) => name === 'time_flow_end_ns');
  const nanos = frame.data.nanos?.[timeAt] ?? null;
  const logFields: FrameField[] = [
    { name: 'timestamp', type: 'time', config: { displayNameFromDS: 'Time' } },
    { name: 'body', type: 'string', config: { displayNameFromDS: 'Record' } },
    { name: 'severity', type: 'string', config: {} },
    { name: 'id', type: 'string', config: {} },
    { name: 'labels', type: 'other', config: {} },
  ];
  return {
    schema: {
      ...frame.schema,
      meta: { ...meta, type: 'log-lines', typeVersion: [0, 0], preferredVisualisationType: 'logs' },
      fields: logFields,
    },
    data: {
      values: [
        each((row) => columns.get('time_flow_end_ns')?.[row] ?? null),
        each((row) => bodyOf((name) => at(name, row))),
        each((row) => severityOf((name) => at(name, row))),
        each((row) => idOf(row, (name) => at(name, row), nanos?.[row] ?? 0)),
        each((row) => labelsOf(fields, (name) => at(name, row))),
      ],
      ...(nanos ? { nanos: [nanos, null, null, null, null] } : {}),
    },
  };
}

function bodyOf(at: (name: string) => string): string {
  const end = (side: 'src' | 'dst'): string => {
    const port = at(`${side}_port`);
    const address = at(`${side}_addr`);
    return port === '' || port === '0'
      ? address
      : address.includes(':')
        ? `[${address}]:${port}`
        : `${address}:${port}`;
  };
  const parts = [
    at('proto'),
    `${end('src')} → ${end('dst')}`,
    at('tcp_flags') === '' ? '' : `[${at('tcp_flags')}]`,
    `${at('packets')} packets`,
    `${at('bytes')} bytes`,
    at('app_name') || at('app'),
    at('src_threat_name') || at('src_threat') ? `source: ${at('src_threat_name') || at('src_threat')}` : '',
    at('dst_threat_name') || at('dst_threat') ? `destination: ${at('dst_threat_name') || at('dst_threat')}` : '',
    `via ${at('sampler_address_name') || at('sampler_address')}`,
  ];
  return parts.filter((part) => part !== '').join(' ');
}

function severityOf(at: (name: string) => string): RecordSeverity {
  const forwarding = Number(at('forwarding_status'));
  if ((forwarding >= 128 && forwarding < 192) || at('fw_event') === '3') return 'error';
  return at('src_threat') !== '' || at('dst_threat') !== '' ? 'warning' : 'info';
}

/** Tells lines apart: the parts that no two records of one exporter share, and the row for those that do. */
function idOf(row: number, at: (name: string) => string, nanos: number): string {
  const parts = ['time_flow_end_ns', 'sampler_address', 'sequence_num', 'src_addr', 'src_port', 'dst_addr', 'dst_port'];
  return [...parts.map(at), at('proto'), nanos, row].join('_');
}

function labelsOf(fields: readonly FrameField[], at: (name: string) => string): Record<string, string> {
  return Object.fromEntries(
    fields.flatMap(({ name, type }) => {
      const value = at(name);
      return value === '' || (type === 'number' && value === '0') ? [] : [[name, value]];
    }),
  );
}

/**
 * The queries behind Explore's log volume of a query for records: flow records over the whole range, one query per
 * severity, in the order of {@link RECORD_SEVERITIES}. Their sum is the number of records.
 */
export function logVolumeQueries(input: FlowQueryInput): { level: RecordSeverity; query: FlowQuery }[] {
  const { refId, filter, duplicates } = migrateQuery(input);
  return RECORD_SEVERITIES.map((level) => ({
    level,
    query: migrateQuery({
      refId: `log-volume-${refId}-${level}`,
      kind: 'timeseries',
      metric: 'flows',
      measure: 'total',
      filter: combineFilters([filter, SEVERITY_FILTERS[level]]),
      // Records are all shown, those that another record counts, too.
      duplicates: duplicates === 'auto' ? 'count' : duplicates,
    }),
  }));
}

/** What is asked around a line of a log. */
export interface LogContext {
  readonly query: FlowQuery;
  /** Window of the request, milliseconds since the epoch. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** How far before and after a line its context goes. */
const CONTEXT_MS = 3_600_000;

/**
 * Records of the same two hosts before (`backward`) or after (`forward`) a record, nearest first.
 *
 * @param labels those of its line
 * @param timeMs its time, milliseconds since the epoch
 */
export function logContextQuery(
  labels: Readonly<Record<string, string>>,
  timeMs: number,
  direction: 'backward' | 'forward',
  limit = 50,
): LogContext {
  const addr = createFieldTable().find('addr');
  const hosts = ['src_addr', 'dst_addr'].flatMap((name) => {
    const value = labels[name];
    return addr && value !== undefined && value !== '' ? [valueCondition(addr, [value], true)] : [];
  });
  const query = migrateQuery({
    refId: 'context',
    kind: 'records',
    format: 'logs',
    filter: combineFilters(hosts),
    limit,
    sort: [{ by: 'time_flow_end_ns', descending: direction === 'backward' }],
  });
  return direction === 'backward'
    ? { query, fromMs: timeMs - CONTEXT_MS, toMs: timeMs }
    : { query, fromMs: timeMs + 1, toMs: timeMs + CONTEXT_MS };
}
