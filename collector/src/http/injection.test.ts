/**
 * Hostile text in every place of every request. The places come from the API's own description, so a new field is tried
 * without anybody adding it here.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ERRORS, QUERY_KINDS, type QueryResponse, type ValuesResponse } from '@ringflow/contract';
import type { Command } from '../cli/command.ts';
import { COMMANDS } from '../cli/commands.ts';
import { runCommandLine } from '../cli/index.ts';
import { createTestServer, insertSample, T0, type TestServer } from './testing/server.ts';
import { operationsOf, place, positionsOf, type Operation, type Position } from './testing/positions.ts';

const MINUTE = 60_000;

let server: TestServer | undefined;
const at = (): TestServer => server as TestServer;

/** A file that nobody may read, a folder that nobody may write to, a web server that nobody may ask. */
const SECRET = `secret ${randomUUID()}`;
const folder = mkdtempSync(join(tmpdir(), 'ringflow-bait-'));
const bait = join(folder, 'bait.csv');
writeFileSync(bait, `${SECRET}\n`);
let requests = 0;
let web: Server;
let webUrl: string;
/** Every statement that reached the engine. */
const statements: { sql: string; params: object }[] = [];

beforeAll(async () => {
  web = createServer((_, response) => {
    requests++;
    response.end(`${SECRET}\n`);
  });
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
  webUrl = `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
  server = await createTestServer(T0 + 60 * MINUTE);
  await insertSample(server);
  const { engine } = server.store;
  const query = engine.query;
  engine.query = (statement, options) => {
    statements.push(statement);
    return query(statement, options);
  };
});
afterAll(async () => {
  await server?.close();
  await new Promise((resolve) => web.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

/** Longer than anything that a statement could hold by itself. */
const attacks = (): string[] => [
  "'; DROP TABLE flows; --",
  '1 UNION ALL SELECT 1 --',
  'sleepEachRow(3) OR 1=1',
  "' SETTINGS readonly = 0 --",
  '{q0:String} OR {f0:String}',
  "\\' OR 1=1 --",
  'src_addr) OR (1=1',
  '`flows` -- `names`',
  "x' OR '1'='1",
  '"src_addr" OR 1=1',
  `file('${bait}')`,
  `' UNION ALL SELECT * FROM file('${bait}', 'CSV') --`,
  `(SELECT * FROM url('${webUrl}/x', 'CSV', 'a String'))`,
  `' UNION ALL SELECT * FROM s3('${webUrl}/bucket/x', 'CSV', 'a String') --`,
  `' UNION ALL SELECT * FROM remote('127.0.0.1:${webUrl.split(':')[2]}', system.one) --`,
  `') INTO OUTFILE '${join(folder, 'written')}' --`,
  'system.tables UNION ALL SELECT name FROM system.users',
  '../../../../../../etc/passwd',
  '\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000',
  'hasOwnProperty',
  '__proto__[polluted]',
];

/** Codes that say "you asked for something that is not there", not "something broke". */
const REFUSALS = Object.entries(ERRORS)
  .filter(([, { status }]) => status >= 400 && status < 500)
  .map(([code]) => code);

const rowCount = async (): Promise<number> =>
  (await at().store.engine.select<{ n: number }>('SELECT count() AS n FROM flows'))[0]?.n ?? 0;

async function expectHarmless(): Promise<void> {
  expect(await rowCount()).toBe(300);
  expect(requests).toBe(0);
  expect(readdirSync(folder)).toEqual(['bait.csv']);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function send({ method, path }: Operation, request: { query?: object; body?: unknown }): Promise<Answer> {
  const query = new URLSearchParams(request.query as Record<string, string>).toString();
  const response = await fetch(`${at().url}${path}${query === '' ? '' : `?${query}`}`, {
    method,
    ...(method === 'POST'
      ? { headers: { 'content-type': 'application/json' }, body: JSON.stringify(request.body) }
      : {}),
  });
  // A tail goes on until its caller goes away: its first line will do.
  if (path === '/api/v1/tail' && response.status === 200) {
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const { value } = await reader.read();
    await reader.cancel();
    return { status: 200, text: new TextDecoder().decode(value) };
  }
  return { status: response.status, text: await response.text() };
}

/** Good requests of an operation, in each of which one place is replaced. */
function goodRequests({ path, required }: Operation): { query?: object; body?: unknown }[] {
  if (path === '/api/v1/query') {
    const queries: Readonly<Record<(typeof QUERY_KINDS)[number], object>> = {
      timeseries: { kind: 'timeseries', groupBy: ['src_addr'] },
      table: { kind: 'table', groupBy: ['src_addr'], sort: [{ by: 'bytes', descending: true }] },
      records: { kind: 'records' },
      stat: { kind: 'stat', unique: ['src_addr'] },
      graph: { kind: 'graph', groupBy: ['src_addr', 'dst_addr'] },
      geo: { kind: 'geo', groupBy: ['src_country', 'dst_place'] },
      heatmap: { kind: 'heatmap', groupBy: ['bytes'] },
    };
    return QUERY_KINDS.map((kind) => ({
      body: { from: T0, to: T0 + 60 * MINUTE, timezone: 'utc', queries: [{ refId: 'A', ...queries[kind] }] },
    }));
  }
  if (path === '/api/v1/values')
    return ['src_addr', 'service', 'in_if', 'sampler_address'].map((field) => ({
      query: { field, from: String(T0), to: String(T0 + 60 * MINUTE) },
    }));
  if (path.startsWith('/api/v1/filter/')) return [{ body: { filter: 'src_addr = 10.0.0.1' } }];
  return [{ query: Object.fromEntries(required.map((name) => [name, '1'])), body: {} }];
}

/** The answer to a request with something in it that does not belong there. */
function expectAnswer({ status, text }: Answer, where: string, attack: string): void {
  expect([where, attack, text.includes(SECRET), text.includes('root:x:0')]).toEqual([where, attack, false, false]);
  if (status !== 200) {
    const { code } = JSON.parse(text) as { code: string };
    expect([where, attack, code]).toEqual([where, attack, expect.stringMatching(`^(${REFUSALS.join('|')})$`)]);
    return;
  }
  if (!where.startsWith('POST /api/v1/query')) return;
  for (const { code, error } of Object.values((JSON.parse(text) as QueryResponse).results))
    if (code !== undefined)
      expect([where, attack, code, error]).toEqual([
        where,
        attack,
        expect.stringMatching(`^(${REFUSALS.join('|')})$`),
        error,
      ]);
}

async function operations(): Promise<Operation[]> {
  const document = (await (await fetch(`${at().url}/openapi.json`)).json()) as Parameters<typeof operationsOf>[0];
  return operationsOf(document);
}

const nameOf = ({ method, path }: Operation, position: Position): string =>
  `${method} ${path} ${position.path.join('.')}`;

describe('every place of every request', () => {
  test('is known from the description', async () => {
    const names = (await operations()).flatMap((operation) =>
      positionsOf(operation).map((position) => nameOf(operation, position)),
    );
    // Not a list to keep: it shows that the walk finds what is there.
    for (const known of [
      'POST /api/v1/query body.timezone',
      'POST /api/v1/query body.queries.*.refId',
      'POST /api/v1/query body.queries.*.groupBy.*',
      'POST /api/v1/query body.queries.*.sort.*.by',
      'POST /api/v1/filter/complete body.filter',
      'GET /api/v1/values query.q',
    ])
      expect(names).toContain(known);
  });

  test('takes hostile text as a value or refuses it', async () => {
    statements.length = 0;
    let tried = 0;
    for (const operation of await operations()) {
      for (const position of positionsOf(operation)) {
        for (const good of goodRequests(operation)) {
          await Promise.all(
            attacks().map(async (attack) => {
              const request = place(good, position.path, attack) as { query?: object; body?: unknown };
              expectAnswer(await send(operation, request), nameOf(operation, position), attack);
              tried++;
            }),
          );
        }
      }
    }
    expect(tried).toBeGreaterThan(1000);
    for (const { sql } of statements)
      for (const attack of attacks()) expect([sql, sql.includes(attack)]).toEqual([sql, false]);
    await expectHarmless();
  }, 300_000);

  test('so do keys that nobody knows, and names of a field', async () => {
    statements.length = 0;
    for (const operation of await operations()) {
      for (const good of goodRequests(operation)) {
        for (const attack of attacks()) {
          const strange = { legend: attack, unit: attack, comment: attack, rawSql: attack, [attack]: attack };
          const body = good.body as { queries?: object[] } | undefined;
          const request = body?.queries
            ? { body: { ...body, ...strange, queries: [{ ...body.queries[0], ...strange }] } }
            : { query: { ...good.query, ...strange }, body: { ...(body ?? {}), ...strange } };
          expectAnswer(await send(operation, request), `${operation.method} ${operation.path} and more`, attack);
        }
      }
    }
    for (const { sql } of statements)
      for (const attack of attacks()) expect([sql, sql.includes(attack)]).toEqual([sql, false]);
    await expectHarmless();
  }, 120_000);

  test('and so do header fields', async () => {
    for (const attack of attacks().filter((text) => /^[\x20-\x7e]+$/.test(text))) {
      const response = await at().post(
        '/api/v1/query',
        { from: T0, to: T0 + MINUTE, queries: [{ refId: 'A', kind: 'stat' }] },
        { 'x-grafana-user': attack, 'user-agent': attack, 'x-request-id': attack, 'x-dashboard-uid': attack },
      );
      expect([attack, response.status]).toEqual([attack, 200]);
    }
    await expectHarmless();
  });
});

test('every option of `ringflow query` does', async () => {
  const command = COMMANDS.find(({ name }) => name === 'query') as Command;
  const options = command.options.filter(({ name, value }) => value !== undefined && name !== 'url');
  expect(options.length).toBeGreaterThan(8);
  statements.length = 0;
  for (const words of [...options.map(({ name }) => [`--${name}`]), []]) {
    for (const attack of attacks().filter((text) => !text.includes('\u0000'))) {
      let output = '';
      const io = { out: (text: string) => void (output += text), err: (text: string) => void (output += text) };
      const option = words.length === 0 ? [attack] : [`${words[0]}=${attack}`];
      const code = await runCommandLine(['query', '--url', at().url, '-g', 'src_addr', '--sql', ...option], io);
      expect([option, code, output]).toEqual([option, expect.any(Number), expect.not.stringContaining(SECRET)]);
      expect([option, output]).toEqual([option, expect.not.stringContaining('store_failed')]);
    }
  }
  for (const { sql } of statements)
    for (const attack of attacks()) expect([sql, sql.includes(attack)]).toEqual([sql, false]);
  await expectHarmless();
}, 60_000);

describe('texts of a filter', () => {
  test('reach the engine as parameters', async () => {
    statements.length = 0;
    for (const attack of attacks()) {
      for (const condition of [
        'exporter like',
        'exporter =',
        'in_if ~',
        'if ilike',
        'as =',
        'service =',
        'src_addr =',
      ]) {
        const filter = `${condition} ${JSON.stringify(attack)} or sampler_address = "192.0.2.2"`;
        const { A } = await at().query([{ refId: 'A', kind: 'stat', filter }], T0, T0 + 60 * MINUTE);
        if (A?.status !== 200) expect([filter, A?.code]).toEqual([filter, expect.stringMatching(/^filter_/)]);
      }
    }
    expect(statements.length).toBeGreaterThan(20);
    for (const { sql } of statements)
      for (const attack of attacks()) expect([sql, sql.includes(attack)]).toEqual([sql, false]);
    await expectHarmless();
  });

  test('are searched for as they are', async () => {
    for (const q of attacks().filter((text) => !text.includes('\u0000'))) {
      const response = await fetch(
        `${at().url}/api/v1/values?${new URLSearchParams({ field: 'src_addr', q }).toString()}`,
      );
      expect([response.status, (await response.json()) as ValuesResponse]).toEqual([
        200,
        { field: 'src_addr', values: [], complete: true },
      ]);
    }
  });
});

test.each(['groupBy', 'columns', 'unique', 'sort'])('%s takes names of the registry only', async (key) => {
  for (const attack of attacks()) {
    const kind = key === 'unique' ? 'stat' : key === 'groupBy' ? 'table' : 'records';
    const { A } = await at().query(
      [{ refId: 'A', kind, [key]: key === 'sort' ? [{ by: attack, descending: true }] : [attack] }],
      T0,
      T0 + 60 * MINUTE,
    );
    expect([attack, A?.status, A?.code]).toEqual([attack, 400, 'query_unknown_field']);
  }
});

test('a name of a query that is a name of JavaScript is only a name', async () => {
  const response = await at().post(
    '/api/v1/query',
    `{"from":${T0},"to":${T0 + MINUTE},"queries":[{"refId":"constructor","kind":"stat"}]}`,
  );
  expect(Object.keys(((await response.json()) as QueryResponse).results)).toEqual(['constructor']);
  const poisoned = await at().post(
    '/api/v1/query',
    `{"from":${T0},"to":${T0 + MINUTE},"queries":[{"__proto__":{"kind":"stat"}}]}`,
  );
  expect(poisoned.status).toBe(400);
});
