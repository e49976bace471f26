import { nameId, type Attribute, type DataFrameJson } from '@ringflow/contract';
import { NO_NAMES, type NameLookup } from './index.ts';
import { createTestStore, sum, valuesOf, type TestRow, type TestStore } from './testing/store.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const T0 = Date.UTC(2026, 0, 10);

const DE = 0x4445;
const US = 0x5553;
const BERLIN = nameId('DE Berlin');
const LOST = nameId('nowhere');

const PLACES: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  [BERLIN]: { name: 'Berlin', country: 'DE', latitude: '52.52', longitude: '13.4' },
  [LOST]: { name: 'Somewhere', country: '' },
};

const NAMES: NameLookup = {
  ...NO_NAMES,
  named: (kind, id) => (kind === 'place' ? PLACES[id]?.['name'] : undefined),
  attributeValues: ({ kind, part }: Attribute) =>
    kind === 'place'
      ? Object.entries(PLACES).flatMap(([id, parts]) =>
          parts[part] ? [{ exporter: '', id: Number(id), value: parts[part] }] : [],
        )
      : [],
};

const row = (minute: number, bytes: number, more: Partial<TestRow>): TestRow => ({
  startMs: T0 + minute * MINUTE,
  endMs: T0 + minute * MINUTE + 10_000,
  bytes,
  packets: bytes / 100,
  sampling_rate: 1,
  sampler_address: '::ffff:192.0.2.1',
  ...more,
});

const TALK: Partial<TestRow> = {
  src_addr: '::ffff:10.0.0.1',
  dst_addr: '::ffff:198.51.100.9',
  service: 6 * 65_536 + 443,
};
const rows: TestRow[] = [
  row(0, 1_000_000, { ...TALK, src_country: DE, dst_country: US, src_place: BERLIN, dst_place: LOST }),
  row(1, 3_000_000, { ...TALK, src_country: DE, dst_country: US, src_place: BERLIN }),
  row(2, 500_000, {
    src_addr: '::ffff:198.51.100.9',
    dst_addr: '::ffff:10.0.0.1',
    service: 6 * 65_536 + 443,
    src_country: US,
    dst_country: DE,
    dst_place: BERLIN,
  }),
  row(3, 100_000, { src_addr: '::ffff:10.0.0.2', dst_addr: '::ffff:10.0.0.1', src_country: 0, dst_country: DE }),
  row(61, 64, { src_addr: '::ffff:10.0.0.2', dst_addr: '::ffff:10.0.0.1', packets: 1, dst_country: DE }),
  row(24 * 60 + 5, 65, { src_addr: '::ffff:10.0.0.2', dst_addr: '::ffff:10.0.0.1', packets: 1 }),
];

let store: TestStore | undefined;
beforeAll(async () => {
  store = await createTestStore();
  await store.insert(rows);
});
afterAll(async () => store?.close());

const ask = (query: object, toMs = T0 + HOUR): Promise<DataFrameJson[]> =>
  (store as TestStore).ask(query, T0, toMs, { names: NAMES });

const table = (frame: DataFrameJson | undefined, ...names: string[]): unknown[][] =>
  valuesOf<unknown>(frame, names[0] as string).map((_, at) => names.map((name) => valuesOf<unknown>(frame, name)[at]));

