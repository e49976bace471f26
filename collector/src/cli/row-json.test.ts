import { COLUMNS, QUALITY } from '@ringflow/contract';
import { COLUMN_INDEX, createBatch, pushWord, useColumn, writeString, type Batch } from '../wire/index.ts';
import { jsonString, rowAsJson, rowsAsJson } from './row-json.ts';

function emptyBatch(): Batch {
  const batch = createBatch({ rowLimit: 4, columns: COLUMNS, trackRuns: true });
  batch.rows = 1;
  return batch;
}

function put(batch: Batch, name: keyof typeof COLUMN_INDEX, row: number, ...words: number[]): void {
  useColumn(batch, COLUMN_INDEX[name]).set(words, row * words.length);
}

const NONE: ReadonlySet<number> = new Set();

test('a row of nothing has the columns that every exporter has, and no others', () => {
  const object = JSON.parse(rowAsJson(emptyBatch(), 0, NONE)) as Record<string, unknown>;
  expect(Object.keys(object)).toEqual(COLUMNS.filter((column) => column.always).map((column) => column.name));
  expect(object).toMatchObject({
    type: 'FLOWUNKNOWN',
    src_addr: '',
    sampler_address: '',
    src_mac: '00:00:00:00:00:00',
    etype: '',
    bytes: 0,
  });
});

test('values are written as goflow2 does', () => {
  const batch = emptyBatch();
  put(batch, 'type', 0, 3);
  put(batch, 'proto', 0, 6);
  put(batch, 'etype', 0, 0x86dd);
  put(batch, 'bytes', 0, 0xffff_ffff, 0xffff_ffff);
  put(batch, 'time_flow_start_ns', 0, 0x89b8_0001, 0x1797_9cfe);
  put(batch, 'src_addr', 0, 0, 0, 0xffff_0000, 0x0302_010a);
  put(batch, 'dst_addr', 0, 0xb80d_0120, 0, 0, 0x0100_0000);
  put(batch, 'src_mask', 0, 24);
  put(batch, 'dst_mask', 0, 64);
  put(batch, 'src_mac', 0, 0x33_44_55_66, 0x11_22);
  put(batch, 'quality', 0, QUALITY.reverse | QUALITY.no_flow_times);
  const path = useColumn(batch, COLUMN_INDEX.as_path) as Uint32Array;
  pushWord(batch, path, 0, 64_500);
  pushWord(batch, path, 0, 4_200_000_000);
  const appId = useColumn(batch, COLUMN_INDEX.app_id) as Uint32Array;
  writeString(batch, appId, 0, new Uint8Array([13, 0, 1, 187]), 0, 4);
  const text = rowAsJson(batch, 0, NONE);
  expect(text).toContain('"bytes":18446744073709551615,');
  expect(text).toContain(`"time_flow_start_ns":${(0x1797_9cfen << 32n) | 0x89b8_0001n},`);
  expect(JSON.parse(text)).toMatchObject({
    type: 'NETFLOW_V9',
    proto: 'TCP',
    etype: 'IPv6',
    src_addr: '10.1.2.3',
    dst_addr: '2001:db8::1',
    src_mask: 24,
    src_net: '10.1.2.0/24',
    dst_net: '2001:db8::/64',
    src_mac: '11:22:33:44:55:66',
    quality: 'no_flow_times,reverse',
    as_path: [64_500, 4_200_000_000],
    app_id: '0d0001bb',
  });
});

test('F11 a prefix length of the other family makes no network', () => {
  const batch = emptyBatch();
  put(batch, 'src_addr', 0, 0, 0, 0xffff_0000, 0x0302_010a);
  put(batch, 'src_mask', 0, 64);
  const object = JSON.parse(rowAsJson(batch, 0, NONE)) as Record<string, unknown>;
  expect(object).toHaveProperty('src_mask', 64);
  expect(object).not.toHaveProperty('src_net');
});

test('what the exporter sent is printed even when it is zero', () => {
  const batch = emptyBatch();
  batch.rows = 3;
  batch.runs?.push({ row: 1, columns: [COLUMN_INDEX.src_vlan, COLUMN_INDEX.src_addr, COLUMN_INDEX.as_path] });
  batch.runs?.push({ row: 2, columns: [] });
  const rows = [...rowsAsJson(batch)].map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(rows.map((row) => row['src_vlan'])).toEqual([undefined, 0, undefined]);
  expect(rows.map((row) => row['src_addr'])).toEqual(['', '::', '']);
  expect(rows[1]?.['as_path']).toEqual([]);
});

test('X06 nothing in a string steers a terminal or breaks a line', () => {
  const nasty = 'a\u001b[31m\n\u0000\u007f\u009b1m\u2028\u202e"\\<script>__proto__';
  const text = jsonString(nasty);
  expect(JSON.parse(text)).toBe(nasty);
  expect(text).toMatch(/^[\x20-\x7e]*$/);
});
