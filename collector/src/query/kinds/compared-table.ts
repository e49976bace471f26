import {
  METRICS,
  compareText,
  type DataFrameJson,
  type FlowQuery,
  type FrameNotice,
  type Metric,
} from '@ringflow/contract';
import { quantity, quantityConfig, quantityName, type FilledField } from '../frames.ts';
import { wayColumn } from '../mirror.ts';
import type { Plan } from '../plan.ts';
import type { RunResult } from '../runner.ts';
import { hasUnnamed, sourceSql, dimensionAlias } from '../source.ts';
import { alias, EMPTY, join, render, sql, type Sql } from '../sql.ts';
import { outputSql } from '../values.ts';
import type { Window } from '../window.ts';
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
import { dimensionsOf, metricSum, planGroups, topSql } from './grouped.ts';
import type { Kind, KindInput, Prepared, WayInput } from './kind.ts';
import { OTHER } from './labels.ts';
import { readRanked } from './ranked.ts';
import { seriesOf } from './series-frames.ts';
import { secondsOf } from './stat.ts';
import { prepareTable } from './table.ts';
import { prepareTimeseries } from './timeseries.ts';
import { deviationConfig } from './variants.ts';

/** Something beside the rows of a table, found by the text of their groups. */
interface Beside {
  readonly statements: Prepared['statements'];
  fields(results: readonly RunResult[], table: Rows): { fields: FilledField[]; notices: FrameNotice[] };
}

interface Rows {
  /** Groups of each row as text; the row of all others has `other` only. */
  readonly keys: readonly string[];
  readonly values: readonly number[];
}

/**
 * A table with what stands beside its rows: the same window before and the change, the deviation from what is usual at the
 * same hour, how much goes which way. The rows are those of the window and the filter that were asked for.
 */
export const prepareComparedTable: Kind = (input) => {
  const { query } = input;
  const ways = query.mirror && input.ways ? input.ways : [];
  if (query.compare === 'none' && !query.baseline && ways.length === 0) return prepareTable(input);
  // Whatever columns are asked for, the changes are worked out from the metric.
  const table = prepareTable({ ...input, query: { ...query, columns: [] } });
  // What has passed is compared with as much before.
  const plan = planGroups(input, query.groupBy);
  const passed = { fromMs: plan.window.fromMs, toMs: plan.window.fromMs + secondsOf(plan.window, input.nowMs) * 1000 };
  const beside = [
    ...(query.compare === 'none' ? [] : [createBefore(input, passed)]),
    ...(query.baseline ? [createDeviation(input, passed)] : []),
    ...ways.map((way) => createWay(input, way)),
  ];
  return {
    statements: [...table.statements, ...beside.flatMap(({ statements }) => statements)],
    frames: (results) => {
      const [frame] = table.frames(results.slice(0, table.statements.length)) as [DataFrameJson];
      const rows = rowsOf(frame, input);
      let at = table.statements.length;
      let answer = frame;
      for (const one of beside) {
        const found = one.fields(results.slice(at, at + one.statements.length), rows);
        at += one.statements.length;
        answer = withFields(answer, found.fields, found.notices);
      }
      return [query.columns.length === 0 ? answer : onlyFields(answer, query.columns)];
    },
  };
};

function rowsOf({ schema, data }: DataFrameJson, { query }: KindInput): Rows {
  const columns = query.groupBy.map(
    (name) => (data.values[schema.fields.findIndex((field) => field.name === name)] ?? []) as string[],
  );
  const at = schema.fields.findIndex(({ name }) => name === quantityName(query.metric, shownAs(query)));
  return {
    keys: (columns[0] ?? []).map((_, row) => keyOf(columns.map((values) => values[row] ?? ''))),
    values: (data.values[at] ?? []) as number[],
  };
}

/** All others are one row, whichever of its groups says so. */
function keyOf(texts: readonly string[]): string {
  return texts[0] === OTHER ? OTHER : JSON.stringify(texts);
}

