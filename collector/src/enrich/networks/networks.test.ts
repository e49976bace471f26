import { nameId } from '@ringflow/contract';
import { createAddressFactsStep, type AddressFactsDeps } from '../address-facts.ts';
import { NETWORKS_DEFAULTS, type NetworksConfig } from './config.ts';
import { createNetworks } from './networks.ts';
import { noTables } from '../testing/tables.ts';
import { batchOf, numbersOf, wordsOf, type Row } from '../testing/batch.ts';

const pair = (src_addr: string, dst_addr: string): Row => ({ src_addr, dst_addr });

function stepOf(config: Partial<NetworksConfig> = {}, deps: Partial<AddressFactsDeps> = {}) {
  const networks = createNetworks({ ...NETWORKS_DEFAULTS, ...config }, noTables);
  return { networks, facts: createAddressFactsStep({ resolvers: [networks.resolve], ...deps }) };
}

function enriched(rows: readonly Row[], config: Partial<NetworksConfig> = {}) {
  const batch = batchOf(rows);
  const parts = stepOf(config);
  parts.facts.step(batch, 0, batch.rows);
  return { batch, ...parts };
}

test.each([
  ['from outside to us', '198.51.100.1', '10.0.0.1', 'in', 'public'],
  ['from us to outside', '10.0.0.1', '198.51.100.1', 'out', 'public'],
  ['between us', '10.0.0.1', '192.168.1.1', 'internal', 'private'],
  ['between others', '198.51.100.1', '203.0.113.1', 'transit', 'public'],
  ['IPv6 from outside', '2001:db8::1', 'fd00::1', 'in', 'public'],
  ['private addresses that are not ours', '100.64.0.1', '100.64.0.2', 'transit', 'private'],
  ['multicast from us goes out, as in CUFlow', '10.0.0.1', '239.1.1.1', 'out', 'private'],
  ['multicast from others comes in, as in CUFlow', '198.51.100.1', '224.0.0.5', 'in', 'public'],
  ['IPv6 multicast on a link', 'fe80::1', 'ff02::1', 'out', 'private'],
  ['broadcast stays on the link', '10.0.0.1', '255.255.255.255', 'internal', 'private'],
  ['a host that asks for its address', '0.0.0.0', '255.255.255.255', 'internal', 'private'],
  ['link-local addresses are on our links', 'fe80::1', 'fe80::2', 'internal', 'private'],
  ['no source', '::', '10.0.0.1', '', 'private'],
  ['no addresses', '::', '::', '', ''],
])('5.3, 5.4 %s: %s to %s is %s, %s', (_name, src, dst, direction, locality) => {
  const { batch } = enriched([pair(src, dst), pair(src, dst)]);
  expect(wordsOf(batch, 'direction')).toEqual([direction, direction]);
  expect(wordsOf(batch, 'locality')).toEqual([locality, locality]);
});

test('what is ours is a setting', () => {
  const own = ['198.51.100.0/24', '2001:db8::/32'];
  const rows = [pair('198.51.100.1', '10.0.0.1'), pair('8.8.8.8', '2001:db8::1'), pair('10.0.0.1', '10.0.0.2')];
  expect(wordsOf(enriched(rows, { own }).batch, 'direction')).toEqual(['out', 'in', 'transit']);
});

test('a documentation network that is configured as private is not public', () => {
  const rows = [pair('192.0.2.1', '192.0.2.2'), pair('192.0.2.1', '198.51.100.2')];
  const { batch } = enriched(rows, { private_ranges: ['192.0.2.0/24'] });
  expect(wordsOf(batch, 'src_scope')).toEqual(['private', 'private']);
  expect(wordsOf(batch, 'locality')).toEqual(['private', 'public']);
});

const networks: NetworksConfig['networks'] = {
  campus: { prefixes: ['10.0.0.0/8', '2001:db8::/32'], region: 'north', tenant: 'university', site: 'all' },
  servers: { prefixes: ['10.1.0.0/16'], role: 'server', site: 'hall 1' },
  // Cuts across: the same prefix under two names, and one address of another network.
  backup: ['10.1.0.0/16', '198.51.100.7'],
};

