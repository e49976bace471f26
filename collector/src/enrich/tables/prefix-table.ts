import type { Prefix } from '@ringflow/contract';

/**
 * Networks and what they mean, for longest-prefix matching over IPv4 and IPv6 alike. Only numbers and typed arrays
 * over shared memory: a thread builds it, another one uses it, nothing is copied. Never changes once it is built.
 *
 * Entries are sorted by first address, shorter networks first, so that a network stands before all that lie in it:
 * a look-up finds the last entry that begins at or before the address and climbs from there to one that holds it.
 */
export interface PrefixTable {
  readonly size: number;
  /** First address of each entry: its four words in network order, each word an array of its own. */
  readonly starts: readonly [Uint32Array, Uint32Array, Uint32Array, Uint32Array];
  /** Length of each entry, of 128 bits. */
  readonly bits: Uint8Array;
  readonly values: Uint32Array;
  /** The next larger entry that holds this one, or -1. */
  readonly parents: Int32Array;
  /** Where the entries of IPv4 networks begin and end. */
  readonly ipv4From: number;
  readonly ipv4To: number;
  /** By the upper bits of an IPv4 address: the first entry that does not begin before it. */
  readonly ipv4Index: Uint32Array;
  /** The lower bits of an address, which do not count there: small tables shall stay in the processor's cache. */
  readonly ipv4Shift: number;
}

export interface PrefixTableBuilder {
  /** A network that is added twice is kept twice; {@link findEntry} finds the last one first. */
  add(prefix: Prefix, value: number): void;
  readonly size: number;
  build(): PrefixTable;
}

/** No entry holds the address. */
export const NO_ENTRY = -1;

/** Third word of every IPv4 address in network order (`::ffff:0:0/96`). */
const MAPPED = 0xffff;
const HALVES = 65_536;

export function createPrefixTableBuilder(): PrefixTableBuilder {
  let size = 0;
  let words = new Uint32Array(4 * 64);
  let bits = new Uint8Array(64);
  let values = new Uint32Array(64);

  function grow(): void {
    const wider = new Uint32Array(words.length * 2);
    wider.set(words);
    words = wider;
    const longer = new Uint8Array(bits.length * 2);
    longer.set(bits);
    bits = longer;
    const more = new Uint32Array(values.length * 2);
    more.set(values);
    values = more;
  }

  return {
    add(prefix, value) {
      if (size === bits.length) grow();
      for (let word = 0; word < 4; word++) {
        const kept = maskOf(prefix.bits - word * 32);
        words[size * 4 + word] = networkWord(prefix.bytes, word * 4) & kept;
      }
      bits[size] = prefix.bits;
      values[size] = value;
      size++;
    },
    get size() {
      return size;
    },
    build: () => build(words, bits, values, size),
  };
}

function build(words: Uint32Array, bits: Uint8Array, values: Uint32Array, size: number): PrefixTable {
  const order = sortedOrder(words, bits, size);
  const table = {
    size,
    starts: [sharedWords(size), sharedWords(size), sharedWords(size), sharedWords(size)] as const,
    bits: new Uint8Array(new SharedArrayBuffer(size)),
    values: sharedWords(size),
    parents: new Int32Array(new SharedArrayBuffer(size * 4)),
  };
  let ipv4From = 0;
  let ipv4To = 0;
  for (let entry = 0; entry < size; entry++) {
    const from = order[entry] as number;
    for (let word = 0; word < 4; word++) (table.starts[word] as Uint32Array)[entry] = words[from * 4 + word] as number;
    table.bits[entry] = bits[from] as number;
    table.values[entry] = values[from] as number;
    const isIpv4 = table.starts[0][entry] === 0 && table.starts[1][entry] === 0 && table.starts[2][entry] === MAPPED;
    if (isIpv4) {
      if (ipv4To === 0) ipv4From = entry;
      ipv4To = entry + 1;
    }
  }
  // Where IPv4 would stand, when there is none.
  if (ipv4To === 0) ipv4From = ipv4To = countBelow(table, 0, 0, MAPPED, 0, 0, size);
  const indexBits = Math.min(16, Math.max(1, Math.ceil(Math.log2(Math.max(1, ipv4To - ipv4From)))));
  const ipv4Shift = 32 - indexBits;
  const ipv4Index = sharedWords(2 ** indexBits + 1);
  for (let upper = 0, entry = ipv4From; upper < ipv4Index.length; upper++) {
    while (entry < ipv4To && (table.starts[3][entry] as number) < upper * 2 ** ipv4Shift) entry++;
    ipv4Index[upper] = entry;
  }
  const complete: PrefixTable = { ...table, ipv4From, ipv4To, ipv4Index, ipv4Shift };
  const { starts, parents } = complete;
  for (let child = 0; child < size; child++) {
    parents[child] = climb(
      complete,
      child - 1,
      starts[0][child] as number,
      starts[1][child] as number,
      starts[2][child] as number,
      starts[3][child] as number,
    );
  }
  return complete;
}

