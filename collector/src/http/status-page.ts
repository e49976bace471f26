import type { ExporterInfo, ReadyResponse, StatusResponse } from '@ringflow/contract';
import { html, trusted, type Html } from './html.ts';
import { SCRIPT, STYLE } from './status-assets.ts';
import { enrichSection } from './status-enrich.ts';
import { exportersSection, SILENT_MS } from './status-exporters.ts';
import {
  figures,
  ledgerSection,
  listenersSection,
  problemsSection,
  processesSection,
  storeSection,
} from './status-sections.ts';
import { formatCount, formatMoment, formatSpan } from './status-text.ts';

export { PAGE_HEADERS } from './status-assets.ts';

/** What the page shows: the same as the API answers. */
export interface StatusPageContent {
  readonly status: StatusResponse;
  readonly exporters: readonly ExporterInfo[];
  readonly ready: ReadyResponse;
}

/** The page at `/` for somebody who may see everything. */
export function statusPage({ status, exporters, ready }: StatusPageContent): string {
  const { version, nowMs, startedMs, details } = status;
  const ports = (details.listeners ?? []).map(({ port }) => port);
  const concerns = ready.ready ? concernsOf(status, exporters) : ready.reasons;
  return frame(
    ready.ready ? (concerns.length === 0 ? 'well' : 'look') : 'not ready',
    html`<header>
        <h1>Ringflow</h1>
        <p class="quiet">
          Version ${version}, up ${formatSpan(Math.max(0, nowMs - startedMs))}, as of
          <time datetime="${new Date(nowMs).toISOString()}">${formatMoment(nowMs)} UTC</time>
        </p>
      </header>
      <main id="main">
        ${state(ready.ready, concerns)} ${figures(status, exporters)} ${exportersSection(exporters, ports, nowMs)}
        <div class="wide">${listenersSection(status)}${ledgerSection(status)}</div>
        ${storeSection(status)} ${enrichSection(status)}
        <div class="wide">${processesSection(status)}${problemsSection(status)}</div>
      </main>`,
  );
}

/** The page for somebody who has not given the token: it says that the collector runs, and asks for it. */
export function lockedPage(version: string, isReady: boolean): string {
  return frame(
    isReady ? 'ready' : 'not ready',
    html`<header>
        <h1>Ringflow</h1>
        <p class="quiet">Version ${version}</p>
      </header>
      <main id="main">
        <p>
          ${isReady ? 'The collector is ready.' : 'The collector is not ready.'} What it knows is shown to those who
          have its token (<code>http.token</code> in <code>ringflow.yml</code>).
        </p>
        <form id="token-form">
          <label for="token"
            >Token
            <input
              id="token"
              type="password"
              autocomplete="current-password"
              required
              aria-describedby="token-answer" /></label
          ><button>Show</button>
        </form>
        <p id="token-answer" role="alert"></p>
        <noscript><p>The token is sent by a script, which this browser does not run.</p></noscript>
      </main>`,
  );
}

const LINKS = [
  ['/api/v1/status', 'State as JSON'],
  ['/api/v1/exporters', 'Exporters as JSON'],
  ['/api/v1/fields', 'Fields'],
  ['/metrics', 'Metrics for Prometheus'],
  ['/openapi.json', 'Description of the API'],
] as const;

/** A ring, as the picture of the tab. */
const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Ccircle cx='8' cy='8' r='5.5' fill='none' stroke='%23258' stroke-width='3'/%3E%3C/svg%3E";

/** Whole elements: a space more, and their hashes in the headers would not fit. */
const STYLE_ELEMENT = trusted(`<style>${STYLE}</style>`);
const SCRIPT_ELEMENT = trusted(`<script>${SCRIPT}</script>`);

function frame(title: string, page: Html): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>Ringflow: ${title}</title>
        <link rel="icon" href="${trusted(ICON)}" />
        ${STYLE_ELEMENT}
        <noscript><meta http-equiv="refresh" content="15" /></noscript>
      </head>
      <body>
        <a class="skip" href="#main">To the content</a>
        <div id="page">${page}</div>
        <footer>
          <p id="connection" role="status" class="quiet"></p>
          <nav aria-label="More">
            <ul>
              ${LINKS.map(([path, text]) => html`<li><a href="${path}">${text}</a></li>`)}
            </ul>
          </nav>
        </footer>
        ${SCRIPT_ELEMENT}
      </body>
    </html> `.markup;
}

/** Read out when it changes, and only then. */
function state(isReady: boolean, concerns: readonly string[]): Html {
  const [how, text] = !isReady
    ? ['bad', 'Not ready']
    : concerns.length > 0
      ? ['warn', 'Receiving; look at this']
      : ['good', 'All is well'];
  return html`<div class="state ${how as string}" role="status">
    <strong>${text as string}</strong>${concerns.map((concern) => html`<p>${concern}.</p>`)}
  </div>`;
}

/** What an operator should look at first, in words. */
function concernsOf({ nowMs, ledger, details }: StatusResponse, exporters: readonly ExporterInfo[]): string[] {
  const silent = exporters.filter(({ lastSeenMs }) => nowMs - lastSeenMs > SILENT_MS);
  const dropped = ledger.dropped.reduce((sum, { records }) => sum + records, 0);
  const kernel = (details.listeners ?? []).reduce((sum, { kernelDrops }) => sum + kernelDrops, 0);
  const refused = details.refused?.['not_allowed'] ?? 0;
  const found: readonly (readonly [boolean, string])[] = [
    [ledger.difference !== 0, `The loss ledger is off by ${formatCount(ledger.difference)} records: this is a bug`],
    [exporters.length === 0, 'No exporter has been heard'],
    [silent.length > 0, `${count(silent.length, 'exporter')} silent for more than ${formatSpan(SILENT_MS)}`],
    [dropped > 0, `${count(dropped, 'record')} dropped since the data directory was made`],
    [kernel > 0, `The kernel dropped ${count(kernel, 'datagram')} because the receive buffer was full`],
    [refused > 0, `${count(refused, 'datagram')} from senders that inlet.allow_exporters does not name`],
  ];
  return found.flatMap(([is, text]) => (is ? [text] : []));
}

function count(number: number, what: string): string {
  return `${formatCount(number)} ${what}${number === 1 ? '' : 's'}`;
}
