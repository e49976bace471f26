import type { ExporterInfo, StatusResponse } from '@ringflow/contract';
import { html, type Html, type HtmlPart } from './html.ts';
import { words } from './status-exporters.ts';
import { mark, table } from './status-table.ts';
import { formatCount, formatMoment, formatRate, formatRoundBytes, formatSpan } from './status-text.ts';

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** The figures that are looked at first. */
export function figures({ ledger, spool, store, details }: StatusResponse, exporters: readonly ExporterInfo[]): Html {
  const dropped = sum(ledger.dropped.map(({ records }) => records));
  const used = sum(store.tables.map(({ sizeBytes }) => sizeBytes));
  const budget = details.limits?.storeBytes;
  const items: readonly (readonly [string, HtmlPart, HtmlPart])[] = [
    ['Flows per second', formatRate(sum(exporters.map(({ recordsPerSecond }) => recordsPerSecond))), 'last minute'],
    [
      'Exporters',
      formatCount(exporters.length),
      `${formatRate(sum(exporters.map(({ datagramsPerSecond }) => datagramsPerSecond)))} datagrams/s`,
    ],
    ['Stored', formatCount(ledger.stored), 'records since the beginning'],
    ['Waiting', formatCount(ledger.waiting), `records; ${formatRoundBytes(spool.waitingBytes)} in the spool`],
    ['Dropped', mark(dropped > 0, formatCount(dropped), 'bad'), 'records since the beginning'],
    ['Disk', formatRoundBytes(used), budget === undefined ? 'all tables' : `of ${formatRoundBytes(budget)} allowed`],
  ];
  return html`<dl class="figures">
    ${items.map(
      ([name, value, more]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${value}<small>${more}</small></dd>
        </div>`,
    )}
  </dl>`;
}

/** Sockets: where it listens, and what the kernel could not keep. */
export function listenersSection({ details }: StatusResponse): Html {
  const listeners = details.listeners ?? [];
  return html`<section aria-labelledby="listeners">
    <h2 id="listeners">Listeners</h2>
    ${
      listeners.length === 0
        ? html`<p><strong class="bad">No socket is open.</strong></p>`
        : table(
            'Listeners',
            [
              {
                heading: 'UDP',
                cell: ({ address, port }) => (address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`),
              },
              { heading: 'Datagrams', kind: 'number', cell: ({ datagrams }) => formatCount(datagrams) },
              {
                heading: 'Kernel drops',
                kind: 'number',
                cell: ({ kernelDrops }) =>
                  mark(kernelDrops > 0, kernelDrops > 0 ? formatCount(kernelDrops) : 'none', 'bad'),
              },
              {
                heading: 'Buffer',
                kind: 'number',
                cell: ({ grantedBytes, requestedBytes, queueBytes }) =>
                  html`${mark(grantedBytes < requestedBytes, formatRoundBytes(grantedBytes))}<small
                      >${grantedBytes < requestedBytes && `of ${formatRoundBytes(requestedBytes)} asked; `}${formatRoundBytes(queueBytes)}
                      waiting</small
                    >`,
              },
            ],
            listeners,
            ({ address, port }) => `${address} ${port}`,
          )
    }
    ${details.receiver && html`<p class="quiet">Read with ${details.receiver}; every port takes every protocol.</p>`}
  </section>`;
}

/** The loss ledger, and what never became a record. */
export function ledgerSection({ ledger, details }: StatusResponse): Html {
  const dropped = sum(ledger.dropped.map(({ records }) => records));
  const rows: readonly (readonly [string, HtmlPart])[] = [
    ['Received', formatCount(ledger.received)],
    ['Stored', formatCount(ledger.stored)],
    ['Waiting', formatCount(ledger.waiting)],
    ['Dropped', mark(dropped > 0, formatCount(dropped), 'bad')],
    ['Difference', mark(ledger.difference !== 0, formatCount(ledger.difference), 'bad')],
  ];
  const lost = [
    ...Object.entries(details.losses ?? {}).map(([reason, number]) => ({ reason, number })),
    ...Object.entries(details.refused ?? {}).map(([reason, number]) => ({ reason: `refused: ${reason}`, number })),
  ].filter(({ number }) => number > 0);
  return html`<section aria-labelledby="ledger">
    <h2 id="ledger">Loss ledger</h2>
    <p class="quiet">Flow records; received = stored + waiting + dropped.</p>
    ${table(
      'Loss ledger',
      [
        { heading: 'What', cell: ([what]) => what },
        { heading: 'Records', kind: 'number', cell: ([, number]) => number },
      ],
      rows,
      ([what]) => what,
    )}
    ${
      dropped > 0 &&
      html`<h3>Dropped records</h3>
        ${table(
          'Dropped records',
          [
            { heading: 'Exporter', cell: ({ exporter }) => exporter },
            { heading: 'Reason', cell: ({ reason }) => words(reason) },
            { heading: 'Records', kind: 'number', cell: ({ records }) => formatCount(records) },
          ],
          ledger.dropped.slice(0, 100),
          ({ exporter, reason }) => `${exporter} ${reason}`,
        )}`
    }
    ${
      lost.length > 0 &&
      html`<h3>Never became a record</h3>
        ${table(
          'Never became a record',
          [
            { heading: 'Reason', cell: ({ reason }) => words(reason) },
            { heading: 'Datagrams, sets or samples', kind: 'number', cell: ({ number }) => formatCount(number) },
          ],
          lost,
          ({ reason }) => reason,
        )}`
    }
  </section>`;
}

const ARCHIVES: Readonly<Record<string, string>> = {
  raw: 'Single flow records',
  '1m': 'Sums per minute',
  '5m': 'Sums per 5 minutes',
  '1h': 'Sums per hour',
  '1d': 'Sums per day',
  top_5m: 'Top lists per 5 minutes',
  top_1h: 'Top lists per hour',
  top_1d: 'Top lists per day',
};

/** What is kept, how far back, and in how much room. */
export function storeSection({ nowMs, store, spool, details }: StatusResponse): Html {
  const used = sum(store.tables.map(({ sizeBytes }) => sizeBytes));
  const { limits, disk } = details;
  return html`<section aria-labelledby="store">
    <h2 id="store">Rings and disk</h2>
    ${store.lastError && html`<p><strong class="bad">The store cannot load:</strong> ${store.lastError}</p>`}
    ${
      store.tables.length === 0
        ? html`<p>
            ${store.open ? 'The tables have not been looked at yet.' : html`<strong class="bad">The store is not open.</strong>`}
          </p>`
        : table(
            'Archives of the store',
            [
              {
                heading: 'Archive',
                cell: ({ archive }) => html`${ARCHIVES[archive] ?? archive}<small>${archive}</small>`,
              },
              {
                heading: 'Reaches back',
                cell: ({ oldestMs }) =>
                  oldestMs === null
                    ? 'empty'
                    : html`${formatSpan(Math.max(0, nowMs - oldestMs))}<small
                          >to
                          <time datetime="${new Date(oldestMs).toISOString()}">${formatMoment(oldestMs)}</time></small
                        >`,
              },
              {
                heading: 'Will reach back',
                cell: ({ reachSeconds, growthBytesPerDay }) =>
                  reachSeconds === null
                    ? 'not known yet'
                    : html`${formatSpan(reachSeconds * 1000)}<small
                          >at ${formatRoundBytes(growthBytesPerDay)} a day</small
                        >`,
              },
              { heading: 'Rows', kind: 'number', cell: ({ rows }) => formatCount(rows) },
              {
                heading: 'On disk',
                kind: 'number',
                cell: ({ sizeBytes, budgetBytes }) =>
                  html`${formatRoundBytes(sizeBytes)}<small>share: ${formatRoundBytes(budgetBytes)}</small>`,
              },
            ],
            store.tables,
            ({ table: name }) => name,
          )
    }
    <div class="gauges">
      ${limits && gauge('Tables', used, limits.storeBytes, 'allowed')}
      ${limits && gauge('Spool', spool.waitingBytes, limits.spoolBytes, 'allowed')}
      ${disk && gauge('File system', disk.totalBytes - disk.freeBytes, disk.totalBytes, `used, ${formatRoundBytes(disk.freeBytes)} free`)}
    </div>
    <p>
      Spool:
      ${
        spool.waitingSegments === 0
          ? 'nothing waits for the store'
          : `${formatCount(spool.waitingRows)} records in ${formatCount(spool.waitingSegments)} segment${spool.waitingSegments === 1 ? '' : 's'} wait for the store, the oldest for ${formatSpan((details.oldestWaitingSeconds ?? 0) * 1000)}`
      }.
      Engine: ${store.engine}. ${disk && html`Data in <code>${disk.directory}</code>.`}
    </p>
  </section>`;
}

function gauge(name: string, used: number, limit: number, what: string): Html {
  const part = limit > 0 ? Math.min(1, used / limit) : 0;
  const percent = part > 0 && part < 0.001 ? 'less than 0.1' : (part * 100).toFixed(1);
  const id = `gauge-${name.toLowerCase().replaceAll(' ', '-')}`;
  return html`<div>
    <h3 id="${id}">${name}</h3>
    <meter min="0" max="1" low="0.8" high="0.95" optimum="0" value="${part.toFixed(4)}" aria-labelledby="${id}">
      ${percent} %
    </meter>
    <p>${percent} %: ${formatRoundBytes(used)} of ${formatRoundBytes(limit)} ${what}</p>
  </div>`;
}

/** The processes and the scheduled jobs. */
export function processesSection({ nowMs, details }: StatusResponse): Html {
  return html`<section aria-labelledby="processes">
    <h2 id="processes">Processes and jobs</h2>
    ${table(
      'Processes',
      [
        { heading: 'Process', cell: ({ role }) => role },
        {
          heading: 'State',
          cell: ({ state, error }) =>
            html`${mark(state !== 'up', state, 'bad')}${state !== 'up' && error && html`<small>${error}</small>`}`,
        },
        { heading: 'Id', kind: 'number', cell: ({ pid }) => pid },
        { heading: 'Restarts', kind: 'number', cell: ({ restarts }) => mark(restarts > 0, formatCount(restarts)) },
      ],
      details.processes ?? [],
      ({ role }) => role,
    )}
    ${table(
      'Jobs',
      [
        { heading: 'Job', cell: ({ job }) => job },
        {
          heading: 'Last success',
          cell: ({ lastSuccessMs, lastError }) =>
            html`${lastSuccessMs > 0 ? `${formatSpan(Math.max(0, nowMs - lastSuccessMs))} ago` : 'not yet'}${lastError && html`<small>${lastError}</small>`}`,
        },
        { heading: 'Failures', kind: 'number', cell: ({ failures }) => mark(failures > 0, formatCount(failures)) },
      ],
      details.jobs ?? [],
      ({ job }) => job,
    )}
  </section>`;
}

/** The last warnings and errors of the log. */
export function problemsSection({ nowMs, details }: StatusResponse): Html {
  const problems = details.problems ?? [];
  return html`<section aria-labelledby="problems">
    <h2 id="problems">Last warnings and errors</h2>
    ${
      problems.length === 0
        ? html`<p>None since the collector started.</p>`
        : table(
            'Last warnings and errors',
            [
              {
                heading: 'When',
                cell: ({ lastMs, count }) =>
                  html`<time datetime="${new Date(lastMs).toISOString()}"
                      >${formatSpan(Math.max(0, nowMs - lastMs))} ago</time
                    >${count > 1 && html`<small>${formatCount(count)} times</small>`}`,
              },
              {
                heading: 'Where',
                cell: ({ process, level }) =>
                  html`${process}:
                  ${mark(true, level === 'warn' ? 'warning' : 'error', level === 'warn' ? 'warn' : 'bad')}`,
              },
              { heading: 'What', kind: 'text', cell: ({ message }) => message },
            ],
            problems,
            ({ process, level, message }) => `${process} ${level} ${message}`,
          )
    }
  </section>`;
}
