import {
  EXPORTERS_RESPONSE_SCHEMA,
  READY_RESPONSE_SCHEMA,
  STATUS_RESPONSE_SCHEMA,
  type ExportersResponse,
} from '@ringflow/contract';
import type { Route } from './route.ts';
import { lockedPage, PAGE_HEADERS, statusPage } from './status-page.ts';

export const STATUS_ROUTES: readonly Route[] = [
  {
    method: 'GET',
    path: '/api/v1/exporters',
    operationId: 'exporters',
    tag: 'status',
    summary: 'Who exports, how much, and what of it is missing',
    access: 'token',
    answer: EXPORTERS_RESPONSE_SCHEMA,
    handle: (_, { deps }) => {
      const body: ExportersResponse = { exporters: [...deps.exporters()] };
      return { body };
    },
  },
  {
    method: 'GET',
    path: '/api/v1/status',
    operationId: 'status',
    tag: 'status',
    summary: 'Loss ledger, store, spool, decoders',
    access: 'token',
    answer: STATUS_RESPONSE_SCHEMA,
    handle: (_, { deps, answers }) => {
      const status = deps.status();
      return { body: { ...status, details: { ...status.details, queries: answers.counts() } } };
    },
  },
  {
    method: 'GET',
    path: '/healthz',
    operationId: 'healthz',
    tag: 'status',
    summary: 'The process is alive',
    access: 'open',
    answer: {
      type: 'object',
      description: 'Always the same',
      properties: { status: { type: 'string', enum: ['ok'] } },
      required: ['status'],
    },
    handle: () => ({ body: { status: 'ok' } }),
  },
  {
    method: 'GET',
    path: '/readyz',
    operationId: 'readyz',
    tag: 'status',
    summary: 'Flows are received and queries can be answered; 503 otherwise',
    access: 'open',
    answer: READY_RESPONSE_SCHEMA,
    alsoStatus: 503,
    handle: (_, { deps }) => {
      const body = deps.ready();
      return { status: body.ready ? 200 : 503, body };
    },
  },
  {
    method: 'GET',
    path: '/metrics',
    operationId: 'metrics',
    tag: 'status',
    summary: 'Metrics for Prometheus',
    access: 'metrics',
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
    handle: async (_, { deps }) => {
      const { contentType, body } = await deps.metrics();
      return { contentType, body };
    },
  },
  {
    method: 'GET',
    path: '/',
    operationId: 'page',
    tag: 'status',
    summary: 'A page for people; its content wants the token',
    access: 'open',
    contentType: 'text/html; charset=utf-8',
    handle: ({ authorized }, { deps }) => ({
      contentType: 'text/html; charset=utf-8',
      headers: PAGE_HEADERS,
      body: authorized
        ? statusPage({
            status: deps.status(),
            exporters: deps.exporters(),
            ready: deps.ready(),
          })
        : lockedPage(deps.version, deps.ready().ready),
    }),
  },
];