/**
 * The entry of the longest network that holds the address, or {@link NO_ENTRY}. All shorter ones that hold it are its
 * `parents`, longest first.
 *
 * @param words `words[at]` to `words[at + 3]` are the address as an `addr` column has it
 */
export function findEntry(table: PrefixTable, words: Uint32Array, at: number): number {
  const a = swapped(words[at] as number);
  const b = swapped(words[at + 1] as number);
  const c = swapped(words[at + 2] as number);
  const d = swapped(words[at + 3] as number);
  let last: number;
  if (a === 0 && b === 0 && c === MAPPED) {
    const upper = d >>> table.ipv4Shift;
    let from = table.ipv4Index[upper] as number;
    let to = table.ipv4Index[upper + 1] as number;
    const lowest = table.starts[3];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((lowest[middle] as number) <= d) from = middle + 1;
      else to = middle;
    }
    last = from - 1;
  } else last = countBelow(table, a, b, c, d, 1, table.size) - 1;
  return climb(table, last, a, b, c, d);
}

/** The value of the longest network that holds the address; `otherwise` when none does. */
export function findValue(table: PrefixTable, words: Uint32Array, at: number, otherwise: number): number {
  const entry = findEntry(table, words, at);
  return entry === NO_ENTRY ? otherwise : (table.values[entry] as number);
}

/** Calls `visit` with the value of each network that holds the address, longest first. */
export function forEachMatch(
  table: PrefixTable,
  words: Uint32Array,
  at: number,
  visit: (value: number, bits: number) => void,
): void {
  for (let entry = findEntry(table, words, at); entry !== NO_ENTRY; entry = table.parents[entry] as number)
    visit(table.values[entry] as number, table.bits[entry] as number);
}

/** From an entry that begins at or before the address to the first one above it that holds the address. */
function climb(table: PrefixTable, from: number, a: number, b: number, c: number, d: number): number {
  let entry = from;
  while (entry >= 0 && !holds(table, entry, a, b, c, d)) entry = table.parents[entry] as number;
  return entry;
}

function holds(table: PrefixTable, entry: number, a: number, b: number, c: number, d: number): boolean {
  const { starts } = table;
  const bits = table.bits[entry] as number;
  return (
    (((starts[0][entry] as number) ^ a) & maskOf(bits)) === 0 &&
    (((starts[1][entry] as number) ^ b) & maskOf(bits - 32)) === 0 &&
    (((starts[2][entry] as number) ^ c) & maskOf(bits - 64)) === 0 &&
    (((starts[3][entry] as number) ^ d) & maskOf(bits - 96)) === 0
  );
}

/** Entries that begin before the address, and with `orAt` 1 those that begin at it. */
function countBelow(
  { starts }: Pick<PrefixTable, 'starts'>,
  a: number,
  b: number,
  c: number,
  d: number,
  orAt: 0 | 1,
  size: number,
): number {
  let from = 0;
  let to = size;
  while (from < to) {
    const middle = (from + to) >>> 1;
    const order =
      (starts[0][middle] as number) - a ||
      (starts[1][middle] as number) - b ||
      (starts[2][middle] as number) - c ||
      (starts[3][middle] as number) - d;
    if (order < orAt) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** Entries by first address, then by length, then as they were added: a radix sort, for lists of a million networks. */
function sortedOrder(words: Uint32Array, bits: Uint8Array, size: number): Uint32Array {
  let order = new Uint32Array(size);
  let next = new Uint32Array(size);
  for (let i = 0; i < size; i++) order[i] = i;
  const counts = new Uint32Array(HALVES);

  function pass(digitOf: (entry: number) => number): void {
    counts.fill(0);
    for (let i = 0; i < size; i++) {
      const digit = digitOf(i);
      counts[digit] = (counts[digit] as number) + 1;
    }
    if (size === 0 || counts[digitOf(0)] === size) return;
    for (let digit = 0, at = 0; digit < HALVES; digit++) {
      const count = counts[digit] as number;
      counts[digit] = at;
      at += count;
    }
    for (let i = 0; i < size; i++) {
      const entry = order[i] as number;
      const digit = digitOf(entry);
      const at = counts[digit] as number;
      counts[digit] = at + 1;
      next[at] = entry;
    }
    [order, next] = [next, order];
  }

  pass((entry) => bits[entry] as number);
  for (let word = 3; word >= 0; word--) {
    pass((entry) => (words[entry * 4 + word] as number) & 0xffff);
    pass((entry) => (words[entry * 4 + word] as number) >>> 16);
  }
  return order;
}

/** The upper `bits` bits of a word. */
function maskOf(bits: number): number {
  if (bits <= 0) return 0;
  return bits >= 32 ? -1 : -1 << (32 - bits);
}

function networkWord(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  );
}

/** A word of an `addr` column, in network order. */
function swapped(word: number): number {
  return ((word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0;
}

function sharedWords(length: number): Uint32Array {
  return new Uint32Array(new SharedArrayBuffer(length * 4));
}
