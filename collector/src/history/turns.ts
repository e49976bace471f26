/** Lets a few pieces of work run side by side; the others wait in order. */
export interface Turns {
  /** Resolves with what ends the turn, which may be called more than once; rejects when the signal aborts first. */
  take(signal: AbortSignal): Promise<() => void>;
}

/** @param most may change */
export function createTurns(most: () => number): Turns {
  let running = 0;
  const waiting: (() => void)[] = [];

  function wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = (): void => {
        signal.removeEventListener('abort', leave);
        running++;
        resolve();
      };
      const leave = (): void => {
        waiting.splice(waiting.indexOf(begin), 1);
        reject(signal.reason as Error);
      };
      waiting.push(begin);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  return {
    take: async (signal) => {
      signal.throwIfAborted();
      if (running < most()) running++;
      else await wait(signal);
      let ended = false;
      return () => {
        if (ended) return;
        ended = true;
        running--;
        if (running < most()) waiting.shift()?.();
      };
    },
  };
}
