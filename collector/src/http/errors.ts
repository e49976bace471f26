import { ERRORS, RingflowError, type ApiError, type ErrorCode, type QueryResult } from '@ringflow/contract';

/** Codes of the store that have another name outside. */
const STORE_CODES: Readonly<Record<string, ErrorCode>> = {
  query_rows: 'query_too_large',
  query_failed: 'store_failed',
};

/** Hints for errors that come without one. */
const HINTS: Readonly<Partial<Record<ErrorCode, string>>> = {
  query_timeout: 'Shorten the window, narrow the filter, or raise query.timeout_seconds',
  query_memory: 'Group by fewer fields, narrow the filter, or raise query.max_memory_bytes',
  query_too_large: 'Lower limit or lengthen intervalMs, or raise query.max_rows',
  query_busy: 'Try again in some seconds, or ask for less at a time',
  store_unavailable: 'Try again in a few seconds; /api/v1/status says what the store is doing',
  store_failed: 'Report it together with the query: this should not happen',
};

/** Longest text of a foreign error that is passed on. */
const MAX_MESSAGE = 500;

/** Any error as the API shows it. Errors without a known code are ours and keep their text to the log. */
export function toRingflowError(error: unknown): RingflowError {
  if (error instanceof RingflowError)
    return error.hint === undefined && HINTS[error.code]
      ? new RingflowError(error.code, error.message, {
          hint: HINTS[error.code],
          position: error.position,
          cause: error,
        })
      : error;
  // Errors of the store come from another process, as plain ones with a code.
  const { code, message, hint, position } = (error ?? {}) as {
    code?: unknown;
    message?: unknown;
    hint?: string;
    position?: ApiError['position'];
  };
  const known =
    typeof code === 'string'
      ? (STORE_CODES[code] ?? (Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : undefined))
      : undefined;
  if (known)
    return new RingflowError(known, String(message).slice(0, MAX_MESSAGE), {
      hint: hint ?? HINTS[known],
      position,
      cause: error,
    });
  return new RingflowError('internal', ERRORS.internal.title, {
    hint: 'Look into the log of the collector',
    cause: error,
  });
}

/** Seconds after which asking again makes sense, for what will pass by itself. */
export const RETRY_AFTER_SECONDS: Readonly<Partial<Record<ErrorCode, number>>> = {
  query_busy: 5,
  store_unavailable: 5,
  ingest_busy: 1,
  ingest_unavailable: 1,
};

export function errorBody(error: RingflowError): ApiError {
  return {
    code: error.code,
    message: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.position === undefined ? {} : { position: error.position }),
  };
}

/** An error of one query among others. `plugin` is Grafana's word for "the question was wrong". */
export function errorResult(error: RingflowError): QueryResult {
  return {
    status: error.status,
    frames: [],
    error: error.hint === undefined ? error.message : `${error.message}. ${error.hint}`,
    errorSource: error.status < 500 ? 'plugin' : 'downstream',
    code: error.code,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.position === undefined ? {} : { position: error.position.offset, length: error.position.length }),
  };
}

/**
 * fastify's own errors (bad JSON, body limit, schema) in our words.
 *
 * @param isIngest the request brought records, for which there is another limit
 */
export function fromFastify(
  error: {
    code?: string;
    statusCode?: number;
    message: string;
    validation?: readonly { instancePath: string; message?: string }[];
  },
  isIngest = false,
): RingflowError {
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return new RingflowError('body_too_large', ERRORS.body_too_large.title, {
      hint: isIngest
        ? 'Send fewer records in one request, or raise http.ingest.max_body_bytes'
        : 'Send fewer queries in one request, or raise http.max_body_bytes',
    });
  if (error.validation) {
    const [first] = error.validation;
    return new RingflowError(
      'bad_request',
      `${first?.instancePath || 'The request'} ${first?.message ?? 'is not as expected'}`.replace(/^\//, ''),
      { hint: 'Compare with /openapi.json' },
    );
  }
  if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
    return new RingflowError('bad_request', 'The body is not JSON', { hint: 'Send content-type: application/json' });
  if (error.statusCode === 415)
    return new RingflowError('body_encoding', ERRORS.body_encoding.title, {
      hint: 'Send the body as it is, or with content-encoding: gzip',
    });
  if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500)
    return new RingflowError('bad_request', error.message, { hint: 'Compare with /openapi.json' });
  return toRingflowError(error);
}
