/** Samples of one chunk, as many as Prometheus's own have. */
export const CHUNK_SAMPLES = 120;

/** A sample needs no more than 4 + 64 bits for its time and 13 + 64 for its value. */
const LONGEST_SAMPLE_BYTES = 19;
const HEADER_BYTES = 2;
const WORD = 0x1_0000_0000;

/** Samples as Prometheus stores them, and the times of the first and the last, milliseconds since the epoch. */
export interface XorChunk {
  readonly minMs: number;
  readonly maxMs: number;
  readonly data: Uint8Array;
}

/**
 * Encodes samples `from` (inclusive) to `to` (exclusive) as a Gorilla chunk, bit for bit as Prometheus does
 * (tsdb/docs/format/chunks.md, XOR chunk data): differences of differences of times, values as XOR with the one before.
 *
 * @param timesMs ascending milliseconds since the epoch
 * @param to at most {@link CHUNK_SAMPLES} after `from`
 */
export function encodeXorChunk(timesMs: Float64Array, values: Float64Array, from: number, to: number): XorChunk {
  const bytes = new Uint8Array(HEADER_BYTES + (to - from + 2) * LONGEST_SAMPLE_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, to - from);
  const out = { bytes, bit: HEADER_BYTES * 8 };
  const word = new DataView(new ArrayBuffer(8));
  let high = 0;
  let low = 0;
  let leading = -1;
  let trailing = 0;
  let delta = 0;

  const writeValue = (value: number): void => {
    word.setFloat64(0, value);
    const nextHigh = word.getUint32(0);
    const nextLow = word.getUint32(4);
    const xorHigh = (high ^ nextHigh) >>> 0;
    const xorLow = (low ^ nextLow) >>> 0;
    high = nextHigh;
    low = nextLow;
    if (xorHigh === 0 && xorLow === 0) return writeBits(out, 0, 1);
    writeBits(out, 1, 1);
    // Five bits hold the leading zeros.
    const zerosBefore = Math.min(31, xorHigh !== 0 ? Math.clz32(xorHigh) : 32 + Math.clz32(xorLow));
    const zerosAfter = xorLow !== 0 ? trailingZeros(xorLow) : 32 + trailingZeros(xorHigh);
    if (leading >= 0 && zerosBefore >= leading && zerosAfter >= trailing) writeBits(out, 0, 1);
    else {
      leading = zerosBefore;
      trailing = zerosAfter;
      writeBits(out, 1, 1);
      writeBits(out, leading, 5);
      // 64 significant bits do not fit six bits and are written as 0, which nothing else means.
      writeBits(out, (64 - leading - trailing) & 63, 6);
    }
    writeMiddle(out, xorHigh, xorLow, leading, trailing);
  };

  for (let at = from; at < to; at++) {
    const time = timesMs[at] as number;
    const value = values[at] as number;
    if (at === from) {
      // Zigzag, as Go's varint: milliseconds of today need more than 32 bits.
      writeVarint(out, time >= 0 ? time * 2 : -time * 2 - 1);
      word.setFloat64(0, value);
      high = word.getUint32(0);
      low = word.getUint32(4);
      writeBits(out, high, 32);
      writeBits(out, low, 32);
      continue;
    }
    const nextDelta = time - (timesMs[at - 1] as number);
    if (at === from + 1) writeVarint(out, nextDelta);
    else writeChange(out, nextDelta - delta);
    delta = nextDelta;
    writeValue(value);
  }
  return {
    minMs: timesMs[from] as number,
    maxMs: timesMs[to - 1] as number,
    data: bytes.subarray(0, Math.ceil(out.bit / 8)),
  };
}

interface BitWriter {
  readonly bytes: Uint8Array;
  bit: number;
}

/** Difference of differences: a prefix that says how many bits follow. */
function writeChange(out: BitWriter, change: number): void {
  if (change === 0) return writeBits(out, 0b0, 1);
  const fits = (bits: number): boolean => change >= 1 - 2 ** (bits - 1) && change <= 2 ** (bits - 1);
  if (fits(14)) {
    writeBits(out, 0b10, 2);
    writeBits(out, change, 14);
  } else if (fits(17)) {
    writeBits(out, 0b110, 3);
    writeBits(out, change, 17);
  } else if (fits(20)) {
    writeBits(out, 0b1110, 4);
    writeBits(out, change, 20);
  } else {
    writeBits(out, 0b1111, 4);
    writeBits(out, Math.floor(change / WORD), 32);
    writeBits(out, change, 32);
  }
}

/** The bits of a 64-bit word between its leading and trailing zeros. */
function writeMiddle(out: BitWriter, high: number, low: number, leading: number, trailing: number): void {
  const highBits = Math.max(0, 32 - leading - Math.max(0, trailing - 32));
  if (highBits > 0) writeBits(out, trailing > 32 ? high >>> (trailing - 32) : high, highBits);
  const lowBits = 32 - Math.max(0, leading - 32) - trailing;
  if (lowBits > 0) writeBits(out, low >>> trailing, lowBits);
}

/** The lowest `count` (up to 32) bits, highest first. */
function writeBits(out: BitWriter, value: number, count: number): void {
  for (let left = count; left > 0;) {
    const free = 8 - (out.bit & 7);
    const taken = Math.min(free, left);
    const bits = (value >>> (left - taken)) & (0xff >>> (8 - taken));
    (out.bytes[out.bit >>> 3] as number) |= bits << (free - taken);
    out.bit += taken;
    left -= taken;
  }
}

/** Seven bits a byte, lowest first. */
function writeVarint(out: BitWriter, value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    writeBits(out, (rest % 0x80) | 0x80, 8);
    rest = Math.floor(rest / 0x80);
  }
  writeBits(out, rest, 8);
}

function trailingZeros(word: number): number {
  return 31 - Math.clz32(word & -word);
}
