import { nameId, type FlowQueryInput, type NameEntry, type NameKind } from '@ringflow/contract';
import { createInventory } from '../names/index.ts';
import { NAMES_DEFAULTS } from '../names/config.ts';
import { saveNames } from '../store/names.ts';
import { createTestStore, valuesOf, type TestRow, type TestStore } from './testing/store.ts';

const T0 = Date.UTC(2026, 0, 10, 12);
const EDGE = '192.0.2.1';
const CORE = '192.0.2.2';
const [BERLIN, PARIS] = ['DE,Berlin,Berlin,52.52,13.4', 'FR,Île-de-France,Paris,48.85,2.35'].map(nameId) as [
  number,
  number,
];
const [BOTH, CAMPUS] = ['lab,campus', 'campus'].map(nameId) as [number, number];
const BOT = nameId('bot:emotet,scanner');
const VIDEO = nameId('video');
const DE = 0x4445;
const FR = 0x4652;

const entry = (kind: NameKind, exporter: string, id: string | number, given: Partial<NameEntry>): NameEntry => ({
  kind,
  exporter,
  id: String(id),
  name: '',
  description: '',
  speedBps: 0,
  source: 'enrich',
  attributes: {},
  ...given,
});

const inventory = createInventory({
  ...NAMES_DEFAULTS,
  exporters: { [EDGE]: 'edge1' },
  classify: {
    exporters: [],
    interfaces: [{ match: { name: '^xe-0', exporter_name: '^edge' }, set: { provider: 'transit one' } }],
  },
});
const ENTRIES = [
  entry('exporter', EDGE, EDGE, { source: 'snmp', name: 'ignored', attributes: { site: 'ams' } }),
  entry('exporter', CORE, CORE, { name: 'core1', attributes: { site: 'fra' } }),
  entry('interface', EDGE, 1, { name: 'xe-0', speedBps: 800, attributes: { boundary: 'external' } }),
  entry('interface', EDGE, 2, { name: 'xe-1', attributes: { boundary: 'internal' } }),
  entry('interface', CORE, 1, { name: 'et-0', attributes: { boundary: 'internal' } }),
  entry('vrf', EDGE, 7, { name: 'customer red' }),
  entry('place', '', BERLIN, { name: 'Berlin', attributes: { city: 'Berlin', latitude: '52.52', longitude: '13.4' } }),
  entry('place', '', PARIS, { name: 'Paris', attributes: { city: 'Paris', latitude: '48.85', longitude: '2.35' } }),
  entry('as', '', 64_500, { name: 'Example Net' }),
  entry('network', '', BOTH, { name: 'lab,campus', attributes: { site: 'west' } }),
  entry('network', '', CAMPUS, { name: 'campus', attributes: { site: 'east' } }),
  entry('threat', '', BOT, { name: 'bot:emotet,scanner', attributes: { category: 'bot' } }),
  entry('app', '', VIDEO, { name: 'video', attributes: { class: 'video' } }),
];
inventory.update(ENTRIES);

const row = (given: Partial<TestRow>): TestRow => ({
  startMs: T0,
  endMs: T0 + 1000,
  bytes: 100,
  packets: 1,
  proto: 6,
  sampler_address: `::ffff:${EDGE}`,
  in_if: 1,
  ingress_vrf_id: 7,
  out_if: 2,
  src_addr: '::ffff:10.0.0.1',
  dst_addr: '::ffff:198.51.100.1',
  src_port: 50_000,
  dst_port: 443,
  client_side: 1,
  role_rule: 6,
  direction: 2,
  locality: 2,
  src_network: BOTH,
  dst_country: DE,
  dst_place: BERLIN,
  dst_as: 64_500,
  app: 6 * 65_536 + 443,
  dup: 0,
  ...given,
});

