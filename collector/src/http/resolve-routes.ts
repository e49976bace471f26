import {
  RESOLVE_REQUEST_SCHEMA,
  RESOLVE_RESPONSE_SCHEMA,
  RingflowError,
  type ResolveRequest,
  type ResolveResponse,
} from '@ringflow/contract';
import type { Route } from './route.ts';

export const RESOLVE_ROUTES: readonly Route[] = [
  {
    method: 'POST',
    path: '/api/v1/resolve',
    operationId: 'resolve',
    tag: 'query',
    summary: 'Names of addresses, asked of the name servers now or a while ago',
    access: 'token',
    body: RESOLVE_REQUEST_SCHEMA,
    answer: RESOLVE_RESPONSE_SCHEMA,
    handle: async ({ body, signal }, { deps }) => {
      const { addresses, confirm = false } = body as ResolveRequest;
      if (!deps.resolve)
        throw new RingflowError('not_found', 'Names of addresses are not looked up here', {
          hint: 'Set resolve.enabled: true',
        });
      const { most, names } = deps.resolve;
      if (addresses.length > most)
        throw new RingflowError('bad_request', `${addresses.length} addresses are more than ${most}`, {
          hint: 'Ask for fewer at a time, or raise resolve.max_addresses',
        });
      const answer: ResolveResponse = { results: await names(addresses, confirm, signal) };
      return { body: answer };
    },
  },
];
