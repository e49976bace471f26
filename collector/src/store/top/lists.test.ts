import { join } from 'node:path';
import { COLUMNS, spreadSql, TOP_LISTS, TOP_RESOLUTIONS, type Column, type TopList } from '@ringflow/contract';
import { STORE_DEFAULTS } from '../config.ts';
import { createEngine, type Store } from '../service.ts';
import { expectListsEqualRings } from '../testing/top-lists.ts';
import { createTopTraffic } from '../testing/top-traffic.ts';
import { allRows, createWorld, firstRow, type World } from '../testing/world.ts';

let world: World;
let nowMs: number;
beforeEach(async () => {
  world = await createWorld();
  nowMs = NOON;
});
afterEach(() => world.remove());

const NOON = Date.UTC(2026, 2, 10, 12, 0, 0);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A store whose clock the test sets; everything that waits is loaded. */
async function started(config: Parameters<World['store']>[0] = {}): Promise<Store> {
  const store = world.store({ top_k: 20, ...config }, { now: () => nowMs });
  await store.start();
  expect(await store.load()).toBe(true);
  return store;
}

/** Loads a batch of records that arrive at a time, and lets the batch of the top lists close. */
async function feed(store: Store, rows: number, seed: number, receivedMs: number): Promise<void> {
  nowMs = receivedMs;
  await world.seal(createTopTraffic({ rows, seed, receivedMs }));
  expect(await store.load()).toBe(true);
  nowMs += 6 * MINUTE;
  await consolidate(store);
}

async function consolidate(store: Store): Promise<void> {
  while (await store.consolidate());
}

test('wild traffic: each list adds up to the rings in every bucket, exporter and kind of duplicate', async () => {
  const store = await started();
  for (let index = 0; index < 3; index++) await feed(store, 3000, index + 1, NOON + index * 70 * MINUTE);
  nowMs = NOON + 40 * HOUR;
  await consolidate(store);
  await expectListsEqualRings(store);
  expect(store.status().topLists).toMatchObject({ batches: 3, failures: 0, lagSeconds: 0, lastError: null });
  expect(store.status().topLists.lateRecords).toBeGreaterThan(0);
}, 180_000);

/** What a list is, record by record: rows of [bucket, exporter, dup, keys…, bytes, packets, flows]. */
function truthSql(seconds: number, keys: readonly string[]): string {
  const ms = seconds * 1000;
  const columns = ['sampler_address', 'dup', ...keys.map((key) => derivedSql(key))];
  const spread = (counter: string) =>
    spreadSql(`${counter} * greatest(sampling_rate, 1)`, 's', 'e', `toInt64(k * ${ms})`, `toInt64((k + 1) * ${ms})`);
  return `SELECT toUInt32(k * ${seconds}) AS at, ${columns.map((column, index) => `${column} AS x${index}`).join(', ')},
    sum(${spread('bytes')}) AS b, sum(${spread('packets')}) AS p, sum(toUInt64(intDiv(e, ${ms}) = k)) AS f
  FROM (SELECT *, toUnixTimestamp64Milli(time_flow_start_ns) AS s, greatest(toUnixTimestamp64Milli(time_flow_end_ns), s) AS e FROM flows)
  ARRAY JOIN range(toUInt32(intDiv(s, ${ms})), toUInt32(intDiv(e, ${ms})) + 1) AS k
  GROUP BY at, ${columns.map((_, index) => `x${index}`).join(', ')}`;
}

function derivedSql(name: string): string {
  const column: Column | undefined = COLUMNS.find((one) => one.name === name);
  return column?.derived ?? name;
}

/** Rows by bucket, exporter and dup; a row is its keys as text, then its counters. */
function byScope(rows: readonly unknown[][]): Map<string, Map<string, number[]>> {
  const scopes = new Map<string, Map<string, number[]>>();
  for (const row of rows) {
    const scope = row.slice(0, 3).join(' ');
    const members = scopes.get(scope) ?? new Map<string, number[]>();
    scopes.set(scope, members.set(row.slice(3, -3).join(' '), row.slice(-3) as number[]));
  }
  return scopes;
}

test.each(['source', 'conversation', 'source_prefix', 'destination_port', 'destination_place'])(
  'a batch once: the rows of %s are those of the records, at most K are named, none of weight is missing, floors hold',
  async (name) => {
    const K = 25;
    const store = await started({ top_k: K });
    await feed(store, 4000, 11, NOON + 3 * HOUR);
    const list = TOP_LISTS.find((one) => one.name === name) as TopList;
    const keys = list.keys.filter((key) => !['sampler_address', 'dup'].includes(key) && !list.follows?.includes(key));
    {
      const { table, seconds } = TOP_RESOLUTIONS[0];
      const truth = byScope(await allRows(store, truthSql(seconds, keys)));
      const rows = await allRows(
        store,
        `SELECT toUnixTimestamp(bucket), sampler_address, dup, ${keys.join(', ')}, bytes, packets, flows FROM ${table} WHERE list = ${list.id} AND other = 0`,
      );
      const others = await allRows(
        store,
        `SELECT toUnixTimestamp(bucket), sampler_address, dup, floor_bytes, floor_packets, floor_flows FROM ${table} WHERE list = ${list.id} AND other = 1`,
      );
      const named = byScope(rows);
      const floors = byScope(others);
      expect([...named.keys()].sort()).toEqual([...truth.keys()].sort());
      let folded = 0;
      for (const [scope, members] of truth) {
        const kept = named.get(scope) as Map<string, number[]>;
        expect(kept.size).toBeLessThanOrEqual(K);
        for (const [key, counters] of kept) expect([scope, key, counters]).toEqual([scope, key, members.get(key)]);
        const rest = [...members].filter(([key]) => !kept.has(key));
        const total = [...members.values()].reduce((sum, [bytes]) => sum + (bytes as number), 0);
        for (const [, [bytes]] of rest) expect(bytes).toBeLessThanOrEqual((1.5 * total) / K);
        // What is left out of one address, port … is at most the floor.
        const sums = new Map<string, number[]>();
        for (const [key, counters] of rest) {
          const parts = key.split(' ');
          const of = list.of.map((name) => parts[keys.indexOf(name)]).join(' ');
          sums.set(
            of,
            counters.map((counter, index) => counter + (sums.get(of)?.[index] ?? 0)),
          );
        }
        const largest = [0, 1, 2].map((index) =>
          Math.max(0, ...[...sums.values()].map((each) => each[index] as number)),
        );
        expect([scope, floors.get(scope)?.get('') ?? [0, 0, 0]]).toEqual([scope, largest]);
        folded += rest.length;
      }
      if (name !== 'destination_place') expect(folded).toBeGreaterThan(100);
    }
  },
  180_000,
);

