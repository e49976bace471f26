import { createSocket } from 'node:dgram';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ResolveResponse } from '@ringflow/contract';
import { addressOf, encodeIpfix, encodeIpfixTemplates, type DemoFlow } from '../demo/index.ts';
import { encodeMmdb } from '../demo/mmdb-writer.ts';
import { describeWithMaxmind, maxmindFile } from '../enrich/testing/maxmind.ts';
import { startNameServer } from '../resolve/testing/name-server.ts';
import { createFolder, startCollector, until, type RunningCollector } from './testing/collector.ts';
import { createSender } from './testing/sender.ts';

let folder: ReturnType<typeof createFolder> | null = null;
let collector: RunningCollector | null = null;
let stopSending = async (): Promise<void> => undefined;

async function start(more: string): Promise<RunningCollector> {
  folder = createFolder(more);
  collector = await startCollector(folder.path);
  return collector;
}
afterEach(async () => {
  await stopSending();
  collector?.kill('SIGTERM');
  await collector?.exited;
  folder?.remove();
  collector = folder = null;
});

function flow(src: string, dst: string, more: Partial<DemoFlow> = {}): DemoFlow {
  const endMs = Date.now();
  const startMs = endMs - 1000;
  const sizes = { bytes: 1000, packets: 2, srcMask: 0, dstMask: 0, vlan: 0, tos: 0, tcpFlags: 0 };
  const ends = { src: addressOf(src), dst: addressOf(dst), srcPort: 50_000, dstPort: 443, proto: 6, inIf: 1, outIf: 2 };
  return { ...sizes, ...ends, srcAs: 0, dstAs: 0, startMs, endMs, ...more };
}

/** IPFIX over a socket of its own. */
async function send(port: number, flows: readonly DemoFlow[]): Promise<void> {
  const socket = createSocket('udp4');
  const header = { unixMs: Date.now(), sequence: 0, domain: 1 };
  for (const datagram of [encodeIpfixTemplates(header, 1, []), encodeIpfix(header, flows)])
    await new Promise<void>((resolve) => socket.send(datagram, port, '127.0.0.1', () => resolve()));
  socket.close();
}

/** Rows of a records query, the latest first. */
async function records(columns: readonly string[], limit = 10): Promise<Record<string, unknown>[]> {
  const { frames, error } = await (collector as RunningCollector).query({
    kind: 'records',
    columns: ['src_addr', ...columns],
    limit,
  });
  if (error !== undefined) throw new Error(error);
  const { schema, data } = frames[0] as (typeof frames)[number];
  return (data.values[0] ?? []).map((_, row) =>
    Object.fromEntries(schema.fields.map(({ name }, index) => [name, data.values[index]?.[row]])),
  );
}

describeWithMaxmind("MaxMind's databases", () => {
  test('O65 O66 O67 O68 the record of a flow carries country, city, coordinates and AS of both ends', async () => {
    const databases = ['GeoLite2-City-Test.mmdb', 'GeoLite2-ASN-Test.mmdb', 'bad/cyclic-data-structure.mmdb'];
    const { udpPort, metrics } = await start(
      `enrich: {geo: {databases: ${JSON.stringify(databases.map(maxmindFile))}}}\n`,
    );
    await send(udpPort, [
      flow('89.160.20.112', '81.2.69.160', { dstAs: 64_500 }),
      flow('2001:218:1::1', '2001:256::5'),
      flow('10.1.2.3', '1.128.0.9'),
    ]);
    const columns = ['country', 'as', 'as_name', 'city', 'subdivision', 'latitude', 'longitude'];
    const both = ['src', 'dst'].flatMap((side) => columns.map((column) => `${side}_${column}`));
    const rows = await until(
      async () => {
        const found = await records(['dst_addr', ...both]);
        // Names follow their ids.
        return found.length === 3 && found.some((row) => row['src_city'] === 'Linköping') && found;
      },
      20_000,
      () => `the records are there:\n${collector?.output()}`,
    );
    const side = (address: string, name: 'src' | 'dst'): unknown[] => {
      const row = rows.find((one) => one[`${name}_addr`] === address);
      return columns.map((column) => row?.[`${name}_${column}`]);
    };
    expect(side('89.160.20.112', 'src')).toEqual([
      ...['SE', 'AS29518', 'Bredband2 AB', 'Linköping', 'Östergötland County', 58.4167, 15.6167],
    ]);
    expect(side('81.2.69.160', 'dst')).toEqual(['GB', 'AS64500', '', 'London', 'England', 51.5142, -0.0931]);
    expect(side('2001:218:1::1', 'src')).toEqual(['JP', '', '', '', '', 35.68536, 139.75309]);
    expect(side('2001:256::5', 'dst')).toEqual(['CN', '', '', '', '', 35, 105]);
    expect(side('10.1.2.3', 'src')).toEqual(['', '', '', '', '', null, null]);
    expect(side('1.128.0.9', 'dst')).toEqual(['', 'AS1221', 'Telstra Pty Ltd', '', '', null, null]);

    const text = await metrics();
    const usable = (name: string): string => `ringflow_enrich_file_usable{file="${maxmindFile(name)}"}`;
    expect(text).toContain(`${usable('GeoLite2-City-Test.mmdb')} 1\n`);
    expect(text).toContain(`${usable('bad/cyclic-data-structure.mmdb')} 0\n`);
  });
});