let store: TestStore | undefined;
beforeAll(async () => {
  store = await createTestStore();
  await saveNames(store.engine, ENTRIES, T0);
  await store.insert([
    row({}),
    // The answer: client and server change ends.
    row({
      src_addr: '::ffff:198.51.100.1',
      dst_addr: '::ffff:10.0.0.1',
      src_port: 443,
      dst_port: 50_000,
      bytes: 1000,
      client_side: 2,
      direction: 1,
      src_network: 0,
      dst_network: BOTH,
      src_country: DE,
      dst_country: 0,
      src_place: BERLIN,
      dst_place: 0,
      src_as: 64_500,
      dst_as: 0,
    }),
    // Another exporter saw the first one, too.
    row({ sampler_address: `::ffff:${CORE}`, dup: 2, in_if: 1, out_if: 9 }),
    row({ bytes: 10, src_network: CAMPUS, dst_country: FR, dst_place: PARIS, app: VIDEO, dst_threat: BOT, in_if: 2 }),
  ]);
});
afterAll(async () => store?.close());

async function table(groupBy: string[], filter = ''): Promise<Record<string, number>> {
  const [frame] = await (store as TestStore).ask({ kind: 'table', groupBy, filter }, T0, T0 + 60_000, {
    names: inventory,
  });
  const keys = groupBy.map((name) => valuesOf<string>(frame, name));
  return Object.fromEntries(valuesOf(frame, 'bytes').map((bytes, at) => [keys.map((key) => key[at]).join(' '), bytes]));
}

async function total(filter: string): Promise<number> {
  const [frame] = await (store as TestStore).ask({ kind: 'stat', filter }, T0, T0 + 60_000, { names: inventory });
  return valuesOf(frame, 'bytes')[0] as number;
}

test('5.2 client and server are two ends of one conversation, whichever way a record points', async () => {
  expect(await table(['client_addr', 'server_addr', 'server_port'])).toEqual({ '10.0.0.1 198.51.100.1 443': 1110 });
  expect(await table(['server_country'])).toEqual({ DE: 1100, FR: 10 });
  expect(await total('client_addr = 10.0.0.1 and server_port = 443')).toBe(1110);
  expect(await total('client_addr = 198.51.100.1')).toBe(0);
  expect(await total('server_as = "Example Net"')).toBe(1110);
});

test('5.8 what another record counts is left out of totals and counted for who saw it', async () => {
  expect(await total('')).toBe(1110);
  expect(await table(['direction'])).toEqual({ out: 110, in: 1000 });
  expect(await table(['exporter_name'])).toEqual({ edge1: 1110, core1: 100 });
  expect(await total(`exporter = ${CORE}`)).toBe(100);
  const [all] = await (store as TestStore).ask({ kind: 'stat', duplicates: 'count' }, T0, T0 + 60_000);
  expect(valuesOf(all, 'bytes')).toEqual([1210]);
  const [records] = await (store as TestStore).ask({ kind: 'records', columns: ['dup'] }, T0, T0 + 60_000);
  expect(valuesOf<string>(records, 'dup').sort()).toEqual(['', '', '', 'other_exporter']);
});

test.each([
  [['exporter_site'], { ams: 1110, fra: 100 }],
  [['in_if_name'], { 'xe-0': 1100, 'xe-1': 10, 'et-0': 100 }],
  [['in_if_boundary'], { external: 1100, internal: 110 }],
  [['in_if_provider'], { 'transit one': 1100, '': 110 }],
  [['ingress_vrf_name'], { 'customer red': 1110, '': 100 }],
  [['dst_city'], { Berlin: 100, Paris: 10, '': 1000 }],
  [['server_city'], { Berlin: 1100, Paris: 10 }],
  [['city'], { Berlin: 1100, Paris: 10, '': 1110 }],
  [['client_network_site'], { west: 1100, east: 10 }],
  [['dst_as_name'], { 'Example Net': 110, '': 1000 }],
  [['dst_threat_category'], { '': 1100, bot: 10 }],
  [['app_class'], { '': 1100, video: 10 }],
  [['dst_latitude', 'dst_longitude'], { '52.52 13.4': 100, '48.85 2.35': 10, ' ': 1000 }],
])('grouped by %s', async (groupBy, expected) => {
  expect(await table(groupBy)).toEqual(expected);
});

