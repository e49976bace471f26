import type { ColumnName, TopList } from '@ringflow/contract';
import { beginFirst, beginHashes, createHashes, mixFirst, mixHashes, type Hashes } from './hash.ts';
import { ALL_LISTS, columnOf, comparedKeys } from './keys.ts';

/** What the keys of a list are in each record: two records have equal words where the keys are equal. */
export interface KeyWords {
  /** Keys of a byte, exactly, and those of its bits that are the list's. */
  readonly small: Uint32Array;
  readonly mask: number;
  /** Words of the other keys: the value itself of one number, else hashes. */
  readonly first: Uint32Array;
  readonly second: Uint32Array;
  /** Of what the list is a list of. */
  readonly of: Uint32Array;
}

/** All keys that lists compare. */
export const COMPARED: readonly ColumnName[] = [...new Set(ALL_LISTS.flatMap(comparedKeys))];

/** Keys of a byte and the place of each in the word that has all of them. */
export const SMALL_KEYS: ReadonlyMap<ColumnName, number> = new Map(
  COMPARED.filter((key) => columnOf(key).type === 'u8')
    .slice(0, 4)
    .map((key, index) => [key, index * 8]),
);

/** Keys of the records of a batch. */
interface RecordKeys {
  readonly rows: number;
  readonly small: Uint32Array;
  readonly keys: ReadonlyMap<ColumnName, Hashes>;
}

/** Room for the words of lists that compare several keys. */
export interface KeyRoom extends Hashes {
  readonly of: Uint32Array;
}

export function createKeyRoom(rows: number): KeyRoom {
  return { ...createHashes(rows), of: new Uint32Array(rows) };
}

/** The words of a list; they may lie in `room`, which the next one uses, too. */
export function keyWordsOf({ rows, small, keys }: RecordKeys, list: TopList, room: KeyRoom): KeyWords {
  const compared = comparedKeys(list);
  const mask = compared.reduce((bits, key) => bits | (SMALL_KEYS.has(key) ? 0xff << (SMALL_KEYS.get(key) ?? 0) : 0), 0);
  const words = (key: ColumnName) => keys.get(key) as Hashes;
  const [first, ...more] = compared.filter((key) => !SMALL_KEYS.has(key)).map(words) as [Hashes, ...Hashes[]];
  const [of, ...moreOf] = list.of.map(words) as [Hashes, ...Hashes[]];
  let all = first;
  if (more.length > 0) {
    beginHashes(room, first);
    for (const other of more) mixHashes(room, other, 0, rows);
    all = room;
  }
  let ofFirst = of.first;
  if (moreOf.length > 0) {
    beginFirst(room.of, of.first);
    for (const other of moreOf) mixFirst(room.of, other.first, 0, rows);
    ofFirst = room.of;
  }
  return { small, mask, first: all.first, second: all.second, of: ofFirst };
}
