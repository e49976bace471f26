import type { EnrichInfo, StatusResponse } from '@ringflow/contract';
import { html, type Html } from './html.ts';
import { mark, table } from './status-table.ts';
import { formatCount, formatRoundBytes, formatSpan } from './status-text.ts';

/** Which way traffic goes, and the files that records are enriched from. */
export function enrichSection({ nowMs, details }: StatusResponse): Html {
  const { enrich } = details;
  return html`<section aria-labelledby="enrich">
    <h2 id="enrich">Own networks and files</h2>
    ${enrich ? html`${directions(enrich.addresses)}${files(enrich.files, nowMs)}` : html`<p>The inlet has not said yet.</p>`}
  </section>`;
}

/** CUFlow's hit ratio: what goes in or out by all; 0 means that the own networks are wrong. */
function directions({ directions: byWord }: EnrichInfo['addresses']): Html {
  const rows = Object.entries(byWord).filter(([, { records }]) => records > 0);
  const all = rows.reduce((sum, [, { bytes }]) => sum + bytes, 0);
  const hits = (byWord['in']?.bytes ?? 0) + (byWord['out']?.bytes ?? 0);
  if (rows.length === 0) return html`<p>No record yet.</p>`;
  const share = (bytes: number): string => `${all > 0 ? ((bytes / all) * 100).toFixed(1) : '0.0'} %`;
  return html`<p>
      ${mark(hits === 0, share(hits))} of the bytes go into the own networks or out of
      them.${hits === 0 && html` Is <code>enrich.own</code> right?`}
    </p>
    ${table(
      'Traffic by direction',
      [
        { heading: 'Direction', cell: ([word]) => word },
        { heading: 'Records', kind: 'number', cell: ([, { records }]) => formatCount(records) },
        {
          heading: 'Bytes',
          kind: 'number',
          cell: ([, { bytes }]) => html`${formatRoundBytes(bytes)}<small>${share(bytes)}</small>`,
        },
      ],
      rows,
      ([word]) => word,
    )}`;
}

function files(list: EnrichInfo['files'], nowMs: number): Html {
  if (list.length === 0) return html`<p class="quiet">No files are looked up.</p>`;
  return table(
    'Files that records are enriched from',
    [
      { heading: 'File', cell: ({ path }) => html`<code>${path}</code>` },
      {
        heading: 'State',
        kind: 'text',
        cell: ({ error, loadedMs }) =>
          error === null
            ? 'in use'
            : html`${mark(true, loadedMs > 0 ? 'the one before is in use' : 'not in use', 'bad')}<small
                  >${error}</small
                >`,
      },
      {
        heading: 'Loaded',
        cell: ({ loadedMs }) => (loadedMs > 0 ? `${formatSpan(Math.max(0, nowMs - loadedMs))} ago` : 'never'),
      },
      { heading: 'Entries', kind: 'number', cell: ({ entries }) => formatCount(entries) },
    ],
    list,
    ({ path }) => path,
  );
}
