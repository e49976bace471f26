import { API_ERROR_SCHEMA, type JsonSchema } from '@ringflow/contract';
import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import type { Route } from './route.ts';

/** Settings of @fastify/swagger; the document is made from the table of routes. */
export function openApiOptions(version: string, routes: readonly Route[]): FastifyDynamicSwaggerOptions {
  const byKey = new Map(routes.map((route) => [`${route.method} ${route.path}`, route]));
  return {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Ringflow',
        version,
        description: 'Flow records, asked in data frames',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      tags: [
        { name: 'query', description: 'Ask for data' },
        { name: 'filter', description: 'Help with the filter language' },
        { name: 'ingest', description: 'Records of other collectors' },
        { name: 'status', description: 'State of the collector' },
      ],
      components: {
        securitySchemes: {
          token: { type: 'http', scheme: 'bearer' },
          ingest: { type: 'http', scheme: 'bearer', description: 'http.ingest.token' },
          ingestBasic: { type: 'http', scheme: 'basic', description: 'http.ingest.token as the password' },
        },
      },
    },
    // What is checked and what is described differ where single parts have errors of their own.
    transform: ({ schema, url, route }) => {
      const found = byKey.get(`${String(route.method)} ${url}`);
      return { schema: found ? describe(found) : schema, url };
    },
  };
}

const SECURITY: Readonly<Record<Route['access'], readonly Record<string, string[]>[]>> = {
  open: [],
  token: [{ token: [] }],
  metrics: [{ token: [] }],
  ingest: [{ ingest: [] }, { ingestBasic: [] }],
};

/** A route as fastify and swagger describe it. */
function describe(route: Route): Record<string, unknown> {
  const good = route.answer ?? { type: 'string', description: route.summary };
  const content =
    route.contentType === undefined
      ? good
      : { description: route.summary, content: { [route.contentType.split(';')[0] as string]: { schema: good } } };
  const answers: Record<string, unknown> = { 200: content };
  if (route.alsoStatus !== undefined) answers[route.alsoStatus] = good;
  if (route.body || route.query) answers[400] = named(API_ERROR_SCHEMA, 'The request cannot be read');
  if (route.body) answers[413] = named(API_ERROR_SCHEMA, 'The body is too large');
  if (route.access !== 'open') answers[401] = named(API_ERROR_SCHEMA, 'The token is missing or wrong');
  if (route.access === 'ingest') {
    answers[409] = named(API_ERROR_SCHEMA, 'The records do not follow those that were taken before');
    answers[429] = named(API_ERROR_SCHEMA, 'Too much waits to be written: send it again');
    answers[503] = named(API_ERROR_SCHEMA, 'Records cannot be taken right now: send them again');
  }
  return {
    operationId: route.operationId,
    summary: route.summary,
    tags: [route.tag],
    security: SECURITY[route.access],
    ...(route.body ? { body: route.body } : {}),
    ...(route.query ? { querystring: route.query } : {}),
    ...(route.params ? { params: route.params } : {}),
    response: answers,
  };
}

function named(schema: JsonSchema, description: string): JsonSchema {
  return { ...schema, description };
}
