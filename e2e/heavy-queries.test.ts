/**
 * Fifty heavy queries at once against a `ringflow serve` that goes on receiving: loading hardly waits, memory keeps its
 * bound, and every query gets an answer or a refusal that says what to do. `RINGFLOW_HEAVY_ROWS` sets how many records
 * they run over.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FlowQueryInput, QueryResponse } from '@ringflow/contract';
import { makeDataset } from '../bench/dataset.ts';
import { createFolder, startCollector, until, type RunningCollector } from '../collector/src/cli/testing/collector.ts';
import { createSender } from '../collector/src/cli/testing/sender.ts';

const ROWS = Number(process.env['RINGFLOW_HEAVY_ROWS'] ?? 500_000);
const WINDOW_SECONDS = 1800;
const ENGINE_BYTES = 1024 ** 3;
/** What the process has besides the engine's own count: node, the library's code, free lists of the allocator. */
const PROCESS_BYTES = 600 * 1024 ** 2;
/** Answers that are a refusal: the query ran into a bound or did not get its turn. */
const REFUSALS = ['query_busy', 'query_timeout', 'query_memory', 'query_too_large'];

const HEAVY: readonly FlowQueryInput[] = [
  { kind: 'table', groupBy: ['src_addr', 'dst_addr'], resolution: 'raw' },
  { kind: 'table', groupBy: ['src_addr', 'dst_addr', 'src_port', 'dst_port'], limit: 1000, resolution: 'raw' },
  { kind: 'records', sort: [{ by: 'bytes', descending: true }], limit: 1000 },
  {
    kind: 'stat',
    unique: ['src_addr', 'dst_addr'],
    filter: 'if ~ "^(xe|ge)-([0-9]+/)*[0-9]+$" or bps > 1k and bpp > 64 or not addr in 10.0.0.0/8',
  },
  { kind: 'timeseries', groupBy: ['src_addr'], limit: 50, intervalMs: 60_000, resolution: 'raw' },
];

let folder: ReturnType<typeof createFolder>;
let collector: RunningCollector;
let fromMs: number;
let toMs: number;

beforeAll(async () => {
  toMs = Math.floor(Date.now() / 1000) * 1000;
  fromMs = toMs - WINDOW_SECONDS * 1000;
  folder = createFolder(`store: {max_memory_bytes: ${ENGINE_BYTES}, query_queue: 60}\nquery: {timeout_seconds: 60}\n`);
  // As it is when nothing is said.
  const settings = join(folder.path, 'ringflow.yml');
  writeFileSync(settings, readFileSync(settings, 'utf8').replace('seal_interval_ms: 200', 'seal_interval_ms: 1000'));
  await makeDataset({
    directory: join(folder.path, 'data', 'spool'),
    rows: ROWS,
    rowsPerSegment: 262_144,
    recordsPerSecond: ROWS / WINDOW_SECONDS,
    endMs: toMs,
  });
  collector = await startCollector(folder.path);
  await until(async () => (await collector.status()).ledger.waiting === 0, 300_000, 'the data is loaded');
}, 600_000);
afterAll(async () => {
  collector?.kill('SIGTERM');
  await collector?.exited;
  folder?.remove();
});

interface Outcome {
  readonly client: string;
  readonly code: string;
  readonly error: string;
  readonly seconds: number;
  readonly retryAfter: string | null;
}

async function ask(query: FlowQueryInput, client: string, signal?: AbortSignal): Promise<Outcome> {
  const beganMs = Date.now();
  const response = await fetch(`${collector.url}/api/v1/query`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-grafana-user': client },
    body: JSON.stringify({ from: fromMs, to: toMs, queries: [{ refId: 'A', ...query }] }),
    ...(signal ? { signal } : {}),
  });
  const { results } = (await response.json()) as QueryResponse;
  const { code = 'ok', error = '', status, frames } = results['A'] as QueryResponse['results'][string];
  expect([response.status, code === 'ok', frames.length > 0]).toEqual([200, status === 200, status === 200]);
  return {
    client,
    code,
    error,
    seconds: (Date.now() - beganMs) / 1000,
    retryAfter: response.headers.get('retry-after'),
  };
}

const residentBytes = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]) * 1024;

