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

/**
 * Forgets what was mixed in and begins with the words. They are not taken as they are: of two that are mixed in one after the
 * other it would not be known which was the first.
 */
export function beginHashes({ first, second }: Hashes, words: Hashes): void {
  beginFirst(first, words.first);
  const other = words.second;
  for (let row = 0; row < second.length; row++) second[row] = secondOf(SEED[1], other[row] as number);
}

/** The first half of it alone. */
export function beginFirst(first: Uint32Array, words: Uint32Array): void {
  for (let row = 0; row < first.length; row++) first[row] = firstOf(SEED[0], words[row] as number);
}

/** Mixes a word of each row, or each half of its hash, into the hashes from row `from` on. */
export function mixHashes({ first, second }: Hashes, words: Hashes, from: number, rows: number): void {
  mixFirst(first, words.first, from, rows);
  const other = words.second;
  for (let row = 0; row < rows; row++)
    second[from + row] = secondOf(second[from + row] as number, other[row] as number);
}

/** The first half of it alone. */
export function mixFirst(first: Uint32Array, words: Uint32Array, from: number, rows: number): void {
  for (let row = 0; row < rows; row++) first[from + row] = firstOf(first[from + row] as number, words[row] as number);
}

/** First half of a hash, and a word more; two words of the same hash never have the same result. */
export function firstOf(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}

/** Second half of a hash, and a word more. */
export function secondOf(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x9e3779b1);
  return mixed ^ (mixed >>> 13);
}

/** Half of a hash to begin with, of two words of few values; nobody outside can choose what it is. */
export function firstSeed(one: number, other: number): number {
  return firstOf(Math.imul(one + 1, 0x27d4eb2f) ^ SEED[0], other);
}

/** The second half of it. */
export function secondSeed(one: number, other: number): number {
  return secondOf(Math.imul(one + 1, 0x165667b1) ^ SEED[1], other);
}