/** A database that takes a while to load, and says one country for all of 192.0.2.0/24. */
function countryDatabase(country: string): Uint8Array {
  const filling = Array.from({ length: 5000 }, (_, i) => ({
    network: `20.${i >> 8}.${i & 255}.0/24`,
    record: { country: { iso_code: 'ZZ' }, city: { names: { en: `Town ${i}` } } },
  }));
  return encodeMmdb([...filling, { network: '192.0.2.0/24', record: { country: { iso_code: country } } }], {
    type: 'Test',
    description: 'Test',
    builtMs: Date.now(),
  });
}

test('a database that is replaced again and again under load: no record is lost, and the next one sees the last', async () => {
  const { udpPort, status, metrics } = await start('enrich: {geo: {databases: [countries.mmdb]}}\n');
  const path = join((folder as { path: string }).path, 'countries.mmdb');
  const put = (bytes: Uint8Array): void => {
    writeFileSync(`${path}.new`, bytes);
    renameSync(`${path}.new`, path);
  };
  const [first, second, third, last] = ['AT', 'BE', 'CH', 'DK'].map(countryDatabase) as [Uint8Array, ...Uint8Array[]];
  const sender = createSender(udpPort);
  const stopped = new AbortController();
  const sending = (async () => {
    while (!stopped.signal.aborted) {
      await sender.send(2);
      await sleep(20);
    }
  })();
  stopSending = async () => {
    stopSending = async () => undefined;
    stopped.abort();
    await sending;
    sender.close();
  };
  const file = async () => (await status()).details.enrich?.files[0];
  const lastCountry = async (): Promise<unknown> => (await records(['dst_country'], 1))[0]?.['dst_country'];
  const sees = (country: string): Promise<unknown> =>
    until(
      async () => (await sleep(500), (await lastCountry()) === country),
      60_000,
      () => `${country} is seen:\n${collector?.output()}`,
    );
  put(first);
  await sees('AT');
  // Much faster than the file is looked at and loaded: some of these come while a load runs.
  for (let i = 0; i < 40; i++) {
    put((i % 2 === 0 ? second : third) as Uint8Array);
    await sleep(80);
  }
  put(last as Uint8Array);
  await sees('DK');
  // The status comes every second.
  const loads = await until(async () => ((await file())?.loads ?? 0) > 1 && (await file())?.loads, 20_000, 'two loads');

  // A broken one, and one that is cut: the last good one stays in use, and everybody is told.
  for (const broken of ['this is no database', first.subarray(0, 100_000)]) {
    const before = (await file())?.failures ?? 0;
    put(Buffer.from(broken));
    await until(async () => ((await file())?.failures ?? 0) > before, 20_000, 'it is refused');
    expect(await file()).toMatchObject({
      loads,
      error: expect.stringContaining('It is no MaxMind database') as string,
    });
  }
  await stopSending();
  expect(await lastCountry()).toBe('DK');
  expect(await metrics()).toContain('ringflow_enrich_file_usable{file="countries.mmdb"} 0\n');
  expect(collector?.output()).toContain('enrichment file cannot be used, the one before stays');

  const { ledger } = await until(
    async () => {
      const now = await status();
      return now.ledger.waiting === 0 && now.ledger.stored >= sender.sent.records && now;
    },
    30_000,
    'everything is stored',
  );
  expect(ledger).toMatchObject({ stored: sender.sent.records, dropped: [], difference: 0 });
  expect(readFileSync(path)).toHaveLength(100_000);
}, 240_000);

test('M40 M41 names of addresses are looked up when somebody asks, and not before', async () => {
  const nameServer = await startNameServer(({ name }) =>
    name === '5.113.0.203.in-addr.arpa' ? [{ type: 'PTR', name, ttl: 60, data: 'cdn.example.com' }] : 'nxdomain',
  );
  try {
    const { url, udpPort, status, metrics } = await start(
      `resolve: {servers: ["${nameServer.address}"], max_addresses: 3}\n`,
    );
    await send(udpPort, [flow('10.1.2.3', '203.0.113.5')]);
    await until(async () => (await status()).ledger.stored === 1, 20_000, 'the record is stored');
    expect(nameServer.asked).toEqual([]);

    const ask = (body: object): Promise<Response> =>
      fetch(`${url}/api/v1/resolve`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const answer = async (cached: boolean): Promise<void> =>
      expect((await (await ask({ addresses: ['203.0.113.5', '10.1.2.3'] })).json()) as ResolveResponse).toEqual({
        results: [
          { address: '203.0.113.5', outcome: 'found', names: ['cdn.example.com'], confirmed: null, cached },
          { address: '10.1.2.3', outcome: 'none', names: [], confirmed: null, cached },
        ],
      });
    await answer(false);
    await answer(true);
    expect(nameServer.asked).toEqual(['PTR 5.113.0.203.in-addr.arpa', 'PTR 3.2.1.10.in-addr.arpa']);
    const text = await metrics();
    expect(text).toContain('ringflow_resolve_lookups_total{outcome="found"} 1\n');
    expect(text).toContain('ringflow_resolve_cache_hits_total 2\n');
    expect(text).toContain('ringflow_resolve_cached_addresses 2\n');

    const tooMany = await ask({ addresses: ['1.1.1.1', '1.1.1.2', '1.1.1.3', '1.1.1.4'] });
    expect([tooMany.status, await tooMany.json()]).toEqual([
      400,
      {
        code: 'bad_request',
        message: '4 addresses are more than 3',
        hint: 'Ask for fewer at a time, or raise resolve.max_addresses',
      },
    ]);
    expect((await ask({ addresses: [] })).status).toBe(400);
    expect((await ask({ names: ['x'] })).status).toBe(400);
  } finally {
    nameServer.close();
  }
});
