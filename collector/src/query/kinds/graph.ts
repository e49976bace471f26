import type { DataFrameJson, FrameNotice } from '@ringflow/contract';
import { frameOf, samplingNotices } from '../frames.ts';
import { quantityText } from '../quantity-text.ts';
import { isOfExporter } from '../resolve.ts';
import type { RunResult } from '../runner.ts';
import { render } from '../sql.ts';
import { isEitherSide, type AnswerColumn } from '../values.ts';
import { dimensionsOf, planGroups, rankedSql } from './grouped.ts';
import { named, second } from './frame-parts.ts';
import type { Kind, KindInput } from './kind.ts';
import type { GroupLabel } from './labels.ts';
import { localityOf } from './locality.ts';
import { createGraph, edgeFields, nodeFields, type GraphNode } from './nodes.ts';
import { readRanked, type Ranked } from './ranked.ts';
import { secondsOf } from './stat.ts';
import { createUnnamed } from './unnamed.ts';

/**
 * Who sends to whom: the top `limit` combinations of the groups as ways from the first group to the last, a node per
 * value and an edge per pair of neighbours. Values of the two sides of one thing are the same node.
 */
export const prepareGraph: Kind = (input) => {
  const { query, names } = input;
  const plan = planGroups(input, query.groupBy);
  const columns = dimensionsOf(query);
  const unnamed = createUnnamed(input, plan);
  const statements = [render(rankedSql(input, plan)), ...unnamed.statements];

  const frames = (results: readonly RunResult[]): DataFrameJson[] => {
    const ranked = readRanked(results[0] as RunResult, columns, names);
    const scale = {
      metric: query.metric,
      measure: query.measure === 'rate' ? ('rate' as const) : ('total' as const),
      seconds: secondsOf(plan.window, input.nowMs),
    };
    const graph = createGraph();
    for (const { label, sums } of ranked.groups) graph.add(stopsOf(label, columns), sums);
    const notices = [
      ...samplingNotices(plan, ranked.highestRate, input.samplingRate),
      ...unnamed.notices(statements, results),
      ...graphNotices(input, ranked, scale),
    ];
    const context = { refId: query.refId, shape: 'graph', plan, statements, results, notices } as const;
    const nodes = frameOf(nodeFields([...graph.nodes.values()], scale), context);
    const edges = frameOf(edgeFields([...graph.edges.values()], scale), context);
    return [named('nodes', nodes), named('edges', second(edges))];
  };
  return { statements, frames };
};

/** The nodes that a group passes, in order. */
export function stopsOf(
  label: GroupLabel,
  columns: readonly AnswerColumn[],
): Pick<GraphNode, 'id' | 'title' | 'subtitle' | 'locality'>[] {
  const exporter = label.texts[columns.findIndex(({ name }) => name === 'sampler_address')];
  return columns.map((column, index) => {
    const text = label.texts[index] ?? '';
    const name = label.names[index];
    const base = baseOf(column.name);
    // An ifIndex is an exporter's own.
    const owner = isOfExporter(column) && exporter !== undefined ? `${exporter}/` : '';
    const title = name ?? (text === '' ? 'unknown' : text);
    return {
      id: `${base}:${owner}${text}`,
      title,
      subtitle: name === undefined || name === text || column.text === 'named' ? '' : text,
      locality: localityOf(base, text),
    };
  });
}

/** What both sides of a thing have in common: `addr` of `src_addr`, `client_addr` … */
function baseOf(name: string): string {
  return name.replace(/^(src|dst|client|server|in|out|ingress|egress)_/, '');
}

function graphNotices(
  { query }: KindInput,
  { groups, rest }: Ranked,
  { metric, measure, seconds }: { metric: KindInput['query']['metric']; measure: 'rate' | 'total'; seconds: number },
): FrameNotice[] {
  const notices: FrameNotice[] = [];
  if (rest.bytes + rest.packets + rest.flows > 0)
    notices.push({
      severity: 'info',
      code: 'truncated',
      text: `The top ${groups.length} ways are drawn; ${quantityText(rest[metric], metric, measure, seconds)} take others`,
    });
  if (query.groupBy.some(isEitherSide))
    notices.push({
      severity: 'info',
      code: 'not_partitioned',
      text: 'A record counts for each of its two sides, so the edges add up to more than the total',
    });
  return notices;
}
