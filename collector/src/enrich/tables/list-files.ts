import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { FileVersion } from './watched-file.ts';

/**
 * The files that a path means, in the order of their names: itself; all `.json` in it when it is a directory; or those
 * that fit when its last part has a `*` or `?`.
 *
 * @throws Error when there is none
 */
export async function filesAt(path: string): Promise<string[]> {
  const name = basename(path);
  if (/[*?]/.test(name)) {
    const pattern = new RegExp(
      `^${name
        .replace(/[.+^${}()|[\]\\]/g, '\\$&')
        .replaceAll('*', '.*')
        .replaceAll('?', '.')}$`,
    );
    return inDirectory(dirname(path), (file) => pattern.test(file), `No file fits ${name}`);
  }
  if ((await stat(path)).isDirectory())
    return inDirectory(path, (file) => file.endsWith('.json'), 'It has no .json files');
  return [path];
}

async function inDirectory(directory: string, fits: (file: string) => boolean, nothing: string): Promise<string[]> {
  const files = (await readdir(directory)).filter(fits).sort();
  if (files.length === 0) throw new Error(nothing);
  return files.map((file) => join(directory, file));
}

/** What tells whether the files at a path have changed. */
export async function versionAt(path: string): Promise<FileVersion> {
  let modifiedMs = 0;
  const parts: string[] = [];
  for (const file of await filesAt(path)) {
    const { mtimeMs, ctimeMs, size, ino } = await stat(file);
    modifiedMs = Math.max(modifiedMs, mtimeMs);
    parts.push(`${file} ${mtimeMs} ${ctimeMs} ${size} ${ino}`);
  }
  return { signature: parts.join('\n'), modifiedMs };
}
