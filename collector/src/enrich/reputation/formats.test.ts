import { join } from 'node:path';
import { addressWords, parseAddress } from '@ringflow/contract';
import { findEntry, forEachMatch, NO_ENTRY } from '../tables/prefix-table.ts';
import { REPUTATION_DEFAULTS, type ReputationListConfig } from './config.ts';
import { loadAllowList, loadReputation } from './load.ts';
import { ENTRY, ENTRY_WORDS, tagAt, type ReputationTable } from './table.ts';

const FOLDER = join(__dirname, 'testdata');
const NOW = Date.parse('2026-11-21T02:00:00Z');

function load(
  file: string,
  list: Partial<ReputationListConfig> = {},
  keepDocumentation = true,
): Promise<ReputationTable> {
  return loadReputation({
    list: { name: 'test', path: join(FOLDER, file), ...list },
    rules: { ...REPUTATION_DEFAULTS, keep_documentation: keepDocumentation },
    own: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
    privateRanges: [],
    nowMs: NOW,
  });
}

const wordsOf = (address: string): Uint32Array => addressWords(parseAddress(address) as Uint8Array);

/** `label/category/confidence[:port]` of all entries for an address. */
function labelsOf(table: ReputationTable, address: string): string[] {
  const found: string[] = [];
  forEachMatch(table.networks, wordsOf(address), 0, (row) => {
    const { label, category, confidence } = tagAt(table, table.entries[row * ENTRY_WORDS + ENTRY.tag] as number);
    const port = table.entries[row * ENTRY_WORDS + ENTRY.port];
    found.push(`${label}/${category}/${confidence}${port ? `:${port}` : ''}`);
  });
  return found.sort();
}

const categories_file = join(FOLDER, 'iprep-categories.txt');

test.each<
  [file: string, format: string, accepted: number, skipped: number, dropped: number, broken: number, date: string]
>([
  ['level1.netset', 'plain', 2, 0, 7, 0, '2026-11-21T01:00:22Z'],
  ['attackers.ipset', 'plain', 3, 0, 0, 0, '2026-11-20T12:00:00Z'],
  ['plain.txt', 'plain', 4, 0, 0, 2, ''],
  ['drop_v4.json', 'drop', 2, 0, 1, 0, '2026-11-21T00:00:00Z'],
  ['drop_v6.json', 'drop', 1, 0, 0, 0, '2026-11-21T00:00:00Z'],
  ['asndrop.json', 'drop', 2, 0, 0, 0, '2026-11-21T00:00:00Z'],
  ['drop.txt', 'drop-text', 2, 0, 0, 1, '2026-11-21T00:02:08Z'],
  ['feodo.csv', 'feodo', 2, 0, 0, 1, '2026-11-21T01:05:44Z'],
  ['iprep.csv', 'iprep', 3, 1, 0, 1, ''],
  ['dshield.txt', 'dshield', 2, 0, 0, 1, '2026-11-21T01:22:00Z'],
  ['stix.json', 'stix', 5, 4, 0, 0, ''],
  ['misp-feed', 'misp', 5, 2, 0, 1, ''],
  ['misp-export.json', 'misp', 1, 1, 0, 0, ''],
  ['tags.yml', 'tags', 3, 1, 0, 1, ''],
  ['tags.csv', 'tags', 2, 0, 0, 0, ''],
  ['own.csv', 'csv', 4, 1, 0, 3, ''],
])(
  '%s is %s: %d taken, %d skipped, %d dropped, %d broken',
  async (file, format, accepted, skipped, dropped, broken, date) => {
    const table = await load(file, file === 'iprep.csv' ? { categories_file } : {});
    expect(table).toMatchObject({ format, accepted, skipped, dropped, broken });
    expect(table.dateMs).toBe(date === '' ? 0 : Date.parse(date));
    expect(table.problem === '').toBe(broken === 0);
  },
);

