/** What the dashboard of Prometheus ought to say: the records that were sent, and what the collector's `/metrics` says. */
import type { DataFrameJson } from '@ringflow/contract';
import type { ShownPanel } from './panel-answers.ts';

/** What is known besides. */
export interface KnownHealth {
  /** Records that were sent since Prometheus looks on. */
  readonly sent: number;
  /** The same by address of the exporter. */
  readonly byExporter: Readonly<Record<string, number>>;
  /** Part of the bytes that goes into or out of the own networks. */
  readonly hitRatio: number;
  /** Text of `/metrics`. */
  readonly metrics: string;
}
type HealthCheck = (panel: ShownPanel, known: KnownHealth) => void;

type Line = readonly [
  labels: Readonly<Record<string, string>>,
  points: readonly (readonly [ms: number, value: number])[],
];

function linesOf({ frames }: Pick<ShownPanel, 'frames'>): Line[] {
  return frames.flatMap(({ schema, data }: DataFrameJson) =>
    schema.fields.flatMap(({ type, labels = {} }, index): Line[] => {
      if (type !== 'number') return [];
      const [times = [], values = []] = [data.values[0] as number[], data.values[index] as (number | null)[]];
      return [[labels, times.flatMap((ms, at) => (values[at] === null ? [] : [[ms, Number(values[at])] as const]))]];
    }),
  );
}
const lastOf = ([, points]: Line): number | undefined => points.at(-1)?.[1];

/** Sum of a series of `/metrics`. */
function gauge(metrics: string, name: string, labels = ''): number {
  const lines = metrics.split('\n').filter((line) => new RegExp(`^${name}[{ ]`).test(line) && line.includes(labels));
  if (lines.length === 0) throw new Error(`/metrics has no ${name}`);
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

/** Last value of the one line of a panel. */
const now =
  (value: (known: KnownHealth) => number): HealthCheck =>
  (panel, known) =>
    expect(linesOf(panel).map(lastOf)).toEqual([value(known)]);

/** Rates times their time: what was counted, as nearly as Prometheus's extrapolation lets it be. */
function countedBy([, points]: Line): number {
  const [[firstMs] = [0], [secondMs] = [0]] = points;
  return points.reduce((sum, [, value]) => sum + (value * (secondMs - firstMs)) / 1000, 0);
}
function expectNear(value: number, wanted: number): void {
  expect(Math.abs(value - wanted)).toBeLessThanOrEqual(wanted * 0.15);
}

const NOTHING: HealthCheck = (panel) => {
  for (const [, points] of linesOf(panel))
    expect(points.map(([, value]) => value).filter((value) => value !== 0)).toEqual([]);
};
/** Each line has values, and none is absurd. */
const between =
  (least: number, most: number): HealthCheck =>
  (panel) => {
    const values = linesOf(panel).flatMap(([, points]) => points.map(([, value]) => value));
    expect(values.filter((value) => Number.isFinite(value)).length).toBeGreaterThan(0);
    expect(values.filter((value) => value < least || value > most)).toEqual([]);
  };

const DAY_SECONDS = 86_400;

/** By title; the two panels `Exporters` in their order. */
export const HEALTH: Readonly<Record<string, HealthCheck | readonly HealthCheck[]>> = {
  'Ledger difference': now(() => 0),
  // What came in the last minutes, over five of them.
  'Records received': (panel, { sent }) => {
    const [rate = 0] = linesOf(panel).map(lastOf);
    expect(rate * 300).toBeGreaterThan(sent * 0.9);
    expect(rate * 300).toBeLessThan(sent * 1.3);
  },
  'Records waiting': now(() => 0),
  'Records dropped': now(() => 0),
  Exporters: [
    now(({ metrics }) => gauge(metrics, 'ringflow_exporters')),
    (panel, { byExporter }) => {
      const [silent, records, lost] = ['A', 'B', 'C'].map((refId) =>
        linesOf({ frames: panel.frames.filter(({ schema }) => schema.refId === refId) }),
      ) as [Line[], Line[], Line[]];
      for (const lines of [silent, records])
        expect([...new Set(lines.map(([{ exporter }]) => exporter))].sort()).toEqual(Object.keys(byExporter).sort());
      expect(silent.map(lastOf).filter((seconds = -1) => seconds < 0 || seconds > 300)).toEqual([]);
      for (const line of records) {
        const counted = (lastOf(line) ?? 0) * 300;
        const wanted = byExporter[line[0]['exporter'] as string] as number;
        expect(counted === 0 || (counted > wanted * 0.9 && counted < wanted * 1.4)).toBe(true);
      }
      expect(lost.map(lastOf).filter((rate) => rate !== 0)).toEqual([]);
    },
  ],
  'Oldest waiting segment': now(() => 0),
  'Where records went (records/s)': (panel, { sent }) => {
    const [received, stored, ...dropped] = linesOf(panel) as [Line, Line, ...Line[]];
    expectNear(countedBy(received), sent);
    expectNear(countedBy(stored), sent);
    for (const one of dropped) expect(countedBy(one)).toBe(0);
  },
  'Flow hit ratio': (panel, { hitRatio }) => {
    const [ratio = 0] = linesOf(panel).map(lastOf);
    expect(ratio).toBeCloseTo(hitRatio, 4);
  },
  'Lost on the way (units/s)': NOTHING,
  'Records by exporter (records/s)': (panel, { byExporter }) => {
    const lines = linesOf(panel).filter((line) => countedBy(line) > 0);
    const counted = new Map(lines.map((line) => [line[0]['exporter'] as string, countedBy(line)]));
    expect([...counted.keys()].sort()).toEqual(Object.keys(byExporter).sort());
    for (const [exporter, records] of Object.entries(byExporter)) expectNear(counted.get(exporter) ?? 0, records);
  },
  Disk: (panel, { metrics }) => {
    const lines = linesOf(panel);
    const tables = [...metrics.matchAll(/^ringflow_store_table_bytes\{table="(\w+)"/gm)].map(([, table]) => table);
    expect(lines.flatMap(([{ table }]) => table ?? []).sort()).toEqual(tables.sort());
    const budget = lines.find(([{ table }]) => table === undefined) as Line;
    expect(lastOf(budget)).toBe(gauge(metrics, 'ringflow_store_limit_bytes'));
  },
  // Four weeks were sent.
  'How far back': (panel) => {
    const ages = linesOf(panel).map((line) => (lastOf(line) ?? 0) / DAY_SECONDS);
    expect(Math.max(...ages)).toBeGreaterThan(27.9);
    expect(Math.max(...ages)).toBeLessThan(30);
  },
  'Queries (95th percentile)': between(0, 10),
  'Time to load a segment (95th percentile)': between(0, 10),
};
