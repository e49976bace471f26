import { open, unlink } from 'node:fs/promises';
import { RingflowError, type ErrorCode } from '@ringflow/contract';
import type { ExportRows } from '../../http/index.ts';
import type { RunQuery } from '../../query/index.ts';
import type { ExportedFile } from '../../store/index.ts';
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
  query_busy: {
    code: 'query_busy',
    hint: 'Try again in some seconds, or ask for less at a time; store.query_slots and store.query_queue set how much is taken on',
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

/** Writes rows to a file in the store process, and opens it here. */
export function createExportRows(channel: () => StoreChannel | undefined): ExportRows {
  return async (query, { signal, ...options }) => {
    const store = channel();
    if (!store) throw toQueryError({ code: 'store_unavailable', message: '' });
    let file: ExportedFile;
    try {
      file = await store.call('exportRows', [query, options], signal);
    } catch (error) {
      throw toQueryError(error as WireError);
    }
    const handle = await open(file.path);
    // From here on it lives as long as it is read.
    await unlink(file.path);
    return { stream: handle.createReadStream({ highWaterMark: 1 << 18 }), sizeBytes: file.sizeBytes };
  };
}
