import type {
  ColumnGroup,
  CompareWindow,
  EventKind,
  DuplicateMode,
  Measure,
  Metric,
  QueryKind,
  QueryResolution,
  RecordFormat,
} from '@ringflow/contract';
import type { VariableType } from './types';

/** A choice as editors show it. */
export interface Choice<T extends string> {
  value: T;
  label: string;
  description?: string;
}

export const KINDS: ReadonlyArray<Choice<QueryKind>> = [
  { value: 'timeseries', label: 'Time series', description: 'How much, over time: one line per group' },
  { value: 'table', label: 'Table', description: 'The largest groups: top N with what is left as "other"' },
  {
    value: 'stat',
    label: 'Total',
    description: 'One number for the whole time, or how many different values there were',
  },
  { value: 'graph', label: 'Flow graph', description: 'Who talks to whom: nodes and edges (node graph panel)' },
  { value: 'geo', label: 'Map', description: 'Countries or places and the lines between them (geomap panel)' },
  { value: 'heatmap', label: 'Heatmap', description: 'How sizes, lengths or hours are spread (heatmap panel)' },
  { value: 'records', label: 'Records', description: 'Single flow records, as rows or as log lines' },
];

export const METRICS: ReadonlyArray<Choice<Metric>> = [
  { value: 'bytes', label: 'Traffic', description: 'Layer 3 bytes, scaled by the sampling rate' },
  { value: 'packets', label: 'Packets', description: 'Packets, scaled by the sampling rate' },
  { value: 'flows', label: 'Flows', description: 'Flow records, not scaled' },
];

const RATES: Readonly<Record<Metric, string>> = { bytes: 'Bits/s', packets: 'Packets/s', flows: 'Flows/s' };
const SUMS: Readonly<Record<Metric, string>> = { bytes: 'Bytes', packets: 'Packets', flows: 'Flows' };

export function measureChoice(measure: Measure, metric: Metric): Choice<Measure> {
  switch (measure) {
    case 'rate':
      return { value: measure, label: RATES[metric], description: 'Average per second' };
    case 'total':
      return { value: measure, label: SUMS[metric], description: 'The sum' };
    case 'share':
      return { value: measure, label: 'Share (%)', description: 'Percent of everything that the filter leaves' };
    case 'utilization':
      return { value: measure, label: 'Utilization (%)', description: 'Percent of the speed of the interface' };
    case 'peak':
      return { value: measure, label: `Peak ${RATES[metric].toLowerCase()}`, description: 'The busiest minute' };
    case 'p95':
      return {
        value: measure,
        label: `95th percentile ${RATES[metric].toLowerCase()}`,
        description: 'Of 5-minute rates, as transit is billed',
      };
  }
}

export const COMPARES: ReadonlyArray<Choice<CompareWindow>> = [
  { value: 'none', label: 'Nothing' },
  { value: '1h', label: '1 hour before' },
  { value: '1d', label: '1 day before' },
  { value: '1w', label: '1 week before' },
  { value: '4w', label: '4 weeks before' },
];

export const RESOLUTIONS: ReadonlyArray<Choice<QueryResolution>> = [
  { value: 'auto', label: 'Automatic', description: 'The coarsest that is fine enough and knows every field' },
  { value: 'raw', label: 'Single records', description: 'Every field, as far back as records are kept' },
  { value: '1m', label: '1 minute' },
  { value: '5m', label: '5 minutes' },
  { value: '1h', label: '1 hour' },
  { value: '1d', label: '1 day' },
];

export const DUPLICATES: ReadonlyArray<Choice<DuplicateMode>> = [
  { value: 'auto', label: 'Automatic', description: 'Left out of totals, counted for exporters and interfaces' },
  { value: 'count', label: 'Count', description: 'Every record counts' },
  { value: 'leave_out', label: 'Leave out', description: 'Packets that two records count are counted once' },
];

export const FORMATS: ReadonlyArray<Choice<RecordFormat>> = [
  { value: 'table', label: 'Rows', description: 'For tables' },
  { value: 'logs', label: 'Log lines', description: 'For the logs panel' },
  { value: 'both', label: 'Both', description: 'Explore shows both' },
];

export const VARIABLE_TYPES: ReadonlyArray<Choice<VariableType>> = [
  { value: 'exporters', label: 'Exporters', description: 'All that the collector knows' },
  { value: 'interfaces', label: 'Interfaces', description: 'Input and output interfaces that carried traffic' },
  { value: 'networks', label: 'Networks', description: 'Names of the configured networks' },
  { value: 'values', label: 'Values of a field', description: 'Those with the most traffic first' },
  { value: 'fields', label: 'Fields', description: 'Names of fields to group by' },
];

/** Headings of the registry's groups of fields, in the order in which people look for them. */
export const GROUPS: Readonly<Record<ColumnGroup, string>> = {
  addresses: 'Addresses and ports',
  roles: 'Client and server',
  application: 'Application',
  interfaces: 'Interfaces',
  record: 'Exporter and record',
  routing: 'Routing',
  geography: 'Geography',
  networks: 'Networks',
  threats: 'Reputation',
  ip: 'IP header',
  counters: 'Counters',
  layer2: 'Ethernet',
  nat: 'Translation and firewall',
  tunnel: 'Tunnels',
};

