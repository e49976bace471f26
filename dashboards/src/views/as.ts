import type { Board, Placed } from '../board.ts';
import { series, topTable } from '../panels.ts';
import { where } from '../query.ts';
import { TO_RECORDS_OF } from './drills.ts';

function area(field: string, label: string, metric: 'bytes' | 'packets'): Placed {
  const [name, unit] = metric === 'bytes' ? ['bits/s', 'bps'] : ['pkts/s', 'pps'];
  return series({
    title: `${label} (${name})`,
    description: `${name} by ${label}, the largest and the rest; AS0 is unknown or private`,
    width: 12,
    height: 9,
    unit,
    stacked: true,
    queries: [{ filter: where(), groupBy: [field], metric, limit: 10 }],
  });
}

/** Traffic by network operator. */
export const AS_TRAFFIC: Board = {
  uid: 'ringflow-as',
  title: 'AS Traffic',
  description: 'Traffic by autonomous system, as source and as destination',
  view: 'as',
  from: 'now-6h',
  panels: [
    area('src_as', 'Source AS', 'bytes'),
    area('dst_as', 'Destination AS', 'bytes'),
    area('src_as', 'Source AS', 'packets'),
    area('dst_as', 'Destination AS', 'packets'),
    topTable({
      title: 'Where traffic comes from',
      description: 'Autonomous systems outside that send into the own networks',
      width: 12,
      height: 12,
      query: {
        filter: where('direction = in and not src_as = 0'),
        groupBy: ['src_as'],
        limit: 200,
      },
      // Leaves room for the names.
      hidden: ['Flows'],
      drills: [TO_RECORDS_OF('Source AS', 'src_as')],
    }),
    topTable({
      title: 'Where traffic goes',
      description: 'Autonomous systems outside that the own networks send to',
      width: 12,
      height: 12,
      query: {
        filter: where('direction = out and not dst_as = 0'),
        groupBy: ['dst_as'],
        limit: 200,
      },
      // Leaves room for the names.
      hidden: ['Flows'],
      drills: [TO_RECORDS_OF('Destination AS', 'dst_as')],
    }),
  ],
};
