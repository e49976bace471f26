import { randomInt } from 'node:crypto';

/**
 * Hashes of keys in two words, for many records at a time. Were two keys of a batch to have the same one, which happens to
 * one batch in ten million, they would count as one; the sums stay exact. Nobody outside knows the seed, so nobody can send
 * flows whose keys all fall on one place of a table.
 */
export interface Hashes {
  readonly first: Uint32Array;
  readonly second: Uint32Array;
}

const VALUES = 2 ** 32;
const SEED = [randomInt(VALUES), randomInt(VALUES)] as const;

export function createHashes(rows: number): Hashes {
  return { first: new Uint32Array(rows), second: new Uint32Array(rows) };
}

/** Forgets what was mixed in. */
export function clearHashes({ first, second }: Hashes): void {
  first.fill(SEED[0]);
  second.fill(SEED[1]);
}

/** Mixes a word of each row, or each half of its hash, into the hashes from row `from` on. */
export function mixHashes({ first, second }: Hashes, words: Hashes, from: number, rows: number): void {
  mixFirst(first, words.first, from, rows);
  const other = words.second;
  for (let row = 0; row < rows; row++) {
    const mixed = Math.imul((second[from + row] as number) ^ (other[row] as number), 0x9e3779b1);
    second[from + row] = mixed ^ (mixed >>> 13);
  }
}

/** The first half of it alone. */
export function mixFirst(first: Uint32Array, words: Uint32Array, from: number, rows: number): void {
  for (let row = 0; row < rows; row++) {
    const mixed = Math.imul((first[from + row] as number) ^ (words[row] as number), 0x85ebca6b);
    first[from + row] = mixed ^ (mixed >>> 15);
  }
}
