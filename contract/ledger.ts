/**
 * The loss ledger: records received = stored + waiting + Σ dropped{reason, exporter}, exactly, at every moment.
 * A record is a row of the raw table (a biflow counts twice).
 */

/** Why a record that was decoded is not in the store. */
export const DROP_REASONS = ['spool_full', 'segment_unreadable', 'not_understood'] as const;
export type DropReason = (typeof DROP_REASONS)[number];

/** What one sealed segment adds; `received = rows + Σ dropped` where the segment was written. */
export interface LedgerDelta {
  received: number;
  /** Rows in the segment file: waiting until the store has them. */
  rows: number;
  dropped: DropCount[];
  /** Batches of other collectors whose records are in here or were dropped; kept so that a repeat is recognised. */
  taken?: TakenBatch[];
}

/**
 * What is remembered of records that came over HTTP. Hashes are chained, record by record (`ingest/`), so a batch that
 * begins like one that was taken is recognised too.
 */
export interface TakenBatch {
  /** Name of the source that counts its own records (an import); empty = a batch of its own. */
  source: string;
  /** Records of the batch, or of the source so far. */
  records: number;
  /** Of the last of them, as hexadecimal digits. */
  hash: string;
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

/** Batches, and sources, that are remembered; the oldest are forgotten first. */
export const TAKEN_KEPT = 1024;

/** The window of what was taken, with newer entries added: of each source only the last one counts. */
export function rememberTaken(window: readonly TakenBatch[], added: readonly TakenBatch[]): TakenBatch[] {
  if (added.length === 0) return [...window];
  const seen = new Set<string>();
  let batches = 0;
  const kept: TakenBatch[] = [];
  for (const entry of [...window, ...added].reverse()) {
    if (entry.source === '' ? batches++ >= TAKEN_KEPT : seen.has(entry.source) || seen.size >= TAKEN_KEPT) continue;
    if (entry.source !== '') seen.add(entry.source);
    kept.push(entry);
  }
  return kept.reverse();
}
