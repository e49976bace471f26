import { compareText, type DataFrameJson, type FrameNotice } from '@ringflow/contract';
import { quantity, type FilledField } from '../frames.ts';
import { duration, type Plan } from '../plan.ts';
import type { RunResult } from '../runner.ts';
import {
  BASELINE_POINTS,
  baselineStep,
  baselineWindow,
  EARLIER_MS,
  earlierNotices,
  fewDays,
  percentAbove,
  shifted,
  usual,
} from './earlier.ts';
import { planGroups } from './grouped.ts';
import type { Kind, KindInput, Prepared } from './kind.ts';
import { framesOf, seriesOf, type SeriesSet } from './series-frames.ts';
import { isUnknown, prepareTimeseries } from './timeseries.ts';

/** A part of the answer: one way, one time. */
interface Part {
  readonly prepared: Prepared;
  readonly plan: Plan;
  readonly input: KindInput;
}

interface WayParts {
  /** Empty where there is one way. */
  readonly word: string;
  readonly negative: boolean;
  readonly now: Part;
  readonly before?: Part;
  readonly history?: Part;
}

/**
 * A time series with all that may stand beside it: the other way as negative values, the same window earlier, the
 * deviation from what is usual. Whose series are shown is decided once, by the way and time that were asked for.
 */
export const prepareSeries: Kind = (asked) => {
  const { query } = asked;
  const ways = query.mirror && asked.ways ? asked.ways : null;
  if (!ways && query.compare === 'none' && !query.baseline) return prepareTimeseries(asked);

  const up: KindInput = ways ? { ...asked, ...ways[0] } : asked;
  const byMs = EARLIER_MS[query.compare];
  // All parts have buckets of one length: the longest that any of them needs.
  const nowPlan = planGroups(up, query.groupBy);
  const beforePlan = byMs > 0 ? planGroups({ ...up, window: shifted(nowPlan.window, byMs) }, query.groupBy) : nowPlan;
  const stepMs = Math.max(nowPlan.stepMs, beforePlan.stepMs);
  const comparable = byMs % stepMs === 0;

  const parts = (ways ?? [null]).map((way, index): WayParts => {
    const input: KindInput = {
      ...up,
      ...(way ?? {}),
      query: { ...(way ?? up).query, intervalMs: stepMs },
      ...(index === 0 || query.groupBy.length === 0 ? {} : { members: up }),
    };
    const now = partOf(input);
    const { window } = now.plan;
    const members = query.groupBy.length === 0 ? {} : { members: input.members ?? up };
    const base = { ...input, ...members };
    return {
      word: way?.word ?? '',
      negative: index > 0,
      now,
      ...(byMs > 0 && comparable ? { before: partOf({ ...base, window: shifted(window, byMs) }) } : {}),
      ...(query.baseline ? { history: partOf(historyInput(base, now.plan)) } : {}),
    };
  });
  const prepared = parts.flatMap(({ now, before, history }) => [now, before, history]).flatMap((part) => part ?? []);
  const statements = prepared.flatMap((part) => part.prepared.statements);

  const frames = (results: readonly RunResult[]): DataFrameJson[] => {
    const answers = new Map<Part, SeriesSet>();
    let at = 0;
    for (const part of prepared) {
      const count = part.prepared.statements.length;
      answers.set(part, seriesOf(part.prepared.frames(results.slice(at, at + count))));
      at += count;
    }
    const main = answers.get((parts[0] as WayParts).now) as SeriesSet;
    const notices: FrameNotice[] = [...main.schema.meta.notices];
    if (!comparable)
      notices.push({
        severity: 'warning',
        code: 'no_history',
        text: `Buckets of ${duration(stepMs)} cannot be compared with ${compareText(query.compare)}; ask for a shorter window`,
      });
    const series = parts.flatMap((way, index) => {
      const shown = shownOf(way, answers, query.groupBy);
      // What is said of one way holds for the other.
      if (index === 0) notices.push(...shown.notices);
      return shown.series;
    });
    return framesOf(withCosts(main, answers), series, notices);
  };
  return { statements, frames };
};

function partOf(input: KindInput): Part {
  return { input, prepared: prepareTimeseries(input), plan: planGroups(input, input.query.groupBy) };
}

/** The four weeks before and the window, in the buckets of a baseline. Sums depend on the bucket, so rates are compared. */
function historyInput(input: KindInput, plan: Plan): KindInput {
  const { query } = input;
  const stepMs = baselineStep(plan.stepMs);
  return {
    ...input,
    window: baselineWindow(plan.window, stepMs),
    query: {
      ...query,
      measure: query.measure === 'total' ? 'rate' : query.measure,
      intervalMs: stepMs,
      maxDataPoints: BASELINE_POINTS,
    },
  };
}

