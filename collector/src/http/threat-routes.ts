import { RingflowError, THREAT_HITS_RESPONSE_SCHEMA, type ThreatHitsResponse } from '@ringflow/contract';
import type { Route } from './route.ts';

const USUAL = 100;

export const THREAT_ROUTES: readonly Route[] = [
  {
    method: 'GET',
    path: '/api/v1/threats/retro',
    operationId: 'retroThreats',
    tag: 'query',
    summary: 'Addresses that reputation lists have now, and did not have when the records came',
    access: 'token',
    query: {
      type: 'object',
      additionalProperties: false,
      properties: {
        limit: {
          type: 'string',
          pattern: '^([1-9][0-9]{0,2}|1000)$',
          description: `Most hits, 1 to 1000; ${USUAL} when not given`,
        },
      },
    },
    answer: THREAT_HITS_RESPONSE_SCHEMA,
    handle: async ({ query }, { deps }) => {
      if (!deps.threatHits) throw new RingflowError('not_found', 'No hits of reputation lists are kept here');
      const answer: ThreatHitsResponse = { hits: await deps.threatHits(Number(query['limit'] ?? USUAL)) };
      return { body: answer };
    },
  },
];
