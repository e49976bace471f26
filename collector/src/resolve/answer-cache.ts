/** Answers that are kept for their time, at most so many. */
export interface AnswerCache<T> {
  get(key: string, nowMs: number): T | undefined;
  set(key: string, answer: T, untilMs: number): void;
  size(): number;
}

/** @param limit read at each `set`; when it is reached, what was not asked for the longest goes */
export function createAnswerCache<T>(limit: () => number): AnswerCache<T> {
  // A Map keeps the order of insertion: the first entry is the one not used for the longest.
  const entries = new Map<string, { readonly answer: T; readonly untilMs: number }>();
  return {
    get: (key, nowMs) => {
      const entry = entries.get(key);
      if (!entry) return undefined;
      entries.delete(key);
      if (entry.untilMs <= nowMs) return undefined;
      entries.set(key, entry);
      return entry.answer;
    },
    set: (key, answer, untilMs) => {
      entries.delete(key);
      entries.set(key, { answer, untilMs });
      for (const [oldest] of entries) {
        if (entries.size <= limit()) break;
        entries.delete(oldest);
      }
    },
    size: () => entries.size,
  };
}
