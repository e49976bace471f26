import { EXPORTERS } from '../demo/index.ts';
import { createFolder, startCollector, until, type RunningCollector } from './testing/collector.ts';

const HOUR_MS = 3_600_000;
const DEMO = 'demo: {flows_per_second: 60, history_flows_per_minute: 90, history_days: 0}\n';

let folder: ReturnType<typeof createFolder>;
let collector: RunningCollector | undefined;

beforeAll(() => {
  folder = createFolder(DEMO);
});
afterAll(async () => {
  collector?.kill('SIGTERM');
  await collector?.exited;
  folder.remove();
});

/** Waits until the history is in the store; resolves with its number of records. */
async function filled(running: RunningCollector): Promise<number> {
  return await until(
    async () => {
      const records = Number(/Filled in the last .*: (\d+) flow records/.exec(running.output())?.[1]);
      return (await running.status()).ledger.stored >= records ? records : false;
    },
    40_000,
    () => `the history is stored:\n${running.output().slice(-2000)}`,
  );
}

async function column(running: RunningCollector, query: object, from: number, to: number): Promise<number[][]> {
  const result = await running.query(query as Parameters<RunningCollector['query']>[0], from, to);
  if (result.error !== undefined) throw new Error(result.error);
  return result.frames.map((frame) => frame.data.values.at(-1) as number[]);
}

test('every exporter has traffic in each of the last 24 hours, and another start adds no past twice', async () => {
  collector = await startCollector(folder.path, 'demo');
  const records = await filled(collector);
  const { startedMs } = await collector.status();
  const fromMs = Math.ceil((startedMs - 24 * HOUR_MS) / HOUR_MS) * HOUR_MS;
  const toMs = Math.floor(startedMs / HOUR_MS) * HOUR_MS;
  for (const { address, name } of EXPORTERS) {
    const query = { kind: 'timeseries', filter: `exporter = "${name}"`, metric: 'bytes', intervalMs: HOUR_MS };
    const [hours = []] = await column(collector, query, fromMs, toMs);
    expect([address, hours.length, hours.filter((value) => value > 0).length]).toEqual([address, 23, 23]);
  }
  const past = () => column(collector as RunningCollector, { kind: 'stat', resolution: 'raw' }, fromMs, toMs);
  const before = await past();
  expect((await collector.status()).ledger).toMatchObject({ dropped: [], difference: 0 });
  // The past is no traffic of today: counters have what is live, and nothing else.
  const counted = [...(await collector.metrics()).matchAll(/^ringflow_traffic_records_total\S* (\d+)$/gm)];
  const live = counted.reduce((sum, [, value]) => sum + Number(value), 0);
  expect(live).toBeGreaterThan(0);
  expect(live).toBeLessThan(records / 10);
  collector.kill('SIGTERM');
  expect(await collector.exited).toBe(0);

  collector = await startCollector(folder.path, 'demo');
  const gap = await filled(collector);
  expect(gap).toBeLessThan(records / 100);
  expect(await past()).toEqual(before);
}, 120_000);
