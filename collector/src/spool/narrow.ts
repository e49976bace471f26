import type { ColumnType } from '@ringflow/contract';
import type { ColumnData } from '../wire/index.ts';

/**
 * Fewer bytes for the same values. The engine reads a narrower type into the column's own one, so a block may say
 * `IPv4` where all addresses are IPv4, and `UInt8` where all numbers are small: half the bytes of a typical segment,
 * and bytes are what sealing costs.
 */
export interface Narrow {
  /** ClickHouse type in the block's header. */
  readonly type: string;
  /**
   * Writes all values and returns the offset behind them, or -1 when one of them does not fit. `target` has room for
   * the column in its own type.
   */
  write(data: ColumnData, rows: number, target: DataView, at: number): number;
}

/** Rows between two looks whether a column is already known not to fit. */
const ROWS_PER_LOOK = 1024;

/** Third word of an IPv4-mapped address. */
const MAPPED = 0xffff0000;

/** How to try to write a column in fewer bytes, or null when its own type is the narrowest that holds all values. */
export function narrow(type: ColumnType, data: ColumnData, rows: number): Narrow | null {
  switch (type) {
    case 'addr':
      return IPV4;
    case 'u64':
      return LOW_WORDS;
    case 'u32': {
      const bits = allBits(data as Uint32Array, rows);
      return bits < 256 ? BYTES : bits < 65_536 ? HALF_WORDS : null;
    }
    default:
      return null;
  }
}

/** An address as a number, least significant byte first: the reverse of its bytes. */
const IPV4: Narrow = {
  type: 'IPv4',
  write(data, rows, target, at) {
    let differs = 0;
    for (let from = 0; from < rows; from += ROWS_PER_LOOK) {
      const end = Math.min(rows, from + ROWS_PER_LOOK) * 4;
      for (let i = from * 4; i < end; i += 4) {
        differs |= (data[i] as number) | (data[i + 1] as number) | ((data[i + 2] as number) ^ MAPPED);
        target.setUint32(at + i, data[i + 3] as number, false);
      }
      if (differs !== 0) return -1;
    }
    return at + rows * 4;
  },
};

const LOW_WORDS: Narrow = {
  type: 'UInt32',
  write(data, rows, target, at) {
    let high = 0;
    for (let from = 0; from < rows; from += ROWS_PER_LOOK) {
      const end = Math.min(rows, from + ROWS_PER_LOOK);
      for (let row = from; row < end; row++) {
        high |= data[row * 2 + 1] as number;
        target.setUint32(at + row * 4, data[row * 2] as number, true);
      }
      if (high !== 0) return -1;
    }
    return at + rows * 4;
  },
};

/** Copies between arrays of different widths are many times faster than a loop, but only to where items are aligned. */
const HALF_WORDS: Narrow = {
  type: 'UInt16',
  write(data, rows, target, at) {
    const offset = target.byteOffset + at;
    const aligned = offset + (offset & 1);
    new Uint16Array(target.buffer, aligned, rows).set(data.subarray(0, rows));
    if (aligned !== offset) new Uint8Array(target.buffer).copyWithin(offset, aligned, aligned + rows * 2);
    return at + rows * 2;
  },
};

const BYTES: Narrow = {
  type: 'UInt8',
  write(data, rows, target, at) {
    new Uint8Array(target.buffer, target.byteOffset + at, rows).set(data.subarray(0, rows));
    return at + rows;
  },
};

/** All types that {@link narrow} chooses from. */
export const NARROW_TYPES: readonly string[] = [IPV4, LOW_WORDS, HALF_WORDS, BYTES].map(({ type }) => type);

/** All bits that occur, or too many as soon as that is certain. */
function allBits(words: Uint32Array, rows: number): number {
  let bits = 0;
  for (let from = 0; from < rows; from += ROWS_PER_LOOK) {
    const to = Math.min(rows, from + ROWS_PER_LOOK);
    for (let row = from; row < to; row++) bits |= words[row] as number;
    if (bits >>> 16 !== 0) break;
  }
  return bits >>> 0;
}
