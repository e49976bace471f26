import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The folder of the project. */
export const ROOT = join(__dirname, '../..');

/** Text of a file of the project. */
export const projectFile = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/**
 * Blocks of a page that say `<!-- run: name -->` before them, by name: what a reader copies is what the test runs.
 *
 * @throws Error when two blocks have one name
 */
export function documentedBlocks(path: string): ReadonlyMap<string, string> {
  const blocks = new Map<string, string>();
  for (const [, name, text] of projectFile(path).matchAll(/<!-- run: ([a-z-]+) -->\n\n```[a-z]+\n([^]*?)```/g)) {
    if (name === undefined || text === undefined) continue;
    if (blocks.has(name)) throw new Error(`${path} has two blocks named ${name}`);
    blocks.set(name, text);
  }
  return blocks;
}
