/**
 * Calls and events between two processes over Node's IPC (structured clone, `serialization: 'advanced'`).
 * A call has an answer, an error or an abort; an event has none.
 */

/** An error as it crosses processes; `code` and `hint` are those of a `RingflowError` when it was one. */
export interface WireError {
  readonly code?: string;
  readonly message: string;
  readonly hint?: string;
  /** Where in a text; plain data of whatever shape the error has. */
  readonly position?: unknown;
}

type Packet =
  | { readonly kind: 'call'; readonly id: number; readonly method: string; readonly args: readonly unknown[] }
  | { readonly kind: 'abort'; readonly id: number }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly error: WireError }
  | { readonly kind: 'event'; readonly name: string; readonly value: unknown };

/** What `process` in a child and a `ChildProcess` in main have in common. */
export interface Port {
  send?(message: unknown, callback?: (error: Error | null) => void): boolean;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  on(event: 'disconnect', listener: () => void): unknown;
  readonly connected?: boolean;
}

/** Methods of one side: each takes plain data and may take an AbortSignal as its last argument. */
export type Methods = Readonly<Record<string, (...args: never[]) => unknown>>;

export type Handlers<M> = {
  readonly [K in keyof M]: M[K] extends (...args: infer A) => infer R ? (...args: [...A, AbortSignal]) => R : never;
};

export interface Channel<Remote, RemoteEvents, LocalEvents> {
  /** Calls a method of the other side; rejects with the error it threw, or when the other side is gone. */
  call<K extends keyof Remote & string>(
    method: K,
    args: Remote[K] extends (...args: infer A) => unknown ? A : never,
    signal?: AbortSignal,
  ): Promise<Remote[K] extends (...args: never[]) => infer R ? Awaited<R> : never>;
  /** Sends an event; quietly does nothing when the other side is gone. */
  emit<K extends keyof LocalEvents & string>(name: K, value: LocalEvents[K]): void;
  on<K extends keyof RemoteEvents & string>(name: K, listener: (value: RemoteEvents[K]) => void): void;
}

/** Makes an error that crossed processes look as it did where it was thrown. */
export type ReviveError = (error: WireError) => Error;

export function toWireError(error: unknown): WireError {
  if (!(error instanceof Error)) return { message: String(error) };
  const { code, hint, position } = error as Error & { code?: unknown; hint?: unknown; position?: unknown };
  return {
    message: error.message,
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof hint === 'string' ? { hint } : {}),
    ...(position === undefined ? {} : { position }),
  };
}

/** Puts typed calls and events on a port. `handlers` answers the other side's calls. */
export function createChannel<Remote, RemoteEvents = object, LocalEvents = object>(
  port: Port,
  handlers: Methods = {},
  revive: ReviveError = (error) => Object.assign(new Error(error.message), error),
): Channel<Remote, RemoteEvents, LocalEvents> {
  let nextId = 1;
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  const running = new Map<number, AbortController>();
  const listeners = new Map<string, ((value: never) => void)[]>();

  const send = (packet: Packet, failed?: (error: Error) => void): void => {
    if (port.connected === false || !port.send) {
      failed?.(new Error('The other process is gone'));
      return;
    }
    // Without a callback, a pipe that breaks in mid-send is an uncaught error.
    port.send(packet, (error) => {
      if (error) failed?.(error);
    });
  };

  const answer = async (id: number, method: string, args: readonly unknown[]): Promise<void> => {
    const abort = new AbortController();
    running.set(id, abort);
    try {
      const handler = handlers[method] as ((...args: unknown[]) => unknown) | undefined;
      if (!handler) throw new Error(`No method ${method}`);
      send({ kind: 'answer', id, value: await handler(...args, abort.signal) });
    } catch (error) {
      send({ kind: 'error', id, error: toWireError(error) });
    } finally {
      running.delete(id);
    }
  };

  const settle = (
    id: number,
    finish: (call: { resolve: (value: never) => void; reject: (error: Error) => void }) => void,
  ): void => {
    const call = waiting.get(id);
    if (!call) return;
    waiting.delete(id);
    finish(call);
  };

  port.on('message', (message) => {
    const packet = message as Packet;
    switch (packet.kind) {
      case 'call':
        void answer(packet.id, packet.method, packet.args);
        break;
      case 'abort':
        running.get(packet.id)?.abort();
        break;
      case 'answer':
        settle(packet.id, ({ resolve }) => resolve(packet.value as never));
        break;
      case 'error':
        settle(packet.id, ({ reject }) => reject(revive(packet.error)));
        break;
      case 'event':
        for (const listener of listeners.get(packet.name) ?? []) listener(packet.value as never);
    }
  });
  port.on('disconnect', () => {
    for (const id of [...waiting.keys()]) settle(id, ({ reject }) => reject(new Error('The other process is gone')));
    for (const abort of running.values()) abort.abort();
  });

  return {
    call: (method, args, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) {
          reject(signal.reason as Error);
          return;
        }
        const id = nextId++;
        // The other side stops its work and rejects; its answer settles the call.
        const onAbort = (): void => send({ kind: 'abort', id });
        const done = (): void => signal?.removeEventListener('abort', onAbort);
        waiting.set(id, {
          resolve: (value) => {
            done();
            resolve(value);
          },
          reject: (error) => {
            done();
            reject(error);
          },
        });
        signal?.addEventListener('abort', onAbort, { once: true });
        send({ kind: 'call', id, method, args: args as readonly unknown[] }, (error) =>
          settle(id, ({ reject }) => reject(error)),
        );
      }),
    emit: (name, value) => send({ kind: 'event', name, value }),
    on: (name, listener) => {
      listeners.set(name, [...(listeners.get(name) ?? []), listener as (value: never) => void]);
    },
  };
}
