/** Short byte strings and what was found out about each; nothing is allocated for one that is there. */
export interface SpanTable {
  /**
   * Number of the entry, -1 when there is none.
   *
   * @param seed tells equal bytes of different meaning apart
   */
  find(seed: number, bytes: Uint8Array, from: number, length: number): number;
  /** Adds the bytes that were just not found. When the table is full, it begins anew. @returns number of the entry */
  add(seed: number, bytes: Uint8Array, from: number, length: number, value: number): number;
  valueOf(entry: number): number;
  clear(): void;
}

/**
 * @param limit entries, a power of two
 * @param limitBytes all of them together
 */
export function createSpanTable(limit: number, limitBytes: number): SpanTable {
  const mask = limit * 2 - 1;
  /** Number of the entry + 1. */
  const table = new Uint32Array(limit * 2);
  const hashes = new Int32Array(limit);
  const seeds = new Uint32Array(limit);
  const offsets = new Uint32Array(limit + 1);
  const values = new Uint32Array(limit);
  const kept = new Uint8Array(limitBytes);
  let size = 0;

  function hashOf(seed: number, bytes: Uint8Array, from: number, length: number): number {
    let hash = seed ^ 0x811c_9dc5;
    for (let i = 0; i < length; i++) hash = Math.imul(hash ^ (bytes[from + i] as number), 0x0100_0193);
    return Math.imul(hash ^ (hash >>> 15), 0x85eb_ca6b) ^ length;
  }

  function isSame(entry: number, seed: number, bytes: Uint8Array, from: number, length: number): boolean {
    const own = offsets[entry] as number;
    if (seeds[entry] !== seed || (offsets[entry + 1] as number) - own !== length) return false;
    for (let i = 0; i < length; i++) if (kept[own + i] !== bytes[from + i]) return false;
    return true;
  }

  function clear(): void {
    table.fill(0);
    size = 0;
  }

  return {
    find(seed, bytes, from, length) {
      const hash = hashOf(seed, bytes, from, length);
      for (let place = hash & mask; ; place = (place + 1) & mask) {
        const entry = (table[place] as number) - 1;
        if (entry < 0 || (hashes[entry] === hash && isSame(entry, seed, bytes, from, length))) return entry;
      }
    },
    add(seed, bytes, from, length, value) {
      if (size === limit || (offsets[size] as number) + length > limitBytes) clear();
      const entry = size++;
      const own = offsets[entry] as number;
      for (let i = 0; i < length; i++) kept[own + i] = bytes[from + i] as number;
      offsets[entry + 1] = own + length;
      const hash = hashOf(seed, bytes, from, length);
      hashes[entry] = hash;
      seeds[entry] = seed;
      values[entry] = value;
      let place = hash & mask;
      while (table[place] !== 0) place = (place + 1) & mask;
      table[place] = entry + 1;
      return entry;
    },
    valueOf: (entry) => values[entry] as number,
    clear,
  };
}
