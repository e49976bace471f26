import { setTimeout as sleep } from 'node:timers/promises';
import type { Question } from 'dns-packet';
import { createResolver, RESOLVE_DEFAULTS, type Lookup, type ResolveConfig, type Resolver } from './index.ts';
import { reverseName } from './name-server.ts';
import { startNameServer, type Reply, type TestNameServer } from './testing/name-server.ts';
import { parseAddress } from '@ringflow/contract';

const ptr = (name: string, ...hosts: readonly string[]): Reply =>
  hosts.map((data) => ({ type: 'PTR', name, ttl: 60, data }));

const V6 = '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa';

/** A zone with a case per kind of answer. */
function zone({ name, type }: Question): Reply {
  if (type === 'A' && name === 'cdn.example.com') return [{ type: 'A', name, ttl: 60, data: '203.0.113.5' }];
  if (type === 'A' && name === 'liar.example.com') return [{ type: 'A', name, ttl: 60, data: '198.51.100.1' }];
  if (type === 'AAAA' && name === 'six.example.com') return [{ type: 'AAAA', name, ttl: 60, data: '2001:db8::1' }];
  switch (name) {
    case '5.113.0.203.in-addr.arpa':
      return ptr(name, 'cdn.example.com');
    case '6.113.0.203.in-addr.arpa':
      return ptr(name, 'liar.example.com');
    case '7.113.0.203.in-addr.arpa':
      return ptr(name, ...Array.from({ length: 15 }, (_, i) => `host${i}.example.com`));
    case '8.113.0.203.in-addr.arpa':
      return ptr(name, '<script>alert(1)</script>.example.com');
    case '9.113.0.203.in-addr.arpa':
      return 'servfail';
    case '10.113.0.203.in-addr.arpa':
      return 'silent';
    case V6:
      return ptr(name, 'six.example.com');
    default:
      return name.startsWith('1') ? 'nxdomain' : ptr(name, `x${name.split('.')[0]}.example.net`);
  }
}

let server: TestNameServer;
let resolver: Resolver;
let lookups: Lookup[];
let hits: number;
let nowMs: number;

function start(config: Partial<ResolveConfig> = {}): void {
  resolver = createResolver(
    { ...RESOLVE_DEFAULTS, servers: [server.address], timeout_ms: 400, ...config },
    { now: () => nowMs, observe: (lookup) => lookups.push(lookup), hit: () => hits++ },
  );
}

beforeEach(async () => {
  server = await startNameServer(zone);
  lookups = [];
  hits = 0;
  nowMs = 1_800_000_000_000;
});
afterEach(() => {
  resolver.stop();
  server.close();
});

test('M40 addresses become names, one answer per address in their order, errors in their own answer', async () => {
  start();
  expect(server.asked).toEqual([]);
  const found = { outcome: 'found', confirmed: null, cached: false };
  expect(
    await resolver.resolve(
      ['203.0.113.5', '2001:db8::1', '192.0.2.1', 'nonsense', '203.0.113.9', '203.0.113.10', '203.0.113.5'],
      false,
    ),
  ).toEqual([
    { ...found, address: '203.0.113.5', names: ['cdn.example.com'] },
    { ...found, address: '2001:db8::1', names: ['six.example.com'] },
    { ...found, address: '192.0.2.1', outcome: 'none', names: [] },
    { ...found, address: 'nonsense', outcome: 'invalid', names: [], message: 'nonsense is not an address' },
    {
      ...found,
      address: '203.0.113.9',
      outcome: 'failed',
      names: [],
      message: 'The name server failed: ESERVFAIL',
    },
    { ...found, address: '203.0.113.10', outcome: 'timeout', names: [], message: 'No name server answered in time' },
    { ...found, address: '203.0.113.5', names: ['cdn.example.com'] },
  ]);
  // The address that came twice was asked for once.
  expect(server.asked.filter((question) => question === 'PTR 5.113.0.203.in-addr.arpa')).toHaveLength(1);
  expect(lookups.map(({ outcome }) => outcome).sort()).toEqual(['failed', 'found', 'found', 'none', 'timeout']);
});

