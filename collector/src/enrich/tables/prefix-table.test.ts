import fc from 'fast-check';
import { addressWords, maskPrefix, parseAddress, parsePrefix, prefixContains, type Prefix } from '@ringflow/contract';
import {
  createPrefixTableBuilder,
  findEntry,
  findValue,
  forEachMatch,
  NO_ENTRY,
  type PrefixTable,
} from './prefix-table.ts';

const addressOf = (text: string): Uint8Array => parseAddress(text) as Uint8Array;

function tableOf(prefixes: readonly Prefix[]): PrefixTable {
  const builder = createPrefixTableBuilder();
  prefixes.forEach((prefix, index) => builder.add(prefix, index + 1));
  return builder.build();
}

function matches(table: PrefixTable, address: Uint8Array): number[] {
  const found: number[] = [];
  // Not at the beginning of the column.
  const words = new Uint32Array(8);
  words.set(addressWords(address), 4);
  forEachMatch(table, words, 4, (value) => found.push(value));
  expect(findValue(table, words, 4, -1)).toBe(found[0] ?? -1);
  return found;
}

/** What the table must answer: every network that holds the address, longest first, of equal ones the last first. */
function naive(prefixes: readonly Prefix[], address: Uint8Array): number[] {
  return prefixes
    .map((prefix, index) => ({ prefix, value: index + 1 }))
    .filter(({ prefix }) => prefixContains(prefix, address))
    .sort((a, b) => b.prefix.bits - a.prefix.bits || b.value - a.value)
    .map(({ value }) => value);
}

/** Few distinct bytes, so that networks nest, repeat and touch. */
const someByte = fc.constantFrom(0, 1, 10, 127, 128, 192, 255);
const ipv4 = fc
  .array(someByte, { minLength: 4, maxLength: 4 })
  .map((bytes) => Uint8Array.from([...new Array<number>(10).fill(0), 255, 255, ...bytes]));
const ipv6 = fc.array(someByte, { minLength: 16, maxLength: 16 }).map((bytes) => Uint8Array.from(bytes));
const somePrefix = fc.oneof(
  fc.tuple(ipv4, fc.integer({ min: 96, max: 128 })),
  fc.tuple(ipv6, fc.integer({ min: 0, max: 128 })),
  // Networks that hold all of IPv4.
  fc.tuple(ipv4, fc.integer({ min: 0, max: 96 })),
);

test('it answers as a scan over all networks does', () => {
  fc.assert(
    fc.property(
      fc.array(somePrefix, { maxLength: 60 }),
      fc.array(fc.oneof(ipv4, ipv6), { minLength: 1, maxLength: 20 }),
      (pairs, addresses) => {
        const prefixes = pairs.map(([bytes, bits]) => maskPrefix(bytes, bits));
        const table = tableOf(prefixes);
        for (const address of [...addresses, ...prefixes.map(({ bytes }) => bytes)])
          expect(matches(table, address)).toEqual(naive(prefixes, address));
      },
    ),
    { numRuns: 200, seed: 20_261_121 },
  );
});

test.each([
  ['nothing', [], '10.0.0.1', []],
  ['the longest first', ['10.0.0.0/8', '10.1.0.0/16', '0.0.0.0/0', '10.1.2.3/32'], '10.1.2.3', [4, 2, 1, 3]],
  ['a smaller network that begins before the address', ['10.0.0.0/8', '10.0.0.0/16'], '10.9.9.9', [1]],
  ['0.0.0.0/0 is IPv4 only', ['0.0.0.0/0'], '2001:db8::1', []],
  ['::/0 is everything', ['::/0'], '192.0.2.1', [1]],
  ['::/0 behind an IPv4 network', ['::/0', '192.0.2.0/24'], '192.0.2.1', [2, 1]],
  ['IPv4 written as mapped IPv6', ['::ffff:192.0.2.0/120'], '192.0.2.200', [1]],
  ['one address of IPv6', ['2001:db8::1/128', '2001:db8::/32'], '2001:db8::1', [1, 2]],
  ['the last address', ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128'], 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', [1]],
  ['255.255.255.255', ['255.255.255.255/32', '128.0.0.0/1'], '255.255.255.255', [1, 2]],
  ['of equal networks the last', ['10.0.0.0/8', '10.0.0.0/8'], '10.0.0.1', [2, 1]],
])('%s', (_name, networks, address, expected) => {
  const table = tableOf(networks.map((text) => parsePrefix(text) as Prefix));
  expect(matches(table, addressOf(address))).toEqual(expected);
});

test('bits behind the length do not matter, values are 32 bits wide', () => {
  const builder = createPrefixTableBuilder();
  builder.add({ bytes: addressOf('10.1.2.3'), bits: 104 }, 0xffff_fffe);
  const table = builder.build();
  expect(findValue(table, addressWords(addressOf('10.200.0.1')), 0, 0)).toBe(0xffff_fffe);
  expect(findEntry(table, addressWords(addressOf('11.0.0.1')), 0)).toBe(NO_ENTRY);
});

test('a table passes to another thread as it is', () => {
  const table = tableOf([parsePrefix('10.0.0.0/8') as Prefix]);
  const received = structuredClone(table);
  expect(Object.prototype.toString.call(received.values.buffer)).toBe('[object SharedArrayBuffer]');
  expect(findValue(received, addressWords(addressOf('10.0.0.1')), 0, 0)).toBe(1);
});