test('named networks may overlap: the set of all that hold an address, most specific first', () => {
  const { batch, networks: named } = enriched(
    [pair('10.1.2.3', '10.9.9.9'), pair('198.51.100.7', '198.51.100.8'), pair('2001:db8::9', '10.1.0.1')],
    { networks },
  );
  const sets = { one: nameId('backup,servers,campus'), campus: nameId('campus'), backup: nameId('backup') };
  expect(numbersOf(batch, 'src_network')).toEqual([sets.one, sets.backup, sets.campus]);
  expect(numbersOf(batch, 'dst_network')).toEqual([sets.campus, 0, sets.one]);
  const entry = { kind: 'network', exporter: '', speedBps: 0, source: 'enrich' };
  expect(named.takeNames()).toEqual([
    {
      ...entry,
      id: String(sets.one),
      name: 'backup,servers,campus',
      description: 'backup',
      // Of each the most specific one that says it.
      attributes: { role: 'server', site: 'hall 1', region: 'north', tenant: 'university' },
    },
    {
      ...entry,
      id: String(sets.campus),
      name: 'campus',
      description: 'campus',
      attributes: { site: 'all', region: 'north', tenant: 'university' },
    },
    { ...entry, id: String(sets.backup), name: 'backup', description: 'backup', attributes: {} },
  ]);
  expect(named.takeNames()).toEqual([]);
});

test('a network has the place of the most specific one that says where it is', () => {
  const places: NetworksConfig['networks'] = {
    campus: { prefixes: ['10.0.0.0/8'], site: 'Berlin', latitude: 52.5, longitude: 13.4 },
    lab: ['10.1.0.0/16'],
    island: { prefixes: ['10.2.0.0/16', '198.51.100.0/24'], latitude: -12.25, longitude: 0 },
  };
  const { batch, networks: named } = enriched([pair('10.1.0.1', '10.2.0.1'), pair('198.51.100.7', '203.0.113.1')], {
    networks: places,
  });
  const [berlin, island] = [nameId('Berlin,52.5,13.4'), nameId('island,-12.25,0')];
  expect(numbersOf(batch, 'src_place')).toEqual([berlin, island]);
  expect(numbersOf(batch, 'dst_place')).toEqual([island, 0]);
  expect(named.takeNames().filter(({ kind }) => kind === 'place')).toMatchObject([
    { id: String(berlin), name: 'Berlin', attributes: { city: 'Berlin', latitude: '52.5', longitude: '13.4' } },
    { id: String(island), name: 'island', attributes: { latitude: '-12.25', longitude: '0' } },
  ]);
});

test('half a place is refused', () => {
  const half = { campus: { prefixes: ['10.0.0.0/8'], latitude: 52.5 } };
  expect(() => stepOf({ networks: half })).toThrow('enrich.networks.campus: latitude and longitude go together');
});

test('the order of the configuration does not change a set', () => {
  const reversed = Object.fromEntries(Object.entries(networks).reverse());
  const rows = [pair('10.1.2.3', '198.51.100.7')];
  const one = enriched(rows, { networks }).batch;
  const other = enriched(rows, { networks: reversed }).batch;
  expect(numbersOf(one, 'src_network')).toEqual(numbersOf(other, 'src_network'));
});

test('a network twice in a set is named once', () => {
  const { batch } = enriched([pair('10.1.2.3', '10.2.0.1')], { networks: { a: ['10.0.0.0/8', '10.1.0.0/16'] } });
  expect(numbersOf(batch, 'src_network')).toEqual([nameId('a')]);
});

test('each distinct address is looked up once, until something changes', () => {
  let asked = 0;
  const { facts } = stepOf({}, { publicResolvers: [() => void asked++] });
  const batch = batchOf(Array.from({ length: 100 }, (_, i) => pair(`198.51.100.${i % 5}`, '10.0.0.1')));
  facts.step(batch, 0, 100);
  expect(asked).toBe(5);
  expect(facts.status()).toMatchObject({ cacheHits: 194, cacheMisses: 6 });
  facts.invalidate();
  facts.step(batch, 0, 100);
  expect(asked).toBe(10);
});

