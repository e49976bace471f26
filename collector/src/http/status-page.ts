import type { ReadyResponse } from '@ringflow/contract';

const LINKS = [
  ['/api/v1/status', 'State: loss ledger, store, spool, decoders'],
  ['/api/v1/exporters', 'Exporters'],
  ['/api/v1/fields', 'Fields to filter and group by'],
  ['/metrics', 'Metrics for Prometheus'],
  ['/openapi.json', 'Description of the API'],
] as const;

/** The page at `/`: nothing on it that needs a token. */
export function statusPage(version: string, ready: ReadyResponse): string {
  const links = LINKS.map(([path, text]) => `<li><a href="${path}">${path}</a> ${escape(text)}</li>`).join('\n');
  const state = ready.ready ? 'Ready.' : `Not ready: ${escape(ready.reasons.join('; '))}.`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Ringflow</title>
<style>body { font: 16px/1.5 system-ui, sans-serif; max-width: 42rem; margin: 2rem auto; padding: 0 1rem }</style>
<h1>Ringflow ${escape(version)}</h1>
<p>${state}</p>
<ul>
${links}
</ul>
</html>
`;
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
