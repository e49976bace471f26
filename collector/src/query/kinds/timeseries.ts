import type { DataFrameJson, FrameNotice } from '@ringflow/contract';
import {
  columnOf,
  frameOf,
  largestRemainder,
  plainShare,
  quantity,
  quantityConfig,
  quantityName,
  utilization,
  samplingNotices,
  type FilledField,
} from '../frames.ts';
import type { RunResult } from '../runner.ts';
import { isOfSlots } from '../slots.ts';
import { render } from '../sql.ts';
import { dimensionsOf, isPartition, planGroups, seriesSql, totalSql } from './grouped.ts';
import type { Kind, KindInput } from './kind.ts';
import { displayName, groupLabel, OTHER, type GroupLabel } from './labels.ts';
import { prepareSlotSeries } from './slot-answers.ts';
import { createUnnamed } from './unnamed.ts';

/** Series on one time base up to this many go into one wide frame; more would make rows that nobody reads. */
const MAX_WIDE_SERIES = 50;

interface Series {
  readonly label: GroupLabel | null;
  readonly other: boolean;
  readonly sums: number[];
  total: number;
}

/** A rate, sum or share over time: one series per group of the top `limit`, and `other`. */
export const prepareTimeseries: Kind = (input) => {
  const { query } = input;
  if (isOfSlots(query.measure)) return prepareSlotSeries(input);
  const plan = planGroups(input, query.groupBy);
  const partition = isPartition(query);
  // Either-side groups overlap, so percent needs a total of its own.
  const needsTotal = !partition && query.measure === 'share';
  const unnamed = createUnnamed(input, plan);
  const statements = [
    render(seriesSql(input, plan)),
    ...(needsTotal ? [render(totalSql(input, plan, true))] : []),
    ...unnamed.statements,
  ];

  const frames = (results: readonly RunResult[]): DataFrameJson[] => {
    const times = bucketsOf(plan.window.fromMs, plan.window.toMs, plan.stepMs);
    const { series, rest, highestRate } = readSeries(
      results[0] as RunResult,
      input,
      times.length,
      plan.window.fromMs,
      plan.stepMs,
    );
    const totals = needsTotal
      ? readTotals(results[1] as RunResult, input, times.length, plan.window.fromMs, plan.stepMs)
      : null;
    const shown = query.other && partition && rest.total > 0 ? [...series, rest] : series;
    const values = valuesOf(shown, partition ? [...series, rest] : null, totals, input, plan.stepMs / 1000);
    const silent = times.map((_, at) => rest.sums[at] === 0 && series.every((one) => one.sums[at] === 0));
    const unknown = times.map((time, at) => silent[at] === true && isUnknown(time, plan.stepMs, plan.oldestMs, input));
    const fields = shown.map((one, index): FilledField => ({
      ...seriesField(one, input),
      values: (values[index] as (number | null)[]).map((value, at) => (unknown[at] ? null : value)),
    }));
    const notices = [
      ...samplingNotices(plan, highestRate, input.samplingRate),
      ...unnamed.notices(statements, results, query.groupBy.length === 0 ? [] : series.map(({ total }) => total)),
      ...seriesNotices(input, series.length, rest.total > 0, partition),
    ];
    const context = { refId: query.refId, shape: 'timeseries', plan, statements, results, notices } as const;
    const time: FilledField = {
      name: 'time',
      type: 'time',
      config: { interval: plan.stepMs, displayNameFromDS: 'Time' },
      values: times,
    };
    if (fields.length <= MAX_WIDE_SERIES) return [frameOf([time, ...fields], context)];
    return fields.map((field, index) =>
      multi(frameOf([time, field], index === 0 ? context : { ...context, results: [], statements: [], notices: [] })),
    );
  };
  return { statements, frames };
};

function multi(frame: DataFrameJson): DataFrameJson {
  return { ...frame, schema: { ...frame.schema, meta: { ...frame.schema.meta, type: 'timeseries-multi' } } };
}

function bucketsOf(fromMs: number, toMs: number, stepMs: number): number[] {
  return Array.from(
    { length: Math.max(0, Math.round((toMs - fromMs) / stepMs)) },
    (_, index) => fromMs + index * stepMs,
  );
}

