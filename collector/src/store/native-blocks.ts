import { open } from 'node:fs/promises';

/** Bytes of one value, by ClickHouse type. */
const WIDTHS: Readonly<Record<string, number>> = {
  UInt8: 1,
  UInt16: 2,
  UInt32: 4,
  UInt64: 8,
  IPv4: 4,
  IPv6: 16,
  "DateTime('UTC')": 4,
  "DateTime64(9, 'UTC')": 8,
};

export interface NativeColumn {
  readonly name: string;
  /** ClickHouse type. */
  readonly type: string;
}

/** Values of a column in a block, little endian; they are overwritten with the next block. */
export interface NativeValues {
  readonly type: string;
  readonly width: number;
  readonly bytes: Uint8Array;
}

/** Rows that stand together in a file of the Native format, column after column. */
export interface NativeBlock {
  readonly rows: number;
  /** By name; what is not there is at its default, and types may be narrower than the column's (spool/narrow.ts). */
  readonly columns: ReadonlyMap<string, NativeValues>;
}

/** @throws RangeError for a type whose values differ in length */
export function widthOf({ name, type }: NativeColumn): number {
  const width = WIDTHS[type];
  if (width === undefined) throw new RangeError(`The column ${name} of type ${type} has no fixed width`);
  return width;
}

const READ_BYTES = 1_048_576;

/** Memory that files are read into, one after the other. */
export interface ReadRoom {
  bytes: Uint8Array;
}

export function createReadRoom(): ReadRoom {
  return { bytes: new Uint8Array(2 * READ_BYTES) };
}

/**
 * Reads a segment, or what a SELECT of the same columns wrote, block by block; columns of texts and lists are skipped.
 *
 * @throws RangeError when the file ends within a block
 */
export async function* readNativeBlocks(
  path: string,
  wanted: ReadonlySet<string>,
  room: ReadRoom,
): AsyncGenerator<NativeBlock> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    let begin = 0;
    let end = 0;
    let position = 0;
    while (position < size || begin < end) {
      const found = parseBlock(room.bytes.subarray(begin, end), wanted);
      if (found) {
        yield found.block;
        begin += found.length;
        continue;
      }
      if (position === size) throw new RangeError(`${path} ends within a block`);
      const rest = room.bytes.subarray(begin, end);
      // A block that does not fit is as long as the file, more often than not.
      if (room.bytes.length - rest.length < READ_BYTES) room.bytes = new Uint8Array(rest.length + size - position);
      room.bytes.set(rest);
      [begin, end] = [0, rest.length];
      const most = Math.min(room.bytes.length - end, Math.max(READ_BYTES, end));
      const { bytesRead } = await file.read(room.bytes, end, most, position);
      position += bytesRead;
      end += bytesRead;
    }
  } finally {
    await file.close();
  }
}

/** The block that the bytes begin with, and its length; null when they end before it does. */
function parseBlock(bytes: Uint8Array, wanted: ReadonlySet<string>): { block: NativeBlock; length: number } | null {
  const at: Cursor = { bytes, offset: 0 };
  const width = readVarint(at);
  const rows = readVarint(at);
  const columns = new Map<string, NativeValues>();
  for (let index = 0; index < width; index++) {
    const name = readText(at);
    const type = readText(at);
    if (at.offset > bytes.length) return null;
    const from = at.offset;
    skipValues(at, type, rows);
    if (at.offset > bytes.length) return null;
    if (wanted.has(name))
      columns.set(name, { type, width: widthOf({ name, type }), bytes: bytes.subarray(from, at.offset) });
  }
  return at.offset > bytes.length ? null : { block: { rows, columns }, length: at.offset };
}

/** A place in bytes; past their end when they are too few. */
interface Cursor {
  readonly bytes: Uint8Array;
  offset: number;
}

function skipValues(at: Cursor, type: string, rows: number): void {
  const width = WIDTHS[type];
  if (width !== undefined) at.offset += rows * width;
  else if (type === 'String')
    for (let row = 0; row < rows && at.offset < at.bytes.length; row++) {
      const length = readVarint(at);
      at.offset += length;
    }
  else if (type === 'Array(UInt32)') {
    // Ends of the lists as 64-bit numbers, then all items.
    at.offset += rows * 8;
    if (rows > 0 && at.offset <= at.bytes.length)
      at.offset += new DataView(at.bytes.buffer, at.bytes.byteOffset + at.offset - 8, 4).getUint32(0, true) * 4;
  } else throw new RangeError(`Values of type ${type} are not known`);
}

/** LEB128, as Native writes lengths. */
function readVarint(at: Cursor): number {
  let value = 0;
  for (let scale = 1; ; scale *= 128) {
    const byte = at.bytes[at.offset++] ?? 0;
    value += (byte & 127) * scale;
    if (byte < 128) return value;
  }
}

function readText(at: Cursor): string {
  const length = readVarint(at);
  const from = at.offset;
  at.offset += length;
  return length > 64
    ? ''
    : Buffer.from(
        at.bytes.buffer,
        at.bytes.byteOffset + from,
        Math.max(0, Math.min(length, at.bytes.length - from)),
      ).toString('latin1');
}

/** A block as it stands in a file; `data` are the values of a column, little endian. */
export function encodeNativeBlock(
  rows: number,
  columns: readonly (NativeColumn & { readonly data: Uint8Array })[],
): Uint8Array {
  return Buffer.concat([
    encodeVarint(columns.length),
    encodeVarint(rows),
    ...columns.flatMap(({ name, type, data }) => [encodeText(name), encodeText(type), data]),
  ]);
}

function encodeVarint(value: number): Uint8Array {
  const bytes: number[] = [];
  let left = value;
  for (; left > 127; left = Math.floor(left / 128)) bytes.push((left % 128) | 128);
  return Uint8Array.from([...bytes, left]);
}

function encodeText(value: string): Uint8Array {
  const bytes = new TextEncoder().encode(value);
  return Buffer.concat([encodeVarint(bytes.length), bytes]);
}