test('a batch closes by rows and by age, and what is not in the lists yet is open', async () => {
  const store = await started({ top_batch_rows: 1000 });
  const open = () =>
    firstRow(store, 'SELECT count(), uniqExact(batch) FROM flows WHERE batch IN (SELECT batch FROM top_open)');
  const listed = () => firstRow(store, 'SELECT sum(flows) FROM top_5m WHERE list = 1');
  for (let seed = 1; seed <= 3; seed++)
    await world.seal(createTopTraffic({ rows: 600, seed, receivedMs: NOON, longestMs: MINUTE }));
  await store.load();
  // Two segments fill a batch; the third is in the next one.
  expect(await open()).toEqual([1800, 2]);
  await consolidate(store);
  expect([await open(), await listed()]).toEqual([[600, 1], [1200]]);
  nowMs += 4 * MINUTE;
  await consolidate(store);
  expect(await open()).toEqual([600, 1]);
  nowMs += MINUTE;
  await consolidate(store);
  expect([await open(), await listed()]).toEqual([[0, 0], [1800]]);
}, 180_000);

test('a restart ends the open batch, and its records are consolidated once the spool was looked at', async () => {
  const first = await started();
  await world.seal(createTopTraffic({ rows: 700, seed: 5, receivedMs: NOON }));
  await first.load();
  await first.stop();
  const store = await started();
  await consolidate(store);
  expect(await firstRow(store, 'SELECT sum(flows) FROM top_5m WHERE list = 3')).toEqual([700]);
  expect(await firstRow(store, 'SELECT count() FROM flows WHERE batch IN (SELECT batch FROM top_open)')).toEqual([0]);
}, 180_000);

test('lists stay whole when the records are gone', async () => {
  const store = await started({ max_bytes: 16 * 1024 * 1024 });
  await feed(store, 3000, 21, NOON);
  nowMs = NOON + 50 * HOUR;
  await consolidate(store);
  await store.stop();
  const engine = createEngine({ ...STORE_DEFAULTS }, join(world.directory, 'engine'));
  await engine.open();
  await engine.exec('TRUNCATE TABLE flows');
  await engine.close();
  const again = await started();
  expect(await firstRow(again, 'SELECT count() FROM flows')).toEqual([0]);
  await consolidate(again);
  await expectListsEqualRings(again);
}, 180_000);

test('the first 20 of several hours and exporters are those of the records, and nobody lacks more than the floors', async () => {
  const store = await started({ top_k: 300 });
  for (let index = 0; index < 4; index++) {
    const receivedMs = NOON + index * 40 * MINUTE;
    nowMs = receivedMs;
    const times = { receivedMs, latestMs: 15 * MINUTE, longestMs: 2 * MINUTE };
    await world.seal(createTopTraffic({ ...times, rows: 12_000, seed: 100 + index, hosts: 5000 }));
    expect(await store.load()).toBe(true);
    nowMs += 6 * MINUTE;
    await consolidate(store);
  }
  nowMs = NOON + 40 * HOUR;
  await consolidate(store);
  const lists = [
    [1, 'src_addr'],
    [4, 'dst_port'],
    [6, 'src_prefix'],
  ] as const;
  let found = 0;
  for (const [list, column] of lists) {
    const raw = new Map(
      (await allRows(
        store,
        `SELECT toString(${derivedSql(column)}) AS k, sum(bytes * greatest(sampling_rate, 1)) AS b FROM flows GROUP BY k ORDER BY b DESC, k`,
      )) as [string, number][],
    );
    const first = [...raw.keys()].slice(0, 20);
    for (const { table } of TOP_RESOLUTIONS) {
      const named = new Map(
        (await allRows(
          store,
          `SELECT toString(${column}) AS k, sum(bytes) AS b FROM ${table} WHERE list = ${list} AND other = 0 GROUP BY k ORDER BY b DESC, k`,
        )) as [string, number][],
      );
      found += [...named.keys()].slice(0, 20).filter((key) => first.includes(key)).length;
      const [floor] = await firstRow(store, `SELECT sum(floor_bytes) FROM ${table} WHERE list = ${list} AND other = 1`);
      const lacking = [...raw].map(([key, bytes]) => bytes - (named.get(key) ?? 0));
      expect(Math.min(...lacking)).toBe(0);
      expect(Math.max(...lacking)).toBeGreaterThan(0);
      expect(Math.max(...lacking)).toBeLessThanOrEqual(Number(floor));
    }
  }
  expect(found / (20 * lists.length * TOP_RESOLUTIONS.length)).toBeGreaterThanOrEqual(0.99);
}, 180_000);