function readSeries(
  result: RunResult,
  { query, names }: KindInput,
  points: number,
  fromMs: number,
  stepMs: number,
): { series: Series[]; rest: Series; highestRate: number } {
  const columns = dimensionsOf(query);
  const shown = columnOf<number>(result, 0);
  const at = 1 + columns.length;
  const buckets = columnOf<number>(result, at);
  const sums = columnOf<number>(result, at + 1 + ['bytes', 'packets', 'flows'].indexOf(query.metric));
  const rates = columnOf<number>(result, at + 4);
  const rest: Series = { label: null, other: true, sums: new Array<number>(points).fill(0), total: 0 };
  const byKey = new Map<string, Series>();
  // Without groups the one series exists even where nothing was seen: a network without traffic is a line at zero.
  if (columns.length === 0)
    byKey.set('[]', { label: null, other: false, sums: new Array<number>(points).fill(0), total: 0 });
  let highestRate = 0;
  for (let row = 0; row < result.rows; row++) {
    highestRate = Math.max(highestRate, rates[row] ?? 0);
    const index = Math.round(((buckets[row] ?? 0) * 1000 - fromMs) / stepMs);
    const sum = sums[row] ?? 0;
    let target = rest;
    if (shown[row] === 1) {
      const key = JSON.stringify(columns.map((_, column) => columnOf(result, 1 + column)[row]));
      const known = byKey.get(key);
      target = known ?? {
        label: groupLabel(result, row, 1, columns, names),
        other: false,
        sums: new Array<number>(points).fill(0),
        total: 0,
      };
      if (!known) byKey.set(key, target);
    }
    if (index < 0 || index >= points) continue;
    target.sums[index] = (target.sums[index] ?? 0) + sum;
    target.total += sum;
  }
  const series = [...byKey.values()].sort((a, b) => b.total - a.total || (nameOfSeries(a) < nameOfSeries(b) ? -1 : 1));
  return { series, rest, highestRate };
}

function readTotals(result: RunResult, { query }: KindInput, points: number, fromMs: number, stepMs: number): number[] {
  const totals = new Array<number>(points).fill(0);
  const sums = columnOf<number>(result, 1 + ['bytes', 'packets', 'flows'].indexOf(query.metric));
  columnOf<number>(result, 0).forEach((bucket, row) => {
    const index = Math.round((bucket * 1000 - fromMs) / stepMs);
    if (index >= 0 && index < points) totals[index] = sums[row] ?? 0;
  });
  return totals;
}

/** @param whole the series that add up to the total, when there are such */
function valuesOf(
  shown: readonly Series[],
  whole: readonly Series[] | null,
  totals: readonly number[] | null,
  { query }: KindInput,
  seconds: number,
): (number | null)[][] {
  const { measure, metric } = query;
  if (measure === 'utilization')
    return shown.map((one) => one.sums.map((sum) => utilization(sum, seconds, one.label?.speedBps)));
  if (measure !== 'share')
    return shown.map((one) =>
      one.sums.map((sum) => quantity(sum, metric, measure === 'total' ? 'total' : 'rate', seconds)),
    );
  if (!whole) return shown.map((one) => one.sums.map((sum, at) => plainShare(sum, totals?.[at] ?? 0)));
  const values = shown.map((one) => new Array<number>(one.sums.length).fill(0));
  for (let at = 0; at < (whole[0]?.sums.length ?? 0); at++) {
    const parts = whole.map((one) => one.sums[at] ?? 0);
    const shares = largestRemainder(
      parts,
      parts.reduce((sum, part) => sum + part, 0),
    );
    shown.forEach((one, index) => ((values[index] as number[])[at] = shares[whole.indexOf(one)] ?? 0));
  }
  return values;
}

function nameOfSeries(series: Series): string {
  return series.other ? OTHER : series.label ? displayName(series.label) : '';
}

function seriesField(series: Series, { query, seriesName }: KindInput): Omit<FilledField, 'values'> {
  const config = quantityConfig(query.metric, query.measure);
  const name = quantityName(query.metric, query.measure);
  if (query.groupBy.length === 0) return { name, type: 'number', config };
  const labels = Object.fromEntries(
    query.groupBy.map((dimension, index) => [dimension, series.other ? OTHER : (series.label?.texts[index] ?? '')]),
  );
  const shown = series.label && seriesName ? seriesName(series.label) : nameOfSeries(series);
  return { name, type: 'number', labels, config: { ...config, displayNameFromDS: shown } };
}

/** Zero means that nothing was seen; before the first data and while the collector was down nobody knows. */
export function isUnknown(timeMs: number, stepMs: number, oldestMs: number | null, { downtimes }: KindInput): boolean {
  if (oldestMs !== null && timeMs + stepMs <= oldestMs) return true;
  return downtimes.some((downtime) => timeMs >= downtime.fromMs && timeMs + stepMs <= downtime.toMs);
}

function seriesNotices({ query }: KindInput, shown: number, hasRest: boolean, partition: boolean): FrameNotice[] {
  if (query.groupBy.length === 0) return [];
  if (!partition)
    return [
      {
        severity: 'info',
        code: 'not_partitioned',
        text: 'A record counts for each of its two sides, so the series add up to more than the total',
      },
    ];
  if (hasRest && !query.other)
    return [{ severity: 'info', code: 'truncated', text: `Only the top ${shown} are shown` }];
  return [];
}
