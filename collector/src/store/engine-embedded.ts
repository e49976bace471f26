import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Session } from 'chdb';
import { ONE_SERVER } from './dialect.ts';
import { createDirectorySize } from './directory-size.ts';
import type {
  Engine,
  ExportOptions,
  InsertTurn,
  RunOptions,
  RunResult,
  SegmentSource,
  Settings,
  SqlParams,
  SqlQuery,
} from './engine.ts';
import { EngineError, toEngineError } from './engine-error.ts';
import { createQueryQueue } from './query-queue.ts';
import {
  boundedSettings,
  EXPORT_FUNCTIONS,
  EXPORT_SETTINGS,
  queryTag,
  refuseForeign,
  settingsClause,
} from './run-settings.ts';
import { quoteSql, structureOf } from './segment-source.ts';

export interface EmbeddedOptions {
  /** Directory of the tables; one process at a time. */
  readonly path: string;
  readonly database: string;
  readonly querySlots: number;
  /** Queries that may wait for one of the slots. */
  readonly maxWaiting: number;
  readonly maxMemoryBytes: number;
}

/** A session runs one statement at a time; what comes meanwhile waits here. */
interface Lane {
  readonly session: Session;
  tail: Promise<unknown>;
}

/**
 * ClickHouse in this process. Several sessions on one path run side by side, so a dashboard never waits behind an
 * insert: one session loads, one serves our own small statements and one the long ones, `querySlots` answer queries,
 * one stops them.
 *
 * Statements run on libuv's thread pool: with its default of four threads, four slow statements block every file
 * operation of the process, so the process is started with UV_THREADPOOL_SIZE above the number of sessions.
 */
