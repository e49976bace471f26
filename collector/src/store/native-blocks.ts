import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';

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

/** Values of a column, little endian; they are overwritten with the next ones. */
export interface NativeValues {
  readonly type: string;
  readonly width: number;
  readonly bytes: Uint8Array;
}

/** Rows that stand together in a file of the Native format. */
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

/** Rows that are read at a time: their columns fit the second cache. */
const READ_ROWS = 8192;

/** Bytes of a file that are read to find out what its columns are. */
const WINDOW_BYTES = 512;

/** Memory that files are read into, one after the other. */
export interface ReadRoom {
  bytes: Uint8Array;
}

export function createReadRoom(): ReadRoom {
  return { bytes: new Uint8Array(0) };
}

/**
 * Reads the wanted columns of a segment, or of what a SELECT of the same columns wrote, some rows at a time; columns of texts
 * and lists are skipped. What it reads was written or read a moment ago and lies in the system's cache: a call for each column
 * takes less time than a turn of the event loop, which other work of the process gets after each some rows.
 *
 * @throws RangeError when the file ends within a block, or has no block where one begins
 */
export async function* readNativeBlocks(
  path: string,
  wanted: ReadonlySet<string>,
  room: ReadRoom,
): AsyncGenerator<NativeBlock> {
  const file = openFile(path);
  try {
    for (let offset = 0; offset < file.size;) {
      const block = parseBlock(file, offset, wanted);
      for (let from = 0; from < block.rows; from += READ_ROWS) {
        const rows = Math.min(READ_ROWS, block.rows - from);
        yield { rows, columns: readColumns(file, block, from, rows, room) };
        await setImmediate();
      }
      offset = block.end;
    }
  } finally {
    closeSync(file.descriptor);
  }
}

interface OpenFile {
  readonly path: string;
  readonly descriptor: number;
  readonly size: number;
  /** Bytes of it from `begin` to `end`. */
  readonly window: Uint8Array;
  begin: number;
  end: number;
}

function openFile(path: string): OpenFile {
  const descriptor = openSync(path, 'r');
  return { path, descriptor, size: fstatSync(descriptor).size, window: new Uint8Array(WINDOW_BYTES), begin: 0, end: 0 };
}

function endsWithin({ path }: OpenFile): RangeError {
  return new RangeError(`${path} ends within a block`);
}

/** Where the values of a column are in a file. */
interface ColumnPlace extends NativeColumn {
  readonly width: number;
  readonly offset: number;
}

interface BlockPlace {
  readonly rows: number;
  readonly columns: readonly ColumnPlace[];
  /** Behind it. */
  readonly end: number;
}

function parseBlock(file: OpenFile, offset: number, wanted: ReadonlySet<string>): BlockPlace {
  const at: Cursor = { file, offset };
  const width = readVarint(at);
  const rows = readVarint(at);
  const columns: ColumnPlace[] = [];
  for (let index = 0; index < width; index++) {
    const name = readText(at);
    const type = readText(at);
    const from = at.offset;
    skipValues(at, type, rows);
    if (at.offset > file.size) throw endsWithin(file);
    if (wanted.has(name)) columns.push({ name, type, width: widthOf({ name, type }), offset: from });
  }
  return { rows, columns, end: at.offset };
}

function readColumns(
  file: OpenFile,
  { columns }: BlockPlace,
  from: number,
  rows: number,
  room: ReadRoom,
): NativeBlock['columns'] {
  const needed = rows * columns.reduce((sum, { width }) => sum + width, 0);
  if (room.bytes.length < needed) room.bytes = new Uint8Array(needed);
  const found = new Map<string, NativeValues>();
  let place = 0;
  for (const { name, type, width, offset } of columns) {
    const bytes = room.bytes.subarray(place, place + rows * width);
    if (readSync(file.descriptor, bytes, 0, bytes.length, offset + from * width) < bytes.length) throw endsWithin(file);
    found.set(name, { type, width, bytes });
    place += bytes.length;
  }
  return found;
}

/** A place in a file. */
interface Cursor {
  readonly file: OpenFile;
  offset: number;
}

function skipValues(at: Cursor, type: string, rows: number): void {
  const width = WIDTHS[type];
  if (width !== undefined) at.offset += rows * width;
  else if (type === 'String')
    for (let row = 0; row < rows; row++) {
      const length = readVarint(at);
      at.offset += length;
    }
  else if (type === 'Array(UInt32)') {
    // Ends of the lists as 64-bit numbers, then all items.
    at.offset += rows * 8;
    if (rows > 0) at.offset += readUint32({ ...at, offset: at.offset - 8 }) * 4;
  } else throw new RangeError(`Values of type ${type} are not known`);
}

function readByte(at: Cursor): number {
  const { file, offset } = at;
  if (offset < file.begin || offset >= file.end) {
    file.begin = offset;
    file.end = offset + readSync(file.descriptor, file.window, 0, WINDOW_BYTES, offset);
    if (file.end === offset) throw endsWithin(file);
  }
  at.offset++;
  return file.window[offset - file.begin] as number;
}

/** LEB128, as Native writes lengths. */
function readVarint(at: Cursor): number {
  let value = 0;
  for (let scale = 1; ; scale *= 128) {
    const byte = readByte(at);
    value += (byte & 127) * scale;
    if (byte < 128) return value;
  }
}

function readUint32(at: Cursor): number {
  let value = 0;
  for (let scale = 1; scale < 2 ** 32; scale *= 256) value += readByte(at) * scale;
  return value;
}

function readText(at: Cursor): string {
  const length = readVarint(at);
  if (length > MAX_TEXT) throw new RangeError(`${at.file.path} has a name of ${length} bytes where a column begins`);
  return String.fromCharCode(...Array.from({ length }, () => readByte(at)));
}

/** Bytes of a column's name or type. */
const MAX_TEXT = 64;

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
