import { METRICS, type FrameNotice, type Metric } from '@ringflow/contract';
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
import { dimensionsOf, isPartition, planGroups, rankedSql, totalSql } from './grouped.ts';
import type { Kind, KindInput } from './kind.ts';
import { groupLabel, labelFields, otherLabel, type GroupLabel } from './labels.ts';
import { secondsOf } from './stat.ts';
import { prepareSlotTable } from './slot-answers.ts';
import { createUnnamed } from './unnamed.ts';

interface Row {
  readonly label: GroupLabel;
  readonly sums: Readonly<Record<Metric, number>>;
}

/** The top `limit` groups by any combination of columns, with bytes, packets, flows and share, and `other`. */
export const prepareTable: Kind = (input) => {
  const { query } = input;
  if (isOfSlots(query.measure)) return prepareSlotTable(input);
  const plan = planGroups(input, query.groupBy);
  const columns = dimensionsOf(query);
  const partition = isPartition(query);
  const unnamed = createUnnamed(input, plan);
  const statements = [
    render(rankedSql(input, plan)),
    ...(partition ? [] : [render(totalSql(input, plan, false))]),
    ...unnamed.statements,
  ];

  const frames = (results: readonly RunResult[]) => {
    const grouped = results[0] as RunResult;
    const rows: Row[] = [];
    let rest: Row | null = null;
    let highestRate = 0;
    const at = 1 + columns.length;
    for (let row = 0; row < grouped.rows; row++) {
      highestRate = Math.max(highestRate, columnOf<number>(grouped, at + 3)[row] ?? 0);
      const sums = Object.fromEntries(
        METRICS.map((metric, index) => [metric, columnOf<number>(grouped, at + index)[row] ?? 0]),
      ) as Record<Metric, number>;
      if (columnOf<number>(grouped, 0)[row] === 1)
        rows.push({ label: groupLabel(grouped, row, 1, columns, input.names), sums });
      else if (METRICS.some((metric) => sums[metric] > 0)) rest = { label: otherLabel(columns), sums };
    }
    const shown = rest && query.other && partition ? [...rows, rest] : rows;
    const shares = sharesOf(shown, rows, rest, partition ? null : (results[1] as RunResult), query.metric);
    const seconds = secondsOf(plan.window, input.nowMs);
    const measure = query.measure === 'rate' || query.measure === 'utilization' ? 'rate' : 'total';
    const fields: FilledField[] = [
      ...labelFields(
        shown.map((row) => row.label),
        columns,
      ),
      ...METRICS.map((metric): FilledField => ({
        name: quantityName(metric, measure),
        type: 'number',
        config: quantityConfig(metric, measure),
        values: shown.map((row) => quantity(row.sums[metric], metric, measure, seconds)),
      })),
      ...(query.measure === 'utilization'
        ? [
            {
              name: 'utilization',
              type: 'number' as const,
              config: quantityConfig('bytes', 'utilization'),
              values: shown.map((row) => utilization(row.sums.bytes, seconds, row.label.speedBps)),
            },
          ]
        : []),
      { name: 'share', type: 'number', config: quantityConfig(query.metric, 'share'), values: shares },
    ];
    const kept =
      query.columns.length === 0
        ? fields
        : fields.filter((field) => field.type === 'string' || query.columns.includes(field.name));
    return [
      frameOf(kept, {
        refId: query.refId,
        shape: 'table',
        plan,
        statements,
        results,
        notices: [
          ...samplingNotices(plan, highestRate, input.samplingRate),
          ...unnamed.notices(
            statements,
            results,
            rows.map(({ sums }) => sums[query.metric]),
          ),
          ...tableNotices(input, rows.length, rest !== null, partition),
        ],
      }),
    ];
  };
  return { statements, frames };
};

function sharesOf(
  shown: readonly Row[],
  rows: readonly Row[],
  rest: Row | null,
  totals: RunResult | null,
  metric: Metric,
): number[] {
  if (totals) {
    const total = columnOf<number>(totals, METRICS.indexOf(metric))[0] ?? 0;
    return shown.map((row) => plainShare(row.sums[metric], total));
  }
  const parts = [...rows, ...(rest ? [rest] : [])].map((row) => row.sums[metric]);
  return largestRemainder(
    parts,
    parts.reduce((sum, part) => sum + part, 0),
  ).slice(0, shown.length);
}

function tableNotices({ query }: KindInput, shown: number, hasRest: boolean, partition: boolean): FrameNotice[] {
  const notices: FrameNotice[] = [];
  if (!partition)
    notices.push({
      severity: 'info',
      code: 'not_partitioned',
      text: 'A record counts for each of its two sides, so the rows add up to more than the total',
    });
  else if (hasRest && !query.other)
    notices.push({
      severity: 'info',
      code: 'truncated',
      text: `Rows ${query.offset + 1} to ${query.offset + shown} are shown, there are more`,
    });
  return notices;
}
