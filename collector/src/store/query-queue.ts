import { EngineError } from './engine-error.ts';

export interface QueryQueueOptions {
  /** Queries that run side by side. */
  readonly slots: number;
  /** Queries that may wait; past it one is refused. */
  readonly maxWaiting: number;
}

/** The queue in front of the engine: bounded, and fair between those who ask. */
export interface QueryQueue {
  /**
   * Resolves with what ends the turn when it is this query's. Of several clients the one with the fewest queries
   * running is next, then the one that has waited longest for a turn, so that nobody's hundred panels keep another from
   * his one.
   *
   * @throws EngineError `query_busy` when too many wait or the caller gave up waiting, `store_unavailable` when it closes
   */
  take(client: string, signal?: AbortSignal): Promise<() => void>;
  /** Refuses all who wait. */
  close(): void;
  status(): { readonly running: number; readonly waiting: number };
}

interface Waiter {
  begin(): void;
  refuse(error: EngineError): void;
}

interface Client {
  running: number;
  readonly waiting: Waiter[];
}

export function createQueryQueue({ slots, maxWaiting }: QueryQueueOptions): QueryQueue {
  /** In the order of turns: whoever got one goes to the end. */
  const clients = new Map<string, Client>();
  let running = 0;
  let waiting = 0;

  function clientOf(name: string): Client {
    const known = clients.get(name);
    if (known) return known;
    const client: Client = { running: 0, waiting: [] };
    clients.set(name, client);
    return client;
  }

  function start(name: string, client: Client): () => void {
    running++;
    client.running++;
    clients.delete(name);
    clients.set(name, client);
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      running--;
      client.running--;
      forget(name, client);
      next();
    };
  }

  function forget(name: string, client: Client): void {
    if (client.running === 0 && client.waiting.length === 0 && clients.get(name) === client) clients.delete(name);
  }

  function next(): void {
    if (running >= slots || waiting === 0) return;
    let best: Client | undefined;
    for (const client of clients.values())
      if (client.waiting.length > 0 && (!best || client.running < best.running)) best = client;
    best?.waiting[0]?.begin();
  }

  /** Room for one more of this client, at the cost of whoever has the longest queue; false when that is itself. */
  function makeRoom(own: Client): boolean {
    if (waiting < maxWaiting) return true;
    let longest: Client = own;
    for (const client of clients.values()) if (client.waiting.length > longest.waiting.length) longest = client;
    if (longest.waiting.length <= own.waiting.length + 1) return false;
    longest.waiting.at(-1)?.refuse(busy(`${maxWaiting} queries wait already`));
    return true;
  }

  function take(name: string, signal?: AbortSignal): Promise<() => void> {
    if (signal?.aborted) return Promise.reject(gaveUp());
    const client = clientOf(name);
    if (running < slots) return Promise.resolve(start(name, client));
    if (!makeRoom(client)) {
      forget(name, client);
      return Promise.reject(busy(`${maxWaiting} queries wait already`));
    }
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        client.waiting.splice(client.waiting.indexOf(waiter), 1);
        waiting--;
        signal?.removeEventListener('abort', onAbort);
      };
      const waiter: Waiter = {
        begin: () => {
          leave();
          resolve(start(name, client));
        },
        refuse: (error) => {
          leave();
          forget(name, client);
          reject(error);
        },
      };
      const onAbort = (): void => waiter.refuse(gaveUp());
      client.waiting.push(waiter);
      waiting++;
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  function close(): void {
    for (const { waiting: list } of [...clients.values()])
      for (const waiter of [...list]) waiter.refuse(new EngineError('store_unavailable', 0, 'The engine is closing'));
  }

  return { take, close, status: () => ({ running, waiting }) };
}

function busy(message: string): EngineError {
  return new EngineError('query_busy', 0, message);
}

function gaveUp(): EngineError {
  return busy('Its turn did not come while the caller waited');
}
