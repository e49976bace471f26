import { formatAddress } from '@ringflow/contract';

/** Small numbers for exporters, so that a table can name one in a few bits. */
export interface ExporterIds {
  /**
   * The number of an exporter, 1 to the limit; nothing is allocated for one that is there.
   *
   * @param kind tells apart what one address sends (NetFlow beside sFlow); 0 when it does not matter
   */
  idOf(words: Uint32Array, at: number, kind: number): number;
  /** How many there are. */
  size(): number;
  /** Text form of its address. */
  addressOf(id: number): string;
  /** The sixteen bytes of its address as four words. */
  readonly words: Uint32Array;
  kindOf(id: number): number;
}

/**
 * Beyond the limit, the exporter that was asked for longest ago gives up its number.
 *
 * @param limit a power of two less one
 * @param onReuse a number means another exporter from now on
 */
export function createExporterIds(limit: number, onReuse: (id: number) => void = () => undefined): ExporterIds {
  const words = new Uint32Array((limit + 1) * 4);
  const kinds = new Uint8Array(limit + 1);
  /** When it was last asked for, in questions. */
  const asked = new Float64Array(limit + 1);
  const table = new Uint16Array((limit + 1) * 4);
  const mask = table.length - 1;
  let questions = 0;
  let size = 0;
  let last = 0;

  function homeOf(source: Uint32Array, at: number, kind: number): number {
    let hash = kind;
    for (let i = 0; i < 4; i++) {
      hash = Math.imul(hash ^ (source[at + i] as number), 0x85eb_ca6b);
      hash ^= hash >>> 15;
    }
    return (Math.imul(hash, 0xc2b2_ae35) >>> 7) & mask;
  }

  function isSame(id: number, source: Uint32Array, at: number, kind: number): boolean {
    const own = id * 4;
    return (
      words[own + 3] === source[at + 3] &&
      words[own + 2] === source[at + 2] &&
      words[own + 1] === source[at + 1] &&
      words[own] === source[at] &&
      kinds[id] === kind
    );
  }

  function add(source: Uint32Array, at: number, kind: number): number {
    let id = size + 1;
    if (size < limit) size++;
    else {
      id = 1;
      for (let other = 2; other <= limit; other++) if ((asked[other] as number) < (asked[id] as number)) id = other;
      onReuse(id);
      takeOut(id);
    }
    for (let i = 0; i < 4; i++) words[id * 4 + i] = source[at + i] as number;
    kinds[id] = kind;
    let place = homeOf(source, at, kind);
    while (table[place] !== 0) place = (place + 1) & mask;
    table[place] = id;
    return id;
  }

  /** Moves what stands behind the gap into it, as long as it is still found from where its search begins. */
  function takeOut(id: number): void {
    let gap = homeOf(words, id * 4, kinds[id] as number);
    while (table[gap] !== id) gap = (gap + 1) & mask;
    for (let place = (gap + 1) & mask; table[place] !== 0; place = (place + 1) & mask) {
      const other = table[place] as number;
      const home = homeOf(words, other * 4, kinds[other] as number);
      if (((place - home) & mask) < ((place - gap) & mask)) continue;
      table[gap] = other;
      gap = place;
    }
    table[gap] = 0;
  }

  return {
    words,
    idOf(source, at, kind) {
      if (last === 0 || !isSame(last, source, at, kind)) {
        let place = homeOf(source, at, kind);
        while (table[place] !== 0 && !isSame(table[place] as number, source, at, kind)) place = (place + 1) & mask;
        last = (table[place] as number) || add(source, at, kind);
      }
      asked[last] = ++questions;
      return last;
    },
    size: () => size,
    addressOf: (id) => formatAddress(words, id * 4),
    kindOf: (id) => kinds[id] as number,
  };
}
