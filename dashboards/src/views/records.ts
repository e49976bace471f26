import { CustomVariableBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import type { Board } from '../board.ts';
import { chooser } from '../board.ts';
import { records, series, stat } from '../panels.ts';
import { where } from '../query.ts';
import { TO_CONVERSATIONS_OF } from './drills.ts';

/** A variable of a few fixed choices, `label : value`. */
function choice(name: string, label: string, choices: string, first: string): CustomVariableBuilder {
  return new CustomVariableBuilder(name)
    .label(label)
    .values(choices)
    .current({ selected: true, text: first.split(' : ')[0] as string, value: first.split(' : ').at(-1) as string });
}

/** A page of records, and the pages that the variable offers: their values are the records to skip. */
const PAGE_ROWS = 100;
const PAGES = Array.from({ length: 100 }, (_, index) => `${index + 1} : ${index * PAGE_ROWS}`);

const CLIENT_SERVER = ['client_addr', 'client_port', 'server_addr', 'server_port', 'service'];
const SRC_DST = ['src_addr', 'src_port', 'dst_addr', 'dst_port', 'proto'];

function board(uid: string, title: string, description: string, ends: readonly string[]): Board {
  const types = 'type in ($flow_type)';
  return {
    uid,
    title,
    description,
    view: 'records',
    variables: [
      chooser('flow_type', 'Flow type', { type: 'values', field: 'type' }),
      choice(
        'order',
        'Order',
        'Latest first : time_flow_end_ns,Most bytes first : bytes,Most packets first : packets',
        'Latest first : time_flow_end_ns',
      ),
      choice('page', 'Page', PAGES.join(','), PAGES[0] as string),
      choice('resolve', 'Resolve IP', 'Off : off,On : on', 'Off : off'),
    ],
    panels: [
      stat({
        title: 'Flow records',
        description: 'How many records match, in the whole time range; all that the table has, duplicates too',
        width: 4,
        height: 7,
        unit: 'short',
        query: { filter: where(types), metric: 'flows', columns: ['flows'], duplicates: 'count' },
      }),
      series({
        title: 'Flow records per minute',
        description: 'Bars of 60 seconds by flow type; drag over a peak to see its records',
        width: 20,
        height: 7,
        unit: 'short',
        bars: true,
        stacked: true,
        minInterval: '1m',
        queries: [{ filter: where(types), groupBy: ['type'], metric: 'flows', measure: 'total', duplicates: 'count' }],
      }),
      records({
        title: 'Flow records',
        description:
          'Single records as stored; open a row for all its fields. Pages and order come from the collector, so the first row is the first of all',
        width: 24,
        height: 22,
        query: {
          filter: where(types),
          limit: PAGE_ROWS,
          // Filled in by Grafana; the data source reads the number.
          offset: '$page' as unknown as number,
          sort: [{ by: '$order', descending: true }],
          columns: [
            'time_flow_start_ns',
            'sampler_address',
            ...ends,
            'bytes',
            'packets',
            'tcp_flags',
            'in_if',
            'out_if',
            'time_flow_end_ns',
          ],
        },
        drills: [TO_CONVERSATIONS_OF('Client', 'client_addr'), TO_CONVERSATIONS_OF('Server', 'server_addr')],
      }),
    ],
  };
}

export const RECORDS: readonly Board[] = [
  board(
    'ringflow-records-client-server',
    'Flow Records: Client/Server',
    'Every record, by who asked and who answered',
    CLIENT_SERVER,
  ),
  board('ringflow-records-src-dst', 'Flow Records: Src/Dst', 'Every record as it was exported', SRC_DST),
];
