import { setImmediate } from 'node:timers/promises';
import { firstOf, firstSeed, secondOf, secondSeed } from './hash.ts';
import { BYTES, FIRST, FLOWS, NUMBERS, OF, PACKETS, ROW, SCOPE, SECOND, WORDS, type Items } from './items.ts';
import type { KeyWords } from './key-words.ts';

/**
 * Items of a partition. Sums by random keys in one large table miss all caches, some 200 ns each; with items first sorted into
 * partitions that fit the second cache it is a quarter of that for both (measured).
 */
const PARTITION_ITEMS = 16_384;
const MAX_PARTITIONS = 256;

/** Items that are worked on before other work of the process gets its turn: some milliseconds. */
const TURN = 131_072;

/** Places of items that came lately, by hash: what comes often is summed up before it is sorted. */
const RECENT = 1024;

/** Sums by scope and key. Groups with the same {@link OF} and scope lie in the same partition. */
export interface Groups {
  readonly items: Items;
  /** Where each partition ends. */
  readonly ends: Uint32Array;
}

/**
 * Sums what has the same keys in the same scope.
 *
 * @param keys of the records, which items name as their `ROW`
 * @param target room for as many items; gets the sums
 */
export async function sumGroups(items: Items, keys: KeyWords, target: Items): Promise<Groups> {
  const partitions = Math.min(MAX_PARTITIONS, 2 ** Math.ceil(Math.log2(Math.max(1, items.count / PARTITION_ITEMS))));
  const begins = new Uint32Array(partitions + 1);
  for (let from = 0; from < items.count; from += TURN) {
    countItems(items, keys, begins, from, Math.min(items.count, from + TURN));
    await setImmediate();
  }
  for (let index = 1; index <= partitions; index++)
    begins[index] = (begins[index] as number) + (begins[index - 1] as number);
  const ends = begins.slice(0, partitions);
  const recent = { hashes: new Int32Array(RECENT), places: new Int32Array(RECENT).fill(-1) };
  for (let from = 0; from < items.count; from += TURN) {
    sortItems(items, keys, target, ends, recent, from, Math.min(items.count, from + TURN));
    await setImmediate();
  }
  target.count = 0;
  const table: Table = { slots: new Int32Array(PARTITION_ITEMS * 4) };
  for (let index = 0, turn = 0; index < partitions; index++) {
    const [begin, end] = [begins[index] as number, ends[index] as number];
    sumPartition(target, table, begin, end);
    ends[index] = target.count;
    turn += end - begin;
    if (turn < TURN) continue;
    turn = 0;
    await setImmediate();
  }
  return { items: target, ends };
}

/** Counts the items of each partition, in the place behind it. */
function countItems({ words }: Items, { of }: KeyWords, counts: Uint32Array, from: number, to: number): void {
  const mask = counts.length - 2;
  for (let item = from; item < to; item++) {
    const hash = inScope(of[words[item * WORDS + ROW] as number] as number, words[item * WORDS + SCOPE] as number);
    const at = (spreadBits(hash) & mask) + 1;
    counts[at] = (counts[at] as number) + 1;
  }
}

/** Copies items to their partitions; `places` are where the next one of each goes, and in the end where it ends. */
function sortItems(
  { numbers, words, high }: Items,
  keys: KeyWords,
  target: Items,
  places: Uint32Array,
  recent: { readonly hashes: Int32Array; readonly places: Int32Array },
  from: number,
  to: number,
): void {
  const mask = places.length - 1;
  const { numbers: toNumbers, words: toWords, high: toHigh } = target;
  const { hashes: recentHashes, places: recentPlaces } = recent;
  const { small, mask: keyMask, first: firsts, second: seconds, of: ofs } = keys;
  for (let item = from; item < to; item++) {
    const number = item * NUMBERS;
    const word = item * WORDS;
    const row = words[word + ROW] as number;
    const scope = words[word + SCOPE] as number;
    const few = (small[row] as number) & keyMask;
    const first = firstOf(firstSeed(scope, few), firsts[row] as number);
    const second = secondOf(secondSeed(scope, few), seconds[row] as number);
    const slot = second & (RECENT - 1);
    const before = recentPlaces[slot] as number;
    if (recentHashes[slot] === first && before >= 0 && toWords[before * WORDS + SECOND] === second) {
      add(target, before, numbers, words, high, item);
      continue;
    }
    const of = inScope(ofs[row] as number, scope);
    const partition = spreadBits(of) & mask;
    const place = places[partition] as number;
    places[partition] = place + 1;
    recentHashes[slot] = first;
    recentPlaces[slot] = place;
    const toNumber = place * NUMBERS;
    toNumbers[toNumber + BYTES] = numbers[number + BYTES] as number;
    toNumbers[toNumber + PACKETS] = numbers[number + PACKETS] as number;
    const toWord = place * WORDS;
    toWords[toWord + FLOWS] = words[word + FLOWS] as number;
    toWords[toWord + ROW] = row;
    toWords[toWord + SCOPE] = scope;
    toWords[toWord + OF] = of;
    toWords[toWord + FIRST] = first;
    toWords[toWord + SECOND] = second;
    if (high.length === 0) continue;
    toHigh[place * 2] = high[item * 2] as number;
    toHigh[place * 2 + 1] = high[item * 2 + 1] as number;
  }
}

