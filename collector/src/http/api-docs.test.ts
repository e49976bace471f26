import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NOTICE_CODES, QUERY_DEFAULTS } from '@ringflow/contract';
import { createResolver, RESOLVE_DEFAULTS } from '../resolve/index.ts';
import { startNameServer, type TestNameServer } from '../resolve/testing/name-server.ts';
import { ROUTES } from './index.ts';
import { createTestServer, type TestServer } from './testing/server.ts';

const PAGE = readFileSync(join(__dirname, '../../../docs/reference/api.md'), 'utf8');
const T0 = Date.UTC(2026, 0, 10, 12);

interface Example {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly expected: object;
}

const EXAMPLES: readonly Example[] = [
  ...PAGE.matchAll(/```http\n(GET|POST) (\S+)\n([\s\S]*?)```\n\n```json\n([\s\S]*?)```/g),
].map(([, method, path, body, expected]) => ({
  method: method as string,
  path: path as string,
  body: (body as string).trim(),
  expected: JSON.parse(expected as string) as object,
}));

let server: TestServer | undefined;
let nameServer: TestNameServer | undefined;
beforeAll(async () => {
  nameServer = await startNameServer(({ type, name }) => {
    if (name === '5.113.0.203.in-addr.arpa') return [{ type: 'PTR', name, ttl: 60, data: 'cdn.example.com' }];
    return type === 'A' && name === 'cdn.example.com' ? [{ type, name, ttl: 60, data: '203.0.113.5' }] : 'nxdomain';
  });
  const resolver = createResolver({ ...RESOLVE_DEFAULTS, servers: [nameServer.address] }, { now: () => T0 });
  const resolve = { most: RESOLVE_DEFAULTS.max_addresses, names: resolver.resolve };
  server = await createTestServer(T0 + 3_600_000, {}, {}, { resolve });
  const common = { sampler_address: '::ffff:192.0.2.1', type: 4, in_if: 3, sampling_rate: 1 };
  await server.store.insert([
    {
      ...common,
      startMs: T0,
      endMs: T0 + 150_000,
      bytes: 22_500_000,
      packets: 15_000,
      src_addr: '::ffff:10.0.0.1',
      dst_addr: '::ffff:198.51.100.1',
      src_port: 50_000,
      dst_port: 443,
      proto: 6,
      service: 6 * 65_536 + 443,
    },
    ...[0, 1, 2].map((minute) => ({
      ...common,
      startMs: T0 + minute * 60_000,
      endMs: T0 + (minute + 1) * 60_000,
      bytes: 60_000,
      packets: 600,
      src_addr: '::ffff:10.0.0.2',
      dst_addr: '::ffff:198.51.100.2',
      src_port: 50_001,
      dst_port: 53,
      proto: 17,
      service: 17 * 65_536 + 53,
    })),
  ]);
});
afterAll(async () => {
  await server?.close();
  nameServer?.close();
});

test.each(EXAMPLES.map((example, index) => [`${index + 1}: ${example.method} ${example.path}`, example] as const))(
  'example %s answers as printed',
  async (_, { method, path, body, expected }) => {
    const { url } = server as TestServer;
    const response = await fetch(
      url + path,
      method === 'POST' ? { method, headers: { 'content-type': 'application/json' }, body } : {},
    );
    expect(await response.json()).toMatchObject(expected);
  },
);

test('the page names every route, query key and notice', () => {
  expect(EXAMPLES.length).toBe(PAGE.match(/```http/g)?.length);
  for (const route of ROUTES) expect(PAGE).toContain(`${route.path}`);
  for (const key of Object.keys(QUERY_DEFAULTS))
    if (key !== 'version') expect([key, PAGE.includes(`\`${key}\``)]).toEqual([key, true]);
  for (const code of NOTICE_CODES) expect([code, PAGE.includes(`| \`${code}\` |`)]).toEqual([code, true]);
});
