import { spawn } from 'node:child_process';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { IngestResponse, StatusResponse } from '@ringflow/contract';
import {
  cleanEnvironment,
  createFolder,
  runCommand,
  startCollector,
  until,
  type RunningCollector,
} from './testing/collector.ts';

const TOKEN = 'open-sesame';
const CONFIG = `data_dir: ./data
inlet: {listen: ["127.0.0.1:0"], seal_interval_ms: 200}
http: {port: 0, ingest: {enabled: true, token: ${TOKEN}, max_body_bytes: 100000}}
log: {level: info, format: json}
`;

let folder: ReturnType<typeof createFolder>;
let collector: RunningCollector | undefined;
beforeEach(() => {
  folder = createFolder();
  writeFileSync(join(folder.path, 'ringflow.yml'), CONFIG);
});
afterEach(async () => {
  collector?.kill('SIGTERM');
  await collector?.exited;
  collector = undefined;
  folder.remove();
});

const start = async (): Promise<RunningCollector> => (collector = await startCollector(folder.path));

const nowNs = BigInt(Date.now()) * 1_000_000n;
/** As goflow2 writes them: time with nanoseconds, which a JavaScript number does not hold. */
const line = (index: number, more = ''): string =>
  `{"type":"NETFLOW_V9","time_received_ns":${nowNs + BigInt(index)},"sequence_num":${index},"sampling_rate":1,` +
  `"sampler_address":"192.0.2.${index % 2}","time_flow_start_ns":${nowNs},"time_flow_end_ns":${nowNs},` +
  `"bytes":${100 + index},"packets":1,"src_addr":"10.0.0.1","dst_addr":"2001:db8::1","etype":"IPv6","proto":"UDP",` +
  `"src_port":53,"dst_port":${index},"src_net":"10.0.0.0/8","next_hop":"","as_path":[],"layer_stack":["IPv6"]${more}}`;
const lines = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => line(from + index));
const sumOfBytes = (count: number): number => (count * (199 + count)) / 2;

interface Sent {
  readonly status: number;
  readonly body: IngestResponse & { code: string | number; message?: string; hint?: string };
  readonly headers: Headers;
}

async function send(
  { url }: { url: string },
  body: string | Uint8Array,
  { path = '/api/v1/ingest', headers = {} }: { path?: string; headers?: Record<string, string> } = {},
): Promise<Sent> {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, ...headers },
    body,
  });
  return { status: response.status, body: (await response.json()) as Sent['body'], headers: response.headers };
}

/** The ledger when all that was received is stored. */
const settled = (running: RunningCollector, received: number): Promise<StatusResponse['ledger']> =>
  until(
    async () => {
      const { ledger } = await running.status();
      return ledger.received >= received && ledger.waiting === 0 && ledger;
    },
    15_000,
    `${received} records are received and stored`,
  );

const totals = async (running: RunningCollector): Promise<number[]> => {
  const { frames } = await running.query({ kind: 'stat' });
  const { schema, data } = frames[0] as unknown as {
    schema: { fields: { name: string }[] };
    data: { values: number[][] };
  };
  return ['flows', 'bytes'].map(
    (name) => data.values[schema.fields.findIndex((field) => field.name === name)]?.[0] ?? NaN,
  );
};

test('batches are taken as OpenObserve takes them, counted per exporter and by reason', async () => {
  const running = await start();
  const basic = { authorization: `Basic ${Buffer.from(`root@example.com:${TOKEN}`).toString('base64')}` };
  const answer = await send(running, `[${lines(0, 1000).slice(0, 100).join(',')}]`, {
    path: '/api/default/netflow1/_json',
    headers: { ...basic, 'content-type': 'application/json' },
  });
  expect(answer).toMatchObject({
    status: 200,
    body: { code: 200, status: [{ name: 'netflow1', successful: 100, failed: 0, repeated: 0, ignored: {} }] },
  });
  const multi = await send(
    running,
    `${line(100)}\n{"made_up":1,"sampler_address":"192.0.2.9"}\n${line(101, ',"x":1')}\n`,
    {
      path: '/api/default/netflow1/_multi',
    },
  );
  expect(multi.body.status[0]).toEqual({ name: 'netflow1', successful: 2, failed: 1, repeated: 0, ignored: { x: 1 } });
  const zipped = await send(running, gzipSync(lines(102, 110).join('\n')), { headers: { 'content-encoding': 'gzip' } });
  expect(zipped.body.status[0]).toMatchObject({ successful: 8 });
  const ledger = await settled(running, 111);
  expect(ledger).toMatchObject({
    received: 111,
    stored: 110,
    dropped: [{ reason: 'not_understood', exporter: '192.0.2.9', records: 1 }],
    difference: 0,
  });
  expect(await totals(running)).toEqual([110, sumOfBytes(110)]);
  // The inlet tells how its exporters are once a second.
  const exporters = await until(
    async () => {
      const answer = (await (await fetch(`${running.url}/api/v1/exporters`)).json()) as {
        exporters: { address: string; records: number; protocols: string[] }[];
      };
      return answer.exporters.reduce((sum, { records }) => sum + records, 0) === 110 && answer.exporters;
    },
    10_000,
    'all records are counted for their exporters',
  );
  expect(exporters.map(({ address, records, protocols }) => [address, records, protocols])).toEqual([
    ['192.0.2.0', 55, ['NETFLOW_V9']],
    ['192.0.2.1', 55, ['NETFLOW_V9']],
  ]);
  const metrics = await running.metrics();
  expect(metrics).toContain('ringflow_ingest_records_total{outcome="stored"} 110');
  expect(metrics).toContain('ringflow_ingest_batches_total{outcome="taken"} 3');
  expect(metrics).toContain('ringflow_ledger_dropped_records_total{reason="not_understood",exporter="192.0.2.9"} 1');
});

