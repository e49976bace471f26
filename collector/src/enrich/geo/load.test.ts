import { readdirSync, readFileSync } from 'node:fs';
import { addressWords, formatCountry, nameId, parseAddress, parsePrefix, type Prefix } from '@ringflow/contract';
import { encodeMmdb, uint32, type MmdbValue } from '../../demo/mmdb-writer.ts';
import { compileGeoTable, loadGeoTable } from './load.ts';
import { asNameOf, findLeaf, textAt, type GeoTable } from './table.ts';
import { describeWithMaxmind, MAXMIND, maxmindFile } from '../testing/maxmind.ts';

interface Found {
  country: string;
  asn: number;
  asName: string;
  /** Name, then country, subdivision, city, latitude, longitude. */
  place: readonly string[] | null;
}

function lookUp(table: GeoTable, bytes: Uint8Array): Found | null {
  const leaf = findLeaf(table, addressWords(bytes), 0);
  if (leaf === 0) return null;
  const asn = table.asns[leaf] as number;
  const place = table.places[leaf] as number;
  const parts = textAt(table.placeTexts, table.placeRows[leaf] as number);
  // The id is that of the parts, and nothing else.
  if (place !== 0) expect(place).toBe(nameId(parts.slice(1).join(',')));
  return {
    country: formatCountry(table.countries[leaf] as number),
    asn,
    asName: asNameOf(table.asNames, asn),
    place: place === 0 ? null : parts,
  };
}

const at = (table: GeoTable, address: string): Found | null => lookUp(table, parseAddress(address) as Uint8Array);

/** One entry of MaxMind's source files. */
type Source = Readonly<Record<string, Readonly<Record<string, never>>>>;

/** Networks of a source file as they are looked up: `::1.2.3.0/120` is an IPv4 network. */
function* sourcesOf(name: string): Generator<{ network: string; prefix: Prefix; record: Record<string, never> }> {
  for (const entry of JSON.parse(readFileSync(maxmindFile(name), 'utf8')) as Source[]) {
    for (const [network, record] of Object.entries(entry)) {
      const [, ipv4, bits] = /^::(\d+\.\d+\.\d+\.\d+)\/(\d+)$/.exec(network) ?? [];
      const prefix = parsePrefix(ipv4 === undefined ? network : `${ipv4}/${Number(bits) - 96}`);
      if (prefix) yield { network, prefix, record };
    }
  }
}

