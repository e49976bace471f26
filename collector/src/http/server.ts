import type { Server as HttpsServer } from 'node:https';
import compress from '@fastify/compress';
import swagger from '@fastify/swagger';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { ERRORS, RingflowError, type QueryRequest, type QueryResponse } from '@ringflow/contract';
import type { QueryConfig } from '../query/index.ts';
import { createAnswers } from './answer.ts';
import type { HttpConfig } from './config.ts';
import type { HttpDeps } from './deps.ts';
import { errorBody, fromFastify, RETRY_AFTER_SECONDS, toRingflowError } from './errors.ts';
import { createGuard } from './guard.ts';
import { openApiOptions } from './openapi.ts';
import type { Route, RouteContext } from './route.ts';
import { ROUTES } from './routes.ts';
import { createTails } from './tail.ts';
import { readTls, type TlsMaterial } from './tls.ts';
import { createTokenCheck } from './token.ts';

/** The API server. */
export interface Http {
  /** Begins to listen; resolves with the URL. */
  start(): Promise<{ readonly url: string }>;
  /** Stops listening and ends what runs. */
  stop(): Promise<void>;
  /** New connections get this certificate; those that are open keep theirs. */
  useTls(material: TlsMaterial): void;
  /** Answers queries of this process itself, bounded and counted like all others. */
  ask(request: QueryRequest, client: string, signal: AbortSignal): Promise<QueryResponse>;
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
const HANDSHAKE_TIMEOUT_MS = 10_000;

/**
 * @param config may change while the server runs: token and bounds are read when they are used
 * @throws TlsError when certificate or key cannot be used
 */
export function createHttp(config: HttpConfig & { readonly query: QueryConfig }, deps: HttpDeps): Http {
  const tls = readTls(config.tls);
  const guard = createGuard(config.limits, (reason) => deps.refused?.(reason));
  const options = {
    ...guard.appOptions,
    bodyLimit: config.max_body_bytes,
    // A caller that stays connected must not keep the collector from stopping.
    forceCloseConnections: true,
    // Whatever is wrong is said, not mended in silence.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false, strict: false } },
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 100 },
  };
  const tlsOptions = tls && {
    ...guard.serverOptions,
    ...tls,
    requestCert: tls.ca !== undefined,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
  };
  // The two differ in the type of their server only, of which no more is used than both have.
  const app = (
    tlsOptions ? fastify({ ...options, https: tlsOptions }) : fastify({ ...options, http: guard.serverOptions })
  ) as FastifyInstance;
  const answers = createAnswers(config.query, deps);
  const tails = createTails(config.query, deps);
  const context: RouteContext = { deps, config: config.query, bounds: config.export, answers, tails };
  const isToken = createTokenCheck(() => config.token);
  const isIngestToken = createTokenCheck(() => config.ingest.token, true);
  const mayEnter: MayEnter = {
    open: () => true,
    token: isToken,
    metrics: (header) => !config.protect_metrics || isToken(header),
    // Without a token nobody sends, rather than everybody.
    ingest: (header) => config.ingest.token !== '' && isIngestToken(header),
  };
  let url: string | null = null;

  // Schemas of answers describe; filtering by them would cost a second pass over every frame.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.setErrorHandler((error: Error, request, reply) => {
    const shown = fromFastify(error, (request.routeOptions.config as RouteConfig).isIngest === true);
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

  guard.attach(app);
  const ready = (async () => {
    await app.register(compress, {
      global: true,
      threshold: COMPRESS_FROM_BYTES,
      encodings: ['gzip', 'deflate'],
      zlibOptions: { level: GZIP_LEVEL },
    });
    await app.register(swagger, openApiOptions(deps.version, ROUTES));
    for (const route of ROUTES) if (!route.rawBody) addRoute(app, route, context, mayEnter);
    await app.register(async (raw) => {
      raw.removeAllContentTypeParsers();
      raw.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: config.ingest.max_body_bytes }, (_, body, done) =>
        done(null, body),
      );
      for (const route of ROUTES)
        if (route.rawBody)
          addRoute(raw, route, context, mayEnter, route.isUsualLength ? config.max_body_bytes : undefined);
    });
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
    useTls: (material) => (app.server as unknown as HttpsServer).setSecureContext(material),
    ask: answers.query,
    status: () => ({ url, ...answers.counts() }),
  };
}

/** What the handler of errors must know about a route. */
interface RouteConfig {
  readonly isIngest?: boolean;
}

/** Whether a caller with this `Authorization` may use a route, by its access. */
type MayEnter = Readonly<Record<Route['access'], (header: string | undefined) => boolean>>;

function addRoute(
  app: FastifyInstance,
  route: Route,
  context: RouteContext,
  mayEnter: MayEnter,
  bodyLimit?: number,
): void {
  app.route({
    ...(bodyLimit === undefined ? {} : { bodyLimit }),
    ...(route.isPacked ? { compress: false, decompress: false } : {}),
    ...(route.isEndless ? { compress: false } : {}),
    method: route.method,
    url: route.path,
    config: { isIngest: route.access === 'ingest' } satisfies RouteConfig,
    schema: {
      ...(route.body && !route.rawBody ? { body: route.looseBody ?? route.body } : {}),
      ...(route.query ? { querystring: route.query } : {}),
    },
    // Before the body is read: a stranger must not make us parse a megabyte.
    onRequest: async (request, reply) => {
      const isIngest = route.access === 'ingest';
      if (isIngest && !context.deps.ingest) {
        sendError(reply, new RingflowError('not_found', 'Records are not taken', { hint: 'Set http.ingest.enabled' }));
        await reply;
        return;
      }
      if (mayEnter[route.access](request.headers.authorization)) return;
      void reply.header('www-authenticate', isIngest ? 'Bearer, Basic realm="ringflow"' : 'Bearer');
      sendError(
        reply,
        new RingflowError('unauthorized', ERRORS.unauthorized.title, {
          hint: `Send the header Authorization: Bearer <${isIngest ? 'http.ingest.token' : 'http.token'}>`,
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
            params: request.params as Record<string, string | undefined>,
            headers: request.headers,
            authorized: mayEnter.token(request.headers.authorization),
            client: clientOf(request),
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

/** Grafana's server asks for all of its users and names them where `send_user_header` is on. */
function clientOf({ ip, headers }: FastifyRequest): string {
  const user = headers['x-grafana-user'];
  return typeof user === 'string' ? `${ip} ${user.slice(0, 128)}` : ip;
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
  const retryAfter = RETRY_AFTER_SECONDS[error.code];
  if (retryAfter !== undefined) void reply.header('retry-after', retryAfter);
  void reply
    .code(error.status)
    .type('application/json; charset=utf-8')
    .header('cache-control', 'no-store')
    .send(JSON.stringify(errorBody(error)));
}
