import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { HTTP_DEFAULTS, type HttpConfig } from './config.ts';
import { createTestServer, type TestServer } from './testing/server.ts';

const NOW = Date.UTC(2026, 0, 10, 12);
const servers: TestServer[] = [];
const sockets = new Set<Socket>();
let refused: Record<string, number>;

async function start(
  limits: Partial<HttpConfig['limits']> = {},
  deps: Parameters<typeof createTestServer>[3] = {},
): Promise<TestServer> {
  refused = {};
  const server = await createTestServer(
    NOW,
    { limits: { ...HTTP_DEFAULTS.limits, ...limits } },
    {},
    { refused: (reason) => (refused[reason] = (refused[reason] ?? 0) + 1), ...deps },
  );
  servers.push(server);
  return server;
}
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  for (const server of servers.splice(0)) await server.close();
});

/** A connection of an attacker: what was received so far, and whether it was closed. */
interface Caller {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  received(): string;
}

function call(server: TestServer, text: string | Uint8Array = ''): Caller {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  sockets.add(socket);
  let received = '';
  socket.on('data', (data) => (received += data.toString('latin1')));
  socket.on('error', () => undefined);
  if (text.length > 0) socket.write(text);
  return { socket, closed: new Promise((done) => socket.once('close', () => done())), received: () => received };
}

const post = (body: Uint8Array | string, ...headers: string[]): Buffer => {
  const bytes = Buffer.from(body);
  return Buffer.concat([
    Buffer.from(
      [
        'POST /api/v1/query HTTP/1.1',
        'host: x',
        'content-type: application/json',
        `content-length: ${bytes.length}`,
        ...headers,
        '',
        '',
      ].join('\r\n'),
    ),
    bytes,
  ]);
};
const QUERY = JSON.stringify({ from: NOW - 60_000, to: NOW, queries: [{ refId: 'A', kind: 'stat' }] });
const statusOf = ({ received }: Caller): string => received().slice(9, 12);

async function until(condition: () => boolean, timeoutMs = 10_000): Promise<void> {
  for (const end = Date.now() + timeoutMs; Date.now() < end; await sleep(10)) if (condition()) return;
  throw new Error('It did not happen in time');
}

/** Somebody who asks and wants to be answered, on a connection of its own each time. */
async function honestAsks(server: TestServer): Promise<number> {
  const began = performance.now();
  const response = await fetch(`${server.url}/api/v1/query`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close' },
    body: QUERY,
  });
  expect(response.status).toBe(200);
  expect(Object.keys(((await response.json()) as { results: object }).results)).toEqual(['A']);
  return performance.now() - began;
}

test('a header that never ends is cut off, while others are answered', async () => {
  const server = await start({ headers_timeout_seconds: 1 });
  const slow = Array.from({ length: 100 }, () => call(server, 'GET /healthz HTTP/1.1\r\nhost: x\r\n'));
  const drip = setInterval(() => slow.forEach(({ socket }) => socket.writable && socket.write('x-a: b\r\n')), 100);
  for (let i = 0; i < 5; i++) await honestAsks(server);
  await Promise.all(slow.map(({ closed }) => closed));
  clearInterval(drip);
  expect(slow.every((one) => ['', '408'].includes(statusOf(one)))).toBe(true);
  expect(refused['slow_request']).toBe(100);
  await honestAsks(server);
});

test('a body that comes byte by byte is cut off, while others are answered', async () => {
  const server = await start({ headers_timeout_seconds: 1, request_timeout_seconds: 1 });
  const slow = Array.from({ length: 50 }, () => call(server, post(QUERY).subarray(0, -50)));
  const drip = setInterval(() => slow.forEach(({ socket }) => socket.writable && socket.write(' ')), 100);
  for (let i = 0; i < 5; i++) await honestAsks(server);
  await Promise.all(slow.map(({ closed }) => closed));
  clearInterval(drip);
  expect(refused['slow_request']).toBe(50);
});

