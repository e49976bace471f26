import { formatAddress } from '@ringflow/contract';

/**
 * One address and port that sends to us (or, with port 0, an sFlow agent: Q07). Has the shape of wire's `Source`.
 * `S` is what the caller keeps with it.
 */
export interface SourceEntry<S> {
  readonly address: string;
  readonly words: Uint32Array;
  readonly port: number;
  readonly firstSeenMs: number;
  lastSeenMs: number;
  /** Datagrams that decoded to something; see {@link Sources.credit}. */
  credits: number;
  known: boolean;
  state: S;
}

export interface SourcesConfig {
  readonly known: number;
  readonly unknown: number;
  readonly newPerSecond: number;
}

export interface SourcesStatus {
  readonly known: number;
  readonly unknown: number;
  /** Forgotten to make room, since start. */
  readonly evicted: number;
  /** Not taken up because too many new ones came within a second, since start. */
  readonly refused: number;
}

export interface Sources<S> {
  /**
   * The entry of an address and port, made when it is new. Nothing is allocated for one that is there.
   *
   * @returns null when more new ones came this second than the configuration allows
   */
  find(address: Int32Array, at: number, port: number, nowMs: number): SourceEntry<S> | null;
  /** The entry if there is one. */
  peek(address: Int32Array, at: number, port: number): SourceEntry<S> | null;
  /** Notes a datagram that made sense; some of them over some seconds make a source known. */
  credit(entry: SourceEntry<S>, nowMs: number): void;
  entries(): Iterable<SourceEntry<S>>;
  /** Forgets the entries for which the test says so. */
  forgetWhere(test: (entry: SourceEntry<S>) => boolean): void;
  status(): SourcesStatus;
}

/** A source is known after this many good datagrams … */
const CREDITS_TO_BE_KNOWN = 3;
/** … over at least this long: a spoofed address would have to be used again. */
const AGE_TO_BE_KNOWN_MS = 5000;
/** A known source that was silent for this long makes room for another one that would be known. */
const KNOWN_IDLE_MS = 3_600_000;

interface Node<S> extends SourceEntry<S> {
  readonly hash: number;
  /** Next entry with the same hash. */
  chain: Node<S> | null;
  newer: Node<S> | null;
  older: Node<S> | null;
}

/** Entries from the most to the least recently used one. */
interface Recency<S> {
  newest: Node<S> | null;
  oldest: Node<S> | null;
  count: number;
}

/**
 * Finds sources by address and port. There are two classes: unknown ones push each other out, the longest silent one
 * first; known ones are only pushed out by another known one, after an hour of silence. So a flood with spoofed
 * addresses neither exhausts memory nor costs a real exporter its state (X02, X03).
 *
 * @param createState called for each new entry
 * @param onEvict called for each entry that is forgotten
 */
