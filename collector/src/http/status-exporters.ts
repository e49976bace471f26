import type { ExporterInfo, NameSource } from '@ringflow/contract';
import { html, type Html, type HtmlPart } from './html.ts';
import { mark, table } from './status-table.ts';
import { formatCount, formatMoment, formatRate, formatSpan, formatSpeed } from './status-text.ts';

/** More are in the answer of the API. */
const MAX_EXPORTERS = 250;
const MAX_INTERFACES = 100;
/** No datagram for so long: most routers export at least once a minute when there is traffic. */
export const SILENT_MS = 300_000;
/** A clock further off than this puts flows into the wrong minute. */
const CLOCK_MS = 10_000;

const PROTOCOLS: Readonly<Record<string, string>> = {
  SFLOW_5: 'sFlow',
  NETFLOW_V5: 'NetFlow v5',
  NETFLOW_V7: 'NetFlow v7',
  NETFLOW_V9: 'NetFlow v9',
  IPFIX: 'IPFIX',
  FLOWUNKNOWN: 'not recognised',
};
const TEMPLATED = ['NETFLOW_V9', 'IPFIX'];

/** Exporters: who, how much, how fresh, and what is missing. */
export function exportersSection(exporters: readonly ExporterInfo[], ports: readonly number[], nowMs: number): Html {
  const shown = exporters.slice(0, MAX_EXPORTERS);
  return html`<section aria-labelledby="exporters">
    <h2 id="exporters">Exporters</h2>
    ${exporters.length === 0 ? nobody(ports) : exportersTable(shown, nowMs)}
    ${shown.length < exporters.length && html`<p>${formatCount(exporters.length - shown.length)} more in <a href="/api/v1/exporters">/api/v1/exporters</a>.</p>`}
  </section>`;
}

function nobody(ports: readonly number[]): Html {
  return html`<p>
    <strong class="warn">No exporter has been heard since the collector started.</strong> Point routers at this machine,
    UDP port ${ports.length > 0 ? [...new Set(ports)].join(' or ') : '(none is open)'}. If they do send,
    <code>ringflow doctor</code> on this machine looks for the reason.
  </p>`;
}

function exportersTable(exporters: readonly ExporterInfo[], nowMs: number): Html {
  return table<ExporterInfo>(
    'Exporters',
    [
      {
        heading: 'Exporter',
        cell: ({ name, address }) => (name ? html`<bdi>${name}</bdi><small>${address}</small>` : address),
      },
      { heading: 'Protocol', cell: ({ protocols }) => protocols.map((name) => PROTOCOLS[name] ?? name).join(', ') },
      {
        heading: 'Flows/s',
        kind: 'number',
        cell: ({ recordsPerSecond, records }) =>
          html`${formatRate(recordsPerSecond)}<small>${formatCount(records)} in all</small>`,
      },
      { heading: 'Last seen', cell: ({ lastSeenMs }) => lastSeen(lastSeenMs, nowMs) },
      {
        heading: 'Sampling',
        kind: 'number',
        cell: ({ samplingRate, records }) =>
          samplingRate > 0 ? `1 : ${formatCount(samplingRate)}` : mark(records > 0, 'unknown'),
      },
      {
        heading: 'Lost on the way',
        kind: 'number',
        cell: ({ lost, lostUnits }) =>
          lost > 0 ? html`${mark(true, formatCount(lost))}<small>${lostUnits.join(', ')}</small>` : 'none',
      },
      { heading: 'Templates', kind: 'number', cell: (exporter) => templates(exporter, nowMs) },
      { heading: 'Clock', kind: 'number', cell: ({ clockOffsetMs }) => clock(clockOffsetMs) },
      { heading: 'Not decoded', kind: 'number', cell: ({ losses }) => notDecoded(losses) },
      { heading: 'Interfaces', cell: interfaces },
    ],
    exporters,
    ({ address }) => address,
  );
}

function lastSeen(lastSeenMs: number, nowMs: number): HtmlPart {
  const time = html`<time datetime="${new Date(lastSeenMs).toISOString()}">${formatMoment(lastSeenMs)}</time>`;
  const silentMs = Math.max(0, nowMs - lastSeenMs);
  const ago = silentMs < 1000 ? 'now' : `${formatSpan(silentMs)} ago`;
  return html`${silentMs > SILENT_MS ? mark(true, `silent, ${ago}`) : ago}<small>${time}</small>`;
}

function templates({ protocols, templates: count, templateMs, records }: ExporterInfo, nowMs: number): HtmlPart {
  if (!protocols.some((name) => TEMPLATED.includes(name))) return 'needs none';
  if (templateMs > 0)
    return html`${formatCount(count)} new<small>announced ${formatSpan(Math.max(0, nowMs - templateMs))} ago</small>`;
  return records > 0 ? 'kept from before' : mark(true, 'missing');
}

function clock(offsetMs: number | null): HtmlPart {
  if (offsetMs === null) return html`<span class="quiet">not sent</span>`;
  if (Math.abs(offsetMs) < 1000) return 'right';
  return mark(Math.abs(offsetMs) > CLOCK_MS, `${formatSpan(offsetMs)} ${offsetMs > 0 ? 'behind' : 'ahead'}`);
}

function notDecoded(losses: Readonly<Record<string, number>>): HtmlPart {
  const reasons = Object.entries(losses).filter(([, count]) => count > 0);
  if (reasons.length === 0) return 'none';
  return reasons.map(
    ([reason, count]) => html`<strong class="warn">${formatCount(count)}</strong><small>${words(reason)}</small>`,
  );
}

/** Where a name comes from, for people. */
const SOURCES: Readonly<Record<NameSource, string>> = {
  config: 'configured',
  options: 'from options data',
  sflow: 'from sFlow counters',
  snmp: 'by SNMP',
  file: 'from the file',
  enrich: 'looked up',
};

function interfaces({ interfaces: list }: ExporterInfo): HtmlPart {
  if (list.length === 0) return html`<span class="quiet">no names</span>`;
  const items = list.slice(0, MAX_INTERFACES).map(
    ({ index, name, description, speedBps, source, attributes }) =>
      html`<li>
        ${index}:
        <bdi>${name}</bdi
        >${description && html`, <bdi>${description}</bdi>`}${speedBps > 0 && `, ${formatSpeed(speedBps)}`}${Object.values(attributes).map((value) => html`, <bdi>${value}</bdi>`)}
        <small>${SOURCES[source]}</small>
      </li>`,
  );
  return html`<details>
    <summary>${formatCount(list.length)} with a name</summary>
    <ul>
      ${items}${list.length > items.length && html`<li>and ${formatCount(list.length - items.length)} more</li>`}
    </ul>
  </details>`;
}

/** `template_missing` → `template missing` */
export function words(code: string): string {
  return code.replaceAll('_', ' ');
}
