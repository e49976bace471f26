import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CONFIG_DEFAULTS } from '../../config/index.ts';
import { createTestServer, type TestServer } from '../../http/testing/server.ts';
import { loadScores, saveScores, type ScoreState } from '../../store/index.ts';
import { createScoreKeeper } from './score-keeper.ts';
import type { StoreChannel } from './store-link.ts';

const FIRST = Date.UTC(2026, 0, 10, 12);
let nowMs = FIRST;
let server: TestServer;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ringflow-scores-'));
  server = await createTestServer(FIRST + 86_400_000);
  const row = (host: number, interval: number, bytes: number) => ({
    startMs: FIRST + interval * 300_000,
    endMs: FIRST + interval * 300_000 + 1000,
    bytes,
    packets: 1,
    direction: 1,
    sampling_rate: 1,
    sampler_address: '::ffff:192.0.2.1',
    src_addr: '::ffff:203.0.113.9',
    dst_addr: `::ffff:10.0.0.${host}`,
  });
  // Nobody sends in the third interval.
  await server.store.insert([row(1, 0, 100), row(2, 0, 50), row(1, 1, 300), row(1, 3, 500), row(3, 3, 9)]);
});
afterAll(async () => {
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The store's side of the channel, without the process in between. */
const channel = {
  call: (method: string, [state]: [ScoreState]) =>
    method === 'loadScores' ? loadScores(server.store.engine) : saveScores(server.store.engine, state, nowMs++),
} as unknown as StoreChannel;

const keeper = () =>
  createScoreKeeper(
    {
      ...CONFIG_DEFAULTS,
      scoreboard: {
        rows: 2,
        directory: join(folder, 'old'),
        current: join(folder, 'top.html'),
        overall: join(folder, 'all.html'),
      },
    },
    {
      ask: (request, signal) => server.http.ask(request, 'scoreboard', signal),
      store: () => channel,
      now: () => nowMs,
    },
  );

test('each complete interval counts once, whoever keeps the scores and however often', async () => {
  nowMs = FIRST + 300_000 + 100_000;
  await keeper().run();
  // Records may still come.
  expect((await loadScores(server.store.engine)).reports).toBe(0);
  nowMs = FIRST + 300_000 + 130_000;
  await keeper().run();
  await keeper().run();
  expect(await loadScores(server.store.engine)).toMatchObject({ untilMs: FIRST + 300_000, reports: 1 });
  // The collector was away for three intervals, and began anew.
  nowMs = FIRST + 4 * 300_000 + 130_000;
  const next = keeper();
  await next.run();
  await next.run();
  const { untilMs, reports, hosts } = await loadScores(server.store.engine);
  expect([untilMs, reports]).toEqual([FIRST + 4 * 300_000, 3]);
  expect(hosts.map(({ address, count, inBytes }) => [address, count, inBytes])).toEqual([
    ['10.0.0.1', 3, 900],
    ['10.0.0.2', 1, 50],
    ['10.0.0.3', 1, 9],
  ]);
});

test('the pages: one for each interval with traffic, and the newest under its own name', () => {
  const page = (...path: string[]): string => readFileSync(join(folder, ...path), 'utf8');
  expect(page('old', '2026-01-10', '12', '12:05:00.html')).toContain('2026-01-10T12:05:00Z');
  expect(existsSync(join(folder, 'old', '2026-01-10', '12', '12:10:00.html'))).toBe(false);
  expect(page('top.html')).toBe(page('old', '2026-01-10', '12', '12:15:00.html'));
  expect(page('all.html')).toContain('Busiest hosts overall');
});
