import { FLOW_TYPES } from '@ringflow/contract';
import type { CountersRecord, OptionsField, OptionsRecord } from '../wire/index.ts';
import { createNames, type NameUpdate } from './names.ts';

const SOURCE = { address: '192.0.2.24', words: new Uint32Array(4), port: 2055 };
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const ascii = (text: string, length = text.length): Uint8Array => {
  const padded = new Uint8Array(length);
  padded.set(Buffer.from(text, 'latin1'));
  return padded;
};
const field = (id: number, value: Uint8Array, scope = false): OptionsField => ({
  pen: 0,
  id,
  scope,
  name: '',
  bytes: value,
});
const options = (type: number, ...fields: OptionsField[]): OptionsRecord => ({
  source: SOURCE,
  type,
  domain: 1,
  templateId: 256,
  arrivalMs: 0,
  fields,
});
const named = (update: Partial<NameUpdate>): NameUpdate => ({
  exporter: '192.0.2.24',
  kind: 'interface',
  id: '1',
  name: '',
  description: '',
  speedBps: 0,
  source: 'options',
  ...update,
});

test('F18 interfaces by scope (v9), by element in the scope (IPFIX), padded with NUL', () => {
  const names = createNames(100);
  names.options(
    options(
      FLOW_TYPES.NETFLOW_V9,
      field(2, bytes(0, 0, 0, 7), true),
      field(82, ascii('Gi0/0/0/7', 32)),
      field(83, ascii('to core', 64)),
    ),
  );
  names.options(options(FLOW_TYPES.IPFIX, field(10, bytes(0x80, 0, 0, 3), true), field(82, ascii('1/3'))));
  // Scope 1 of v9 is the system, not element 1; 10 in a v9 scope is no interface.
  names.options(
    options(FLOW_TYPES.NETFLOW_V9, field(1, bytes(1, 2, 3, 4), true), field(10, bytes(0, 9)), field(82, ascii('mgmt'))),
  );
  expect(names.take()).toEqual([
    named({ id: '7', name: 'Gi0/0/0/7', description: 'to core' }),
    named({ id: '2147483651', name: '1/3' }),
    named({ id: '9', name: 'mgmt' }),
  ]);
});

test('F17, F19 VRFs, applications and samplers', () => {
  const names = createNames(100);
  names.options(options(FLOW_TYPES.NETFLOW_V9, field(234, bytes(0x60, 0, 0, 1)), field(236, ascii('blue', 32))));
  names.options(
    options(FLOW_TYPES.IPFIX, field(95, bytes(13, 0, 1, 197)), field(96, ascii('netflix')), field(94, ascii('Video'))),
  );
  names.options(options(FLOW_TYPES.NETFLOW_V9, field(48, bytes(2)), field(84, ascii('one-in-100'))));
  names.options(options(FLOW_TYPES.IPFIX, field(302, bytes(0, 5)), field(335, ascii('sel'))));
  expect(names.take()).toEqual([
    named({ kind: 'vrf', id: '1610612737', name: 'blue' }),
    named({ kind: 'application', id: '0d0001c5', name: 'netflix', description: 'Video' }),
    named({ kind: 'sampler', id: '2', name: 'one-in-100' }),
    named({ kind: 'sampler', id: '5', name: 'sel' }),
  ]);
});

test('H14 sFlow says speed and name apart; repeats are quiet, changes are not', () => {
  const names = createNames(100);
  const counters = (format: number, values: CountersRecord['values']): CountersRecord => ({
    source: SOURCE,
    agent: '10.0.0.1',
    subAgent: 0,
    arrivalMs: 0,
    sequence: 1,
    sourceIdType: 0,
    sourceIdIndex: 12,
    enterprise: 0,
    format,
    values,
  });
  names.counters(counters(1, { ifIndex: 12, ifSpeed: 10_000_000_000n }));
  names.counters(counters(1005, { ifName: 'swp12' }));
  const expected = named({ exporter: '10.0.0.1', id: '12', name: 'swp12', speedBps: 10_000_000_000, source: 'sflow' });
  expect(names.take()).toEqual([expected]);
  names.counters(counters(1005, { ifName: 'swp12' }));
  expect(names.take()).toEqual([]);
  names.counters(counters(1005, { ifName: 'uplink' }));
  expect(names.take()).toEqual([{ ...expected, name: 'uplink' }]);
  names.counters(counters(1001, { total_memory_bytes: 5n }));
  expect(names.take()).toEqual([]);
});

test('X02, X06 names are bounded in number and length, and carry no control characters', () => {
  const names = createNames(2);
  for (let i = 1; i <= 5; i++)
    names.options(options(FLOW_TYPES.IPFIX, field(10, bytes(i)), field(82, ascii(`\u001b[31m${'a'.repeat(400)}`))));
  const updates = names.take();
  expect(updates).toHaveLength(2);
  expect(updates[0]!.name).toBe(`[31m${'a'.repeat(252)}`);
  expect(names.size()).toBe(2);
});