describe('graph', () => {
  test('two hosts that talk are two nodes and an edge each way, with the bytes that were sent', async () => {
    const [nodes, edges] = await ask({
      kind: 'graph',
      groupBy: ['src_addr', 'dst_addr'],
      filter: 'addr = 198.51.100.9',
    });
    expect(nodes?.schema).toMatchObject({ name: 'nodes', meta: { preferredVisualisationType: 'nodeGraph' } });
    expect(edges?.schema).toMatchObject({ name: 'edges', meta: { preferredVisualisationType: 'nodeGraph' } });
    expect(table(nodes, 'id', 'title', 'detail__sent_bytes', 'detail__received_bytes')).toEqual([
      ['addr:10.0.0.1', '10.0.0.1', 4_000_000, 500_000],
      ['addr:198.51.100.9', '198.51.100.9', 500_000, 4_000_000],
    ]);
    expect(table(edges, 'source', 'target', 'mainstat', 'secondarystat', 'detail__bytes')).toEqual([
      ['addr:10.0.0.1', 'addr:198.51.100.9', '4 MB', '2 flows', 4_000_000],
      ['addr:198.51.100.9', 'addr:10.0.0.1', '500 kB', '1 flow', 500_000],
    ]);
  });

  test('a node says what it sends and gets together, and what passes it once', async () => {
    const waysOf = (groupBy: string[]) => ask({ kind: 'graph', groupBy, filter: 'addr = 198.51.100.9' });
    const [ends] = await waysOf(['src_addr', 'dst_addr']);
    expect(table(ends, 'title', 'mainstat', 'secondarystat')).toEqual([
      ['10.0.0.1', '4.5 MB', '3 flows'],
      ['198.51.100.9', '4.5 MB', '3 flows'],
    ]);
    const [onTheWay] = await waysOf(['src_addr', 'proto', 'dst_addr']);
    expect(table(onTheWay, 'title', 'mainstat')).toContainEqual(['HOPOPT', '4.5 MB']);
    expect(Math.max(...valuesOf(onTheWay, 'nodeRadius'))).toBe(Math.min(...valuesOf(onTheWay, 'nodeRadius')));
  });

  test('arcs of a node add up to one circle, inside and outside in colours of their own', async () => {
    const [nodes] = await ask({ kind: 'graph', groupBy: ['src_addr', 'dst_addr'] });
    const arcs = nodes?.schema.fields.filter(({ name }) => name.startsWith('arc__')) ?? [];
    expect(arcs.map(({ name }) => name)).toEqual([
      'arc__internal_sent',
      'arc__internal_received',
      'arc__external_sent',
      'arc__external_received',
    ]);
    expect(new Set(arcs.map(({ config }) => config.color?.fixedColor)).size).toBe(4);
    valuesOf(nodes, 'id').forEach((_, at) =>
      expect(sum(arcs.map(({ name }) => valuesOf(nodes, name)[at] as number))).toBeCloseTo(1, 9),
    );
  });

  test('every end of an edge is a node, edges by width are edges by bytes, and a way has as many edges as gaps', async () => {
    const [nodes, edges] = await ask({ kind: 'graph', groupBy: ['src_addr', 'service', 'dst_addr'] });
    const ids = new Set(valuesOf<string>(nodes, 'id'));
    for (const end of [...valuesOf<string>(edges, 'source'), ...valuesOf<string>(edges, 'target')])
      expect(ids).toContain(end);
    const [bytes, width] = [valuesOf(edges, 'detail__bytes'), valuesOf(edges, 'thickness')];
    const order = (values: number[]): number[] =>
      values.map((_, at) => at).sort((a, b) => (values[b] as number) - (values[a] as number) || a - b);
    expect(order(width)).toEqual(order(bytes));
    // Each record passes two edges.
    expect(sum(bytes)).toBe(2 * 4_600_000);
  });

  test('what is not drawn is said, so that shown and other are the total', async () => {
    const [, edges] = await ask({ kind: 'graph', groupBy: ['src_addr', 'dst_addr'], limit: 1 });
    const [nodes] = await ask({ kind: 'graph', groupBy: ['src_addr', 'dst_addr'], limit: 1 });
    expect(valuesOf(edges, 'detail__bytes')).toEqual([4_000_000]);
    expect(nodes?.schema.meta.notices).toContainEqual({
      severity: 'info',
      code: 'truncated',
      text: 'The top 1 ways are drawn; 600 kB take others',
    });
  });
});

