import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { RingflowError, type TailLine } from '@ringflow/contract';
import type { QueryConfig, RunResult, SqlQuery, Tail } from '../query/index.ts';
import type { HttpDeps } from './deps.ts';
import { errorBody, toRingflowError } from './errors.ts';

/** How often the store is looked at. */
const LOOK_MS = 1000;
/** A line comes at least this often, so that both ends know of each other. */
const SIGN_MS = 5000;
/**
 * A record is stored this long after its arrival, and after segments have gathered: what arrived later is looked for at
 * the next turn, so that none is passed by.
 */
const SETTLE_MS = 2000;
/** Most tails at once; each costs a statement a second. */
export const MAX_TAILS = 20;

export interface TailOptions {
  readonly client: string;
  /** Records of one line. */
  readonly rate: number;
  readonly signal: AbortSignal;
}

/** Live tails of the API; counts them. */
export interface Tails {
  /**
   * Lines of {@link TailLine} as long as the caller stays.
   *
   * @throws RingflowError (`http_busy`) when there are too many
   */
  open(tail: Tail, options: TailOptions): Readable;
}

export function createTails(config: QueryConfig, deps: HttpDeps): Tails {
  let open = 0;
  const settleMs = SETTLE_MS + (deps.loadSeconds ?? 0) * 1000;

  async function* lines(tail: Tail, { client, rate, signal }: TailOptions): AsyncGenerator<string> {
    const run = (statement: SqlQuery, maxRows: number): Promise<RunResult> =>
      deps.run(statement, {
        id: randomUUID(),
        client,
        timeoutMs: config.timeout_seconds * 1000,
        maxRows,
        maxMemoryBytes: config.max_memory_bytes,
        signal,
      });
    let afterMs = deps.now() - settleMs;
    let quietMs = 0;
    yield text({ leftOut: 0 });
    while (!signal.aborted) {
      await sleep(LOOK_MS, undefined, { signal });
      const upToMs = deps.now() - settleMs;
      let line: TailLine = { leftOut: 0 };
      if (upToMs > afterMs) {
        const range = { after: `${afterMs}000000`, upTo: `${upToMs}000000` };
        const matching = tail.counted(await run(tail.count(range), 1));
        if (matching > 0) {
          const statement = tail.rows(range, rate);
          const frame = tail.frame(statement, await run(statement, rate));
          line = { frame, leftOut: matching - Math.min(matching, rate) };
        }
        afterMs = upToMs;
      }
      quietMs += LOOK_MS;
      if (!line.frame && quietMs < SIGN_MS) continue;
      quietMs = 0;
      yield text(line);
    }
  }

  /** The end of a caller is no error, and any other is the last line. */
  async function* guarded(tail: Tail, options: TailOptions): AsyncGenerator<string> {
    try {
      yield* lines(tail, options);
    } catch (error) {
      if (!options.signal.aborted) yield text({ leftOut: 0, error: errorBody(toRingflowError(error)) });
    }
  }

  return {
    open: (tail, options) => {
      if (open >= MAX_TAILS)
        throw new RingflowError('http_busy', `${MAX_TAILS} live tails run already`, {
          hint: 'Stop one of them, or ask again later',
        });
      open++;
      const stream = Readable.from(guarded(tail, options), { objectMode: false });
      stream.once('close', () => open--);
      return stream;
    },
  };
}

function text(line: TailLine): string {
  return `${JSON.stringify(line)}\n`;
}
