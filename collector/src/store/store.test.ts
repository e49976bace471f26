import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RESOLUTIONS } from '@ringflow/contract';
import { STORE_DEFAULTS } from './config.ts';
import { STORED_COLUMNS } from './ddl.ts';
import { createEmbeddedEngine } from './engine-embedded.ts';
import type { LoadResult } from './load.ts';
import { consolidatePeaks } from './peaks.ts';
import { RING_KEYS } from './rings.ts';
import type { Store } from './service.ts';
import type { TrafficWatch } from './traffic.ts';
import { ENDLESS } from './testing/endless.ts';
import { createTraffic } from './testing/batches.ts';
import { OLD_SCHEMA } from './testing/old-schema.ts';
import { allRows, createWorld, firstRow, sums, type World } from './testing/world.ts';

const NOON = Date.UTC(2026, 2, 10, 12, 0, 0);
const LIMITS = { timeoutMs: 30_000, maxRows: 1000, maxMemoryBytes: 500e6 };

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.remove());

async function started(...args: Parameters<World['store']>): Promise<Store> {
  const store = world.store(...args);
  await store.start();
  return store;
}

function segmentFiles(directory = world.spoolDirectory): string[] {
  return readdirSync(directory).filter((name) => /\.(native|lost|open|delta)$/.test(name));
}

