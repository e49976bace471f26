import { METRICS, type Metric } from '@ringflow/contract';
import type { FilledField } from '../frames.ts';
import { quantity, quantityConfig, quantityName } from '../frames.ts';
import { quantityText } from '../quantity-text.ts';
import { addSums, NO_SUMS } from './ranked.ts';

type Sums = Readonly<Record<Metric, number>>;

/** Where a node is at home, as far as its value tells; decides its colour. */
export type Locality = 'internal' | 'external' | 'unknown';

/** A node of a graph. */
export interface GraphNode {
  readonly id: string;
  readonly title: string;
  readonly subtitle: string;
  readonly locality: Locality;
  /** What leaves it and what comes in. */
  sent: Sums;
  received: Sums;
  /** What passes it, begins or ends there: each way once. */
  passed: Sums;
}

/** An edge of a graph; both of its ends are among the nodes. */
export interface GraphEdge {
  readonly source: string;
  readonly target: string;
  sums: Sums;
}

/** Nodes and edges, in the order in which they were first seen. */
export interface Graph {
  readonly nodes: ReadonlyMap<string, GraphNode>;
  readonly edges: ReadonlyMap<string, GraphEdge>;
  /** Adds traffic that goes from stop to stop. */
  add(stops: readonly Pick<GraphNode, 'id' | 'title' | 'subtitle' | 'locality'>[], sums: Sums): void;
}

export function createGraph(): Graph {
  const nodes = new Map<string, GraphNode>();
  const edges = new Map<string, GraphEdge>();
  return {
    nodes,
    edges,
    add: (stops, sums) => {
      const found = stops.map((stop) => {
        const node = nodes.get(stop.id) ?? { ...stop, sent: NO_SUMS, received: NO_SUMS, passed: NO_SUMS };
        nodes.set(stop.id, node);
        return node;
      });
      for (const node of new Set(found)) node.passed = addSums(node.passed, sums);
      found.slice(1).forEach((target, index) => {
        const source = found[index] as GraphNode;
        const key = JSON.stringify([source.id, target.id]);
        const edge = edges.get(key) ?? { source: source.id, target: target.id, sums: NO_SUMS };
        edge.sums = addSums(edge.sums, sums);
        edges.set(key, edge);
        source.sent = addSums(source.sent, sums);
        target.received = addSums(target.received, sums);
      });
    },
  };
}

/** How the numbers of a graph are shown. */
export interface GraphScale {
  readonly metric: Metric;
  readonly measure: 'rate' | 'total';
  readonly seconds: number;
}

/** Arcs by home of the node and way of the traffic; the colours are Grafana's own names, which fit both themes. */
const ARCS = [
  { name: 'arc__internal_sent', locality: 'internal', way: 'sent', label: 'Internal, sent', color: 'blue' },
  {
    name: 'arc__internal_received',
    locality: 'internal',
    way: 'received',
    label: 'Internal, received',
    color: 'light-blue',
  },
  { name: 'arc__external_sent', locality: 'external', way: 'sent', label: 'External, sent', color: 'orange' },
  {
    name: 'arc__external_received',
    locality: 'external',
    way: 'received',
    label: 'External, received',
    color: 'yellow',
  },
  { name: 'arc__sent', locality: 'unknown', way: 'sent', label: 'Sent', color: 'green' },
  { name: 'arc__received', locality: 'unknown', way: 'received', label: 'Received', color: 'light-green' },
] as const;

/** Radius of the node with the most traffic, and of one with none. */
const RADIUS = { most: 60, least: 25 } as const;
const THICKNESS = { most: 10, least: 1 } as const;

