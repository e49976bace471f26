import { RESOLUTIONS, RINGS } from '@ringflow/contract';
import { COLUMN_INDEX, createBatch, useColumn, type Batch } from '../wire/index.ts';
import { STORE_DEFAULTS } from './config.ts';
import { createRandom, writeTime } from './testing/batches.ts';
import { createWildTraffic } from './testing/wild.ts';
import { allRows, createWorld, sums, type World } from './testing/world.ts';

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.remove());

const NOON = Date.UTC(2026, 2, 10, 12, 0, 0);

interface Flow {
  readonly startMs: number;
  readonly endMs: number;
  readonly bytes: number;
  readonly packets: number;
  readonly sampling: number;
}

function batchOf(flows: readonly Flow[], receivedMs: number): Batch {
  const batch = createBatch({ rowLimit: flows.length });
  const column = (name: keyof typeof COLUMN_INDEX) => useColumn(batch, COLUMN_INDEX[name]) as Uint32Array;
  flows.forEach((flow, row) => {
    writeTime(column('time_received_ns'), row, receivedMs, 0);
    writeTime(column('time_flow_start_ns'), row, flow.startMs, 0);
    writeTime(column('time_flow_end_ns'), row, flow.endMs, 0);
    column('bytes')[row * 2] = flow.bytes >>> 0;
    column('bytes')[row * 2 + 1] = Math.floor(flow.bytes / 2 ** 32);
    column('packets')[row * 2] = flow.packets;
    column('sampling_rate')[row] = flow.sampling;
    column('in_if')[row] = row % 3;
  });
  batch.rows = flows.length;
  return batch;
}

test('5.6 the example of pmacct: 1000 bytes over 1000 s from a boundary are 60 each minute, the rest in the last one', async () => {
  const flow = { startMs: NOON, endMs: NOON + 1_000_000, bytes: 1000, packets: 1, sampling: 0 };
  await world.seal(batchOf([flow], NOON + 1_000_000));
  const store = world.store();
  await store.start();
  await store.load();
  const minutes = await allRows(
    store,
    `SELECT toInt64(toUnixTimestamp(bucket)) - ${NOON / 1000}, bytes, packets, flows FROM rings_1m WHERE ring = 1 ORDER BY bucket`,
  );
  expect(minutes).toEqual(
    Array.from({ length: 17 }, (_, minute) => [
      minute * 60,
      minute === 16 ? 40 : 60,
      minute === 16 ? 1 : 0,
      minute === 16 ? 1 : 0,
    ]),
  );
  const fives = await allRows(
    store,
    'SELECT sum(bytes) FROM rings_1m WHERE ring = 1 GROUP BY intDiv(toUnixTimestamp(bucket), 300) AS five ORDER BY five',
  );
  expect(fives.flat()).toEqual([300, 300, 300, 100]);
});