export function createEmbeddedEngine(options: EmbeddedOptions): Engine {
  let loader: Lane | null = null;
  let own: Lane | null = null;
  let beside: Lane | null = null;
  let control: Session | null = null;
  const idle: Session[] = [];
  let closing = false;
  const queue = createQueryQueue({ slots: options.querySlots, maxWaiting: options.maxWaiting });
  const all: Session[] = [];
  const diskBytes = createDirectorySize(options.path);

  async function open(): Promise<void> {
    const { Session } = await import('chdb');
    // What queries had spilled when the process was killed; the engine leaves it there.
    await rm(join(options.path, 'tmp'), { recursive: true, force: true });
    const connectionArgs = [
      `--max_server_memory_usage=${options.maxMemoryBytes}`,
      // The default caches are made for servers with a hundred times our memory.
      '--mark_cache_size=67108864',
      '--index_mark_cache_size=16777216',
      '--background_pool_size=2',
      '--background_schedule_pool_size=4',
    ];
    try {
      for (let index = 0; index < options.querySlots + 4; index++) {
        const session = new Session(options.path, { connectionArgs });
        all.push(session);
        if (index === 0) await session.queryAsync(`CREATE DATABASE IF NOT EXISTS ${options.database}`);
        await session.queryAsync(`USE ${options.database}`);
      }
    } catch (error) {
      await close();
      throw toEngineError(error);
    }
    const [first, second, third, fourth, ...rest] = all as [Session, Session, Session, Session, ...Session[]];
    loader = { session: first, tail: Promise.resolve() };
    own = { session: second, tail: Promise.resolve() };
    beside = { session: third, tail: Promise.resolve() };
    control = fourth;
    idle.push(...rest);
  }

  function inTurn<T>(lane: Lane | null, work: (session: Session) => Promise<T>): Promise<T> {
    if (!lane) return Promise.reject(notOpen());
    const result = lane.tail
      .then(() => {
        if (closing) throw notOpen();
        return work(lane.session);
      })
      .catch((error: unknown) => {
        throw toEngineError(error);
      });
    lane.tail = result.catch(() => undefined);
    return result;
  }

  async function run(
    session: Session,
    sql: string,
    params: SqlParams | undefined,
    format: string,
  ): Promise<{ text: string; rowsRead: number; bytesRead: number; elapsedMs: number }> {
    try {
      const result =
        params && Object.keys(params).length > 0
          ? await session.queryBindAsync(sql, params, { format })
          : await session.queryAsync(sql, { format });
      return {
        text: result.text(),
        rowsRead: result.rowsRead,
        bytesRead: result.bytesRead,
        elapsedMs: result.elapsed * 1000,
      };
    } catch (error) {
      // What a failed statement had written already stands before the next answer of the session (seen with 3.4.0
      // after KILL QUERY: "[\n\n]\n"), so the next one is a throw-away.
      await session.queryAsync('SELECT 1').catch(() => undefined);
      throw error;
    }
  }

  async function exec(sql: string, params?: SqlParams, settings: Settings = {}): Promise<void> {
    await inTurn(own, (session) => run(session, sql + settingsClause(settings), params, 'Null'));
  }

  async function execBeside(sql: string, params?: SqlParams, settings: Settings = {}): Promise<void> {
    await inTurn(beside, (session) => run(session, sql + settingsClause(settings), params, 'Null'));
  }

  function selectToFile(path: string, sql: string, params: SqlParams, settings: Settings): Promise<void> {
    return execBeside(`${sql} INTO OUTFILE ${quoteSql(path)} FORMAT Native`, params, settings);
  }

  function select<Row>(sql: string, params?: SqlParams, settings: Settings = {}): Promise<Row[]> {
    return inTurn(own, async (session) =>
      parseRows<Row>(
        (await run(session, sql + settingsClause({ ...NUMBERS, ...settings }), params, 'JSONEachRow')).text,
      ),
    );
  }

  function loadSegment(
    segment: SegmentSource,
    sql: (table: string) => string,
    settings: Settings,
    turn: InsertTurn = 'load',
  ): Promise<void> {
    return inTurn(turn === 'beside' ? beside : loader, async (session) => {
      await run(session, sql(fileTable(segment)) + settingsClause(settings), undefined, 'Null');
    });
  }

  function selectSegment<Row>(
    segment: SegmentSource,
    sql: (table: string) => string,
    params?: SqlParams,
  ): Promise<Row[]> {
    return inTurn(loader, async (session) =>
      parseRows<Row>(
        (await run(session, sql(fileTable(segment)) + settingsClause(NUMBERS), params, 'JSONEachRow')).text,
      ),
    );
  }

  /** A read from outside, when it is its turn; aborting the signal stops it in the engine. */
  async function inQueue<T>(
    limits: RunOptions,
    work: (session: Session, settings: Settings) => Promise<T>,
  ): Promise<T> {
    if (!control || closing) throw notOpen();
    const endTurn = await queue.take(limits.client ?? '', limits.signal);
    const maxMemoryBytes = Math.min(limits.maxMemoryBytes, queryMemoryBytes(options));
    // As many sessions as turns.
    const session = idle.pop() as Session;
    let killing: NodeJS.Timeout | undefined;
    const onAbort = (): void => {
      void cancel(limits.id);
      killing = setInterval(() => void cancel(limits.id), KILL_AGAIN_MS);
    };
    limits.signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await work(session, { ...boundedSettings({ ...limits, maxMemoryBytes }), max_threads: threads() });
    } catch (error) {
      throw toEngineError(error);
    } finally {
      limits.signal?.removeEventListener('abort', onAbort);
      clearInterval(killing);
      idle.push(session);
      endTurn();
    }
  }

  function query(statement: SqlQuery, limits: RunOptions): Promise<RunResult> {
    return inQueue(limits, async (session, settings) => {
      refuseForeign(statement.sql);
      const text = statement.sql + settingsClause(settings);
      const result = await run(session, text, statement.params, 'JSONColumnsWithMetadata');
      // The binding counts the rows of the result; what was read to find them stands in the format's statistics.
      const { meta, data, rows, statistics } = JSON.parse(result.text) as ColumnsWithMetadata;
      return {
        columns: meta.map(({ name }) => data[name] ?? []),
        rows,
        rowsRead: statistics.rows_read,
        bytesRead: statistics.bytes_read,
        elapsedMs: result.elapsedMs,
      };
    });
  }

  function exportRows(statement: SqlQuery, limits: ExportOptions): Promise<void> {
    return inQueue(limits, async (session, settings) => {
      refuseForeign(statement.sql, EXPORT_FUNCTIONS);
      const target = ` INTO OUTFILE ${quoteSql(limits.path)} FORMAT ${limits.format}`;
      const text = statement.sql + target + settingsClause({ ...settings, ...EXPORT_SETTINGS });
      await run(session, text, statement.params, 'Null');
    });
  }

  /** A query alone takes all cores; several share them, so that ten threads do not push the loader's one aside. */
  function threads(): number {
    const { running, waiting } = queue.status();
    return Math.max(
      1,
      Math.floor(availableParallelism() / Math.min(options.querySlots, Math.max(1, running + waiting))),
    );
  }

  function cancel(id: string): Promise<void> {
    // In the calling thread: the thread pool may be full of the very queries to be stopped. ASYNC, as SYNC never returns.
    control?.query(`KILL QUERY WHERE Settings['log_comment'] = '${queryTag(id)}' ASYNC`, 'Null');
    return Promise.resolve();
  }

  async function close(): Promise<void> {
    closing = true;
    queue.close();
    const stop = (): void => void control?.query('KILL QUERY WHERE query_id != queryID() ASYNC', 'Null');
    stop();
    const stopping = setInterval(stop, KILL_AGAIN_MS);
    await Promise.allSettled([loader?.tail, own?.tail, beside?.tail]);
    clearInterval(stopping);
    for (const session of all.splice(0)) session.close();
    loader = own = beside = control = null;
    idle.length = 0;
  }

  return {
    kind: 'embedded',
    dialect: ONE_SERVER,
    open,
    exec,
    execBeside,
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

/**
 * The loader's share of the memory: what a segment takes while its flows are spread over the minutes, and merges. A
 * query that wants more than its part of the rest spills to disk or fails; the loader does not.
 */
const LOADER_SHARE = 0.5;

/** Memory that each of the queries that run side by side may take. */
function queryMemoryBytes({ maxMemoryBytes, querySlots }: EmbeddedOptions): number {
  return Math.floor((maxMemoryBytes * (1 - LOADER_SHARE)) / querySlots);
}

/** Again and again: what the engine has not begun yet cannot be killed. */
const KILL_AGAIN_MS = 250;

function notOpen(): EngineError {
  return new EngineError('store_unavailable', 0, 'The engine is not open');
}

/** Answer of `FORMAT JSONColumnsWithMetadata`; columns of one name would be one. */
interface ColumnsWithMetadata {
  readonly meta: readonly { readonly name: string }[];
  readonly data: Readonly<Record<string, unknown[]>>;
  readonly rows: number;
  readonly statistics: { readonly rows_read: number; readonly bytes_read: number };
}

const NUMBERS: Settings = { output_format_json_quote_64bit_integers: 0 };

/** With the columns named the engine does not read the files twice to find out. */
function fileTable(segment: SegmentSource): string {
  const [first = '', ...others] = segment.paths;
  // Segments lie in one folder.
  const path =
    others.length === 0 ? first : join(dirname(first), `{${segment.paths.map((one) => basename(one)).join(',')}}`);
  return `file(${quoteSql(path)}, 'Native', ${quoteSql(structureOf(segment))})`;
}

function parseRows<Row>(text: string): Row[] {
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Row]));
}
