import compress from '@fastify/compress';
import swagger from '@fastify/swagger';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { ERRORS, RingflowError } from '@ringflow/contract';
import type { QueryConfig } from '../query/index.ts';
import { createAnswers } from './answer.ts';
import type { HttpConfig } from './config.ts';
import type { HttpDeps } from './deps.ts';
import { errorBody, fromFastify, toRingflowError } from './errors.ts';
import { openApiOptions } from './openapi.ts';
import type { Route, RouteContext } from './route.ts';
import { ROUTES } from './routes.ts';
import { createTokenCheck } from './token.ts';

/** The API server. */
export interface Http {
  /** Begins to listen; resolves with the URL. */
  start(): Promise<{ readonly url: string }>;
  /** Stops listening and ends what runs. */
  stop(): Promise<void>;
  status(): HttpStatus;
}

export interface HttpStatus {
  /** Null while it does not listen. */
  readonly url: string | null;
  readonly queries: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly running: number;
}

/** Bodies below this are sent as they are. */
const COMPRESS_FROM_BYTES = 1024;
/** Measured (grafana.md 3.4): level 1 is within 15 % of level 6 and three times as fast. */
const GZIP_LEVEL = 1;
/** A client that sends its request slower than this is cut off. */
const REQUEST_TIMEOUT_MS = 30_000;

export function createHttp(config: HttpConfig & { readonly query: QueryConfig }, deps: HttpDeps): Http {
  const app = fastify({
    bodyLimit: config.max_body_bytes,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // A caller that stays connected must not keep the collector from stopping.
    forceCloseConnections: true,
    // Whatever is wrong is said, not mended in silence.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false, strict: false } },
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 100 },
  });
  const answers = createAnswers(config.query, deps);
  const context: RouteContext = { deps, config: config.query, answers };
  const isToken = createTokenCheck(config.token);
  let url: string | null = null;

  // Schemas of answers describe; filtering by them would cost a second pass over every frame.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.setErrorHandler((error: Error, _request, reply) => {
    const shown = fromFastify(error);
    if (shown.status >= 500)
      deps.log.error(
        { code: shown.code, error: String(shown.cause instanceof Error ? shown.cause.stack : error.stack) },
        'request failed',
      );
    sendError(reply, shown);
  });
  app.setNotFoundHandler((request, reply) => {
    sendError(
      reply,
      new RingflowError('not_found', `There is no ${request.method} ${request.url.split('?')[0]?.slice(0, 100)}`, {
        hint: 'Look at /openapi.json for what there is',
      }),
    );
  });

  const ready = (async () => {
    await app.register(compress, {
      global: true,
      threshold: COMPRESS_FROM_BYTES,
      encodings: ['gzip', 'deflate'],
      zlibOptions: { level: GZIP_LEVEL },
    });
    await app.register(swagger, openApiOptions(deps.version, ROUTES));
    for (const route of ROUTES) addRoute(app, route, context, config, isToken);
    app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
    await app.ready();
  })();
  // Reported by start(); until then nobody listens for it.
  ready.catch(() => undefined);

  return {
    start: async () => {
      await ready;
      url = await app.listen({ host: config.host, port: config.port });
      return { url };
    },
    stop: async () => {
      url = null;
      await app.close();
    },
    status: () => ({ url, ...answers.counts() }),
  };
}

function addRoute(
  app: FastifyInstance,
  route: Route,
  context: RouteContext,
  config: HttpConfig,
  isToken: (header: string | undefined) => boolean,
): void {
  const guarded = route.access === 'token' || (route.access === 'metrics' && config.protect_metrics);
  app.route({
    method: route.method,
    url: route.path,
    schema: {
      ...(route.body ? { body: route.looseBody ?? route.body } : {}),
      ...(route.query ? { querystring: route.query } : {}),
    },
    // Before the body is read: a stranger must not make us parse a megabyte.
    onRequest: async (request, reply) => {
      if (!guarded || isToken(request.headers.authorization)) return;
      void reply.header('www-authenticate', 'Bearer');
      sendError(
        reply,
        new RingflowError('unauthorized', ERRORS.unauthorized.title, {
          hint: 'Send the header Authorization: Bearer <http.token>',
        }),
      );
      await reply;
    },
    handler: async (request, reply) => {
      try {
        const answer = await route.handle(
          {
            body: request.body,
            query: request.query as Record<string, string | undefined>,
            authorized: isToken(request.headers.authorization),
            signal: callerSignal(request, reply),
          },
          context,
        );
        void reply
          .code(answer.status ?? 200)
          .type(answer.contentType ?? 'application/json; charset=utf-8')
          .header('cache-control', 'no-store')
          .headers(answer.headers ?? {});
        return await reply.send(answer.contentType === undefined ? JSON.stringify(answer.body) : answer.body);
      } catch (error) {
        throw toRingflowError(error);
      }
    },
  });
}

/** Aborted when the connection closes before the answer is out: Grafana's proxy closes it when a panel goes away. */
function callerSignal(_request: FastifyRequest, reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  return gone.signal;
}

function sendError(reply: FastifyReply, error: RingflowError): void {
  void reply
    .code(error.status)
    .type('application/json; charset=utf-8')
    .header('cache-control', 'no-store')
    .send(JSON.stringify(errorBody(error)));
}
