/**
 * What a statement from outside may not do, whatever a bug in our own SQL lets through: the engine is given hostile
 * statements as they are.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestStore, RUN, type TestStore } from '../query/testing/store.ts';
import { boundedSettings, refuseForeign } from './run-settings.ts';

const SECRET = `secret ${randomUUID()}`;
const folder = mkdtempSync(join(tmpdir(), 'ringflow-bait-'));
const bait = join(folder, 'bait.csv');
writeFileSync(bait, `${SECRET}\n`);
let requests = 0;
const web = createServer((_, response) => {
  requests++;
  response.end(`${SECRET}\n`);
});
let store: TestStore;
let port: number;

beforeAll(async () => {
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
  port = (web.address() as AddressInfo).port;
  store = await createTestStore();
  const nowMs = Date.UTC(2026, 0, 10, 12);
  await store.insert([{ startMs: nowMs, endMs: nowMs, bytes: 1, packets: 1 }]);
});
afterAll(async () => {
  await store?.close();
  await new Promise((resolve) => web.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

const run = (sql: string) => store.engine.query({ sql, params: {} }, { ...RUN, id: randomUUID() });

/** Each names what it wants; `PORT` and `BAIT` are put in. */
const HOSTILE = [
  "SELECT * FROM file('BAIT', 'CSV')",
  "SELECT * FROM 'BAIT'",
  'SELECT * FROM `BAIT`',
  "SELECT file('BAIT')",
  "SELECT sum(bytes) FROM flows WHERE 1 = length(file('BAIT'))",
  "SELECT sum(bytes) FROM flows WHERE file ('BAIT') LIKE '%'",
  "SELECT sum(bytes) FROM flows WHERE bytes IN file('BAIT', 'CSV')",
  "SELECT * FROM fileCluster('default', 'BAIT', 'CSV')",
  "SELECT * FROM filesystem('BAIT')",
  "SELECT * FROM sqlite('BAIT', 't')",
  "SELECT * FROM executable('cat BAIT', 'TSV', 'a String')",
  "SELECT * FROM python('open')",
  "SELECT * FROM url('http://127.0.0.1:PORT/x', 'CSV', 'a String')",
  "SELECT * FROM 'http://127.0.0.1:PORT/x.csv'",
  "SELECT * FROM s3('http://127.0.0.1:PORT/bucket/x.csv', 'CSV', 'a String')",
  "SELECT * FROM gcs('http://127.0.0.1:PORT/bucket/x.csv', 'CSV', 'a String')",
  "SELECT * FROM azureBlobStorage('http://127.0.0.1:PORT', 'c', 'b', 'n', 'k', 'CSV', 'auto', 'a String')",
  "SELECT * FROM hdfs('hdfs://127.0.0.1:PORT/x', 'TSV', 'a String')",
  "SELECT * FROM iceberg('http://127.0.0.1:PORT/bucket')",
  "SELECT * FROM deltaLake('http://127.0.0.1:PORT/bucket')",
  "SELECT * FROM hudi('http://127.0.0.1:PORT/bucket')",
  "SELECT * FROM remote('127.0.0.1:PORT', system.one)",
  "SELECT * FROM remoteSecure('127.0.0.1:PORT', system.one)",
  "SELECT * FROM cluster('default', system.one)",
  "SELECT * FROM mysql('127.0.0.1:PORT', 'd', 't', 'u', 'p')",
  "SELECT * FROM postgresql('127.0.0.1:PORT', 'd', 't', 'u', 'p')",
  "SELECT * FROM mongodb('127.0.0.1:PORT', 'd', 't', 'u', 'p', 'a String')",
  "SELECT * FROM redis('127.0.0.1:PORT', 'k', 'k String')",
  "SELECT * FROM jdbc('jdbc:x://127.0.0.1:PORT', 't')",
  "SELECT * FROM odbc('DSN=x', 't')",
  "SELECT * FROM dictionary('d')",
  'SELECT * FROM system.tables',
  'SELECT name FROM system.users',
  'SELECT query FROM system.processes',
  'SELECT * FROM INFORMATION_SCHEMA.tables',
  'SELECT sum(bytes) FROM flows, system.numbers',
  'SELECT sum(bytes) FROM flows JOIN system.numbers ON 1',
  'SELECT sum(bytes) FROM flows WHERE bytes IN system.one',
  'SELECT * FROM "flows"',
  "SELECT * FROM merge('ringflow', '.*')",
  'SELECT * FROM loop(flows)',
  'SELECT * FROM numbers(1000000000000)',
  "SELECT * FROM generateRandom('a String')",
  'SELECT * FROM view(SELECT 1)',
  'SELECT sleep(3)',
  'SELECT sleepEachRow(1) FROM flows',
  'SELECT hostName()',
  "SELECT getSetting('max_memory_usage')",
  "SELECT getServerSetting('max_connections')",
  'SELECT currentUser()',
  "SELECT dictGet('d', 'a', 1)",
  "SELECT joinGet('j', 'a', 1)",
  "SELECT catboostEvaluate('BAIT', 1)",
  "SELECT * FROM flows INTO OUTFILE 'BAIT.out'",
  'SELECT 1 FORMAT Native',
  'SELECT sum(bytes) FROM flows SETTINGS readonly = 0',
  'SELECT sum(bytes) FROM flows SETTINGS max_execution_time = 0, max_memory_usage = 0',
  'SELECT 1; DROP TABLE flows',
  'SELECT 1 -- and more',
  'SELECT 1 /* and more */',
  'SELECT 1 # and more',
  'SELECT $$text$$',
  'INSERT INTO flows (bytes) SELECT 1',
  "INSERT INTO FUNCTION file('BAIT.out', 'CSV', 'a UInt8') SELECT 1",
  "INSERT INTO FUNCTION url('http://127.0.0.1:PORT/x', 'CSV', 'a UInt8') SELECT 1",
  'CREATE TABLE t (a UInt8) ENGINE = Memory',
  'CREATE TEMPORARY TABLE t (a UInt8)',
  'CREATE FUNCTION f AS x -> x',
  'CREATE USER intruder',
  'DROP TABLE flows',
  'TRUNCATE TABLE flows',
  'ALTER TABLE flows DELETE WHERE 1',
  'OPTIMIZE TABLE flows FINAL',
  'RENAME TABLE flows TO gone',
  'DETACH TABLE flows',
  'EXCHANGE TABLES flows AND rings_1m',
  'SYSTEM SHUTDOWN',
  'SYSTEM STOP MERGES',
  'KILL QUERY WHERE 1 SYNC',
  'SET readonly = 0',
  'USE system',
  'GRANT ALL ON *.* TO default',
  "BACKUP TABLE flows TO File('BAIT.backup')",
  'SHOW TABLES',
  "DESCRIBE TABLE file('BAIT', 'CSV')",
  'EXPLAIN SELECT 1',
  'EXISTS TABLE flows',
  "WITH x AS (SELECT * FROM file('BAIT', 'CSV')) SELECT * FROM x",
  "(SELECT 1) UNION ALL (SELECT * FROM file('BAIT', 'CSV'))",
].map((sql) => sql.replaceAll('BAIT', bait));