/** Adds an item to one of the target. */
function add(
  target: Items,
  place: number,
  numbers: Float64Array,
  words: Int32Array,
  high: Float64Array,
  item: number,
): void {
  const at = place * NUMBERS;
  target.numbers[at + BYTES] = (target.numbers[at + BYTES] as number) + (numbers[item * NUMBERS + BYTES] as number);
  target.numbers[at + PACKETS] =
    (target.numbers[at + PACKETS] as number) + (numbers[item * NUMBERS + PACKETS] as number);
  const flows = place * WORDS + FLOWS;
  target.words[flows] = (target.words[flows] as number) + (words[item * WORDS + FLOWS] as number);
  if (high.length === 0) return;
  target.high[place * 2] = (target.high[place * 2] as number) + (high[item * 2] as number);
  target.high[place * 2 + 1] = (target.high[place * 2 + 1] as number) + (high[item * 2 + 1] as number);
}

/** Finds groups of a partition; 0 = none. */
interface Table {
  slots: Int32Array;
}

/** Slots for so many groups, all empty. */
function clearSlots(table: Table, groups: number): Int32Array {
  let size = 16;
  while (size < groups * 2) size *= 2;
  if (table.slots.length < size) table.slots = new Int32Array(size);
  const slots = table.slots.subarray(0, size);
  slots.fill(0);
  return slots;
}

/** Sums up the items of a partition; the groups stand behind those of the partitions before, and never beyond their items. */
function sumPartition(items: Items, table: Table, begin: number, end: number): void {
  const { numbers, words, high } = items;
  const slots = clearSlots(table, end - begin);
  const mask = slots.length - 1;
  const before = items.count;
  let count = before;
  for (let item = begin; item < end; item++) {
    const word = item * WORDS;
    const first = words[word + FIRST] as number;
    const second = words[word + SECOND] as number;
    let slot = spreadBits(second) & mask;
    let found = slots[slot] as number;
    while (found > 0) {
      const at = (before + found - 1) * WORDS;
      if (words[at + FIRST] === first && words[at + SECOND] === second) break;
      slot = (slot + 1) & mask;
      found = slots[slot] as number;
    }
    if (found > 0) {
      add(items, before + found - 1, numbers, words, high, item);
      continue;
    }
    const place = count++;
    slots[slot] = count - before;
    if (place === item) continue;
    for (let index = 0; index < NUMBERS; index++)
      numbers[place * NUMBERS + index] = numbers[item * NUMBERS + index] as number;
    if (high.length === 0) continue;
    high[place * 2] = high[item * 2] as number;
    high[place * 2 + 1] = high[item * 2 + 1] as number;
  }
  items.count = count;
}

/**
 * Sums groups by scope and {@link OF}, but for those that are marked in `without`; each sum is the largest of its scope or
 * forgotten. Two that have the same hash count as one: a bound may be higher than it must be, and never lower.
 *
 * @returns bytes, packets and flow records by scope
 */
export function largestSums({ items, ends }: Groups, without: Uint8Array, scopes: number): Float64Array {
  const { numbers, words, high } = items;
  const largest = new Float64Array(scopes * 3);
  const table: Table = { slots: new Int32Array(PARTITION_ITEMS * 4) };
  let tags = new Int32Array(PARTITION_ITEMS);
  let sums = new Float64Array(PARTITION_ITEMS * 3);
  for (let index = 0, begin = 0; index < ends.length; index++) {
    const end = ends[index] as number;
    const slots = clearSlots(table, end - begin);
    const mask = slots.length - 1;
    if (tags.length < end - begin) {
      tags = new Int32Array(end - begin);
      sums = new Float64Array((end - begin) * 3);
    }
    let count = 0;
    for (let group = begin; group < end; group++) {
      if (without[group] === 1) continue;
      const word = group * WORDS;
      const of = words[word + OF] as number;
      let slot = (spreadBits(of) >>> 8) & mask;
      let found = slots[slot] as number;
      while (found > 0 && tags[found - 1] !== of) {
        slot = (slot + 1) & mask;
        found = slots[slot] as number;
      }
      const number = group * NUMBERS;
      const scope = (words[word + SCOPE] as number) * 3;
      let bytes = (numbers[number + BYTES] as number) + upperOf(high, group * 2);
      let packets = (numbers[number + PACKETS] as number) + upperOf(high, group * 2 + 1);
      let flows = words[word + FLOWS] as number;
      if (found > 0) {
        const at = (found - 1) * 3;
        bytes += sums[at] as number;
        packets += sums[at + 1] as number;
        flows += sums[at + 2] as number;
      } else {
        tags[count++] = of;
        found = slots[slot] = count;
      }
      const at = (found - 1) * 3;
      sums[at] = bytes;
      sums[at + 1] = packets;
      sums[at + 2] = flows;
      if (bytes > (largest[scope] as number)) largest[scope] = bytes;
      if (packets > (largest[scope + 1] as number)) largest[scope + 1] = packets;
      if (flows > (largest[scope + 2] as number)) largest[scope + 2] = flows;
    }
    begin = end;
  }
  return largest;
}

function upperOf(high: Float64Array, at: number): number {
  return high.length === 0 ? 0 : (high[at] as number) * 4_294_967_296;
}

/** Equal keys of two scopes are two. */
function inScope(hash: number, scope: number): number {
  return hash ^ Math.imul(scope + 1, 0x27d4eb2f);
}

/** Lower bits that all bits have gone into. */
function spreadBits(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
