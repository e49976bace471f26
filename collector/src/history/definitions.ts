import type { ColumnName } from '@ringflow/contract';

/** The gauges of the history: what each counts, of whom, with which labels. */

/** Whose traffic: label sets as on `/metrics`. */
export interface Family {
  readonly id: FamilyId;
  /** Begins the names of its gauges. */
  readonly prefix: `ringflow_history_${string}`;
  /** What its help text says about it. */
  readonly of: string;
  readonly labels: readonly string[];
  /** Each adds series; together they are the family. */
  readonly parts: readonly FamilyPart[];
}

export interface FamilyPart {
  /** Ring columns whose values make the labels; none for a watch, whose filter says all. */
  readonly keys: readonly ColumnName[];
  /** Labels with the same value in the whole part. */
  readonly fixed: Readonly<Record<string, string>>;
}

export type FamilyId = 'interface' | 'exporter' | 'protocol' | 'service' | 'direction' | 'as' | 'network' | 'watch';

export const FAMILIES: readonly Family[] = [
  {
    id: 'interface',
    prefix: 'ringflow_history_',
    of: 'an interface (ifIndex) and direction',
    labels: ['exporter', 'interface', 'direction'],
    parts: [
      { keys: ['sampler_address', 'in_if'], fixed: { direction: 'in' } },
      { keys: ['sampler_address', 'out_if'], fixed: { direction: 'out' } },
    ],
  },
  {
    id: 'exporter',
    prefix: 'ringflow_history_exporter_',
    of: 'an exporter',
    labels: ['exporter'],
    parts: [{ keys: ['sampler_address'], fixed: {} }],
  },
  {
    id: 'protocol',
    prefix: 'ringflow_history_protocol_',
    of: 'an IP protocol',
    labels: ['protocol'],
    parts: [{ keys: ['proto'], fixed: {} }],
  },
  {
    id: 'service',
    prefix: 'ringflow_history_service_',
    of: 'a configured service (metrics.services), or all others',
    labels: ['service'],
    parts: [{ keys: ['service'], fixed: {} }],
  },
  {
    id: 'direction',
    prefix: 'ringflow_history_direction_',
    of: 'a direction, seen from the own networks: in, out, internal, transit, unknown',
    labels: ['direction'],
    parts: [{ keys: ['direction'], fixed: {} }],
  },
  {
    id: 'as',
    prefix: 'ringflow_history_as_',
    of: 'an AS (its number) as source or destination (side)',
    labels: ['as', 'side'],
    parts: [
      { keys: ['src_as'], fixed: { side: 'src' } },
      { keys: ['dst_as'], fixed: { side: 'dst' } },
    ],
  },
  {
    id: 'network',
    prefix: 'ringflow_history_network_',
    of: 'a configured network as source or destination (side)',
    labels: ['network', 'side'],
    parts: [
      { keys: ['src_network'], fixed: { side: 'src' } },
      { keys: ['dst_network'], fixed: { side: 'dst' } },
    ],
  },
  {
    id: 'watch',
    prefix: 'ringflow_history_watch_',
    of: 'a configured filter (metrics.watches) whose fields some ring has',
    labels: ['watch'],
    parts: [],
  },
];

/** What is measured: a counter of the rings, per second. */
export interface Measure {
  /** Ends the names of its gauges. */
  readonly suffix: string;
  readonly counter: 'bytes' | 'packets' | 'flows';
  /** The busiest whole minute of the bucket, in place of its mean. */
  readonly isPeak: boolean;
  /** Bits of a byte. */
  readonly factor: number;
  readonly what: string;
}

export const MEASURES: readonly Measure[] = [
  { suffix: 'bits_per_second', counter: 'bytes', isPeak: false, factor: 8, what: 'Bits per second' },
  { suffix: 'packets_per_second', counter: 'packets', isPeak: false, factor: 1, what: 'Packets per second' },
  { suffix: 'flow_records_per_second', counter: 'flows', isPeak: false, factor: 1, what: 'Flow records per second' },
  { suffix: 'peak_bits_per_second', counter: 'bytes', isPeak: true, factor: 8, what: 'Bits per second' },
  { suffix: 'peak_packets_per_second', counter: 'packets', isPeak: true, factor: 1, what: 'Packets per second' },
  {
    suffix: 'peak_flow_records_per_second',
    counter: 'flows',
    isPeak: true,
    factor: 1,
    what: 'Flow records per second',
  },
];

/** Names of interfaces and exporters for all times, because `ringflow_interface_info` reaches back to the first scrape only. */
export const INFO_GAUGES = [
  {
    name: 'ringflow_history_exporter_info',
    labels: ['exporter', 'name'],
    help: 'Always 1: the name that an exporter has now, for joining at any time',
  },
  {
    name: 'ringflow_history_interface_info',
    labels: ['exporter', 'interface', 'name', 'description'],
    help: 'Always 1: the name and description that an interface has now, for joining at any time',
  },
] as const;

/** Every gauge by name, for the reference and for tests. */
export function gaugeNames(): string[] {
  return [
    ...FAMILIES.flatMap(({ prefix }) => MEASURES.map(({ suffix }) => prefix + suffix)),
    ...INFO_GAUGES.map(({ name }) => name),
  ];
}
