import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { nameId, serviceOf, type NameEntry } from '@ringflow/contract';
import { createNames } from '../../inlet/names.ts';
import {
  createBatch,
  createDatagramInfo,
  createDecoder,
  readPcap,
  WIRE_DEFAULTS,
  type Batch,
} from '../../wire/index.ts';
import { classOfName, classifiedServices } from './classes.ts';
import { formatApplicationId } from './applications.ts';
import { createEnrich, ENRICH_COLUMNS, ENRICH_DEFAULTS, type Enrich, type EnrichConfig } from '../index.ts';
import { addRows, batchOf, numbersOf, wordsOf, type Row } from '../testing/batch.ts';

const TCP = 6;
const UDP = 17;
const GRE = 47;

const config: Partial<EnrichConfig> = {
  endpoints: { '192.0.2.10:8443/tcp': 'Payroll', '[2001:db8::1]:53/udp': 'Resolver' },
  applications: [
    { name: 'Film', class: 'video', prefixes: ['198.51.100.0/24', '2001:db8:1::/48'], ports: ['tcp/443', 'udp/443'] },
    { name: 'Cloud', as: [64_496, 64_497] },
    { name: 'Narrow', as: [64_498], prefixes: ['203.0.113.0/25'] },
  ],
  roles: { conversations: 1024 },
};

const createTestEnrich = (): Enrich => createEnrich({ ...ENRICH_DEFAULTS, ...config });

/** Name and rule of each row, by what was announced. */
function answersOf(batch: Batch, names: readonly NameEntry[]): string[] {
  const known = new Map(names.filter(({ kind }) => kind === 'app').map(({ id, name }) => [Number(id), name]));
  const rules = wordsOf(batch, 'app_rule');
  return numbersOf(batch, 'app').map((app, row) => `${known.get(app) || app} ${rules[row]}`);
}

function answers(rows: readonly Row[], enrich = createTestEnrich()): string[] {
  const batch = batchOf(rows, ENRICH_COLUMNS);
  enrich.step(batch, 0, rows.length);
  return answersOf(batch, enrich.takeNames());
}

const EXPORTER = '192.0.2.1';
const flow = {
  sampler_address: EXPORTER,
  src_addr: '10.0.0.1',
  dst_addr: '203.0.113.200',
  src_port: 40_000,
  dst_port: 443,
  proto: TCP,
};
const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));
const learned = (id: string, name: string, exporter = EXPORTER): NameEntry => ({
  kind: 'application',
  exporter,
  id,
  name,
  description: '',
  speedBps: 0,
  source: 'options',
  attributes: {},
});

test('5.5 one rule after the other, the first one that says something', () => {
  const enrich = createTestEnrich();
  enrich.learn([learned('0d0001c5', 'ms-teams'), learned('0d0001c6', 'other', '192.0.2.99')]);
  const endpoint = { ...flow, dst_addr: '192.0.2.10', dst_port: 8443 };
  const named = { app_name: 'web-browsing', app_id: bytes('0d0001c5'), vendor_app: 'ssl', dst_as: 64_496 };
  const rows: Row[] = [
    { ...endpoint, ...named },
    { ...flow, ...named },
    { ...flow, ...named, app_name: ' ' },
    { ...flow, ...named, app_name: '', app_id: bytes('0d0001c6') },
    { ...flow, ...named, app_name: '', app_id: bytes('00000000') },
    { ...flow, dst_as: 64_496 },
    flow,
    { ...flow, dst_port: 40_001 },
    { ...flow, proto: GRE },
    { sampler_address: EXPORTER },
  ];
  expect(answers(rows, enrich)).toEqual([
    'Payroll endpoint',
    'web-browsing application_name',
    'ms-teams application_id',
    '13:454 application_id',
    'ssl vendor',
    'Cloud prefix',
    `${serviceOf(TCP, 443)} port_table`,
    `${serviceOf(TCP, 40_000)} port`,
    `${serviceOf(GRE, 0)} port`,
    '0 ',
  ]);
});

