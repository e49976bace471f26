import { open, type FileHandle } from 'node:fs/promises';
import { CLICKHOUSE_TYPES, COLUMNS } from '@ringflow/contract';

/** A column of some block. */
export interface NativeColumn {
  readonly name: string;
  /** ClickHouse type to read it as: the registry's, even where the block holds a narrower one (narrow.ts). */
  readonly type: string;
}

const OWN_TYPES = new Map<string, string>(COLUMNS.map(({ name, type }) => [name, CLICKHOUSE_TYPES[type]]));

/** Some blocks: a segment has thousands of headers, and a read costs more than what it brings. */
const WINDOW_BYTES = 1 << 20;

const WIDTHS: Readonly<Record<string, number>> = {
  UInt8: 1,
  UInt16: 2,
  UInt32: 4,
  UInt64: 8,
  "DateTime64(9, 'UTC')": 8,
  IPv4: 4,
  IPv6: 16,
};

/**
 * Reads which columns and how many rows a segment holds, and checks that its last block ends where the file does.
 * Touches headers only, except for strings. The collector leaves that to the engine.
 *
 * @throws RangeError when the file is not whole blocks of known types
 */
export async function readNativeColumns(path: string): Promise<{ columns: NativeColumn[]; rows: number }> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const reader = createWindow(file, size);
    const columns = new Map<string, NativeColumn>();
    let rows = 0;
    do rows += await readBlock(reader, columns);
    while (reader.position() < size);
    if (reader.position() !== size)
      throw new RangeError(`The last block ends at byte ${reader.position()}, the file at ${size}`);
    return { columns: [...columns.values()], rows };
  } finally {
    await file.close();
  }
}

async function readBlock(reader: ReturnType<typeof createWindow>, columns: Map<string, NativeColumn>): Promise<number> {
  const columnCount = await reader.varint();
  const rows = await reader.varint();
  for (let index = 0; index < columnCount; index++) {
    const name = await reader.text();
    const type = await reader.text();
    columns.set(name, { name, type: OWN_TYPES.get(name) ?? type });
    const width = WIDTHS[type];
    if (width !== undefined) reader.skip(rows * width);
    else if (type === 'Array(UInt32)') {
      reader.skip((rows - 1) * 8);
      reader.skip((await reader.uint64()) * 4);
    } else if (type === 'String') {
      for (let row = 0; row < rows; row++) reader.skip(await reader.varint());
    } else throw new RangeError(`Unknown type ${type} of column ${name}`);
  }
  return rows;
}

function createWindow(file: FileHandle, size: number) {
  const window = new Uint8Array(WINDOW_BYTES);
  const view = new DataView(window.buffer);
  const decoder = new TextDecoder();
  let windowStart = 0;
  let windowLength = 0;
  let at = 0;

  /** Makes `length` bytes from the current position available and returns their offset in the window. */
  async function need(length: number): Promise<number> {
    if (length > WINDOW_BYTES || at + length > size)
      throw new RangeError(`The block goes on after the file's end at byte ${size}`);
    if (at < windowStart || at + length > windowStart + windowLength) {
      windowStart = at;
      windowLength = (await file.read(window, 0, WINDOW_BYTES, at)).bytesRead;
      if (windowLength < length) throw new RangeError(`The file ends at byte ${at + windowLength}`);
    }
    return at - windowStart;
  }

  async function varint(): Promise<number> {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = window[await need(1)] as number;
      at++;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
      if (factor > 2 ** 42) throw new RangeError(`A number before byte ${at} is too long`);
    }
  }

  async function text(): Promise<string> {
    const length = await varint();
    const from = await need(length);
    at += length;
    return decoder.decode(window.subarray(from, from + length));
  }

  async function uint64(): Promise<number> {
    const from = await need(8);
    at += 8;
    return view.getUint32(from, true) + view.getUint32(from + 4, true) * 2 ** 32;
  }

  return { varint, text, uint64, skip: (length: number) => void (at += length), position: () => at };
}
