import { link, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { formatSegmentName, segmentPath, type Segment } from '../../spool/index.ts';

/**
 * Files of segments whose rows are stored and not in the top lists yet: reading them spares the engine to read the rows
 * again, which costs half as much as making the lists. They are a short cut and never needed: whatever is missing is read from
 * the table.
 */
export interface KeptSegments {
  /** Forgets what an earlier process kept. */
  start(directory: string): Promise<void>;
  /** Keeps the files of segments whose rows came with this batch, unless there is no room; they are links. */
  keep(batch: string, spoolDirectory: string, segments: readonly Segment[]): Promise<void>;
  /** The files of a batch; null when they are not exactly its `rows`. */
  pathsOf(batch: string, rows: number): readonly string[] | null;
  /** Deletes the files of a batch. */
  drop(batch: string): Promise<void>;
}

interface Kept {
  /** False when a file is missing, or one more may be there. */
  whole: boolean;
  rows: number;
  sizeBytes: number;
  readonly paths: string[];
}

/** @param maxBytes of all files together */
export function createKeptSegments(maxBytes: number): KeptSegments {
  const batches = new Map<string, Kept>();
  let directory: string | null = null;

  async function start(path: string): Promise<void> {
    directory = path;
    batches.clear();
    await rm(path, { recursive: true, force: true });
    await mkdir(path, { recursive: true });
  }

  async function keep(batch: string, spoolDirectory: string, segments: readonly Segment[]): Promise<void> {
    if (directory === null) return;
    const kept = batches.get(batch) ?? { whole: true, rows: 0, sizeBytes: 0, paths: [] };
    batches.set(batch, kept);
    const total = [...batches.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const more = segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    if (total + more > maxBytes) kept.whole = false;
    if (!kept.whole) return deleteFiles(kept);
    try {
      for (const segment of segments) {
        const path = join(directory, `${batch}_${formatSegmentName(segment)}`);
        await link(segmentPath(spoolDirectory, segment), path);
        kept.paths.push(path);
        kept.rows += segment.rows;
        kept.sizeBytes += segment.sizeBytes;
      }
    } catch {
      // Another file system, or one without links.
      kept.whole = false;
      await deleteFiles(kept);
    }
  }

  function pathsOf(batch: string, rows: number): readonly string[] | null {
    const kept = batches.get(batch);
    return kept?.whole === true && kept.rows === rows ? kept.paths : null;
  }

  async function drop(batch: string): Promise<void> {
    const kept = batches.get(batch);
    batches.delete(batch);
    if (kept) await deleteFiles(kept);
  }

  return { start, keep, pathsOf, drop };
}

async function deleteFiles(kept: Kept): Promise<void> {
  kept.sizeBytes = 0;
  for (const path of kept.paths.splice(0)) await rm(path, { force: true });
}