test.each<[file: string, address: string, labels: string[]]>([
  ['level1.netset', '198.51.100.9', ['test/scanner/50']],
  ['level1.netset', '10.1.2.3', []],
  ['level1.netset', '65.1.2.3', []],
  ['attackers.ipset', '192.0.2.2', ['test/malware/50']],
  ['plain.txt', '2001:db8:bad:1::1', ['test//50']],
  ['plain.txt', '192.0.2.11', ['test//50']],
  ['plain.txt', '198.51.100.7', ['test//50']],
  ['drop_v4.json', '198.51.100.127', ['hijacked/hijacked/90']],
  ['drop_v4.json', '198.51.100.128', []],
  ['drop_v6.json', '2001:db8:6::9', ['hijacked/hijacked/90']],
  ['drop.txt', '203.0.113.1', ['hijacked/hijacked/90']],
  ['feodo.csv', '192.0.2.50', ['bot:Emotet/bot/90:443']],
  ['feodo.csv', '192.0.2.51', ['bot:Pikabot/bot/25:8080']],
  ['iprep.csv', '192.0.2.60', ['Bot/bot/50', 'CnC/bot/100']],
  ['iprep.csv', '192.0.2.79', ['Scanner/scanner/16']],
  ['iprep.csv', '192.0.2.61', []],
  ['dshield.txt', '198.51.100.200', ['scanner/scanner/60']],
  ['stix.json', '192.0.2.70', ['malicious-activity/malware/85']],
  ['stix.json', '198.51.100.65', ['compromised/compromised/50']],
  ['stix.json', '2001:db8:7::1', ['compromised/compromised/50']],
  ['stix.json', '192.0.2.71', ['compromised/compromised/50']],
  ['stix.json', '192.0.2.72', []],
  ['stix.json', '192.0.2.73', []],
  ['stix.json', '192.0.2.74', []],
  ['stix.json', '192.0.2.75', ['botnet/bot/50']],
  ['misp-feed', '192.0.2.80', ['Emotet//60']],
  ['misp-feed', '192.0.2.81', ['Emotet//60:8080']],
  ['misp-feed', '192.0.2.82', []],
  ['misp-feed', '192.0.2.83', ['Emotet//60']],
  ['misp-feed', '2001:db8:8::1', ['scanner/scanner/60']],
  ['misp-export.json', '192.0.2.84', ['botnet/bot/60']],
  ['tags.yml', '192.0.2.90', ['bot/bot/50', 'spam/spam/50']],
  ['tags.yml', '192.0.2.91', ['worm/worm/50']],
  ['tags.yml', '2001:db8:9::1', ['scanner/scanner/50']],
  ['tags.csv', '192.0.2.90', ['bot/bot/50', 'spam/spam/50']],
  ['own.csv', '192.0.2.100', ['bot/bot/95']],
  ['own.csv', '198.51.100.1', ['scanner/scanner/100']],
  ['own.csv', '192.0.2.101', []],
])('%s: %s is %j', async (file, address, labels) => {
  expect(labelsOf(await load(file, file === 'iprep.csv' ? { categories_file } : {}), address)).toEqual(labels);
});

test('AS numbers of lists, ascending', async () => {
  expect([...(await load('asndrop.json')).asns]).toEqual([64_500, 64_511]);
  expect([...(await load('misp-feed')).asns]).toEqual([64_501]);
  expect([...(await load('own.csv')).asns]).toEqual([64_502]);
});

test('what is configured wins over what the file says', async () => {
  const list = { label: 'c2', category: 'malware', confidence: 7, port_match: false } as const;
  expect(labelsOf(await load('feodo.csv', list), '192.0.2.50')).toEqual(['c2/malware/90']);
  expect(labelsOf(await load('plain.txt', list), '192.0.2.10')).toEqual(['c2/malware/7']);
  expect(labelsOf(await load('plain.txt', { name: 'ssh' }), '192.0.2.10')).toEqual(['ssh/ssh/50']);
});

test('a pattern in the path takes all files that fit', async () => {
  expect(await load('drop_v?.json')).toMatchObject({ accepted: 3, dropped: 1 });
  await expect(load('nothing*.json')).rejects.toThrow('No file fits nothing*.json');
});

test('documentation networks are dropped unless they are kept', async () => {
  expect(await load('attackers.ipset', {}, false)).toMatchObject({ accepted: 0, dropped: 3 });
});

test('the first problem is told with its line', async () => {
  expect((await load('plain.txt')).problem).toBe('Line 6: "not" is not an address or a network');
  expect((await load('own.csv')).problem).toBe('Line 7: "often" is not a confidence from 0 to 100');
  expect((await load('feodo.csv')).problem).toMatch(/^Line 12: "192\.0\.2\.52" and "none"/);
  await expect(load('iprep.csv')).rejects.toThrow('set categories_file');
});

test('an allow-list is a plain file or a MISP warninglist', async () => {
  const path = (file: string) => ({ path: join(FOLDER, file), maxBytes: 1_000_000 });
  const table = await loadAllowList(path('warninglist.json'));
  expect(findEntry(table, wordsOf('2001:db8:53:1::1'), 0)).not.toBe(NO_ENTRY);
  expect(findEntry(table, wordsOf('192.0.2.54'), 0)).toBe(NO_ENTRY);
  await expect(loadAllowList(path('plain.txt'))).rejects.toThrow('Line 4: "192.0.2.11 7" is not an address');
});