export function createSources<S>(
  config: SourcesConfig,
  createState: () => S,
  onEvict: (entry: SourceEntry<S>) => void = () => undefined,
): Sources<S> {
  const table = new Map<number, Node<S>>();
  const known: Recency<S> = { newest: null, oldest: null, count: 0 };
  const unknown: Recency<S> = { newest: null, oldest: null, count: 0 };
  // Nobody outside can choose addresses that share a hash.
  const seed = Math.floor(Math.random() * 0x7fffffff) | 1;
  let last: Node<S> | null = null;
  let evicted = 0;
  let refused = 0;
  let second = 0;
  let newThisSecond = 0;

  function hashOf(address: Int32Array, at: number, port: number): number {
    let hash = seed ^ port;
    for (let i = 0; i < 4; i++) {
      hash = Math.imul(hash ^ (address[at + i] as number), 0x85ebca6b);
      hash ^= hash >>> 15;
    }
    return Math.imul(hash, 0xc2b2ae35) | 0;
  }

  function matches(node: Node<S>, address: Int32Array, at: number, port: number): boolean {
    const { words } = node;
    return (
      node.port === port &&
      (words[3] as number) === (address[at + 3] as number) >>> 0 &&
      (words[2] as number) === (address[at + 2] as number) >>> 0 &&
      (words[1] as number) === (address[at + 1] as number) >>> 0 &&
      (words[0] as number) === (address[at] as number) >>> 0
    );
  }

  function search(address: Int32Array, at: number, port: number): Node<S> | null {
    if (last && matches(last, address, at, port)) return last;
    let node = table.get(hashOf(address, at, port)) ?? null;
    while (node && !matches(node, address, at, port)) node = node.chain;
    if (node) last = node;
    return node;
  }

  function create(address: Int32Array, at: number, port: number, nowMs: number): Node<S> | null {
    const thisSecond = Math.floor(nowMs / 1000);
    if (thisSecond !== second) {
      second = thisSecond;
      newThisSecond = 0;
    }
    if (++newThisSecond > config.newPerSecond) {
      refused++;
      return null;
    }
    if (unknown.count >= config.unknown && unknown.oldest) evict(unknown.oldest, unknown);
    const hash = hashOf(address, at, port);
    const words = new Uint32Array(4);
    for (let i = 0; i < 4; i++) words[i] = address[at + i] as number;
    const node: Node<S> = {
      address: formatAddress(words, 0),
      words,
      port,
      firstSeenMs: nowMs,
      lastSeenMs: nowMs,
      credits: 0,
      known: false,
      state: createState(),
      hash,
      chain: table.get(hash) ?? null,
      newer: null,
      older: null,
    };
    table.set(hash, node);
    pushNewest(unknown, node);
    return node;
  }

  function forget(node: Node<S>, from: Recency<S>): void {
    remove(from, node);
    const first = table.get(node.hash) as Node<S>;
    if (first !== node) {
      let before = first;
      while (before.chain !== node) before = before.chain as Node<S>;
      before.chain = node.chain;
    } else if (node.chain) table.set(node.hash, node.chain);
    else table.delete(node.hash);
    if (last === node) last = null;
    onEvict(node);
  }

  function evict(node: Node<S>, from: Recency<S>): void {
    forget(node, from);
    evicted++;
  }

  function credit(node: Node<S>, nowMs: number): void {
    node.credits++;
    if (node.known || node.credits < CREDITS_TO_BE_KNOWN || nowMs - node.firstSeenMs < AGE_TO_BE_KNOWN_MS) return;
    if (known.count >= config.known) {
      const idle = known.oldest;
      if (!idle || nowMs - idle.lastSeenMs < KNOWN_IDLE_MS) return;
      evict(idle, known);
    }
    remove(unknown, node);
    node.known = true;
    pushNewest(known, node);
  }

  return {
    find(address, at, port, nowMs) {
      const node = search(address, at, port) ?? create(address, at, port, nowMs);
      if (node && node.lastSeenMs !== nowMs) {
        node.lastSeenMs = nowMs;
        const recency = node.known ? known : unknown;
        if (recency.newest !== node) {
          remove(recency, node);
          pushNewest(recency, node);
        }
      }
      return node;
    },
    peek: search,
    credit: (entry, nowMs) => credit(entry as Node<S>, nowMs),
    *entries() {
      for (let node = known.newest; node; node = node.older) yield node;
      for (let node = unknown.newest; node; node = node.older) yield node;
    },
    forgetWhere(test) {
      for (const list of [known, unknown]) {
        for (let node = list.newest, next: Node<S> | null = null; node; node = next) {
          next = node.older;
          if (test(node)) forget(node, list);
        }
      }
    },
    status: () => ({ known: known.count, unknown: unknown.count, evicted, refused }),
  };
}

function pushNewest<S>(list: Recency<S>, node: Node<S>): void {
  node.older = list.newest;
  node.newer = null;
  if (list.newest) list.newest.newer = node;
  list.newest = node;
  list.oldest ??= node;
  list.count++;
}

function remove<S>(list: Recency<S>, node: Node<S>): void {
  if (node.newer) node.newer.older = node.older;
  else list.newest = node.older;
  if (node.older) node.older.newer = node.newer;
  else list.oldest = node.newer;
  node.newer = null;
  node.older = null;
  list.count--;
}