export const LABELS = {
  kind: 'Show',
  perspective: 'Perspective',
  perspectiveCustom: 'Own choice',
  groupBy: 'Group by',
  stops: 'Stops on the way',
  places: 'Places',
  spread: 'Spread of',
  metric: 'Count',
  measure: 'As',
  limit: 'Top',
  limitRecords: 'Records',
  other: 'Other',
  mirror: 'Mirror',
  filter: 'Filter',
  builder: 'Builder',
  text: 'Text',
  addCondition: 'Add condition',
  removeCondition: 'Remove condition',
  field: 'Field',
  operator: 'Operator',
  values: 'Values',
  options: 'Options',
  compare: 'Compare with',
  baseline: 'Deviation from usual',
  resolution: 'Resolution',
  duplicates: 'Duplicates',
  legend: 'Legend',
  format: 'As',
  columns: 'Columns',
  sort: 'Order by',
  descending: 'Largest first',
  offset: 'Skip',
  unique: 'Count different',
  details: 'Rows that open',
  resolve: 'Host names',
} as const;

export const HINTS = {
  perspective: 'Sets the groups to a usual way to look at traffic',
  groupBy: 'A line or row for each combination of these; none = one total',
  stops: 'Two or more fields: traffic flows from the first to the last',
  places: 'One country or place for markers, two for markers and lines',
  spread: 'A size or length in powers of two, the hour of the day, or any other field',
  limit: 'The largest groups get a line or row of their own',
  other: 'Add everything else as "other", so that the parts add up to the total',
  mirror: 'Also draw the other way (source and destination swapped) below the axis',
  compare: 'The same groups, this much earlier',
  baseline: 'Deviation in percent from the median of the same hour of the last four weeks',
  resolution: 'Which table answers; the inspector says which one did',
  duplicates: 'What happens to records whose packets another record counts, too',
  legend: '{{field}} stands for the value of a group; empty = the values',
  offset: 'Rows to skip: page n of size s begins at (n − 1) × s; a variable will do',
  unique: 'How many different values these fields had',
  columns: 'Empty = all; with rows that open: the usual ones',
  details: 'The columns stay, everything else that a record says is inside its row',
  resolve: 'Shown in place of addresses; the collector asks its name servers for them',
  onlyText: 'This filter says more than rows can show (or, brackets, not, between): edit it as text',
} as const;

export const CONFIG = {
  connection: 'Collector',
  url: 'URL',
  urlHint: "The collector's HTTP address as Grafana's server reaches it, port 8055 unless it was changed",
  urlBad: 'Write it with its scheme, such as http://localhost:8055',
  token: 'Token',
  tokenHint: 'The value of http.token of the collector; leave it empty where none is configured',
  tokenPlaceholder: 'Only where the collector wants one',
  statusPage: 'Status page of the collector',
  statusHint: '(opens where your browser reaches that address)',
  tls: 'TLS',
  skipVerify: 'Skip verification',
  skipVerifyHint: 'Takes any certificate: for tests only',
  ownCa: 'Own authority',
  ownCaHint: 'The certificate of the collector was signed by an authority of your own',
  caCert: 'Certificate of the authority',
  clientCert: 'Client certificate',
  clientCertHint: 'Grafana shows a certificate to the collector, or to a proxy in front of it',
  serverName: 'Server name',
  serverNameHint: 'The name that the certificate must have, where it is not the one in the URL',
  cert: 'Certificate',
  key: 'Private key',
  queries: 'Queries',
  timeout: 'Timeout (seconds)',
  timeoutHint: 'How long a query may take before it is given up; 30 when empty',
  interval: 'Shortest interval',
  intervalHint: 'Points are never closer than this; 1m fits collectors that keep minutes',
  intervalBad: 'Write a number with its unit, such as 30s or 1m',
} as const;

export const VARIABLE = {
  type: 'Options are',
  field: 'Field',
  filter: 'Of traffic',
  filterHint: 'Only values that occur in this traffic; names other variables: sampler_address in ($exporter)',
  preview: 'First values',
  empty: 'Nothing in this time range',
} as const;

export const ANNOTATION = {
  kinds: 'Events',
  kindsHint: 'Empty = all kinds',
  exporters: 'Exporters',
  exportersHint: 'Empty = all exporters; variables can be typed',
} as const;

/** What each kind of event is called. */
export const EVENT_LABELS: Readonly<Record<EventKind, string>> = {
  collector_started: 'Collector started',
  collector_stopped: 'Collector stopped',
  collector_down: 'Collector was down',
  exporter_new: 'New exporter',
  exporter_silent: 'Exporter silent',
  exporter_restarted: 'Exporter restarted',
  templates_changed: 'Templates changed',
  data_dropped: 'Data dropped',
  threat_found: 'Address on a reputation list',
};
