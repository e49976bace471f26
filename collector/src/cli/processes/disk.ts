import { statfsSync } from 'node:fs';

/** The file system that holds a folder, as a user without privileges may fill it; null where it cannot be read. */
export function readDisk(directory: string): { directory: string; freeBytes: number; totalBytes: number } | null {
  try {
    const { bavail, blocks, bsize } = statfsSync(directory);
    return { directory, freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  } catch {
    return null;
  }
}
