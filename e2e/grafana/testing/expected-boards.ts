/**
 * What every dashboard ought to say about the known load: a check per panel, and texts that the reader sees. The texts are
 * worked out by hand from the list of conversations.
 */
import { factOf, type Where } from './known-sums.ts';
import {
  beside,
  distinct,
  fullest,
  interfaces,
  markers,
  mirrored,
  packetSizes,
  page,
  peak,
  rows,
  sentByNetworks,
  series,
  total,
  ways,
  type Check,
} from './panel-checks.ts';

export interface ExpectedBoard {
  /** By title. Panels of one title have their checks in their order. */
  readonly panels: Readonly<Record<string, Check | readonly Check[]>>;
  /** What is read on the screen, by title. */
  readonly screen: Readonly<Record<string, readonly string[]>>;
}

const ALL = ['bytes', 'packets', 'flows', 'share'];
const WITH_DEVIATION = [...ALL, 'deviation'];
const is =
  (name: string, value: string): Where =>
  (record) =>
    factOf(name, record) === value;
const has =
  (name: string): Where =>
  (record) =>
    factOf(name, record) !== '';
const both =
  (...conditions: readonly Where[]): Where =>
  (record) =>
    conditions.every((condition) => condition(record));
/** Inside hosts are private, those outside public. */
const isPublic = (end: string): Where => has(`${end}_country`);
const isPrivate =
  (end: string): Where =>
  (record) =>
    !isPublic(end)(record);

/** Slices of one dimension. */
const slices = (name: string | readonly string[], metric: 'bytes' | 'packets' | 'flows', where?: Where): Check =>
  rows([name].flat(), [metric], { metric, ...(where ? { where } : {}) });

const services = series(['service']);
const clients = rows(['client_addr'], WITH_DEVIATION);

const LABELS = rows(['server_threat_category'], ['flows'], {
  metric: 'flows',
  other: false,
  where: has('server_threat_category'),
});

const OVERVIEW: ExpectedBoard = {
  panels: {
    Traffic: total('bps'),
    Bytes: total('bytes'),
    Packets: total('packets'),
    Records: total('flows'),
    Peak: peak,
    Listed: total('flows', {
      where: (record) => has('src_threat_category')(record) || has('dst_threat_category')(record),
    }),
    'Traffic by protocol': series(['proto']),
    'In and out': series(['direction']),
    'Clients (bytes)': slices('client_addr', 'bytes'),
    'Servers (bytes)': slices('server_addr', 'bytes'),
    'Services (bytes)': slices('service', 'bytes'),
    'AS of servers (bytes)': slices('server_as', 'bytes', has('server_as')),
    'Top clients': rows(['client_addr'], ALL),
    'IP versions and protocols (bytes)': slices(['etype', 'proto'], 'bytes'),
    'TCP flags (flow records)': rows(['tcp_flags'], ['flows'], {
      metric: 'flows',
      other: false,
      where: is('proto', 'TCP'),
    }),
    'Who talks to whom': ways('client_addr', 'server_addr'),
    'IP reputations (flow records)': LABELS,
  },
  screen: {
    Traffic: ['45.4 kb/s'],
    Bytes: ['20.4 MB'],
    Packets: ['38.1 K'],
    Records: ['55'],
    Peak: ['1.09 Mb/s'],
    Listed: ['5'],
    'Clients (bytes)': ['10.1.0.11 71.0%'],
    'Top clients': ['10.1.0.11', '14.5 MB', '29.1 K', '71.1%'],
    'IP versions and protocols (bytes)': ['IPv4 TCP 87.8%', 'IPv6 TCP 8.9%'],
    'TCP flags (flow records)': ['FIN,SYN,PSH,ACK 40'],
    'Who talks to whom': ['14 MB 4 flows 52.94.236.30'],
  },
};