test('5.6 random flows: every minute of the rings is the integer share, and all sums are those of raw', async () => {
  const random = createRandom(42);
  const flows: Flow[] = Array.from({ length: 3000 }, (_, index) => {
    const endMs = NOON + Math.floor(random() * 7_200_000);
    const durationMs = index % 5 === 0 ? 0 : Math.floor(random() ** 6 * 86_000_000);
    return {
      startMs: index % 97 === 0 ? Math.ceil(endMs / 60_000) * 60_000 : endMs - durationMs,
      endMs: index % 7 === 0 ? Math.floor(endMs / 60_000) * 60_000 : endMs,
      bytes: Math.floor(random() ** 4 * 2 ** 40),
      packets: 1 + Math.floor(random() * 1e6),
      sampling: index % 3 === 0 ? 1000 : index % 3 === 1 ? 1 : 0,
    };
  });
  await world.seal(batchOf(flows.slice(0, 1000), NOON + 7_200_000));
  await world.seal(batchOf(flows.slice(1000), NOON + 7_200_000));
  const store = world.store();
  await store.start();
  await store.load();

  const expected = new Map<number, bigint>();
  for (const { startMs, endMs: lastMs, bytes, sampling } of flows) {
    const counter = BigInt(bytes) * BigInt(Math.max(sampling, 1));
    const [start, end] = [BigInt(startMs), BigInt(Math.max(startMs, lastMs))];
    const before = (at: bigint) =>
      end === start
        ? at > start
          ? counter
          : 0n
        : (counter * ((at < start ? start : at > end ? end : at) - start)) / (end - start);
    for (let minute = start / 60_000n; minute <= end / 60_000n; minute++) {
      const share = before((minute + 1n) * 60_000n) - before(minute * 60_000n);
      expected.set(Number(minute), (expected.get(Number(minute)) ?? 0n) + share);
    }
  }
  const minutes = await allRows(
    store,
    'SELECT toUInt32(toUnixTimestamp(bucket) / 60) AS minute, toString(sum(bytes)) FROM rings_1m WHERE ring = 2 GROUP BY bucket HAVING sum(bytes) > 0 ORDER BY bucket',
  );
  expect(new Map(minutes.map(([minute, bytes]) => [minute, BigInt(bytes as string)]))).toEqual(
    new Map([...expected].filter(([, bytes]) => bytes > 0n).sort(([a], [b]) => a - b)),
  );

  const { raw, rings } = await sums(store);
  expect(rings).toHaveLength(RINGS.length * RESOLUTIONS.length);
  for (const [, , ...totals] of rings) expect(totals).toEqual(raw);
  const hours = (table: string) =>
    `SELECT ring, intDiv(toUnixTimestamp(bucket), 3600) AS hour, in_if, sum(bytes), sum(packets), sum(flows) FROM ${table} GROUP BY ring, hour, in_if ORDER BY ring, hour, in_if`;
  expect(await allRows(store, hours('rings_1h'))).toEqual(await allRows(store, hours('rings_1m')));
});

test('each ring has its own keys and the sums of raw by them', async () => {
  await world.seal(createWildTraffic({ rows: 3000, seed: 3, receivedMs: NOON }));
  const store = world.store();
  await store.start();
  await store.load();
  for (const { id, keys } of RINGS) {
    const list = keys.join(', ');
    const ring = await allRows(
      store,
      `SELECT ${list}, sum(bytes), sum(packets), sum(flows) FROM rings_1m WHERE ring = ${id} GROUP BY ${list} ORDER BY ${list}`,
    );
    const raw = await allRows(
      store,
      `SELECT ${list}, sum(bytes * greatest(sampling_rate, 1)), sum(packets * greatest(sampling_rate, 1)), count() FROM flows GROUP BY ${list} ORDER BY ${list}`,
    );
    expect(ring.length).toBeGreaterThan(1);
    expect(ring).toEqual(raw);
  }
});

test('late, long, overlapping, sampled: at every resolution every ring has the sums of raw by its keys, after a restart and without raw', async () => {
  const day = 86_400_000;
  const wild = (seed: number, receivedMs: number) => createWildTraffic({ rows: 1000, seed, receivedMs });
  await world.seal(wild(1, NOON - day));
  await world.seal(wild(2, NOON));
  const first = world.store();
  await first.start();
  await first.load();
  await first.stop();
  // Late by up to six hours, over the buckets that are there.
  await world.seal(wild(3, NOON + 3_600_000));
  const archives = { ...STORE_DEFAULTS.archives, raw: { seconds: 86_400, share: 0.4 } };
  const store = world.store({ archives }, { now: () => NOON + 3 * day });
  await store.start();
  await store.load();

  const scaled = 'sum(bytes * greatest(sampling_rate, 1)), sum(packets * greatest(sampling_rate, 1)), count()';
  const raw = new Map<number, unknown[][]>();
  for (const { id, keys } of RINGS) {
    const list = keys.join(', ');
    raw.set(id, await allRows(store, `SELECT ${list}, ${scaled} FROM flows GROUP BY ${list} ORDER BY ${list}`));
  }
  expect((await store.retain()).map(({ table }) => table)).toEqual(['flows', 'flows']);
  expect(await allRows(store, 'SELECT count() FROM flows')).toEqual([[0]]);
  for (const { table } of RESOLUTIONS) {
    for (const { id, keys } of RINGS) {
      const list = keys.join(', ');
      const sql = `SELECT ${list}, sum(bytes), sum(packets), sum(flows) FROM ${table} WHERE ring = ${id} GROUP BY ${list} ORDER BY ${list}`;
      expect(raw.get(id)?.length).toBeGreaterThan(1);
      expect(await allRows(store, sql)).toEqual(raw.get(id));
    }
  }
}, 60_000);
