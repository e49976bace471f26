/** Appends big-endian values to a growing buffer; one per datagram, so nothing is shared between calls. */
export interface ByteWriter {
  u8(value: number): ByteWriter;
  u16(value: number): ByteWriter;
  u32(value: number): ByteWriter;
  /** Non-negative and below 2^53. */
  u64(value: number): ByteWriter;
  /** Big-endian in any width up to eight bytes. */
  uint(value: number, width: number): ByteWriter;
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

export function createByteWriter(capacity = 65_536): ByteWriter {
  const buffer = new Uint8Array(capacity);
  const view = new DataView(buffer.buffer);
  let at = 0;
  const writer: ByteWriter = {
    u8: (value) => (view.setUint8(at, value), (at += 1), writer),
    u16: (value) => (view.setUint16(at, value), (at += 2), writer),
    u32: (value) => (view.setUint32(at, value), (at += 4), writer),
    u64: (value) => (
      view.setUint32(at, Math.floor(value / 4_294_967_296)),
      view.setUint32(at + 4, value >>> 0),
      (at += 8),
      writer
    ),
    uint(value, width) {
      let rest = value;
      for (let i = width - 1; i >= 0; i--) {
        view.setUint8(at + i, rest % 256);
        rest = Math.floor(rest / 256);
      }
      at += width;
      return writer;
    },
    bytes: (value) => (buffer.set(value, at), (at += value.length), writer),
    text(value, width) {
      for (let i = 0; i < width; i++) view.setUint8(at + i, i < value.length ? value.charCodeAt(i) & 255 : 0);
      at += width;
      return writer;
    },
    pad(unit, from = 0) {
      while ((at - from) % unit !== 0) view.setUint8(at++, 0);
      return writer;
    },
    patch16: (offset, value) => (view.setUint16(offset, value), writer),
    patch32: (offset, value) => (view.setUint32(offset, value), writer),
    get length() {
      return at;
    },
    done: () => buffer.subarray(0, at),
  };
  return writer;
}
