import { METRICS, type FrameNotice } from '@ringflow/contract';
import {
  columnOf,
  frameOf,
  quantity,
  quantityConfig,
  quantityName,
  samplingNotices,
  type FilledField,
} from '../frames.ts';
import { planQuery } from '../plan.ts';
import type { RunResult } from '../runner.ts';
import { isOfSlots } from '../slots.ts';
import { dimensionAlias, sourceSql } from '../source.ts';
import { alias, EMPTY, functionName, integer, join, render, sql } from '../sql.ts';
import { answerColumn, isEitherSide, type AnswerColumn } from '../values.ts';
import type { Window } from '../window.ts';
import { metricSum, neededColumns, planGroups } from './grouped.ts';
import type { Kind } from './kind.ts';
import { prepareSlotStat } from './slot-answers.ts';
import { createUnnamed } from './unnamed.ts';

/** Distinct values are counted one by one up to here and estimated beyond (semantics 5.11). */
export const MAX_EXACT_UNIQUE = 100_000;

/** Totals of bytes, packets and flows, and how many distinct values columns have: one row. */
export const prepareStat: Kind = (input) => {
  const { query, filter } = input;
  if (isOfSlots(query.measure)) return prepareSlotStat(input);
  // Distinct values need all of them, and a top list has the largest.
  const plan =
    query.unique.length === 0
      ? planGroups(input, [])
      : planQuery(query, input.window, neededColumns(query.unique, input.filterColumns), input.oldest, input.nowMs, {
          facts: input.facts,
        });
  const unnamed = createUnnamed(input, plan);
  const source = sourceSql(plan, filter, {
    dimensions: query.unique,
    bucketed: false,
    sides: 'arrays',
    names: input.names,
  });
  // The set stops growing one past the bound, so memory is bounded; then the estimate, counted alongside, answers.
  const uniques = query.unique.map((dimension, index) => {
    const [distinct, estimate] = isEitherSide(dimension)
      ? (['groupUniqArrayArrayIf', 'uniqCombined64ArrayIf'] as const)
      : (['groupUniqArrayIf', 'uniqCombined64If'] as const);
    const seen = sql`m_bytes + m_packets + m_flows > 0`;
    const value = dimensionAlias(index);
    return sql`length(${functionName(distinct)}(${integer(MAX_EXACT_UNIQUE + 1)})(${value}, ${seen})) AS ${alias(`n${index}`)}, if(n${integer(index)} <= ${integer(MAX_EXACT_UNIQUE)}, n${integer(index)}, ${functionName(estimate)}(${value}, ${seen}))`;
  });
  const statements = [
    render(
      sql`SELECT ${join(METRICS.map(metricSum))}, max(m_rate)${uniques.length > 0 ? sql`, ${join(uniques)}` : EMPTY} FROM (${source})`,
    ),
    ...unnamed.statements,
  ];

  const frames = (results: readonly RunResult[]) => {
    const result = results[0] as RunResult;
    const seconds = secondsOf(plan.window, input.nowMs);
    const measure = query.measure === 'rate' ? 'rate' : 'total';
    const sums: FilledField[] = METRICS.map((metric, index) => ({
      name: quantityName(metric, measure),
      type: 'number',
      config: quantityConfig(metric, measure),
      values: [quantity(columnOf<number>(result, index)[0] ?? 0, metric, measure, seconds)],
    }));
    // The metric that was asked for comes first: it is what a panel shows that takes one number.
    sums.sort(
      (a, b) =>
        Number(b.name === quantityName(query.metric, measure)) - Number(a.name === quantityName(query.metric, measure)),
    );
    const notices: FrameNotice[] = [
      ...samplingNotices(plan, columnOf<number>(result, 3)[0] ?? 0, input.samplingRate),
      ...unnamed.notices(statements, results),
    ];
    const counts = query.unique.map((dimension, index): FilledField => {
      const column = answerColumn(dimension) as AnswerColumn;
      const count = columnOf<number>(result, 5 + index * 2)[0] ?? 0;
      if (count > MAX_EXACT_UNIQUE)
        notices.push({
          severity: 'info',
          code: 'approximate',
          text: `${column.label}: more than ${MAX_EXACT_UNIQUE} distinct values, estimated with an error of about 0.5 %`,
        });
      return {
        name: `unique_${dimension}`,
        type: 'number',
        config: {
          displayNameFromDS: `Distinct: ${column.label.toLowerCase()}`,
          description: `Distinct values of: ${column.description}`,
          unit: 'short',
          min: 0,
        },
        values: [count],
      };
    });
    const fields = [...sums, ...counts];
    const kept = query.columns.length === 0 ? fields : fields.filter((field) => query.columns.includes(field.name));
    return [frameOf(kept, { refId: query.refId, shape: 'stat', plan, statements, results, notices })];
  };
  return { statements, frames };
};

/** Seconds of the window that have passed; what rates are divided by. */
export function secondsOf(window: Window, nowMs: number): number {
  const endMs = nowMs > window.fromMs ? Math.min(window.toMs, nowMs) : window.toMs;
  return (endMs - window.fromMs) / 1000;
}
