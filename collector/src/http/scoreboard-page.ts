import {
  METRICS,
  type OverallScoreResponse,
  type ScoreboardResponse,
  type ScoreCounters,
  type ScoreList,
  type ScoreRow,
} from '@ringflow/contract';
import { html, trusted, type Html } from './html.ts';

/** What a page or a table is made of: one interval, or all of them. */
type Board = ScoreboardResponse | OverallScoreResponse;

const STYLE = `body{font:14px/1.4 system-ui,sans-serif;margin:2em;color:#222}
table{border-collapse:collapse;margin:0 0 2em}
th,td{padding:.2em .7em;text-align:right;border-bottom:1px solid #ddd}
th:nth-child(2),td:nth-child(2){text-align:left}
caption{text-align:left;font-weight:600;padding:.3em 0}
@media(prefers-color-scheme:dark){body{background:#181b1f;color:#ccc}th,td{border-color:#444}}`;

const DIRECTIONS = { in: 'Inbound', out: 'Outbound' } as const;

function isOverall(board: Board): board is OverallScoreResponse {
  return 'reports' in board;
}

/** A plain page with the six lists, readable without scripts. */
export function scoreboardPage(board: Board): string {
  const overall = isOverall(board);
  const title = overall ? 'Busiest hosts overall' : `Busiest hosts ${isoOf(board.fromMs)} to ${isoOf(board.toMs)}`;
  return `<!doctype html>\n${
    html`<html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${title}</title>
        <style>
          ${trusted(STYLE)}
        </style>
      </head>
      <body>
        <h1>${title}</h1>
        <p>
          ${
            overall
              ? `Averages per interval. Up to ${board.untilMs === 0 ? 'now, nothing was counted' : isoOf(board.untilMs)}.`
              : `In: ${described(board.in, board.seconds)}. Out: ${described(board.out, board.seconds)}.${board.complete ? '' : ' Records may still come.'}`
          }
        </p>
        ${board.lists.map((list) => tableOf(list, board.seconds, overall))}
      </body>
    </html>`.markup
  }\n`;
}

function tableOf(list: ScoreList, seconds: number, overall: boolean): Html {
  const heads = [
    'Rank',
    'Host',
    '% of all',
    'bit/s in',
    'bit/s out',
    'packets/s in',
    'packets/s out',
    'flows/s in',
    'flows/s out',
  ];
  return html`<table>
    <caption>
      ${DIRECTIONS[list.direction]}, by ${list.metric}
    </caption>
    <thead>
      <tr>
        ${[...heads, ...(overall ? ['intervals'] : [])].map((head) => html`<th>${head}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${list.rows.map(
        (row) =>
          html`<tr>
            ${cellsOf(row, seconds, overall).map((cell) => html`<td>${cell}</td>`)}
          </tr>`,
      )}
    </tbody>
  </table>`;
}

function cellsOf(row: ScoreRow, seconds: number, overall: boolean): string[] {
  const rates = METRICS.flatMap((metric) => [row.in, row.out].map((of) => rate(of[metric], metric, seconds)));
  return [
    String(row.rank),
    row.address,
    row.share.toFixed(1),
    ...rates.map(shorten),
    ...(overall ? [String(row.intervals)] : []),
  ];
}

function rate(value: number, metric: (typeof METRICS)[number], seconds: number): number {
  return (metric === 'bytes' ? value * 8 : value) / seconds;
}

function described({ bytes, packets, flows }: ScoreCounters, seconds: number): string {
  return `${shorten(rate(bytes, 'bytes', seconds))}bit/s, ${shorten(packets / seconds)}packets/s, ${shorten(flows / seconds)}flows/s`;
}

/** `12.3 k`; ends with a space where there is no letter, so that a unit can follow. */
function shorten(value: number): string {
  const power = value < 1000 ? 0 : Math.min(Math.floor(Math.log10(value) / 3), 5);
  const scaled = value / 1000 ** power;
  return `${scaled.toFixed(scaled >= 100 || Number.isInteger(scaled) ? 0 : scaled < 1 ? 3 : 1)} ${'\0kMGTP'[power]?.replace('\0', '') ?? ''}`;
}

/** One line per host and list, all values as sums. */
export function scoreboardCsv(board: Board): string {
  const head =
    'direction,metric,rank,address,share_percent,bytes_in,packets_in,flows_in,bytes_out,packets_out,flows_out,intervals';
  const lines = board.lists.flatMap(({ direction, metric, rows }) =>
    rows.map(({ rank, address, share, in: into, out, intervals }) =>
      [
        direction,
        metric,
        rank,
        address,
        share.toFixed(3),
        into.bytes,
        into.packets,
        into.flows,
        out.bytes,
        out.packets,
        out.flows,
        intervals,
      ].join(','),
    ),
  );
  return `${[head, ...lines].join('\n')}\n`;
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString().replace(/\.000Z$/, 'Z');
}
