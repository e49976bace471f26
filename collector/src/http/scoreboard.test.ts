import { SCOPES, type OverallScoreResponse, type ScoreboardResponse } from '@ringflow/contract';
import type { TestRow } from '../query/testing/store.ts';
import { loadScores, saveScores } from '../store/index.ts';
import { createTestServer, type TestServer } from './testing/server.ts';

const NOW = Date.UTC(2026, 0, 10, 12, 34, 56);
/** The newest interval that is complete. */
const FROM = Date.UTC(2026, 0, 10, 12, 25);
const [IN, OUT, INTERNAL, TRANSIT] = [1, 2, 3, 4];
let server: TestServer;

const flow = (direction: number, own: string, bytes: number, packets: number, atMs = FROM + 1000): TestRow => ({
  startMs: atMs,
  endMs: atMs + 1000,
  bytes,
  packets,
  direction,
  sampler_address: '::ffff:192.0.2.1',
  sampling_rate: 1,
  src_addr: direction === IN ? '::ffff:203.0.113.9' : own,
  dst_addr: direction === IN ? own : '::ffff:203.0.113.9',
});
const own = (host: number): string => `::ffff:10.0.0.${host}`;

beforeAll(async () => {
  server = await createTestServer(
    NOW,
    { token: '' },
    {},
    {
      scores: () => loadScores(server.store.engine),
      scoreRows: () => 5,
    },
  );
  const rows: TestRow[] = [];
  for (let host = 1; host <= 20; host++) {
    rows.push(flow(IN, own(host), host * 1000, 100 - host));
    for (let number = 0; number < 25 - host; number++) rows.push(flow(OUT, own(host), host * 10, host));
  }
  // A multicast group is no host.
  rows.push({ ...flow(IN, '::ffff:239.1.1.1', 1e9, 1e6), dst_scope: SCOPES.indexOf('multicast') });
  // What does not cross the border, and what is not of this interval, does not count.
  rows.push(flow(INTERNAL, own(99), 1e9, 1e6), flow(TRANSIT, own(98), 1e9, 1e6));
  rows.push(flow(IN, own(97), 1e9, 1e6, FROM - 10_000), flow(IN, own(96), 1e9, 1e6, FROM + 300_000));
  await server.store.insert(rows);
});
afterAll(() => server?.close());

const get = async (path: string): Promise<{ status: number; type: string | null; text: string }> => {
  const response = await fetch(server.url + path);
  return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
};

test('the hosts with the most of the newest complete interval, in six lists', async () => {
  const board = JSON.parse((await get('/api/v1/scoreboard')).text) as ScoreboardResponse;
  expect({ ...board, lists: [] }).toEqual({
    fromMs: FROM,
    toMs: FROM + 300_000,
    seconds: 300,
    complete: true,
    in: { bytes: 210_000, packets: 1790, flows: 20 },
    out: { bytes: 23_800, packets: 2380, flows: 290 },
    lists: [],
  });
  expect(
    board.lists.map(({ direction, metric, rows }) => [direction, metric, rows.map(({ address }) => address.slice(7))]),
  ).toEqual([
    ['in', 'bytes', ['20', '19', '18', '17', '16']],
    ['in', 'packets', ['1', '2', '3', '4', '5']],
    // All have one: whoever the engine takes, in the order of their addresses.
    ['in', 'flows', ['1', '2', '3', '4', '5']],
    ['out', 'bytes', ['12', '13', '11', '14', '10']],
    ['out', 'packets', ['12', '13', '11', '14', '10']],
    ['out', 'flows', ['1', '2', '3', '4', '5']],
  ]);
  expect(board.lists[0]!.rows[0]).toEqual({
    rank: 1,
    address: '10.0.0.20',
    in: { bytes: 20_000, packets: 80, flows: 1 },
    out: { bytes: 1000, packets: 100, flows: 5 },
    share: (100 * 20_000) / 210_000,
    intervals: 1,
  });
});

test('an interval that goes on is divided by the time that has passed', async () => {
  const board = JSON.parse((await get('/api/v1/scoreboard?at=now&n=1')).text) as ScoreboardResponse;
  expect([board.fromMs, board.seconds, board.complete]).toEqual([FROM + 300_000, 296, false]);
  expect(board.lists[0]!.rows.map(({ address }) => address)).toEqual(['10.0.0.96']);
});

test('as a page and as a table', async () => {
  const csv = await get(`/api/v1/scoreboard?at=${FROM}&n=2&format=csv`);
  expect(csv.type).toBe('text/csv; charset=utf-8');
  expect(csv.text.split('\n').slice(0, 3)).toEqual([
    'direction,metric,rank,address,share_percent,bytes_in,packets_in,flows_in,bytes_out,packets_out,flows_out,intervals',
    'in,bytes,1,10.0.0.20,9.524,20000,80,1,1000,100,5,1',
    'in,bytes,2,10.0.0.19,9.048,19000,81,1,1140,114,6,1',
  ]);
  const page = await get('/api/v1/scoreboard?format=html');
  expect(page.type).toBe('text/html; charset=utf-8');
  expect(page.text).toContain('Busiest hosts 2026-01-10T12:25:00Z to 2026-01-10T12:30:00Z');
  expect(page.text).toContain('<td>10.0.0.20</td><td>9.5</td><td>533 </td>');
  expect(page.text.match(/<table>/g)).toHaveLength(6);
  expect(page.text).not.toMatch(/<script|\son\w+=/);
});

test('overall: what is kept, ranked by the average, and kept over a restart of who asks', async () => {
  const empty = JSON.parse((await get('/api/v1/scoreboard/overall')).text) as OverallScoreResponse;
  expect(empty).toMatchObject({ untilMs: 0, reports: 0, seconds: 300 });
  const hosts = [1, 2].map((host) => ({
    address: host === 1 ? '10.0.0.1' : '2001:db8::2',
    count: host,
    inBytes: 900,
    inPackets: 9,
    inFlows: 3,
    outBytes: 9_007_199_254_740_991,
    outPackets: 1,
    outFlows: 1,
  }));
  await saveScores(server.store.engine, { untilMs: FROM, reports: 2, hosts }, NOW);
  await saveScores(server.store.engine, { untilMs: FROM + 300_000, reports: 3, hosts }, NOW + 1);
  expect(await loadScores(server.store.engine)).toEqual({ untilMs: FROM + 300_000, reports: 3, hosts });
  const board = JSON.parse((await get('/api/v1/scoreboard/overall?n=1')).text) as OverallScoreResponse;
  expect(board.lists[0]!.rows).toEqual([
    expect.objectContaining({ address: '10.0.0.1', intervals: 1, in: { bytes: 900, packets: 9, flows: 3 } }),
  ]);
  expect((await get('/api/v1/scoreboard/overall?format=html')).text).toContain('<th>intervals</th>');
});

test.each(['at=yesterday', 'n=0', 'n=101', 'format=pdf', 'x=1'])('%s is refused', async (query) => {
  expect((await get(`/api/v1/scoreboard?${query}`)).status).toBe(400);
});
