import type { Board } from '../board.ts';
import { map } from '../map.ts';
import { donut, drillUrl, topTable } from '../panels.ts';
import { where } from '../query.ts';

function board(uid: string, title: string, one: string, from: string, other: string, label: string): Board {
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
            query: { filter: where(`${other}_scope = public`), groupBy: [`${other}_addr`], limit: 3 },
          }),
          donut({
            title: 'Services (bytes)',
            description: `Services of the traffic of which the country of the ${label.toLowerCase()} is known`,
            width: 6,
            height: 8,
            unit: 'decbytes',
            query: { filter: where(`${other}_country != ""`), groupBy: ['service'], limit: 4 },
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
            description: `Circles are places, their size the bytes; arrows lead from ${from.toLowerCase()} to ${label.toLowerCase()}. Own networks have a place where enrich.networks says it. Works without the Internet`,
            width: 18,
            height: 24,
            unit: 'decbytes',
            query: { filter: where(`${other}_country != ""`), groupBy: [`${other}_place`], limit: 200 },
            connections: { filter: where(), groupBy: [`${one}_place`, `${other}_place`], limit: 60 },
            link: {
              title: 'Only this country',
              url: drillUrl(
                { board: uid, filter: `${other}_country` },
                '${__data.fields["Country code"]:percentencode}',
              ),
            },
          }),
        ],
      },
      topTable({
        title: 'Countries and cities',
        description: `Places of the ${label.toLowerCase()}`,
        width: 24,
        height: 10,
        query: {
          filter: where(`${other}_country != ""`),
          groupBy: [`${other}_country`, `${other}_city`],
          limit: 200,
        },
      }),
    ],
  };
}

export const GEO: readonly Board[] = [
  board('ringflow-geo-client-server', 'Geo IP: Client/Server', 'client', 'Clients', 'server', 'Servers'),
  board('ringflow-geo-src-dst', 'Geo IP: Src/Dst', 'src', 'Sources', 'dst', 'Destinations'),
];
