import type * as Contract from '@ringflow/contract';

/**
 * Adding a column is one entry in the registry: here one is added and must turn up everywhere, with no other edit.
 */

jest.mock('../../contract/columns.ts', () => {
  const actual = jest.requireActual<typeof Contract>('../../contract/columns.ts');
  const added = {
    name: 'probe_code',
    type: 'u32',
    unit: 'id',
    text: 'number',
    label: 'Probe code',
    description: 'A column that only this test knows',
    group: 'application',
    stored: true,
    always: false,
    elements: [{ pen: 64_999, id: 77 }],
  } as const;
  return { ...actual, COLUMNS: [...actual.COLUMNS, added] };
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Session } from 'chdb';
import { addressWords, completeFilter, formatFilter, parseAddress, parseFilter } from '@ringflow/contract';
import { rowsAsJson } from './cli/row-json.ts';
import { FIELD_ROUTES } from './http/field-routes.ts';
import { compileFilter } from './query/index.ts';
import { encodeNative, nativeSizeBound, usedColumnNames } from './spool/index.ts';
import { createRawTable } from './store/ddl.ts';
import { createBatch, createDatagramInfo, createDecoder, WIRE_DEFAULTS } from './wire/index.ts';

/** An IPFIX message with a template of sourceTransportPort and the new enterprise field, and one record. */
const MESSAGE = Buffer.from(
  ['000a0034 00000000 00000000 00000001', '00020014 01000002 00070002 804d0004 0000fde7', '0100000a 01bb 0000002a']
    .join('')
    .replace(/ /g, ''),
  'hex',
);

function decode() {
  const message = Buffer.from(MESSAGE);
  message.writeUInt16BE(message.length, 2);
  const decoder = createDecoder(WIRE_DEFAULTS, { options: () => undefined, counters: () => undefined });
  const batch = createBatch({ rowLimit: 10, trackRuns: true });
  const source = { address: '192.0.2.1', port: 4739, words: addressWords(parseAddress('192.0.2.1') as Uint8Array) };
  decoder.decode(message, source, 1_795_217_400_000, batch, createDatagramInfo());
  return batch;
}

test('a new column is in decode, segment, table, filter, completion and /api/v1/fields', async () => {
  const batch = decode();
  expect(batch.rows).toBe(1);
  const [json] = [...rowsAsJson(batch)];
  expect(JSON.parse(json as string)).toMatchObject({ src_port: 443, probe_code: 42 });

  expect(usedColumnNames(batch)).toContain('probe_code');
  expect(createRawTable()).toContain('probe_code UInt32');

  const directory = mkdtempSync(join(tmpdir(), 'ringflow-entry-'));
  const session = new Session(join(directory, 'db'));
  try {
    const target = new Uint8Array(nativeSizeBound(batch));
    const file = join(directory, 'segment.native');
    writeFileSync(file, target.subarray(0, encodeNative(batch, target)));
    session.query('CREATE DATABASE IF NOT EXISTS t');
    session.query(createRawTable().replace('EXISTS flows', 'EXISTS t.flows'));
    const names = usedColumnNames(batch).join(', ');
    session.query(`INSERT INTO t.flows (${names}) SELECT ${names} FROM file('${file}', 'Native')`);
    const { tree, error } = parseFilter('ProbeCode in (40-45) and src_port = https');
    expect(error).toBeUndefined();
    expect(formatFilter(tree ?? null)).toBe('probe_code in (40-45) and src_port = 443');
    const { sql, params } = compileFilter(tree ?? null);
    const result = await session.queryBindAsync(`SELECT probe_code FROM t.flows WHERE ${sql}`, params, {
      format: 'CSV',
    });
    expect(result.text()).toBe('42\n');
  } finally {
    session.close();
    rmSync(directory, { recursive: true, force: true });
  }

  expect(completeFilter('probe', 5).suggestions.map(({ text }) => text)).toEqual(['probe_code']);
  const route = FIELD_ROUTES.find(({ path }) => path === '/api/v1/fields');
  const answer = JSON.stringify(
    await (route as { handle: (...parts: unknown[]) => unknown }).handle({}, { deps: { version: '0' } }),
  );
  expect(answer).toContain('"probe_code"');
});
