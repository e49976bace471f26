import type { ProblemInfo } from '@ringflow/contract';
import type { Problem } from '../log.ts';

/** The last warnings and errors of all processes, for the status page. */
export interface Problems {
  note(process: string, problem: Problem): void;
  /** The latest first. */
  list(): ProblemInfo[];
}

/** More are forgotten, the oldest first. */
const MAX_KEPT = 20;
const MAX_CHARACTERS = 500;

export function createProblems(now: () => number): Problems {
  /** In the order of their last occurrence. */
  const kept = new Map<string, ProblemInfo>();

  return {
    note(process, { level, message }) {
      const text = message.slice(0, MAX_CHARACTERS);
      const key = `${process} ${level} ${text}`;
      const before = kept.get(key);
      const nowMs = now();
      kept.delete(key);
      kept.set(key, {
        process,
        level,
        message: text,
        count: (before?.count ?? 0) + 1,
        firstMs: before?.firstMs ?? nowMs,
        lastMs: nowMs,
      });
      const [oldest] = kept.keys();
      if (kept.size > MAX_KEPT && oldest !== undefined) kept.delete(oldest);
    },
    list: () => [...kept.values()].reverse().map((problem) => ({ ...problem })),
  };
}
