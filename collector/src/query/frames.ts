import type {
  DataFrameJson,
  FrameField,
  FrameFieldConfig,
  FrameMeta,
  FrameNotice,
  FrameStat,
  FrameTable,
  Measure,
  Metric,
} from '@ringflow/contract';
import { RAW_TABLE, type Plan } from './plan.ts';
import type { RunResult, SqlQuery } from './runner.ts';

/** A field together with its values; `frameOf` takes them apart into schema and data. */
export interface FilledField extends FrameField {
  readonly values: unknown[];
  /** Nanoseconds beyond the milliseconds of `values`, time fields only. */
  readonly nanos?: number[];
}

interface Quantity {
  readonly label: string;
  readonly unit: string;
  readonly description: string;
}

/** What each metric and measure is called, and Grafana's unit for it (grafana.md 4). */
const QUANTITIES: Readonly<Record<Metric, Readonly<Partial<Record<Measure, Quantity>>>>> = {
  bytes: {
    rate: { label: 'Bits/s', unit: 'bps', description: 'Layer 3 bits per second, scaled by the sampling rate' },
    total: { label: 'Bytes', unit: 'decbytes', description: 'Layer 3 bytes, scaled by the sampling rate' },
    utilization: {
      label: 'Utilization',
      unit: 'percent',
      description: 'Layer 3 bits per second, percent of the speed of the interface',
    },
    share: {
      label: 'Share of bytes',
      unit: 'percent',
      description: 'Percent of all bytes of the same filter and time',
    },
    peak: { label: 'Peak bits/s', unit: 'bps', description: 'Layer 3 bits per second of the busiest minute' },
    p95: { label: '95 % bits/s', unit: 'bps', description: '95th percentile of layer 3 bits per second of 5 minutes' },
  },
  packets: {
    rate: { label: 'Packets/s', unit: 'pps', description: 'Packets per second, scaled by the sampling rate' },
    total: { label: 'Packets', unit: 'short', description: 'Packets, scaled by the sampling rate' },
    share: {
      label: 'Share of packets',
      unit: 'percent',
      description: 'Percent of all packets of the same filter and time',
    },
    peak: { label: 'Peak packets/s', unit: 'pps', description: 'Packets per second of the busiest minute' },
    p95: { label: '95 % packets/s', unit: 'pps', description: '95th percentile of packets per second of 5 minutes' },
  },
  flows: {
    rate: { label: 'Flows/s', unit: 'si:flows/s', description: 'Flow records per second, not scaled' },
    total: { label: 'Flows', unit: 'short', description: 'Flow records, not scaled' },
    share: {
      label: 'Share of flows',
      unit: 'percent',
      description: 'Percent of all flow records of the same filter and time',
    },
    peak: { label: 'Peak flows/s', unit: 'si:flows/s', description: 'Flow records per second of the busiest minute' },
    p95: {
      label: '95 % flows/s',
      unit: 'si:flows/s',
      description: '95th percentile of flow records per second of 5 minutes',
    },
  },
};

/** Field name of a metric: what the number is, so that a rule or a transformation can rely on it. */
const FIELD_NAMES: Readonly<Record<Metric, Readonly<Record<Measure, string>>>> = {
  bytes: { rate: 'bps', total: 'bytes', share: 'share', utilization: 'utilization', peak: 'peak_bps', p95: 'p95_bps' },
  packets: {
    rate: 'pps',
    total: 'packets',
    share: 'share',
    utilization: 'utilization',
    peak: 'peak_pps',
    p95: 'p95_pps',
  },
  flows: { rate: 'fps', total: 'flows', share: 'share', utilization: 'utilization', peak: 'peak_fps', p95: 'p95_fps' },
};

export function quantityName(metric: Metric, measure: Measure): string {
  return FIELD_NAMES[metric][measure];
}

export function quantityConfig(metric: Metric, measure: Measure): FrameFieldConfig {
  const { label, unit, description } = (QUANTITIES[metric][measure] ?? QUANTITIES.bytes[measure]) as Quantity;
  return {
    displayNameFromDS: label,
    unit,
    description,
    min: 0,
    ...(measure === 'share' ? { max: 100, decimals: 1 } : {}),
  };
}

/** Percent of the speed that the bytes of a time are; null where the speed is not known. */
export function utilization(bytes: number, seconds: number, speedBps: number | undefined): number | null {
  if (!speedBps || seconds <= 0) return null;
  return Math.round(((bytes * 8) / seconds / speedBps) * 100_000) / 1000;
}

/** A sum as the measure shows it; shares come from `largestRemainder`. Bytes become bits in rates. */
export function quantity(sum: number, metric: Metric, measure: 'rate' | 'total', seconds: number): number {
  if (measure === 'total') return sum;
  return seconds > 0 ? (metric === 'bytes' ? sum * 8 : sum) / seconds : 0;
}

/**
 * Percent of the total at one decimal, rounded by largest remainder so that the parts of a whole add up to 100.0
 * (semantics 5.10). All zero when the total is.
 *
 * @param parts whole numbers that add up to `total`
 */
export function largestRemainder(parts: readonly number[], total: number): number[] {
  if (total <= 0) return parts.map(() => 0);
  const exact = parts.map((part) => (part / total) * 1000);
  const tenths = exact.map(Math.floor);
  let missing = 1000 - tenths.reduce((sum, value) => sum + value, 0);
  const byRemainder = exact
    .map((value, index) => ({ index, remainder: value - Math.floor(value) }))
    .sort((a, b) => b.remainder - a.remainder || a.index - b.index);
  for (const { index } of byRemainder) {
    if (missing <= 0) break;
    tenths[index] = (tenths[index] as number) + 1;
    missing--;
  }
  return tenths.map((value) => value / 10);
}