test('5.5 endpoints and places are found at either end', () => {
  const ends: [Row, Row][] = [
    [
      { src_addr: '192.0.2.10', src_port: 8443 },
      { dst_addr: '192.0.2.10', dst_port: 8443 },
    ],
    [
      { src_addr: '2001:db8::1', src_port: 53, proto: UDP },
      { dst_addr: '2001:db8::1', dst_port: 53, proto: UDP },
    ],
    [{ src_addr: '198.51.100.9', src_port: 443, dst_port: 9 }, { dst_addr: '198.51.100.9' }],
    [
      { src_addr: '198.51.100.9', src_port: 80, dst_port: 9 },
      { dst_addr: '198.51.100.9', dst_port: 80 },
    ],
    [{ src_as: 64_497 }, { dst_as: 64_497 }],
    [
      { src_addr: '203.0.113.7', src_as: 64_498 },
      { dst_addr: '203.0.113.7', dst_as: 64_498 },
    ],
    // Network and AS of different ends.
    [
      { src_addr: '203.0.113.7', dst_as: 64_498 },
      { src_as: 64_498, dst_addr: '203.0.113.7' },
    ],
  ];
  const rows = ends.flatMap(([atSrc, atDst]) => [
    { ...flow, ...atSrc },
    { ...flow, ...atDst },
  ]);
  const names = ['Payroll endpoint', 'Resolver endpoint', 'Film prefix'].flatMap((answer) => [answer, answer]);
  const web = serviceOf(TCP, 443);
  const port9 = serviceOf(TCP, 80);
  expect(answers(rows)).toEqual([
    ...names,
    `${serviceOf(TCP, 9)} port_table`,
    `${port9} port_table`,
    ...['Cloud prefix', 'Cloud prefix', 'Narrow prefix', 'Narrow prefix'],
    `${web} port_table`,
    `${web} port_table`,
  ]);
});

test('5.5 what an exporter tells later holds for the next record', () => {
  const enrich = createTestEnrich();
  const row = { ...flow, app_id: bytes('0d0001c5') };
  expect(answers([row, row], enrich)).toEqual(['13:453 application_id', '13:453 application_id']);
  enrich.learn([learned('0d0001c5', 'webex-meeting')]);
  const batch = batchOf([row], ENRICH_COLUMNS);
  enrich.step(batch, 0, 1);
  expect(numbersOf(batch, 'app')).toEqual([nameId('webex-meeting')]);
  expect(enrich.takeNames()).toEqual([
    expect.objectContaining({
      kind: 'app',
      exporter: '',
      id: String(nameId('webex-meeting')),
      name: 'webex-meeting',
      source: 'enrich',
      attributes: { class: 'voice' },
    }),
  ]);
  // Each name is told once.
  addRows(batch, [row]);
  enrich.step(batch, 1, 2);
  expect(enrich.takeNames()).toEqual([]);
});

test('5.5 what exporters send as names cannot exhaust memory, and is made fit to be read', () => {
  const enrich = createTestEnrich();
  const batch = createBatch({ rowLimit: 100_000, columns: ENRICH_COLUMNS });
  addRows(
    batch,
    Array.from({ length: 70_000 }, (_, i) => ({ ...flow, app_name: `name ${i}` })),
  );
  enrich.step(batch, 0, batch.rows);
  const rules = wordsOf(batch, 'app_rule');
  expect(rules.filter((rule) => rule === 'application_name')).toHaveLength(65_536);
  expect(rules[69_999]).toBe('port_table');
  const other = createTestEnrich();
  expect(
    answers(
      [
        { ...flow, app_name: '\u0001a\u0000\u0007b\n' },
        { ...flow, app_name: bytes('ff') },
        { ...flow, app_name: 'x'.repeat(300) },
      ],
      other,
    ),
  ).toEqual(['a b application_name', '\ufffd application_name', `${'x'.repeat(256)} application_name`]);
});

test.each([
  ['0d0001c5', TCP, '13:453'],
  ['140000304400008f34', TCP, '20:12356:36660'],
  ['01000011', UDP, 'udp'],
  ['03000035', UDP, 'domain'],
  ['0300c351', UDP, '3:50001'],
  ['05000048', UDP, '5:72'],
  ['00000052', TCP, '0:82'],
  ['06ffffffffffffff', TCP, '6:72057594037927935'],
  ['0d', TCP, '13:0'],
])('RFC 6759 4.1 application id %s with protocol %i is %s', (hex, proto, text) => {
  expect(formatApplicationId(bytes(hex), proto)).toBe(text);
});

