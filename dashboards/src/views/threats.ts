import type { Board, Placed } from '../board.ts';
import { series, topTable, wordBars, type Drill } from '../panels.ts';
import { where } from '../query.ts';
import { TO_CONVERSATIONS_OF, TO_RECORDS_OF } from './drills.ts';

const LISTED = '(src_threat != "" or dst_threat != "")';

/** What reputation lists know about who is seen. */
export const THREATS: Board = {
  uid: 'ringflow-threats',
  title: 'Threats',
  description: 'Addresses of reputation lists in the traffic: threads of what to look at first',
  view: 'threats',
  from: 'now-6h',
  panels: [
    overTime(
      'IP reputations over time (flow records)',
      'Flow records per bar by what is known about the client and the server; one record may be in both panels',
      'client',
    ),
    overTime(
      'Listed servers over time (flow records)',
      'Flow records per bar by what is known about the server',
      'server',
    ),
    topTable({
      title: 'IP reputations',
      description: 'Traffic by what is known about its two ends',
      width: 7,
      height: 10,
      query: {
        filter: where(LISTED),
        groupBy: ['client_threat_category', 'server_threat_category'],
        metric: 'flows',
        limit: 99,
        columns: ['flows', 'bytes'],
      },
    }),
    wordBars({
      title: 'Labels of servers',
      description: 'The longer the bar, the more records (core Grafana has no word cloud)',
      width: 5,
      height: 10,
      unit: 'short',
      query: { filter: where('server_threat != ""'), groupBy: ['server_threat_category'], metric: 'flows' },
    }),
    listed(
      'Public threats',
      'Listed clients outside that contact the own networks',
      'client_threat != "" and client_scope = public',
      ['client_addr', 'client_threat_category', 'client_country'],
      [TO_CONVERSATIONS_OF('Client', 'client_addr'), TO_RECORDS_OF('Client', 'client_addr')],
    ),
    listed(
      'High-risk clients',
      'Inside hosts that talk to a listed server',
      'server_threat != "" and client_scope = private',
      ['client_addr', 'server_addr', 'server_threat_category'],
      [TO_CONVERSATIONS_OF('Client', 'client_addr'), TO_RECORDS_OF('Server', 'server_addr')],
    ),
    listed(
      'At-risk servers',
      'Inside servers that answered a listed client: a TCP flow with data, or any answer over UDP',
      'client_threat != "" and server_scope = private and not (proto = tcp and packets <= 2)',
      ['server_addr', 'client_addr', 'client_threat_category'],
      [TO_CONVERSATIONS_OF('Server', 'server_addr'), TO_RECORDS_OF('Client', 'client_addr')],
    ),
  ],
};

/** What is known about one end, by flow records. */
function overTime(title: string, description: string, end: 'client' | 'server'): Placed {
  return series({
    title,
    description,
    width: 12,
    height: 9,
    unit: 'short',
    bars: true,
    stacked: true,
    minInterval: '1m',
    queries: [
      {
        filter: where(`${end}_threat != ""`),
        groupBy: [`${end}_threat_category`],
        metric: 'flows',
        measure: 'total',
        limit: 15,
      },
    ],
  });
}

/** Who is listed, by flow records. */
function listed(
  title: string,
  description: string,
  filter: string,
  groupBy: string[],
  drills: readonly Drill[],
): Placed {
  return topTable({
    title,
    description,
    width: 12,
    height: 10,
    query: { filter: where(filter), groupBy, metric: 'flows', limit: 99, columns: ['flows', 'bytes'] },
    drills,
  });
}