test('answers that nobody takes are given up, and bounded together', async () => {
  const body = `# HELP up ${'1'.repeat(8_000_000)}\n`;
  const server = await start(
    { answer_timeout_seconds: 1, unsent_bytes: 50_000_000 },
    { metrics: async () => ({ contentType: 'text/plain', body }) },
  );
  const before = process.memoryUsage.rss();
  const takers = Array.from({ length: 100 }, () => {
    const caller = call(server, 'GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n');
    caller.socket.pause();
    return caller;
  });
  for (let i = 0; i < 5; i++) await honestAsks(server);
  await until(() => (refused['slow_answer'] ?? 0) + (refused['unsent_answers'] ?? 0) >= 100);
  expect(refused['slow_answer']).toBeLessThanOrEqual(6);
  expect(refused['unsent_answers']).toBeGreaterThanOrEqual(94);
  expect(process.memoryUsage.rss() - before).toBeLessThan(300e6);
  for (const { socket } of takers) socket.destroy();
  // Its place is free again.
  await sleep(50);
  expect((await (await fetch(`${server.url}/metrics`)).text()).length).toBe(body.length);
});

test('decompression bombs end at the limit of the body', async () => {
  const server = await start();
  const zeros = Buffer.alloc(256 * 1024 * 1024);
  const bomb = gzipSync(zeros, { level: 9 });
  expect(bomb.length).toBeLessThan(300_000);
  const before = process.memoryUsage.rss();
  const callers = Array.from({ length: 10 }, () => call(server, post(bomb, 'content-encoding: gzip')));
  await honestAsks(server);
  await until(() => callers.every((one) => statusOf(one) !== ''));
  expect(new Set(callers.map(statusOf))).toEqual(new Set(['413']));
  expect(process.memoryUsage.rss() - before).toBeLessThan(200e6);
  expect(refused['body_too_large']).toBe(10);
  // An honest one is read.
  const squeezed = call(server, post(gzipSync(QUERY), 'content-encoding: gzip'));
  await until(() => statusOf(squeezed) === '200');
});

test('encodings that are not read, or not what they say, are refused', async () => {
  const server = await start();
  const cases: [string, Buffer, string][] = [
    ['zstd', Buffer.from(QUERY), '415'],
    ['compress', Buffer.from(QUERY), '415'],
    ['gzip, gzip', gzipSync(gzipSync(QUERY)), '415'],
    ['gzip', Buffer.from(QUERY), '400'],
    ['gzip', gzipSync(QUERY).subarray(0, -9), '400'],
  ];
  for (const [encoding, body, status] of cases) {
    const caller = call(server, post(body, `content-encoding: ${encoding}`));
    await until(() => statusOf(caller) !== '');
    expect([encoding, statusOf(caller)]).toEqual([encoding, status]);
  }
  expect(refused['unsupported_encoding']).toBe(3);
  await honestAsks(server);
});

test('bodies and headers beyond the bounds are refused before they are read', async () => {
  const server = await start();
  const announced = call(
    server,
    'POST /api/v1/query HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99999999999\r\n\r\n{',
  );
  await until(() => statusOf(announced) === '413');
  const endless = call(
    server,
    'POST /api/v1/query HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n',
  );
  const piece = `10000\r\n${'['.repeat(65_536)}\r\n`;
  const pump = setInterval(() => endless.socket.writable && endless.socket.write(piece), 1);
  await until(() => statusOf(endless) === '413');
  clearInterval(pump);
  const headers = call(server, `GET /healthz HTTP/1.1\r\nhost: x\r\nx-a: ${'b'.repeat(1_000_000)}\r\n\r\n`);
  await headers.closed;
  const many = call(server, `GET /healthz HTTP/1.1\r\nhost: x\r\n${'a: b\r\n'.repeat(100_000)}\r\n`);
  await many.closed;
  expect(refused).toMatchObject({ body_too_large: 2, header_too_large: 2 });
  const garbage = call(server, Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3, 0, 255]));
  await garbage.closed;
  expect([statusOf(garbage), refused['bad_request']]).toEqual(['400', 1]);
  await honestAsks(server);
});