/** The series of one way, each followed by what stands beside it. */
function shownOf(
  { word, negative, now, before, history }: WayParts,
  answers: ReadonlyMap<Part, SeriesSet>,
  groupBy: readonly string[],
): { series: FilledField[]; notices: FrameNotice[] } {
  const { times, series } = answers.get(now) as SeriesSet;
  const { query } = now.input;
  const earlier = before && findIn(answers.get(before) as SeriesSet, before);
  const past = history && findIn(answers.get(history) as SeriesSet, history);
  const notices: FrameNotice[] = before ? earlierNotices(before.plan, compareText(query.compare)) : [];
  let tooFew = false;
  const shown = series.flatMap((one): FilledField[] => {
    const key = keyOf(one);
    const values = one.values as (number | null)[];
    const way = word === '' ? one : withLabel(one, { way: word }, word, groupBy, now.input.query.groupBy);
    const sign = (list: (number | null)[]): (number | null)[] =>
      negative ? list.map((value) => (value === null ? null : value === 0 ? 0 : -value)) : list;
    const fields: FilledField[] = [unbounded({ ...way, values: sign(values) }, word !== '')];
    if (before && earlier) {
      const byMs = EARLIER_MS[query.compare];
      const field = withLabel(way, { compare: query.compare }, compareText(query.compare));
      fields.push(
        unbounded({ ...field, values: sign(times.map((ms) => earlier(key, ms - byMs) ?? null)) }, word !== ''),
      );
    }
    if (history && past) {
      const rates = query.measure === 'total' ? values.map((value) => rateOf(value, now)) : values;
      const stepMs = baselineStep(now.plan.stepMs);
      const deviation = times.map((ms, at) => {
        const span = { fromMs: ms, toMs: ms + now.plan.stepMs };
        const base = usual(span, stepMs, (beginMs) => past(key, beginMs));
        tooFew ||= base === null;
        return percentAbove(rates[at] ?? null, base);
      });
      fields.push({
        ...withLabel(way, { baseline: 'deviation' }, 'deviation'),
        name: 'deviation',
        config: {
          ...unbounded(withLabel(way, {}, 'deviation'), true).config,
          ...deviationConfig(),
        },
        values: deviation,
      });
    }
    return fields;
  });
  return { series: shown, notices: tooFew ? [...notices, fewDays()] : notices };
}

/** Unit and description of a deviation; its name is that of the series. */
export function deviationConfig(): { unit: string; decimals: number; description: string } {
  return {
    unit: 'percent',
    decimals: 1,
    description: 'Percent above the median of the same hour of the last four weeks',
  };
}

function rateOf(total: number | null, { input, plan }: Part): number | null {
  return total === null ? null : quantity(total, input.query.metric, 'rate', plan.stepMs / 1000);
}

type Find = (key: string, ms: number) => number | null | undefined;

/** Values by series and time; a series that had no traffic is zero where others are known. */
function findIn({ times, series }: SeriesSet, { plan, input }: Part): Find {
  const at = new Map(times.map((ms, index) => [ms, index]));
  const byKey = new Map(series.map((one) => [keyOf(one), one.values as (number | null)[]]));
  return (key, ms) => {
    const index = at.get(ms);
    if (index === undefined) return undefined;
    const values = byKey.get(key);
    if (values) return values[index];
    return isUnknown(ms, plan.stepMs, plan.oldestMs, input) ? null : 0;
  };
}

/** What a series is about, whichever side its fields are called by. */
function keyOf({ labels }: FilledField): string {
  return JSON.stringify(Object.values(labels ?? {}));
}

/** A copy with more labels and a longer name; the labels of the other way are called as those of this one. */
function withLabel(
  field: FilledField,
  labels: Readonly<Record<string, string>>,
  suffix: string,
  names?: readonly string[],
  own?: readonly string[],
): FilledField {
  const renamed = Object.entries(field.labels ?? {}).map(([name, value]) => {
    const index = own?.indexOf(name) ?? -1;
    return [index >= 0 ? (names?.[index] ?? name) : name, value] as const;
  });
  return {
    ...field,
    labels: { ...Object.fromEntries(renamed), ...labels },
    config: { ...field.config, displayNameFromDS: `${field.config.displayNameFromDS ?? field.name} (${suffix})` },
  };
}

/**
 * The other way and deviations are below the least value of a quantity. Both ways have the same bounds: Grafana gives
 * series of different ones an axis each.
 */
function unbounded(field: FilledField, hasNegative: boolean): FilledField {
  if (!hasNegative) return field;
  const { min: _min, max: _max, ...config } = field.config;
  return { ...field, config };
}

/** The head of the answer with what all of its parts have read. */
function withCosts(main: SeriesSet, answers: ReadonlyMap<Part, SeriesSet>): SeriesSet {
  const metas = [...answers.values()].map(({ schema }) => schema.meta);
  const sum = (pick: (custom: (typeof metas)[number]['custom']) => number): number =>
    metas.reduce((total, { custom }) => total + pick(custom), 0);
  const { meta } = main.schema;
  const custom = {
    ...meta.custom,
    table: [...new Set(metas.flatMap((one) => one.custom.table.split(' + ')))].join(' + '),
    rowsRead: sum(({ rowsRead }) => rowsRead),
    bytesRead: sum(({ bytesRead }) => bytesRead),
    elapsedMs: Math.max(...metas.map((one) => one.custom.elapsedMs)),
  };
  const stats = meta.stats.map((stat) => {
    if (stat.displayName === 'Rows read') return { ...stat, value: custom.rowsRead };
    return stat.displayName === 'Bytes read' ? { ...stat, value: custom.bytesRead } : stat;
  });
  const executedQueryString = metas.map((one) => one.executedQueryString).join(';\n\n');
  return { ...main, schema: { ...main.schema, meta: { ...meta, custom, stats, executedQueryString } } };
}