function withFields(
  { schema, data }: DataFrameJson,
  fields: readonly FilledField[],
  notices: readonly FrameNotice[],
): DataFrameJson {
  const all = [...schema.meta.notices, ...notices];
  return {
    schema: {
      ...schema,
      meta: {
        ...schema.meta,
        notices: all,
        custom: { ...schema.meta.custom, notices: [...new Set(all.map(({ code }) => code))] },
      },
      fields: [...schema.fields, ...fields.map(({ values: _values, ...field }) => field)],
    },
    data: { ...data, values: [...data.values, ...fields.map(({ values }) => values)] },
  };
}

/** Groups, and of the rest what was asked for. */
function onlyFields({ schema, data }: DataFrameJson, names: readonly string[]): DataFrameJson {
  const kept = schema.fields.map(({ name, type }) => type === 'string' || names.includes(name));
  return {
    schema: { ...schema, fields: schema.fields.filter((_, index) => kept[index]) },
    data: { ...data, values: data.values.filter((_, index) => kept[index]) },
  };
}

function createBefore(input: KindInput, passed: Window): Beside {
  const { query, names } = input;
  const before: KindInput = { ...input, window: shifted(passed, EARLIER_MS[query.compare]) };
  const plan = planGroups(before, query.groupBy);
  const columns = dimensionsOf(query);
  const what = compareText(query.compare);
  const measure = shownAs(query);
  const name = quantityName(query.metric, measure);
  const nothingKept = plan.oldestMs === null || plan.window.toMs <= plan.oldestMs;
  return {
    statements: [render(membersSql(before, plan, input))],
    fields: ([result], { keys, values }) => {
      const { groups, rest } = readRanked(result as RunResult, columns, names);
      const sums = new Map(groups.map(({ label, sums: one }) => [keyOf(label.texts), one]));
      const seconds = (plan.window.toMs - plan.window.fromMs) / 1000;
      const nowSeconds = (passed.toMs - passed.fromMs) / 1000;
      const earlier = keys.map((key) => {
        if (nothingKept) return null;
        const sum = (key === OTHER ? rest : sums.get(key))?.[query.metric] ?? 0;
        // Whole buckets may be longer or shorter than the window; rates can be compared all the same.
        return measure === 'rate' ? quantity(sum, query.metric, 'rate', seconds) : scaled(sum, nowSeconds / seconds);
      });
      const config = quantityConfig(query.metric, measure);
      return {
        fields: [
          {
            name: `${name}_before`,
            type: 'number',
            config: { ...config, displayNameFromDS: `${config.displayNameFromDS ?? name} (${what})` },
            values: earlier,
          },
          {
            name: 'change_percent',
            type: 'number',
            config: {
              displayNameFromDS: 'Change',
              description: `Percent more than ${what}`,
              unit: 'percent',
              decimals: 1,
            },
            values: keys.map((_, row) => percentAbove(values[row] ?? null, earlier[row] ?? null)),
          },
        ],
        notices: earlierNotices(plan, what),
      };
    },
  };
}

/** What goes one way, of the rows that are shown. */
function createWay(input: KindInput, way: WayInput): Beside {
  const { query, names } = input;
  const ofWay: KindInput = { ...input, ...way };
  const plan = planGroups(ofWay, way.query.groupBy);
  const columns = dimensionsOf(way.query);
  const measure = shownAs(query);
  const name = quantityName(query.metric, measure);
  const config = quantityConfig(query.metric, measure);
  return {
    statements: [render(membersSql(ofWay, plan, input))],
    fields: ([result], { keys }) => {
      const { groups, rest } = readRanked(result as RunResult, columns, names);
      const sums = new Map(groups.map(({ label, sums: one }) => [keyOf(label.texts), one]));
      const seconds = secondsOf(plan.window, input.nowMs);
      return {
        fields: [
          {
            name: wayColumn(name, way.word),
            type: 'number',
            config: { ...config, displayNameFromDS: `${config.displayNameFromDS ?? name} (${way.word})` },
            values: keys.map((key) =>
              quantity((key === OTHER ? rest : sums.get(key))?.[query.metric] ?? 0, query.metric, measure, seconds),
            ),
          },
        ],
        notices: [],
      };
    },
  };
}

/** Rows of a table are sums or rates; shares and utilisation stand in columns of their own. */
function shownAs({ measure }: FlowQuery): 'rate' | 'total' {
  return measure === 'rate' || measure === 'utilization' ? 'rate' : 'total';
}