/** Watches the store while `work` runs. */
async function watched<T>(
  work: () => Promise<T>,
): Promise<{ result: T; stored: number; delaySeconds: number; peakBytes: number }> {
  const pid = await collector.childPid('store');
  const stored = async () => (await collector.status()).ledger.stored;
  const storedBefore = await stored();
  let delaySeconds = 0;
  let peakBytes = 0;
  let over = false;
  const watching = (async () => {
    while (!over) {
      const { details } = await collector.status();
      delaySeconds = Math.max(delaySeconds, details.oldestWaitingSeconds ?? 0);
      peakBytes = Math.max(peakBytes, residentBytes(pid));
      await sleep(200);
    }
  })();
  const result = await work().finally(() => (over = true));
  const storedAfter = await stored();
  await watching;
  expect(await collector.childPid('store')).toBe(pid);
  return { result, stored: storedAfter - storedBefore, delaySeconds, peakBytes };
}

test('fifty at once: each has an answer or a refusal, records are loaded meanwhile, memory is bounded', async () => {
  const { received: before } = (await collector.status()).ledger;
  const sender = createSender(collector.udpPort);
  let sending = true;
  const stream = (async () => {
    while (sending) {
      await sender.send(66);
      await sleep(100);
    }
  })();
  const { result, stored, delaySeconds, peakBytes } = await watched(async () => {
    const heavy = Array.from({ length: 50 }, (_, index) =>
      ask(HEAVY[index % HEAVY.length] as FlowQueryInput, `user ${index % 5}`),
    );
    await sleep(500);
    // Somebody else opens a dashboard, at the back of the queue by the clock and not by fairness.
    const light = await ask({ kind: 'timeseries', groupBy: ['service'] }, 'somebody else');
    return { light, outcomes: await Promise.all(heavy) };
  });
  sending = false;
  await stream;
  sender.close();
  const { light, outcomes } = result;
  const counts: Record<string, number> = {};
  for (const { code } of outcomes) counts[code] = (counts[code] ?? 0) + 1;
  const slowest = Math.max(...outcomes.map(({ seconds }) => seconds));
  process.stderr.write(
    `${ROWS} records, 50 heavy queries: ${JSON.stringify(counts)}, slowest ${slowest.toFixed(1)} s, a light one among them ${light.seconds.toFixed(1)} s; ` +
      `${sender.sent.records} records came in, ${stored} were stored meanwhile, ${delaySeconds.toFixed(1)} s late at most; store at most ${Math.round(peakBytes / 2 ** 20)} MiB\n`,
  );
  expect(outcomes.filter(({ code }) => code !== 'ok' && !REFUSALS.includes(code))).toEqual([]);
  for (const { code, error, retryAfter } of outcomes) {
    if (code !== 'ok') expect(error.length).toBeGreaterThan(20);
    expect(retryAfter !== null).toBe(code === 'query_busy');
  }
  expect(counts['ok']).toBeGreaterThan(0);
  expect(light.code).toBe('ok');
  // They did not wait for the end of the queries.
  expect(stored).toBeGreaterThan(0);
  expect(peakBytes).toBeLessThan(ENGINE_BYTES + PROCESS_BYTES);
  const settled = await until(
    async () => {
      const { ledger } = await collector.status();
      return ledger.received === before + sender.sent.records && ledger.waiting === 0 && ledger;
    },
    120_000,
    () => `all that came in is stored: ${before} before, ${sender.sent.records} sent`,
  );
  expect([settled.stored, settled.difference, settled.dropped]).toEqual([settled.received, 0, []]);
}, 300_000);

test('callers that go away take their queries with them, those that wait as well', async () => {
  const gone = new AbortController();
  const left = Array.from({ length: 30 }, (_, index) =>
    ask(HEAVY[index % HEAVY.length] as FlowQueryInput, 'fickle', gone.signal).catch((error: Error) => error.name),
  );
  await sleep(1000);
  gone.abort();
  expect(new Set(await Promise.all(left)).has('AbortError')).toBe(true);
  await until(
    async () => {
      const queries = (await collector.status()).details['queries'] as { running: number };
      return queries.running === 0;
    },
    20_000,
    'nothing runs any more',
  );
  expect((await ask({ kind: 'stat' }, 'patient')).code).toBe('ok');
}, 120_000);