test.each([
  ['deep arrays', '['.repeat(500_000)],
  ['deep arrays that end', `${'['.repeat(400_000)}${']'.repeat(400_000)}`],
  ['deep objects', `${'{"a":'.repeat(150_000)}1${'}'.repeat(150_000)}`],
  [
    'a deep query',
    `{"from":1,"to":2,"queries":[{"refId":"A","kind":"stat","filter":${'['.repeat(200_000)}${']'.repeat(200_000)}}]}`,
  ],
  ['a prototype', `{"__proto__":{"polluted":1},${QUERY.slice(1)}`],
  ['a constructor', `{"constructor":{"prototype":{"polluted":1}},${QUERY.slice(1)}`],
  ['thousands of queries', JSON.stringify({ from: 1, to: 2, queries: Array.from({ length: 20_000 }, () => ({})) })],
  ['thousands of fields', `{${Array.from({ length: 60_000 }, (_, i) => `"k${i}":1`).join()},${QUERY.slice(1)}`],
  ['a number of 500,000 digits', QUERY.replace(/"from":\d+/, `"from":1${'0'.repeat(500_000)}`)],
])('JSON: %s is answered at once, with an error or as if it were not there', async (_, body) => {
  const server = await start();
  const began = performance.now();
  const response = await server.post('/api/v1/query', body);
  expect([200, 400]).toContain(response.status);
  expect(performance.now() - began).toBeLessThan(2000);
  expect((await response.text()).length).toBeLessThan(10_000);
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  await honestAsks(server);
});

test('a crowd of connections from one address is bounded', async () => {
  const server = await start({ connections_per_address: 40 });
  const crowd = Array.from({ length: 200 }, () => call(server));
  await until(() => (refused['connections_of_address'] ?? 0) === 160);
  crowd.forEach(({ socket }) => socket.destroy());
  await sleep(50);
  await honestAsks(server);
});

test('connections that only wait make room for others', async () => {
  const small = await start({ connections: 20 });
  // These have asked something and stay: they make room when others come.
  const idle = Array.from({ length: 20 }, () => call(small, 'GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n'));
  await until(() => idle.every((one) => statusOf(one) === '200'));
  const turnedAway = call(small, 'GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n');
  await turnedAway.closed;
  await Promise.all(idle.map(({ closed }) => closed));
  await honestAsks(small);
  expect(refused['connections']).toBe(1);
});

test('requests in a row on one connection are bounded, in order, and others are answered meanwhile', async () => {
  let asked = 0;
  const server = await start(
    { requests_per_connection: 8 },
    {
      run: async () => {
        asked++;
        await sleep(20);
        return { columns: [[1], [1], [1], [1]], rows: 1, rowsRead: 1, bytesRead: 1, elapsedMs: 1 };
      },
    },
  );
  const before = asked;
  const row = call(server, Buffer.concat(Array.from({ length: 500 }, () => post(QUERY))));
  await honestAsks(server);
  await row.closed;
  const statuses = [...row.received().matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
  expect(statuses.slice(0, 8)).toEqual(Array.from({ length: 8 }, () => '200'));
  expect(refused['requests_of_connection']).toBeGreaterThan(0);
  expect(asked - before).toBeLessThan(50);
});

test('callers that go away are counted and leave nothing behind', async () => {
  const server = await start();
  const callers = Array.from({ length: 100 }, (_, i) => call(server, post(QUERY).subarray(0, i % 2 === 0 ? 60 : -10)));
  await Promise.all(callers.map(({ socket }) => new Promise<void>((done) => socket.once('connect', () => done()))));
  await sleep(50);
  for (const { socket } of callers) socket.resetAndDestroy();
  await until(() => (refused['aborted'] ?? 0) >= 50);
  await until(() => server.http.status().running === 0);
  await honestAsks(server);
});