test.each(HOSTILE)('refused: %s', async (hostile) => {
  await expect(run(hostile.replaceAll('PORT', String(port)))).rejects.toMatchObject({
    code: 'query_failed',
    message: expect.stringMatching(/^A query must not contain /),
  });
});

test('nothing was written, read or asked for', async () => {
  expect(readdirSync(folder)).toEqual(['bait.csv']);
  expect(readFileSync(bait, 'utf8')).toBe(`${SECRET}\n`);
  expect(requests).toBe(0);
  expect(await run('SELECT count() FROM flows')).toMatchObject({ columns: [[1]] });
});

test('the engine alone refuses to write, and runs within bounds', async () => {
  const settings = boundedSettings({ ...RUN, id: "it's", maxMemoryBytes: 64 * 1024 ** 2, timeoutMs: 2000 });
  expect(settings).toMatchObject({
    readonly: 1,
    log_comment: 'it_s',
    max_execution_time: 2,
    max_memory_usage: 67_108_864,
  });
  for (const [limits, sql, code] of [
    [
      { timeoutMs: 300 },
      'SELECT sum(cityHash64(n)) FROM (SELECT arrayJoin(range(100000000)) AS n)',
      /^query_(timeout|memory)$/,
    ],
    [
      { maxMemoryBytes: 16 * 1024 ** 2 },
      'SELECT length(groupUniqArray(n)) FROM (SELECT arrayJoin(range(10000000)) AS n)',
      /^query_memory$/,
    ],
    [{ maxRows: 10 }, 'SELECT sampler_address FROM flows ARRAY JOIN range(1000) AS i', /^query_rows$/],
  ] as const)
    await expect(
      store.engine.query({ sql, params: {} }, { ...RUN, ...limits, id: randomUUID() }),
    ).rejects.toMatchObject({
      code: expect.stringMatching(code),
    });
});

test('texts and placeholders are not read as SQL', () => {
  for (const sql of [
    "SELECT sum(bytes) FROM flows WHERE 'SETTINGS; -- file(\\'x\\') FROM system.tables' = {f0:String}",
    'SELECT sum(bytes) FROM rings_1m AS rings WHERE rings.bucket > 1 AND src_as IN {f0:Array(UInt64)}',
    'SELECT d0 FROM (SELECT arrayJoin([1, 2]) AS d0) ARRAY JOIN range(3) AS i',
  ])
    expect(() => refuseForeign(sql)).not.toThrow();
});
