import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { RingflowError } from '@ringflow/contract';
import { compress, uncompress } from 'snappy';
import type { NameLookup, OldestByTable, QueryConfig, RunQuery, RunResult, SqlQuery } from '../query/index.ts';
import type { HistoryConfig } from './config.ts';
import { compileMatchers } from './matchers.ts';
import { createReading, type Reading, type ReadingDeps } from './reading.ts';
import { decodeReadRequest, type ReadRequest } from './request.ts';
import { createFrameWriter, createSamplesWriter, SAMPLES_TYPE, STREAMED_TYPE } from './response.ts';
import type { SourceDeps } from './statements.ts';
import { createTurns } from './turns.ts';

/** Answers Prometheus's remote read protocol out of the rings. */
export interface History {
  /**
   * @param body a snappy block with a `ReadRequest`
   * @throws RingflowError for what is wrong with the request, or asks for too much; once a streamed answer has begun, its
   *   stream fails
   */
  read(body: Uint8Array, caller: HistoryCaller): Promise<HistoryAnswer>;
}

export interface HistoryCaller {
  /** Who asks, for fair turns. */
  readonly client: string;
  /** Aborted when the caller goes away. */
  readonly signal: AbortSignal;
}

export interface HistoryAnswer {
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | Readable;
}

export interface HistoryDeps {
  /** Time and memory of a request; may change while it is held. */
  readonly query: QueryConfig;
  readonly run: RunQuery;
  readonly names: NameLookup;
  /** Oldest data by table. */
  readonly oldest: () => OldestByTable;
  /** The rest of {@link SourceDeps}, as it is configured now. */
  readonly configured: () => Omit<SourceDeps, 'names'>;
  readonly now: () => number;
  /** Told about each request that was read, when its answer is complete or given up; for metrics. */
  readonly ended?: (outcome: 'ok' | 'error' | 'cancelled', durationMs: number) => void;
}

/** Longest request, uncompressed. A request is some hundred bytes, or some kilobytes with long lists of values. */
const MAX_REQUEST_BYTES = 1 << 20;

/** @param config may change while it is held */
export function createHistory(config: HistoryConfig, deps: HistoryDeps): History {
  const turns = createTurns(() => config.concurrency);

  function runFor({ client }: HistoryCaller, signal: AbortSignal, deadlineMs: number) {
    return (statement: SqlQuery, maxRows: number): Promise<RunResult> =>
      deps.run(statement, {
        id: randomUUID(),
        client,
        timeoutMs: Math.max(1, deadlineMs - performance.now()),
        maxRows,
        maxMemoryBytes: deps.query.max_memory_bytes,
        signal,
      });
  }

  /** A request with its bounds: a turn, a time, and what is said when these end. */
  async function begin(caller: HistoryCaller): Promise<Begun> {
    const begunMs = performance.now();
    const timeoutMs = deps.query.timeout_seconds * 1000;
    const timeout = AbortSignal.timeout(timeoutMs);
    const signal = AbortSignal.any([caller.signal, timeout]);
    let endTurn = (): void => undefined;
    const begun: Begun = {
      run: runFor(caller, signal, begunMs + timeoutMs),
      end: () => {
        endTurn();
        deps.ended?.('ok', performance.now() - begunMs);
      },
      fail: (error) => {
        endTurn();
        const cancelled = caller.signal.aborted;
        deps.ended?.(cancelled ? 'cancelled' : 'error', performance.now() - begunMs);
        if (cancelled) return new RingflowError('query_cancelled', 'The caller went away', { cause: error });
        if (!timeout.aborted) return error;
        return new RingflowError('query_timeout', `The request took longer than ${deps.query.timeout_seconds} s`, {
          hint: 'Ask for fewer series or a shorter range, or raise query.timeout_seconds',
          cause: error,
        });
      },
    };
    try {
      endTurn = await turns.take(signal);
    } catch (error) {
      throw begun.fail(error);
    }
    return begun;
  }

  return {
    read: async (body, caller) => {
      const request = decodeReadRequest(await inflate(body));
      const begun = await begin(caller);
      try {
        const readings = await plan(request, begun.run);
        if (request.streamed) return streamed(readings, begun);
        const answer = await samples(readings);
        begun.end();
        return answer;
      } catch (error) {
        throw begun.fail(error);
      }
    },
  };

  /** What is too much is refused here, before the first byte of an answer. */
  async function plan(request: ReadRequest, run: ReadingDeps['run']): Promise<Reading[]> {
    const readings: Reading[] = [];
    let left = config.max_samples;
    for (const query of request.queries) {
      const reading = await createReading(
        { query, matchers: compileMatchers(query.matchers) },
        {
          run,
          oldest: deps.oldest(),
          nowMs: deps.now(),
          sources: { ...deps.configured(), names: deps.names },
          maxSeries: config.max_series,
          maxSamples: left,
        },
      );
      left -= reading.samples;
      readings.push(reading);
    }
    return readings;
  }
}

/** A request that has its turn: exactly one of `end` and `fail` is called. */
interface Begun {
  readonly run: ReadingDeps['run'];
  end(): void;
  /** The error as it is shown. */
  fail(error: unknown): unknown;
}

/** The one message of the older answer: all of it is in memory. */
async function samples(readings: readonly Reading[]): Promise<HistoryAnswer> {
  const writer = createSamplesWriter();
  for (const reading of readings) {
    for await (const series of reading.series()) writer.add(series);
    writer.endQuery();
  }
  return {
    contentType: SAMPLES_TYPE,
    headers: { 'content-encoding': 'snappy' },
    body: await compress(Buffer.from(writer.finish())),
  };
}

/** Frames as they become ready, and no faster than they are taken. */
function streamed(readings: readonly Reading[], begun: Begun): HistoryAnswer {
  let state: 'begun' | 'complete' | 'failed' = 'begun';
  async function* frames(): AsyncGenerator<Uint8Array> {
    try {
      const writer = createFrameWriter();
      for (const [index, reading] of readings.entries()) {
        for await (const series of reading.series()) yield* writer.add(series, index);
        yield* writer.flush();
      }
      state = 'complete';
    } catch (error) {
      state = 'failed';
      throw begun.fail(error);
    }
  }
  const body = Readable.from(frames(), { objectMode: false });
  // Also when the caller goes away, wherever the generator stands then.
  body.once('close', () => {
    if (state === 'complete') begun.end();
    else if (state === 'begun') begun.fail(new Error('The answer was not taken'));
  });
  return { contentType: STREAMED_TYPE, headers: {}, body };
}

/** The length of what comes out stands first in a snappy block: what is too long is not even begun. */
async function inflate(body: Uint8Array): Promise<Uint8Array> {
  const bad = (why: string, cause?: unknown): RingflowError =>
    new RingflowError('bad_request', `The body is not a snappy block: ${why}`, {
      hint: "Send Prometheus's remote read protocol, with content-encoding: snappy",
      cause,
    });
  let length = 0;
  let at = 0;
  for (let more = true; more && at < 5; at++) {
    const byte = body[at];
    if (byte === undefined) throw bad('it ends within its length');
    length += (byte & 0x7f) * 2 ** (7 * at);
    more = byte >= 0x80;
  }
  if (length > MAX_REQUEST_BYTES)
    throw new RingflowError('body_too_large', `The request is ${length} bytes long, more than ${MAX_REQUEST_BYTES}`, {
      hint: 'Ask with fewer matchers',
    });
  try {
    return (await uncompress(Buffer.from(body))) as Uint8Array;
  } catch (error) {
    throw bad((error as Error).message, error);
  }
}
