import { mkdir, open, readFile, readdir, rename, rm, stat, statfs, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { LedgerDelta } from '@ringflow/contract';
import {
  deltaName,
  formatSegmentName,
  parseDeltaName,
  parseSegmentName,
  plainDelta,
  segmentId,
  type Segment,
} from './segment.ts';

/** What lies in a spool directory at one moment. */
export interface SpoolContents {
  /** Sealed and lost segments in the order they must be loaded: by inlet, boot, sequence. */
  readonly ready: Segment[];
  /** Segments that are being written, or were when their writer died. */
  readonly open: Segment[];
  /** Ids of delta files without a segment. */
  readonly orphanDeltas: string[];
  /** Bytes of all segments. */
  readonly sizeBytes: number;
}

/** Reads file names only: sizes and rows are in them. */
export async function scanSpool(directory: string): Promise<SpoolContents> {
  const ready: Segment[] = [];
  const opened: Segment[] = [];
  const deltas: string[] = [];
  const ids = new Set<string>();
  let sizeBytes = 0;
  for (const name of await readdir(directory)) {
    const segment = parseSegmentName(name);
    if (segment) {
      ids.add(segmentId(segment));
      sizeBytes += segment.sizeBytes;
      (segment.state === 'open' ? opened : ready).push(segment);
      continue;
    }
    const delta = parseDeltaName(name);
    if (delta !== null) deltas.push(delta);
  }
  ready.sort(bySequence);
  return { ready, open: opened, orphanDeltas: deltas.filter((id) => !ids.has(id)), sizeBytes };
}

function bySequence(a: Segment, b: Segment): number {
  return a.inlet < b.inlet ? -1 : a.inlet > b.inlet ? 1 : a.boot - b.boot || a.sequence - b.sequence;
}

/** Absolute path of a segment file. */
export function segmentPath(directory: string, segment: Segment): string {
  return join(directory, formatSegmentName(segment));
}

/** Makes the directory, its parents and the quarantine beside the segments. */
export async function createSpoolDirectory(directory: string): Promise<void> {
  await mkdir(join(directory, QUARANTINE), { recursive: true });
}

const QUARANTINE = 'quarantine';
/** Unreadable segments that are kept to be looked at; older ones are deleted. */
const QUARANTINE_FILES = 8;

/** The ledger delta of a segment: from its delta file, or "all of its rows" when the name says there is none. */
export async function readDelta(directory: string, segment: Segment): Promise<LedgerDelta> {
  if (!segment.hasDelta) return plainDelta(segment.rows);
  try {
    return JSON.parse(await readFile(join(directory, deltaName(segment)), 'utf8')) as LedgerDelta;
  } catch (error) {
    // Written and synced before the segment was sealed: only a broken disk leads here. The rows still count.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError)
      return plainDelta(segment.rows);
    throw error;
  }
}

/** Atomic and durable: whoever sees the name sees the whole content. */
export async function writeFileDurably(path: string, content: string): Promise<void> {
  const temporary = `${path}.tmp`;
  const file = await open(temporary, 'w');
  try {
    await file.writeFile(content);
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

/** Makes renames in a directory survive a power failure. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Declares a segment unreadable: from now on its rows count as dropped. The state is the file's name. */
export async function markLost(directory: string, segment: Segment): Promise<Segment> {
  const lost: Segment = { ...segment, state: 'lost' };
  await rename(segmentPath(directory, segment), segmentPath(directory, lost));
  return lost;
}

/** Takes a segment out of the queue once the ledger has it; a lost one is kept in the quarantine for a while. */
export async function removeSegment(directory: string, segment: Segment): Promise<void> {
  const path = segmentPath(directory, segment);
  if (segment.state === 'lost' && segment.rows > 0) {
    await rename(path, join(directory, QUARANTINE, formatSegmentName(segment))).catch(ignoreMissing);
    await pruneQuarantine(directory);
  } else {
    await unlink(path).catch(ignoreMissing);
  }
  if (segment.hasDelta) await unlink(join(directory, deltaName(segment))).catch(ignoreMissing);
}

/** Deletes a delta file whose segment is gone. */
export async function removeDelta(directory: string, id: string): Promise<void> {
  await unlink(join(directory, `${id}.delta`)).catch(ignoreMissing);
}

async function pruneQuarantine(directory: string): Promise<void> {
  const names = (await readdir(join(directory, QUARANTINE))).sort();
  for (const name of names.slice(0, Math.max(0, names.length - QUARANTINE_FILES))) {
    await rm(join(directory, QUARANTINE, name), { force: true });
  }
}

function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}

/** Seals a segment that was written whole before its writer died, and declares the others lost. */
export async function recoverOpenSegment(directory: string, segment: Segment): Promise<Segment> {
  const path = segmentPath(directory, segment);
  const { size } = await stat(path);
  if (size !== segment.sizeBytes) return markLost(directory, segment);
  const file = await open(path, 'r+');
  try {
    await file.datasync();
  } finally {
    await file.close();
  }
  const sealed: Segment = { ...segment, state: 'native' };
  await rename(path, segmentPath(directory, sealed));
  return sealed;
}

/**
 * Settles half-written segments that nobody wrote to for `idleMs`: an inlet settles its own when it starts, those of
 * one that never comes back are left to the store.
 */
export async function recoverAbandoned(
  directory: string,
  open: readonly Segment[],
  idleMs: number,
  nowMs: number,
): Promise<number> {
  let count = 0;
  for (const segment of open) {
    try {
      const { mtimeMs } = await stat(segmentPath(directory, segment));
      if (nowMs - mtimeMs < idleMs) continue;
      await recoverOpenSegment(directory, segment);
      count++;
    } catch (error) {
      // Sealed in the meantime.
      ignoreMissing(error);
    }
  }
  return count;
}

/** When a segment was sealed, milliseconds since the epoch; null when it is gone. */
export async function sealedAtMs(directory: string, segment: Segment): Promise<number | null> {
  try {
    return (await stat(segmentPath(directory, segment))).mtimeMs;
  } catch (error) {
    ignoreMissing(error);
    return null;
  }
}

/** Bytes that an unprivileged process may still write to the file system. */
export async function freeBytes(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}
