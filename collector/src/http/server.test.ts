import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiError, QueryResponse } from '@ringflow/contract';
import type { RunOptions, RunResult } from '../query/index.ts';
import { createTestServer, type TestServer } from './testing/server.ts';

const T0 = Date.UTC(2026, 0, 10, 12);
const HOUR = 3_600_000;

const servers: TestServer[] = [];
const start = async (...args: Parameters<typeof createTestServer>): Promise<TestServer> => {
  const server = await createTestServer(...args);
  servers.push(server);
  return server;
};
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

/** Hour-long flows in buckets of a second: a hundred million parts, which takes the engine many seconds. */
async function insertSlow(server: TestServer): Promise<object> {
  await server.store.engine.exec(
    `INSERT INTO flows (time_flow_start_ns, time_flow_end_ns, time_received_ns, bytes, packets, src_port) SELECT fromUnixTimestamp64Milli(${T0}, 'UTC'), fromUnixTimestamp64Milli(${T0 + HOUR}, 'UTC'), fromUnixTimestamp64Milli(${T0 + HOUR}, 'UTC'), 1000000 + number, 10, number FROM numbers(30000)`,
  );
  return { kind: 'timeseries', groupBy: ['src_port'], intervalMs: 1000, maxDataPoints: 5000, resolution: 'raw' };
}

const running = async (server: TestServer): Promise<number> => {
  const [row] = await server.store.engine.select<{ n: number }>(
    "SELECT count() AS n FROM system.processes WHERE query NOT LIKE '%system.processes%'",
  );
  return row?.n ?? -1;
};

async function until(condition: () => Promise<boolean>, timeoutMs = 10_000): Promise<boolean> {
  for (const end = Date.now() + timeoutMs; Date.now() < end; await sleep(20)) if (await condition()) return true;
  return false;
}

describe('cancellation and bounds', () => {
  test('a caller that goes away stops the query in the engine', async () => {
    const server = await start(T0 + HOUR);
    const query = await insertSlow(server);
    const abort = new AbortController();
    const asked = fetch(`${server.url}/api/v1/query`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ from: T0, to: T0 + HOUR, queries: [{ refId: 'A', ...query }] }),
      signal: abort.signal,
    }).catch((error: Error) => error.name);
    expect(await until(async () => (await running(server)) > 0)).toBe(true);
    expect(server.http.status()).toMatchObject({ queries: 1, running: 1 });
    abort.abort();
    expect(await asked).toBe('AbortError');
    expect(await until(async () => (await running(server)) === 0, 5000)).toBe(true);
    expect(await until(async () => server.http.status().running === 0, 5000)).toBe(true);
    expect(server.http.status()).toMatchObject({ queries: 1, cancelled: 1, failed: 0, running: 0 });
  });

  test('a query that runs too long is stopped, the others are answered', async () => {
    const server = await start(T0 + HOUR, {}, { timeout_seconds: 1 });
    const query = await insertSlow(server);
    const response = await server.post('/api/v1/query', {
      from: T0,
      to: T0 + HOUR,
      queries: [
        { refId: 'slow', ...query },
        { refId: 'quick', kind: 'stat' },
      ],
    });
    const { results } = (await response.json()) as QueryResponse;
    expect(results['slow']).toMatchObject({
      status: 504,
      code: 'query_timeout',
      errorSource: 'downstream',
      hint: expect.stringContaining('query.timeout_seconds') as string,
    });
    expect(results['quick']?.status).toBe(200);
    expect(await until(async () => (await running(server)) === 0, 5000)).toBe(true);
  });

  test('memory and rows are bounded, each with an error of its own', async () => {
    const server = await start(T0 + HOUR, {}, { max_memory_bytes: 16 * 1024 * 1024, max_rows: 100 });
    await server.store.engine.exec(
      `INSERT INTO flows (time_flow_start_ns, time_flow_end_ns, time_received_ns, bytes, packets, src_addr, dst_addr) SELECT fromUnixTimestamp64Milli(${T0}, 'UTC'), fromUnixTimestamp64Milli(${T0}, 'UTC'), fromUnixTimestamp64Milli(${T0}, 'UTC'), 1, 1, toIPv6(concat('2001:db8::', hex(number % 65536), ':', hex(intDiv(number, 65536)))), toIPv6(concat('2001:db8::', hex(number % 60000))) FROM numbers(600000)`,
    );
    const { memory, rows } = await server.query(
      [
        { refId: 'memory', kind: 'table', groupBy: ['src_addr', 'dst_addr'] },
        { refId: 'rows', kind: 'records', limit: 200, columns: ['bytes'] },
      ],
      T0,
      T0 + HOUR,
    );
    expect(memory).toMatchObject({
      status: 503,
      code: 'query_memory',
      hint: expect.stringContaining('query.max_memory_bytes') as string,
    });
    expect(rows).toMatchObject({
      status: 413,
      code: 'query_too_large',
      hint: expect.stringContaining('query.max_rows') as string,
    });
  });

  test('queries of one request run with bounded concurrency', async () => {
    let now = 0;
    let most = 0;
    const run = async (_: unknown, options: RunOptions): Promise<RunResult> => {
      most = Math.max(most, ++now);
      await sleep(5, undefined, { signal: options.signal ?? new AbortController().signal });
      now--;
      return { columns: [[1], [1], [1], [1]], rows: 1, rowsRead: 1, bytesRead: 1, elapsedMs: 1 };
    };
    const server = await start(T0 + HOUR, {}, { concurrency: 2 }, { run });
    const results = await server.query(
      Array.from({ length: 20 }, () => ({ kind: 'stat' })),
      T0,
      T0 + HOUR,
    );
    expect(Object.keys(results)).toHaveLength(20);
    expect([most, now]).toEqual([2, 0]);
  });

  test('an error that nobody expected is logged and not shown', async () => {
    const server = await start(
      T0 + HOUR,
      {},
      {},
      { run: async () => Promise.reject(new Error('secret of the inside')) },
    );
    const { A } = await server.query([{ refId: 'A', kind: 'stat' }], T0, T0 + HOUR);
    expect(A).toMatchObject({ status: 500, code: 'internal' });
    expect(JSON.stringify(A)).not.toContain('secret');
    expect(server.logged.join('\n')).toContain('secret of the inside');
  });
});

