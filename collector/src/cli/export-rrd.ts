import { readFileSync, writeFileSync } from 'node:fs';
import {
  METRICS,
  parseDuration,
  type DataFrameJson,
  type FlowQueryInput,
  type Metric,
  type QueryResponse,
} from '@ringflow/contract';
import { parseWindow } from '../query/index.ts';
import { dataSourceNames, formatRrd, type ArchiveOptions } from '../rrd/index.ts';
import { clientOptions, createClient, type Client } from './client.ts';
import { EXIT, UsageError, type Arguments, type Io } from './command.ts';
import { fieldName } from './table.ts';

/** Steps of one request; the API answers up to 5000. */
const STEPS_PER_REQUEST = 4000;
/** More steps than ten years of five minutes are a mistake. */
const MAX_STEPS = 1_100_000;

type RrdArchive = ArchiveOptions & { readonly rows: number };

/** What the command line asks for. */
export interface RrdExport {
  readonly query: Omit<FlowQueryInput, 'metric'>;
  readonly metrics: readonly Metric[];
  readonly stepSeconds: number;
  readonly fromSeconds: number;
  readonly toSeconds: number;
  readonly heartbeatSeconds: number;
  /** The usual ones when empty. */
  readonly archives: readonly RrdArchive[];
}

/** `ringflow export rrd`: series of a running collector as the XML that `rrdtool restore` takes. */
export async function run(args: Arguments, io: Io): Promise<number> {
  const wanted = buildRrdExport(args, Date.now());
  const client = createClient(clientOptions(args));
  const count = (wanted.toSeconds - wanted.fromSeconds) / wanted.stepSeconds;
  const series: { name: string; rates: number[] }[] = [];
  for (const metric of wanted.metrics) {
    for (const [label, rates] of await readRates(client, wanted, metric, io))
      series.push({ name: label === '' ? metric : `${label}_${metric}`, rates });
  }
  if (series.length === 0) throw new UsageError('Nothing was seen in this time', 'Look at it with "ringflow query"');
  const names = dataSourceNames(series.map(({ name }) => name));
  const xml = formatRrd({
    stepSeconds: wanted.stepSeconds,
    startSeconds: wanted.fromSeconds,
    sources: series.map(({ rates }, index) => ({
      name: names[index] as string,
      type: 'ABSOLUTE',
      heartbeatSeconds: wanted.heartbeatSeconds,
      min: Number.NaN,
      max: Number.NaN,
      rates,
    })),
    archives: wanted.archives.length > 0 ? wanted.archives : usualArchives(count),
  });
  const output = args.text('output');
  if (output === undefined) io.out(xml);
  else {
    try {
      writeFileSync(output, xml);
    } catch (error) {
      throw new UsageError(
        `Cannot write ${output} (${(error as NodeJS.ErrnoException).code})`,
        'Name a file that can be written',
      );
    }
  }
  for (const [index, { name }] of series.entries())
    if (names[index] !== name) io.err(`${name} is called ${names[index]}, as RRDtool's names are short\n`);
  io.err(`${output ?? 'standard output'}: ${series.length} data sources, ${count} steps of ${wanted.stepSeconds} s\n`);
  return EXIT.ok;
}

/** CUFlow's layout (semantics 2.3), with rows for everything that is exported. */
function usualArchives(count: number): RrdArchive[] {
  return (['AVERAGE', 'MAX'] as const).flatMap((cf) =>
    [1, 6, 24, 288].map((steps) => ({
      cf,
      xff: 0.5,
      steps,
      rows: Math.max(Math.ceil(count / steps), steps === 288 ? 1827 : 600),
    })),
  );
}

/** @throws UsageError */
export function buildRrdExport(args: Arguments, nowMs: number): RrdExport {
  if (args.positionals.length > 1)
    throw new UsageError('The filter must be one argument', "Put it in quotes: ringflow export rrd 'dst_port = 53'");
  const base = readQuery(args.text('query'));
  const stepSeconds = secondsOf('step', args.text('step') ?? '5m');
  const window = parseWindow(args.text('from') ?? 'now-1d', args.text('to') ?? 'now', nowMs);
  const floor = (ms: number): number => Math.floor(ms / 1000 / stepSeconds) * stepSeconds;
  // A file cannot be updated before its last update: it must not end in the future.
  const [fromSeconds, toSeconds] = [floor(window.fromMs), floor(Math.min(window.toMs, nowMs))];
  const count = (toSeconds - fromSeconds) / stepSeconds;
  if (count < 1 || count > MAX_STEPS)
    throw new UsageError(
      `${count} steps of ${stepSeconds} s lie in this time`,
      'Choose another --from, --to or --step',
    );
  const filters = [base.filter, args.text('filter'), args.positionals[0]].filter(
    (text) => text !== undefined && text.trim() !== '',
  );
  const groups = args
    .texts('group-by')
    .flatMap((text) => text.split(','))
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const top = args.text('top');
  if (top !== undefined && !/^[1-9]\d{0,2}$/.test(top))
    throw new UsageError(`--top must be a positive number, not "${top}"`, 'Write for example --top 20');
  const metrics = (args.text('metric') ?? base.metric ?? 'bytes').split(',').map((text) => text.trim());
  const unknown = metrics.find((text) => !(METRICS as readonly string[]).includes(text));
  if (unknown !== undefined)
    throw new UsageError(`--metric cannot be "${unknown}"`, `Write some of: ${METRICS.join(', ')}`);
  const { metric: _, ...rest } = base;
  return {
    query: {
      ...rest,
      refId: 'A',
      kind: 'timeseries',
      measure: 'total',
      other: false,
      filter: filters.map((text) => `(${text})`).join(' and '),
      ...(groups.length > 0 ? { groupBy: groups } : {}),
      limit: Number(top ?? base.limit ?? 10),
      intervalMs: stepSeconds * 1000,
      maxDataPoints: STEPS_PER_REQUEST,
    } as Omit<FlowQueryInput, 'metric'>,
    metrics: metrics as Metric[],
    stepSeconds,
    fromSeconds,
    toSeconds,
    heartbeatSeconds:
      args.text('heartbeat') === undefined ? 2 * stepSeconds : secondsOf('heartbeat', args.text('heartbeat') as string),
    archives: args.texts('rra').map(archiveOf),
  };
}

