import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { World } from './world.ts';

/** Counts what is inserted into the tables from now on: parts of a single block, which no merge has made. */
export function newParts(world: World, tables: readonly string[]): () => number {
  const list = (): string[] =>
    tables.flatMap((table) => {
      const folder = join(world.directory, 'engine/data/ringflow', table);
      const parts = existsSync(folder) ? readdirSync(folder) : [];
      return parts.filter((part) => /^\d+_(\d+)_\1_\d+$/.test(part)).map((part) => `${table} ${part}`);
    });
  const before = new Set(list());
  const seen = new Set<string>();
  return () => {
    for (const part of list()) if (!before.has(part)) seen.add(part);
    return seen.size;
  };
}