const TOP: Readonly<Record<string, ExpectedBoard>> = {
  'ringflow-top-talkers': {
    panels: {
      'Services (bits/s)': services,
      'Top clients': clients,
      'Top servers': rows(['server_addr'], WITH_DEVIATION),
    },
    screen: {
      'Services (bits/s)': ['https (TCP/443) 42.9 kb/s 1.55 Mb/s'],
      'Top clients': ['10.1.0.10', '3.41 MB', '4.40 K', '16.7%', '241.0%'],
      'Top servers': ['142.250.74.10', '2.88 MB', '14.1%', '187.7%'],
    },
  },
  'ringflow-top-services': {
    panels: {
      'Services (bits/s)': services,
      'Top services': rows(['service'], ALL),
      'Top IP protocols': rows(['proto'], ALL),
    },
    screen: { 'Top services': ['domain (UDP/53)', '2.64 kB'], 'Top IP protocols': ['ICMP', '1.68 kB'] },
  },
  'ringflow-top-conversations': {
    panels: {
      'Services (bits/s)': services,
      'Top conversations': rows(
        ['client_addr', 'server_addr', 'service'],
        [...ALL, 'bytes_from_client', 'bytes_to_client'],
      ),
    },
    screen: { 'Top conversations': ['10.1.0.11', '52.94.236.30', '14 MB', '68.5%'] },
  },
  'ringflow-top-apps': {
    panels: {
      'Applications (bits/s)': series(['app']),
      'Top applications': rows(['app', 'service'], ALL),
      'Top clients': clients,
    },
    screen: { 'Top applications': ['https (TCP/443)', '19.3 MB', '94.5%'] },
  },
};

/** In a sentence; AS stays AS. */
const small = (label: string): string => label.replace(/^./, (letter) => letter.toLowerCase());

const FLOWS = (from: readonly [string, string], to: readonly [string, string]): ExpectedBoard['panels'] => ({
  ...Object.fromEntries(
    [from, to].flatMap(([name, label]) => [
      [`${label} (bytes)`, slices(name, 'bytes')],
      [`${label} (packets)`, slices(name, 'packets')],
      [`${label} (flow records)`, slices(name, 'flows')],
    ]),
  ),
  [`From ${small(from[1])} to ${small(to[1])}`]: ways(from[0], to[0]),
});

const GEO = (end: 'server' | 'dst', label: string): ExpectedBoard => ({
  panels: {
    [`${label} (bytes)`]: slices(`${end}_addr`, 'bytes', isPublic(end)),
    'Services (bytes)': slices('service', 'bytes', isPublic(end)),
    'Countries (bytes)': slices(`${end}_country`, 'bytes', isPublic(end)),
    [`${label} on the map (bytes)`]: markers(end),
    'Countries and cities': rows([`${end}_country`, `${end}_city`], ALL, { where: isPublic(end) }),
  },
  screen: {
    'Countries (bytes)': end === 'server' ? ['US 70.5%', 'DE 26.2%', 'GB 3.3%'] : ['US 64.7%', 'DE 29.8%', 'JP 3.7%'],
    'Countries and cities':
      end === 'server' ? ['Frankfurt am Main', '4.71 MB', '23.6%'] : ['Berlin', '510 kB', '20.5%'],
  },
});

const rateOf = (name: string, label: string): ExpectedBoard['panels'] => ({
  [`${label} (bits/s)`]: series([name]),
  [`${label} (pkts/s)`]: series([name], { metric: 'packets' }),
});
const details = (dimensions: Readonly<Record<string, string>>): ExpectedBoard['panels'] =>
  Object.assign(
    {},
    ...Object.entries(dimensions).map(([label, name]) => ({
      [`${label}: how many`]: distinct(name),
      [`${label} (flow records)`]: slices(name, 'flows'),
      ...rateOf(name, label),
    })),
  );

const bySide = (
  one: (field: 'in_if' | 'out_if', label: string) => ExpectedBoard['panels'],
): ExpectedBoard['panels'] => ({
  ...one('in_if', 'Ingress'),
  ...one('out_if', 'Egress'),
});
const EXPORTERS: ExpectedBoard = {
  panels: {
    'Exporters (bits/s)': series(['sampler_address']),
    'Load by exporter (bytes)': slices('sampler_address', 'bytes'),
    'Load by exporter (flow records)': slices('sampler_address', 'flows'),
    ...bySide((field, label) => ({
      ...rateOf2(field, label),
      [`${label} utilisation`]: series(['sampler_address', field], { measure: 'utilization' }),
      [`${label} interfaces: 95th percentile`]: interfaces(field, 'p95_bps'),
      [`${label} interfaces: fullest`]: fullest(field),
    })),
  },
  screen: {
    'Load by exporter (bytes)': ['127.0.0.22 border 77.2%', '127.0.0.21 edge 19.9%', '127.0.0.23 branch 2.8%'],
    'Ingress interfaces: 95th percentile': ['border', 'et-0/0/0', '195 kb/s'],
    'Egress utilisation': ['border · et-0/1/0'],
  },
};
function rateOf2(field: string, label: string): ExpectedBoard['panels'] {
  return {
    [`${label} interfaces (bits/s)`]: series(['sampler_address', field]),
    [`${label} interfaces (pkts/s)`]: series(['sampler_address', field], { metric: 'packets' }),
  };
}

