import { addressWords, formatAddress, parseAddress, type ResolvedAddress } from '@ringflow/contract';
import { createAnswerCache } from './answer-cache.ts';
import type { ResolveConfig } from './config.ts';
import { createNameServer, type ServerAnswer } from './name-server.ts';

/** One look-up that a name server was asked for. */
export interface Lookup {
  readonly outcome: ServerAnswer['outcome'];
  readonly durationMs: number;
}

export interface ResolverDeps {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** After each look-up; for metrics. */
  readonly observe?: (lookup: Lookup) => void;
  /** After each answer that came from the cache; for metrics. */
  readonly hit?: () => void;
}

export interface ResolverStatus {
  readonly cached: number;
  readonly running: number;
  readonly waiting: number;
}

/** Names of addresses, asked when somebody asks. */
export interface Resolver {
  /**
   * One answer per address, in their order. Never rejects and never takes longer than `call_timeout_ms`: what could not
   * be found out says so in its own answer.
   *
   * @param confirm look the names up, too, and say whether they lead back to the address
   * @param signal aborted when nobody waits any more: what has not begun is not asked
   */
  resolve(addresses: readonly string[], confirm: boolean, signal?: AbortSignal): Promise<ResolvedAddress[]>;
  stop(): void;
  status(): ResolverStatus;
}

/** A look-up that waits or runs, with those who wait for it. */
interface Job {
  readonly bytes: Uint8Array;
  readonly confirm: boolean;
  readonly key: string;
  wanted: number;
  readonly settle: (answer: ServerAnswer) => void;
  readonly answer: Promise<ServerAnswer>;
}

/** Look-ups that wait, in calls of the largest size; more are refused. */
const MAX_WAITING_CALLS = 4;

/** @throws RangeError when a name server is no address */
export function createResolver(config: ResolveConfig, deps: ResolverDeps): Resolver {
  const cache = createAnswerCache<ServerAnswer>(() => config.cache_entries);
  const jobs = new Map<string, Job>();
  const waiting: Job[] = [];
  let running = 0;
  const server = createNameServer(config.servers, config.timeout_ms);

  function ttlMs({ outcome }: ServerAnswer): number {
    if (outcome === 'found') return config.positive_ttl_seconds * 1000;
    return (outcome === 'none' ? config.negative_ttl_seconds : config.failure_ttl_seconds) * 1000;
  }

  function next(): void {
    while (running < config.concurrency) {
      const job = waiting.shift();
      if (!job) return;
      if (job.wanted > 0) void run(job);
      else jobs.delete(job.key);
    }
  }

  async function run(job: Job): Promise<void> {
    running++;
    const begunMs = performance.now();
    const answer = await server.ask(job.bytes, job.confirm);
    running--;
    jobs.delete(job.key);
    cache.set(job.key, answer, deps.now() + ttlMs(answer));
    deps.observe?.({ outcome: answer.outcome, durationMs: performance.now() - begunMs });
    job.settle(answer);
    next();
  }

  /** The look-up of an address, begun by whoever asks first; null when too many wait. */
  function jobOf(key: string, bytes: Uint8Array, confirm: boolean): Job | null {
    const known = jobs.get(key);
    if (known) return known;
    if (waiting.length >= config.max_addresses * MAX_WAITING_CALLS) return null;
    let settle: Job['settle'] = () => undefined;
    const answer = new Promise<ServerAnswer>((resolve) => (settle = resolve));
    const job: Job = { bytes, confirm, key, wanted: 0, settle, answer };
    jobs.set(key, job);
    waiting.push(job);
    return job;
  }

  async function resolveOne(address: string, confirm: boolean, ended: Promise<null>): Promise<ResolvedAddress> {
    const bytes = parseAddress(address.trim());
    const empty = { address, names: [], confirmed: null, cached: false };
    if (!bytes) return { ...empty, outcome: 'invalid', message: `${address.slice(0, 60)} is not an address` };
    const key = `${formatAddress(addressWords(bytes), 0)} ${confirm}`;
    const cached = cache.get(key, deps.now());
    if (cached) {
      deps.hit?.();
      return answered(address, cached, true);
    }
    const job = jobOf(key, bytes, confirm);
    if (!job) return { ...empty, outcome: 'busy', message: 'Too many addresses wait already, try again later' };
    job.wanted++;
    next();
    const answer = await Promise.race([job.answer, ended]);
    job.wanted--;
    return answer
      ? answered(address, answer, false)
      : { ...empty, outcome: 'timeout', message: `No answer within ${config.call_timeout_ms} ms` };
  }

  async function resolve(
    addresses: readonly string[],
    confirm: boolean,
    signal?: AbortSignal,
  ): Promise<ResolvedAddress[]> {
    let timer: NodeJS.Timeout | undefined;
    const ended = new Promise<null>((end) => {
      timer = setTimeout(() => end(null), config.call_timeout_ms);
      signal?.addEventListener('abort', () => end(null), { once: true });
    });
    try {
      return await Promise.all(addresses.map((address) => resolveOne(address, confirm, ended)));
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    resolve,
    stop: () => server.cancel(),
    status: () => ({ cached: cache.size(), running, waiting: waiting.length }),
  };
}

function answered(
  address: string,
  { outcome, names, confirmed, code }: ServerAnswer,
  cached: boolean,
): ResolvedAddress {
  const failure = outcome === 'timeout' ? 'No name server answered in time' : `The name server failed: ${code ?? ''}`;
  return {
    address,
    outcome,
    names: [...names],
    confirmed,
    cached,
    ...(outcome === 'timeout' || outcome === 'failed' ? { message: failure } : {}),
  };
}
