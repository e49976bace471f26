/**
 * Lets a query that adds raw rows to the top lists see each record once: while a batch goes from one to the other, its
 * records are in both for a moment, as the engine has no transaction over several tables. Queries wait for that
 * moment, and one that ran into it is run again. Moves of other collectors on the same server are not seen.
 */
export interface SnapshotGuard {
  /** Runs a move; one at a time. */
  move(work: () => Promise<void>): Promise<void>;
  /** Runs a read that no move overlaps; with `signal` aborted the read itself has to end. */
  read<T>(work: () => Promise<T>): Promise<T>;
}

/** A read that moves overlap again and again is longer than the time between them: its answer counts as it is. */
const MAX_READS = 3;

export function createSnapshotGuard(): SnapshotGuard {
  let moves = 0;
  let moving: Promise<void> | null = null;

  async function move(work: () => Promise<void>): Promise<void> {
    while (moving) await moving;
    moves++;
    const done = work();
    // Whoever waits is not told of failures: they are the caller's.
    moving = done.catch(() => undefined).finally(() => (moving = null));
    return done;
  }

  async function read<T>(work: () => Promise<T>): Promise<T> {
    for (let reads = 1; ; reads++) {
      while (moving) await moving;
      const before = moves;
      const result = await work();
      if (moves === before || reads === MAX_READS) return result;
    }
  }

  return { move, read };
}