function readQuery(path: string | undefined): FlowQueryInput & { filter?: string; limit?: number } {
  if (path === undefined) return { refId: 'A' };
  try {
    const read = JSON.parse(readFileSync(path, 'utf8')) as FlowQueryInput & { queries?: FlowQueryInput[] };
    return read.queries?.[0] ?? read;
  } catch (error) {
    throw new UsageError(
      `Cannot read the query in ${path}: ${(error as Error).message}`,
      'Write one query of the API as JSON',
    );
  }
}

function secondsOf(option: string, text: string): number {
  const seconds = (parseDuration(text) ?? Number.NaN) / 1000;
  if (!Number.isInteger(seconds) || seconds < 1)
    throw new UsageError(`--${option} cannot be "${text}"`, 'Write a duration of whole seconds, for example 5m');
  return seconds;
}

function archiveOf(text: string): RrdArchive {
  const [, cf, xff, steps, rows] =
    /^(?:RRA:)?(AVERAGE|MAX):(0?\.\d+|0|0\.\d+):([1-9]\d{0,5}):([1-9]\d{0,6})$/.exec(text) ?? [];
  if (cf === undefined || Number(xff) >= 1)
    throw new UsageError(`--rra cannot be "${text}"`, 'Write for example AVERAGE:0.5:6:600 or MAX:0.5:288:1827');
  return { cf: cf as 'AVERAGE' | 'MAX', xff: Number(xff), steps: Number(steps), rows: Number(rows) };
}

/**
 * Rates per second by series, those with the most first. Long ranges are asked in pieces; the largest series are those of
 * all pieces together, so one that is not among the largest of any piece cannot be found.
 */
async function readRates(client: Client, wanted: RrdExport, metric: Metric, io: Io): Promise<Map<string, number[]>> {
  const { stepSeconds, fromSeconds, toSeconds, query } = wanted;
  const count = (toSeconds - fromSeconds) / stepSeconds;
  const known = new Array<boolean>(count).fill(false);
  const found = new Map<string, { rates: number[]; sum: number }>();
  for (let at = 0; at < count; at += STEPS_PER_REQUEST) {
    const from = fromSeconds + at * stepSeconds;
    const to = Math.min(from + STEPS_PER_REQUEST * stepSeconds, toSeconds);
    const response = await client.post<QueryResponse>('/api/v1/query', {
      from: from * 1000,
      to: to * 1000,
      // Where no series has anything, this tells whether nothing was there or nobody knows.
      queries: [
        { ...query, metric },
        { ...query, metric, refId: 'all', groupBy: [] },
      ],
    });
    for (const [refId, { error, hint, frames }] of Object.entries(response.results)) {
      if (error !== undefined) throw new UsageError(error, hint ?? 'Try it with "ringflow query"');
      for (const frame of frames) {
        if (refId === 'A') for (const { text } of frame.schema.meta.notices ?? []) io.err(`${text}\n`);
        readFrame(frame, wanted, (step) => (known[step] = true), refId === 'A' ? found : new Map());
      }
    }
  }
  // A series that is not in a piece was silent there, where the collector knows at all.
  return new Map(
    [...found]
      .sort(([, a], [, b]) => b.sum - a.sum)
      .slice(0, query.limit ?? 10)
      .map(([name, { rates }]) => [name, rates.map((rate, step) => (Number.isNaN(rate) && known[step] ? 0 : rate))]),
  );
}

/** Buckets that are longer than a step, because nothing finer is kept of their time, have one rate all along. */
function readFrame(
  frame: DataFrameJson,
  { stepSeconds, fromSeconds, toSeconds, query }: RrdExport,
  isKnown: (step: number) => void,
  found: Map<string, { rates: number[]; sum: number }>,
): void {
  const [time, ...fields] = frame.schema.fields;
  const [times, ...columns] = frame.data.values as [number[], ...(number | null)[][]];
  const bucketMs = Number((time?.config as { interval?: number } | undefined)?.interval ?? stepSeconds * 1000);
  const steps = bucketMs / 1000 / stepSeconds;
  const count = (toSeconds - fromSeconds) / stepSeconds;
  fields.forEach((field, index) => {
    const name = (query.groupBy?.length ?? 0) === 0 ? '' : fieldName(field);
    const series = found.get(name) ?? { rates: new Array<number>(count).fill(Number.NaN), sum: 0 };
    found.set(name, series);
    columns[index]?.forEach((value, row) => {
      if (value === null) return;
      const first = ((times[row] as number) / 1000 - fromSeconds) / stepSeconds;
      series.sum += value;
      for (let step = Math.max(first, 0); step < Math.min(first + steps, count); step++) {
        series.rates[step] = (value * 1000) / bucketMs;
        isKnown(step);
      }
    });
  });
}
