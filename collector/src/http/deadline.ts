import { setMaxListeners } from 'node:events';

/** A signal that follows others and may have a time of its own. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** True when the time ran out before anybody aborted. */
  readonly expired: () => boolean;
  abort(): void;
  /** Lets go of timer and listeners; call it when the work is done. */
  end(): void;
}

/** Aborts when `parent` does, when `abort()` is called, or after `timeoutMs`. */
export function createDeadline(parent: AbortSignal, timeoutMs?: number): Deadline {
  const controller = new AbortController();
  // Every statement of a request listens.
  setMaxListeners(0, controller.signal, parent);
  let expired = false;
  const abort = (): void => controller.abort();
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          expired = !controller.signal.aborted;
          abort();
        }, timeoutMs);
  if (parent.aborted) abort();
  parent.addEventListener('abort', abort, { once: true });
  return {
    signal: controller.signal,
    expired: () => expired,
    abort,
    end: () => {
      clearTimeout(timer);
      parent.removeEventListener('abort', abort);
    },
  };
}
