/**
 * Every error a user can meet: code, HTTP status and what it means, in one table. The HTTP answers, the texts of the
 * command line and the reference page derive from it. Bad packets are not errors: they are counted (style 3).
 */
export const ERRORS = {
  filter_syntax: { status: 400, title: 'The filter text does not follow the grammar' },
  filter_unknown_field: { status: 400, title: 'The filter names a field that does not exist' },
  filter_bad_operator: { status: 400, title: 'The field does not take this operator' },
  filter_bad_value: { status: 400, title: 'The value does not fit the field' },
  filter_unknown_set: { status: 400, title: 'The filter names a set that is not configured' },
  filter_too_complex: { status: 400, title: 'The filter is too long, too deep or has too many values' },
  query_invalid: { status: 400, title: 'The query does not fit its schema' },
  query_unknown_field: { status: 400, title: 'The query names a field that does not exist' },
  query_window: { status: 400, title: 'The time window cannot be read or is empty' },
  query_too_large: { status: 413, title: 'The query asks for more than the limits allow' },
  query_timeout: { status: 504, title: 'The query ran longer than allowed' },
  query_memory: { status: 503, title: 'The query needed more memory than allowed' },
  query_busy: { status: 503, title: 'Too many queries wait for their turn' },
  query_cancelled: { status: 499, title: 'The caller went away' },
  store_unavailable: { status: 503, title: 'The store is not there right now' },
  store_failed: { status: 500, title: 'The store could not run the statement' },
  ingest_invalid: { status: 400, title: 'The batch cannot be read; none of its records was taken' },
  ingest_conflict: { status: 409, title: 'The records do not follow those that were taken from this source before' },
  ingest_busy: { status: 429, title: 'Too much waits to be written' },
  ingest_unavailable: { status: 503, title: 'Records cannot be taken right now' },
  body_too_large: { status: 413, title: 'The request body is too large' },
  body_encoding: { status: 415, title: 'The request body is compressed in a way that is not read' },
  http_busy: { status: 503, title: 'Too many requests or answers at once' },
  unauthorized: { status: 401, title: 'The token is missing or wrong' },
  not_found: { status: 404, title: 'There is no such page' },
  bad_request: { status: 400, title: 'The request cannot be read' },
  internal: { status: 500, title: 'Something broke inside the collector' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ErrorCode = keyof typeof ERRORS;

/** Where in a text the trouble is: characters from 0. */
export interface TextSpan {
  readonly offset: number;
  readonly length: number;
}

export interface ErrorDetails {
  /** What to do about it, starting with a verb. */
  readonly hint?: string | undefined;
  readonly position?: TextSpan | undefined;
  readonly cause?: unknown;
}

/** An error that may be shown to the user as it is. */
export class RingflowError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly position: TextSpan | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'RingflowError';
    this.code = code;
    this.hint = details.hint;
    this.position = details.position;
  }

  /** HTTP status that the code stands for. */
  get status(): number {
    return ERRORS[this.code].status;
  }
}
