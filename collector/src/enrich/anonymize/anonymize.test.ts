import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ANONYMIZE_DEFAULTS, type AnonymizeConfig, type AnonymizeRule } from './config.ts';
import { createAnonymize } from './anonymize.ts';
import { NETWORKS_DEFAULTS } from '../networks/config.ts';
import { createNetworks } from '../networks/networks.ts';
import { noTables } from '../testing/tables.ts';
import { addressesOf, batchOf, numbersOf, type Row } from '../testing/batch.ts';

const { isOwn } = createNetworks(NETWORKS_DEFAULTS, noTables);
const folder = mkdtempSync(join(tmpdir(), 'ringflow-anonymize-'));
afterAll(() => rmSync(folder, { recursive: true }));
const keyFile = (name: string, content: string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const SAMPLE_KEY = '1522178d33a4cf80130a5b1649907d10d8988f8379796527' + '62574c2d2a842202';

async function anonymized(rows: readonly Row[], rules: AnonymizeRule[], columns?: AnonymizeConfig['columns']) {
  const anonymize = createAnonymize({ ...ANONYMIZE_DEFAULTS, rules, ...(columns ? { columns } : {}) }, isOwn);
  await anonymize.start();
  const batch = batchOf(rows);
  anonymize.step(batch, 0, batch.rows);
  return batch;
}

const rows: Row[] = [
  { src_addr: '10.1.2.3', dst_addr: '198.51.100.77' },
  { src_addr: '2001:db8:1:2:3:4:5:6', dst_addr: 'fd00:1:2:3::9' },
];

test('truncated: the network stays, the host goes', async () => {
  const batch = await anonymized(rows, [{ networks: 'all', method: 'truncate' }]);
  expect(addressesOf(batch, 'src_addr')).toEqual(['10.1.2.0', '2001:db8:1::']);
  expect(addressesOf(batch, 'dst_addr')).toEqual(['198.51.100.0', 'fd00:1:2::']);
});

test.each([
  [0, 0, '0.0.0.0', '::'],
  [20, 33, '10.1.0.0', '2001:db8::'],
  [31, 127, '10.1.2.2', '2001:db8:1:2:3:4:5:6'],
  [32, 128, '10.1.2.3', '2001:db8:1:2:3:4:5:6'],
])('truncated to %i and %i bits', async (v4_bits, v6_bits, v4, v6) => {
  const batch = await anonymized(rows, [{ networks: 'all', method: 'truncate', v4_bits, v6_bits }]);
  expect(addressesOf(batch, 'src_addr')).toEqual([v4, v6]);
});

test('own addresses, or all but them, or some; the first rule that fits decides', async () => {
  const own = await anonymized(rows, [{ networks: 'own', method: 'truncate' }]);
  expect(addressesOf(own, 'src_addr')).toEqual(['10.1.2.0', '2001:db8:1:2:3:4:5:6']);
  expect(addressesOf(own, 'dst_addr')).toEqual(['198.51.100.77', 'fd00:1:2::']);
  const others = await anonymized(rows, [{ networks: 'all-but-own', method: 'truncate' }]);
  expect(addressesOf(others, 'src_addr')).toEqual(['10.1.2.3', '2001:db8:1::']);
  expect(addressesOf(others, 'dst_addr')).toEqual(['198.51.100.0', 'fd00:1:2:3::9']);
  const some = await anonymized(rows, [
    { networks: ['10.1.2.3', '198.51.100.0/24'], method: 'keep' },
    { networks: 'all', method: 'truncate', v6_bits: 16 },
  ]);
  expect(addressesOf(some, 'src_addr')).toEqual(['10.1.2.3', '2001::']);
  expect(addressesOf(some, 'dst_addr')).toEqual(['198.51.100.77', 'fd00::']);
});

test('Crypto-PAn with a key from a file; an address has one pseudonym in all columns', async () => {
  const batch = await anonymized(
    [
      { src_addr: '128.11.68.132', dst_addr: '24.14.213.138', nat_src_addr: '64.39.15.238', next_hop: '4.3.88.225' },
      { src_addr: '24.14.213.138', dst_addr: '128.11.68.132', sampler_address: '24.14.213.138', bytes: 9 },
    ],
    [{ networks: 'all', method: 'cryptopan', key_file: keyFile('sample.key', `${SAMPLE_KEY}\n`) }],
  );
  expect(addressesOf(batch, 'src_addr')).toEqual(['135.242.180.132', '100.1.42.141']);
  expect(addressesOf(batch, 'dst_addr')).toEqual(['100.1.42.141', '135.242.180.132']);
  // What is absent stays absent.
  expect(addressesOf(batch, 'nat_src_addr')).toEqual(['0.219.7.41', '::']);
  expect(addressesOf(batch, 'next_hop')).toEqual(['124.60.155.63', '::']);
  // Who exported it is no secret, and names hang on it.
  expect(addressesOf(batch, 'sampler_address')).toEqual(['::', '24.14.213.138']);
  expect(numbersOf(batch, 'bytes')).toEqual([0, 9]);
});

test('columns are a setting', async () => {
  const batch = await anonymized(rows, [{ networks: 'all', method: 'truncate' }], ['dst_addr']);
  expect(addressesOf(batch, 'src_addr')).toEqual(['10.1.2.3', '2001:db8:1:2:3:4:5:6']);
  expect(addressesOf(batch, 'dst_addr')).toEqual(['198.51.100.0', 'fd00:1:2::']);
});

test('rows that were anonymized once are not anonymized again', async () => {
  const anonymize = createAnonymize(
    {
      ...ANONYMIZE_DEFAULTS,
      rules: [{ networks: 'all', method: 'cryptopan', key_file: keyFile('again.key', SAMPLE_KEY) }],
    },
    isOwn,
  );
  await anonymize.start();
  const batch = batchOf([{ src_addr: '128.11.68.132' }, { src_addr: '128.11.68.132' }]);
  anonymize.step(batch, 0, 1);
  anonymize.step(batch, 1, 2);
  expect(addressesOf(batch, 'src_addr')).toEqual(['135.242.180.132', '135.242.180.132']);
});

test('without its key nothing is stored', async () => {
  const rule: AnonymizeRule = { networks: 'all', method: 'cryptopan', key_file: join(folder, 'absent.key') };
  const absent = createAnonymize({ ...ANONYMIZE_DEFAULTS, rules: [rule] }, isOwn);
  await expect(absent.start()).rejects.toThrow(/^enrich\.anonymize\.rules\.0\.key_file: .*absent\.key: ENOENT/);
  expect(() => absent.step(batchOf(rows), 0, 2)).toThrow('the key has not been read');
  const short = { ...rule, key_file: keyFile('short.key', 'hunter2') };
  const wrong = createAnonymize({ ...ANONYMIZE_DEFAULTS, rules: [short] }, isOwn).start();
  await expect(wrong).rejects.toThrow('It is no Crypto-PAn key');
  await expect(wrong).rejects.toThrow(
    expect.not.objectContaining({ message: expect.stringContaining('hunter2') as string }),
  );
});

test.each<[AnonymizeRule, string]>([
  [{ networks: ['nowhere'], method: 'truncate' }, 'enrich.anonymize.rules.0.networks: nowhere is not a network'],
  [{ networks: 'all', method: 'cryptopan' }, 'enrich.anonymize.rules.0: the method cryptopan needs a key_file'],
])('what cannot be configured says so: %j', (rule, message) => {
  expect(() => createAnonymize({ ...ANONYMIZE_DEFAULTS, rules: [rule] }, isOwn)).toThrow(message);
});
