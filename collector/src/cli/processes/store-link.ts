import { RingflowError, type ErrorCode } from '@ringflow/contract';
import type { RunQuery } from '../../query/index.ts';
import type { Channel, WireError } from './channel.ts';
import type { MainEvents, StoreEvents, StoreMethods } from './messages.ts';

export type StoreChannel = Channel<StoreMethods, StoreEvents, MainEvents>;

/** What the engine's errors mean to who asked: code of the contract, and what to do. */
const ENGINE_ERRORS: Readonly<Record<string, { code: ErrorCode; message?: string; hint: string }>> = {
  query_timeout: {
    code: 'query_timeout',
    message: 'The query ran longer than allowed',
    hint: 'Narrow the time window or the filter, or raise query.timeout_seconds',
  },
  query_memory: {
    code: 'query_memory',
    message: 'The query needed more memory than allowed',
    hint: 'Group by fewer fields, narrow the time window, or raise query.max_memory_bytes',
  },
  query_rows: {
    code: 'query_too_large',
    message: 'The answer has more rows than allowed',
    hint: 'Group by fewer fields, make the buckets longer, or raise query.max_rows',
  },
  query_cancelled: { code: 'query_cancelled', message: 'The query was cancelled', hint: 'Ask again' },
  query_failed: { code: 'store_failed', hint: 'Report it with the SQL of the query' },
  store_unavailable: {
    code: 'store_unavailable',
    message: 'The store is not there right now',
    hint: 'Try again in some seconds; the log of the collector says why',
  },
};

/** The error of a query as its caller sees it. */
export function toQueryError(error: WireError): RingflowError {
  const known = ENGINE_ERRORS[error.code ?? 'store_unavailable'] ?? {
    code: 'internal' as const,
    hint: 'Look at the log of the collector',
  };
  return new RingflowError(known.code, known.message ?? error.message, { hint: known.hint, cause: error });
}

/** Runs queries in the store process; `channel` gives the process that is up, if one is. */
export function createRunQuery(channel: () => StoreChannel | undefined): RunQuery {
  return async (query, { signal, ...options }) => {
    const store = channel();
    if (!store) throw toQueryError({ code: 'store_unavailable', message: '' });
    try {
      return await store.call('run', [query, options], signal);
    } catch (error) {
      throw toQueryError(error as WireError);
    }
  };
}
