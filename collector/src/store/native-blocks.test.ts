import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createReadRoom, encodeNativeBlock, readNativeBlocks } from './native-blocks.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ringflow-blocks-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Lists of 1 and 2 numbers, texts of two lengths, and two columns of fixed width. */
function blockOf(first: number): Uint8Array {
  const list = new Uint8Array(16 + 12);
  const view = new DataView(list.buffer);
  view.setUint32(0, 1, true);
  view.setUint32(8, 3, true);
  return encodeNativeBlock(2, [
    { name: 'port', type: 'UInt16', data: Uint8Array.of(first, 0, first + 1, 0) },
    { name: 'labels', type: 'Array(UInt32)', data: list },
    { name: 'url', type: 'String', data: Uint8Array.of(3, 97, 98, 99, 0) },
    { name: 'dup', type: 'UInt8', data: Uint8Array.of(first, first) },
  ]);
}

async function read(bytes: Uint8Array): Promise<unknown[]> {
  const path = join(directory, 'blocks.native');
  await writeFile(path, bytes);
  const found: unknown[] = [];
  for await (const { rows, columns } of readNativeBlocks(path, new Set(['port', 'dup']), createReadRoom()))
    found.push([rows, ...[...columns].map(([name, { type, bytes: values }]) => [name, type, [...values]])]);
  return found;
}

test('blocks are read one after the other', async () => {
  const many = Array.from({ length: 100 }, (_, index) => blockOf(index));
  const expected = many.map((_, index) => [
    2,
    ['port', 'UInt16', [index, 0, index + 1, 0]],
    ['dup', 'UInt8', [index, index]],
  ]);
  expect(await read(Buffer.concat(many))).toEqual(expected);
});

test('a large block is read in pieces', async () => {
  const rows = 20_000;
  const data = Uint8Array.from({ length: rows }, (_, row) => row % 251);
  const large = encodeNativeBlock(rows, [{ name: 'dup', type: 'UInt8', data }]);
  const found = (await read(Buffer.concat([blockOf(1), large, blockOf(2)]))) as [
    number,
    ...[string, string, number[]][],
  ][];
  expect(found.length).toBeGreaterThan(3);
  expect(found.reduce((sum, [count]) => sum + count, 0)).toBe(rows + 4);
  const values = found.flatMap((piece) => (piece.at(-1) as [string, string, number[]])[2]);
  expect(values).toEqual([1, 1, ...data, 2, 2]);
});

test('a file that ends within a block is refused wherever it ends', async () => {
  const bytes = Buffer.concat([blockOf(1), blockOf(2)]);
  for (let length = 0; length < bytes.length; length++) {
    const isWhole = length === 0 || length === bytes.length / 2;
    const reading = read(bytes.subarray(0, length));
    if (isWhole) expect(await reading).toHaveLength(length === 0 ? 0 : 1);
    else await expect(reading).rejects.toThrow('ends within a block');
  }
});