/** Percent of the total at one decimal, for parts that do not add up to it (either-side dimensions). */
export function plainShare(part: number, total: number): number {
  return total > 0 ? Math.round((part / total) * 1000) / 10 : 0;
}

/** Frame types of grafana.md 4 by shape. */
export type FrameShape = 'timeseries' | 'table' | 'records' | 'stat' | 'graph' | 'geo' | 'heatmap';

const SHAPES: Readonly<Record<FrameShape, Pick<FrameMeta, 'type' | 'typeVersion' | 'preferredVisualisationType'>>> = {
  timeseries: { type: 'timeseries-wide', typeVersion: [0, 1], preferredVisualisationType: 'graph' },
  table: { type: 'numeric-long', typeVersion: [0, 1], preferredVisualisationType: 'table' },
  records: { preferredVisualisationType: 'table' },
  stat: { type: 'numeric-wide', typeVersion: [0, 1], preferredVisualisationType: 'table' },
  graph: { preferredVisualisationType: 'nodeGraph' },
  geo: { type: 'numeric-long', typeVersion: [0, 1], preferredVisualisationType: 'table' },
  heatmap: { type: 'heatmap-rows', typeVersion: [0, 0], preferredVisualisationType: 'graph' },
};

export interface FrameContext {
  readonly refId: string;
  readonly shape: FrameShape;
  readonly plan: Plan;
  readonly statements: readonly SqlQuery[];
  readonly results: readonly RunResult[];
  readonly notices: readonly FrameNotice[];
  /** Rows that match before paging, where they were counted. */
  readonly total?: number;
}

/** Puts fields and provenance together as Grafana's `DataFrameJSON`. */
export function frameOf(fields: readonly FilledField[], context: FrameContext): DataFrameJson {
  const { plan, results } = context;
  const sum = (pick: (result: RunResult) => number) => results.reduce((total, result) => total + pick(result), 0);
  const notices = [...plan.notices, ...context.notices];
  const tables = [...new Set([...plan.parts.map((part) => part.table), ...(plan.open ? [RAW_TABLE] : [])])];
  const coarsest = plan.parts.reduce(
    (best, part) => (best === undefined || part.resolutionMs > best.resolutionMs ? part : best),
    plan.parts[0],
  );
  const stats: FrameStat[] = [
    { displayName: 'Rows read', value: sum((result) => result.rowsRead) },
    { displayName: 'Bytes read', value: sum((result) => result.bytesRead), unit: 'decbytes' },
    { displayName: 'Time in the store', value: Math.max(0, ...results.map((result) => result.elapsedMs)), unit: 'ms' },
    ...(context.total === undefined ? [] : [{ displayName: 'Matching rows', value: context.total }]),
  ];
  return {
    schema: {
      refId: context.refId,
      meta: {
        ...SHAPES[context.shape],
        executedQueryString: context.statements.map(executedText).join(';\n\n'),
        stats,
        notices,
        custom: {
          table: tables.join(' + '),
          resolution: coarsest?.resolution ?? 'raw',
          ...(coarsest?.ring ? { ring: coarsest.ring.name } : {}),
          ...(coarsest?.list ? { list: coarsest.list.name } : {}),
          ...(tables.length > 1 ? { tables: stitched(plan) } : {}),
          ...(plan.stepMs > 0 ? { stepSeconds: plan.stepMs / 1000 } : {}),
          rowsRead: sum((result) => result.rowsRead),
          bytesRead: sum((result) => result.bytesRead),
          elapsedMs: Math.max(0, ...results.map((result) => result.elapsedMs)),
          notices: [...new Set(notices.map((notice) => notice.code))],
          fromMs: plan.window.fromMs,
          toMs: plan.window.toMs,
          ...(context.total === undefined ? {} : { total: context.total }),
        },
      },
      fields: fields.map(({ values: _values, nanos: _nanos, ...field }) => field),
    },
    data: {
      values: fields.map((field) => field.values),
      ...(fields.some((field) => field.nanos) ? { nanos: fields.map((field) => field.nanos ?? null) } : {}),
    },
  };
}

/** Which table answers for which time; single records that the top lists do not have yet stand beside these, last. */
function stitched({ parts, open }: Plan): FrameTable[] {
  const all = parts.map(({ table, resolution, fromMs, toMs }) => ({ table, resolution, fromMs, toMs }));
  return open ? [...all, { table: RAW_TABLE, resolution: 'raw', fromMs: open.fromMs, toMs: open.toMs }] : all;
}

/** The statement with its parameters as a comment; it never goes back to the engine. */
function executedText(statement: SqlQuery): string {
  const params = Object.entries(statement.params).map(([name, value]) => `-- ${name} = ${JSON.stringify(value)}`);
  return [statement.sql, ...params].join('\n');
}

/** Column `index` of an answer. */
export function columnOf<T>(result: RunResult | undefined, index: number): T[] {
  return (result?.columns[index] ?? []) as T[];
}

/**
 * A notice where any record of the answer was sampled.
 *
 * @param seen highest rate of the raw records that were read
 * @param known highest rate of any exporter, for rings, which do not keep it
 */
export function samplingNotices(plan: Plan, seen: number, known: number): FrameNotice[] {
  const highestRate = plan.parts.some((part) => part.ring ?? part.list) ? Math.max(seen, known) : seen;
  return highestRate > 1
    ? [{ severity: 'info', code: 'sampled', text: `Estimated from sampled packets, up to 1 in ${highestRate}` }]
    : [];
}
