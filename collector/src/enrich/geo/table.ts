/** Separates the parts of a text in {@link Texts}. */
export const PART_SEPARATOR = '\u0000';

/** Texts by row, in one piece of memory that threads share. */
export interface Texts {
  /** UTF-8, one after the other. */
  readonly bytes: Uint8Array;
  /** Where each begins, and at the end where the last one ends. */
  readonly offsets: Uint32Array;
}

/** The parts of a place, as its attributes are called. */
export const PLACE_PARTS = ['country', 'subdivision', 'city', 'latitude', 'longitude'] as const;

/**
 * A database of networks, compiled: its search tree with what its leaves mean as numbers, so that a look-up reads
 * typed arrays only. May be passed between threads; holds nothing of the file it was made from.
 */
export interface GeoTable {
  /** `database_type` of the file. */
  readonly type: string;
  /** When it was built, milliseconds since the epoch. */
  readonly builtMs: number;
  /** Networks that are told apart by what they mean. */
  readonly networks: number;
  /**
   * Two words per node, for a bit that is 0 and for one that is 1: a node below {@link nodeCount}, else a leaf plus
   * that count. Leaf 0 means nothing.
   */
  readonly nodes: Uint32Array;
  readonly nodeCount: number;
  /** Where the 32 bits of an IPv4 address begin, as in {@link nodes}. */
  readonly ipv4Start: number;
  /** Where the 128 bits of an IPv6 address begin; a leaf where the database holds none. */
  readonly ipv6Start: number;
  /** By leaf; 0 = not said. */
  readonly countries: Uint16Array;
  readonly asns: Uint32Array;
  /** By leaf: id of the place; 0 = not said. */
  readonly places: Uint32Array;
  /** By leaf: row of {@link placeTexts}, which has the name and then {@link PLACE_PARTS}. */
  readonly placeRows: Uint32Array;
  readonly placeTexts: Texts;
  readonly asNames: AsNames;
}

/** Names of AS numbers. */
export interface AsNames {
  /** Ascending. */
  readonly asns: Uint32Array;
  /** In the same order. */
  readonly texts: Texts;
}

/** The leaf for an address of four words (`addr` column); 0 = the database knows nothing. */
export function findLeaf(table: GeoTable, words: Uint32Array, at: number): number {
  const { nodes, nodeCount } = table;
  const isIpv4 = words[at] === 0 && words[at + 1] === 0 && words[at + 2] === 0xffff_0000;
  let node = isIpv4 ? table.ipv4Start : table.ipv6Start;
  for (let word = isIpv4 ? 3 : 0; word < 4; word++) {
    // Bytes are little-endian in their word, bits count from the top of each byte.
    const bits = words[at + word] as number;
    for (let bit = 0; bit < 32; bit++) {
      if (node >= nodeCount) return node - nodeCount;
      node = nodes[node * 2 + ((bits >>> (bit ^ 7)) & 1)] as number;
    }
  }
  return node >= nodeCount ? node - nodeCount : 0;
}

/** The parts of a row. */
export function textAt({ bytes, offsets }: Texts, row: number): string[] {
  const part = bytes.subarray(offsets[row], offsets[row + 1]);
  return Buffer.from(part.buffer, part.byteOffset, part.byteLength).toString('utf8').split(PART_SEPARATOR);
}

/** The name of an AS; the empty string when the table has none. */
export function asNameOf({ asns, texts }: AsNames, asn: number): string {
  let from = 0;
  let to = asns.length - 1;
  while (from <= to) {
    const middle = (from + to) >>> 1;
    const found = asns[middle] as number;
    if (found === asn) return textAt(texts, middle)[0] as string;
    if (found < asn) from = middle + 1;
    else to = middle - 1;
  }
  return '';
}

/** Puts texts into one piece of memory. */
export function packTexts(rows: readonly string[]): Texts {
  const offsets = new Uint32Array(new SharedArrayBuffer((rows.length + 1) * 4));
  let length = 0;
  rows.forEach((row, index) => {
    length += Buffer.byteLength(row);
    offsets[index + 1] = length;
  });
  const shared = Buffer.from(new SharedArrayBuffer(length));
  rows.forEach((row, index) => shared.write(row, offsets[index] as number));
  return { bytes: new Uint8Array(shared.buffer, shared.byteOffset, length), offsets };
}

/** AS names as they are looked up by {@link asNameOf}. */
export function packAsNames(names: ReadonlyMap<number, string>): AsNames {
  const sorted = [...names].sort(([a], [b]) => a - b);
  return {
    asns: sharedWords(sorted.map(([asn]) => asn)),
    texts: packTexts(sorted.map(([, name]) => name)),
  };
}

/** Numbers in memory that threads share. */
export function sharedWords(values: readonly number[]): Uint32Array {
  const words = new Uint32Array(new SharedArrayBuffer(values.length * 4));
  words.set(values);
  return words;
}
