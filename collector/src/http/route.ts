import type { JsonSchema } from '@ringflow/contract';
import type { QueryConfig } from '../query/index.ts';
import type { Answers } from './answer.ts';
import type { HttpDeps } from './deps.ts';

/** A request as handlers see it: parsed, checked against the route's schema. */
export interface ApiRequest {
  readonly body: unknown;
  readonly query: Readonly<Record<string, string | undefined>>;
  /** The caller sent the token, or none is asked for. */
  readonly authorized: boolean;
  /** Aborted when the caller goes away. */
  readonly signal: AbortSignal;
}

/** An answer; the content type is JSON unless given. */
export interface ApiAnswer {
  readonly status?: number;
  readonly contentType?: string;
  /** Header fields on top of the usual ones. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** What handlers may use. */
export interface RouteContext {
  readonly deps: HttpDeps;
  readonly config: QueryConfig;
  readonly answers: Answers;
}

/** One entry of the table of routes: all there is to know about it, for the server and for OpenAPI. */
export interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly operationId: string;
  readonly tag: string;
  readonly summary: string;
  /** Who may call it: with a token, everybody, or as `http.protect_metrics` says. */
  readonly access: 'token' | 'open' | 'metrics';
  readonly body?: JsonSchema;
  /** Checked in place of `body`, where single parts have errors of their own. */
  readonly looseBody?: JsonSchema;
  readonly query?: JsonSchema;
  /** Schema of the answer; absent when it is not JSON. */
  readonly answer?: JsonSchema;
  /** Content type of an answer that is not JSON. */
  readonly contentType?: string;
  /** Other statuses that answer with the same schema. */
  readonly alsoStatus?: number;
  readonly handle: (request: ApiRequest, context: RouteContext) => Promise<ApiAnswer> | ApiAnswer;
}
