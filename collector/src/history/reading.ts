import { RingflowError } from '@ringflow/contract';
import type { OldestByTable, RunResult, SqlQuery } from '../query/index.ts';
import type { Family } from './definitions.ts';
import type { Matcher } from './matchers.ts';
import { choosePoints, type Points } from './points.ts';
import type { ReadQuery } from './request.ts';
import type { Labels, Series } from './response.ts';
import { selectGauges, type Gauge } from './selection.ts';
import { groupsSql, sourcesOf, valuesSql, type Source, type SourceDeps } from './statements.ts';

/** A selector whose series are known, and whose values can be read. */
export interface Reading {
  /** Samples of all series together. */
  readonly samples: number;
  /** All series in the order of their labels. Only a page of them is in memory. */
  series(): AsyncGenerator<Series>;
}

export interface ReadingDeps {
  readonly run: (statement: SqlQuery, maxRows: number) => Promise<RunResult>;
  readonly oldest: OldestByTable;
  readonly nowMs: number;
  readonly sources: SourceDeps;
  readonly maxSeries: number;
  readonly maxSamples: number;
}

type Group = readonly (string | number)[];

/** A series by its labels, and the groups of each source whose sum it is. */
interface PlannedSeries {
  readonly labels: Labels;
  readonly groups: { readonly source: number; readonly group: Group }[];
}

/** A gauge with its sources and series. */
interface PlannedGauge {
  readonly gauge: Gauge;
  readonly sources: readonly Source[];
  readonly series: readonly PlannedSeries[];
}

/** Values that are read at a time: some megabytes. */
const PAGE_VALUES = 500_000;
/** Groups of a family that matchers leave only by their labels: more than this is not looked through. */
const MAX_GROUPS = 200_000;

/**
 * Finds the series of a selector.
 *
 * @throws RingflowError `query_too_large` with the numbers when there are more series or samples than allowed
 */
export async function createReading(
  asked: { readonly query: ReadQuery; readonly matchers: readonly Matcher[] },
  deps: ReadingDeps,
): Promise<Reading> {
  const { gauges, matchers, resolution } = selectGauges(asked.matchers);
  // Prometheus asks for everything else that its rules and panels mean, too: it costs nothing.
  const points = gauges.length === 0 ? null : choosePoints(asked.query, deps.oldest, deps.nowMs, resolution);
  if (!points) return { samples: 0, series: nothing };
  const planned: PlannedGauge[] = [];
  const families = new Map<Family, Omit<PlannedGauge, 'gauge'>>();
  let count = 0;
  for (const gauge of gauges) {
    const found =
      'info' in gauge
        ? { sources: [], series: infoSeries(gauge.info, matchers, deps.sources) }
        : (families.get(gauge.family) ?? (await seriesOf(gauge.family, matchers, points, deps)));
    if ('family' in gauge) families.set(gauge.family, found);
    planned.push({ gauge, ...found });
    count += found.series.length;
    if (count > deps.maxSeries)
      throw tooLarge(
        `The selector has more than ${deps.maxSeries} series`,
        'Narrow the selector by its labels, or raise history.max_series',
      );
  }
  const samples = count * points.timesMs.length;
  if (samples > deps.maxSamples)
    throw tooLarge(
      `The selector has ${samples} samples (${count} series of ${points.timesMs.length}, ${points.resolution.name}), more than the ${deps.maxSamples} that are left`,
      'Narrow the selector by its labels, lengthen the step or range, or raise history.max_samples',
    );
  return {
    samples,
    series: async function* () {
      for (const gauge of planned) yield* valuesOf(gauge, points, deps);
    },
  };
}

async function* nothing(): AsyncGenerator<Series> {}

function tooLarge(message: string, hint: string): RingflowError {
  return new RingflowError('query_invalid', message, { hint });
}

async function seriesOf(
  family: Family,
  matchers: readonly Matcher[],
  points: Points,
  deps: ReadingDeps,
): Promise<Omit<PlannedGauge, 'gauge'>> {
  const sources = sourcesOf(family, matchers, deps.sources);
  const byLabels = new Map<string, PlannedSeries>();
  for (const [index, source] of sources.entries()) {
    for (const group of await groupsIn(source, points, deps)) {
      for (const labels of labelsOf(source, group)) {
        if (!matchers.every(({ name, matches }) => matches(labels[name] ?? ''))) continue;
        const key = JSON.stringify(family.labels.map((name) => labels[name]));
        const series = byLabels.get(key) ?? { labels, groups: [] };
        series.groups.push({ source: index, group });
        byLabels.set(key, series);
      }
    }
  }
  const inOrder = [...family.labels].sort();
  const series = [...byLabels.values()].sort((a, b) => compare(a.labels, b.labels, inOrder));
  return { sources, series };
}

