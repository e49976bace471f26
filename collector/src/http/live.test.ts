import { request as httpRequest, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiError, EventsResponse, FlowEvent, TailLine } from '@ringflow/contract';
import { createTestServer, insertSample, T0, type TestServer } from './testing/server.ts';
import { MAX_TAILS } from './tail.ts';

const MINUTE = 60_000;
const BEGIN = T0 + 120 * MINUTE;

let clock = BEGIN;
const EVENTS: FlowEvent[] = [
  {
    id: 'a',
    kind: 'exporter_restarted',
    fromMs: BEGIN - 5,
    toMs: BEGIN - 5,
    exporter: '192.0.2.1',
    title: 'a',
    text: '',
  },
  { id: 'b', kind: 'collector_down', fromMs: BEGIN - 3, toMs: BEGIN - 1, exporter: '', title: 'b', text: '' },
];
let server: TestServer | undefined;
const at = (): TestServer => server as TestServer;

beforeAll(async () => {
  server = await createTestServer(
    BEGIN,
    {},
    {},
    {
      now: () => clock,
      events: (window, kinds) =>
        EVENTS.filter(({ kind, fromMs }) => kinds.includes(kind) && fromMs >= window.fromMs && fromMs < window.toMs),
      threatHits: async () => [
        {
          day: '2026-01-10',
          address: '203.0.113.5',
          label: 'bot',
          list: 'dshield',
          category: '',
          firstMs: BEGIN - 4,
          lastMs: BEGIN - 2,
          records: 3,
          bytes: 99,
        },
      ],
    },
  );
  await insertSample(server);
});
afterAll(async () => server?.close());

/** A tail over a real socket: lines as they come. */
async function openTail(query: string): Promise<{ lines: TailLine[]; response: IncomingMessage; close(): void }> {
  const lines: TailLine[] = [];
  const request = httpRequest(`${at().url}/api/v1/tail?${query}`, { headers: { 'accept-encoding': 'gzip' } });
  request.end();
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    request.once('error', reject);
  });
  let rest = '';
  response.on('error', () => undefined);
  response.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() as string;
    lines.push(...parts.map((part) => JSON.parse(part) as TailLine));
  });
  return { lines, response, close: () => request.destroy() };
}

const until = async (test: () => boolean): Promise<void> => {
  for (let turn = 0; turn < 300 && !test(); turn++) await sleep(50);
};
const insert = (count: number, port: number): Promise<void> =>
  at().store.insert(
    Array.from({ length: count }, (_, index) => ({
      startMs: clock,
      endMs: clock + index,
      bytes: 100 + index,
      packets: 1,
      dst_port: port,
      sampler_address: '::ffff:192.0.2.1',
    })),
  );

describe('GET /api/v1/tail', () => {
  test('new records that match come in the order of their arrival, once, and what is more is counted', async () => {
    const tail = await openTail('filter=dst_port%20%3D%2053&columns=bytes,sampler_address&rate=3');
    expect(tail.response.headers['content-type']).toBe('application/x-ndjson; charset=utf-8');
    expect(tail.response.headers['content-encoding']).toBeUndefined();
    await until(() => tail.lines.length > 0);
    await insert(5, 53);
    await insert(5, 443);
    clock += 10_000;
    await until(() => tail.lines.some(({ frame }) => frame));
    const found = tail.lines.filter(({ frame }) => frame);
    expect(found).toHaveLength(1);
    expect(found[0]?.leftOut).toBe(2);
    expect(found[0]?.frame?.schema.fields.map(({ name }) => name)).toEqual([
      'bytes',
      'sampler_address',
      'sampler_address_name',
    ]);
    expect(found[0]?.frame?.data.values).toEqual([
      [102, 103, 104],
      ['192.0.2.1', '192.0.2.1', '192.0.2.1'],
      ['edge1', 'edge1', 'edge1'],
    ]);
    clock += 10_000;
    await insert(1, 53);
    clock += 10_000;
    await until(() => tail.lines.filter(({ frame }) => frame).length > 1);
    expect(tail.lines.filter(({ frame }) => frame)[1]?.frame?.data.values[0]).toEqual([100]);
    tail.close();
  });

  test('a wrong filter is an error at once', async () => {
    const response = await fetch(`${at().url}/api/v1/tail?filter=dst_prt%20%3D%201`);
    expect([response.status, ((await response.json()) as ApiError).code]).toEqual([400, 'filter_unknown_field']);
  });

  test('too many are refused, and who goes makes room', async () => {
    const tails = await Promise.all(Array.from({ length: MAX_TAILS }, () => openTail('rate=1')));
    const refused = await fetch(`${at().url}/api/v1/tail`);
    expect([refused.status, ((await refused.json()) as ApiError).code]).toEqual([503, 'http_busy']);
    tails.forEach(({ close }) => close());
    let status = 503;
    for (let turn = 0; turn < 100 && status === 503; turn++) {
      await sleep(50);
      const again = await openTail('rate=1');
      status = again.response.statusCode ?? 0;
      again.close();
    }
    expect(status).toBe(200);
  });
});

describe('GET /api/v1/events', () => {
  const get = async (query: string): Promise<EventsResponse> =>
    (await (
      await fetch(`${at().url}/api/v1/events?from=${BEGIN - MINUTE}&to=${BEGIN}${query}`)
    ).json()) as EventsResponse;

  test('what happened, with hits of reputation lists, in order of time', async () => {
    const { events, complete } = await get('');
    expect(events.map(({ kind }) => kind)).toEqual(['exporter_restarted', 'threat_found', 'collector_down']);
    expect(complete).toBe(true);
    expect(events[1]).toEqual({
      id: 'threat_found-2026-01-10-203.0.113.5-bot-dshield',
      kind: 'threat_found',
      fromMs: BEGIN - 4,
      toMs: BEGIN - 2,
      exporter: '',
      title: '203.0.113.5 is on the list dshield: bot',
      text: '3 records with 99 bytes',
    });
  });

  test('by kind, by exporter, the latest first to be kept', async () => {
    expect((await get('&kind=exporter_restarted,threat_found')).events).toHaveLength(2);
    expect((await get('&exporter=192.0.2.1')).events.map(({ id }) => id)).toEqual(['a']);
    const one = await get('&limit=1');
    expect([one.events.map(({ id }) => id), one.complete]).toEqual([['b'], false]);
  });

  test('a kind that does not exist is named', async () => {
    const response = await fetch(`${at().url}/api/v1/events?kind=party`);
    expect([response.status, ((await response.json()) as ApiError).message]).toEqual([
      400,
      'There is no kind of event "party"',
    ]);
  });
});
