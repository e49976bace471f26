import type { TopList } from '@ringflow/contract';
import {
  BYTES,
  createItems,
  FLOWS,
  HIGH,
  NUMBERS,
  PACKETS,
  ROW,
  SCOPE,
  valuesOf,
  WORDS,
  type Items,
  type Values,
} from './items.ts';
import { createKeyRoom, keyWordsOf } from './key-words.ts';
import { ALL_LISTS } from './keys.ts';
import type { BatchRecords } from './records.ts';
import type { Spread } from './spread.ts';
import { largestSums, sumGroups, type Groups } from './sums.ts';

/** Packets and flows count a quarter against bytes when rows compete for a place. */
export const WEIGHTS = [1, 0.25, 0.25] as const;

/** A row of a list before it has its keys. */
export interface RankedRow {
  readonly scope: number;
  /** A record that has its keys; -1 for what is not named. */
  readonly row: number;
  readonly counters: Values;
  /** Of what is not named. */
  readonly floors: Values;
}

const NOTHING: Values = [0, 0, 0];

/**
 * Makes all lists of a batch: in each scope the `limit` rows of the highest rank and one of the rest, which knows what is the
 * most that is left out. A row's rank is its largest share of the scope's bytes, packets (a flood of tiny ones must not
 * vanish) or flow records; as shares add up to 1, every row above 1.5 ÷ `store.top_k` of the bytes is kept.
 */
export async function rankLists(
  records: BatchRecords,
  { parts, scopes }: Spread,
  limit: number,
): Promise<ReadonlyMap<TopList, readonly RankedRow[]>> {
  const totals = sumScopes(parts, scopes.length);
  const keyRoom = createKeyRoom(records.rows);
  const room = createItems(parts.count, parts.high.length > 0);
  const lists = new Map<TopList, readonly RankedRow[]>();
  for (const list of ALL_LISTS) {
    const groups = await sumGroups(parts, keyWordsOf(records, list, keyRoom), room);
    lists.set(list, rank(groups, totals, limit));
  }
  return lists;
}

/** Sums of each scope, indexed by it. */
function sumScopes(parts: Items, scopes: number): Items {
  const totals = createItems(scopes, parts.high.length > 0);
  totals.count = scopes;
  for (let part = 0; part < parts.count; part++) {
    const scope = parts.words[part * WORDS + SCOPE] as number;
    for (const index of [BYTES, PACKETS]) {
      const at = scope * NUMBERS + index;
      totals.numbers[at] = (totals.numbers[at] as number) + (parts.numbers[part * NUMBERS + index] as number);
      if (parts.high.length === 0) continue;
      const upper = scope * 2 + index;
      totals.high[upper] = (totals.high[upper] as number) + (parts.high[part * 2 + index] as number);
    }
    const flows = scope * WORDS + FLOWS;
    totals.words[flows] = (totals.words[flows] as number) + (parts.words[part * WORDS + FLOWS] as number);
  }
  return totals;
}

/** Chooses the rows of one list. */
function rank(groups: Groups, totals: Items, limit: number): readonly RankedRow[] {
  const { items } = groups;
  const kept = keepHighest(items, totals, limit);
  const rows: RankedRow[] = [];
  const named = Array.from({ length: totals.count }, (): Values => NOTHING);
  for (let group = 0; group < items.count; group++) {
    if (kept[group] !== 1) continue;
    const counters = valuesOf(items, group);
    const scope = items.words[group * WORDS + SCOPE] as number;
    rows.push({ scope, row: items.words[group * WORDS + ROW] as number, counters, floors: NOTHING });
    named[scope] = plus(named[scope] as Values, counters, 1);
  }
  if (rows.length === items.count) return rows;
  const floors = largestSums(groups, kept, totals.count);
  for (let scope = 0; scope < totals.count; scope++) {
    const counters = plus(valuesOf(totals, scope), named[scope] as Values, -1);
    if (counters.every((value) => Number(value) <= 0)) continue;
    const [bytes, packets, flows] = floors.subarray(scope * 3, scope * 3 + 3) as unknown as [number, number, number];
    rows.push({ scope, row: -1, counters, floors: [atLeast(bytes), atLeast(packets), atLeast(flows)] });
  }
  return rows;
}

/** What a number that may have been rounded is at most. */
function atLeast(value: number): bigint | number {
  return value < Number.MAX_SAFE_INTEGER ? value : BigInt(value * (1 + 4 * Number.EPSILON));
}

