import { METRICS, type FrameNotice, type Metric } from '@ringflow/contract';
import {
  columnOf,
  frameOf,
  quantity,
  quantityConfig,
  quantityName,
  samplingNotices,
  type FilledField,
} from '../frames.ts';
import type { RunResult } from '../runner.ts';
import { planSlots, slotNotices, slotsSql, type SlotPlan } from '../slots.ts';
import { dimensionAlias } from '../source.ts';
import { alias, bind, EMPTY, integer, join, render, sql, type Sql } from '../sql.ts';
import { outputSql } from '../values.ts';
import { dimensionsOf, isPartition, metricOf } from './grouped.ts';
import type { Kind, KindInput } from './kind.ts';
import { displayName, groupLabel, labelFields } from './labels.ts';
import { createUnnamed } from './unnamed.ts';

/**
 * Peaks and percentiles: each group's slots are compared with each other, so groups do not add up to a total and there
 * is no `other`.
 */
const VALUES: Readonly<Record<Metric, Sql>> = {
  bytes: alias('v_bytes'),
  packets: alias('v_packets'),
  flows: alias('v_flows'),
};

/** Slots of a stretch of time that are not unknown: those in which the collector ran, or something was seen. */
function knownSlots(fromMs: number, toMs: number, slotMs: number, input: KindInput, oldestMs: number | null): number {
  let known = 0;
  const begin = oldestMs === null ? fromMs : Math.max(fromMs, Math.floor(oldestMs / slotMs) * slotMs);
  for (let at = begin; at < toMs; at += slotMs)
    if (!input.downtimes.some((down) => at >= down.fromMs && at + slotMs <= down.toMs)) known++;
  return known;
}

/** Place of the 95th percentile among `slots` values, from the smallest, which is 1 (nearest rank). */
const rankOf = (slots: number): number => Math.max(1, Math.ceil(0.95 * slots));

/** The value of a group: its largest slot, or the one at the rank when the slots without data are zeros. */
function valueSql(metric: Metric, measure: string, slots: number): Sql {
  const value = VALUES[metric];
  if (measure === 'peak') return sql`max(${value})`;
  const missing = integer(slots - rankOf(slots));
  return sql`if(toInt64(count()) > ${missing}, arrayElement(arraySort(groupArray(${value})), toInt64(count()) - ${missing}), 0)`;
}

/** Keys of the groups, largest value first. */
function rankedGroups(input: KindInput, slots: SlotPlan, known: number, offset: number, limit: number): Sql {
  const { query } = input;
  const keys = join(query.groupBy.map((_, index) => dimensionAlias(index)));
  const values = METRICS.map((metric) => sql`${valueSql(metric, query.measure, known)} AS ${alias(`w_${metric}`)}`);
  return sql`SELECT ${keys}, ${join(values)}, max(m_over) AS over, max(m_under) AS under FROM (${slotsSql(slots, input, query.groupBy)}) GROUP BY ${keys} ORDER BY ${orderSql(input)}, ${keys} LIMIT ${bind(limit, 'UInt64')} OFFSET ${bind(offset, 'UInt64')}`;
}

function orderSql({ query }: KindInput): Sql {
  const asked = (query.kind === 'table' ? query.sort : []).map(({ by, descending }) => {
    const at = query.groupBy.indexOf(by);
    const metric = metricOf(by.replace(/^(?:peak|p95)_/, '')) ?? query.metric;
    const expression = at >= 0 ? dimensionAlias(at) : alias(`w_${metric}`);
    return descending ? sql`${expression} DESC` : sql`${expression} ASC`;
  });
  return asked.length > 0 ? join(asked) : sql`${alias(`w_${query.metric}`)} DESC`;
}

const flagsOf = (result: RunResult, over: number): [boolean, boolean] =>
  [over, over + 1].map((at) => columnOf<number>(result, at).some((flag) => flag === 1)) as [boolean, boolean];

function noticesOf(
  input: KindInput,
  slots: SlotPlan,
  flags: readonly [boolean, boolean],
  more: boolean,
): FrameNotice[] {
  const notices = [...samplingNotices(slots.plan, 1, input.samplingRate), ...slotNotices(...flags, slots)];
  if (!isPartition(input.query))
    notices.push({
      severity: 'info',
      code: 'not_partitioned',
      text: 'A record counts for each of its two sides',
    });
  if (more) notices.push({ severity: 'info', code: 'truncated', text: `Only the top ${input.query.limit} are shown` });
  return notices;
}

