import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { ApiError } from '@ringflow/contract';
import { HTTP_DEFAULTS } from './index.ts';
import { createTestServer, insertSample, T0, type TestServer } from './testing/server.ts';

const HOUR = 3_600_000;
let server: TestServer;
beforeAll(async () => {
  server = await createTestServer(T0 + HOUR, { export: { ...HTTP_DEFAULTS.export, max_rows: 250 } });
  // 300 records of 5 s that end every 10 s; each arrives at its end.
  await insertSample(server);
});
afterAll(async () => server.close());

const window = { from: T0, to: T0 + HOUR };

test('NDJSON is what decode prints, in a file with a name', async () => {
  const response = await server.post('/api/v1/export', { ...window, filter: 'src_port = 40003' });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8');
  expect(response.headers.get('content-disposition')).toMatch(
    /^attachment; filename="ringflow-20260110T120000Z-.*\.ndjson"$/,
  );
  const records = (await response.text()).trim().split('\n');
  expect(records).toHaveLength(1);
  expect(JSON.parse(records[0] as string)).toMatchObject({
    type: 'IPFIX',
    sampler_address: '192.0.2.1',
    src_addr: '10.0.0.3',
    dst_addr: '2001:db8::1',
    src_port: 40_003,
    dst_port: 53,
    proto: 'UDP',
    bytes: 1003,
    src_mac: '00:00:00:00:00:00',
    next_hop: '',
    quality: '',
    direction: '',
    src_country: '',
    as_path: [],
  });
  expect(records[0]).toContain(`"time_flow_start_ns":${T0 + 30_000}000000`);
});

test('CSV of some columns, by GET', async () => {
  const query = new URLSearchParams({
    from: new Date(T0).toISOString(),
    to: new Date(window.to).toISOString(),
    format: 'csv',
    columns: 'src_addr,bytes,proto',
    filter: 'dst_port = 443 and src_addr in 10.0.0.0/31',
  });
  const response = await fetch(`${server.url}/api/v1/export?${query}`);
  expect(response.headers.get('content-type')).toContain('text/csv');
  const lines = (await response.text()).trim().split('\n');
  expect([lines[0], lines.length, lines[1]]).toEqual(['"src_addr","bytes","proto"', 16, '"10.0.0.0",1000,"TCP"']);
});

test('Parquet has all rows and their sums', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ringflow-parquet-'));
  const file = join(folder, 'a.parquet');
  const response = await server.post('/api/v1/export', { ...window, format: 'parquet', filter: 'src_port < 40200' });
  writeFileSync(file, Buffer.from(await response.arrayBuffer()));
  const rows = await server.store.engine.select<Record<string, unknown>>(
    `SELECT count() AS rows, sum(bytes) AS bytes, any(dst_addr) AS dst, toTypeName(any(time_flow_start_ns)) AS time, min(toUnixTimestamp64Milli(time_flow_start_ns)) AS first FROM file('${file}', 'Parquet')`,
  );
  rmSync(folder, { recursive: true });
  expect(rows).toEqual([
    {
      rows: 200,
      bytes: (200 * (1000 + 1199)) / 2,
      dst: '2001:db8::1',
      time: expect.stringMatching(/DateTime64\(9/),
      first: T0,
    },
  ]);
});

test.each([
  [{}, 'query_too_large', '300 records, more than 250'],
  [{ filter: 'nonsense = 1' }, 'filter_unknown_field', 'nonsense'],
  [{ filter: 'src_port = 1) OR (1 = 1' }, 'filter_syntax', ''],
  [{ columns: ['src_adr'] }, 'query_unknown_field', 'src_adr'],
  [{ columns: ["bytes FROM flows) INTO OUTFILE '/tmp/x' --"] }, 'query_unknown_field', ''],
  [{ format: 'Native' }, 'bad_request', 'format'],
  [{ from: 2, to: 1 }, 'query_window', ''],
] as const)('%j is refused', async (request, code, message) => {
  const response = await server.post('/api/v1/export', { ...window, ...request });
  const error = (await response.json()) as ApiError;
  expect([error.code, response.status >= 400]).toEqual([code, true]);
  expect(error.message).toContain(message);
});
