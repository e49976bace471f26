import type { Random } from '../../collector/src/demo/index.ts';

/** Values that lengths and counts are set to: the ends of every range and what lies beside them. */
const INTERESTING = [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xfffe, 0xffff] as const;

/** Where a datagram's framing stands; mutations go there more often. */
const HEADER_BYTES = 48;

/**
 * Writes a mutation of `sample` into `out` and returns its length: bytes and lengths changed, cut, doubled in part,
 * or continued with another sample.
 */
export function mutate(random: Random, sample: Uint8Array, other: Uint8Array, out: Uint8Array): number {
  let length = Math.min(sample.length, out.length);
  out.set(sample.subarray(0, length));
  for (let n = random.between(1, 5); n > 0 && length > 0; n--) {
    const at = random.between(0, (random.next() < 0.4 ? Math.min(HEADER_BYTES, length) : length) - 1);
    switch (random.between(0, 9)) {
      case 0:
      case 1:
        out[at] = random.between(0, 255);
        break;
      case 2:
        out[at] = (out[at] as number) ^ (1 << random.between(0, 7));
        break;
      case 3:
      case 4:
      case 5: {
        const value = random.pick(INTERESTING);
        const even = at & ~1;
        out[even] = value >> 8;
        if (even + 1 < length) out[even + 1] = value;
        break;
      }
      case 6: {
        const aligned = at & ~3;
        const value = random.next() < 0.5 ? 0xffffffff : random.pick(INTERESTING);
        for (let i = 0; i < 4 && aligned + i < length; i++) out[aligned + i] = value >>> (24 - 8 * i);
        break;
      }
      case 7:
        length = at;
        break;
      case 8: {
        // A part of itself once more.
        const size = Math.min(random.between(1, 200), length - at, out.length - length);
        out.copyWithin(at + size, at, length);
        length += size;
        break;
      }
      default: {
        const size = Math.min(other.length, out.length - at);
        out.set(other.subarray(0, size), at);
        length = Math.max(length, at + size);
      }
    }
  }
  return length;
}
