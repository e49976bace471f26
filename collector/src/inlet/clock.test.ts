import { COLUMNS, QUALITY } from '@ringflow/contract';
import { COLUMN_INDEX, createBatch, useColumn } from '../wire/index.ts';
import { clockOffset, correctTimes, createClock, observeClock } from './clock.ts';

const THRESHOLD_MS = 600_000;
const NOW_MS = Date.UTC(2026, 10, 21);

test('C05 the smallest difference is the estimate: delays only add', () => {
  const clock = createClock();
  const delays = [40, 12, 300, 25, 7, 90];
  delays.forEach((delayMs, i) =>
    observeClock(clock, NOW_MS + i * 1000 - 5000 - delayMs, NOW_MS + i * 1000, THRESHOLD_MS),
  );
  expect(clockOffset(clock)).toBe(5007);
});

test('C05 an estimate is forgotten after two windows, so that a drifting clock is followed', () => {
  const clock = createClock();
  for (let second = 0; second < 1200; second++)
    observeClock(clock, NOW_MS + second * 1000 - second, NOW_MS + second * 1000, THRESHOLD_MS);
  expect(clockOffset(clock)).toBeGreaterThan(500);
});

test('C05 a clock that was set, or that lost its battery, is followed at once', () => {
  const clock = createClock();
  expect(observeClock(clock, NOW_MS - 20, NOW_MS, THRESHOLD_MS)).toBe(20);
  expect(observeClock(clock, 502_000, NOW_MS + 1000, THRESHOLD_MS)).toBe(NOW_MS + 1000 - 502_000);
  expect(observeClock(clock, NOW_MS + 2000, NOW_MS + 2000, THRESHOLD_MS)).toBe(0);
});

test.each([
  ['an exporter that lives in 1970', Date.UTC(1970, 0, 1, 0, 8, 22)],
  ['an exporter that lives in 2010', Date.UTC(2010, 0, 3, 4, 5, 6)],
  ['an exporter that lives in 2059', Date.UTC(2059, 5, 6)],
])('X07 rows of %s land near now, durations kept', (_name, exportMs) => {
  const batch = createBatch({ rowLimit: 4 });
  const start = useColumn(batch, COLUMN_INDEX.time_flow_start_ns) as Uint32Array;
  const end = useColumn(batch, COLUMN_INDEX.time_flow_end_ns) as Uint32Array;
  const put = (words: Uint32Array, row: number, ns: bigint): void => {
    words[row * 2] = Number(ns & 0xffffffffn);
    words[row * 2 + 1] = Number(ns >> 32n);
  };
  const get = (words: Uint32Array, row: number): bigint =>
    (BigInt(words[row * 2 + 1] as number) << 32n) | BigInt(words[row * 2] as number);
  const exportNs = BigInt(exportMs) * 1_000_000n;
  for (const row of [0, 1, 2]) {
    put(start, row, exportNs - 90_000_000_001n);
    put(end, row, exportNs - 1_000_000n);
  }
  put(start, 2, 0n);
  const clock = createClock();
  correctTimes(clock, NOW_MS - exportMs, batch, 1, 3);
  const nowNs = BigInt(NOW_MS) * 1_000_000n;
  expect([get(start, 0), get(start, 1), get(end, 1), get(start, 2)]).toEqual([
    exportNs - 90_000_000_001n,
    nowNs - 90_000_000_001n,
    nowNs - 1_000_000n,
    0n,
  ]);
  const flags = batch.data[COLUMN_INDEX.quality] as Uint32Array;
  expect([...flags.subarray(0, 4)]).toEqual([0, QUALITY.clock_corrected, QUALITY.clock_corrected, 0]);
  expect(clock.correctedRows).toBe(2);
  expect(COLUMNS[COLUMN_INDEX.quality]?.name).toBe('quality');
});
