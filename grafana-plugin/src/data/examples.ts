import type { PanelQuery } from '../types';

export interface Example {
  readonly title: string;
  readonly query: Omit<PanelQuery, 'refId'>;
}

/** Questions that people come with, and the query of each. */
export const EXAMPLES: readonly Example[] = [
  {
    title: 'What is the traffic?',
    query: { kind: 'timeseries', groupBy: ['app'] },
  },
  {
    title: 'Who fills the line?',
    query: { kind: 'table', groupBy: ['src_addr'], filter: 'direction = out', limit: 20 },
  },
  {
    title: 'How full are the interfaces?',
    query: { kind: 'timeseries', groupBy: ['sampler_address', 'in_if'], measure: 'utilization', other: false },
  },
  {
    title: 'In and out of the own networks, against last week',
    query: { kind: 'timeseries', mirror: true, compare: '1w' },
  },
  {
    title: 'Who talks to whom?',
    query: { kind: 'graph', groupBy: ['client_addr', 'server_addr'], limit: 30 },
  },
  {
    title: 'Where in the world?',
    query: { kind: 'geo', groupBy: ['dst_country'], filter: 'direction = out' },
  },
  {
    title: '95th percentile per AS, as transit is billed',
    query: { kind: 'table', groupBy: ['dst_as'], measure: 'p95' },
  },
  {
    title: 'How many hosts were seen?',
    query: { kind: 'stat', unique: ['src_addr', 'dst_addr'] },
  },
  {
    title: 'Connections that nobody answered',
    query: { kind: 'records', format: 'both', details: true, filter: 'proto = tcp and flags has syn and not ack' },
  },
  {
    title: 'Traffic with addresses on reputation lists',
    query: { kind: 'records', format: 'both', details: true, filter: 'src_threat != "" or dst_threat != ""' },
  },
  {
    title: 'How long do flows last?',
    query: { kind: 'heatmap', groupBy: ['duration'], metric: 'flows' },
  },
];

/** Conditions to learn the language from. */
export const FILTER_EXAMPLES: ReadonlyArray<{ readonly filter: string; readonly meaning: string }> = [
  { filter: 'src_addr in 10.0.0.0/8 and dst_port = 443', meaning: 'prefixes and ports' },
  { filter: 'addr = 192.0.2.1', meaning: 'either end; port, as, country and network work the same' },
  { filter: 'dst_port in (80, 443, 8000-8100)', meaning: 'lists and ranges' },
  { filter: 'service = https or service = domain', meaning: 'services by name' },
  { filter: 'bytes > 10M and duration > 30s', meaning: 'sizes and durations with units' },
  { filter: 'flags has syn and not ack', meaning: 'TCP flags' },
  { filter: 'exporter = "edge1" and in_if_name like "xe-%"', meaning: 'names, and patterns with %' },
  { filter: 'src_addr in @private and not dst_addr in @private', meaning: 'sets of the configuration' },
];
