import { copyFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { nameId, type NameEntry } from '@ringflow/contract';
import { createEnrich, ENRICH_COLUMNS, ENRICH_DEFAULTS, type Enrich, type EnrichConfig } from '../index.ts';
import { REPUTATION_DEFAULTS, type ReputationConfig, type ReputationListConfig } from './config.ts';
import { batchOf, numbersOf, type Row } from '../testing/batch.ts';

const FIXTURES = join(__dirname, 'testdata');
const NOW = Date.parse('2026-11-21T02:00:00Z');

let folder: string;
let enrich: Enrich;
let nowMs: number;
let names: Map<number, NameEntry>;
const logged: string[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ringflow-reputation-'));
  nowMs = NOW;
  names = new Map();
  logged.length = 0;
});
afterEach(async () => {
  await enrich.stop();
  rmSync(folder, { recursive: true });
});

const fixture = (file: string): string => join(FIXTURES, file);
/** Puts a file into place as those who fetch lists should: under another name first. */
function write(name: string, text: string): string {
  writeFileSync(join(folder, 'new'), text);
  renameSync(join(folder, 'new'), join(folder, name));
  return join(folder, name);
}

async function start(
  lists: readonly ReputationListConfig[],
  reputation: Partial<ReputationConfig> = {},
  config: Partial<EnrichConfig> = {},
): Promise<void> {
  const log = (fields: object, message: string): void => void logged.push(`${message} ${JSON.stringify(fields)}`);
  enrich = createEnrich(
    {
      ...ENRICH_DEFAULTS,
      ...config,
      reputation: { ...REPUTATION_DEFAULTS, keep_documentation: true, ...reputation, lists },
    },
    { now: () => nowMs, log: { info: log, warn: log } },
  );
  await enrich.start();
}

/** Labels of both ends of records, by the names that were told. */
function labels(...rows: Row[]): [src: string, dst: string][] {
  const batch = batchOf(rows, ENRICH_COLUMNS);
  enrich.step(batch, 0, rows.length);
  for (const entry of enrich.takeNames()) if (entry.kind === 'threat') names.set(Number(entry.id), entry);
  const text = (id: number): string => (id === 0 ? '' : (names.get(id)?.name ?? `no name for ${id}`));
  const [src, dst] = [numbersOf(batch, 'src_threat'), numbersOf(batch, 'dst_threat')];
  return rows.map((_, row) => [text(src[row] as number), text(dst[row] as number)]);
}
const labelOf = (address: string): string => labels({ src_addr: address, dst_addr: '10.0.0.1' })[0]?.[0] as string;

async function until(done: () => boolean): Promise<void> {
  for (let i = 0; i < 600 && !done(); i++) await sleep(50);
  expect(done()).toBe(true);
}
const hosts = (count: number): string => Array.from({ length: count }, (_, i) => `198.51.100.${i}\n`).join('');

test('10.0.0.0/8 in a list never labels an inside host, nor do other bogons, nor what is ours', async () => {
  const own = ['10.0.0.0/8', '198.51.100.0/26'];
  await start([{ name: 'level1', path: fixture('level1.netset') }], {}, { own });
  expect(
    labels(
      { src_addr: '10.1.2.3', dst_addr: '198.51.100.100' },
      { src_addr: '192.168.1.1', dst_addr: '100.64.1.1' },
      { src_addr: '127.0.0.1', dst_addr: '224.0.0.5' },
      { src_addr: '198.51.100.1', dst_addr: '65.1.1.1' },
    ),
  ).toEqual([
    ['', 'level1'],
    ['', ''],
    ['', ''],
    ['', ''],
  ]);
});

test('both ends are labelled, and the name tells category, list and confidence', async () => {
  await start([
    { name: 'c2', path: fixture('feodo.csv') },
    { name: 'drop', path: fixture('drop_v4.json') },
  ]);
  expect(labels({ src_addr: '198.51.100.1', dst_addr: '192.0.2.50', dst_port: 443, proto: 6 })).toEqual([
    ['hijacked', 'bot:Emotet'],
  ]);
  expect(names.get(nameId('bot:Emotet'))).toMatchObject({
    kind: 'threat',
    id: String(nameId('bot:Emotet')),
    attributes: { category: 'bot', list: 'c2', confidence: '90' },
  });
});

