import {
  EVENT_KINDS,
  EVENTS_RESPONSE_SCHEMA,
  RingflowError,
  type EventKind,
  type EventsResponse,
  type FlowEvent,
  type ThreatHit,
} from '@ringflow/contract';
import { parseWindow, type Window } from '../query/index.ts';
import type { HttpDeps } from './deps.ts';
import type { Route } from './route.ts';

const DEFAULT_EVENTS = 500;
const MAX_EVENTS = 5000;
/** Hits that are looked through for those of the window. */
const MAX_HITS = 10_000;

export const EVENT_ROUTES: readonly Route[] = [
  {
    method: 'GET',
    path: '/api/v1/events',
    operationId: 'events',
    tag: 'status',
    summary: 'What happened to the collection of flows: restarts, silence, losses, hits of reputation lists',
    access: 'token',
    query: {
      type: 'object',
      properties: {
        from: { type: 'string', description: 'Beginning of the window; default now-24h', maxLength: 64 },
        to: { type: 'string', description: 'End of the window; default now', maxLength: 64 },
        kind: { type: 'string', description: `Kinds, separated by commas: ${EVENT_KINDS.join(', ')}`, maxLength: 512 },
        exporter: { type: 'string', description: 'Address of an exporter', maxLength: 64 },
        limit: {
          type: 'string',
          pattern: '^[1-9][0-9]{0,3}$',
          description: `Most events, up to ${MAX_EVENTS}; default ${DEFAULT_EVENTS}`,
        },
      },
    },
    answer: EVENTS_RESPONSE_SCHEMA,
    handle: async ({ query }, { deps }) => {
      const window = parseWindow(query['from'] ?? 'now-24h', query['to'] ?? 'now', deps.now());
      const kinds = kindsOf(query['kind'] ?? '');
      const limit = Math.min(Number(query['limit'] ?? DEFAULT_EVENTS), MAX_EVENTS);
      const all = [...(deps.events?.(window, kinds) ?? []), ...(await threatEvents(deps, window, kinds))]
        .filter(({ exporter }) => query['exporter'] === undefined || exporter === query['exporter'])
        .sort((a, b) => a.fromMs - b.fromMs);
      const body: EventsResponse = { events: all.slice(-limit), complete: all.length <= limit };
      return { body };
    },
  },
];

function kindsOf(text: string): readonly EventKind[] {
  const names = text.split(',').filter((name) => name !== '');
  const wrong = names.find((name) => !EVENT_KINDS.includes(name as EventKind));
  if (wrong !== undefined)
    throw new RingflowError('bad_request', `There is no kind of event "${wrong.slice(0, 64)}"`, {
      hint: `Write one or more of: ${EVENT_KINDS.join(', ')}`,
    });
  return names.length === 0 ? EVENT_KINDS : (names as EventKind[]);
}

async function threatEvents(
  { threatHits }: HttpDeps,
  { fromMs, toMs }: Window,
  kinds: readonly EventKind[],
): Promise<FlowEvent[]> {
  if (!threatHits || !kinds.includes('threat_found')) return [];
  const hits = await threatHits(MAX_HITS);
  return hits.filter((hit) => hit.firstMs < toMs && hit.lastMs >= fromMs).map(threatEvent);
}

function threatEvent({ day, address, label, list, firstMs, lastMs, records, bytes }: ThreatHit): FlowEvent {
  return {
    id: `threat_found-${day}-${address}-${label}-${list}`,
    kind: 'threat_found',
    fromMs: firstMs,
    toMs: lastMs,
    exporter: '',
    title: `${address} is on the list ${list}: ${label}`,
    text: `${records} records with ${bytes} bytes`,
  };
}