test.each([
  ['exporter_site = AMS', 1110],
  ['exporter_site = ""', 0],
  ['in_if_boundary = external', 1100],
  ['in_if_boundary != external', 110],
  ['in_if_provider = ""', 110],
  ['ingress_vrf_name = "customer red"', 1110],
  ['dst_city in ("Berlin", "Paris")', 110],
  ['city like "B%"', 1100],
  ['src_network = campus', 110],
  ['network = lab', 1100],
  ['network_site = east', 10],
  ['dst_threat = scanner', 10],
  ['dst_threat != ""', 10],
  ['src_network = ""', 1000],
  ['threat ~ "^bot:"', 10],
  ['dst_threat_category = bot', 10],
  ['app = video', 10],
  ['app = https', 1100],
  ['app = "https (TCP/443)"', 1100],
  ['country = de', 1100],
  ['direction = in', 1000],
  ['locality = public', 1110],
  ['role_rule = opposite_record', 0],
  ['role_rule in (known_port, lower_port)', 1110],
])('filtered by %s', async (filter, bytes) => {
  expect(await total(filter)).toBe(bytes);
});

test('a record shows names, cities and coordinates', async () => {
  const [frame] = await (store as TestStore).ask(
    {
      kind: 'records',
      filter: 'dst_country = FR',
      columns: ['dst_country', 'dst_as', 'dst_place', 'dst_city', 'dst_latitude', 'src_network', 'app', 'role_rule'],
    },
    T0,
    T0 + 60_000,
    { names: inventory },
  );
  const shown = Object.fromEntries(
    frame?.schema.fields.map(({ name }, at) => [name, frame.data.values[at]?.[0]]) ?? [],
  );
  expect(shown).toEqual({
    dst_country: 'FR',
    dst_as: 'AS64500',
    dst_as_name: 'Example Net',
    dst_place: String(PARIS),
    dst_place_name: 'Paris',
    dst_city: 'Paris',
    dst_latitude: 48.85,
    src_network: String(CAMPUS),
    src_network_name: 'campus',
    app: String(VIDEO),
    app_name: 'video',
    role_rule: 'known_port',
  });
});

test('utilization is percent of the speed of the interface, and nothing where nobody knows it', async () => {
  const query: FlowQueryInput = {
    groupBy: ['sampler_address', 'in_if'],
    measure: 'utilization',
    filter: `exporter = ${EDGE}`,
  };
  const ask = (more: FlowQueryInput) =>
    (store as TestStore).ask({ ...query, ...more }, T0, T0 + 60_000, { names: inventory });
  const [frame] = await ask({ kind: 'table' });
  const used = valuesOf<number | null>(frame, 'utilization');
  // 1,100 bytes in a minute of 800 bits per second.
  expect(Object.fromEntries(valuesOf<string>(frame, 'in_if').map((name, at) => [name, used[at]]))).toMatchObject({
    1: expect.anything(),
    2: null,
  });
  expect(used.find((value) => value !== null)).toBeCloseTo(18.333, 3);
  const series = await ask({ kind: 'timeseries', intervalMs: 60_000, other: false });
  const values = series[0]?.schema.fields.map((field, at) => [
    field.labels?.['in_if'] ?? field.name,
    field.config.unit,
    series[0]?.data.values[at]?.[0],
  ]);
  expect(values).toContainEqual(['1', 'percent', 18.333]);
  expect(values).toContainEqual(['2', 'percent', null]);
  await expect(ask({ kind: 'table', groupBy: ['in_if'] })).rejects.toThrow('utilization is of an interface');
});
