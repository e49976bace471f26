import type { QueryResponse, ValuesResponse } from '@ringflow/contract';
import { createTestServer, insertSample, T0, type TestServer } from './testing/server.ts';

const MINUTE = 60_000;

let server: TestServer | undefined;
const at = (): TestServer => server as TestServer;

beforeAll(async () => {
  server = await createTestServer(T0 + 60 * MINUTE);
  await insertSample(server);
});
afterAll(async () => server?.close());

const asJson = async <T>(response: Response): Promise<T> => (await response.json()) as T;

describe('injection', () => {
  const attacks = [
    "'; DROP TABLE flows; --",
    '1 UNION ALL SELECT 1',
    'sleep(3)',
    '{q0:String}',
    "\\'",
    'src_addr) OR (1=1',
    '`flows`',
    "x' OR '1'='1",
    'file("/etc/passwd")',
    '\u0000',
    'hasOwnProperty',
    'constructor',
  ];
  const rowCount = async (): Promise<number> =>
    (await at().store.engine.select<{ n: number }>('SELECT count() AS n FROM flows'))[0]?.n ?? 0;

  test.each([
    'kind',
    'filter',
    'metric',
    'measure',
    'resolution',
    'limit',
    'offset',
    'intervalMs',
    'maxDataPoints',
    'other',
    'version',
  ])('%s takes no SQL', async (key) => {
    for (const attack of attacks) {
      const { A } = await at().query(
        [{ refId: 'A', kind: 'table', groupBy: ['src_addr'], [key]: attack }],
        T0,
        T0 + 60 * MINUTE,
      );
      if (key === 'version') expect(A?.status).toBe(200);
      else expect([key, attack, A?.code]).toEqual([key, attack, expect.stringMatching(/^(query_|filter_)/)]);
    }
    expect(await rowCount()).toBe(300);
  });

  test.each(['groupBy', 'columns', 'unique', 'sort'])('%s takes names of the registry only', async (key) => {
    for (const attack of attacks) {
      const kind = key === 'unique' ? 'stat' : key === 'groupBy' ? 'table' : 'records';
      const { A } = await at().query(
        [{ refId: 'A', kind, [key]: key === 'sort' ? [{ by: attack, descending: true }] : [attack] }],
        T0,
        T0 + 60 * MINUTE,
      );
      expect([attack, A?.status, A?.code]).toEqual([attack, 400, 'query_unknown_field']);
    }
  });

  test('values inside a filter reach the engine as parameters', async () => {
    for (const attack of attacks) {
      const { A } = await at().query(
        [
          {
            refId: 'A',
            kind: 'stat',
            filter: `exporter like ${JSON.stringify(attack)} or sampler_address = "192.0.2.2"`,
          },
        ],
        T0,
        T0 + 60 * MINUTE,
      );
      if (A?.status === 200) expect(A.frames[0]?.schema.meta.executedQueryString.split('\n')[0]).not.toContain(attack);
    }
    for (const attack of attacks.slice(0, 8)) {
      const response = await fetch(
        `${at().url}/api/v1/values?${new URLSearchParams({ field: 'src_addr', q: attack }).toString()}`,
      );
      expect([response.status, await asJson<ValuesResponse>(response)]).toEqual([
        200,
        { field: 'src_addr', values: [], complete: true },
      ]);
    }
    expect(await rowCount()).toBe(300);
  });

  test('a name of a query that is a name of JavaScript is only a name', async () => {
    const response = await at().post(
      '/api/v1/query',
      `{"from":${T0},"to":${T0 + MINUTE},"queries":[{"refId":"constructor","kind":"stat"}]}`,
    );
    expect(Object.keys((await asJson<QueryResponse>(response)).results)).toEqual(['constructor']);
    const poisoned = await at().post(
      '/api/v1/query',
      `{"from":${T0},"to":${T0 + MINUTE},"queries":[{"__proto__":{"kind":"stat"}}]}`,
    );
    expect(poisoned.status).toBe(400);
  });
});
