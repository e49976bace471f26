import type { Board, Placed } from '../board.ts';
import { donut, series, topTable } from '../panels.ts';
import { where } from '../query.ts';
import { greenUntil } from '../thresholds.ts';
import { TO_RECORDS_OF } from './drills.ts';

/** Whatever is shown of exporters, so that each has the same colour in every panel. */
const BY_BYTES = [{ by: 'bytes', descending: true }];

/** Percent of a link, and how urgent that is; the alert "Interface above 90 %" agrees. */
const FULL = greenUntil([80, 'orange'], [90, 'red']);

function interfaces(field: 'in_if' | 'out_if', metric: 'bytes' | 'packets'): Placed {
  const side = field === 'in_if' ? 'Ingress' : 'Egress';
  const [name, unit] = metric === 'bytes' ? ['bits/s', 'bps'] : ['pkts/s', 'pps'];
  return series({
    title: `${side} interfaces (${name})`,
    description: `${name} by exporter and ${side.toLowerCase()} interface; every record counts, duplicates too`,
    width: 12,
    height: 9,
    unit,
    stacked: true,
    queries: [{ filter: where(`${field} != 0`), groupBy: ['sampler_address', field], metric, limit: 20 }],
  });
}

function utilization(field: 'in_if' | 'out_if'): Placed {
  const side = field === 'in_if' ? 'Ingress' : 'Egress';
  return series({
    title: `${side} utilisation`,
    description:
      'Percent of the interface speed that SNMP, option data or the configuration tell; without a speed there is no line',
    width: 12,
    height: 8,
    unit: 'percent',
    thresholds: FULL,
    queries: [
      {
        filter: where(`${field} != 0`),
        groupBy: ['sampler_address', field],
        measure: 'utilization',
        limit: 10,
        other: false,
      },
    ],
  });
}

/** The links that are fullest on average, red from 90 %. */
function fullest(field: 'in_if' | 'out_if'): Placed {
  const side = field === 'in_if' ? 'Ingress' : 'Egress';
  return topTable({
    title: `${side} interfaces: fullest`,
    description:
      'Mean rate of the time range and percent of the interface speed; without a speed there is no percentage',
    width: 12,
    height: 10,
    query: {
      filter: where(`${field} != 0`),
      groupBy: ['sampler_address', field],
      measure: 'utilization',
      other: false,
      columns: ['bps', 'utilization'],
    },
    sortBy: 'Utilization',
    thresholds: [{ value: null, color: 'transparent' }, ...FULL.slice(1)],
    drills: [
      TO_RECORDS_OF('Exporter', 'sampler_address'),
      TO_RECORDS_OF(field === 'in_if' ? 'Input interface' : 'Output interface', field),
    ],
  });
}

/** What each router, switch and firewall saw. */
export const EXPORTERS: Board = {
  uid: 'ringflow-exporters',
  title: 'Exporters',
  description: 'Traffic by exporter and interface, how full links are',
  view: 'exporters',
  panels: [
    series({
      title: 'Exporters (bits/s)',
      description: 'What each exporter saw, whether or not another one saw it, too',
      width: 10,
      height: 9,
      unit: 'bps',
      stacked: true,
      queries: [{ filter: where(), groupBy: ['sampler_address'], limit: 20 }],
    }),
    donut({
      title: 'Load by exporter (bytes)',
      description: 'Share of the bytes',
      width: 7,
      height: 9,
      unit: 'decbytes',
      query: { filter: where(), groupBy: ['sampler_address'] },
    }),
    donut({
      title: 'Load by exporter (flow records)',
      description: 'Share of the flow records',
      width: 7,
      height: 9,
      unit: 'short',
      query: { filter: where(), groupBy: ['sampler_address'], metric: 'flows', sort: BY_BYTES },
    }),
    interfaces('in_if', 'bytes'),
    interfaces('out_if', 'bytes'),
    interfaces('in_if', 'packets'),
    interfaces('out_if', 'packets'),
    utilization('in_if'),
    utilization('out_if'),
    fullest('in_if'),
    fullest('out_if'),
    topTable({
      title: 'Ingress interfaces: 95th percentile',
      description: '95th percentile of the 5-minute rates of the time range',
      width: 12,
      height: 10,
      query: {
        filter: where('in_if != 0'),
        groupBy: ['sampler_address', 'in_if'],
        measure: 'p95',
        other: false,
        columns: ['p95_bps'],
      },
      drills: [TO_RECORDS_OF('Exporter', 'sampler_address'), TO_RECORDS_OF('Input interface', 'in_if')],
    }),
    topTable({
      title: 'Egress interfaces: 95th percentile',
      description: '95th percentile of the 5-minute rates of the time range',
      width: 12,
      height: 10,
      query: {
        filter: where('out_if != 0'),
        groupBy: ['sampler_address', 'out_if'],
        measure: 'p95',
        other: false,
        columns: ['p95_bps'],
      },
      drills: [TO_RECORDS_OF('Exporter', 'sampler_address'), TO_RECORDS_OF('Output interface', 'out_if')],
    }),
  ],
};
