import { createReadStream, createWriteStream, openAsBlob } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ClickHouseClient } from '@clickhouse/client';
import { clusterDialect, SHARED_SERVER } from './dialect.ts';
import type {
  Engine,
  ExportOptions,
  RunOptions,
  RunResult,
  SegmentSource,
  Settings,
  SqlParams,
  SqlQuery,
} from './engine.ts';
import { EngineError, toEngineError } from './engine-error.ts';
import { createQueryQueue } from './query-queue.ts';
import { boundedSettings, EXPORT_FUNCTIONS, EXPORT_SETTINGS, queryTag, refuseForeign } from './run-settings.ts';
import { quoteSql, structureOf } from './segment-source.ts';

export interface RemoteOptions {
  /** `http://host:8123`. */
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** Name of the servers' cluster; empty = one server. */
  readonly cluster: string;
  readonly querySlots: number;
  readonly maxWaiting: number;
}

/** Longest wait for an insert or a statement of our own; reads have their own bound. */
const REQUEST_TIMEOUT_MS = 300_000;
/** Added to a query's bound: the server's own error about it should come first. */
const GRACE_MS = 5000;

/** A ClickHouse server over HTTP: the same SQL, a segment's file as the body of the request. */
export function createRemoteEngine(options: RemoteOptions): Engine {
  let client: ClickHouseClient | null = null;
  const dialect = options.cluster === '' ? SHARED_SERVER : clusterDialect(options.cluster, options.database);
  const usual = options.cluster === '' ? {} : CLUSTER_SETTINGS;
  const queue = createQueryQueue({ slots: options.querySlots, maxWaiting: options.maxWaiting });

  function connected(): ClickHouseClient {
    if (!client) throw new EngineError('store_unavailable', 0, 'The connection to ClickHouse is not open');
    return client;
  }

  async function open(): Promise<void> {
    const { createClient, ClickHouseLogLevel } = await import('@clickhouse/client');
    // Failures are thrown, and the caller logs them; the client's own log would put whole statements on the console.
    const common = {
      url: options.url,
      username: options.user,
      password: options.password,
      request_timeout: REQUEST_TIMEOUT_MS,
      log: { level: ClickHouseLogLevel.OFF },
    };
    const plain = createClient({ ...common, max_open_connections: 1 });
    try {
      await plain.command({ query: `CREATE DATABASE IF NOT EXISTS ${dialect.on(options.database)}` });
    } catch (error) {
      throw toEngineError(error);
    } finally {
      await plain.close();
    }
    // One for the loader, one for our own statements, one for the long ones, one to stop queries with.
    client = createClient({
      ...common,
      database: options.database,
      max_open_connections: options.querySlots + 4,
      keep_alive: { enabled: true },
    });
  }

  async function guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw toEngineError(error);
    }
  }

  function exec(sql: string, params: SqlParams = {}, settings: Settings = {}): Promise<void> {
    return guarded(
      async () =>
        void (await connected().command({
          query: sql,
          query_params: { ...params },
          clickhouse_settings: { wait_end_of_query: 1, ...usual, ...settings },
        })),
    );
  }

  function selectToFile(path: string, sql: string, params: SqlParams, settings: Settings): Promise<void> {
    return guarded(async () => {
      const { stream } = await connected().exec({
        query: `${sql} FORMAT Native`,
        query_params: { ...params },
        clickhouse_settings: { wait_end_of_query: 1, ...usual, ...settings },
      });
      await pipeline(stream, createWriteStream(path, { flags: 'wx' }));
    });
  }

  function select<Row>(sql: string, params: SqlParams = {}, settings: Settings = {}): Promise<Row[]> {
    return guarded(async () => {
      const result = await connected().query({
        query: sql,
        query_params: { ...params },
        format: 'JSONEachRow',
        clickhouse_settings: { ...NUMBERS, ...usual, ...settings },
      });
      return result.json<Row>();
    });
  }

  /** A read from outside, when it is its turn; with the whole answer buffered an error has its own status. */
  function inQueue<T>(
    limits: RunOptions,
    statement: SqlQuery,
    settings: Settings,
    take: (result: Awaited<ReturnType<ClickHouseClient['exec']>>, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    return guarded(async () => {
      const { signal, timeoutMs, id } = limits;
      const endTurn = await queue.take(limits.client ?? '', signal);
      const stop = new AbortController();
      let timedOut = false;
      const timer = setTimeout(() => {
        timedOut = true;
        stop.abort();
      }, timeoutMs + GRACE_MS);
      const onAbort = (): void => {
        stop.abort();
        // Closing the connection does not stop a query on every server.
        void cancel(id).catch(() => undefined);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      try {
        const result = await connected().exec({
          query: statement.sql,
          query_params: { ...statement.params },
          clickhouse_settings: { wait_end_of_query: 1, ...usual, ...settings },
          abort_signal: stop.signal,
        });
        return await take(result, stop.signal);
      } catch (error) {
        if (signal?.aborted) throw cancelled(error);
        if (timedOut) throw new EngineError('query_timeout', 159, `No answer within ${timeoutMs} ms`, error);
        throw error;
      } finally {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        endTurn();
      }
    });
  }

  async function query(statement: SqlQuery, limits: RunOptions): Promise<RunResult> {
    refuseForeign(statement.sql);
    const began = performance.now();
    const inColumns = { ...statement, sql: `${statement.sql} FORMAT JSONCompactColumns` };
    return inQueue(limits, inColumns, boundedSettings(limits), async ({ stream, summary }) => {
      const columns = JSON.parse(await textOf(stream)) as unknown[][];
      return {
        columns,
        rows: columns[0]?.length ?? 0,
        rowsRead: Number(summary?.read_rows ?? 0),
        bytesRead: Number(summary?.read_bytes ?? 0),
        elapsedMs: summary?.elapsed_ns === undefined ? performance.now() - began : Number(summary.elapsed_ns) / 1e6,
      };
    });
  }

  async function exportRows(statement: SqlQuery, limits: ExportOptions): Promise<void> {
    refuseForeign(statement.sql, EXPORT_FUNCTIONS);
    const inFormat = { ...statement, sql: `${statement.sql} FORMAT ${limits.format}` };
    const settings = { ...boundedSettings(limits), ...EXPORT_SETTINGS };
    await inQueue(limits, inFormat, settings, ({ stream }, signal) =>
      pipeline(stream, createWriteStream(limits.path), { signal }),
    );
  }

  function loadSegment(segment: SegmentSource, sql: (table: string) => string, settings: Settings): Promise<void> {
    return guarded(async () => {
      const body = Readable.from(contentOf(segment), { objectMode: false });
      const { stream } = await connected().exec({
        query: `${sql(`input(${quoteSql(structureOf(segment))})`)} FORMAT Native`,
        values: body,
        clickhouse_settings: { wait_end_of_query: 1, ...settings },
      });
      await textOf(stream);
    });
  }

  /** The files travel as an external table, which the client does not know: one request by hand. */
  function selectSegment<Row>(
    segment: SegmentSource,
    sql: (table: string) => string,
    params: SqlParams = {},
  ): Promise<Row[]> {
    return guarded(async () => {
      const url = new URL(options.url);
      const query: Record<string, string> = {
        database: options.database,
        query: `${sql('segment')} FORMAT JSONEachRow`,
        segment_format: 'Native',
        segment_structure: structureOf(segment),
        output_format_json_quote_64bit_integers: '0',
        wait_end_of_query: '1',
      };
      for (const [name, value] of Object.entries(params)) query[`param_${name}`] = formatParam(value);
      for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
      const form = new FormData();
      form.set('segment', new Blob(await Promise.all(segment.paths.map((path) => openAsBlob(path)))), 'segment.native');
      const response = await fetch(url, {
        method: 'POST',
        body: form,
        headers: { 'x-clickhouse-user': options.user, 'x-clickhouse-key': options.password },
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
      const text = await response.text();
      if (!response.ok) throw toEngineError(new Error(text));
      return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Row]));
    });
  }

  async function cancel(id: string): Promise<void> {
    await guarded(() =>
      connected().command({ query: `KILL QUERY WHERE Settings['log_comment'] = '${queryTag(id)}' ASYNC` }),
    );
  }

  /** As the server counts: what file systems round up is not in it. */
  async function diskBytes(): Promise<number> {
    const [row] = await select<{ sizeBytes: number }>(
      'SELECT sum(bytes_on_disk) AS sizeBytes FROM system.parts WHERE database = currentDatabase()',
    );
    return row?.sizeBytes ?? 0;
  }

  async function close(): Promise<void> {
    queue.close();
    await client?.close();
    client = null;
  }

  return {
    kind: 'remote',
    dialect,
    open,
    exec,
    execBeside: exec,
    selectToFile,
    select,
    query,
    exportRows,
    loadSegment,
    selectSegment,
    diskBytes,
    cancel,
    close,
  };
}

/** Blocks of the Native format follow each other, within a file as over files. */
async function* contentOf({ paths }: SegmentSource): AsyncGenerator<Uint8Array> {
  for (const path of paths) yield* createReadStream(path) as AsyncIterable<Uint8Array>;
}

function cancelled(cause?: unknown): EngineError {
  return new EngineError('query_cancelled', 394, 'The query was cancelled', cause);
}

async function textOf(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of stream) text += decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}

/**
 * On a cluster: what stands in brackets after IN or JOIN is asked once and sent to the shards, where each would else ask
 * its own part of the cluster, or a table that only this server has.
 */
const CLUSTER_SETTINGS: Settings = { prefer_global_in_and_join: 1 };

const NUMBERS: Settings = { output_format_json_quote_64bit_integers: 0 };

/** A parameter as the HTTP interface takes it. */
function formatParam(value: SqlParams[string]): string {
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\t', '\\t');
  return `[${value.map((item) => (typeof item === 'number' ? String(item) : `'${item.replace(/['\\]/g, '\\$&')}'`)).join(',')}]`;
}
