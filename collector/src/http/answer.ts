import { randomUUID } from 'node:crypto';
import {
  migrateQuery,
  QUERY_KINDS,
  RingflowError,
  type FlowQueryInput,
  type QueryRequest,
  type QueryResponse,
  type QueryResult,
} from '@ringflow/contract';
import {
  parseWindow,
  prepareQuery,
  prepareValues,
  reachOf,
  type QueryConfig,
  type QueryContext,
  type RunResult,
  type SqlQuery,
  type ValuesQuery,
  type Window,
} from '../query/index.ts';
import { createDeadline, type Deadline } from './deadline.ts';
import type { HttpDeps, ObservedQuery } from './deps.ts';
import { errorResult, toRingflowError } from './errors.ts';
import { createLimit } from './limit.ts';

/** Runs queries for the routes: prepares, bounds, runs, and turns what goes wrong into an answer. */
export interface Answers {
  /** All queries of a request; each has its own answer or error. */
  query(request: QueryRequest, client: string, signal: AbortSignal): Promise<QueryResponse>;
  values(
    query: ValuesQuery,
    window: Window,
    client: string,
    signal: AbortSignal,
  ): Promise<{ field: string; values: { value: string; text: string; bytes: number }[]; complete: boolean }>;
  /** What queries are prepared with, as it is now. */
  context(): QueryContext;
  /** Totals since start, for the status page and metrics. */
  counts(): Readonly<{ queries: number; failed: number; cancelled: number; running: number }>;
}

export function createAnswers(config: QueryConfig, deps: HttpDeps): Answers {
  const counts = { queries: 0, failed: 0, cancelled: 0, running: 0 };

  const context = (): QueryContext => {
    const { tables } = deps.status().store;
    return {
      names: deps.names,
      ...reachOf(tables),
      nowMs: deps.now(),
      samplingRate: deps.exporters().reduce((highest, { samplingRate }) => Math.max(highest, samplingRate), 1),
      downtimes: deps.downtimes?.() ?? [],
      filterOptions: { sets: deps.sets ?? {} },
    };
  };

  async function runAll(
    statements: readonly SqlQuery[],
    client: string,
    signal: AbortSignal,
    limit: ReturnType<typeof createLimit>,
  ): Promise<RunResult[]> {
    // The first statement that fails stops its siblings; the answer waits until they have stopped, so nothing is left over.
    const together = createDeadline(signal);
    const options = {
      client,
      timeoutMs: config.timeout_seconds * 1000,
      maxRows: config.max_rows,
      maxMemoryBytes: config.max_memory_bytes,
      signal: together.signal,
    };
    const failures: unknown[] = [];
    const one = async (statement: SqlQuery): Promise<RunResult | null> => {
      try {
        together.signal.throwIfAborted();
        return await deps.run(statement, { ...options, id: randomUUID() });
      } catch (error) {
        failures.push(error);
        together.abort();
        return null;
      }
    };
    const results = await Promise.all(statements.map((statement) => limit(() => one(statement))));
    together.end();
    if (failures.length > 0) throw failures[0];
    return results as RunResult[];
  }

  /** The error as it is shown; a deadline of ours looks like a cancellation to the store. */
  function explain(error: unknown, deadline: Deadline): RingflowError {
    // Waiting is not running: who asks again later, or for less, may have luck.
    if (deadline.expired() && (error as { code?: unknown }).code !== 'query_busy') {
      return toRingflowError(
        new RingflowError('query_timeout', `The request took longer than ${config.timeout_seconds} s`),
      );
    }
    if (deadline.signal.aborted && !deadline.expired())
      return new RingflowError('query_cancelled', 'The caller went away');
    return toRingflowError(error);
  }

  async function counted<T>(
    kind: string,
    work: () => Promise<T>,
    readsOf: (answer: T) => ObservedQuery['reads'],
    deadline: Deadline,
  ): Promise<T> {
    counts.queries++;
    counts.running++;
    const begunMs = performance.now();
    const observe = (outcome: ObservedQuery['outcome'], reads: ObservedQuery['reads']) =>
      deps.observe?.({ kind, outcome, durationMs: performance.now() - begunMs, reads });
    try {
      const answer = await work();
      observe('ok', readsOf(answer));
      return answer;
    } catch (error) {
      const shown = explain(error, deadline);
      observe(shown.code === 'query_cancelled' ? 'cancelled' : 'error', []);
      if (shown.code === 'query_cancelled') counts.cancelled++;
      else counts.failed++;
      if (shown.status >= 500)
        deps.log.error({ code: shown.code, error: String((error as Error)?.stack ?? error) }, 'query failed');
      throw shown;
    } finally {
      counts.running--;
    }
  }

  return {
    query: async (request, client, caller) => {
      const window = parseWindow(request.from, request.to, deps.now());
      const refIds = refIdsOf(request.queries);
      const limit = createLimit(config.concurrency);
      const shared = context();
      const deadline = createDeadline(caller, config.timeout_seconds * 1000);
      const one = async (query: FlowQueryInput, refId: string): Promise<QueryResult> => {
        try {
          return await counted(
            kindOf(query),
            async () => {
              const prepared = prepareQuery({ ...query, refId }, window, shared);
              return {
                status: 200,
                frames: prepared.frames(await runAll(prepared.statements, client, deadline.signal, limit)),
              };
            },
            ({ frames }) => frames.map(({ schema }) => schema.meta.custom),
            deadline,
          );
        } catch (error) {
          return errorResult(toRingflowError(error));
        }
      };
      const results = await Promise.all(request.queries.map((query, index) => one(query, refIds[index] as string)));
      deadline.end();
      return { results: Object.fromEntries(results.map((result, index) => [refIds[index] as string, result])) };
    },
    values: async (query, window, client, caller) => {
      const deadline = createDeadline(caller, config.timeout_seconds * 1000);
      const work = async () => {
        const prepared = prepareValues(query, window, context());
        const [result] = await runAll([prepared.statement], client, deadline.signal, createLimit(1));
        return { field: prepared.field, ...prepared.values(result as RunResult) };
      };
      return counted('values', work, () => [], deadline).finally(deadline.end);
    },
    context,
    counts: () => ({ ...counts }),
  };
}

/** The kind for metrics: one of a fixed list, whatever the caller wrote. */
function kindOf(query: FlowQueryInput): string {
  const { kind } = migrateQuery(query);
  return QUERY_KINDS.includes(kind) ? kind : 'unknown';
}

/** Names of the queries, `A`, `B` … where they have none; two of one name cannot both be answered. */
function refIdsOf(queries: readonly FlowQueryInput[]): string[] {
  const refIds = queries.map(({ refId }, index) => refId ?? letters(index));
  const twice = refIds.find((refId, index) => refIds.indexOf(refId) !== index);
  if (twice !== undefined)
    throw new RingflowError('bad_request', `Two queries have the refId "${twice}"`, {
      hint: 'Give each query a refId of its own',
    });
  return refIds;
}

function letters(index: number): string {
  return (index >= 26 ? letters(Math.floor(index / 26) - 1) : '') + String.fromCharCode(65 + (index % 26));
}
