import type { ColumnName } from '@ringflow/contract';
import { clearHashes, createHashes, mixHashes, type Hashes } from './hash.ts';
import { COMPARED, createKeyRoom, keyWordsOf, SMALL_KEYS } from './key-words.ts';
import { ALL_LISTS, columnOf, comparedKeys } from './keys.ts';
import { createRandom } from '../testing/batches.ts';

const ROWS = 20_000;

/** Records whose keys have few values, so that each combination of two is there, and the other way around, too. */
function createRecords(): {
  values: Map<ColumnName, Uint32Array>;
  small: Uint32Array;
  keys: Map<ColumnName, Hashes>;
} {
  const random = createRandom(7);
  const values = new Map<ColumnName, Uint32Array>();
  const small = new Uint32Array(ROWS);
  const keys = new Map<ColumnName, Hashes>();
  for (const key of COMPARED) {
    const words = Uint32Array.from({ length: ROWS }, () => Math.floor(random() * 4));
    values.set(key, words);
    const shift = SMALL_KEYS.get(key);
    if (shift !== undefined) words.forEach((word, row) => (small[row] = (small[row] as number) | (word << shift)));
    else if (columnOf(key).type === 'addr') {
      const hashes = createHashes(ROWS);
      clearHashes(hashes);
      mixHashes(hashes, { first: words, second: words }, 0, ROWS);
      keys.set(key, hashes);
    } else keys.set(key, { first: words, second: words });
  }
  return { values, small, keys };
}

test.each(ALL_LISTS.map((list) => [list.name, list] as const))(
  '%s: words of two records are equal where their keys are, and nowhere else',
  (_, list) => {
    const { values, ...records } = createRecords();
    const { small, mask, first, second, of } = keyWordsOf({ rows: ROWS, ...records }, list, createKeyRoom(ROWS));
    const textOf = (keys: readonly ColumnName[], row: number) => keys.map((key) => values.get(key)?.[row]).join();
    const keys = new Map<string, Set<string>>();
    const things = new Map<number, Set<string>>();
    for (let row = 0; row < ROWS; row++) {
      const words = `${(small[row] as number) & mask} ${first[row]} ${second[row]}`;
      keys.set(words, (keys.get(words) ?? new Set()).add(textOf(comparedKeys(list), row)));
      const word = of[row] as number;
      things.set(word, (things.get(word) ?? new Set()).add(textOf(list.of, row)));
    }
    for (const found of [keys, things]) {
      const all = [...found.values()].flatMap((texts) => [...texts]);
      expect(all.length).toBe(found.size);
      expect(new Set(all).size).toBe(found.size);
    }
    expect(keys.size).toBeGreaterThanOrEqual(16);
  },
);