describe('geo', () => {
  test('countries: code, coordinates, and the bytes of each', async () => {
    const [frame] = await ask({ kind: 'geo', groupBy: ['src_country'] });
    expect(frame?.schema.fields.map(({ name }) => name)).toEqual([
      'src_country',
      'name',
      'lookup',
      'latitude',
      'longitude',
      'bytes',
      'packets',
      'flows',
      'share',
    ]);
    expect(table(frame, 'lookup', 'latitude', 'longitude', 'bytes')).toEqual([
      ['DE', 51.2, 10.5, 4_000_000],
      ['US', 39.8, -98.6, 500_000],
    ]);
    expect(frame?.schema.meta.notices).toContainEqual({
      severity: 'info',
      code: 'no_place',
      text: '100 kB has no place on the map',
    });
  });

  test('places: their own coordinates', async () => {
    const [frame] = await ask({ kind: 'geo', groupBy: ['src_place'] });
    expect(table(frame, 'name', 'lookup', 'latitude', 'longitude', 'bytes')).toEqual([
      ['Berlin', 'DE', 52.52, 13.4, 4_000_000],
    ]);
  });

  test('pairs of countries: nodes with coordinates, an edge per pair', async () => {
    const [nodes, edges] = await ask({ kind: 'geo', groupBy: ['src_country', 'dst_country'] });
    expect(table(nodes, 'id', 'title', 'lookup', 'latitude')).toEqual([
      [String(DE), 'DE', 'DE', 51.2],
      [String(US), 'US', 'US', 39.8],
    ]);
    expect(table(edges, 'source', 'target', 'detail__bytes')).toEqual([
      [String(DE), String(US), 4_000_000],
      [String(US), String(DE), 500_000],
    ]);
  });

  test('what is no place is refused', async () => {
    await expect(ask({ kind: 'geo', groupBy: ['src_addr'] })).rejects.toThrow('country or place');
    await expect(ask({ kind: 'geo' })).rejects.toThrow('country or place');
  });
});

describe('heatmap', () => {
  test('sizes of records: a row per power of two, whose sums are those of the time series', async () => {
    const query = { metric: 'flows', measure: 'total', intervalMs: HOUR } as const;
    const end = T0 + 2 * HOUR;
    const [frame] = await ask({ ...query, kind: 'heatmap', groupBy: ['bytes'] }, end);
    const [series] = await ask({ ...query, kind: 'timeseries' }, end);
    expect(frame?.schema.meta.type).toBe('heatmap-rows');
    const names = frame?.schema.fields.map(({ name }) => name) ?? [];
    expect(names).toEqual(['time', ...Array.from({ length: 17 }, (_, at) => String(2 ** (6 + at)))]);
    // 64 bytes are in the row that ends at 64; 100,000 in 2^17, 500,000 in 2^19, a million in 2^20, three in 2^22.
    expect(
      ['64', String(2 ** 17), String(2 ** 19), String(2 ** 20), String(2 ** 22)].map((name) => valuesOf(frame, name)),
    ).toEqual([
      [0, 1],
      [1, 0],
      [1, 0],
      [1, 0],
      [1, 0],
    ]);
    const totals = [0, 1].map((at) => sum(names.slice(1).map((name) => valuesOf(frame, name)[at] as number)));
    expect(totals).toEqual(valuesOf(series, 'flows'));
  });

  test.each(['duration', 'bps', 'pps', 'bpp', 'packets'])('records by %s', async (field) => {
    const [frame] = await ask({
      kind: 'heatmap',
      groupBy: [field],
      metric: 'flows',
      measure: 'total',
      intervalMs: HOUR,
    });
    const rowsOfFrame = frame?.data.values.slice(1) as number[][];
    expect(sum(rowsOfFrame.flat())).toBe(4);
  });

  test('a field over time: a row per value, largest on top', async () => {
    const [frame] = await ask({ kind: 'heatmap', groupBy: ['src_addr'], measure: 'total', intervalMs: HOUR });
    expect(frame?.schema.fields.map(({ name }) => name)).toEqual(['time', '10.0.0.2', '198.51.100.9', '10.0.0.1']);
    expect(valuesOf(frame, '10.0.0.1')).toEqual([4_000_000]);
  });

  test('hours of the day over days', async () => {
    const [frame] = await ask({ kind: 'heatmap', groupBy: ['hour'], measure: 'total' }, T0 + 48 * HOUR);
    expect(frame?.schema.fields).toHaveLength(25);
    expect(valuesOf(frame, 'time')).toEqual([T0, T0 + 24 * HOUR]);
    expect([valuesOf(frame, '00:00'), valuesOf(frame, '01:00'), valuesOf(frame, '02:00')]).toEqual([
      [4_600_000, 65],
      [64, 0],
      [0, 0],
    ]);
  });
});