const RECORDS = (names: readonly string[]): ExpectedBoard => ({
  panels: {
    'Flow records': [
      total('flows', { copies: true }),
      page(['sampler_address', ...names, 'tcp_flags', 'in_if', 'out_if']),
    ],
    'Flow records per minute': series(['type'], { metric: 'flows', measure: 'total', copies: true }),
  },
  screen: { 'Flow records': ['57', '45.57.40.14', '5.14 kB', 'FIN,SYN,PSH,ACK'] },
});

const LISTED = ['flows', 'bytes'];
const listed = (groupBy: readonly string[], where: Where): Check => rows(groupBy, LISTED, { metric: 'flows', where });
const THREATS: ExpectedBoard = {
  panels: {
    'IP reputations over time (flow records)': series(['client_threat_category'], {
      metric: 'flows',
      measure: 'total',
      where: has('client_threat_category'),
    }),
    'Listed servers over time (flow records)': series(['server_threat_category'], {
      metric: 'flows',
      measure: 'total',
      where: has('server_threat_category'),
    }),
    'IP reputations': listed(
      ['client_threat_category', 'server_threat_category'],
      (record) => has('client_threat_category')(record) || has('server_threat_category')(record),
    ),
    'Labels of servers': LABELS,
    'Public threats': listed(
      ['client_addr', 'client_threat_category', 'client_country'],
      has('client_threat_category'),
    ),
    'High-risk clients': listed(
      ['client_addr', 'server_addr', 'server_threat_category'],
      both(has('server_threat_category'), isPrivate('client')),
    ),
    'At-risk servers': listed(
      ['server_addr', 'client_addr', 'client_threat_category'],
      both(has('client_threat_category'), isPrivate('server'), ({ proto, packets }) => proto !== 6 || packets > 2),
    ),
  },
  screen: {
    'IP reputations': ['scanner', '7.34 kB'],
    'Labels of servers': ['malware 2'],
    'Public threats': ['178.34.13.99', 'scanner', 'RU', '7.34 kB', '3'],
    'High-risk clients': ['10.1.0.11', '87.128.34.10', '528 kB'],
    'At-risk servers': ['10.2.0.20', '7.30 kB'],
  },
};

const REPORTS: Readonly<Record<string, ExpectedBoard>> = {
  'ringflow-reports': {
    panels: {
      'Top sources': rows(['client_addr'], WITH_DEVIATION, { where: isPrivate('client') }),
      'Top sources (bytes)': slices('client_addr', 'bytes', isPrivate('client')),
      'Top destinations': rows(
        ['server_addr', 'server_country', 'server_as_name', 'server_threat_category'],
        ['bytes', 'bytes_from_client', 'bytes_to_client', 'share'],
        { where: isPublic('server') },
      ),
      'Top destinations (bytes)': slices('server_addr', 'bytes', isPublic('server')),
      'Top applications': rows(['app'], ALL),
      'Top applications (bytes)': slices('app', 'bytes'),
    },
    screen: {
      'Top sources': ['10.1.0.11', '14.5 MB', '72.7%'],
      'Top destinations': ['87.128.34.10', 'Deutsche Telekom AG', 'malware', '528 kB', '2.7%'],
    },
  },
  'ringflow-networks': {
    panels: {
      'Total (bits/s)': mirrored([]),
      'Networks (bits/s)': sentByNetworks,
      'Exporters (bits/s)': mirrored(['sampler_address']),
      'Between networks': ways('src_network', 'dst_network'),
      'Protocols (bits/s)': mirrored(['proto']),
      'Services (bits/s)': mirrored(['service']),
      'Types of service (bits/s)': mirrored(['ip_tos']),
      'Networks and their services': rows(['src_network_name', 'dst_network_name', 'direction', 'service'], ALL, {
        where: (record) => ['in', 'out'].includes(factOf('direction', record)),
      }),
      'Directions (bytes)': slices('direction', 'bytes'),
      'Outbound by service (bytes)': slices('service', 'bytes', is('direction', 'out')),
      'Scoreboard: hosts by outbound bytes': rows(['src_addr'], ALL, { where: is('direction', 'out') }),
      'Scoreboard: hosts by inbound bytes': rows(['dst_addr'], ALL, { where: is('direction', 'in') }),
    },
    screen: {
      'Directions (bytes)': ['in 87.4%', 'out 11.7%'],
      'Networks and their services': ['offices', 'servers', '16.9 MB', '83.4%'],
      'Scoreboard: hosts by outbound bytes': ['10.1.0.11', '2.11 MB', '88.1%'],
    },
  },
  'ringflow-capacity': {
    panels: bySide((field, label) => ({
      [`${label}: busiest minute`]: interfaces(field, 'peak_bps'),
      [`${label}: 95th percentile`]: interfaces(field, 'p95_bps'),
      [`${label}: peaks`]: series(['sampler_address', field], { measure: 'peak' }),
    })),
    screen: { 'Ingress: busiest minute': ['border', '973 kb/s'], 'Egress: 95th percentile': ['195 kb/s'] },
  },
  'ringflow-compare': {
    panels: {
      'Traffic now and a week before': beside('a week before'),
      'Deviation from usual': beside('deviation'),
      'Services: now and a week before': rows(['service'], ['bytes', 'bytes_before', 'change_percent']),
      'Exporters: now and a week before': rows(['sampler_address'], ['bytes', 'bytes_before', 'change_percent']),
    },
    screen: {
      'Services: now and a week before': ['https (TCP/443)', '19.3 MB', '2.50 MB', '672.5%'],
      'Exporters: now and a week before': ['edge', '4.09 MB', '2.50 MB', '63.5%'],
    },
  },
};

