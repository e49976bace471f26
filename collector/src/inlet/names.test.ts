import { FLOW_TYPES } from '@ringflow/contract';
import type { CountersRecord, OptionsField, OptionsRecord, Source } from '../wire/index.ts';
import type { NameEntry } from '@ringflow/contract';
import { createNames, nameKey, type Names } from './names.ts';

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
const named = (update: Partial<NameEntry>): NameEntry => ({
  exporter: '192.0.2.24',
  kind: 'interface',
  id: '1',
  name: '',
  description: '',
  speedBps: 0,
  source: 'options',
  attributes: {},
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
  expect(names.status()).toMatchObject({ names: 2, evicted: 3, refused: 0 });
});

describe('X02 many names', () => {
  const LIMIT = 1000;
  const sender = (n: number): Source => ({
    address: `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`,
    words: new Uint32Array(4),
    port: 2055,
  });
  const HONEST = sender(1);
  const proven = new Set<string>();
  const say = (names: Names, source: Source, ifIndex: number, name = `if${ifIndex}`): void =>
    names.options({
      ...options(
        FLOW_TYPES.IPFIX,
        field(10, bytes(ifIndex >>> 24, ifIndex >>> 16, ifIndex >>> 8, ifIndex)),
        field(82, ascii(name)),
      ),
      source,
    });
  const namesOf = (names: Names, { address }: Source): string[] =>
    [...names.entries()].flatMap(({ exporter, name }) => (exporter === address ? [name] : []));
  const HUNDRED = Array.from({ length: 100 }, (_, i) => `if${i + 1}`);

  /** One honest sender with a hundred names, and a table that an attacker fills. */
  function besieged(): Names {
    proven.clear();
    proven.add(HONEST.address);
    const names = createNames(LIMIT, (source) => proven.has(source.address));
    for (let i = 1; i <= 100; i++) say(names, HONEST, i);
    expect(names.take()).toHaveLength(100);
    return names;
  }

  test('one sender that floods replaces its own', () => {
    const names = besieged();
    proven.add(sender(2).address);
    for (let i = 1; i <= 50_000; i++) {
      say(names, sender(2), i);
      if (i % 500 === 0) names.take();
    }
    expect(namesOf(names, HONEST)).toEqual(HUNDRED);
    expect(names.status()).toMatchObject({ names: LIMIT, refused: 0 });
    // A newcomer gets room from the one that has more than its share.
    proven.add(sender(3).address);
    for (let i = 1; i <= 100; i++) say(names, sender(3), i);
    names.take();
    expect(namesOf(names, sender(3))).toEqual(HUNDRED);
    expect(namesOf(names, HONEST)).toEqual(HUNDRED);
    expect(names.status().names).toBe(LIMIT);
  });

  test('X03 senders that were made up neither push anybody out nor are heard of outside', () => {
    const names = besieged();
    for (let i = 10; i < 50_010; i++) say(names, sender(i), i);
    expect(names.take()).toEqual([]);
    expect(names.takeGone()).toEqual([]);
    say(names, HONEST, 101);
    proven.add(sender(50_010).address);
    say(names, sender(50_010), 7);
    expect(names.take().map(({ name }) => name)).toEqual(['if101', 'if7']);
    expect(namesOf(names, HONEST)).toEqual([...HUNDRED, 'if101']);
    expect(names.status()).toMatchObject({ names: LIMIT, refused: 0 });
  });

  test('a sender whose names wait for its proof has them handed out with it', () => {
    const names = besieged();
    say(names, sender(5), 1);
    expect(names.take()).toEqual([]);
    proven.add(sender(5).address);
    expect(names.take().map(({ exporter, name }) => [exporter, name])).toEqual([[sender(5).address, 'if1']]);
  });

  test('senders that take the trouble to prove themselves leave a few hundred names to each', () => {
    const names = besieged();
    for (let n = 10; n < 2010; n++) {
      proven.add(sender(n).address);
      say(names, sender(n), 1);
      names.take();
    }
    expect(namesOf(names, HONEST)).toEqual(HUNDRED);
    expect(names.status()).toMatchObject({ names: LIMIT, refused: 2000 - (LIMIT - 100) });
  });

  test('agents that one sender names are that sender’s own affair', () => {
    const names = besieged();
    proven.add(sender(2).address);
    for (let i = 1; i <= 5000; i++) {
      names.counters({
        source: sender(2),
        agent: sender(i + 10).address,
        subAgent: 0,
        arrivalMs: 0,
        sequence: 1,
        sourceIdType: 0,
        sourceIdIndex: 1,
        enterprise: 0,
        format: 1,
        values: { ifIndex: 1, ifSpeed: 1000n },
      });
      if (i % 500 === 0) names.take();
    }
    expect(namesOf(names, HONEST)).toEqual(HUNDRED);
    expect(names.status()).toMatchObject({ names: LIMIT, senders: 2 });
  });

  test('T12 what is gone is said, so that a file that keeps names forgets them', () => {
    const names = createNames(3);
    const kept = new Map<string, NameEntry>();
    const keep = (): void => {
      for (const key of names.takeGone()) kept.delete(key);
      for (const entry of names.take()) kept.set(nameKey(entry), entry);
    };
    for (const i of [1, 2, 3, 4, 2, 5, 1, 1, 6]) {
      say(names, HONEST, i, `name ${i}`);
      if (i % 2 === 0) keep();
    }
    keep();
    expect([...kept.values()]).toEqual(expect.arrayContaining([...names.entries()]));
    expect(kept.size).toBe(3);
  });
});
