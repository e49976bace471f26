import { open } from 'node:fs/promises';

/** Bytes of one value, by ClickHouse type; other types vary in length and are not used here. */
const WIDTHS: Readonly<Record<string, number>> = {
  UInt8: 1,
  UInt16: 2,
  UInt32: 4,
  UInt64: 8,
  IPv6: 16,
  "DateTime('UTC')": 4,
};

export interface NativeColumn {
  readonly name: string;
  /** ClickHouse type whose values all have the same length. */
  readonly type: string;
}

/** Rows that stand together in a file of the Native format, column after column. */
export interface NativeBlock {
  readonly rows: number;
  /** The values of a column, little endian; they are overwritten with the next block. */
  bytes(name: string): Uint8Array;
}

/** @throws RangeError for a type whose values differ in length */
export function widthOf({ name, type }: NativeColumn): number {
  const width = WIDTHS[type];
  if (width === undefined) throw new RangeError(`The column ${name} of type ${type} has no fixed width`);
  return width;
}

/**
 * Reads a file that a SELECT of these columns wrote, block by block into one buffer.
 *
 * @throws RangeError when the file holds something else
 */
export async function* readNativeBlocks(path: string, columns: readonly NativeColumn[]): AsyncGenerator<NativeBlock> {
  const layout = columns.map((column) => ({
    name: column.name,
    width: widthOf(column),
    header: Buffer.concat([encodeText(column.name), encodeText(column.type)]),
  }));
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const counts = new Uint8Array(20);
    let buffer = new Uint8Array(0);
    for (let position = 0; position < size;) {
      await file.read(counts, 0, counts.length, position);
      const [width, afterColumns] = readVarint(counts, 0);
      const [rows, begin] = readVarint(counts, afterColumns);
      const length = layout.reduce((sum, column) => sum + column.header.length + rows * column.width, 0);
      if (width !== columns.length || position + begin + length > size)
        throw new RangeError(`${path} is no file of these ${columns.length} columns, or was not written to its end`);
      if (buffer.length < length) buffer = new Uint8Array(length);
      await file.read(buffer, 0, length, position + begin);
      const columnsAt = new Map<string, Uint8Array>();
      let at = 0;
      for (const column of layout) {
        const begins = at + column.header.length;
        if (Buffer.compare(column.header, buffer.subarray(at, begins)) !== 0)
          throw new RangeError(`${path} has another column where ${column.name} should be`);
        at = begins + rows * column.width;
        columnsAt.set(column.name, buffer.subarray(begins, at));
      }
      yield { rows, bytes: (name) => columnsAt.get(name) as Uint8Array };
      position += begin + length;
    }
  } finally {
    await file.close();
  }
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

/** LEB128, as Native writes lengths. */
function encodeVarint(value: number): Uint8Array {
  const bytes: number[] = [];
  let left = value;
  for (; left > 127; left = Math.floor(left / 128)) bytes.push((left % 128) | 128);
  return Uint8Array.from([...bytes, left]);
}

/** The value and where it ends. */
function readVarint(bytes: Uint8Array, from: number): [number, number] {
  let value = 0;
  let scale = 1;
  let at = from;
  for (; ; at++, scale *= 128) {
    const byte = bytes[at] as number;
    value += (byte & 127) * scale;
    if (byte < 128) return [value, at + 1];
  }
}

function encodeText(value: string): Uint8Array {
  const bytes = new TextEncoder().encode(value);
  return Buffer.concat([encodeVarint(bytes.length), bytes]);
}