describe('loading', () => {
  test('a sealed segment is in the tables and in the ledger, and gone from the spool', async () => {
    const results: LoadResult[] = [];
    await world.seal(createTraffic({ rows: 2000, seed: 1, receivedMs: NOON }));
    const store = await started({}, { onLoaded: (result) => results.push(result) });
    expect(await store.load()).toBe(true);
    expect(await firstRow(store, 'SELECT count(), uniqExact(src_addr) > 100 FROM flows')).toEqual([2000, 1]);
    expect(store.ledger()).toEqual({ received: 2000, stored: 2000, waiting: 0, dropped: [], difference: 0 });
    expect(results.map(({ rows, outcome }) => [rows, outcome])).toEqual([[2000, 'stored']]);
    expect(segmentFiles()).toEqual([]);
  });

  test('what waits is in the ledger before it is loaded, and the ledger survives a restart', async () => {
    const first = await started();
    await first.load();
    await first.stop();
    await world.seal(createTraffic({ rows: 300, seed: 1, receivedMs: NOON }), {
      received: 305,
      rows: 300,
      dropped: [{ reason: 'spool_full', exporter: '192.0.2.9', records: 5 }],
    });
    const second = world.store();
    await second.start();
    const dropped = [{ reason: 'spool_full', exporter: '192.0.2.9', records: 5 }];
    expect([
      { received: 305, stored: 0, waiting: 300, dropped, difference: 0 },
      { received: 305, stored: 300, waiting: 0, dropped, difference: 0 },
    ]).toContainEqual(second.ledger());
    await second.load();
    expect(second.ledger()).toEqual({ received: 305, stored: 300, waiting: 0, dropped, difference: 0 });
    await second.stop();
    const third = await started();
    expect(third.ledger()).toEqual(second.ledger());
  });

  test('an unreadable segment is put aside and its records are counted as dropped; what follows is loaded', async () => {
    const errors: string[] = [];
    for (const seed of [1, 2, 3]) await world.seal(createTraffic({ rows: 100 * seed, seed, receivedMs: NOON }));
    const [, second] = segmentFiles().sort();
    const path = join(world.spoolDirectory, second as string);
    truncateSync(path, 5000);
    const store = await started({}, { onError: (error, what) => errors.push(`${what}: ${error.message}`) });
    expect(await store.load()).toBe(true);
    expect(await firstRow(store, 'SELECT count() FROM flows')).toEqual([400]);
    expect(store.ledger()).toEqual({
      received: 600,
      stored: 400,
      waiting: 0,
      dropped: [{ reason: 'segment_unreadable', exporter: 'unknown', records: 200 }],
      difference: 0,
    });
    expect(readdirSync(join(world.spoolDirectory, 'quarantine'))).toHaveLength(1);
    expect(errors).toHaveLength(1);
    expect(store.status().lostSegments).toBe(1);
  });

  test('a segment that was counted before its file could be deleted is not counted again', async () => {
    await world.seal(createTraffic({ rows: 100, seed: 1, receivedMs: NOON }));
    const [name] = segmentFiles() as [string];
    const bytes = new Uint8Array(readFileSync(join(world.spoolDirectory, name)));
    const first = await started();
    await first.load();
    await first.stop();
    writeFileSync(join(world.spoolDirectory, name), bytes);
    const second = await started();
    await second.load();
    expect(await firstRow(second, 'SELECT count() FROM flows')).toEqual([100]);
    expect(second.ledger()).toEqual({ received: 100, stored: 100, waiting: 0, dropped: [], difference: 0 });
    expect([second.status().replayedSegments, segmentFiles()]).toEqual([1, []]);
  });

  test('traffic of a segment is told by exporter, interface, protocol, service and watch', async () => {
    const results: LoadResult[] = [];
    await world.seal(createTraffic({ rows: 3000, seed: 5, receivedMs: NOON }));
    const watches: TrafficWatch[] = [
      {
        name: 'web',
        sql: 'dst_port IN {ports:Array(UInt16)} AND proto = {proto:UInt8}',
        params: { ports: [80, 443], proto: 6 },
      },
      {
        name: 'host',
        sql: 'src_addr IN {hosts:Array(IPv6)} AND in_if = {port:UInt32}',
        params: { hosts: ['::ffff:10.1.0.0', '::ffff:10.1.0.1'], port: 1 },
      },
      { name: 'none', sql: 'nat_src_port = {port:UInt16}', params: { port: 1 } },
    ];
    const store = await started({}, { watches, onLoaded: (result) => results.push(result) });
    await store.load();
    const traffic = results[0]?.traffic ?? [];
    const scaled = 'sum(bytes * greatest(sampling_rate, 1)), sum(packets * greatest(sampling_rate, 1)), count()';
    const of = (kind: string) => traffic.filter((delta) => delta.kind === kind);
    const values = (rows: typeof traffic) => rows.map(({ bytes, packets, records }) => [bytes, packets, records]);
    expect(
      of('exporter')
        .map((delta) => delta.kind === 'exporter' && delta.exporter)
        .sort(),
    ).toEqual(['10.255.0.1', '10.255.0.2', '10.255.0.3', '10.255.0.4']);
    expect(
      of('protocol')
        .map((delta) => [delta.kind === 'protocol' && delta.protocol, delta.bytes, delta.packets, delta.records])
        .sort(),
    ).toEqual((await allRows(store, `SELECT proto, ${scaled} FROM flows GROUP BY proto`)).sort());
    const interfaces = await allRows(
      store,
      `SELECT 'in', in_if, ${scaled} FROM flows GROUP BY sampler_address, in_if UNION ALL SELECT 'out', out_if, ${scaled} FROM flows GROUP BY sampler_address, out_if`,
    );
    expect(
      of('interface')
        .map(
          (delta) =>
            delta.kind === 'interface' && [delta.direction, delta.interface, delta.bytes, delta.packets, delta.records],
        )
        .sort(),
    ).toEqual(interfaces.sort());
    expect(values(of('watch'))).toEqual([
      ...(await allRows(store, `SELECT ${scaled} FROM flows WHERE dst_port IN (80, 443) AND proto = 6`)),
      ...(await allRows(
        store,
        `SELECT ${scaled} FROM flows WHERE src_addr IN ('::ffff:10.1.0.0', '::ffff:10.1.0.1') AND in_if = 1`,
      )),
    ]);
    expect(of('watch')[1]?.records).toBeGreaterThan(0);
  });
});

test('a watch that the engine refuses costs its counters, not the records', async () => {
  const errors: string[] = [];
  await world.seal(createTraffic({ rows: 100, seed: 1, receivedMs: NOON }));
  const watches: TrafficWatch[] = [{ name: 'bad', sql: 'no_such_column = 1', params: {} }];
  const store = await started({}, { watches, onError: (error) => errors.push(error.message) });
  expect(await store.load()).toBe(true);
  expect(store.ledger()).toEqual({ received: 100, stored: 100, waiting: 0, dropped: [], difference: 0 });
  expect(errors).toEqual([expect.stringContaining('no_such_column')]);
});

