import { adHocToFilter, nameId, type QueryResponse, type ValuesResponse } from '@ringflow/contract';
import { valuesOf } from '../query/testing/store.ts';
import { createTestServer, insertSample, NAMES, T0, type TestServer } from './testing/server.ts';

const MINUTE = 60_000;
const CAMPUS = nameId('campus');

let server: TestServer | undefined;
const at = (): TestServer => server as TestServer;
beforeAll(async () => {
  server = await createTestServer(
    T0 + 60 * MINUTE,
    {},
    {},
    {
      names: {
        ...NAMES,
        named: (kind, id) => (kind === 'network' && id === CAMPUS ? 'campus' : NAMES.named(kind, id)),
        idsWhere: (kind, matches) =>
          kind === 'network' ? (matches('campus') ? [CAMPUS] : []) : NAMES.idsWhere(kind, matches),
      },
    },
  );
  await insertSample(at());
  await at().store.insert([
    {
      startMs: T0 + MINUTE,
      endMs: T0 + MINUTE,
      bytes: 5_000_000,
      packets: 1,
      src_network: CAMPUS,
      sampler_address: '::ffff:192.0.2.2',
      in_if: 9,
    },
  ]);
});
afterAll(async () => server?.close());

const values = async (query: Record<string, string>): Promise<ValuesResponse['values']> => {
  const search = new URLSearchParams({ from: String(T0), to: String(T0 + 60 * MINUTE), ...query });
  return ((await (await fetch(`${at().url}/api/v1/values?${search}`)).json()) as ValuesResponse).values;
};
const pairs = async (query: Record<string, string>): Promise<string[][]> =>
  (await values(query)).map(({ value, text }) => [value, text]);

test('exporters come with their names, interfaces of the exporters that were chosen', async () => {
  expect(await pairs({ field: 'exporter' })).toEqual([
    ['192.0.2.2', '192.0.2.2'],
    ['192.0.2.1', 'edge1 (192.0.2.1)'],
  ]);
  expect(await pairs({ field: 'in_if', filter: 'exporter = "edge1"' })).toEqual([['3', 'Gi0/3 (3)']]);
  expect(await pairs({ field: 'in_if', filter: 'exporter = 192.0.2.2' })).toEqual([
    ['9', '9'],
    ['3', '3'],
  ]);
});

test('other filters, the time range and the search decide what is offered', async () => {
  expect(await pairs({ field: 'proto', filter: 'dst_port = 443' })).toEqual([['TCP', 'TCP']]);
  expect(await pairs({ field: 'proto', from: String(T0 - 60 * MINUTE), to: String(T0) })).toEqual([]);
  expect((await values({ field: 'src_addr', q: '10.0.0.1', limit: '3' })).map(({ value }) => value)).toHaveLength(3);
});

test('every value that is offered can be filtered for, and gives the bytes that it was offered with', async () => {
  for (const field of ['sampler_address', 'src_network', 'src_as', 'proto', 'service', 'src_addr', 'type']) {
    for (const { value, bytes } of await values({ field, limit: '5' })) {
      const filter = adHocToFilter([{ key: field, operator: '=', value }]);
      const response = await at().post('/api/v1/query', {
        from: T0,
        to: T0 + 60 * MINUTE,
        queries: [{ kind: 'stat', filter, duplicates: 'count' }],
      });
      const { A } = ((await response.json()) as QueryResponse).results;
      expect([field, value, valuesOf(A?.frames[0], 'bytes')]).toEqual([field, value, [bytes]]);
    }
  }
  expect(await pairs({ field: 'src_network', limit: '1' })).toEqual([['campus', 'campus']]);
});

test('the id of a name that a label shows is a value, too', async () => {
  const { A } = await at().query(
    [{ kind: 'table', groupBy: ['src_network'], filter: 'src_network = "campus"' }],
    T0,
    T0 + 60 * MINUTE,
  );
  const [id] = valuesOf<string>(A?.frames[0], 'src_network');
  const { B } = await at().query(
    [
      {
        refId: 'B',
        kind: 'stat',
        filter: adHocToFilter([{ key: 'Source network', operator: '=', value: id as string }]),
      },
    ],
    T0,
    T0 + 60 * MINUTE,
  );
  expect(valuesOf(B?.frames[0], 'bytes')).toEqual([5_000_000]);
});

test('more series or records than there may be are answered with as many, and a notice', async () => {
  const results = await at().query(
    [
      { refId: 'A', kind: 'timeseries', groupBy: ['src_port'], limit: 1000, intervalMs: MINUTE },
      { refId: 'B', kind: 'records', limit: 1_000_000 },
    ],
    T0,
    T0 + 60 * MINUTE,
  );
  // 200 series and what is not shown.
  expect(results['A']?.frames).toHaveLength(201);
  expect(results['B']?.frames[0]?.data.values[0]).toHaveLength(301);
  for (const refId of ['A', 'B'])
    expect(results[refId]?.frames[0]?.schema.meta.notices[0]).toMatchObject({
      code: 'truncated',
      severity: 'warning',
    });
});
