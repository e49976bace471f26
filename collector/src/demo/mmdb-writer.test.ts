import { Reader } from 'maxmind';
import { EXPORTERS, OUTSIDE } from './network.ts';
import { createDemoGeography } from './geography.ts';
import { encodeMmdb, uint32 } from './mmdb-writer.ts';

const ABOUT = { type: 'Test', description: 'For a test', builtMs: 1_800_000_000_000 };
const read = (file: Uint8Array): Reader<never> => new Reader<never>(Buffer.from(file));

test('maxmind reads back what was written: longest network first, IPv4 and IPv6, every kind of value', () => {
  const long = 'x'.repeat(300);
  const reader = read(
    encodeMmdb(
      [
        { network: '192.0.2.128/25', record: { name: 'half' } },
        {
          network: '192.0.2.0/24',
          record: { name: 'Zürich', list: ['a', long, 'b'.repeat(40)], number: uint32(70_000) },
        },
        { network: '192.0.2.7/32', record: { zero: uint32(0), small: uint32(5), degrees: -12.25 } },
        { network: '2001:db8::/32', record: { name: 'half' } },
        { network: '2001:db8:1::/48', record: {} },
      ],
      ABOUT,
    ),
  );
  expect(reader.metadata).toMatchObject({ databaseType: 'Test', ipVersion: 6, recordSize: 32, languages: ['en'] });
  expect(reader.metadata.buildEpoch.getTime()).toBe(ABOUT.builtMs);
  const at = (address: string): unknown => reader.get(address);
  expect(at('192.0.2.1')).toEqual({ name: 'Zürich', list: ['a', long, 'b'.repeat(40)], number: 70_000 });
  expect(at('192.0.2.7')).toEqual({ zero: 0, small: 5, degrees: -12.25 });
  expect(at('192.0.2.200')).toEqual({ name: 'half' });
  expect(at('2001:db8::5')).toEqual({ name: 'half' });
  expect(at('2001:db8:1::5')).toEqual({});
  for (const none of ['192.0.3.1', '192.0.1.255', '2001:db9::1', '::1']) expect(at(none)).toBeNull();
  expect(() => encodeMmdb([{ network: 'nowhere', record: {} }], ABOUT)).toThrow('nowhere is not a network');
});

test('the demo knows country, city, coordinates and AS of every outside network, and nothing of the inside', () => {
  const reader = new Reader<Record<string, never>>(Buffer.from(createDemoGeography(1_800_000_000_000)));
  for (const { as, v4, v6 } of OUTSIDE) {
    for (const address of [...v4.map((prefix) => `${prefix}.77`), ...(v6 === undefined ? [] : [`${v6}::7`])]) {
      const record = reader.get(address);
      expect(record).toMatchObject({
        autonomous_system_number: as,
        autonomous_system_organization: expect.any(String) as string,
        country: { iso_code: expect.stringMatching(/^[A-Z]{2}$/) as string },
        city: { names: { en: expect.any(String) as string } },
        location: { latitude: expect.any(Number) as number, longitude: expect.any(Number) as number },
      });
    }
  }
  for (const { site } of EXPORTERS) {
    expect(reader.get(`${site.v4}.0.1`)).toBeNull();
    expect(reader.get(`${site.v6}::1`)).toBeNull();
  }
});
