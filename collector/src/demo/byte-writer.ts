/** Appends big-endian values to a growing buffer; one per datagram, so nothing is shared between calls. */
export interface ByteWriter {
  u8(value: number): ByteWriter;
  u16(value: number): ByteWriter;
  u32(value: number): ByteWriter;
  /** Non-negative and below 2^53. */
  u64(value: number): ByteWriter;
  bytes(value: Uint8Array): ByteWriter;
  /** Latin text in a field of fixed width, NUL-padded. */
  text(value: string, width: number): ByteWriter;
  /** Zeros up to a multiple of `unit` bytes, counted from `from`. */
  pad(unit: number, from?: number): ByteWriter;
  /** Overwrites two or four bytes written before. */
  patch16(at: number, value: number): ByteWriter;
  patch32(at: number, value: number): ByteWriter;
  readonly length: number;
  /** The bytes written so far. */
  done(): Uint8Array;
}

/** Room for a datagram of an Ethernet frame. */
const DATAGRAM_BYTES = 2048;

export function createByteWriter(capacity = DATAGRAM_BYTES): ByteWriter {
  let buffer = new Uint8Array(capacity);
  let view = new DataView(buffer.buffer);
  let at = 0;

  /** Where the next `count` bytes go. */
  function take(count: number): number {
    const from = at;
    at += count;
    if (at > buffer.length) {
      const grown = new Uint8Array(Math.max(at, buffer.length * 2));
      grown.set(buffer);
      buffer = grown;
      view = new DataView(grown.buffer);
    }
    return from;
  }

  const writer: ByteWriter = {
    u8(value) {
      const from = take(1);
      view.setUint8(from, value);
      return writer;
    },
    u16(value) {
      const from = take(2);
      view.setUint16(from, value);
      return writer;
    },
    u32(value) {
      const from = take(4);
      view.setUint32(from, value);
      return writer;
    },
    u64(value) {
      const from = take(8);
      view.setUint32(from, Math.floor(value / 4_294_967_296));
      view.setUint32(from + 4, value >>> 0);
      return writer;
    },
    bytes(value) {
      const from = take(value.length);
      buffer.set(value, from);
      return writer;
    },
    text(value, width) {
      const from = take(width);
      for (let i = 0; i < width; i++) view.setUint8(from + i, i < value.length ? value.charCodeAt(i) & 255 : 0);
      return writer;
    },
    pad(unit, from = 0) {
      take((unit - ((at - from) % unit)) % unit);
      return writer;
    },
    patch16(offset, value) {
      view.setUint16(offset, value);
      return writer;
    },
    patch32(offset, value) {
      view.setUint32(offset, value);
      return writer;
    },
    get length() {
      return at;
    },
    done: () => buffer.subarray(0, at),
  };
  return writer;
}
