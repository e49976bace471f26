import { nameId, SET_SEPARATOR } from '@ringflow/contract';
import type { ThreatTag } from './table.ts';

/** A label, and which list has it. */
export interface ListedTag extends ThreatTag {
  readonly list: string;
  /** From a list that a person keeps: comes before all others. */
  readonly isOwn: boolean;
  /** Of the list, milliseconds since the epoch. */
  readonly dateMs: number;
}

/** The labels of an address, in their order. */
export interface ThreatSet {
  readonly id: number;
  readonly name: string;
  readonly tags: readonly ListedTag[];
  /** Counts of its lists and categories: each one is one more when an end of a record has this set. */
  readonly hits: readonly { count: number }[];
}

/**
 * Sets of labels. Labels are numbered in the order in which they stand in a set (own lists, confidence, newer lists),
 * so that a set is found by walking over its numbers; only sets that were never seen allocate.
 */
export interface ThreatSets {
  /** Takes other labels; counts of hits stay. @returns the number of each label */
  replace(tags: readonly ListedTag[]): Uint32Array;
  /** Begins a set. */
  begin(): void;
  /** Adds a label by its number. */
  add(rank: number): void;
  /** The set of what was added; null when that is nothing. */
  end(): ThreatSet | null;
  /** The set of an id; null when the same labels are in sets of several lists. */
  find(id: number): ThreatSet | null;
  /** Hits of a list by category; without one `other`. */
  hitsOf(list: string): Readonly<Record<string, number>>;
}

interface Node {
  readonly next: Map<number, Node>;
  set: ThreatSet | null;
}

/** Labels of one address; more say nothing new. */
const MOST = 16;
/** Sets that are remembered; more combinations than this are made by accident. */
const MAX_SETS = 65_536;

export function createThreatSets(): ThreatSets {
  let byRank: readonly ListedTag[] = [];
  let root: Node = { next: new Map(), set: null };
  /** Null where sets of several lists have the same name. */
  let byId = new Map<number, ThreatSet | null>();
  const hits = new Map<string, Map<string, { count: number }>>();
  const added = new Uint32Array(MOST);
  let size = 0;

  function hitOf({ list, category }: ListedTag): { count: number } {
    const word = category || 'other';
    const ofList = hits.get(list) ?? new Map<string, { count: number }>();
    hits.set(list, ofList);
    const hit = ofList.get(word) ?? { count: 0 };
    ofList.set(word, hit);
    return hit;
  }

  function make(node: Node): ThreatSet {
    const all = Array.from(added.subarray(0, size), (rank) => byRank[rank] as ListedTag);
    const tags = all.filter(({ label }, index) => all.findIndex((other) => other.label === label) === index);
    const name = tags.map(({ label }) => label).join(SET_SEPARATOR);
    const set: ThreatSet = { id: nameId(name), name, tags, hits: [...new Set(all.map(hitOf))] };
    node.set = set;
    byId.set(set.id, byId.has(set.id) ? null : set);
    return set;
  }

  return {
    replace(tags) {
      const order = tags
        .map((tag, index) => ({ tag, index }))
        .sort(
          ({ tag: a, index: i }, { tag: b, index: k }) =>
            Number(b.isOwn) - Number(a.isOwn) || b.confidence - a.confidence || b.dateMs - a.dateMs || i - k,
        );
      byRank = order.map(({ tag }) => tag);
      root = { next: new Map(), set: null };
      byId = new Map();
      const ranks = new Uint32Array(tags.length);
      order.forEach(({ index }, rank) => (ranks[index] = rank));
      return ranks;
    },
    begin: () => void (size = 0),
    add(rank) {
      let at = size;
      while (at > 0 && (added[at - 1] as number) > rank) at--;
      if (at > 0 && added[at - 1] === rank) return;
      if (at === MOST) return;
      // The last one falls out when there are too many.
      const last = Math.min(size, MOST - 1);
      for (let i = last; i > at; i--) added[i] = added[i - 1] as number;
      added[at] = rank;
      size = last + 1;
    },
    end() {
      if (size === 0) return null;
      let node = root;
      for (let i = 0; i < size; i++) {
        const rank = added[i] as number;
        let next = node.next.get(rank);
        if (next === undefined) node.next.set(rank, (next = { next: new Map(), set: null }));
        node = next;
      }
      if (node.set !== null) return node.set;
      if (byId.size >= MAX_SETS) {
        root = { next: new Map(), set: null };
        byId = new Map();
      }
      return make(node);
    },
    find: (id) => byId.get(id) ?? null,
    hitsOf: (list) => Object.fromEntries([...(hits.get(list) ?? [])].map(([category, { count }]) => [category, count])),
  };
}
