import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CONFIG_DEFAULTS, type Config } from '../config/index.ts';
import { createTraffic } from '../store/testing/batches.ts';
import { createWorld } from '../store/testing/world.ts';
import { forecastText } from './check-forecast.ts';

const NOON = Date.UTC(2026, 2, 10, 12, 0, 0);

function configOf(directory: string, maxBytes: number): Config {
  return { ...CONFIG_DEFAULTS, data_dir: directory, store: { ...CONFIG_DEFAULTS.store, max_bytes: maxBytes } };
}

test('without figures it says how to get some, and a rate gives them', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'ringflow-check-'));
  try {
    const config = configOf(directory, 50 * 1024 ** 3);
    expect(await forecastText(config, undefined)).toContain('--rate 10000');
    const [head, ...lines] = (await forecastText(config, '10000')).trim().split('\n');
    expect(head).toBe('50 GiB will hold, at 10,000 flows/s (as asked):');
    expect(lines.map((line) => line.trim().split(/ +/)[0])).toEqual(Object.keys(config.store.archives));
    // 10,000 flows/s of 20 bytes are 16 GiB a day.
    expect(lines[0]).toMatch(/^ {2}raw +\d+ GiB {2}[12](\.\d)? days, of 7d asked for$/);
    // Days need little.
    expect(lines[4]).toMatch(/^ {2}1d .* years/);
    await expect(forecastText(config, 'many')).rejects.toThrow('not a number of flows per second');
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

test('a store keeps the figures of its growth; the budget that is checked is the one of the file', async () => {
  const world = await createWorld();
  try {
    for (const minute of [0, 30]) {
      await world.seal(createTraffic({ rows: 20_000, seed: minute, receivedMs: NOON + minute * 60_000 }));
    }
    const store = world.store({}, { now: () => NOON + 1_800_000 });
    await store.start();
    await store.load();
    await store.stop();
    const again = world.store({}, { now: () => NOON + 1_800_000 });
    await again.start();
    // 40,000 records in half an hour.
    const text = await forecastText(configOf(world.directory, 16 * 1024 ** 2), undefined);
    expect(text).toMatch(/^16 MiB will hold, at 2\d flows\/s \(as of 2026-03-10T12:30:00.000Z\):/);
    expect(text).toMatch(/raw +[\d.]+ MiB {2}[\d.]+ hours, of 7d asked for/);
  } finally {
    await world.remove();
  }
});