test('all labels, own list first, then by confidence and by the age of the list', async () => {
  write('old.txt', '192.0.2.100\n');
  await start([
    { name: 'plain', path: join(folder, 'old.txt') },
    {
      name: 'attackers',
      path: write('a.ipset', '# ipv4 hash:ip ipset\n# This File Date  : Fri Nov 20 12:00:00 UTC 2026\n192.0.2.100\n'),
    },
    { name: 'drop', path: write('drop.txt', '192.0.2.0/24 ; SBL1\n') },
    { name: 'ours', path: fixture('own.csv') },
  ]);
  expect(labelOf('192.0.2.100')).toBe('bot,hijacked,plain,attackers');
  expect(labelOf('192.0.2.99')).toBe('hijacked');
  expect(enrich.status().reputation.map(({ list, hits }) => [list, hits])).toEqual([
    ['plain', { other: 1 }],
    ['attackers', { other: 1 }],
    ['drop', { hijacked: 2 }],
    ['ours', { bot: 1 }],
  ]);
});

test('an entry with a port matches traffic of that port, unless the list says otherwise', async () => {
  const rows = (port: number): Row => ({ src_addr: '10.0.0.1', dst_addr: '192.0.2.50', proto: 6, dst_port: port });
  await start([{ name: 'c2', path: fixture('feodo.csv') }]);
  expect(labels(rows(443), rows(80), rows(443)).map(([, dst]) => dst)).toEqual(['bot:Emotet', '', 'bot:Emotet']);
  expect(enrich.status().reputation[0]?.hits).toEqual({ bot: 2 });
  await enrich.stop();
  await start([{ name: 'c2', path: fixture('feodo.csv'), port_match: false }]);
  expect(labels(rows(80))).toEqual([['', 'bot:Emotet']]);
});

test('what is allowed has no labels, whatever the lists say', async () => {
  const plain = write('plain.txt', '192.0.2.53\n192.0.2.54\n192.0.2.55\n192.0.2.56\n');
  await start(
    [
      { name: 'plain', path: plain },
      { name: 'asndrop', path: fixture('asndrop.json') },
    ],
    { allow: ['192.0.2.54'], allow_files: [fixture('warninglist.json')] },
  );
  expect(['192.0.2.53', '192.0.2.54', '192.0.2.55'].map(labelOf)).toEqual(['', '', 'plain']);
  expect(labels({ src_addr: '192.0.2.54', src_as: 64_500, dst_addr: '10.0.0.1' })).toEqual([['', '']]);
});

test('ASN-DROP labels by AS number, beside labels of the address, and never an inside host', async () => {
  await start([
    { name: 'asndrop', path: fixture('asndrop.json') },
    { name: 'scanners', path: fixture('own.csv') },
  ]);
  expect(
    labels(
      { src_addr: '203.0.113.9', src_as: 64_500, dst_addr: '198.51.100.9', dst_as: 64_511 },
      { src_addr: '203.0.113.9', src_as: 64_499, dst_addr: '10.0.0.1', dst_as: 64_500 },
      { src_addr: '203.0.113.9', src_as: 64_502, dst_addr: '198.51.100.9' },
    ),
  ).toEqual([
    ['hijacked', 'scanner,hijacked'],
    ['', ''],
    ['spam', 'scanner'],
  ]);
  expect(enrich.status().reputation.map(({ hits }) => hits)).toEqual([{ hijacked: 2 }, { scanner: 2, spam: 1 }]);
});

test('an AS that is listed does not label public addresses of ours', async () => {
  const own = ['203.0.113.0/24'];
  await start([{ name: 'asndrop', path: fixture('asndrop.json') }], {}, { own });
  expect(labels({ src_addr: '203.0.113.9', src_as: 64_500, dst_addr: '198.51.100.9', dst_as: 64_500 })).toEqual([
    ['', 'hijacked'],
  ]);
});

test('an expired STIX indicator does not match, and one ceases to match when its time comes', async () => {
  await start([{ name: 'stix', path: fixture('stix.json') }]);
  expect(['192.0.2.71', '192.0.2.72', '192.0.2.75'].map(labelOf)).toEqual(['compromised', '', '']);
  nowMs = Date.parse('2027-01-01T00:00:01Z');
  // The cache of addresses is told within seconds.
  await until(() => labelOf('192.0.2.71') === '');
  expect(labelOf('192.0.2.75')).toBe('botnet');
}, 30_000);