test('what others know about an address goes into its columns', () => {
  const { facts } = stepOf(
    {},
    {
      publicResolvers: [
        (_words, _at, found) => {
          found.country = 0x4445;
          found.place = 0xfedc_ba98;
          found.asnBehindFlow = 64_500;
          found.threat = 0xffff_ffff;
        },
      ],
      chooseAs: (said, ahead, behind) => ahead || said || behind,
    },
  );
  const batch = batchOf([pair('198.51.100.1', '10.0.0.1'), { ...pair('198.51.100.1', '198.51.100.2'), src_as: 7 }]);
  facts.step(batch, 0, 2);
  expect(numbersOf(batch, 'src_country')).toEqual([0x4445, 0x4445]);
  expect(numbersOf(batch, 'dst_country')).toEqual([0, 0x4445]);
  expect(numbersOf(batch, 'src_place')).toEqual([0xfedc_ba98, 0xfedc_ba98]);
  expect(numbersOf(batch, 'src_as')).toEqual([64_500, 7]);
  expect(numbersOf(batch, 'dst_as')).toEqual([0, 64_500]);
  expect(numbersOf(batch, 'src_threat')).toEqual([0xffff_ffff, 0xffff_ffff]);
  expect(numbersOf(batch, 'dst_threat')).toEqual([0, 0xffff_ffff]);
});

test('where lists name ports, the port of the record decides', () => {
  const { facts } = stepOf(
    {},
    {
      publicResolvers: [(_words, _at, found) => void (found.threatByPort = 1)],
      threatAtPort: (words, at, proto, port) => (words[at + 3] !== 0 && proto === 6 && port === 447 ? 99 : 0),
    },
  );
  const row = { ...pair('198.51.100.1', '10.0.0.1'), proto: 6, dst_port: 447 };
  const batch = batchOf([
    { ...row, src_port: 447 },
    { ...row, src_port: 448 },
    { ...row, src_port: 447, proto: 17 },
  ]);
  facts.step(batch, 0, 3);
  expect(numbersOf(batch, 'src_threat')).toEqual([99, 0, 0]);
  expect(numbersOf(batch, 'dst_threat')).toEqual([0, 0, 0]);
});

test('records and bytes by direction, scaled: what the hit ratio is made of', () => {
  const { facts } = enriched([
    { ...pair('10.0.0.1', '198.51.100.1'), bytes: 100, sampling_rate: 10 },
    { ...pair('198.51.100.1', '10.0.0.1'), bytes: 7 },
    { ...pair('198.51.100.1', '203.0.113.1'), bytes: 3, sampling_rate: 2 },
    { bytes: 1 },
  ]);
  expect(facts.status().directions).toEqual({
    in: { records: 1, bytes: 7 },
    out: { records: 1, bytes: 1000 },
    internal: { records: 0, bytes: 0 },
    transit: { records: 1, bytes: 6 },
    unknown: { records: 1, bytes: 1 },
  });
});

test('only the rows asked for are changed, and rows without addresses cost nothing', () => {
  const batch = batchOf(Array.from({ length: 4 }, () => pair('198.51.100.1', '10.0.0.1')));
  stepOf().facts.step(batch, 1, 3);
  expect(wordsOf(batch, 'direction')).toEqual(['', 'in', 'in', '']);
  const bare = batchOf([{ bytes: 5 }]);
  stepOf().facts.step(bare, 0, 1);
  expect(numbersOf(bare, 'src_scope')).toEqual([0]);
});

test.each([
  [{ own: ['10.0.0.0/33'] }, 'enrich.own: 10.0.0.0/33 is not a network, write it like 192.0.2.0/24'],
  [{ private_ranges: ['here'] }, 'enrich.private_ranges: here is not a network'],
  [{ networks: { dmz: ['10.0.0'] } }, 'enrich.networks.dmz: 10.0.0 is not a network'],
  [{ networks: { 'a,b': ['10.0.0.0/8'] } }, '"a,b" cannot be the name of a network, leave out commas'],
])('what cannot be configured says so: %j', (config, message) => {
  expect(() => createNetworks({ ...NETWORKS_DEFAULTS, ...config }, noTables)).toThrow(message);
});
