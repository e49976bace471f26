import {
  INGEST_PROGRESS_SCHEMA,
  INGEST_REQUEST_SCHEMA,
  INGEST_RESPONSE_SCHEMA,
  RingflowError,
  type IngestProgress,
  type IngestResponse,
} from '@ringflow/contract';
import { CHAIN_START, parseLink, type IngestSource } from '../ingest/index.ts';
import type { IngestDoor } from './deps.ts';
import type { ApiRequest, Route, RouteContext } from './route.ts';

/** Headers of a sender that numbers its records (`ringflow import`): its name, records sent before, their link. */
const SOURCE = 'ringflow-source';
const OFFSET = 'ringflow-offset';
const LINK = 'ringflow-link';

/** OpenObserve's ingestion routes; organisation and stream are names of its users, not of anything here. */
const streamRoute = (end: '_json' | '_multi', operationId: string): Route => ({
  method: 'POST',
  path: `/api/:organization/:stream/${end}`,
  operationId,
  tag: 'ingest',
  summary: `Takes flow records as POST /api/v1/ingest does, at the address where OpenObserve takes them (${end})`,
  access: 'ingest',
  params: {
    type: 'object',
    required: ['organization', 'stream'],
    properties: {
      organization: { type: 'string', description: 'Anything' },
      stream: { type: 'string', description: 'Anything; the answer repeats it' },
    },
  },
  rawBody: true,
  body: INGEST_REQUEST_SCHEMA,
  answer: INGEST_RESPONSE_SCHEMA,
  handle: (request, context) => take(request, context, request.params['stream'] ?? ''),
});

export const INGEST_ROUTES: readonly Route[] = [
  {
    method: 'POST',
    path: '/api/v1/ingest',
    operationId: 'ingest',
    tag: 'ingest',
    summary: "Takes flow records in goflow2's JSON: an array, or one object per line; all of them or none",
    access: 'ingest',
    rawBody: true,
    body: INGEST_REQUEST_SCHEMA,
    answer: INGEST_RESPONSE_SCHEMA,
    handle: (request, context) => take(request, context, 'flows'),
  },
  {
    method: 'GET',
    path: '/api/v1/ingest',
    operationId: 'ingestProgress',
    tag: 'ingest',
    summary: 'How many records of a source were taken',
    access: 'ingest',
    query: {
      type: 'object',
      required: ['source'],
      properties: { source: { type: 'string', minLength: 1, maxLength: 200, description: 'Name of the source' } },
    },
    answer: INGEST_PROGRESS_SCHEMA,
    handle: async ({ query }, { deps }) => {
      const body: IngestProgress = await doorOf(deps.ingest).progress(query['source'] ?? '');
      return { body };
    },
  },
  streamRoute('_json', 'ingestJson'),
  streamRoute('_multi', 'ingestMulti'),
];

async function take(request: ApiRequest, { deps }: RouteContext, stream: string): Promise<{ body: IngestResponse }> {
  const { body } = request;
  const bytes = body instanceof Uint8Array ? body : new Uint8Array();
  const { stored, dropped, repeated, ignored } = await doorOf(deps.ingest).take(bytes, sourceOf(request));
  const status = { name: stream, successful: stored + repeated, failed: dropped, repeated, ignored };
  return { body: { code: 200, status: [status] } };
}

/** Routes with access `ingest` are there only where records are taken. */
function doorOf(door: IngestDoor | undefined): IngestDoor {
  if (!door) throw new RingflowError('not_found', 'Records are not taken');
  return door;
}

function sourceOf({ headers }: ApiRequest): IngestSource | null {
  const id = headers[SOURCE];
  if (id === undefined) return null;
  const offset = String(headers[OFFSET] ?? '0');
  const link = headers[LINK] === undefined ? CHAIN_START : parseLink(String(headers[LINK]));
  if (typeof id !== 'string' || id === '' || id.length > 200 || !/^\d{1,15}$/.test(offset) || !link)
    throw new RingflowError('ingest_invalid', `${SOURCE}, ${OFFSET} and ${LINK} do not fit together`, {
      hint: 'Compare with the page about importing',
    });
  return { id, offset: Number(offset), link };
}
