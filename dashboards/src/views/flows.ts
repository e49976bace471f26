import type { Board, Placed } from '../board.ts';
import { donut, graph } from '../panels.ts';
import { where } from '../query.ts';

interface Ends {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly left: readonly [field: string, label: string];
  readonly right: readonly [field: string, label: string];
}

const METRICS = [
  ['bytes', 'bytes', 'decbytes'],
  ['packets', 'packets', 'short'],
  ['flows', 'flow records', 'short'],
] as const;

/** In a sentence; AS stays AS. */
const small = (label: string): string => label.replace(/^./, (letter) => letter.toLowerCase());

function donuts([field, label]: readonly [string, string]): Placed[] {
  return METRICS.map(([metric, name, unit]) =>
    donut({
      title: `${label} (${name})`,
      description: `Share of ${name} by ${small(label)}`,
      width: 6,
      height: 9,
      unit,
      // Names of AS are long: a line of the legend each.
      query: { filter: where(), groupBy: [field], metric, ...(field.endsWith('_as') ? { limit: 3 } : {}) },
    }),
  );
}

function board({ uid, title, description, left, right }: Ends): Board {
  return {
    uid,
    title,
    description,
    view: 'flows',
    panels: [
      { width: 6, column: donuts(left) },
      {
        width: 12,
        column: [
          graph({
            title: `From ${small(left[1])} to ${small(right[1])}`,
            description:
              'The largest connections; the thicker the arrow, the more bytes (core Grafana has no Sankey diagram)',
            width: 12,
            height: 27,
            query: { filter: where(), groupBy: [left[0], right[0]], limit: 30 },
          }),
        ],
      },
      { width: 6, column: donuts(right) },
    ],
  };
}

export const FLOW_GRAPHS: readonly Board[] = [
  {
    uid: 'ringflow-flows-client-server',
    title: 'Flows: Client/Server',
    description: 'Who asks whom, whichever way the record was seen',
    left: ['client_addr', 'Clients'] as const,
    right: ['server_addr', 'Servers'] as const,
  },
  {
    uid: 'ringflow-flows-src-dst',
    title: 'Flows: Src/Dst',
    description: 'Who sends to whom, as exported',
    left: ['src_addr', 'Sources'] as const,
    right: ['dst_addr', 'Destinations'] as const,
  },
  {
    uid: 'ringflow-flows-as',
    title: 'Flows: AS',
    description: 'Traffic between autonomous systems',
    left: ['src_as', 'Source AS'] as const,
    right: ['dst_as', 'Destination AS'] as const,
  },
].map(board);