describe('migrations', () => {
  test('an older data directory is upgraded: old rows stay, new columns and rings work, a second start changes nothing', async () => {
    const engine = createEmbeddedEngine({
      path: join(world.directory, 'engine'),
      database: STORE_DEFAULTS.database,
      querySlots: 1,
      maxWaiting: 10,
      maxMemoryBytes: 2e9,
    });
    await engine.open();
    for (const statement of OLD_SCHEMA) await engine.exec(statement);
    await engine.close();
    await world.seal(createTraffic({ rows: 500, seed: 1, receivedMs: NOON }));
    const store = await started();
    await store.load();
    expect(
      await firstRow(
        store,
        'SELECT count(), countIf(service > 0), sumIf(bytes, bytes BETWEEN 1000 AND 1009 AND in_if = 7) >= 10045 FROM flows',
      ),
    ).toEqual([510, 500, 1]);
    const names = STORED_COLUMNS.map(({ name }) => name);
    expect(await firstRow(store, `SELECT ${names.join(', ')} FROM flows`)).toHaveLength(names.length);
    const { rings } = await sums(store);
    const [newSums] = await allRows(
      store,
      'SELECT sum(bytes * greatest(sampling_rate, 1)) FROM flows WHERE service > 0',
    );
    expect(rings.filter(([table, ring]) => table === '1m' && ring === 4).map(([, , bytes]) => bytes)).toEqual(newSums);
    expect(await allRows(store, 'SELECT sum(flows) FROM rings_1m WHERE ring = 1')).toEqual([[510]]);
    expect(store.status().migration?.changes).toEqual(
      expect.arrayContaining([
        'add flows.service',
        'add rings_1m.in_if',
        'add rings_1m.peak_bytes',
        'create rings_5m',
        'create rings_1h',
        'drop fill_rings_1m',
      ]),
    );
    // Keys that were missing stand at the end of the sorting key, peaks among the values.
    const described = createEmbeddedEngine({
      path: join(world.directory, 'engine'),
      database: STORE_DEFAULTS.database,
      querySlots: 1,
      maxWaiting: 10,
      maxMemoryBytes: 2e9,
    });
    const beforeUpgrade = Date.now();
    // Sums of before are of one ring: what is older than the upgrade is asked of the records.
    const reach = new Map(store.status().tables.map(({ table, oldestMs }) => [table, oldestMs ?? 0]));
    expect(reach.get('flows')).toBeLessThan(NOON);
    for (const { table, seconds } of RESOLUTIONS)
      expect(Math.abs((reach.get(table) as number) - beforeUpgrade)).toBeLessThan(seconds * 1000 + 120_000);
    await store.stop();
    await described.open();
    const [key] = await described.select<{ key: string }>(
      "SELECT sorting_key AS key FROM system.tables WHERE database = currentDatabase() AND name = 'rings_1m'",
    );
    expect(key?.key.startsWith('ring, bucket, type, sampler_address, etype, ')).toBe(true);
    expect(new Set(key?.key.split(', '))).toEqual(new Set(['ring', 'bucket', ...RING_KEYS.map(({ name }) => name)]));
    expect((await consolidatePeaks(described, NOON + 86_400_000)).done).toBeGreaterThan(0);
    expect(
      await described.select(
        'SELECT max(peak_flows) = (SELECT max(f) FROM (SELECT sum(flows) AS f FROM rings_1m WHERE ring = 6 GROUP BY bucket, dup)) AS same FROM rings_1d WHERE ring = 6',
      ),
    ).toEqual([{ same: 1 }]);
    await described.close();
    const again = await started();
    expect(again.status().migration?.changes).toEqual([]);
  });

  test('a database of a later version is refused', async () => {
    const store = await started();
    await store.stop();
    const engine = createEmbeddedEngine({
      path: join(world.directory, 'engine'),
      database: STORE_DEFAULTS.database,
      querySlots: 1,
      maxWaiting: 10,
      maxMemoryBytes: 2e9,
    });
    await engine.open();
    await engine.exec('INSERT INTO schema_history (version, at) VALUES (99, now() + 1)');
    await engine.close();
    await expect(world.store().start()).rejects.toThrow('schema version 99');
  });
});