describeWithMaxmind("MaxMind's databases", () => {
  test('every network of GeoIP2-City has the country, the place and the coordinates of its source', async () => {
    const table = await loadGeoTable(maxmindFile('GeoIP2-City-Test.mmdb'));
    expect(table).toMatchObject({ type: 'GeoIP2-City', networks: 63 });
    let compared = 0;
    for (const { network, prefix, record } of sourcesOf('GeoIP2-City-Test.json')) {
      const { country, city, subdivisions, location } = record as unknown as {
        country?: { iso_code: string; names: Record<string, string> };
        city?: { names: Record<string, string> };
        subdivisions?: { names: Record<string, string> }[];
        location?: { latitude: number; longitude: number };
      };
      const parts = [
        country?.iso_code ?? '',
        subdivisions?.[0]?.names['en'] ?? '',
        city?.names['en'] ?? '',
        String(location?.latitude ?? ''),
        String(location?.longitude ?? ''),
      ] as const;
      const name = parts[2] || parts[1] || country?.names['en'] || '';
      const found = lookUp(table, prefix.bytes);
      expect({ network, country: found?.country ?? '', place: found?.place ?? null }).toEqual({
        network,
        country: parts[0],
        place: parts.slice(1).join('') === '' ? null : [name, ...parts],
      });
      compared++;
    }
    expect(compared).toBeGreaterThan(200);
  });

  test('every network of GeoLite2-ASN has the number and the organisation of its source', async () => {
    const table = await loadGeoTable(maxmindFile('GeoLite2-ASN-Test.mmdb'));
    const sources = [...sourcesOf('GeoLite2-ASN-Test.json')];
    expect(sources.length).toBeGreaterThan(700);
    const firstNames = new Map<number, string>();
    for (const { network, prefix, record } of sources) {
      const asn = record['autonomous_system_number'] as unknown as number;
      const names = sources
        .filter(({ record: other }) => (other['autonomous_system_number'] as unknown as number) === asn)
        .map(({ record: other }) => other['autonomous_system_organization'] as unknown as string | undefined);
      const found = lookUp(table, prefix.bytes);
      expect({ network, asn: found?.asn }).toEqual({ network, asn });
      // The same number under two names: one of them, and always the same.
      expect(names.map((text) => text ?? '')).toContain(found?.asName);
      expect(firstNames.get(asn) ?? found?.asName).toBe(found?.asName);
      firstNames.set(asn, found?.asName as string);
    }
  });

  test('Country, ISP and Enterprise are told by what they hold', async () => {
    expect(at(await loadGeoTable(maxmindFile('GeoLite2-Country-Test.mmdb')), '89.160.20.112')).toEqual({
      country: 'SE',
      asn: 0,
      asName: '',
      place: null,
    });
    expect(at(await loadGeoTable(maxmindFile('GeoIP2-ISP-Test.mmdb')), '1.128.0.1')).toEqual({
      country: '',
      asn: 1221,
      asName: 'Telstra Pty Ltd',
      place: null,
    });
    expect(at(await loadGeoTable(maxmindFile('GeoIP2-Enterprise-Test.mmdb')), '74.209.24.1')).toEqual({
      country: 'US',
      asn: 14_671,
      asName: 'FairPoint Communications',
      place: ['Chatham', 'US', 'New York', 'Chatham', '42.3478', '-73.5549'],
    });
  });

  const GOOD = [
    'GeoIP2-City-Test',
    'GeoIP2-Country-Test',
    'GeoIP2-Enterprise-Test',
    'GeoIP2-ISP-Test',
    'GeoLite2-ASN-Test',
    'GeoLite2-City-Test',
    'GeoLite2-Country-Test',
  ].map((name) => `${name}.mmdb`);
  const others = [...readdirSync(MAXMIND), ...readdirSync(maxmindFile('bad')).map((name) => `bad/${name}`)].filter(
    (name) => name.endsWith('.mmdb') && !GOOD.includes(name),
  );

  test.each(others)('%s is refused, and says why', async (name) => {
    const message = await loadGeoTable(maxmindFile(name)).then(
      () => 'accepted',
      (error: Error) => error.message,
    );
    expect(message).toMatch(
      /^(It is no MaxMind database|Its (search tree|record for|metadata)|Node \d+ of its search tree|It holds neither)/,
    );
    expect(message.length).toBeLessThan(200);
  });

  test('each cut and each flipped byte of a good database leads to a table or to an error, never to anything else', () => {
    const good = readFileSync(maxmindFile('GeoIP2-City-Test.mmdb'));
    const words = addressWords(parseAddress('89.160.20.112') as Uint8Array);
    let refused = 0;
    const tryIt = (file: Buffer): void => {
      try {
        const leaf = findLeaf(compileGeoTable(file), words, 0);
        expect(leaf).toBeGreaterThanOrEqual(0);
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
        refused++;
      }
    };
    for (let length = 0; length < good.length; length += 997) tryIt(good.subarray(0, length));
    for (let i = 0; i < 400; i++) {
      const spoilt = Buffer.from(good);
      spoilt[(i * 7919) % good.length] = (i * 37 + 11) & 0xff;
      tryIt(spoilt);
    }
    expect(refused).toBeGreaterThan(50);
  });
});

