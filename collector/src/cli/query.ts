import {
  METRICS,
  MEASURES,
  QUERY_KINDS,
  QUERY_RESOLUTIONS,
  parseDuration,
  type ColumnName,
  type FlowQueryInput,
  type QueryRequest,
  type QueryResponse,
} from '@ringflow/contract';
import { clientOptions, createClient } from './client.ts';
import { EXIT, UsageError, type Arguments, type Io } from './command.ts';
import { formatCsv, formatTable, frameToTable } from './table.ts';

/** `ringflow query`: asks a running collector and prints the answer. */
export async function run(args: Arguments, io: Io): Promise<number> {
  const request = buildRequest(args);
  const client = createClient(clientOptions(args));
  const response = await client.post<QueryResponse>('/api/v1/query', request);
  if (args.flag('json')) io.out(`${JSON.stringify(response, null, 2)}\n`);
  const result = response.results['A'];
  if (!result)
    throw new UsageError(
      'The collector gave no answer to the query',
      `Check that ${client.url} is a Ringflow collector`,
    );
  if (result.error !== undefined) {
    io.err(formatQueryError(result, String(request.queries[0]?.filter ?? '')));
    return EXIT.failed;
  }
  if (args.flag('json')) return EXIT.ok;
  for (const frame of result.frames) {
    const table = frameToTable(frame, args.flag('csv'));
    io.out(args.flag('csv') ? formatCsv(table) : formatTable(table, io.columns));
    const { meta } = frame.schema;
    for (const { severity, text } of meta.notices ?? []) io.err(`${severity}: ${text}\n`);
    if (!args.flag('csv')) {
      const { table: source, rowsRead, elapsedMs } = meta.custom;
      io.err(
        `${table.rows.length} row${table.rows.length === 1 ? '' : 's'}, ${source}, ${rowsRead} rows read, ${Math.round(elapsedMs)} ms\n`,
      );
    }
    if (args.flag('sql')) io.err(`${meta.executedQueryString}\n`);
  }
  return EXIT.ok;
}

/** Columns of records that fit a terminal; all of them come with --json, --csv or by name. */
const RECORD_COLUMNS = [
  'time_flow_end_ns',
  'sampler_address',
  'src_addr',
  'src_port',
  'dst_addr',
  'dst_port',
  'proto',
  'bytes',
  'packets',
  'in_if',
  'out_if',
] as const satisfies readonly ColumnName[];

/** The request that the options ask for. */
export function buildRequest(args: Arguments): QueryRequest {
  if (args.positionals.length > 1)
    throw new UsageError('The filter must be one argument', "Put it in quotes: ringflow query 'dst_port = 53'");
  if (args.flag('json') && args.flag('csv'))
    throw new UsageError('--json and --csv exclude each other', 'Give one of them');
  const filters = [args.text('filter'), args.positionals[0]].filter(
    (text): text is string => text !== undefined && text.trim() !== '',
  );
  const groupBy = list(args, 'group-by');
  const kind = oneOf(args, 'kind', QUERY_KINDS) ?? (groupBy.length > 0 ? 'table' : 'stat');
  const metric = oneOf(args, 'metric', METRICS);
  const measure = oneOf(args, 'measure', MEASURES);
  const resolution = oneOf(args, 'resolution', QUERY_RESOLUTIONS);
  const exact = args.flag('json') || args.flag('csv');
  const columns =
    args.text('columns') === undefined && kind === 'records' && !exact ? RECORD_COLUMNS : list(args, 'columns');
  const unique = list(args, 'unique');
  const top = args.text('top');
  if (top !== undefined && !/^[1-9][0-9]*$/.test(top))
    throw new UsageError(`--top must be a positive number, not "${top}"`, 'Write for example --top 20');
  const interval = args.text('interval');
  const intervalMs = interval === undefined ? undefined : parseDuration(interval);
  if (intervalMs === null)
    throw new UsageError(`--interval must be a duration, not "${interval}"`, 'Write for example --interval 5m');
  const query: FlowQueryInput = {
    refId: 'A',
    kind,
    filter: filters.length > 1 ? filters.map((text) => `(${text})`).join(' and ') : (filters[0] ?? ''),
    groupBy,
    ...(metric ? { metric } : {}),
    ...(measure ? { measure } : {}),
    ...(resolution ? { resolution } : {}),
    ...(columns.length > 0 ? { columns: [...columns] } : {}),
    ...(unique.length > 0 ? { unique } : {}),
    ...(top === undefined ? {} : { limit: Number(top) }),
    ...(intervalMs === undefined ? {} : { intervalMs }),
  };
  return { from: args.text('from') ?? 'now-1h', to: args.text('to') ?? 'now', timezone: 'utc', queries: [query] };
}

function list(args: Arguments, name: string): string[] {
  return args
    .texts(name)
    .flatMap((text) => text.split(','))
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

function oneOf<const T extends readonly string[]>(args: Arguments, name: string, values: T): T[number] | undefined {
  const text = args.text(name);
  if (text === undefined || values.includes(text)) return text;
  throw new UsageError(`--${name} cannot be "${text}"`, `Write one of: ${values.join(', ')}`);
}

/** The error with a mark under the place in the filter where it was found. */
function formatQueryError(result: { error?: string; hint?: string; position?: number }, filter: string): string {
  const mark = result.position === undefined || filter === '' ? '' : `  ${filter}\n  ${' '.repeat(result.position)}^\n`;
  // Grafana shows one text, so the API appends the hint to it.
  const message =
    result.hint && result.error?.endsWith(result.hint)
      ? result.error.slice(0, -result.hint.length).replace(/[.\s]+$/, '')
      : result.error;
  return `ringflow: ${message}\n${mark}${result.hint ? `  ${result.hint}\n` : ''}`;
}
