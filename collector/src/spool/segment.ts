import type { DropReason, LedgerDelta } from '@ringflow/contract';

/**
 * A segment file's name says everything that is needed after a crash; nothing else is consulted.
 *
 *     <inlet>_<boot>_<sequence>_r<rows>_b<bytes>[_d].<state>
 *
 * `_d`: the ledger delta is more than "all received records are in here" and stands in `<inlet>_<boot>_<sequence>.delta`.
 */
export interface Segment {
  /** Which inlet process wrote it: `0`, `1` … */
  readonly inlet: string;
  /** Grows with every start of that inlet; milliseconds since the epoch where the clock allows. */
  readonly boot: number;
  /** Counts from 1 within a boot, without gaps. */
  readonly sequence: number;
  readonly rows: number;
  /** Bytes of the whole file; a shorter one was not finished. */
  readonly sizeBytes: number;
  readonly hasDelta: boolean;
  readonly state: SegmentState;
}

/** `open`: being written; `native`: sealed, one Native block or nothing; `lost`: unreadable, to be counted as dropped. */
export type SegmentState = 'open' | 'native' | 'lost';

const NAME = /^([a-z0-9]+)_(\d{14})_(\d{10})_r(\d+)_b(\d+)(_d)?\.(open|native|lost)$/;
const DELTA_NAME = /^([a-z0-9]+_\d{14}_\d{10})\.delta$/;

export function formatSegmentName(segment: Segment): string {
  return `${segmentId(segment)}_r${segment.rows}_b${segment.sizeBytes}${segment.hasDelta ? '_d' : ''}.${segment.state}`;
}

/** Null for files that are not segments. */
export function parseSegmentName(name: string): Segment | null {
  const match = NAME.exec(name);
  if (!match) return null;
  const [, inlet, boot, sequence, rows, size, delta, state] = match;
  return {
    inlet: inlet as string,
    boot: Number(boot),
    sequence: Number(sequence),
    rows: Number(rows),
    sizeBytes: Number(size),
    hasDelta: delta !== undefined,
    state: state as SegmentState,
  };
}

/** Identity of a segment over its states; the store's `insert_deduplication_token`. */
export function segmentId(segment: Pick<Segment, 'inlet' | 'boot' | 'sequence'>): string {
  return `${segment.inlet}_${String(segment.boot).padStart(14, '0')}_${String(segment.sequence).padStart(10, '0')}`;
}

/** Name of the file that holds the ledger delta of a segment. */
export function deltaName(segment: Pick<Segment, 'inlet' | 'boot' | 'sequence'>): string {
  return `${segmentId(segment)}.delta`;
}

/** Id of the segment that a delta file belongs to; null for other files. */
export function parseDeltaName(name: string): string | null {
  return DELTA_NAME.exec(name)?.[1] ?? null;
}

/** True when the file name alone says what the ledger needs. */
export function isPlainDelta(delta: LedgerDelta): boolean {
  return delta.received === delta.rows && delta.dropped.length === 0 && (delta.taken ?? []).length === 0;
}

/** The delta of a segment without a delta file. */
export function plainDelta(rows: number): LedgerDelta {
  return { received: rows, rows, dropped: [] };
}

/** Who is named when a lost segment's records cannot be told apart any more. */
export const UNKNOWN_EXPORTER = 'unknown';

/** What the ledger learns from a segment whose rows are gone: the same records received, none of them stored. */
export function lostDelta(delta: LedgerDelta): LedgerDelta {
  if (delta.rows === 0) return delta;
  const reason: DropReason = 'segment_unreadable';
  return {
    received: delta.received,
    rows: 0,
    dropped: [...delta.dropped, { reason, exporter: UNKNOWN_EXPORTER, records: delta.rows }],
  };
}

/** Adds two deltas up, drops by reason and exporter. */
export function mergeDeltas(a: LedgerDelta, b: LedgerDelta): LedgerDelta {
  const drops = new Map<string, LedgerDelta['dropped'][number]>();
  for (const drop of [...a.dropped, ...b.dropped]) {
    const key = `${drop.reason} ${drop.exporter}`;
    const known = drops.get(key);
    drops.set(key, known ? { ...known, records: known.records + drop.records } : { ...drop });
  }
  const taken = [...(a.taken ?? []), ...(b.taken ?? [])];
  return {
    received: a.received + b.received,
    rows: a.rows + b.rows,
    dropped: [...drops.values()],
    ...(taken.length > 0 ? { taken } : {}),
  };
}
