import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { RingflowError } from '@ringflow/contract';
import type { HttpLimits } from './config.ts';
import { errorBody } from './errors.ts';

/** Why a caller was cut off or turned away before its question was looked at: label values of `ringflow_http_refused_total`. */
export const HTTP_REFUSALS = [
  'connections',
  'connections_of_address',
  'requests_of_connection',
  'unsent_answers',
  'slow_request',
  'slow_answer',
  'header_too_large',
  'bad_request',
  'body_too_large',
  'unsupported_encoding',
  'aborted',
] as const;
export type HttpRefusal = (typeof HTTP_REFUSALS)[number];

/** Bounds what callers may cost before they have asked anything, and while they take the answer. */
export interface Guard {
  /** For `http.createServer` or `https.createServer`. */
  readonly serverOptions: { readonly maxHeaderSize: number; readonly connectionsCheckingInterval: number };
  /** For `fastify`. */
  readonly appOptions: {
    readonly requestTimeout: number;
    readonly keepAliveTimeout: number;
    readonly clientErrorHandler: (error: NodeJS.ErrnoException, socket: Socket) => void;
  };
  /** Call it before anything else is registered. */
  attach(app: FastifyInstance): void;
}

/** What Node calls the ways in which a request can be wrong before it is one. */
const CLIENT_ERRORS: Readonly<Record<string, readonly [refusal: HttpRefusal, status: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['slow_request', '408 Request Timeout'],
  HPE_HEADER_OVERFLOW: ['header_too_large', '431 Request Header Fields Too Large'],
  ECONNRESET: ['aborted', ''],
};

/** Refusals that fastify answers itself, by the status that it answers with. */
const BY_STATUS: Readonly<Record<number, HttpRefusal>> = { 413: 'body_too_large', 415: 'unsupported_encoding' };

/** How often Node looks for requests that take too long. */
const LOOK_MS = 1000;

/** @param refused told about each one, for metrics */
export function createGuard(limits: HttpLimits, refused: (reason: HttpRefusal) => void): Guard {
  const connections = new Map<string, number>();
  /** Requests of a connection that are not answered yet: HTTP allows many in a row (pipelining). */
  const running = new WeakMap<Socket, number>();
  const ended = new WeakSet<Socket>();
  let unsentBytes = 0;
  let lastRoomMs = 0;

  function clientErrorHandler(error: NodeJS.ErrnoException, socket: Socket): void {
    // What still comes on it is wrong, too.
    if (ended.has(socket)) return;
    ended.add(socket);
    const [refusal, status] = CLIENT_ERRORS[error.code ?? ''] ?? ['bad_request', '400 Bad Request'];
    refused(refusal);
    // RFC 9112 9.5: say why, then close; a caller in mid-answer would take it for a part of that.
    if (socket.writable && status !== '' && (running.get(socket) ?? 0) === 0)
      socket.write(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
    socket.destroySoon();
  }

  function count(socket: Socket): void {
    const address = socket.remoteAddress ?? '';
    const open = (connections.get(address) ?? 0) + 1;
    if (open > limits.connections_per_address) {
      refused('connections_of_address');
      socket.destroy();
      return;
    }
    connections.set(address, open);
    socket.once('close', () => {
      const left = (connections.get(address) ?? 1) - 1;
      if (left > 0) connections.set(address, left);
      else connections.delete(address);
    });
  }

  async function enter(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { socket } = request.raw;
    const now = (running.get(socket) ?? 0) + 1;
    running.set(socket, now);
    reply.raw.once('close', () => running.set(socket, (running.get(socket) ?? 1) - 1));
    if (now <= limits.requests_per_connection) return;
    refused('requests_of_connection');
    void reply.header('connection', 'close');
    throw new RingflowError(
      'http_busy',
      `More than ${limits.requests_per_connection} requests wait on one connection`,
      { hint: 'Wait for answers before sending more, or raise http.limits.requests_per_connection' },
    );
  }

  /** An answer is ours until it is sent: how many there are, and how long, must not be up to who takes them. */
  async function leave(request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> {
    const refusal = BY_STATUS[reply.statusCode];
    if (refusal) refused(refusal);
    // A stream is made as it is taken: it may take long, but it must go on.
    if (reply.hasHeader('content-disposition') || payload instanceof Readable) {
      // Nobody listens for the timeout, so Node closes the connection.
      request.raw.socket.setTimeout(limits.answer_timeout_seconds * 1000);
      return payload;
    }
    const bytes =
      typeof payload === 'string' ? Buffer.byteLength(payload) : payload instanceof Uint8Array ? payload.length : 0;
    if (unsentBytes > 0 && unsentBytes + bytes > limits.unsent_bytes) {
      refused('unsent_answers');
      const error = new RingflowError('http_busy', 'Too many answers wait to be taken', {
        hint: 'Try again in a few seconds, or raise http.limits.unsent_bytes',
      });
      void reply.code(error.status).type('application/json; charset=utf-8').header('retry-after', '1');
      void reply.removeHeader('content-length');
      return JSON.stringify(errorBody(error));
    }
    unsentBytes += bytes;
    const timer = setTimeout(() => {
      refused('slow_answer');
      request.raw.socket.destroy();
    }, limits.answer_timeout_seconds * 1000);
    timer.unref();
    reply.raw.once('close', () => {
      clearTimeout(timer);
      unsentBytes -= bytes;
    });
    return payload;
  }

  return {
    serverOptions: { maxHeaderSize: limits.header_bytes, connectionsCheckingInterval: LOOK_MS },
    appOptions: {
      requestTimeout: limits.request_timeout_seconds * 1000,
      keepAliveTimeout: limits.idle_timeout_seconds * 1000,
      clientErrorHandler,
    },
    attach(app) {
      const { server } = app;
      server.headersTimeout = limits.headers_timeout_seconds * 1000;
      server.maxConnections = limits.connections;
      server.on('connection', count);
      server.on('drop', () => {
        refused('connections');
        // Callers that only keep a connection for later make room for those that have something to ask.
        const nowMs = performance.now();
        if (nowMs - lastRoomMs < LOOK_MS) return;
        lastRoomMs = nowMs;
        server.closeIdleConnections();
      });
      app.addHook('onRequest', enter);
      app.addHook('onSend', leave);
      app.addHook('onRequestAbort', (_request, done) => {
        refused('aborted');
        done();
      });
    },
  };
}
