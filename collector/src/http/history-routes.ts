import { RingflowError } from '@ringflow/contract';
import type { Route } from './route.ts';

/** Where Prometheus reads the history (`remote_read`). */
export const HISTORY_ROUTES: readonly Route[] = [
  {
    method: 'POST',
    path: '/api/v1/prometheus/read',
    operationId: 'prometheusRead',
    tag: 'query',
    summary: "Prometheus's remote read protocol: rates out of the rings, as far back as these reach",
    access: 'token',
    rawBody: true,
    isUsualLength: true,
    isPacked: true,
    body: { type: 'string', description: 'A snappy block with a protobuf ReadRequest' },
    contentType: 'application/x-protobuf',
    handle: async ({ body, client, signal }, { deps }) => {
      if (!deps.history) throw new RingflowError('not_found', 'There is no history');
      return deps.history.read(body instanceof Uint8Array ? body : new Uint8Array(), { client, signal });
    },
  },
];
