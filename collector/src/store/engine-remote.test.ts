import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { RESOLUTIONS, RINGS, TOP_RESOLUTIONS } from '@ringflow/contract';
import type { LoadResult } from './load.ts';
import { ENDLESS } from './testing/endless.ts';
import { createTraffic } from './testing/batches.ts';
import { startHttpFront, type HttpFront } from './testing/http-front.ts';
import { expectListsEqualRings } from './testing/top-lists.ts';
import { createWorld, firstRow, sums, type World } from './testing/world.ts';

const NOON = Date.UTC(2026, 2, 10, 12, 0, 0);
const LIMITS = { timeoutMs: 30_000, maxRows: 1000, maxMemoryBytes: 500e6 };

let world: World;
let front: HttpFront | null = null;

beforeEach(async () => {
  world = await createWorld();
});
afterEach(async () => {
  await world.remove();
  await front?.close();
  front = null;
});

/** Loads, queries and stops against a server: the same code as embedded, `url` alone is different. */
async function exercise(url: string, database: string, cluster = ''): Promise<void> {
  const results: LoadResult[] = [];
  let now = NOON;
  for (const seed of [1, 2, 3]) await world.seal(createTraffic({ rows: 1000, seed, receivedMs: NOON }));
  const watches = [{ name: 'web', sql: 'dst_port IN {ports:Array(UInt16)}', params: { ports: [80, 443] } }];
  const store = world.store(
    { url, database, cluster, top_k: 30 },
    { watches, onLoaded: (result) => results.push(result), now: () => now },
  );
  await store.start();
  expect(store.status().engine).toBe('remote');
  expect(await store.load()).toBe(true);
  expect(await firstRow(store, 'SELECT count() FROM flows')).toEqual([3000]);
  const { raw, rings } = await sums(store);
  expect(rings).toHaveLength(RINGS.length * RESOLUTIONS.length);
  for (const [, , ...totals] of rings) expect(totals).toEqual(raw);
  expect(store.ledger()).toEqual({ received: 3000, stored: 3000, waiting: 0, dropped: [], difference: 0 });
  const web = results.flatMap(({ traffic }) => traffic).filter(({ kind }) => kind === 'watch');
  expect(web.reduce((records, delta) => records + delta.records, 0)).toBe(
    (await firstRow(store, 'SELECT count() FROM flows WHERE dst_port IN (80, 443)'))[0],
  );

  const exported = await store.exportRows(
    { sql: 'SELECT bytes, proto FROM flows WHERE proto < {most:UInt8}', params: { most: 255 } },
    { id: randomUUID(), ...LIMITS, maxRows: 10_000, maxBytes: 1e6, format: 'CSV' },
  );
  expect(readFileSync(exported.path, 'utf8').trim().split('\n')).toHaveLength(3000);
  await expect(
    store.exportRows(
      { sql: 'SELECT bytes FROM flows', params: {} },
      { id: randomUUID(), ...LIMITS, maxBytes: 1e6, format: 'CSV' },
    ),
  ).rejects.toMatchObject({ code: 'query_rows' });

  const result = await store.run(
    {
      sql: 'SELECT {text:String} AS a, {list:Array(String)} AS b',
      params: { text: "o'hare \\ \t\n", list: ["it's", 'b'] },
    },
    { id: randomUUID(), ...LIMITS },
  );
  expect(result.columns).toEqual([["o'hare \\ \t\n"], [["it's", 'b']]]);
  await expect(store.run({ sql: 'DROP TABLE flows', params: {} }, { id: randomUUID(), ...LIMITS })).rejects.toThrow();
  await expect(
    store.run(
      { sql: 'SELECT i FROM (SELECT arrayJoin(range(2000)) AS i)', params: {} },
      { id: randomUUID(), ...LIMITS },
    ),
  ).rejects.toMatchObject({ code: 'query_rows' });
  const abort = new AbortController();
  setTimeout(() => abort.abort(), 300);
  const slow = { sql: ENDLESS, params: {} };
  await expect(store.run(slow, { id: randomUUID(), ...LIMITS, signal: abort.signal })).rejects.toMatchObject({
    code: 'query_cancelled',
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  const running =
    "SELECT count() FROM system.processes WHERE query LIKE '%cityHash64(i%' AND query NOT LIKE '%processes%'";
  expect((await (await fetch(`${url}/?query=${encodeURIComponent(running)}`)).text()).trim()).toBe('0');

  await store.saveNames([
    {
      exporter: '192.0.2.1',
      kind: 'interface',
      id: '7',
      name: "it's",
      description: '',
      speedBps: 1e9,
      source: 'options',
      attributes: {},
    },
  ]);
  expect((await store.loadNames()).map(({ name }) => name)).toEqual(["it's"]);
  now = NOON + 60 * 3_600_000;
  while (await store.consolidate());
  await expectListsEqualRings(store);
  expect(await store.retain()).toEqual([]);
  await store.stop();

  const again = world.store({ url, database, cluster }, { now: () => NOON });
  await again.start();
  expect(again.status().migration).toMatchObject({ changes: [] });
  expect(again.status().tables.filter(({ rows }) => rows === 0)).toEqual([]);
  expect(await firstRow(again, 'SELECT count() FROM flows')).toEqual([3000]);
}

test('a remote engine loads, answers and stops like the embedded one (through the HTTP front for tests)', async () => {
  front = await startHttpFront();
  await exercise(front.url, 'ringflow');
});

test('a cluster looks like one server to queries, loads and consolidation', async () => {
  front = await startHttpFront('flows_cluster');
  await exercise(front.url, 'ringflow', 'flows_cluster');
  const answer = await fetch(
    `${front.url}/?query=${encodeURIComponent("SELECT name, engine FROM system.tables WHERE database = 'ringflow' AND engine NOT LIKE '%View' ORDER BY name FORMAT TabSeparated")}`,
  );
  const engines = (await answer.text()).trim().split('\n');
  for (const table of ['flows', ...RESOLUTIONS.map((one) => one.table), ...TOP_RESOLUTIONS.map((one) => one.table)])
    expect(engines).toContain(`${table}\tDistributed`);
  expect(engines.filter((line) => line.endsWith('MergeTree')).map((line) => line.split('\t')[0])).toEqual(
    expect.arrayContaining(['flows_local', 'rings_1m_local', 'top_5m_local', 'names', 'top_state']),
  );
});

test('segments wait while the server is away and are loaded when it is back', async () => {
  front = await startHttpFront();
  const errors: string[] = [];
  const store = world.store({ url: front.url }, { onError: (_, what) => errors.push(what), now: () => NOON });
  await store.start();
  await front.pause();
  await world.seal(createTraffic({ rows: 100, seed: 1, receivedMs: NOON }));
  expect(await store.load()).toBe(false);
  expect(errors).toContain('load');
  expect(store.ledger()).toEqual({ received: 100, stored: 0, waiting: 100, dropped: [], difference: 0 });
  expect(store.status()).toMatchObject({ waitingSegments: 1, waitingRows: 100, lostSegments: 0 });
  await front.resume();
  for (let tries = 0; store.ledger().waiting > 0 && tries < 100; tries++)
    await new Promise((resolve) => setTimeout(resolve, 50));
  expect(store.ledger()).toEqual({ received: 100, stored: 100, waiting: 0, dropped: [], difference: 0 });
});

const SERVER = process.env.CLICKHOUSE_URL;
(SERVER ? test : test.skip)(
  SERVER ? 'the same on the server of CLICKHOUSE_URL' : 'the same on a real server: skipped, CLICKHOUSE_URL is not set',
  async () => {
    await exercise(SERVER as string, `ringflow_test_${Date.now()}`, process.env.CLICKHOUSE_CLUSTER);
  },
);
