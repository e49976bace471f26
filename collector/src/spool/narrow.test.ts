import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addressWords, parseAddress } from '@ringflow/contract';
import { Session } from 'chdb';
import { COLUMN_INDEX, createBatch, useColumn, type Batch } from '../wire/index.ts';
import { encodeNative, nativeSizeBound } from './native.ts';
import { readNativeColumns } from './testing/native-reader.ts';

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'ringflow-narrow-'))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

interface Row {
  address: string;
  /** Two words of `bytes`, then `in_if`. */
  low: number;
  high: number;
  interface: number;
}

function batchOf(rows: readonly Row[]): Batch {
  const batch = createBatch({ rowLimit: rows.length });
  const addresses = useColumn(batch, COLUMN_INDEX.src_addr) as Uint32Array;
  const bytes = useColumn(batch, COLUMN_INDEX.bytes) as Uint32Array;
  const interfaces = useColumn(batch, COLUMN_INDEX.in_if) as Uint32Array;
  rows.forEach((row, at) => {
    addresses.set(addressWords(parseAddress(row.address) as Uint8Array), at * 4);
    bytes.set([row.low, row.high], at * 2);
    interfaces[at] = row.interface;
  });
  batch.rows = rows.length;
  return batch;
}

const SMALL: Row = { address: '192.0.2.1', low: 1500, high: 0, interface: 255 };

test.each<[string, Row[], sizes: [address: number, bytes: number, interfaces: number]]>([
  ['small values', [SMALL, { ...SMALL, address: '10.255.0.7' }], [4, 4, 1]],
  ['one larger interface', [SMALL, { ...SMALL, interface: 256 }], [4, 4, 2]],
  ['one interface of 32 bits', [SMALL, { ...SMALL, interface: 0x8000_0003 }], [4, 4, 4]],
  [
    'interfaces of 16 bits over several pieces',
    Array.from({ length: 9001 }, (_, row) => ({ ...SMALL, interface: row })),
    [4, 4, 2],
  ],
  ['one counter above 2^32', [SMALL, { ...SMALL, high: 1 }], [4, 8, 1]],
  ['one IPv6 address', [SMALL, { ...SMALL, address: '2001:db8::1' }], [16, 4, 1]],
  ['an absent address is not 0.0.0.0', [SMALL, { ...SMALL, address: '::' }], [16, 4, 1]],
  [
    'the last of many rows',
    [...Array.from({ length: 5000 }, () => SMALL), { ...SMALL, address: '::1', high: 2, interface: 70_000 }],
    [16, 8, 4],
  ],
])('narrow or not, the engine reads the same values: %s', async (_name, rows, widths) => {
  const batch = batchOf(rows);
  const room = new Uint8Array(nativeSizeBound(batch));
  const size = encodeNative(batch, room);
  const headers = 1 + (rows.length > 127 ? 2 : 1);
  const perRow = widths[0] + widths[1] + widths[2];
  expect(size - headers - rows.length * perRow).toBeLessThan(60);
  const path = join(directory, 'segment.native');
  writeFileSync(path, room.subarray(0, size));
  const { columns } = await readNativeColumns(path);
  expect(columns.map(({ name, type }) => `${name} ${type}`).sort()).toEqual([
    'bytes UInt64',
    'in_if UInt32',
    'src_addr IPv6',
  ]);
  const structure = columns.map(({ name, type }) => `${name} ${type}`).join(', ');
  const session = new Session(join(directory, 'engine'));
  try {
    const text = session.query(
      `SELECT toString(src_addr), toString(bytes), in_if FROM file('${path}', 'Native', '${structure}')`,
      'JSONCompactEachRow',
    );
    const read = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown[]);
    const mapped = (address: string): string => (address.includes(':') ? address : `::ffff:${address}`);
    expect(read).toEqual(
      rows.map((row) => [mapped(row.address), String(BigInt(row.high) * 4294967296n + BigInt(row.low)), row.interface]),
    );
  } finally {
    session.close();
    expect(existsSync(path)).toBe(true);
  }
});
