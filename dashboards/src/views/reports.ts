import { chooser, type Board } from '../board.ts';
import { donut, graph, series, topTable } from '../panels.ts';
import { where } from '../query.ts';
import { TO_CONVERSATIONS_OF, TO_RECORDS_OF } from './drills.ts';

const INSIDE_CLIENTS = 'client_scope = private';

export const REPORTS: readonly Board[] = [
  {
    uid: 'ringflow-reports',
    title: 'Top Reports',
    description: 'Top sources, destinations and applications: start here, then drill down',
    view: 'reports',
    panels: [
      topTable({
        title: 'Top sources',
        description: 'Inside hosts by volume, with the deviation from their usual hour',
        width: 15,
        height: 10,
        query: {
          filter: where(INSIDE_CLIENTS),
          groupBy: ['client_addr'],
          limit: 50,
          baseline: true,
          columns: ['bytes', 'packets', 'flows', 'share', 'deviation'],
        },
        drills: [TO_RECORDS_OF('Client', 'client_addr'), TO_CONVERSATIONS_OF('Client', 'client_addr')],
      }),
      donut({
        title: 'Top sources (bytes)',
        description: 'Share of the bytes by inside host',
        width: 9,
        height: 10,
        unit: 'decbytes',
        query: { filter: where(INSIDE_CLIENTS), groupBy: ['client_addr'] },
      }),
      topTable({
        title: 'Top destinations',
        description:
          'Public hosts by volume, upload (from client) and download (to client), with country, autonomous system and what reputation lists say',
        width: 17,
        height: 10,
        query: {
          filter: where('server_scope = public'),
          groupBy: ['server_addr', 'server_country', 'server_as_name', 'server_threat_category'],
          limit: 50,
          mirror: true,
          columns: ['bytes', 'bytes_from_client', 'bytes_to_client', 'share'],
        },
        drills: [TO_RECORDS_OF('Server', 'server_addr'), TO_CONVERSATIONS_OF('Server', 'server_addr')],
      }),
      donut({
        title: 'Top destinations (bytes)',
        description: 'Share of the bytes by public host',
        width: 7,
        height: 10,
        unit: 'decbytes',
        query: { filter: where('server_scope = public'), groupBy: ['server_addr'] },
      }),
      topTable({
        title: 'Top applications',
        description: 'Applications by name, rule, or port and protocol',
        width: 15,
        height: 10,
        query: { filter: where(), groupBy: ['app'], limit: 50 },
        drills: [TO_RECORDS_OF('Application', 'app')],
      }),
      donut({
        title: 'Top applications (bytes)',
        description: 'Share of the bytes by application',
        width: 9,
        height: 10,
        unit: 'decbytes',
        query: { filter: where(), groupBy: ['app'] },
      }),
    ],
  },
  {
    uid: 'ringflow-networks',
    title: 'Networks and Services',
    description:
      'Named networks and their services, out above and in below, as CUFlow drew them — and broken down by both',
    view: 'reports',
    from: 'now-6h',
    variables: [
      chooser('network', 'Network', { type: 'values', field: 'network' }),
      chooser('service', 'Service', { type: 'values', field: 'service' }),
      chooser('proto', 'Protocol', { type: 'values', field: 'proto' }),
    ],
    panels: [
      mirrored('Total (bits/s)', 'Both directions of the own networks', []),
      mirrored('Protocols (bits/s)', 'By IP protocol', ['proto']),
      mirrored('Services (bits/s)', 'By service of the serving end', ['service']),
      mirrored('Types of service (bits/s)', 'By type of service octet', ['ip_tos']),
      series({
        title: 'Networks (bits/s)',
        description: 'By named networks: what they send above the line, what they get below',
        width: 12,
        height: 9,
        unit: 'bps',
        stacked: true,
        queries: [{ filter: chosen('src_network != ""'), groupBy: ['src_network'], mirror: true, limit: 6 }],
      }),
      mirrored('Exporters (bits/s)', 'By exporter', ['sampler_address']),
      topTable({
        title: 'Networks and their services',
        description: 'Each named network broken down by service and direction: the matrix that CUFlow could not keep',
        width: 16,
        height: 14,
        query: {
          filter: chosen('((direction = out and src_network != "") or (direction = in and dst_network != ""))'),
          groupBy: ['src_network', 'dst_network', 'direction', 'service'],
          limit: 200,
        },
        // Numbers of sets; their names stand beside them.
        hidden: ['Source network', 'Destination network'],
      }),
      {
        width: 8,
        column: [
          donut({
            title: 'Directions (bytes)',
            description: 'What crosses the border of the own networks, stays inside, or passes through',
            width: 8,
            height: 7,
            unit: 'decbytes',
            query: { filter: chosen(), groupBy: ['direction'] },
          }),
          donut({
            title: 'Outbound by service (bytes)',
            description: 'What leaves the own networks: how much of it is the web?',
            width: 8,
            height: 7,
            unit: 'decbytes',
            query: { filter: chosen('direction = out'), groupBy: ['service'] },
          }),
        ],
      },
      topTable({
        title: 'Scoreboard: hosts by outbound bytes',
        description: 'Own hosts that sent most in the time range; choose five minutes for CUFlow’s scoreboard',
        width: 12,
        height: 10,
        query: { filter: chosen('direction = out'), groupBy: ['src_addr'], limit: 10 },
        drills: [TO_RECORDS_OF('Source address', 'src_addr')],
      }),
      topTable({
        title: 'Scoreboard: hosts by inbound bytes',
        description: 'Own hosts that received most in the time range',
        width: 12,
        height: 10,
        query: { filter: chosen('direction = in'), groupBy: ['dst_addr'], limit: 10 },
        drills: [TO_RECORDS_OF('Destination address', 'dst_addr')],
      }),
      graph({
        title: 'Between networks',
        description: 'What named networks send each other and to the rest of the world, which is "unknown"',
        width: 24,
        height: 14,
        query: { filter: chosen(), groupBy: ['src_network', 'dst_network'], limit: 20 },
      }),
    ],
  },
  {
    uid: 'ringflow-capacity',
    title: 'Capacity',
    description: 'Peak and 95th percentile of each link, up to years back',
    view: 'reports',
    from: 'now-30d',
    refresh: '15m',
    panels: [
      ...(['in_if', 'out_if'] as const).map((field) =>
        topTable({
          title: field === 'in_if' ? 'Ingress: busiest minute' : 'Egress: busiest minute',
          description: 'Rate of the busiest whole minute of the time range, the same at every zoom',
          width: 12,
          height: 10,
          query: {
            filter: where(`${field} != 0`),
            groupBy: ['sampler_address', field],
            measure: 'peak',
            other: false,
            columns: ['peak_bps'],
          },
        }),
      ),
      ...(['in_if', 'out_if'] as const).map((field) =>
        topTable({
          title: field === 'in_if' ? 'Ingress: 95th percentile' : 'Egress: 95th percentile',
          description: '95th percentile of the 5-minute rates of the time range',
          width: 12,
          height: 10,
          query: {
            filter: where(`${field} != 0`),
            groupBy: ['sampler_address', field],
            measure: 'p95',
            other: false,
            columns: ['p95_bps'],
          },
        }),
      ),
      ...(['in_if', 'out_if'] as const).map((field) =>
        series({
          title: field === 'in_if' ? 'Ingress: peaks' : 'Egress: peaks',
          description: 'Busiest minute of each bucket',
          width: 12,
          height: 10,
          unit: 'bps',
          queries: [
            {
              filter: where(`${field} != 0`),
              groupBy: ['sampler_address', field],
              measure: 'peak',
              limit: 10,
              other: false,
            },
          ],
        }),
      ),
    ],
  },
  {
    uid: 'ringflow-compare',
    title: 'Compare with last week',
    description: 'Now beside the same time last week, and how far from usual',
    view: 'reports',
    from: 'now-24h',
    panels: [
      series({
        title: 'Traffic now and a week before',
        description: 'Bits per second, and the same window seven days earlier',
        width: 24,
        height: 9,
        unit: 'bps',
        queries: [{ filter: where(), compare: '1w' }],
      }),
      series({
        title: 'Deviation from usual',
        description: 'Percent above or below the median of the same hour of the last four weeks',
        width: 24,
        height: 7,
        unit: 'percent',
        only: '\\(deviation\\)',
        queries: [{ filter: where(), baseline: true }],
      }),
      topTable({
        title: 'Services: now and a week before',
        description: 'Bytes of both windows and the change in percent',
        width: 12,
        height: 12,
        query: {
          filter: where(),
          groupBy: ['service'],
          compare: '1w',
          limit: 50,
          columns: ['bytes', 'bytes_before', 'change_percent'],
        },
      }),
      topTable({
        title: 'Exporters: now and a week before',
        description: 'Bytes of both windows and the change in percent',
        width: 12,
        height: 12,
        query: {
          filter: where(),
          groupBy: ['sampler_address'],
          compare: '1w',
          limit: 50,
          columns: ['bytes', 'bytes_before', 'change_percent'],
        },
      }),
    ],
  },
];

/** What is chosen on top of the board: network and service together, which CUFlow could not. */
function chosen(...conditions: string[]): string {
  return where(...conditions, 'network in ($network)', 'service in ($service)', 'proto in ($proto)');
}

function mirrored(title: string, description: string, groupBy: string[]) {
  return series({
    title,
    description: `${description}: out above the line, in below`,
    width: 12,
    height: 9,
    unit: 'bps',
    stacked: groupBy.length > 0,
    queries: [{ filter: chosen(), groupBy, mirror: true, limit: 6 }],
  });
}
