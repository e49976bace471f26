import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Name of a finished part: partition, first and last block, level, and the version of its mutation. */
const PART = /^[^_]+_\d+_\d+_\d+(?:_\d+)?$/;

const BLOCK_BYTES = 512;

/**
 * Counts what a store's directory takes on disk, as `du` does. The files of a part never change, so each part is looked
 * into once.
 */
export function createDirectorySize(path: string): () => Promise<number> {
  let known = new Map<string, number>();

  async function measure(directory: string, seen: Map<string, number>): Promise<number> {
    let bytes = 0;
    const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      const path = join(directory, entry.name);
      // Deleted since it was listed: takes nothing.
      const size = async (): Promise<number> => (await stat(path).catch(() => ({ blocks: 0 }))).blocks * BLOCK_BYTES;
      if (!entry.isDirectory()) {
        if (entry.isFile()) bytes += await size();
        continue;
      }
      const isPart = PART.test(entry.name);
      const before = isPart ? known.get(path) : undefined;
      const inside = before ?? (await size()) + (await measure(path, seen));
      if (isPart) seen.set(path, inside);
      bytes += inside;
    }
    return bytes;
  }

  return async () => {
    const seen = new Map<string, number>();
    const bytes = await measure(path, seen);
    known = seen;
    return bytes;
  };
}
