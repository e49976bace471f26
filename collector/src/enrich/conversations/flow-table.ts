/**
 * Words of a slot: the lower endpoint's address, the higher one's, both ports, protocol with evidence, when it was last
 * seen, the last row of the batch at hand, and two owners per direction. One slot is one line of the processor's cache.
 */
export const SLOT = {
  low: 0,
  high: 4,
  ports: 8,
  /** Protocol in the lowest byte, what is known of client and server above it. */
  state: 9,
  /** Seconds. */
  seen: 10,
  row: 11,
  /** Two words for records from the lower to the higher endpoint, two for the way back. */
  owners: 12,
  words: 16,
} as const;

/** `SLOT.row` of a slot that no row of the batch at hand belongs to. */
export const NO_ROW = -1;

/** Slots that a conversation may stand in. */
const WAYS = 4;

/**
 * Conversations of the last minutes, found by protocol and the two endpoints whichever of them sends. Bounded: when all
 * places of a conversation are taken, it takes the place of the one that was silent for longest.
 *
 * Words are signed, as is everything that is compared with them: numbers above 2^31 would make the engine compute with
 * floating point.
 */
export interface FlowTable {
  readonly slots: Int32Array;
  /**
   * What a conversation is looked for by; the same for both directions.
   *
   * @param ports source port in the upper half, destination port in the lower
   */
  hashOf(src: Int32Array, dst: Int32Array, at: number, ports: number, proto: number): number;
  /**
   * First word of the conversation's slot, which is made when there is none.
   *
   * @param hash from {@link FlowTable.hashOf}
   * @param ports the lower endpoint's port in the upper half, the higher one's in the lower
   * @param nowSeconds when the record arrived
   */
  find(
    hash: number,
    low: Int32Array,
    high: Int32Array,
    at: number,
    ports: number,
    proto: number,
    nowSeconds: number,
  ): number;
}

/** @param conversations remembered at least; 66 bytes each */
export function createFlowTable(conversations: number): FlowTable {
  const count = 2 ** Math.max(4, Math.ceil(Math.log2(conversations)));
  const slots = new Int32Array(count * SLOT.words);
  /**
   * By slot: eight bits of the hash, 0 = free, and when it was seen in units of eight seconds. The four of a set lie side
   * by side and all of them in the processor's cache, where slots seldom are: most records begin a conversation, and
   * need no slot read.
   */
  const tags = new Uint16Array(count);
  const mask = count / WAYS - 1;
  // Nobody outside can choose conversations that share a place.
  const [a, b, c, d, e] = Array.from({ length: 5 }, () => Math.floor(Math.random() * 0x7fff_ffff) | 1) as [
    number,
    number,
    number,
    number,
    number,
  ];

  /** Each end is mixed by itself: a sum alone is the same for .1 with .4 and .2 with .3. */
  function mixed(words: Int32Array, at: number, port: number): number {
    const sum =
      (Math.imul(words[at] as number, a) +
        Math.imul(words[at + 1] as number, b) +
        Math.imul(words[at + 2] as number, c) +
        Math.imul(words[at + 3] as number, d) +
        Math.imul(port, e)) |
      0;
    const spread = Math.imul(sum ^ (sum >>> 15), 0x85eb_ca6b);
    return spread ^ (spread >>> 13);
  }

  function isAt(slot: number, low: Int32Array, high: Int32Array, at: number, ports: number, proto: number): boolean {
    return (
      slots[slot + 7] === high[at + 3] &&
      slots[slot + 3] === low[at + 3] &&
      slots[slot + SLOT.ports] === ports &&
      ((slots[slot + SLOT.state] as number) & 0xff) === proto &&
      slots[slot + 2] === low[at + 2] &&
      slots[slot + 6] === high[at + 2] &&
      slots[slot + 1] === low[at + 1] &&
      slots[slot + 5] === high[at + 1] &&
      slots[slot] === low[at] &&
      slots[slot + 4] === high[at]
    );
  }

  function put(
    slot: number,
    low: Int32Array,
    high: Int32Array,
    at: number,
    ports: number,
    proto: number,
    nowSeconds: number,
  ): void {
    slots[slot] = low[at] as number;
    slots[slot + 1] = low[at + 1] as number;
    slots[slot + 2] = low[at + 2] as number;
    slots[slot + 3] = low[at + 3] as number;
    slots[slot + 4] = high[at] as number;
    slots[slot + 5] = high[at + 1] as number;
    slots[slot + 6] = high[at + 2] as number;
    slots[slot + 7] = high[at + 3] as number;
    slots[slot + SLOT.ports] = ports;
    slots[slot + SLOT.state] = proto;
    slots[slot + SLOT.seen] = nowSeconds;
    slots[slot + SLOT.row] = NO_ROW;
    slots[slot + SLOT.owners] = 0;
    slots[slot + SLOT.owners + 1] = 0;
    slots[slot + SLOT.owners + 2] = 0;
    slots[slot + SLOT.owners + 3] = 0;
  }

  return {
    slots,
    hashOf(src, dst, at, ports, proto) {
      const both = (mixed(src, at, ports >>> 16) + mixed(dst, at, ports & 0xffff) + proto) | 0;
      const hash = Math.imul(both, 0xc2b2_ae35);
      return hash ^ (hash >>> 16);
    },
    find(hash, low, high, at, ports, proto, nowSeconds) {
      const first = ((hash >>> 8) & mask) * WAYS;
      const tag = hash & 0xff || 1;
      const time = (nowSeconds >>> 3) & 0xff;
      let place = first;
      let longest = -1;
      for (let way = first; way < first + WAYS; way++) {
        const here = tags[way] as number;
        if (here >>> 8 === tag && isAt(way * SLOT.words, low, high, at, ports, proto)) {
          tags[way] = (tag << 8) | time;
          return way * SLOT.words;
        }
        const silent = here === 0 ? 256 : (time - here) & 0xff;
        if (silent > longest) {
          longest = silent;
          place = way;
        }
      }
      tags[place] = (tag << 8) | time;
      put(place * SLOT.words, low, high, at, ports, proto, nowSeconds);
      return place * SLOT.words;
    },
  };
}
