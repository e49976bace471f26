import { COMPUTED_FIELDS, type ComputedField, type DataFrameJson, type HistogramField } from '@ringflow/contract';
import { COMPUTED_SQL } from '../filter-sql.ts';
import { columnOf, frameOf, quantity, quantityConfig, samplingNotices, type FilledField } from '../frames.ts';
import { planQuery } from '../plan.ts';
import type { RunResult } from '../runner.ts';
import { sourceSql } from '../source.ts';
import { alias, columnSql, compiled, render, sql, type Sql } from '../sql.ts';
import type { KindInput, Prepared } from './kind.ts';
import { metricSum, neededColumns } from './grouped.ts';

/** Records by size, length or speed in powers of two: row n holds values above 2^(n−1) and up to 2^n. */
export function prepareHistogram(input: KindInput, field: HistogramField): Prepared {
  const { query, window, filter, names } = input;
  const isComputed = (COMPUTED_FIELDS as readonly string[]).includes(field);
  // Only single records know how large they were.
  const plan = planQuery(
    { ...query, kind: 'timeseries', resolution: 'raw' },
    window,
    neededColumns([], input.filterColumns),
    input.oldest,
    input.nowMs,
  );
  const value = isComputed ? compiled({ sql: COMPUTED_SQL[field as ComputedField], params: {} }) : columnSql(field);
  const source = sourceSql(plan, filter, {
    dimensions: [],
    bucketed: true,
    sides: 'rows',
    names,
    value: rangeSql(value),
  });
  const statement = render(
    sql`SELECT d0, bucket, ${metricSum(query.metric)} AS total, max(m_rate) FROM (${source}) GROUP BY d0, bucket HAVING ${alias('total')} > 0 ORDER BY bucket, d0`,
  );
  return { statements: [statement], frames: (results) => [frame(results[0] as RunResult)] };

  function frame(result: RunResult): DataFrameJson {
    const [exponents, buckets, sums, rates] = [0, 1, 2, 3].map((index) => columnOf<number>(result, index)) as [
      number[],
      number[],
      number[],
      number[],
    ];
    const { fromMs, toMs } = plan.window;
    const points = Math.max(0, Math.round((toMs - fromMs) / plan.stepMs));
    const times = Array.from({ length: points }, (_, index) => fromMs + index * plan.stepMs);
    const lowest = exponents.reduce((least, one) => Math.min(least, one), Infinity);
    const highest = exponents.reduce((most, one) => Math.max(most, one), -Infinity);
    const rows = Number.isFinite(lowest)
      ? Array.from({ length: highest - lowest + 1 }, () => new Array<number>(points).fill(0))
      : [];
    exponents.forEach((exponent, at) => {
      const index = Math.round(((buckets[at] ?? 0) * 1000 - fromMs) / plan.stepMs);
      const row = rows[exponent - lowest];
      if (row && index >= 0 && index < points) row[index] = sums[at] ?? 0;
    });
    const measure = query.measure === 'total' ? 'total' : 'rate';
    const fields: FilledField[] = [
      {
        name: 'time',
        type: 'time',
        config: { interval: plan.stepMs, displayNameFromDS: 'Time' },
        values: times,
      },
      ...rows.map((row, index): FilledField => {
        const name = String(2 ** (lowest + index));
        return {
          name,
          type: 'number',
          config: { ...quantityConfig(query.metric, measure), displayNameFromDS: name },
          values: row.map((sum) => quantity(sum, query.metric, measure, plan.stepMs / 1000)),
        };
      }),
    ];
    return frameOf(fields, {
      refId: query.refId,
      shape: 'heatmap',
      plan,
      statements: [statement],
      results: [result],
      notices: samplingNotices(plan, Math.max(0, ...rates), 1),
    });
  }
}

/** The power of two that a value is just not above; 0 for all up to 1. */
function rangeSql(value: Sql): Sql {
  return sql`toUInt8(ceil(log2(greatest(toFloat64(${value}), 1))))`;
}
