import type { Board, Placed } from '../board.ts';
import { series, topTable } from '../panels.ts';
import { where } from '../query.ts';
import { TO_CONVERSATIONS_OF, TO_RECORDS_OF } from './drills.ts';

function services(): Placed {
  return series({
    title: 'Services (bits/s)',
    description: 'Bits per second by protocol and port of the serving end, the largest and the rest',
    width: 24,
    height: 9,
    unit: 'bps',
    stacked: true,
    legendTable: true,
    queries: [{ filter: where(), groupBy: ['service'], limit: 50 }],
  });
}

const clients = (width: number): Placed =>
  topTable({
    title: 'Top clients',
    description: 'Hosts that ask, with bytes, packets and flow records; the last row is everybody else',
    width,
    height: 16,
    query: {
      filter: where(),
      groupBy: ['client_addr'],
      limit: 499,
      baseline: true,
      columns: ['bytes', 'packets', 'flows', 'share', 'deviation'],
    },
    drills: [TO_CONVERSATIONS_OF('Client', 'client_addr'), TO_RECORDS_OF('Client', 'client_addr')],
  });

export const TOP: readonly Board[] = [
  {
    uid: 'ringflow-top-talkers',
    title: 'Top-N: Talkers',
    description: 'The hosts that cause most traffic',
    view: 'top',
    panels: [
      services(),
      clients(12),
      topTable({
        title: 'Top servers',
        description: 'Hosts that answer; the last row is everybody else',
        width: 12,
        height: 16,
        query: {
          filter: where(),
          groupBy: ['server_addr'],
          limit: 499,
          baseline: true,
          columns: ['bytes', 'packets', 'flows', 'share', 'deviation'],
        },
        drills: [TO_CONVERSATIONS_OF('Server', 'server_addr'), TO_RECORDS_OF('Server', 'server_addr')],
      }),
    ],
  },
  {
    uid: 'ringflow-top-services',
    title: 'Top-N: Services',
    description: 'The services and protocols that carry most traffic',
    view: 'top',
    panels: [
      services(),
      topTable({
        title: 'Top services',
        description: 'Protocol and port of the serving end; udp/53 and tcp/53 are two services',
        width: 14,
        height: 16,
        query: { filter: where(), groupBy: ['service'], limit: 499 },
        drills: [TO_CONVERSATIONS_OF('Service', 'service'), TO_RECORDS_OF('Service', 'service')],
      }),
      topTable({
        title: 'Top IP protocols',
        description: 'Protocols of the IP header',
        width: 10,
        height: 16,
        query: { filter: where(), groupBy: ['proto'], limit: 255 },
        drills: [TO_RECORDS_OF('Protocol', 'proto')],
      }),
    ],
  },
  {
    uid: 'ringflow-top-conversations',
    title: 'Top-N: Conversations',
    description: 'Who talks to whom about what, both directions in one row',
    view: 'top',
    panels: [
      services(),
      topTable({
        title: 'Top conversations',
        description:
          'Client, server and service; requests and answers are one conversation, with the bytes of each beside the sum',
        width: 24,
        height: 18,
        query: {
          filter: where(),
          groupBy: ['client_addr', 'server_addr', 'service'],
          limit: 499,
          mirror: true,
          columns: ['bytes', 'bytes_from_client', 'bytes_to_client', 'packets', 'flows', 'share'],
        },
        drills: [
          TO_RECORDS_OF('Client', 'client_addr'),
          TO_RECORDS_OF('Server', 'server_addr'),
          TO_RECORDS_OF('Service', 'service'),
        ],
      }),
    ],
  },
  {
    uid: 'ringflow-top-apps',
    title: 'Top-N: Apps',
    description: 'Applications as exporters, rules or ports name them',
    view: 'top',
    panels: [
      series({
        title: 'Applications (bits/s)',
        description: 'Bits per second by application, the largest and the rest',
        width: 24,
        height: 9,
        unit: 'bps',
        stacked: true,
        legendTable: true,
        queries: [{ filter: where(), groupBy: ['app'], limit: 50 }],
      }),
      topTable({
        title: 'Top applications',
        description: 'Applications and the services they use',
        width: 14,
        height: 16,
        query: { filter: where(), groupBy: ['app', 'service'], limit: 499 },
        drills: [TO_RECORDS_OF('Application', 'app')],
      }),
      clients(10),
    ],
  },
];