/** `table`: the groups with the largest peak or percentile. */
export const prepareSlotTable: Kind = (input) => {
  const { query } = input;
  const slots = planSlots(input, query.groupBy);
  const { plan, slotMs } = slots;
  const columns = dimensionsOf(query);
  const known = knownSlots(plan.window.fromMs, plan.window.toMs, slotMs, input, plan.oldestMs);
  const outputs = columns.map((column, index) => outputSql(column, dimensionAlias(index)));
  const groups = rankedGroups(input, slots, known, query.offset, query.limit + 1);
  const unnamed = createUnnamed(input, plan);
  const statements = [
    render(sql`SELECT ${join(outputs)}, w_bytes, w_packets, w_flows, over, under FROM (${groups})`),
    ...unnamed.statements,
  ];
  const frames = (results: readonly RunResult[]) => {
    const result = results[0] as RunResult;
    const rows = Math.min(result.rows, query.limit);
    const labels = Array.from({ length: rows }, (_, row) => groupLabel(result, row, 0, columns, input.names));
    const at = columns.length;
    const fields: FilledField[] = [
      ...labelFields(labels, columns),
      ...METRICS.map((metric, index) =>
        slotField(input, metric, columnOf<number>(result, at + index).slice(0, rows), slotMs),
      ),
    ];
    const kept =
      query.columns.length === 0
        ? fields
        : fields.filter((field) => field.type === 'string' || query.columns.includes(field.name));
    const notices = [
      ...noticesOf(input, slots, flagsOf(result, at + 3), result.rows > rows),
      ...unnamed.notices(statements, results),
    ];
    return [frameOf(kept, { refId: query.refId, shape: 'table', plan, statements, results, notices })];
  };
  return { statements, frames };
};

/** `stat`: the peak or percentile of everything. */
export const prepareSlotStat: Kind = (input) => {
  const { query } = input;
  const slots = planSlots(input, []);
  const { plan, slotMs } = slots;
  const known = knownSlots(plan.window.fromMs, plan.window.toMs, slotMs, input, plan.oldestMs);
  const values = METRICS.map((metric) => valueSql(metric, query.measure, known));
  const unnamed = createUnnamed(input, plan);
  const statements = [
    render(sql`SELECT ${join(values)}, max(m_over), max(m_under) FROM (${slotsSql(slots, input, [])})`),
    ...unnamed.statements,
  ];
  const frames = (results: readonly RunResult[]) => {
    const result = results[0] as RunResult;
    const fields = METRICS.map((metric, index) =>
      slotField(input, metric, [columnOf<number>(result, index)[0] ?? 0], slotMs),
    );
    const first = quantityName(query.metric, query.measure);
    fields.sort((a, b) => Number(b.name === first) - Number(a.name === first));
    const kept = query.columns.length === 0 ? fields : fields.filter(({ name }) => query.columns.includes(name));
    const notices = [...noticesOf(input, slots, flagsOf(result, 3), false), ...unnamed.notices(statements, results)];
    return [frameOf(kept, { refId: query.refId, shape: 'stat', plan, statements, results, notices })];
  };
  return { statements, frames };
};

