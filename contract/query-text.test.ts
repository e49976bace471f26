import { describeQuery } from './index.ts';

test.each([
  [{}, 'Bits/s over time'],
  [
    { groupBy: ['src_addr'], filter: 'dst_port = 443', compare: '1w', mirror: true },
    'Top 10 bits/s by source address over time where dst_port = 443, mirrored, against 1 week before',
  ],
  [
    { kind: 'table', groupBy: ['SrcAS', 'service'], metric: 'packets', baseline: true },
    'Top 10 packets by source AS × service, with the deviation from the last four weeks',
  ],
  [{ kind: 'records', filter: 'proto = tcp' }, 'The last 100 records where proto = tcp'],
  [{ kind: 'records', offset: 100 }, 'Records 101 to 200'],
  [{ kind: 'stat', unique: ['src_addr'], measure: 'rate' }, 'Total bits/s, distinct source address'],
  [
    { queryType: 'graph', groupBy: ['src_network', 'dst_network'] },
    'Top 50 bytes from source network to destination network',
  ],
  [{ kind: 'geo', groupBy: ['src_country'] }, 'Map of bytes by source country'],
  [{ kind: 'heatmap', groupBy: ['bytes'], metric: 'flows' }, 'Heatmap of flows/s by bytes'],
  [
    { groupBy: ['in_if'], measure: 'utilization', resolution: '1h' },
    'Top 10 utilization by input interface over time, from 1h rings',
  ],
  [{ groupBy: 7, filter: null, kind: 'odd' }, 'Odd of bits/s'],
])('%j', (query, text) => {
  expect(describeQuery(query as never)).toBe(text);
});