/** The frame of nodes (grafana.md 4.6): texts are formatted, because the panel shows numbers as they are. */
export function nodeFields(nodes: readonly GraphNode[], scale: GraphScale): FilledField[] {
  const { metric, measure, seconds } = scale;
  const most = Math.max(1, ...nodes.map(({ passed }) => passed[metric]));
  const text = ({ passed }: GraphNode, of: Metric): string => quantityText(passed[of], of, measure, seconds);
  const second: Metric = metric === 'flows' ? 'bytes' : 'flows';
  return [
    { name: 'id', type: 'string', config: {}, values: nodes.map(({ id }) => id) },
    { name: 'title', type: 'string', config: { displayNameFromDS: 'Name' }, values: nodes.map(({ title }) => title) },
    { name: 'subtitle', type: 'string', config: {}, values: nodes.map(({ subtitle }) => subtitle) },
    statField(
      'mainstat',
      metric,
      measure,
      nodes.map((node) => text(node, metric)),
    ),
    statField(
      'secondarystat',
      second,
      measure,
      nodes.map((node) => text(node, second)),
    ),
    ...ARCS.filter(({ locality }) => nodes.some((node) => node.locality === locality)).map(
      ({ name, locality, way, label, color }): FilledField => ({
        name,
        type: 'number',
        config: { displayName: label, color: { mode: 'fixed', fixedColor: color } },
        values: nodes.map((node) => (node.locality === locality ? arc(node, metric, way) : 0)),
      }),
    ),
    {
      name: 'nodeRadius',
      type: 'number',
      config: {},
      values: nodes.map(({ passed }) =>
        Math.round(RADIUS.least + (RADIUS.most - RADIUS.least) * Math.sqrt(passed[metric] / most)),
      ),
    },
    ...(['sent', 'received'] as const).flatMap((way) =>
      detailFields(
        `detail__${way}_`,
        way === 'sent' ? ', sent' : ', received',
        nodes.map((node) => node[way]),
        scale,
      ),
    ),
  ];
}

/** The frame of edges: one row each, with the numbers behind the texts for tables and maps. */
export function edgeFields(edges: readonly GraphEdge[], scale: GraphScale): FilledField[] {
  const { metric, measure, seconds } = scale;
  const most = Math.max(1, ...edges.map(({ sums }) => sums[metric]));
  const second: Metric = metric === 'flows' ? 'bytes' : 'flows';
  const text = (of: Metric): string[] => edges.map(({ sums }) => quantityText(sums[of], of, measure, seconds));
  return [
    {
      name: 'id',
      type: 'string',
      config: {},
      values: edges.map(({ source, target }) => `${source} → ${target}`),
    },
    { name: 'source', type: 'string', config: {}, values: edges.map(({ source }) => source) },
    { name: 'target', type: 'string', config: {}, values: edges.map(({ target }) => target) },
    statField('mainstat', metric, measure, text(metric)),
    statField('secondarystat', second, measure, text(second)),
    {
      name: 'thickness',
      type: 'number',
      config: {},
      values: edges.map(({ sums }) => THICKNESS.least + (THICKNESS.most - THICKNESS.least) * (sums[metric] / most)),
    },
    ...detailFields(
      'detail__',
      '',
      edges.map(({ sums }) => sums),
      scale,
    ),
  ];
}

function arc({ sent, received }: GraphNode, metric: Metric, way: 'sent' | 'received'): number {
  const total = sent[metric] + received[metric];
  // Arcs of a node add up to a whole circle, also where the metric is zero.
  if (total === 0) return way === 'sent' ? 1 : 0;
  return (way === 'sent' ? sent : received)[metric] / total;
}

function statField(name: string, metric: Metric, measure: 'rate' | 'total', values: string[]): FilledField {
  const { displayNameFromDS, description } = quantityConfig(metric, measure);
  return {
    name,
    type: 'string',
    config: {
      // The panel's legend reads the one, its tooltips the other.
      ...(displayNameFromDS === undefined ? {} : { displayNameFromDS, displayName: displayNameFromDS }),
      ...(description === undefined ? {} : { description }),
    },
    values,
  };
}

function detailFields(
  prefix: string,
  suffix: string,
  sums: readonly Sums[],
  { measure, seconds }: GraphScale,
): FilledField[] {
  return METRICS.map((metric): FilledField => {
    const config = quantityConfig(metric, measure);
    return {
      name: `${prefix}${quantityName(metric, measure)}`,
      type: 'number',
      config: {
        ...config,
        displayName: `${config.displayNameFromDS ?? metric}${suffix}`,
      },
      values: sums.map((one) => quantity(one[metric], metric, measure, seconds)),
    };
  });
}
