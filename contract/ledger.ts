/**
 * The loss ledger: records received = stored + waiting + Σ dropped{reason, exporter}, exactly, at every moment.
 * A record is a row of the raw table (a biflow counts twice).
 */

/** Why a record that was decoded is not in the store. */
export const DROP_REASONS = ['spool_full', 'segment_unreadable'] as const;
export type DropReason = (typeof DROP_REASONS)[number];

/** What one sealed segment adds; `received = rows + Σ dropped` where the segment was written. */
export interface LedgerDelta {
  received: number;
  /** Rows in the segment file: waiting until the store has them. */
  rows: number;
  dropped: DropCount[];
}

export interface DropCount {
  reason: DropReason;
  /** Text form of the exporter's address. */
  exporter: string;
  records: number;
}

/** Totals since the data directory was made. */
export interface Ledger {
  received: number;
  stored: number;
  /** In sealed segments or in the inlet's memory. */
  waiting: number;
  dropped: DropCount[];
  /** received − stored − waiting − Σ dropped; anything but 0 is a bug. */
  difference: number;
}