test('M41 answers are kept for their time, those without a name too', async () => {
  start({ positive_ttl_seconds: 100, negative_ttl_seconds: 50, failure_ttl_seconds: 10 });
  const addresses = ['203.0.113.5', '192.0.2.1', '203.0.113.9'];
  const questions = async (): Promise<string[]> => {
    server.asked.length = 0;
    await resolver.resolve(addresses, false);
    return [...new Set(server.asked)].sort();
  };
  const [found, none, failed] = [
    'PTR 5.113.0.203.in-addr.arpa',
    'PTR 1.2.0.192.in-addr.arpa',
    'PTR 9.113.0.203.in-addr.arpa',
  ];
  expect(await questions()).toEqual([none, found, failed]);
  expect(await questions()).toEqual([]);
  expect(hits).toBe(3);
  expect((await resolver.resolve(addresses, false)).map(({ cached }) => cached)).toEqual([true, true, true]);
  nowMs += 10_000;
  expect(await questions()).toEqual([failed]);
  nowMs += 40_000;
  expect(await questions()).toEqual([none, failed]);
  nowMs += 50_000;
  expect(await questions()).toEqual([none, found, failed]);
});

test('a name that leads back to the address is confirmed, another one is not', async () => {
  start();
  const answers = await resolver.resolve(['203.0.113.5', '203.0.113.6', '2001:db8::1', '192.0.2.1'], true);
  expect(answers.map(({ names, confirmed }) => [names[0], confirmed])).toEqual([
    ['cdn.example.com', true],
    ['liar.example.com', false],
    ['six.example.com', true],
    [undefined, false],
  ]);
});

test('what a zone says is bounded, and nothing but host names comes out', async () => {
  start();
  const [many, hostile] = await resolver.resolve(['203.0.113.7', '203.0.113.8'], false);
  expect(many?.names).toHaveLength(10);
  expect(hostile).toMatchObject({ outcome: 'none', names: [] });
});

test('look-ups at the same time are bounded, over all calls', async () => {
  start({ concurrency: 5, timeout_ms: 5000 });
  server.delayMs = 30;
  const call = (net: number) =>
    resolver.resolve(
      Array.from({ length: 20 }, (_, i) => `198.51.${net}.${i + 20}`),
      false,
    );
  const answers = (await Promise.all([call(1), call(2)])).flat();
  expect(answers.map(({ outcome }) => outcome)).toEqual(Array(40).fill('found'));
  expect(server.waiting.most).toBe(5);
  expect(resolver.status()).toEqual({ cached: 40, running: 0, waiting: 0 });
});

test('a call ends after its time; what came later is there for the next one', async () => {
  start({ call_timeout_ms: 100, timeout_ms: 3000 });
  server.delayMs = 300;
  const [late] = await resolver.resolve(['203.0.113.5'], false);
  expect(late).toMatchObject({ outcome: 'timeout', message: 'No answer within 100 ms' });
  await sleep(400);
  expect(await resolver.resolve(['203.0.113.5'], false)).toMatchObject([{ names: ['cdn.example.com'], cached: true }]);
});

test('when the caller goes away, what has not begun is not asked', async () => {
  start({ concurrency: 1, timeout_ms: 3000 });
  server.delayMs = 50;
  const gone = new AbortController();
  const call = resolver.resolve(
    Array.from({ length: 50 }, (_, i) => `198.51.100.${i + 20}`),
    false,
    gone.signal,
  );
  await sleep(20);
  gone.abort();
  await call;
  await sleep(150);
  expect(server.asked).toHaveLength(1);
  expect(resolver.status()).toMatchObject({ running: 0, waiting: 0 });
});

test('too many that wait are refused, and the cache has its bound', async () => {
  start({ concurrency: 1, max_addresses: 2, cache_entries: 3 });
  const answers = await resolver.resolve(
    Array.from({ length: 12 }, (_, i) => `198.51.100.${i + 20}`),
    false,
  );
  expect(answers.filter(({ outcome }) => outcome === 'busy')).toHaveLength(3);
  expect(answers.filter(({ outcome }) => outcome === 'found')).toHaveLength(9);
  expect(resolver.status().cached).toBe(3);
});

test('a server that is none is refused', () => {
  start();
  expect(() => createResolver({ ...RESOLVE_DEFAULTS, servers: ['1.2.3.4.5'] }, { now: Date.now })).toThrow(
    /resolve\.servers: .*1\.2\.3\.4\.5/,
  );
});

test('the names of the reverse zones', () => {
  expect(reverseName(parseAddress('192.0.2.1') as Uint8Array)).toBe('1.2.0.192.in-addr.arpa');
  expect(reverseName(parseAddress('2001:db8::1') as Uint8Array)).toBe(V6);
});
