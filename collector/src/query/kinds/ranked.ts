import { METRICS, type Metric } from '@ringflow/contract';
import { columnOf } from '../frames.ts';
import type { NameLookup } from '../resolve.ts';
import type { RunResult } from '../runner.ts';
import type { AnswerColumn } from '../values.ts';
import { groupLabel, type GroupLabel } from './labels.ts';

/** One group of a ranked answer. */
export interface RankedGroup {
  readonly label: GroupLabel;
  readonly sums: Readonly<Record<Metric, number>>;
}

export interface Ranked {
  /** Largest first. */
  readonly groups: readonly RankedGroup[];
  /** All that is not among them. */
  readonly rest: Readonly<Record<Metric, number>>;
  readonly highestRate: number;
}

/** Reads what `rankedSql` answers. */
export function readRanked(result: RunResult, columns: readonly AnswerColumn[], names: NameLookup): Ranked {
  const groups: RankedGroup[] = [];
  let rest: Record<Metric, number> = { bytes: 0, packets: 0, flows: 0 };
  let highestRate = 0;
  const at = 1 + columns.length;
  for (let row = 0; row < result.rows; row++) {
    highestRate = Math.max(highestRate, columnOf<number>(result, at + METRICS.length)[row] ?? 0);
    const sums = Object.fromEntries(
      METRICS.map((metric, index) => [metric, columnOf<number>(result, at + index)[row] ?? 0]),
    ) as Record<Metric, number>;
    if (columnOf<number>(result, 0)[row] === 1)
      groups.push({ label: groupLabel(result, row, 1, columns, names), sums });
    else rest = sums;
  }
  return { groups, rest, highestRate };
}

/** Adds up two sets of counters. */
export function addSums(
  a: Readonly<Record<Metric, number>>,
  b: Readonly<Record<Metric, number>>,
): Record<Metric, number> {
  return { bytes: a.bytes + b.bytes, packets: a.packets + b.packets, flows: a.flows + b.flows };
}

export const NO_SUMS: Readonly<Record<Metric, number>> = { bytes: 0, packets: 0, flows: 0 };
