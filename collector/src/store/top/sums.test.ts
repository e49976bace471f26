import { largestSums, sumGroups } from './sums.ts';
import type { KeyWords } from './key-words.ts';
import { createItems, BYTES, FLOWS, NUMBERS, OF, PACKETS, ROW, SCOPE, valuesOf, WORDS, type Items } from './items.ts';
import { createRandom } from '../testing/batches.ts';

interface World {
  readonly items: Items;
  readonly keys: KeyWords;
}

/** Items of a few scopes whose records have `keys` different keys, each of one of a tenth as many things. */
function createWorldOf(count: number, keys: number, wide: boolean): World {
  const random = createRandom(count + keys);
  const items = createItems(count, wide);
  const words = () => new Uint32Array(count);
  const keyWords = { small: words(), mask: 0x3, first: words(), second: words(), of: words() };
  items.count = count;
  for (let row = 0; row < count; row++) {
    const key = Math.floor(random() ** 2 * keys);
    keyWords.of[row] = Math.imul(Math.floor(key / 10) + 1, 0x9e3779b1);
    // A part of the key is in the small word, where other lists have theirs, too.
    keyWords.small[row] = (key & 0x3) | ((row % 5) << 2);
    keyWords.first[row] = key >>> 2;
    keyWords.second[row] = key >>> 2;
    items.numbers[row * NUMBERS + BYTES] = Math.floor(random() * 2 ** 32);
    items.numbers[row * NUMBERS + PACKETS] = Math.floor(random() * 1000);
    items.words[row * WORDS + FLOWS] = row % 2;
    items.words[row * WORDS + ROW] = row;
    items.words[row * WORDS + SCOPE] = Math.floor(random() * 3);
    if (wide) items.high[row * 2] = Math.floor(random() * 2 ** 20);
  }
  return { items, keys: keyWords };
}

function plus(one: readonly bigint[], other: readonly bigint[]): bigint[] {
  return one.map((value, index) => value + (other[index] as bigint));
}

function keyOf({ small, mask, first }: KeyWords, row: number): string {
  return `${(small[row] as number) & mask} ${first[row]}`;
}

/** The same sums with a Map: by scope and key, or by scope and thing. */
function naively({ items, keys }: World, of: 'key' | 'thing', rows: Iterable<number>): Map<string, bigint[]> {
  const sums = new Map<string, bigint[]>();
  for (const row of rows) {
    const scope = items.words[row * WORDS + SCOPE];
    const key = of === 'key' ? keyOf(keys, row) : `${keys.of[row]}`;
    const values = valuesOf(items, row).map((value) => BigInt(value));
    sums.set(`${scope} ${key}`, plus(sums.get(`${scope} ${key}`) ?? [0n, 0n, 0n], values));
  }
  return sums;
}

test.each([
  [0, 1, false],
  [1, 1, false],
  [5000, 20, false],
  [60_000, 5, false],
  [60_000, 40_000, false],
  [60_000, 1_000_000, true],
])('%i items of %i keys are summed as a Map sums them; wide: %s', async (count, keys, wide) => {
  const world = createWorldOf(count, keys, wide);
  const target = createItems(count, wide);
  const { items, ends } = await sumGroups(world.items, world.keys, target);
  const found = new Map<string, bigint[]>();
  for (let group = 0; group < items.count; group++) {
    const row = items.words[group * WORDS + ROW] as number;
    const scope = items.words[group * WORDS + SCOPE];
    const key = `${scope} ${keyOf(world.keys, row)}`;
    // Each once.
    expect(found.has(key)).toBe(false);
    found.set(
      key,
      valuesOf(items, group).map((value) => BigInt(value)),
    );
  }
  const everyRow = Array.from({ length: count }, (_, row) => row);
  expect(found).toEqual(naively(world, 'key', everyRow));
  expect(ends.at(-1)).toBe(items.count);
  // Of one thing and scope in one partition.
  const partitionOf = new Map<string, number>();
  for (let group = 0, partition = 0; group < items.count; group++) {
    while (group >= (ends[partition] as number)) partition++;
    const thing = `${items.words[group * WORDS + SCOPE]} ${items.words[group * WORDS + OF]}`;
    expect(partitionOf.get(thing) ?? partition).toBe(partition);
    partitionOf.set(thing, partition);
  }
});

test('the largest sums of what is left out are those of a Map', async () => {
  const world = createWorldOf(50_000, 30_000, false);
  const groups = await sumGroups(world.items, world.keys, createItems(50_000, false));
  const without = Uint8Array.from({ length: groups.items.count }, (_, group) => (group % 3 === 0 ? 1 : 0));
  const leftOut = new Set<string>();
  for (let group = 0; group < groups.items.count; group++) {
    const row = groups.items.words[group * WORDS + ROW] as number;
    const scope = groups.items.words[group * WORDS + SCOPE];
    if (without[group] === 1) leftOut.add(`${scope} ${keyOf(world.keys, row)}`);
  }
  const rows = Array.from({ length: 50_000 }, (_, row) => row).filter((row) => {
    const scope = world.items.words[row * WORDS + SCOPE];
    return !leftOut.has(`${scope} ${keyOf(world.keys, row)}`);
  });
  const expected = new Float64Array(9);
  for (const [key, values] of naively(world, 'thing', rows)) {
    const scope = Number(key.split(' ')[0]);
    values.forEach((value, index) => {
      expected[scope * 3 + index] = Math.max(expected[scope * 3 + index] as number, Number(value));
    });
  }
  expect(largestSums(groups, without, 3)).toEqual(expected);
});
