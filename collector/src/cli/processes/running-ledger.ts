import type { Ledger, LedgerDelta } from '@ringflow/contract';
import { mergeDeltas } from '../../spool/index.ts';
import type { StoreStatus } from '../../store/index.ts';

/**
 * The loss ledger of the running collector. Inlet and store report once a second, each at its own time: without care a
 * segment that was sealed in between would count twice (still in the inlet's memory, already in the store's spool) or
 * not at all, and the totals would go down again.
 */
export interface RunningLedger {
  /** What the inlet had in memory when it reported. */
  inlet(waitingRecords: number): void;
  /** The inlet died; what it had in memory was never received, as far as the ledger is concerned. */
  inletDown(): void;
  /** Records have left the inlet's memory for the spool. */
  sealed(segment: string, delta: LedgerDelta): void;
  store(status: Pick<StoreStatus, 'ledger' | 'counted'>): void;
  /** Null until the store has said what there was before. */
  totals(): Ledger | null;
}

export function createRunningLedger(): RunningLedger {
  let kept: Ledger | null = null;
  let inMemory = 0;
  /** Sealed, and not in the store's totals yet. */
  const pending = new Map<string, LedgerDelta>();
  let counted: Readonly<Record<string, string>> = {};

  /** Names of one inlet sort in the order of sealing. */
  const isCounted = (segment: string): boolean => segment <= (counted[segment.split('_')[0] as string] ?? '');

  return {
    inlet: (waitingRecords) => (inMemory = waitingRecords),
    inletDown: () => (inMemory = 0),
    sealed: (segment, delta) => {
      // Also holds records that came after the report.
      inMemory = Math.max(0, inMemory - delta.received);
      if (!isCounted(segment)) pending.set(segment, delta);
    },
    store: (status) => {
      kept = status.ledger;
      counted = status.counted;
      for (const segment of pending.keys()) if (isCounted(segment)) pending.delete(segment);
    },
    totals: () => {
      if (!kept) return null;
      let sum: LedgerDelta = { received: kept.received, rows: kept.waiting, dropped: kept.dropped };
      for (const delta of pending.values()) sum = mergeDeltas(sum, delta);
      const received = sum.received + inMemory;
      const waiting = sum.rows + inMemory;
      const dropped = sum.dropped.reduce((records, drop) => records + drop.records, 0);
      return {
        received,
        stored: kept.stored,
        waiting,
        dropped: sum.dropped,
        difference: received - kept.stored - waiting - dropped,
      };
    },
  };
}
