import { readDelta, recoverAbandoned, removeDelta, scanSpool, sealedAtMs, segmentId } from '../spool/index.ts';
import type { CountedSegment, DurableLedger } from './ledger.ts';

/** What waits in the spool, as last seen. */
export interface SpoolQueue {
  /** Looks at the directory and returns what waits, in the order in which it must be loaded. */
  look(nowMs: number): Promise<readonly CountedSegment[]>;
  /** What of the last look is not settled yet. */
  waiting(): readonly CountedSegment[];
  /** When the oldest waiting segment was sealed; null when none waits. */
  oldestMs(): number | null;
  /** Last segment by inlet that was settled or is known to wait: the ledger's totals hold all up to it. */
  counted(): Readonly<Record<string, string>>;
}

/** Half-written segments of an inlet that does not come back are settled after this. */
const ABANDONED_MS = 600_000;

/** Reads the spool directory for the store. */
export function createSpoolQueue(directory: string, ledger: DurableLedger): SpoolQueue {
  let known = new Map<string, CountedSegment>();
  let oldestMs: number | null = null;
  let counted: Record<string, string> = {};

  function waiting(): CountedSegment[] {
    return [...known.values()].filter(({ segment }) => !ledger.isSettled(segment));
  }

  async function look(nowMs: number): Promise<readonly CountedSegment[]> {
    const contents = await scanSpool(directory);
    if (contents.open.length > 0) await recoverAbandoned(directory, contents.open, ABANDONED_MS, nowMs);
    const next = new Map<string, CountedSegment>();
    for (const segment of contents.ready) {
      const id = segmentId(segment);
      const before = known.get(id);
      next.set(
        id,
        before?.segment.state === segment.state ? before : { segment, delta: await readDelta(directory, segment) },
      );
    }
    // Left by an end between the deletion of a segment and of its delta.
    for (const id of contents.orphanDeltas) {
      const [inlet, boot, sequence] = id.split('_') as [string, string, string];
      if (ledger.isSettled({ inlet, boot: Number(boot), sequence: Number(sequence) })) await removeDelta(directory, id);
    }
    known = next;
    // Names of one inlet sort in the order of sealing.
    counted = { ...ledger.lastSettled() };
    for (const [id, { segment }] of known) {
      if (id > (counted[segment.inlet] ?? '')) counted[segment.inlet] = id;
    }
    const first = contents.ready[0];
    oldestMs = first ? await sealedAtMs(directory, first) : null;
    return [...known.values()];
  }

  return { look, waiting, oldestMs: () => oldestMs, counted: () => counted };
}
