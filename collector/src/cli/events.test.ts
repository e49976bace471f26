import { setTimeout as sleep } from 'node:timers/promises';
import type { EventsResponse, TailLine } from '@ringflow/contract';
import { valuesOf } from '../query/testing/store.ts';
import { createFolder, startCollector, until, type RunningCollector } from './testing/collector.ts';
import { createSender } from './testing/sender.ts';

const folder = createFolder();
const running: RunningCollector[] = [];
const senders: ReturnType<typeof createSender>[] = [];
const openSender = (port: number): ReturnType<typeof createSender> => {
  const sender = createSender(port);
  senders.push(sender);
  return sender;
};
const start = async (): Promise<RunningCollector> => {
  const collector = await startCollector(folder.path);
  running.push(collector);
  return collector;
};
afterAll(async () => {
  senders.forEach((sender) => sender.close());
  for (const collector of running) {
    collector.kill('SIGTERM');
    await collector.exited;
  }
  folder.remove();
});

const eventsOf = async ({ url }: RunningCollector): Promise<EventsResponse['events']> =>
  ((await (await fetch(`${url}/api/v1/events?from=now-1h`)).json()) as EventsResponse).events;

/** Reads a tail until as many records have come or were counted; then goes away. */
async function readTail({ url }: RunningCollector, records: number, opened: () => void): Promise<TailLine[]> {
  const gone = new AbortController();
  const response = await fetch(`${url}/api/v1/tail?columns=bytes&rate=100`, { signal: gone.signal });
  const lines: TailLine[] = [];
  let seen = 0;
  let rest = '';
  const decoder = new TextDecoder();
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  while (seen < records) {
    const { value, done } = await reader.read();
    if (done) break;
    const parts = (rest + decoder.decode(value, { stream: true })).split('\n');
    rest = parts.pop() as string;
    for (const part of parts) {
      if (lines.length === 0) opened();
      const line = JSON.parse(part) as TailLine;
      lines.push(line);
      seen += (line.frame?.data.values[0]?.length ?? 0) + line.leftOut;
    }
  }
  gone.abort();
  return lines;
}

test('a kill is a downtime that series have nulls in; what is received comes down the tail', async () => {
  const first = await start();
  const sender = openSender(first.udpPort);
  const lines = await readTail(first, 600, () => void sender.send(20));
  const shown = lines.flatMap(({ frame }) => (frame?.data.values[0] ?? []) as number[]);
  const leftOut = lines.reduce((sum, line) => sum + line.leftOut, 0);
  expect(shown.length + leftOut).toBe(sender.sent.records);
  expect(Math.max(...lines.map(({ frame }) => frame?.data.values[0]?.length ?? 0))).toBeLessThanOrEqual(100);
  expect((await eventsOf(first)).map(({ kind }) => kind)).toEqual(['collector_started', 'exporter_new']);

  first.kill('SIGKILL');
  await first.exited;
  const killedMs = Date.now();
  await sleep(5000);
  const second = await start();
  const startedMs = Date.now();
  const events = await eventsOf(second);
  expect(events.map(({ kind }) => kind)).toEqual([
    'collector_started',
    'exporter_new',
    'collector_down',
    'collector_started',
  ]);
  expect(events[2]?.toMs).toBeGreaterThanOrEqual(killedMs + 5000);
  const again = openSender(second.udpPort);
  await again.send(1);
  await until(async () => (await second.status()).ledger.stored >= 630, 30_000, 'all records are stored');

  const { frames } = await second.query(
    { measure: 'total', intervalMs: 1000, resolution: 'raw', filter: 'packets > 1M' },
    killedMs - 60_000,
    startedMs,
  );
  const times = valuesOf(frames[0], 'time');
  const values = valuesOf<number | null>(frames[0], 'bytes');
  const at = (ms: number): number | null | undefined => values[times.indexOf(Math.floor(ms / 1000) * 1000)];
  // Nothing matches the filter: zero while the collector ran, unknown while it did not.
  expect([at(killedMs - 30_000), at(killedMs + 2500)]).toEqual([0, null]);
}, 120_000);
