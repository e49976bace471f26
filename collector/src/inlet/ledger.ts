import { COLUMNS, formatAddress, type DropCount, type DropReason, type LedgerDelta } from '@ringflow/contract';
import type { Batch } from '../wire/index.ts';

/**
 * The inlet's half of the loss ledger: `received = rows + Σ dropped` holds for the delta of every segment, so it holds
 * for their sum.
 */
export interface InletLedger {
  /** Counts the rows of a batch that is dropped. */
  drop(batch: Batch, reason: DropReason): void;
  /** The delta of a segment with that many rows, and of what was dropped since the last one. */
  take(rows: number): LedgerDelta;
  status(): LedgerStatus;
}

/** Since the inlet was started; rows that are in the batch yet are not counted. */
export interface LedgerStatus {
  readonly receivedRecords: number;
  readonly sealedRecords: number;
  readonly dropped: readonly DropCount[];
}

const EXPORTER = COLUMNS.findIndex((column) => column.name === 'sampler_address');

export function createInletLedger(): InletLedger {
  const total = new Map<string, DropCount>();
  let recent = new Map<string, DropCount>();
  let sealedRecords = 0;

  return {
    drop(batch, reason) {
      for (const [exporter, records] of rowsByExporter(batch)) {
        for (const counts of [total, recent]) {
          const key = `${reason} ${exporter}`;
          counts.set(key, { reason, exporter, records: records + (counts.get(key)?.records ?? 0) });
        }
      }
    },
    take(rows) {
      const dropped = [...recent.values()];
      recent = new Map();
      sealedRecords += rows;
      return { received: rows + sum(dropped), rows, dropped };
    },
    status: () => ({
      receivedRecords: sealedRecords + sum([...total.values()]),
      sealedRecords,
      dropped: [...total.values()],
    }),
  };
}

function sum(counts: readonly DropCount[]): number {
  return counts.reduce((total, { records }) => total + records, 0);
}

/** Rows of one exporter mostly follow each other, so text is made once per run and not per row. */
function rowsByExporter(batch: Batch): Map<string, number> {
  const counts = new Map<string, number>();
  const words = batch.data[EXPORTER] as Uint32Array | null;
  if (!words) return batch.rows > 0 ? new Map([['unknown', batch.rows]]) : counts;
  let from = 0;
  for (let row = 1; row <= batch.rows; row++) {
    const at = row * 4;
    const before = from * 4;
    const same =
      row < batch.rows &&
      words[at] === words[before] &&
      words[at + 1] === words[before + 1] &&
      words[at + 2] === words[before + 2] &&
      words[at + 3] === words[before + 3];
    if (same) continue;
    const exporter = formatAddress(words, before);
    counts.set(exporter, (counts.get(exporter) ?? 0) + row - from);
    from = row;
  }
  return counts;
}
