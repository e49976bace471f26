import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatCountry, type NameEntry } from '@ringflow/contract';
import { encodeMmdb, uint32, type MmdbNetwork } from '../../demo/mmdb-writer.ts';
import type { Batch } from '../../wire/index.ts';
import type { AsSource } from './config.ts';
import { createEnrich, ENRICH_COLUMNS, ENRICH_DEFAULTS, type Enrich, type EnrichConfig } from '../index.ts';
import { batchOf, numbersOf, type Row } from '../testing/batch.ts';
import { describeWithMaxmind, maxmindFile } from '../testing/maxmind.ts';

let folder: string;
let enrich: Enrich | null = null;
let logged: string[];

const file = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
  return path;
};
const database = (name: string, networks: readonly MmdbNetwork[]): string =>
  file(name, encodeMmdb(networks, { type: 'Test', description: 'Test', builtMs: 1_800_000_000_000 }));

async function start(geo: Partial<EnrichConfig['geo']>): Promise<void> {
  const log = (fields: object, message: string): void => void logged.push(`${message} ${JSON.stringify(fields)}`);
  enrich = createEnrich(
    { ...ENRICH_DEFAULTS, geo: { ...ENRICH_DEFAULTS.geo, ...geo } },
    { log: { info: log, warn: log } },
  );
  await enrich.start();
}

function enriched(...rows: Row[]): Batch {
  const batch = batchOf(rows, ENRICH_COLUMNS);
  enrich?.step(batch, 0, batch.rows);
  return batch;
}

/** Names of places and AS that were told since the last call. */
const told = (): NameEntry[] => (enrich?.takeNames() ?? []).filter(({ kind }) => kind === 'place' || kind === 'as');
const names = (): string[] =>
  told().map(({ kind, id, name }) => (kind === 'place' ? `place ${name}` : `as ${id} ${name}`));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ringflow-geo-'));
  logged = [];
});
afterEach(async () => {
  await enrich?.stop();
  rmSync(folder, { recursive: true });
});

describeWithMaxmind("MaxMind's databases", () => {
  test('a record carries country, place and AS of both ends; each name is told once', async () => {
    await start({ databases: ['GeoLite2-City-Test.mmdb', 'GeoLite2-ASN-Test.mmdb'].map(maxmindFile) });
    const batch = enriched(
      { src_addr: '89.160.20.112', dst_addr: '81.2.69.160' },
      { src_addr: '2001:218::7', dst_addr: '1.128.0.1' },
      { src_addr: '89.160.20.113', dst_addr: '8.8.4.4' },
    );
    expect(numbersOf(batch, 'src_country').map(formatCountry)).toEqual(['SE', 'JP', 'SE']);
    expect(numbersOf(batch, 'dst_country').map(formatCountry)).toEqual(['GB', '', '']);
    expect(numbersOf(batch, 'src_as')).toEqual([29_518, 0, 29_518]);
    expect(numbersOf(batch, 'dst_as')).toEqual([0, 1221, 0]);
    const [source] = numbersOf(batch, 'src_place');
    const entries = told();
    expect(entries).toContainEqual({
      kind: 'place',
      exporter: '',
      id: String(source),
      name: 'Linköping',
      description: '',
      speedBps: 0,
      source: 'enrich',
      attributes: {
        country: 'SE',
        subdivision: 'Östergötland County',
        city: 'Linköping',
        latitude: '58.4167',
        longitude: '15.6167',
      },
    });
    expect(entries.map(({ name }) => name).sort()).toEqual([
      'Bredband2 AB',
      'Japan',
      'Linköping',
      'London',
      'Telstra Pty Ltd',
    ]);
    enriched({ src_addr: '89.160.20.114', dst_addr: '81.2.69.161' });
    expect(names()).toEqual([]);
  });
});

