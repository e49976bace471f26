import type { FrameNotice } from '@ringflow/contract';
import { columnOf } from '../frames.ts';
import type { Plan } from '../plan.ts';
import type { RunResult, SqlQuery } from '../runner.ts';
import { insideSql } from '../source.ts';
import { alias, integer, join, render, sql } from '../sql.ts';
import type { KindInput } from './kind.ts';

/** How much of an answer the top lists do not name; nothing to ask where none of them is read. */
export interface Unnamed {
  /** One or none, to be run with the others. */
  readonly statements: readonly SqlQuery[];
  /**
   * @param statements all of the query
   * @param results theirs, in order
   * @param shown the metric of each group that is shown, largest first
   */
  notices(
    statements: readonly SqlQuery[],
    results: readonly RunResult[],
    shown?: readonly number[],
  ): readonly FrameNotice[];
}

/**
 * Asks how much the lists name, and what a key can have at most that they do not: in each bucket and exporter it is
 * smaller than the largest that was left out, so the sum of those bounds it over the window.
 */
export function createUnnamed({ query, filter, filterColumns }: KindInput, plan: Plan): Unnamed {
  const { open } = plan;
  if (!open) return { statements: [], notices: () => [] };
  const { metric } = query;
  // A filter on what is not known of unnamed rows tells nothing about them: then it is said of all traffic.
  const counted = filterColumns.includes('dup') ? sql`dup = 0` : sql`1`;
  const condition = open.matchesUnnamed ? filter : counted;
  const parts = plan.parts.flatMap((part) =>
    part.list
      ? [
          sql`SELECT ${alias(metric)} AS m_sum, other AS m_other, ${alias(`floor_${metric}`)} AS m_floor FROM ${alias(part.table)} AS rings WHERE list = ${integer(part.list.id)} AND ${insideSql(part)} AND (${condition})`,
        ]
      : [],
  );
  const statement = render(
    sql`SELECT sum(m_sum), sumIf(m_sum, m_other = 1), sum(m_floor) FROM (${join(parts, ' UNION ALL ')})`,
  );
  return {
    statements: [statement],
    notices: (statements, results, shown = []) => {
      const result = results[statements.indexOf(statement)];
      const [total, unnamed, floor] = [0, 1, 2].map((at) => columnOf<number>(result, at)[0] ?? 0) as [
        number,
        number,
        number,
      ];
      if (total === 0 || unnamed === 0) return [];
      const percent = percentText(unnamed / total);
      const text = open.matchesUnnamed
        ? `${percent} of the ${metric} are of what the top lists do not name${surely(shown, floor, metric)}`
        : `${percent} of all ${metric} are of what the top lists do not name, and not counted here${surely(shown, floor, metric)}`;
      return [{ severity: 'info', code: 'approximate', text }];
    },
  };
}

/** A key that is not listed has at most `floor`; rows above it belong into the top, whatever is missing. */
function surely(shown: readonly number[], floor: number, metric: string): string {
  if (shown.length === 0) return '';
  const sure = shown.filter((sum) => sum > floor).length;
  return `; one that is left out has at most ${floor} ${metric}, ${sure === shown.length ? 'less than any shown' : `less than ${sure} of the ${shown.length} shown`}`;
}

function percentText(share: number): string {
  const percent = share * 100;
  return percent < 0.1 ? 'Less than 0.1 %' : `${percent.toFixed(1)} %`;
}