async function groupsIn(source: Source, points: Points, { run }: ReadingDeps): Promise<Group[]> {
  const result = await run(groupsSql(source, points, MAX_GROUPS + 1), MAX_GROUPS + 1);
  if (source.keys.length === 0) return Number(result.columns[0]?.[0] ?? 0) > 0 ? [[]] : [];
  if (result.rows > MAX_GROUPS)
    throw tooLarge(
      `More than ${MAX_GROUPS} series have to be looked through`,
      'Narrow the selector by equality, or by a list such as as=~"64500|64501"',
    );
  return Array.from({ length: result.rows }, (_, row) =>
    source.keys.map((_key, column) => result.columns[column]?.[row] as string | number),
  );
}

/** The labels of a group: one for each combination of what its keys are called. */
function labelsOf({ fixed, keys }: Source, group: Group): Labels[] {
  return keys.reduce<Labels[]>(
    (all, key, index) =>
      key
        .labelsOf(group[index] as string | number)
        .flatMap((value) => all.map((labels) => ({ ...labels, [key.label]: value }))),
    [fixed],
  );
}

function compare(a: Labels, b: Labels, names: readonly string[]): number {
  for (const name of names) {
    const [left = '', right = ''] = [a[name], b[name]];
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}

function infoSeries(
  info: Extract<Gauge, { info: unknown }>['info'],
  matchers: readonly Matcher[],
  { names }: SourceDeps,
): PlannedSeries[] {
  const all: Labels[] =
    info === 'ringflow_history_exporter_info'
      ? names.exportersWhere(() => true).map((exporter) => ({ exporter, name: names.exporter(exporter) ?? '' }))
      : names
          .interfacesWhere(() => true)
          .map(({ exporter, index, name, description }) => ({
            exporter,
            interface: String(index),
            name,
            description,
          }));
  return all
    .filter((labels) => matchers.every(({ name, matches }) => matches(labels[name] ?? '')))
    .sort((a, b) => compare(a, b, ['description', 'exporter', 'interface', 'name']))
    .map((labels) => ({ labels, groups: [] }));
}

/** Reads the values of a gauge page by page. Where a group has no row for a bucket, nothing was seen: 0. */
async function* valuesOf(
  { gauge, sources, series }: PlannedGauge,
  points: Points,
  deps: ReadingDeps,
): AsyncGenerator<Series> {
  const buckets = Math.round((points.toMs - points.fromMs) / (points.resolution.seconds * 1000));
  const { timesMs } = points;
  const named = (labels: Labels): Labels => ({ ...labels, __name__: gauge.name });
  if (timesMs.length === 0 || 'info' in gauge) {
    const ones = new Float64Array(timesMs.length).fill(1);
    for (const { labels } of series) yield { labels: named(labels), timesMs, values: ones };
    return;
  }
  const { factor, isPeak } = gauge.measure;
  const perSecond = factor / (isPeak ? 60 : points.resolution.seconds);
  for (const page of pagesOf(series, buckets)) {
    const sums = page.map(() => new Float64Array(buckets));
    for (const [index, source] of sources.entries()) {
      const targets = new Map<string, Float64Array[]>();
      const groups: Group[] = [];
      page.forEach((one, at) => {
        for (const { source: of, group } of one.groups) {
          if (of !== index) continue;
          const key = JSON.stringify(group);
          const known = targets.get(key);
          if (known) known.push(sums[at] as Float64Array);
          else {
            targets.set(key, [sums[at] as Float64Array]);
            groups.push(group);
          }
        }
      });
      if (groups.length === 0) continue;
      addValues(
        await deps.run(valuesSql(source, gauge.measure, points, groups), MAX_GROUPS),
        source.keys.length,
        targets,
      );
    }
    for (const [at, { labels }] of page.entries()) {
      const ofBuckets = sums[at] as Float64Array;
      const values = Float64Array.from(points.buckets, (bucket) => (ofBuckets[bucket] as number) * perSecond);
      yield { labels: named(labels), timesMs, values };
    }
  }
}

/** Adds rows of {@link valuesSql} to the series that their groups belong to. */
function addValues(result: RunResult, keys: number, targets: ReadonlyMap<string, readonly Float64Array[]>): void {
  for (let row = 0; row < result.rows; row++) {
    const group = Array.from({ length: keys }, (_, column) => result.columns[column]?.[row]);
    const into = targets.get(JSON.stringify(group));
    if (!into) continue;
    const buckets = result.columns[keys]?.[row] as readonly number[];
    const values = result.columns[keys + 1]?.[row] as readonly number[];
    for (const sums of into)
      buckets.forEach((bucket, at) => {
        (sums[bucket] as number) += values[at] as number;
      });
  }
}

/** As many series at a time as fit into a page; at least one. */
function* pagesOf(series: readonly PlannedSeries[], buckets: number): Generator<readonly PlannedSeries[]> {
  let begin = 0;
  let values = 0;
  for (let at = 0; at < series.length; at++) {
    const more = buckets * Math.max(1, series[at]?.groups.length ?? 0);
    if (at > begin && values + more > PAGE_VALUES) {
      yield series.slice(begin, at);
      begin = at;
      values = 0;
    }
    values += more;
  }
  if (begin < series.length) yield series.slice(begin);
}
