import { prepareTail } from '../query/index.ts';
import type { Route } from './route.ts';

const DEFAULT_RATE = 100;
const MAX_RATE = 1000;

export const TAIL_ROUTES: readonly Route[] = [
  {
    method: 'GET',
    path: '/api/v1/tail',
    operationId: 'tail',
    tag: 'query',
    summary: 'Records as they are stored: one JSON object a line, until the caller goes away',
    access: 'token',
    query: {
      type: 'object',
      properties: {
        filter: { type: 'string', description: 'Condition that the records must meet', maxLength: 16_384 },
        columns: { type: 'string', description: 'Fields, separated by commas; default: all', maxLength: 4096 },
        rate: {
          type: 'string',
          pattern: '^[1-9][0-9]{0,3}$',
          description: `Most records a second, up to ${MAX_RATE}; what is more is counted. Default ${DEFAULT_RATE}`,
        },
      },
    },
    contentType: 'application/x-ndjson; charset=utf-8',
    isEndless: true,
    handle: ({ query, client, signal }, { answers, tails }) => {
      const columns = (query['columns'] ?? '').split(',').filter((name) => name !== '');
      const tail = prepareTail({ filter: query['filter'] ?? '', columns }, answers.context());
      const rate = Math.min(Number(query['rate'] ?? DEFAULT_RATE), MAX_RATE);
      return {
        contentType: 'application/x-ndjson; charset=utf-8',
        // A proxy must not keep lines until there are more of them.
        headers: { 'x-accel-buffering': 'no' },
        body: tails.open(tail, { client, rate, signal }),
      };
    },
  },
];
