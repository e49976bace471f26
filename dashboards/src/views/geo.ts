import type { Board } from '../board.ts';
import { map } from '../map.ts';
import { donut, topTable } from '../panels.ts';
import { where } from '../query.ts';

function board(uid: string, title: string, other: 'server' | 'dst', label: string): Board {
  return {
    uid,
    title,
    description: 'Where the public ends of the traffic are',
    view: 'geo',
    panels: [
      {
        width: 6,
        column: [
          donut({
            title: `${label} (bytes)`,
            description: `Public ${label.toLowerCase()} by bytes`,
            width: 6,
            height: 8,
            unit: 'decbytes',
            query: { filter: where(`${other}_scope = public`), groupBy: [`${other}_addr`] },
          }),
          donut({
            title: 'Services (bytes)',
            description: 'Services between two countries; traffic inside one country is left out',
            width: 6,
            height: 8,
            unit: 'decbytes',
            query: { filter: where(`${other}_country != ""`), groupBy: ['service'] },
          }),
          donut({
            title: 'Countries (bytes)',
            description: `Country of the ${label.toLowerCase()}: each record counts once`,
            width: 6,
            height: 8,
            unit: 'decbytes',
            query: { filter: where(`${other}_country != ""`), groupBy: [`${other}_country`] },
            drill: { field: 'Country', title: 'Only this country', board: uid, filter: `${other}_country` },
          }),
        ],
      },
      {
        width: 18,
        column: [
          map({
            title: `${label} on the map (bytes)`,
            description: 'Circles are places, their size the bytes. Works without the Internet',
            width: 18,
            height: 16,
            unit: 'decbytes',
            query: { filter: where(`${other}_place != ""`), groupBy: [`${other}_place`], limit: 200 },
          }),
          topTable({
            title: 'Countries and cities',
            description: `Places of the ${label.toLowerCase()}`,
            width: 18,
            height: 8,
            query: {
              filter: where(`${other}_country != ""`),
              groupBy: [`${other}_country`, `${other}_city`],
              limit: 200,
            },
          }),
        ],
      },
    ],
  };
}

export const GEO: readonly Board[] = [
  board('ringflow-geo-client-server', 'Geo IP: Client/Server', 'server', 'Servers'),
  board('ringflow-geo-src-dst', 'Geo IP: Src/Dst', 'dst', 'Destinations'),
];