/** 1 for each group that is one of the `limit` of the highest rank in its scope. */
function keepHighest(items: Items, totals: Items, limit: number): Uint8Array {
  const { count, numbers, words, high } = items;
  const scopes = totals.count;
  const factors = factorsOf(totals);
  const ends = new Uint32Array(scopes);
  for (let group = 0; group < count; group++) {
    const scope = words[group * WORDS + SCOPE] as number;
    ends[scope] = (ends[scope] as number) + 1;
  }
  // Those that may be: up to twice as many as there are places, until the lower half of them is given up.
  let room = 0;
  for (let scope = 0; scope < scopes; scope++) {
    const size = Math.min(ends[scope] as number, limit * 2);
    ends[scope] = room;
    room += size;
  }
  const begins = ends.slice();
  const found = { ranks: new Float64Array(room), groups: new Uint32Array(room) };
  /** What a group's rank must be above. */
  const least = new Float64Array(scopes).fill(-1);
  for (let group = 0; group < count; group++) {
    const scope = words[group * WORDS + SCOPE] as number;
    let bytes = numbers[group * NUMBERS + BYTES] as number;
    let packets = numbers[group * NUMBERS + PACKETS] as number;
    if (high.length > 0) {
      bytes += (high[group * 2] as number) * HIGH;
      packets += (high[group * 2 + 1] as number) * HIGH;
    }
    const one = Math.max(
      bytes * (factors[scope * 3] as number),
      packets * (factors[scope * 3 + 1] as number),
      (words[group * WORDS + FLOWS] as number) * (factors[scope * 3 + 2] as number),
    );
    if (one <= (least[scope] as number)) continue;
    const begin = begins[scope] as number;
    let at = ends[scope] as number;
    if (at - begin === limit * 2) {
      least[scope] = keepLimit(found, begin, at, limit);
      at = begin + limit;
    }
    found.ranks[at] = one;
    found.groups[at] = group;
    ends[scope] = at + 1;
  }
  const kept = new Uint8Array(count);
  for (let scope = 0; scope < scopes; scope++) {
    const begin = begins[scope] as number;
    let end = ends[scope] as number;
    if (end - begin > limit) {
      keepLimit(found, begin, end, limit);
      end = begin + limit;
    }
    for (let at = begin; at < end; at++) kept[found.groups[at] as number] = 1;
  }
  return kept;
}

/** What makes ranks of bytes, packets and flow records, by scope. */
function factorsOf(totals: Items): Float64Array {
  const factors = new Float64Array(totals.count * 3);
  for (let scope = 0; scope < totals.count; scope++)
    valuesOf(totals, scope).forEach((total, index) => {
      factors[scope * 3 + index] = (WEIGHTS[index] as number) / Math.max(1, Number(total));
    });
  return factors;
}

/**
 * Moves the `limit` highest to the front, in the order in which they are; of equal ones the first.
 *
 * @returns the lowest rank of these
 */
function keepLimit(
  { ranks, groups }: { readonly ranks: Float64Array; readonly groups: Uint32Array },
  begin: number,
  end: number,
  limit: number,
): number {
  const least = nthLargest(ranks.slice(begin, end), limit);
  let places = limit;
  for (let at = begin; at < end; at++) if ((ranks[at] as number) > least) places--;
  let to = begin;
  for (let at = begin; at < end; at++) {
    const one = ranks[at] as number;
    if (one < least || (one === least && places-- <= 0)) continue;
    ranks[to] = one;
    groups[to++] = groups[at] as number;
  }
  return least;
}

/** The n-th largest of some numbers, which are reordered (Hoare's selection). */
function nthLargest(numbers: Float64Array, nth: number): number {
  const at = nth - 1;
  let from = 0;
  let to = numbers.length - 1;
  while (from < to) {
    const pivot = numbers[(from + to) >>> 1] as number;
    let left = from;
    let right = to;
    while (left <= right) {
      while ((numbers[left] as number) > pivot) left++;
      while ((numbers[right] as number) < pivot) right--;
      if (left > right) break;
      const other = numbers[left] as number;
      numbers[left++] = numbers[right] as number;
      numbers[right--] = other;
    }
    if (at <= right) to = right;
    else if (at >= left) from = left;
    else break;
  }
  return numbers[at] as number;
}

function plus(one: Values, other: Values, sign: 1 | -1): Values {
  const sum = (index: 0 | 1 | 2): bigint | number => {
    const [a, b] = [one[index], other[index]];
    return typeof a === 'number' && typeof b === 'number' ? a + sign * b : BigInt(a) + BigInt(sign) * BigInt(b);
  };
  return [sum(0), sum(1), sum(2)];
}