/** `timeseries`: the peak or percentile of every bucket, of the groups that have the largest in the whole window. */
export const prepareSlotSeries: Kind = (input) => {
  const { query } = input;
  const { metric, measure } = query;
  const slots = planSlots(input, query.groupBy);
  const { plan, slotMs } = slots;
  const columns = dimensionsOf(query);
  const known = knownSlots(plan.window.fromMs, plan.window.toMs, slotMs, input, plan.oldestMs);
  const outputs = columns.map((column, index) => sql`${outputSql(column, dimensionAlias(index))}, `);
  const keys = columns.map((_, index) => dimensionAlias(index));
  const keyList = keys.reduce((left, key) => sql`${left}${key}, `, EMPTY);
  const step = integer(plan.stepMs / 1000);
  // Of a bucket's slots no more than the largest twentieth and one can be the percentile.
  const slotsOfStep = plan.stepMs / slotMs;
  const value =
    measure === 'peak'
      ? sql`[max(${VALUES[metric]})]`
      : sql`arraySlice(arrayReverseSort(groupArray(${VALUES[metric]})), 1, ${integer(slotsOfStep - rankOf(slotsOfStep) + 1)})`;
  const top =
    keys.length === 0
      ? EMPTY
      : sql` WHERE (${join(keys)}) IN (SELECT ${join(keys)} FROM (${rankedGroups(input, slots, known, query.offset, query.limit)}))`;
  const unnamed = createUnnamed(input, plan);
  const statements = [
    render(
      sql`SELECT ${outputs.reduce((left, right) => sql`${left}${right}`, EMPTY)}start, largest, over, under FROM (SELECT ${keyList}intDiv(slot, ${step}) * ${step} AS start, ${value} AS largest, max(m_over) AS over, max(m_under) AS under FROM (${slotsSql(slots, input, query.groupBy)})${top} GROUP BY ${keyList}start) ORDER BY start`,
    ),
    ...unnamed.statements,
  ];
  const frames = (results: readonly RunResult[]) => {
    const result = results[0] as RunResult;
    const { fromMs, toMs } = plan.window;
    const points = Math.max(0, Math.round((toMs - fromMs) / plan.stepMs));
    const times = Array.from({ length: points }, (_, index) => fromMs + index * plan.stepMs);
    const knowns = times.map((time) => knownSlots(time, time + plan.stepMs, slotMs, input, plan.oldestMs));
    // What nobody knows is null; where something was seen, all the same, the value is.
    const empty = (): (number | null)[] => knowns.map((count) => (count === 0 ? null : 0));
    const series = new Map<string, { row: number; values: (number | null)[] }>();
    if (columns.length === 0) series.set('[]', { row: -1, values: empty() });
    const starts = columnOf<number>(result, columns.length);
    const largest = columnOf<number[]>(result, columns.length + 1);
    for (let row = 0; row < result.rows; row++) {
      const key = JSON.stringify(columns.map((_, index) => columnOf(result, index)[row]));
      const one = series.get(key) ?? { row, values: empty() };
      series.set(key, one);
      const at = Math.round(((starts[row] ?? 0) * 1000 - fromMs) / plan.stepMs);
      const slotsThere = Math.max(1, knowns[at] ?? 1);
      if (at >= 0 && at < points)
        one.values[at] = largest[row]?.[measure === 'peak' ? 0 : slotsThere - rankOf(slotsThere)] ?? 0;
    }
    const fields = [...series.values()]
      .map(({ row, values }): FilledField => {
        const field = slotField(input, metric, values, slotMs);
        if (row < 0) return field;
        const label = groupLabel(result, row, 0, columns, input.names);
        return {
          ...field,
          labels: Object.fromEntries(query.groupBy.map((name, index) => [name, label.texts[index] ?? ''])),
          config: { ...field.config, displayNameFromDS: (input.seriesName ?? displayName)(label) },
        };
      })
      .sort((a, b) => largestOf(b) - largestOf(a));
    const time: FilledField = {
      name: 'time',
      type: 'time',
      config: { interval: plan.stepMs, displayNameFromDS: 'Time' },
      values: times,
    };
    const notices = [
      ...noticesOf(input, slots, flagsOf(result, columns.length + 2), false),
      ...unnamed.notices(statements, results),
    ];
    return [
      frameOf([time, ...fields], { refId: query.refId, shape: 'timeseries', plan, statements, results, notices }),
    ];
  };
  return { statements, frames };
};

const largestOf = ({ values }: FilledField): number => Math.max(0, ...(values as (number | null)[]).map(Number));

/** Sums of slots as rates. */
function slotField(
  { query }: KindInput,
  metric: Metric,
  sums: readonly (number | null)[],
  slotMs: number,
): FilledField {
  return {
    name: quantityName(metric, query.measure),
    type: 'number',
    config: quantityConfig(metric, query.measure),
    values: sums.map((sum) => (sum === null ? null : quantity(sum, metric, 'rate', slotMs / 1000))),
  };
}
