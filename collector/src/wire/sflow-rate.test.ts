import { COLUMN_INDEX, createBatch } from './batch.ts';
import { WIRE_DEFAULTS } from './config.ts';
import { createDecoder } from './decode.ts';
import { createDatagramInfo } from './decoder.ts';
import { createEffectiveRates } from './sflow-rate.ts';
import { bytes, u32 } from './testing/packets.ts';
import { sflow, tagged } from './testing/sflow-packets.ts';

const AGENT = Uint32Array.of(0, 0, 0xffff_0000, 0x0900_000a);
const T0 = 1_700_000_000_000;
const WRAP = 2 ** 32;

interface Agent {
  /** One sample, before which some were dropped; the rate that is used for it. */
  sample(arrivalMs: number, dropped?: number): number;
}

/** An agent that samples one packet in `rate` and drops samples when told so. */
function createAgent(rate: number, options: { pool?: number; poolFactor?: number } = {}): Agent {
  const rates = createEffectiveRates();
  let sequence = 100;
  let pool = options.pool ?? 1000;
  let drops = 7;
  return {
    sample(arrivalMs, dropped = 0) {
      sequence++;
      drops += dropped;
      pool = (pool + rate * (1 + dropped) * (options.poolFactor ?? 1)) % WRAP;
      return rates.rateOf(AGENT, 3, 6, sequence, rate, pool, drops, arrivalMs);
    },
  };
}

/** Samples over a time, `dropped` more before each; the rates that were used. */
function run(agent: Agent, fromMs: number, count: number, stepMs: number, dropped = 0): Set<number> {
  return new Set(Array.from({ length: count }, (_, i) => agent.sample(fromMs + i * stepMs, dropped)));
}

test('S09 without drops each sample stands for its own rate', () => {
  const agent = createAgent(512);
  expect(run(agent, T0, 200, 1000)).toEqual(new Set([512]));
});

test('S09 with drops, growth of the pool by samples over a minute holds for the next minute', () => {
  const agent = createAgent(512, { pool: WRAP - 5000 });
  // Three samples in four are dropped: each that comes stands for four times as many packets.
  expect(run(agent, T0, 60, 1000, 3)).toEqual(new Set([512]));
  expect(agent.sample(T0 + 60_000, 3)).toBe(2048);
  expect(run(agent, T0 + 61_000, 59, 1000)).toEqual(new Set([2048]));
  // A minute without drops is over.
  expect(agent.sample(T0 + 120_000)).toBe(512);
  expect(run(agent, T0 + 121_000, 50, 1000)).toEqual(new Set([512]));
});

test('S09 samples that are lost on the way count as well, when there are drops', () => {
  const rates = createEffectiveRates();
  const sample = (sequence: number, pool: number, drops: number, ms: number): number =>
    rates.rateOf(AGENT, 0, 1, sequence, 100, pool, drops, T0 + ms);
  sample(1, 0, 0, 0);
  for (let i = 1; i <= 10; i++) sample(1 + 2 * i, i * 300, i, i * 6000);
  // 20 samples and 10 drops of 100 packets each; 10 samples came.
  expect(sample(22, 3100, 10, 61_000)).toBe(300);
});

test('S09 a pool that counts something else is left alone', () => {
  const agent = createAgent(512, { poolFactor: 48 });
  expect(run(agent, T0, 130, 1000, 1)).toEqual(new Set([512]));
  const still = createAgent(512, { poolFactor: 0 });
  expect(run(still, T0, 130, 1000, 1)).toEqual(new Set([512]));
});

test('S09 another rate, or an agent that began anew, begins a new minute', () => {
  const rates = createEffectiveRates();
  let pool = 0;
  const sample = (sequence: number, rate: number, ms: number): number =>
    rates.rateOf(AGENT, 0, 1, sequence, rate, (pool += rate * 2), sequence, T0 + ms);
  for (let i = 0; i <= 61; i++) sample(10_000 + i, 100, i * 1000);
  expect(sample(10_062, 100, 62_000)).toBe(200);
  expect(sample(10_063, 1000, 63_000)).toBe(1000);
  for (let i = 0; i <= 61; i++) sample(10_064 + i, 1000, 64_000 + i * 1000);
  expect(sample(10_126, 1000, 126_000)).toBe(2000);
  pool = 0;
  expect(sample(1, 1000, 127_000)).toBe(1000);
  expect(sample(2, 1000, 128_000)).toBe(1000);
});

test('S09 every data source of every agent has its own minute, and there is an end to them', () => {
  const rates = createEffectiveRates();
  const other = Uint32Array.of(0, 0, 0xffff_0000, 0x0a00_000a);
  for (let i = 0; i <= 70; i++) {
    expect(rates.rateOf(AGENT, 0, 1, i, 10, i * 20, i, T0 + i * 1000)).toBe(i >= 60 ? 20 : 10);
    expect(rates.rateOf(AGENT, 0, 2, i, 10, i * 10, 0, T0 + i * 1000)).toBe(10);
    expect(rates.rateOf(AGENT, 1, 1, i, 10, i * 10, 0, T0 + i * 1000)).toBe(10);
    expect(rates.rateOf(other, 0, 1, i, 10, i * 10, 0, T0 + i * 1000)).toBe(10);
  }
  for (let source = 0; source < 40_000; source++) expect(rates.rateOf(AGENT, 9, source, 1, 10, 10, 0, T0)).toBe(10);
  expect(rates.rateOf(AGENT, 0, 1, 71, 10, 71 * 20, 71, T0 + 71_000)).toBe(20);
});

test('S08 a sample without a rate has none', () => {
  expect(createEffectiveRates().rateOf(AGENT, 0, 1, 1, 0, 1, 0, T0)).toBe(0);
});

test.each([1, 3])('S09 rows of flow samples of kind %i get the effective rate', (tag) => {
  const decoder = createDecoder(WIRE_DEFAULTS, { options: () => undefined, counters: () => undefined });
  const batch = createBatch({ rowLimit: 100 });
  const info = createDatagramInfo();
  const source = { address: '192.0.2.1', words: new Uint32Array(4), port: 6343 };
  for (let i = 0; i <= 61; i++) {
    const counts = bytes(u32(512), u32(1024 * i), u32(i));
    const body =
      tag === 1
        ? bytes(u32(i), u32(6), counts, u32(4), u32(5), u32(0))
        : bytes(u32(i), u32(0), u32(6), counts, u32(0), u32(4), u32(0), u32(5), u32(0));
    decoder.decode(Uint8Array.from(sflow([tagged(tag, body)])), source, T0 + i * 1000, batch, info);
  }
  const rates = batch.data[COLUMN_INDEX.sampling_rate] as Uint32Array;
  expect([rates[0], rates[59], rates[60], rates[61]]).toEqual([512, 512, 1024, 1024]);
});