/** By uid. */
export const EXPECTED: Readonly<Record<string, ExpectedBoard>> = {
  'ringflow-overview': OVERVIEW,
  ...TOP,
  'ringflow-threats': THREATS,
  'ringflow-flows-client-server': {
    panels: FLOWS(['client_addr', 'Clients'], ['server_addr', 'Servers']),
    screen: { 'Servers (bytes)': ['52.94.236.30 68.5%'] },
  },
  'ringflow-flows-src-dst': {
    panels: FLOWS(['src_addr', 'Sources'], ['dst_addr', 'Destinations']),
    screen: { 'Sources (bytes)': ['52.94.236.30 60.6%'] },
  },
  'ringflow-flows-as': {
    panels: FLOWS(['src_as', 'Source AS'], ['dst_as', 'Destination AS']),
    screen: {
      'Source AS (bytes)': ['AS16509 Amazon.com, Inc. 60.6%', 'private or unknown 12.2%'],
      // What it sends and what it gets.
      'From source AS to destination AS': ['4.71 MB 8 flows Google LLC'],
    },
  },
  'ringflow-geo-client-server': GEO('server', 'Servers'),
  'ringflow-geo-src-dst': GEO('dst', 'Destinations'),
  'ringflow-as': {
    panels: {
      ...rateOf('src_as', 'Source AS'),
      ...rateOf('dst_as', 'Destination AS'),
      'Where traffic comes from': rows(['src_as'], ALL, { where: is('direction', 'in') }),
      'Where traffic goes': rows(['dst_as'], ALL, { where: is('direction', 'out') }),
    },
    screen: { 'Where traffic comes from': ['AS16509', 'Amazon.com, Inc.', '12.4 MB', '69.4%'] },
  },
  'ringflow-exporters': EXPORTERS,
  'ringflow-details-types': {
    panels: details({ Clients: 'client_addr', Servers: 'server_addr', Services: 'service', Applications: 'app' }),
    screen: { 'Clients: how many': ['20'], 'Services: how many': ['8'] },
  },
  'ringflow-details-attributes': {
    panels: {
      ...details({ 'IP protocols': 'proto', VLANs: 'vlan_id', 'Types of service': 'ip_tos', 'TCP flags': 'tcp_flags' }),
      'Packet sizes (flow records)': packetSizes,
    },
    screen: { 'VLANs: how many': ['3'], 'TCP flags (flow records)': ['none 14.5%'] },
  },
  'ringflow-details-locality': {
    panels: details({
      Locality: 'locality',
      Directions: 'direction',
      'AS of servers': 'server_as',
      'Countries of servers': 'server_country',
    }),
    screen: { 'Directions: how many': ['4'], 'Locality (flow records)': ['public 96.4%', 'private 3.6%'] },
  },
  'ringflow-records-client-server': RECORDS(['client_addr', 'server_addr', 'service']),
  'ringflow-records-src-dst': RECORDS(['src_addr', 'src_port', 'dst_addr', 'dst_port', 'proto']),
  ...REPORTS,
};
