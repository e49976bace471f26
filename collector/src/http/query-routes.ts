import {
  MAX_QUERIES,
  QUERY_REQUEST_SCHEMA,
  QUERY_RESPONSE_SCHEMA,
  VALUES_RESPONSE_SCHEMA,
  type ErrorCode,
  type QueryRequest,
  type ValuesResponse,
} from '@ringflow/contract';
import { parseWindow } from '../query/index.ts';
import { RETRY_AFTER_SECONDS } from './errors.ts';
import type { Route } from './route.ts';

/** Most values of one answer. */
const MAX_VALUES = 1000;
const DEFAULT_VALUES = 100;

/** The outer shape of a request; what is wrong inside a query is that query's own error. */
const LOOSE_REQUEST = {
  ...QUERY_REQUEST_SCHEMA,
  properties: {
    ...(QUERY_REQUEST_SCHEMA['properties'] as object),
    queries: {
      type: 'array',
      minItems: 1,
      maxItems: MAX_QUERIES,
      items: { type: 'object', properties: { refId: { type: 'string', minLength: 1, maxLength: 64 } } },
    },
  },
};

export const QUERY_ROUTES: readonly Route[] = [
  {
    method: 'POST',
    path: '/api/v1/query',
    operationId: 'query',
    tag: 'query',
    summary: 'Answers queries with data frames, as Grafana takes them',
    access: 'token',
    body: QUERY_REQUEST_SCHEMA,
    looseBody: LOOSE_REQUEST,
    answer: QUERY_RESPONSE_SCHEMA,
    handle: async ({ body, client, signal }, { answers }) => {
      const response = await answers.query(body as QueryRequest, client, signal);
      const waits = Object.values(response.results).map(({ code }) => RETRY_AFTER_SECONDS[code as ErrorCode] ?? 0);
      const retryAfter = Math.max(...waits);
      return { body: response, ...(retryAfter > 0 ? { headers: { 'retry-after': String(retryAfter) } } : {}) };
    },
  },
  {
    method: 'GET',
    path: '/api/v1/values',
    operationId: 'values',
    tag: 'query',
    summary: 'Values of a field that occurred, most traffic first',
    access: 'token',
    query: {
      type: 'object',
      required: ['field'],
      properties: {
        field: { type: 'string', description: 'Field', maxLength: 64 },
        q: { type: 'string', description: 'Part of the value or of its name', maxLength: 256 },
        limit: {
          type: 'string',
          pattern: '^[1-9][0-9]{0,3}$',
          description: `Most values, up to ${MAX_VALUES}; default ${DEFAULT_VALUES}`,
        },
        from: { type: 'string', description: 'Beginning of the window; default now-1h', maxLength: 64 },
        to: { type: 'string', description: 'End of the window; default now', maxLength: 64 },
        filter: { type: 'string', description: 'Condition that the records must meet', maxLength: 16_384 },
      },
    },
    answer: VALUES_RESPONSE_SCHEMA,
    handle: async ({ query, client, signal }, { answers, deps }) => {
      const window = parseWindow(query['from'] ?? 'now-1h', query['to'] ?? 'now', deps.now());
      const limit = Math.min(Number(query['limit'] ?? DEFAULT_VALUES), MAX_VALUES);
      const body: ValuesResponse = await answers.values(
        { field: query['field'] ?? '', search: query['q'] ?? '', limit, filter: query['filter'] ?? '' },
        window,
        client,
        signal,
      );
      return { body };
    },
  },
];