describe('other layouts', () => {
  const tableOf = (record: MmdbValue, network = '198.51.100.0/24'): GeoTable =>
    compileGeoTable(
      Buffer.from(
        encodeMmdb([{ network, record }], { type: 'ipinfo', description: 'Test', builtMs: 1_800_000_000_000 }),
      ),
    );

  test.each<[string, MmdbValue, Found]>([
    [
      'IPinfo Lite',
      {
        country: 'Germany',
        country_code: 'DE',
        continent: 'Europe',
        asn: 'AS3320',
        as_name: 'Deutsche Telekom AG',
        as_domain: 'telekom.de',
      },
      { country: 'DE', asn: 3320, asName: 'Deutsche Telekom AG', place: null },
    ],
    [
      'IPinfo Country + ASN',
      { country: 'US', country_name: 'United States', continent: 'NA', asn: 'AS15169', as_name: 'Google LLC' },
      { country: 'US', asn: 15_169, asName: 'Google LLC', place: null },
    ],
    [
      'IPinfo ASN',
      { asn: 'AS64496', name: 'Example', domain: 'example.net' },
      { country: '', asn: 64_496, asName: 'Example', place: null },
    ],
    [
      'IPinfo Location, numbers as text',
      {
        city: 'Mountain View',
        region: 'California',
        country: 'US',
        lat: '37.38605',
        lng: '-122.08385',
        postal_code: '94035',
      },
      {
        country: 'US',
        asn: 0,
        asName: '',
        place: ['Mountain View', 'US', 'California', 'Mountain View', '37.38605', '-122.08385'],
      },
    ],
    [
      'IPinfo Core',
      {
        country: 'Norway',
        country_code: 'NO',
        region: 'Oslo County',
        latitude: 59.91273,
        longitude: 10.74609,
        asn: 'AS2116',
        as_name: 'GLOBALCONNECT AS',
      },
      {
        country: 'NO',
        asn: 2116,
        asName: 'GLOBALCONNECT AS',
        place: ['Oslo County', 'NO', 'Oslo County', '', '59.91273', '10.74609'],
      },
    ],
    [
      'coordinates of a country only',
      { country: { iso_code: 'JP', names: { en: 'Japan' } }, location: { latitude: 36, longitude: 138 } },
      { country: 'JP', asn: 0, asName: '', place: ['Japan', 'JP', '', '', '36', '138'] },
    ],
    [
      'a name in another language than English',
      { country: { iso_code: 'FR' }, city: { names: { fr: 'Genève-la-Vieille' } } },
      { country: 'FR', asn: 0, asName: '', place: ['Genève-la-Vieille', 'FR', '', 'Genève-la-Vieille', '', ''] },
    ],
  ])('%s', (_name, record, expected) => {
    const table = tableOf(record);
    expect(at(table, '198.51.100.77')).toEqual(expected);
    expect(at(table, '198.51.101.1')).toBeNull();
    expect(at(table, '2001:db8::1')).toBeNull();
  });

  test('IPv6 and IPv4 do not meet', () => {
    const table = tableOf({ country: 'US' }, '2001:db8::/33');
    expect(at(table, '2001:db8:7fff::1')).toMatchObject({ country: 'US' });
    expect(at(table, '2001:db8:8000::1')).toBeNull();
    expect(at(table, '32.1.13.184')).toBeNull();
  });

  test.each<[string, MmdbValue, string]>([
    [
      'nothing of use',
      { domain: 'example.net' },
      'It holds neither countries nor places nor AS numbers (its type is "ipinfo")',
    ],
    ['a place beyond the poles', { lat: '91', lng: '0' }, 'latitude 91 is not on Earth'],
    ['text for a number', { lat: 'north', lng: '0' }, 'latitude north is not on Earth'],
    ['an AS number of 33 bits', { autonomous_system_number: 5e9 }, 'AS number 5000000000 is none'],
    [
      'a number of 33 bits',
      { autonomous_system_number: uint32(2 ** 33) },
      'record for 198.51.100.0 is broken: Invalid size',
    ],
  ])('%s is refused', (_name, record, message) => {
    expect(() => tableOf(record)).toThrow(message);
  });
});
