import type { NameEntry } from '@ringflow/contract';

/** Keeps names until the store has them, so that none is lost while it is down. */
export interface NameSaver {
  add(entries: Iterable<NameEntry>): void;
  /** Saves what is not saved yet; also called when the store comes up. */
  flush(): Promise<void>;
  stop(): void;
}

export interface NameSaverDeps {
  /** Rejects, or returns undefined, when the store is not there. */
  readonly save: (entries: readonly NameEntry[]) => Promise<void> | undefined;
  readonly onError: (error: unknown) => void;
}

/** Names come in bursts: one insert a second is enough, and each is a part on disk. */
const FLUSH_MS = 1000;
/** One statement; names are some hundred bytes each. */
const MAX_ENTRIES = 5000;
/** Beyond it the oldest are given up: they come again when they are seen again. */
const MAX_WAITING = 200_000;

export function createNameSaver(deps: NameSaverDeps): NameSaver {
  const waiting = new Map<string, NameEntry>();
  let timer: NodeJS.Timeout | null = null;
  let flushing: Promise<void> | null = null;

  async function flushAll(): Promise<void> {
    while (waiting.size > 0) {
      const batch = [...waiting].slice(0, MAX_ENTRIES);
      try {
        const saved = deps.save(batch.map(([, entry]) => entry));
        if (!saved) return;
        await saved;
      } catch (error) {
        deps.onError(error);
        return;
      }
      // One that changed meanwhile stays.
      for (const [key, entry] of batch) if (waiting.get(key) === entry) waiting.delete(key);
    }
  }

  function flush(): Promise<void> {
    flushing ??= flushAll().finally(() => {
      flushing = null;
      if (waiting.size > 0) later();
    });
    return flushing;
  }

  function later(): void {
    timer ??= setTimeout(() => {
      timer = null;
      void flush();
    }, FLUSH_MS).unref();
  }

  return {
    add(entries) {
      for (const entry of entries) {
        const key = `${entry.kind} ${entry.exporter} ${entry.id}`;
        waiting.delete(key);
        waiting.set(key, entry);
        if (waiting.size > MAX_WAITING) waiting.delete(waiting.keys().next().value as string);
      }
      if (waiting.size > 0) later();
    },
    flush,
    stop() {
      if (timer) clearTimeout(timer);
      timer = null;
    },
  };
}