test('what cannot be taken is refused whole, with the place of the mistake', async () => {
  const running = await start();
  for (const [body, code, message] of [
    [`[${line(0)},{"bytes":1,"src_addr":"10.0.0"}]`, 'ingest_invalid', 'Record 1, src_addr: "10.0.0" is no address'],
    [`[${line(0)},5]`, 'ingest_invalid', 'Record 1: Expected an object, not "5"'],
    [`[${line(0)}`, 'ingest_invalid', 'Record 1: The input ends before the array does'],
    [`${line(0)}\n{"bytes":}`, 'ingest_invalid', 'Record 1 is no JSON'],
    [Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), 'ingest_invalid', 'Record 0 is no JSON'],
  ] as const) {
    const answer = await send(running, body);
    expect([answer.status, answer.body.code]).toEqual([400, code]);
    expect(answer.body.message).toContain(message);
  }
  const long = await send(running, lines(0, 1000).join('\n'));
  expect([long.status, long.body.hint]).toEqual([413, expect.stringContaining('http.ingest.max_body_bytes')]);
  // A small body that would be a large one.
  const bomb = await send(running, gzipSync(' '.repeat(50_000_000)), { headers: { 'content-encoding': 'gzip' } });
  expect(bomb.status).toBe(413);
  for (const authorization of [
    '',
    'Bearer wrong',
    `Basic ${Buffer.from('root:wrong').toString('base64')}`,
    `Bearer ${TOKEN}x`,
  ]) {
    const answer = await send(running, line(0), { headers: { authorization } });
    expect([authorization, answer.status]).toEqual([authorization, 401]);
    expect(answer.headers.get('www-authenticate')).toContain('Bearer');
  }
  for (const body of ['', '[]', '\n'])
    expect((await send(running, body)).body.status[0]).toMatchObject({ successful: 0 });
  expect((await running.status()).ledger).toMatchObject({ received: 0, difference: 0 });
});

test('off by default', async () => {
  writeFileSync(join(folder.path, 'ringflow.yml'), CONFIG.replace('enabled: true', 'enabled: false'));
  const running = await start();
  const answer = await send(running, line(0));
  expect([answer.status, answer.body.hint]).toEqual([404, 'Set http.ingest.enabled']);
  writeFileSync(join(folder.path, 'ringflow.yml'), CONFIG.replace(TOKEN, '""'));
  const { code, stderr, stdout } = await runCommand(['check'], folder.path);
  expect([code, stdout + stderr]).toEqual([1, expect.stringContaining('http.ingest.token is empty')]);
});

test('what was acknowledged survives kill -9, and is known when it is sent again', async () => {
  let running = await start();
  const batch = lines(0, 100).join('\n');
  expect((await send(running, batch)).status).toBe(200);
  process.kill(await running.childPid('inlet'), 'SIGKILL');
  // Nobody is there for a moment: the sender comes again, and with more.
  const again = await until(
    async () => {
      const answer = await send(running, `${batch}\n${lines(100, 110).join('\n')}`);
      if (answer.status !== 503) return answer;
      expect(answer.headers.get('retry-after')).toBe('1');
      return undefined;
    },
    20_000,
    'the inlet is back',
  );
  expect(again.body.status[0]).toMatchObject({ successful: 110, repeated: 100 });
  await settled(running, 110);
  expect((await send(running, lines(110, 120).join('\n'))).status).toBe(200);
  running.kill('SIGKILL');
  await running.exited;
  running = await until(() => start().catch(() => undefined), 30_000, 'the collector starts again');
  const third = await send(running, lines(110, 125).join('\n'));
  expect(third.body.status[0]).toMatchObject({ successful: 15, repeated: 10 });
  expect(await settled(running, 125)).toMatchObject({ received: 125, stored: 125, dropped: [], difference: 0 });
  expect(await totals(running)).toEqual([125, sumOfBytes(125)]);
});