test('the first database that knows something wins, and each may know something else', async () => {
  await start({
    databases: [
      database('a', [{ network: '198.51.100.0/24', record: { country_code: 'AT' } }]),
      database('b', [
        { network: '198.51.100.0/25', record: { country_code: 'BE', city: 'Gent', asn: 'AS64500', as_name: 'B' } },
        { network: '203.0.113.0/24', record: { country_code: 'BE' } },
      ]),
    ],
  });
  const batch = enriched({ src_addr: '198.51.100.1' }, { src_addr: '198.51.100.200' }, { src_addr: '203.0.113.1' });
  expect(numbersOf(batch, 'src_country').map(formatCountry)).toEqual(['AT', 'AT', 'BE']);
  expect(numbersOf(batch, 'src_place').map((place) => place !== 0)).toEqual([true, false, false]);
  expect(numbersOf(batch, 'src_as')).toEqual([64_500, 0, 0]);
  expect(names()).toEqual(['place Gent', 'as 64500 B']);
});

test('addresses that are not public are never looked up', async () => {
  await start({
    databases: [
      database('all', [
        { network: '0.0.0.0/1', record: { country_code: 'XA', asn: 'AS64500', as_name: 'A', city: 'A' } },
        { network: '128.0.0.0/1', record: { country_code: 'XA', asn: 'AS64500', as_name: 'A', city: 'A' } },
        { network: '8000::/1', record: { country_code: 'XA', asn: 'AS64500', as_name: 'A', city: 'A' } },
      ]),
    ],
    as_prefixes: file('prefixes', '0.0.0.0/0,64501\n'),
  });
  const inside = ['10.0.0.1', '172.16.9.9', '192.168.1.1', '100.64.0.1', '127.0.0.1', '169.254.1.1', '224.0.0.5'];
  const rows = [...inside, '255.255.255.255', 'fd00::1', 'fe80::1', 'ff02::1', '8.8.8.8'].map((src_addr) => ({
    src_addr,
  }));
  const batch = enriched(...rows);
  for (const column of ['src_country', 'src_place', 'src_as'] as const)
    expect(numbersOf(batch, column).map((value) => value !== 0)).toEqual([...Array(11).fill(false), true]);
});