test('5.5 classes of names and services', () => {
  const names = [
    'bittorrent',
    'youtube',
    'ms-teams-audio',
    'DNS',
    'secure-http',
    'ssh',
    'snmp',
    'mysql',
    'smtp',
    'cifs',
    'openvpn',
    'what',
  ];
  expect(names.map(classOfName)).toEqual([
    'p2p',
    'video',
    'voice',
    'dns',
    'web',
    'remote-access',
    'management',
    'database',
    'mail',
    'file',
    'vpn',
    'other',
  ]);
  const services = classifiedServices();
  expect(
    [serviceOf(TCP, 443), serviceOf(UDP, 53), serviceOf(TCP, 6881), serviceOf(TCP, 22), serviceOf(TCP, 9)].map(
      (service) => services.get(service),
    ),
  ).toEqual(['web', 'dns', 'p2p?', 'remote-access', undefined]);
  const told = createTestEnrich().takeNames();
  expect(told).toContainEqual(
    expect.objectContaining({ kind: 'app', id: String(serviceOf(TCP, 443)), name: '', attributes: { class: 'web' } }),
  );
});

test.each<[Partial<EnrichConfig>, string]>([
  [{ endpoints: { '192.0.2.10': 'x' } }, 'enrich.endpoints: 192.0.2.10 is not an endpoint'],
  [{ endpoints: { '192.0.2.10:0/tcp': 'x' } }, 'enrich.endpoints: 192.0.2.10:0/tcp is not an endpoint'],
  [{ endpoints: { '2001:db8::1:53/udp': 'x' } }, 'enrich.endpoints: 2001:db8::1:53/udp is not an endpoint'],
  [{ applications: [{ name: 'x', prefixes: ['nowhere'] }] }, 'enrich.applications: nowhere of x is not a network'],
  [{ applications: [{ name: 'x', as: [1], ports: ['icmp/8'] }] }, 'enrich.applications: x: icmp/8 is not a port'],
  [{ applications: [{ name: 'x' }] }, 'enrich.applications: x names no network and no AS'],
])('what cannot be configured says so: %j', (wrong, message) => {
  expect(() => createEnrich({ ...ENRICH_DEFAULTS, ...wrong })).toThrow(message);
});

const CAPTURES = resolve(process.env['RINGFLOW_CAPTURES'] ?? join(__dirname, '../../../../../shared/captures'));
const withCaptures = existsSync(join(CAPTURES, 'pcap')) ? describe : describe.skip;
if (withCaptures === describe.skip) console.warn(`no captures in ${CAPTURES}: set RINGFLOW_CAPTURES`);

withCaptures('captures', () => {
  /** Decodes and enriches as the inlet does: names first, then the rows that came with them. */
  function answersTo(capture: string): string[] {
    const names = createNames(1000);
    const decoder = createDecoder(WIRE_DEFAULTS, names);
    const enrich = createTestEnrich();
    const batch = createBatch({ rowLimit: 1000, columns: ENRICH_COLUMNS });
    for (const { payload, source, arrivalMs } of readPcap(readFileSync(join(CAPTURES, 'pcap', `${capture}.pcap`))))
      decoder.decode(payload, source, arrivalMs, batch, createDatagramInfo());
    // So that they differ from the registered ones.
    enrich.learn(names.take().map((entry) => ({ ...entry, name: `their ${entry.name}` })));
    enrich.step(batch, 0, batch.rows);
    return [...new Set(answersOf(batch, enrich.takeNames()))].sort();
  }

  test('5.5 NBAR: names of the exporter, registered ones, and numbers that nobody named', () => {
    expect(answersTo('v9-cisco-nbar')).toEqual([
      '5:38 application_id',
      'ntp application_id',
      'their icmp application_id',
    ]);
    const numbers = ['13:1310', '13:453', '13:462', '13:473', '13:518', '13:64'];
    const services = ['domain', 'ntp', 'radius', 'snmp'];
    expect(answersTo('v9-cisco-asr1001x')).toEqual([...numbers, ...services].map((name) => `${name} application_id`));
  });

  test.each([
    [
      'v9-fortigate-542',
      [
        ...['20:12356:25843', '20:12356:36660', '20:12356:40568'].map((name) => `${name} application_id`),
        ...[serviceOf(TCP, 80), serviceOf(UDP, 53)].map((service) => `${service} port_table`),
      ],
    ],
    ['v9-paloalto-panos', ['incomplete vendor', 'ssl vendor']],
    ['ipfix-ixia-271', ['https vendor', 'unknown vendor']],
  ])('5.5 vendors: %s', (capture, expected) => {
    expect(answersTo(capture)).toEqual([...expected].sort());
  });
});