test('a file is imported once, however often; a longer one from where it ended', async () => {
  const running = await start();
  const file = join(folder.path, 'flows.json');
  const env = { RINGFLOW_URL: running.url, RINGFLOW_HTTP_INGEST_TOKEN: TOKEN };
  const imported = (...args: string[]) => runCommand(['import', ...args], folder.path, env);
  writeFileSync(file, `${lines(0, 50).join('\n')}\n`);
  expect(await imported(file)).toMatchObject({ code: 0, stderr: `${file}: 50 of 50 records (goflow2 JSON) taken\n` });
  appendFileSync(file, `${lines(50, 70).join('\n')}\n`);
  expect(await imported(file)).toMatchObject({
    code: 0,
    stderr: `${file}: 20 of 70 records (goflow2 JSON) taken, 50 were taken before\n`,
  });
  // A file that begins the same and goes on otherwise is told from it, and taken under a name of its own.
  writeFileSync(file, `${[...lines(0, 10), ...lines(200, 210)].join('\n')}\n`);
  const other = await imported(file);
  expect([other.code, other.stderr]).toEqual([1, expect.stringContaining('--as')]);
  expect(await imported(file, '--as', 'other')).toMatchObject({ code: 0 });
  expect((await settled(running, 90)).received).toBe(90);
  const wrong = await runCommand(['import', file], folder.path, { ...env, RINGFLOW_HTTP_INGEST_TOKEN: 'wrong' });
  expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('token of http.ingest')]);
  writeFileSync(file, 'nonsense\n');
  expect(await imported(file)).toMatchObject({ code: 2 });
  expect(await imported(join(folder.path, 'missing.json'))).toMatchObject({ code: 1 });
  expect(await imported()).toMatchObject({ code: 2 });
});

test('an import that is killed goes on where it stopped', async () => {
  writeFileSync(
    join(folder.path, 'ringflow.yml'),
    CONFIG.replace('max_body_bytes: 100000', 'max_body_bytes: 10000000'),
  );
  const running = await start();
  const count = 30_000;
  writeFileSync(join(folder.path, 'flows.json'), lines(0, count).join('\n'));
  const env = { RINGFLOW_URL: running.url, RINGFLOW_HTTP_INGEST_TOKEN: TOKEN };
  const child = spawn(process.execPath, [join(__dirname, '../../bin/ringflow.mjs'), 'import', 'flows.json'], {
    cwd: folder.path,
    env: { ...cleanEnvironment(), ...env },
  });
  await until(async () => (await running.status()).ledger.received > 0, 20_000, 'the first records are there');
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('close', resolve));
  const { stderr, code } = await runCommand(['import', 'flows.json'], folder.path, env);
  expect([code, stderr]).toEqual([
    0,
    expect.stringMatching(/^flows\.json: [\d,]+ of 30,000 records .* were taken before\n$/),
  ]);
  expect(await settled(running, count)).toMatchObject({ received: count, stored: count, difference: 0 });
  expect(await totals(running)).toEqual([count, sumOfBytes(count)]);
});

test('what was exported is imported with the same sums', async () => {
  const running = await start();
  expect((await send(running, lines(0, 120).join('\n'))).status).toBe(200);
  await settled(running, 120);
  const env = { RINGFLOW_URL: running.url, RINGFLOW_HTTP_INGEST_TOKEN: TOKEN };
  const exported = await runCommand(
    ['export', 'dst_port < 60', '--from', 'now-1d', '--to', 'now+1d', '-o', 'day.ndjson'],
    folder.path,
    env,
  );
  expect(exported).toMatchObject({ code: 0, stdout: '' });
  const rows = readFileSync(join(folder.path, 'day.ndjson'), 'utf8').trim().split('\n');
  expect(rows).toHaveLength(60);
  const first = rows.find((row) => row.includes('"sequence_num":7,')) as string;
  for (const part of [
    `"time_received_ns":${nowNs + 7n}`,
    '"sampler_address":"192.0.2.1"',
    '"src_addr":"10.0.0.1"',
    '"dst_addr":"2001:db8::1"',
    '"proto":"UDP"',
    '"type":"NETFLOW_V9"',
    '"src_mask":8',
  ])
    expect(first).toContain(part);
  const { stderr, code } = await runCommand(['import', 'day.ndjson'], folder.path, env);
  expect([code, stderr]).toEqual([0, 'day.ndjson: 60 of 60 records (goflow2 JSON) taken\n']);
  await settled(running, 180);
  const { frames } = await running.query({ kind: 'stat', filter: 'dst_port < 60', duplicates: 'count' });
  expect(JSON.stringify(frames[0])).toContain(String(2 * sumOfBytes(60)));
});
