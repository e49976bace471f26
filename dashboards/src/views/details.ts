import type { Board, Column, Placed } from '../board.ts';
import { donut, heatmap, series, stat } from '../panels.ts';
import { where } from '../query.ts';

/** One dimension: how many values it has, their share of the records, and their rates. */
function dimension(field: string, label: string, width = 12): Column {
  const rates = (metric: 'bytes' | 'packets', name: string, unit: string): Placed =>
    series({
      title: `${label} (${name})`,
      description: `${name} by ${label.replace(/^[A-Z](?![A-Z])/, (letter) => letter.toLowerCase())}, the largest and the rest`,
      width,
      height: 8,
      unit,
      stacked: true,
      queries: [{ filter: where(), groupBy: [field], metric, limit: 10 }],
    });
  return {
    width,
    column: [
      stat({
        title: `${label}: how many`,
        description: `Different values of ${label.toLowerCase()} in the time range; exact up to 100,000`,
        width,
        height: 3,
        unit: 'short',
        query: { filter: where(), unique: [field], columns: [`unique_${field}`] },
      }),
      donut({
        title: `${label} (flow records)`,
        description: `Share of the flow records by ${label.replace(/^[A-Z](?![A-Z])/, (letter) => letter.toLowerCase())}`,
        width,
        height: 8,
        unit: 'short',
        query: { filter: where(), groupBy: [field], metric: 'flows' },
      }),
      rates('bytes', 'bits/s', 'bps'),
      rates('packets', 'pkts/s', 'pps'),
    ],
  };
}

function board(
  what: string,
  description: string,
  dimensions: readonly (readonly [string, string])[],
  extra: readonly Placed[] = [],
): Board {
  return {
    uid: `ringflow-details-${what.toLowerCase()}`,
    title: `Traffic Details: ${what}`,
    description,
    view: 'details',
    panels: [...dimensions.map(([field, label]) => dimension(field, label)), ...extra],
  };
}

export const DETAILS: readonly Board[] = [
  board('Types', 'Clients, servers, services and applications', [
    ['client_addr', 'Clients'],
    ['server_addr', 'Servers'],
    ['service', 'Services'],
    ['app', 'Applications'],
  ]),
  board(
    'Attributes',
    'IP protocols, VLANs, types of service, TCP flags, packet sizes',
    [
      ['proto', 'IP protocols'],
      ['vlan_id', 'VLANs'],
      ['ip_tos', 'Types of service'],
      ['tcp_flags', 'TCP flags'],
    ],
    [
      heatmap({
        title: 'Packet sizes (flow records)',
        description: 'Mean bytes per packet of the flow records, over time',
        width: 24,
        height: 9,
        unit: 'short',
        query: { filter: where(), groupBy: ['bpp'], metric: 'flows', measure: 'total' },
      }),
    ],
  ),
  board('Locality', 'Public and private, directions, autonomous systems, countries', [
    ['locality', 'Locality'],
    ['direction', 'Directions'],
    ['server_as', 'AS of servers'],
    ['server_country', 'Countries of servers'],
  ]),
];
