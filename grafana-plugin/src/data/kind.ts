import {
  HISTOGRAM_FIELDS,
  migrateQuery,
  QUERY_KIND_DEFAULTS,
  type FlowQuery,
  type Measure,
  type Metric,
  type QueryKind,
} from '@ringflow/contract';

/** Measures that make sense of a kind; `utilization` needs bytes of an interface. */
export function measuresOf(kind: QueryKind, metric: Metric): Measure[] {
  const measures: Readonly<Record<QueryKind, readonly Measure[]>> = {
    timeseries: ['rate', 'total', 'share', 'utilization', 'peak', 'p95'],
    table: ['total', 'rate', 'share', 'utilization', 'peak', 'p95'],
    stat: ['total', 'rate', 'peak', 'p95'],
    graph: ['total', 'rate'],
    geo: ['total', 'rate'],
    heatmap: ['rate', 'total'],
    records: [],
  };
  return measures[kind].filter((measure) => measure !== 'utilization' || metric === 'bytes');
}

/** What a kind is grouped by when nothing that fits was chosen before. */
const GROUPS: Readonly<Record<QueryKind, readonly string[]>> = {
  timeseries: ['app'],
  table: ['app'],
  stat: [],
  records: [],
  graph: ['client_addr', 'server_addr'],
  geo: ['dst_country'],
  heatmap: ['duration'],
};

const IS_PLACE = /(country|place|city|subdivision)$/;

/** The groups that are kept when another kind is chosen. */
function groupsFor(kind: QueryKind, groupBy: readonly string[]): string[] {
  const plain = groupBy.filter((name) => !(HISTOGRAM_FIELDS as readonly string[]).includes(name) && name !== 'hour');
  switch (kind) {
    case 'timeseries':
      return [...plain];
    case 'table':
      return plain.length > 0 ? [...plain] : [...GROUPS.table];
    case 'graph':
      return plain.length > 1 ? [...plain] : [...GROUPS.graph];
    case 'geo': {
      const places = plain.filter((name) => IS_PLACE.test(name)).slice(0, 2);
      return places.length > 0 ? places : [...GROUPS.geo];
    }
    case 'heatmap':
      return groupBy.length === 1 ? [...groupBy] : [...GROUPS.heatmap];
    case 'stat':
    case 'records':
      return [];
  }
}

/** What changes when another kind is chosen: only what that kind cannot have. */
export function changeKind(query: FlowQuery, kind: QueryKind): Partial<FlowQuery> {
  const defaults = migrateQuery({ kind });
  const allowed = measuresOf(kind, query.metric);
  // The usual measure of the old kind gives way to the usual one of the new.
  const usual = migrateQuery({ kind: query.kind }).measure;
  const keeps = query.measure !== usual && allowed.includes(query.measure);
  return {
    kind,
    groupBy: groupsFor(kind, query.groupBy),
    measure: keeps ? query.measure : defaults.measure,
    limit: QUERY_KIND_DEFAULTS[kind].limit ?? defaults.limit,
    offset: 0,
    sort: [],
    columns: [],
    unique: [],
  };
}

/** What changes when another measure is chosen: utilization is of an interface. */
export function changeMeasure(query: FlowQuery, measure: Measure): Partial<FlowQuery> {
  const interfaces = query.groupBy.filter((name) => name === 'in_if' || name === 'out_if');
  if (measure !== 'utilization' || (interfaces.length === 1 && query.groupBy.includes('sampler_address')))
    return { measure };
  return { measure, groupBy: ['sampler_address', interfaces[0] ?? 'in_if'] };
}

/** What changes when another metric is chosen. */
export function changeMetric(query: FlowQuery, metric: Metric): Partial<FlowQuery> {
  const allowed = measuresOf(query.kind, metric);
  return {
    metric,
    ...(query.kind === 'records' || allowed.includes(query.measure) ? {} : { measure: allowed[0] as Measure }),
  };
}

/** False while a query lacks what its kind needs; such a one is not sent. */
export function isAnswerable({ kind, groupBy }: FlowQuery): boolean {
  const least: Readonly<Record<QueryKind, number>> = {
    timeseries: 0,
    table: 1,
    records: 0,
    stat: 0,
    graph: 2,
    geo: 1,
    heatmap: 1,
  };
  return groupBy.length >= (least[kind] ?? 0);
}
