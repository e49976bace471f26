import type { JsonSchema } from '@ringflow/contract';
import type { QueryConfig } from '../query/index.ts';
import type { Answers } from './answer.ts';
import type { HttpExportConfig } from './config.ts';
import type { HttpDeps } from './deps.ts';
import type { Tails } from './tail.ts';

/** A request as handlers see it: parsed, checked against the route's schema. */
export interface ApiRequest {
  readonly body: unknown;
  readonly query: Readonly<Record<string, string | undefined>>;
  /** Values of `:name` in the path. */
  readonly params: Readonly<Record<string, string | undefined>>;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The caller sent the token, or none is asked for. */
  readonly authorized: boolean;
  /** Who asks, for fair turns: the address, and the user where Grafana says it. */
  readonly client: string;
  /** Aborted when the caller goes away. */
  readonly signal: AbortSignal;
}

/** An answer; the content type is JSON unless given. */
export interface ApiAnswer {
  readonly status?: number;
  readonly contentType?: string;
  /** Header fields on top of the usual ones. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Text of the content type, or a stream; a value that becomes JSON where no type is given. */
  readonly body: unknown;
}

/** What handlers may use. */
export interface RouteContext {
  readonly deps: HttpDeps;
  readonly config: QueryConfig;
  /** Of an export. */
  readonly bounds: HttpExportConfig;
  readonly answers: Answers;
  readonly tails: Tails;
}

/** One entry of the table of routes: all there is to know about it, for the server and for OpenAPI. */
export interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly operationId: string;
  readonly tag: string;
  readonly summary: string;
  /** Who may call it: with the token, everybody, as `http.protect_metrics` says, or with the token of `http.ingest`. */
  readonly access: 'token' | 'open' | 'metrics' | 'ingest';
  readonly body?: JsonSchema;
  /** Checked in place of `body`, where single parts have errors of their own. */
  readonly looseBody?: JsonSchema;
  /** The handler gets the bytes of the body, whatever their content type; `body` only describes them. */
  readonly rawBody?: boolean;
  /** A raw body is bounded by `http.max_body_bytes`, as others are, and not as batches of records are. */
  readonly isUsualLength?: boolean;
  /** Body and answer have a compression of their own, which the handler knows. */
  readonly isPacked?: boolean;
  /** The answer goes on until the caller goes away: it is sent as it is, line by line. */
  readonly isEndless?: boolean;
  readonly query?: JsonSchema;
  /** Describes the `:name`s of the path. */
  readonly params?: JsonSchema;
  /** Schema of the answer; absent when it is not JSON. */
  readonly answer?: JsonSchema;
  /** Content type of an answer that is not JSON. */
  readonly contentType?: string;
  /** Other statuses that answer with the same schema. */
  readonly alsoStatus?: number;
  readonly handle: (request: ApiRequest, context: RouteContext) => Promise<ApiAnswer> | ApiAnswer;
}
