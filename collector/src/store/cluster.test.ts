import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ONE_SERVER, clusterDialect } from './dialect.ts';
import { startHttpFront } from './testing/http-front.ts';
import { createWorld } from './testing/world.ts';

const GOLDEN = join(__dirname, 'testdata/cluster.sql');

/** Statements of a new database on a cluster, as they reach the server. */
async function definitions(): Promise<string[]> {
  const world = await createWorld();
  const front = await startHttpFront('flows_cluster');
  try {
    const store = world.store({ url: front.url, cluster: 'flows_cluster' });
    await store.start();
    await store.stop();
    return front.definitions.filter((text) => !/MODIFY SETTING/.test(text));
  } finally {
    await world.remove();
    await front.close();
  }
}

/**
 * Runs statements in an engine of its own process, with the engine's in-memory stand-in for Keeper. Replicated tables can be
 * made there and asked, but take no rows, because the embedded engine talks to no other server.
 */
function runWithKeeper(statements: readonly string[]): { ok: string[]; failed: string[] } {
  const directory = mkdtempSync(join(tmpdir(), 'ringflow-keeper-'));
  try {
    writeFileSync(
      join(directory, 'config.xml'),
      `<clickhouse>
  <tcp_port>9000</tcp_port>
  <zookeeper><implementation>testkeeper</implementation></zookeeper>
  <remote_servers><flows_cluster><shard><replica><host>127.0.0.1</host><port>9000</port></replica></shard></flows_cluster></remote_servers>
  <macros><shard>1</shard><replica>a</replica></macros>
</clickhouse>`,
    );
    writeFileSync(join(directory, 'statements.json'), JSON.stringify(statements));
    const script = `
      const { Session } = require(${JSON.stringify(require.resolve('chdb'))});
      const session = new Session(${JSON.stringify(join(directory, 'engine'))}, { connectionArgs: ['--config-file=' + ${JSON.stringify(join(directory, 'config.xml'))}] });
      const ok = [], failed = [];
      (async () => {
        for (const statement of require(${JSON.stringify(join(directory, 'statements.json'))})) {
          try { ok.push((await session.queryAsync(statement, { format: 'TabSeparated' })).text().trim()); }
          catch (error) { failed.push(error.message + ' IN ' + statement); }
        }
        require('node:fs').writeFileSync(${JSON.stringify(join(directory, 'result.json'))}, JSON.stringify({ ok, failed }));
        // Tables that wait for other servers must not keep it from ending.
        process.kill(process.pid, 'SIGKILL');
      })();`;
    spawnSync(process.execPath, ['-e', script], { timeout: 60_000 });
    const result = join(directory, 'result.json');
    if (!existsSync(result)) throw new Error('The engine ended early');
    return JSON.parse(readFileSync(result, 'utf8')) as { ok: string[]; failed: string[] };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

test('the statements of a cluster are the reviewed ones, and the engine can read and run them', async () => {
  const statements = await definitions();
  const text = `${statements.join(';\n\n')};\n`;
  if (process.env['UPDATE_GOLDEN']) writeFileSync(GOLDEN, text);
  expect(text).toBe(readFileSync(GOLDEN, 'utf8'));

  // Whatever makes or changes something does so on every server.
  expect(statements.filter((one) => !one.includes("ON CLUSTER 'flows_cluster'"))).toEqual([]);
  const parsed = runWithKeeper(statements.map((one) => `EXPLAIN AST ${one}`));
  expect(parsed.failed).toEqual([]);

  // The embedded engine has no queue for statements of a cluster: here it is the only server.
  const [database = '', ...tables] = statements.map((one) => one.replace(" ON CLUSTER 'flows_cluster'", ''));
  const made = runWithKeeper([
    database,
    'USE ringflow',
    ...tables,
    "SELECT name, engine_full FROM system.tables WHERE database = currentDatabase() AND engine LIKE 'Replicated%' ORDER BY name",
    'SELECT count() FROM flows',
    'SELECT count() FROM rings_1d',
    'SELECT count() FROM top_1d WHERE loader IN (SELECT loader FROM top_state)',
    'SELECT count() FROM top_open',
  ]);
  expect(made.failed).toEqual([]);
  const replicated = made.ok.at(-5)?.split('\n') ?? [];
  expect(replicated.map((line) => line.split('\t')[0])).toEqual(
    expect.arrayContaining(['flows_local', 'rings_1m_local', 'top_5m_local', 'names', 'top_state', 'schema_history']),
  );
  expect(replicated.join('\n')).toContain('/clickhouse/ringflow/ringflow/{shard}/flows');
  expect(made.ok.slice(-4)).toEqual(['0', '0', '0', '1']);
}, 180_000);

test('the view that filled the finest ring is dropped on every server, once, before anything is loaded', async () => {
  const world = await createWorld();
  const front = await startHttpFront('flows_cluster');
  const config = { url: front.url, cluster: 'flows_cluster' };
  const ask = async (statement: string): Promise<string> =>
    (await fetch(`${front.url}/?database=ringflow&query=${encodeURIComponent(statement)}`)).text();
  const changes = async (): Promise<readonly string[] | undefined> => {
    const store = world.store(config);
    await store.start();
    await store.stop();
    return store.status().migration?.changes;
  };
  try {
    await changes();
    // As version 1 left it.
    await ask(
      'CREATE MATERIALIZED VIEW fill_rings_1m TO rings_1m_local AS SELECT toUInt8(6) AS ring, count() AS flows FROM flows_local',
    );
    await ask(
      "ALTER TABLE schema_history UPDATE version = 1, views = mapUpdate(views, map('fill_rings_1m', '')) WHERE 1 SETTINGS mutations_sync = 1",
    );
    const before = front.definitions.length;
    expect(await changes()).toEqual(['version 2', 'drop fill_rings_1m']);
    const made = front.definitions.slice(before);
    expect(made.filter((one) => one.startsWith('DROP'))).toEqual([
      "DROP VIEW IF EXISTS fill_rings_1m ON CLUSTER 'flows_cluster' SYNC",
    ]);
    const views = ['fill_rings_1d', 'fill_rings_1h', 'fill_rings_5m'];
    expect(
      (
        await ask(
          "SELECT name FROM system.tables WHERE database = 'ringflow' AND engine = 'MaterializedView' ORDER BY name",
        )
      )
        .trim()
        .split('\n'),
    ).toEqual(views);
    expect(await changes()).toEqual([]);
    expect(
      await ask('SELECT version, arraySort(mapKeys(views)) FROM schema_history ORDER BY at DESC, version DESC LIMIT 1'),
    ).toBe(`2\t[${views.map((view) => `'${view}'`).join(',')}]\n`);
  } finally {
    await world.remove();
    await front.close();
  }
}, 60_000);

test('one server says what it always said', () => {
  expect([
    ONE_SERVER.on('flows'),
    ONE_SERVER.engine('names', 'ReplacingMergeTree(updated)'),
    ONE_SERVER.distributed('flows'),
  ]).toEqual(['flows', 'ReplacingMergeTree(updated)', null]);
  const cluster = clusterDialect('c', 'd');
  expect([
    cluster.stored('flows'),
    cluster.tableOf('flows_local'),
    cluster.stored('names'),
    cluster.on('rings_1m'),
  ]).toEqual(['flows_local', 'flows', 'names', "rings_1m_local ON CLUSTER 'c'"]);
  expect(cluster.engine('names', 'ReplacingMergeTree(updated)')).toBe(
    "ReplicatedReplacingMergeTree('/clickhouse/ringflow/{database}/all/names', '{shard}_{replica}', updated)",
  );
});