test('a truncated file keeps the old list and raises the metric', async () => {
  const path = write('plain.txt', hosts(100));
  await start([{ name: 'plain', path }]);
  expect(labelOf('198.51.100.99')).toBe('plain');
  write('plain.txt', hosts(49));
  await until(() => enrich.status().reputation[0]?.error !== null);
  expect(enrich.status().reputation[0]).toMatchObject({ accepted: 100, failures: 1 });
  expect(enrich.status().files[0]).toMatchObject({ entries: 100, loads: 1, failures: 1 });
  expect(enrich.status().reputation[0]?.error).toMatch(/^It has 49 entries, before it had 100: not taken over/);
  expect(labelOf('198.51.100.99')).toBe('plain');
  expect(logged.at(-1)).toMatch(/^enrichment file cannot be used, the one before stays/);
  // Fewer, but not that few.
  write('plain.txt', hosts(60));
  await until(() => enrich.status().reputation[0]?.error === null);
  expect([labelOf('198.51.100.99'), labelOf('198.51.100.59')]).toEqual(['', 'plain']);
}, 60_000);

test.each([
  ['drop_v4.json', '{"cidr":"198.51.100.0/25"}\n{"cidr":"203.0.113.0/26"}\n', 'It ends early: its last line is not'],
  [
    'level1.netset',
    '# ipv4 hash:net ipset\n# Entries : 3 subnets, 768 unique IPs\n192.0.2.0/24\n',
    'It ends early: it says that it has 3',
  ],
  ['feodo.csv', '<html>\n<p>Try again later\n', 'Most of it cannot be read. Line 1: "<html>"'],
  ['stix.json', '{"type": "bundle", "objects": [{', 'JSON'],
  ['own.csv', '', 'It is empty'],
])(
  '%s: only the beginning, or something else, is not taken',
  async (file, text, message) => {
    copyFileSync(fixture(file), join(folder, file));
    await start([{ name: 'list', path: join(folder, file) }]);
    const before = enrich.status().reputation[0]?.accepted;
    expect(before).toBeGreaterThan(0);
    write(file, text);
    await until(() => enrich.status().reputation[0]?.error !== null);
    expect(enrich.status().reputation[0]?.error).toContain(message);
    expect(enrich.status().reputation[0]?.accepted).toBe(before);
  },
  30_000,
);

test('a list that shrinks is taken over when that is allowed; a list that is too old is not used', async () => {
  const path = write('plain.txt', hosts(100));
  await start([{ name: 'plain', path, allow_shrink: true, max_age_seconds: 60, expire_after_seconds: 3600 }]);
  nowMs = Date.now();
  write('plain.txt', hosts(1));
  await until(() => labelOf('198.51.100.0') === 'plain' && labelOf('198.51.100.99') === '');
  expect(enrich.status().reputation[0]).toMatchObject({ accepted: 1, isOld: false, isExpired: false });
  nowMs += 120_000;
  expect(enrich.status().reputation[0]).toMatchObject({ isOld: true, isExpired: false });
  nowMs += 3_600_000;
  expect(enrich.status().reputation[0]).toMatchObject({ isOld: true, isExpired: true });
  await until(() => labelOf('198.51.100.0') === '');
}, 60_000);

test('a file that is too large is not read; a list that is switched off is not there', async () => {
  const path = write('plain.txt', hosts(200));
  await start(
    [
      { name: 'plain', path },
      { name: 'off', path, enabled: false },
    ],
    { max_file_bytes: 1024 },
  );
  expect(enrich.status().reputation).toMatchObject([
    { list: 'plain', accepted: 0, error: 'It has 2890 bytes, more than 1024 (enrich.reputation.max_file_bytes)' },
  ]);
  expect(labelOf('198.51.100.1')).toBe('');
});

test('what cannot be allowed says so', async () => {
  await start([]);
  expect(() =>
    createEnrich({ ...ENRICH_DEFAULTS, reputation: { ...REPUTATION_DEFAULTS, allow: ['10.0.0.0/99'] } }),
  ).toThrow('enrich.reputation.allow: 10.0.0.0/99 is not a network');
});
