/**
 * What was found out about addresses of late: a few words for each, beside its key, so that both come in one line of
 * the processor's cache. Bounded, and nothing is allocated after it was made.
 */
export interface AddressCache {
  /** How many addresses it holds. */
  readonly slots: number;
  /** The words of all slots; {@link find} says where those of an address begin. */
  readonly values: Uint32Array;
  /**
   * Index in {@link values} of what belongs to the address at `words[at]` to `words[at + 3]`. When it was not there,
   * {@link missed} is true, and the words are those of another address that was not asked for lately.
   */
  find(words: Uint32Array, at: number): number;
  /** The same, given where it is likely to be. */
  findGuessed(words: Uint32Array, at: number, guess: number): number;
  /**
   * Where the addresses of some rows are likely to be, for {@link findGuessed}. Asking for a block of rows lets the
   * processor fetch their memory side by side instead of one after the other.
   */
  guess(words: Uint32Array, row: number, rows: number, guesses: Int32Array): void;
  /** Whether the last address that was looked for had not been there. */
  readonly missed: boolean;
  /** Forgets everything. */
  clear(): void;
  readonly hits: number;
  readonly misses: number;
}

const WAYS = 4;
const KEY_WORDS = 4;

/**
 * @param slots a power of two
 * @param words per address
 */
export function createAddressCache(slots: number, words: number): AddressCache {
  const sets = slots / WAYS;
  if (!Number.isInteger(Math.log2(slots)) || sets < 1) throw new RangeError(`${slots} slots are not a power of two`);
  const stride = KEY_WORDS + words;
  const values = new Uint32Array(slots * stride);
  /** The hash of each slot with its lowest bit set; 0 = free. The four of a set lie side by side. */
  const tags = new Uint32Array(slots);
  /** Per set: a bit per way that was asked for since the hand passed (clock), and above them the hand. */
  const clocks = new Uint8Array(sets);
  /** Hits and misses, in an array: a variable would become an object beyond 2^31. */
  const counts = new Float64Array(2);
  let missed = false;

  function guess(addresses: Uint32Array, row: number, rows: number, guesses: Int32Array): void {
    for (let i = 0; i < rows; i++) guesses[i] = hashOf(addresses, (row + i) * 4);
    for (let i = 0; i < rows; i++) {
      const hash = guesses[i] as number;
      const slot = (hash & (sets - 1)) * WAYS;
      const tag = (hash | 1) >>> 0;
      let way = 0;
      while (way < WAYS - 1 && tags[slot + way] !== tag) way++;
      guesses[i] = slot + way;
    }
    // A read whose value nobody needs is the only way to ask for memory early.
    for (let i = 0; i < rows; i++) missed = values[(guesses[i] as number) * stride] !== addresses[(row + i) * 4];
  }

  function isAt(slot: number, addresses: Uint32Array, at: number): boolean {
    const key = slot * stride;
    return (
      values[key + 3] === addresses[at + 3] &&
      values[key + 2] === addresses[at + 2] &&
      values[key + 1] === addresses[at + 1] &&
      values[key] === addresses[at] &&
      tags[slot] !== 0
    );
  }

  function findGuessed(addresses: Uint32Array, at: number, guessed: number): number {
    // Else it is not there, or has moved in since, or shares its tag with another one.
    return isAt(guessed, addresses, at) ? hit(guessed) : find(addresses, at);
  }

  function hit(slot: number): number {
    const set = slot >>> 2;
    clocks[set] = (clocks[set] as number) | (1 << (slot & 3));
    counts[0] = (counts[0] as number) + 1;
    missed = false;
    return slot * stride + KEY_WORDS;
  }

  function find(addresses: Uint32Array, at: number): number {
    const hash = hashOf(addresses, at);
    const set = hash & (sets - 1);
    for (let slot = set * WAYS; slot < (set + 1) * WAYS; slot++) {
      if (isAt(slot, addresses, at)) return hit(slot);
    }
    counts[1] = (counts[1] as number) + 1;
    missed = true;
    const slot = set * WAYS + victimOf(set);
    tags[slot] = (hash | 1) >>> 0;
    for (let i = 0; i < KEY_WORDS; i++) values[slot * stride + i] = addresses[at + i] as number;
    return slot * stride + KEY_WORDS;
  }

  /** The first way from the hand on that was not asked for since the hand passed it. */
  function victimOf(set: number): number {
    const clock = clocks[set] as number;
    let asked = clock & 0xf;
    let hand = clock >>> 4;
    while ((asked & (1 << hand)) !== 0) {
      asked &= ~(1 << hand);
      hand = (hand + 1) % WAYS;
    }
    clocks[set] = asked | (((hand + 1) % WAYS) << 4);
    return hand;
  }

  return {
    slots,
    values,
    find,
    findGuessed,
    guess,
    get missed() {
      return missed;
    },
    clear() {
      tags.fill(0);
      clocks.fill(0);
    },
    get hits() {
      return counts[0] as number;
    },
    get misses() {
      return counts[1] as number;
    },
  };
}

function hashOf(words: Uint32Array, at: number): number {
  let hash = Math.imul((words[at] as number) ^ Math.imul(words[at + 1] as number, 0x9e3779b1), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15) ^ (words[at + 2] as number), 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 13) ^ (words[at + 3] as number), 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return hash ^ (hash >>> 13);
}