describe('AS numbers', () => {
  // What each source knows of six addresses.
  const rows: Row[] = [
    { src_addr: '198.51.100.1', src_as: 10 },
    { src_addr: '198.51.100.2', src_as: 0 },
    { src_addr: '198.51.100.3', src_as: 64_512 },
    { src_addr: '203.0.113.4', src_as: 64_513 },
    { src_addr: '198.51.100.130', src_as: 0 },
    { src_addr: '198.51.100.131', src_as: 11 },
  ];
  test.each<[AsSource[], number[]]>([
    // The address has 20 in the database; 198.51.100.128/25 has 30 in the prefix file, too.
    [
      ['flow', 'prefixes', 'database'],
      [10, 20, 64_512, 64_513, 30, 11],
    ],
    [
      ['flow', 'database', 'prefixes'],
      [10, 20, 64_512, 64_513, 20, 11],
    ],
    [['flow'], [10, 0, 64_512, 64_513, 0, 11]],
    [
      ['flow_except_private', 'prefixes', 'database'],
      [10, 20, 20, 64_513, 30, 11],
    ],
    [
      ['prefixes', 'flow', 'database'],
      [10, 20, 64_512, 64_513, 30, 30],
    ],
    [
      ['database', 'flow'],
      [20, 20, 20, 64_513, 20, 20],
    ],
    [
      ['prefixes', 'database'],
      [20, 20, 20, 0, 30, 30],
    ],
    [['prefixes'], [0, 0, 0, 0, 30, 30]],
    [[], [0, 0, 0, 0, 0, 0]],
  ])('from %j', async (as_sources, expected) => {
    await start({
      databases: [database('as', [{ network: '198.51.100.0/24', record: { autonomous_system_number: uint32(20) } }])],
      as_prefixes: file('prefixes.csv', 'network,asn\n198.51.100.128/25,AS30\n'),
      as_sources,
    });
    expect(numbersOf(enriched(...rows), 'src_as')).toEqual(expected);
    // The other end has its own columns.
    const swapped = rows.map(({ src_addr, src_as }) => ({ dst_addr: src_addr, dst_as: src_as }) as Row);
    expect(numbersOf(enriched(...swapped), 'dst_as')).toEqual(expected);
  });

  test('names: the file of names, then that of prefixes, then databases; of numbers from the flow, too', async () => {
    await start({
      databases: [
        database('as', [
          { network: '198.51.100.0/24', record: { asn: 'AS20', as_name: 'Twenty of the database' } },
          { network: '203.0.113.0/24', record: { asn: 'AS30', as_name: 'Thirty of the database' } },
        ]),
      ],
      as_prefixes: file(
        'prefixes',
        '# a comment\n2001:db8::/32;40;"Forty; of ""prefixes"""\n192.0.2.0/24\t30\tThirty of prefixes\n',
      ),
      as_names: file('names', 'asn,name\nAS50,Fifty, of names\n30 Thirty of names\n'),
    });
    enriched(
      { src_addr: '198.51.100.1', dst_addr: '2001:db8::1' },
      { src_addr: '10.0.0.1', src_as: 50, dst_addr: '203.0.113.1' },
      { src_addr: '10.0.0.1', src_as: 60, dst_addr: '10.0.0.1', dst_as: 50 },
    );
    expect(names().sort()).toEqual([
      'as 20 Twenty of the database',
      'as 30 Thirty of names',
      'as 40 Forty; of "prefixes"',
      'as 50 Fifty, of names',
    ]);
    expect(names()).toEqual([]);
  });

  test.each([
    ['as_prefixes', '192.0.2.0/24,1\n\nnowhere,2\n', 'Line 3: "nowhere" is not a network, write it like 192.0.2.0/24'],
    ['as_prefixes', '192.0.2.0/24,x\n', 'Line 1: "x" is not an AS number'],
    ['as_prefixes', '192.0.2.0/24\n', 'Line 1: "" is not an AS number'],
    ['as_names', 'asn,name\nfifteen,x\n', 'Line 2: "fifteen" is not an AS number'],
    ['as_names', '# nothing\n', 'It has no lines'],
  ])('%s: %j is refused', async (key, content, message) => {
    const path = file('broken', content);
    await start({ [key]: path });
    expect(enrich?.status().files).toMatchObject([{ path, error: message, loadedMs: 0 }]);
    expect(logged).toEqual([`enrichment file cannot be used ${JSON.stringify({ file: path, error: message })}`]);
  });
});

test('a database that is replaced changes the next record, and its names are told anew; a broken one changes nothing', async () => {
  const path = database('geo', [
    { network: '198.51.100.0/24', record: { country_code: 'AT', asn: 'AS20', as_name: 'Old' } },
  ]);
  await start({ databases: [path] });
  const look = (): [string, string[]] => {
    const batch = enriched({ src_addr: '198.51.100.1' });
    return [formatCountry(numbersOf(batch, 'src_country')[0] as number), names()];
  };
  expect(look()).toEqual(['AT', ['as 20 Old']]);
  expect(look()).toEqual(['AT', []]);
  const changed = async (done: () => boolean): Promise<void> => {
    for (let i = 0; i < 400 && !done(); i++) await sleep(20);
  };
  database('geo', [{ network: '198.51.100.0/24', record: { country_code: 'BE', asn: 'AS20', as_name: 'New' } }]);
  await changed(() => enrich?.status().files[0]?.loads === 2);
  expect(look()).toEqual(['BE', ['as 20 New']]);
  file('geo', 'this is none');
  await changed(() => enrich?.status().files[0]?.failures === 1);
  expect(enrich?.status().files[0]).toMatchObject({
    loads: 2,
    entries: 1,
    error: expect.stringMatching(/^It is no MaxMind/) as string,
  });
  expect(look()).toEqual(['BE', []]);
});