describe('queries', () => {
  test('values are bound, numbers are numbers, reads are told', async () => {
    await world.seal(createTraffic({ rows: 1000, seed: 1, receivedMs: NOON }));
    const store = await started();
    await store.load();
    const result = await store.run(
      {
        sql: 'SELECT toUInt64(9007199254740991) AS a, {text:String} AS b, count() FROM flows WHERE sampler_address IN {addresses:Array(IPv6)}',
        params: { text: "o'hare \\ \n;", addresses: ['::ffff:10.255.0.1', '::1'] },
      },
      { id: 'a', ...LIMITS },
    );
    expect(result.columns[0]).toEqual([9007199254740991]);
    expect(result.columns[1]).toEqual(["o'hare \\ \n;"]);
    expect(result.rowsRead).toBeGreaterThan(0);
  });

  test('rows, memory and time are bounded, each with its own error', async () => {
    const store = await started();
    await expect(
      store.run({ sql: 'SELECT i FROM (SELECT arrayJoin(range(2000)) AS i)', params: {} }, { id: 'r', ...LIMITS }),
    ).rejects.toMatchObject({ code: 'query_rows' });
    await expect(
      store.run(
        { sql: 'SELECT length(groupUniqArray(i)) FROM (SELECT arrayJoin(range(10000000)) AS i)', params: {} },
        { id: 'm', ...LIMITS, maxMemoryBytes: 50e6 },
      ),
    ).rejects.toMatchObject({ code: 'query_memory' });
    await expect(store.run({ sql: ENDLESS, params: {} }, { id: 't', ...LIMITS, timeoutMs: 300 })).rejects.toMatchObject(
      { code: 'query_timeout' },
    );
    await expect(store.run({ sql: 'SELECT nonsense', params: {} }, { id: 'n', ...LIMITS })).rejects.toMatchObject({
      code: 'query_failed',
    });
  });

  test('an aborted query stops in the engine, also while it waits for its turn', async () => {
    const store = await started();
    const abort = new AbortController();
    const slow = { sql: ENDLESS, params: {} };
    setTimeout(() => abort.abort(), 200);
    const ends = await Promise.allSettled(
      ['slow', 'behind'].map((id) => store.run(slow, { id, ...LIMITS, signal: abort.signal })),
    );
    expect(ends).toMatchObject([
      { status: 'rejected', reason: { code: 'query_cancelled' } },
      { status: 'rejected', reason: { code: 'query_busy' } },
    ]);
    // The answer after it is whole, and the one slot is free.
    expect(await firstRow(store, 'SELECT 7')).toEqual([7]);
  });
});

test('names are kept, the latest counts', async () => {
  const store = await started();
  const name = {
    exporter: '192.0.2.1',
    kind: 'interface',
    id: '7',
    name: 'ge-0/0/1',
    description: "to 'core'",
    speedBps: 1e10,
    source: 'options',
    attributes: {},
  } as const;
  await store.saveNames([name, { ...name, id: '8', speedBps: 0 }]);
  await new Promise((resolve) => setTimeout(resolve, 5));
  await store.saveNames([{ ...name, name: 'xe-0/0/1', source: 'sflow' }]);
  expect(await store.loadNames()).toEqual([
    { ...name, name: 'xe-0/0/1', source: 'sflow' },
    { ...name, id: '8', speedBps: 0 },
  ]);
});

test('status tells what the tables hold and how far back they reach', async () => {
  await world.seal(createTraffic({ rows: 1000, seed: 1, receivedMs: NOON }));
  const first = await started();
  await first.load();
  await first.stop();
  const store = await started();
  expect(store.status().tables.map(({ table, rows, oldestMs }) => [table, rows > 0, oldestMs])).toEqual([
    ['flows', true, NOON - 60_000 * 2],
    ['rings_1m', true, NOON - 60_000 * 2],
    ['top_5m', false, null],
    ['rings_5m', true, NOON - 300_000],
    ['top_1h', false, null],
    ['rings_1h', true, NOON - 3_600_000],
    ['top_1d', false, null],
    ['rings_1d', true, Date.UTC(2026, 2, 10)],
  ]);
});