function scaled(sum: number, factor: number): number {
  return factor === 1 ? sum : Math.round(sum * factor);
}

/** Sums of the groups that are shown for another time, in the shape of `rankedSql`; their order does not matter. */
function membersSql({ query, filter, names }: KindInput, plan: Plan, members: KindInput): Sql {
  const columns = dimensionsOf(query);
  const source = sourceSql(plan, filter, { dimensions: query.groupBy, sides: 'rows', names, bucketed: false });
  const keyList = join(columns.map((_, index) => dimensionAlias(index)));
  const groupKeys = join(columns.map((_, index) => alias(`g${index}`)));
  const groups = columns.map((_, index) => {
    const key = dimensionAlias(index);
    return sql`if(shown, ${key}, defaultValueOfArgumentType(${key})) AS ${alias(`g${index}`)}`;
  });
  const outputs = columns.map((column, index) => outputSql(column, alias(`g${index}`)));
  const isNamed = hasUnnamed(plan) ? sql`m_other = 0 AND ` : EMPTY;
  const top = topSql(members, planGroups(members, members.query.groupBy));
  const sums = METRICS.map((metric: Metric) => sql`${metricSum(metric)} AS ${alias(`s_${metric}`)}`);
  const counters = METRICS.map((metric: Metric) => alias(`s_${metric}`));
  return sql`WITH source AS (${source}), top AS (${top})
    SELECT shown, ${join(outputs)}, ${join(counters)}, s_rate FROM (
      SELECT shown, ${groupKeys}, ${join(sums)}, max(m_rate) AS s_rate
      FROM (SELECT toUInt8(${isNamed}(${keyList}) IN (SELECT ${keyList} FROM top)) AS shown, ${join(groups)}, m_bytes, m_packets, m_flows, m_rate FROM source)
      GROUP BY shown, ${groupKeys})`;
}

function createDeviation(input: KindInput, passed: Window): Beside {
  const { query } = input;
  const stepMs = baselineStep(0);
  const history: KindInput = {
    ...input,
    members: input,
    window: baselineWindow(passed, stepMs),
    query: {
      ...query,
      kind: 'timeseries',
      measure: 'rate',
      intervalMs: stepMs,
      maxDataPoints: BASELINE_POINTS,
      columns: [],
    },
  };
  const { statements, frames } = prepareTimeseries(history);
  const seconds = (passed.toMs - passed.fromMs) / 1000;
  return {
    statements,
    fields: (results, { keys, values }) => {
      const { times, series, schema } = seriesOf(frames(results));
      const bucketMs = (schema.meta.custom.stepSeconds ?? 0) * 1000;
      const at = new Map(times.map((ms, index) => [ms, index]));
      const byKey = new Map(
        series.map((one) => [keyOf(Object.values(one.labels ?? {})), one.values as (number | null)[]]),
      );
      const any = series[0]?.values as (number | null)[] | undefined;
      const deviation = keys.map((key, row) => {
        const known = byKey.get(key);
        // Rows without any traffic in four weeks are zero where others are known.
        const valueAt = (ms: number): number | null | undefined => {
          const index = at.get(ms);
          if (index === undefined) return undefined;
          return known ? known[index] : any?.[index] === null ? null : 0;
        };
        const base = usual(passed, bucketMs, valueAt);
        const isRate = query.measure === 'rate' || query.measure === 'utilization';
        const value = values[row] ?? 0;
        return percentAbove(isRate ? value : quantity(value, query.metric, 'rate', seconds), base);
      });
      const tooFew = keys.some((key) => usual(passed, bucketMs, valueOf(byKey.get(key) ?? any, at)) === null);
      return {
        fields: [
          {
            name: 'deviation',
            type: 'number',
            config: { displayNameFromDS: 'Deviation', ...deviationConfig() },
            values: deviation,
          },
        ],
        notices: tooFew ? [fewDays()] : [],
      };
    },
  };
}

function valueOf(values: readonly (number | null)[] | undefined, at: ReadonlyMap<number, number>) {
  return (ms: number): number | null | undefined => values?.[at.get(ms) ?? -1];
}