describe('token', () => {
  const TOKEN = 'correct-horse-battery-staple';

  test('every route but health, page and description asks for it', async () => {
    const server = await start(T0, { token: TOKEN });
    const status = async (path: string, authorization?: string): Promise<number> =>
      (await fetch(server.url + path, authorization === undefined ? {} : { headers: { authorization } })).status;
    for (const path of ['/', '/healthz', '/readyz', '/openapi.json', '/metrics'])
      expect([path, await status(path)]).toEqual([path, 200]);
    for (const path of ['/api/v1/fields', '/api/v1/status', '/api/v1/exporters', '/api/v1/values?field=proto']) {
      expect([path, await status(path, `Bearer ${TOKEN}`)]).toEqual([path, 200]);
      for (const wrong of [
        undefined,
        '',
        'Bearer',
        'Bearer ',
        'Bearer <no value>',
        `Bearer ${TOKEN}x`,
        `Bearer ${TOKEN.slice(1)}`,
        TOKEN,
        `Basic ${TOKEN}`,
      ]) {
        expect([path, wrong, await status(path, wrong)]).toEqual([path, wrong, 401]);
      }
    }
    const refused = await server.post('/api/v1/query', { from: 1, to: 2, queries: [{}] });
    expect([
      refused.status,
      refused.headers.get('www-authenticate'),
      ((await refused.json()) as ApiError).code,
    ]).toEqual([401, 'Bearer', 'unauthorized']);
    expect(
      (await server.post('/api/v1/query', { from: 1, to: 2, queries: [{}] }, { authorization: `bearer ${TOKEN}` }))
        .status,
    ).toBe(200);
  });

  test('metrics can be protected, too', async () => {
    const server = await start(T0, { token: TOKEN, protect_metrics: true });
    expect((await fetch(`${server.url}/metrics`)).status).toBe(401);
    expect((await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } })).status).toBe(200);
  });

  test('a stranger is refused before the body is read', async () => {
    const server = await start(T0, { token: TOKEN });
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    const answer = new Promise<string>((resolve) => socket.once('data', (data) => resolve(String(data))));
    socket.write(
      'POST /api/v1/query HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n{',
    );
    expect(await answer).toMatch(/^HTTP\/1.1 401 /);
    socket.destroy();
  });
});

test('not ready is 503', async () => {
  const server = await start(T0, {}, {}, { ready: () => ({ ready: false, reasons: ['the store is not open'] }) });
  const response = await fetch(`${server.url}/readyz`);
  expect([response.status, await response.json()]).toEqual([503, { ready: false, reasons: ['the store is not open'] }]);
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
});

test('stop ends what runs and frees the port', async () => {
  const server = await createTestServer(T0 + HOUR);
  const query = await insertSlow(server);
  const asked = server
    .post('/api/v1/query', { from: T0, to: T0 + HOUR, queries: [{ refId: 'A', ...query }] })
    .catch((error: Error) => error.message);
  expect(await until(async () => (await running(server)) > 0)).toBe(true);
  await server.http.stop();
  expect(typeof (await asked)).toBe('string');
  await expect(fetch(`${server.url}/healthz`)).rejects.toThrow();
  expect(await until(async () => server.http.status().running === 0, 5000)).toBe(true);
  await server.store.close();
});
