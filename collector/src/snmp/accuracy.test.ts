import { createAccuracyMeter, type Accuracy, type CounterSample } from './accuracy.ts';

const sample = (index: number, minute: number, inBytes: number, outBytes = 0): CounterSample => ({
  exporter: '192.0.2.1',
  index,
  atMs: minute * 60_000,
  inBytes: BigInt(inBytes),
  outBytes: BigInt(outBytes),
});

test('a window is compared with the flows of the same time once the next one has ended', async () => {
  const asked: [string, number, number][] = [];
  const found: Accuracy[] = [];
  const meter = createAccuracyMeter({
    flowBytes: async (_, direction, fromMs, toMs) => {
      asked.push([direction, fromMs / 60_000, toMs / 60_000]);
      return new Map(direction === 'in' ? [[1, 900]] : []);
    },
    onAccuracy: (accuracy) => found.push(accuracy),
    onError: (error) => {
      throw error;
    },
  });
  for (const [minute, bytes] of [
    [0, 5000],
    [1, 6000],
  ] as const)
    meter.note([sample(1, minute, bytes), sample(2, minute, 7)]);
  // Too soon after the last one: some agents refresh their counters only now and then.
  meter.note([sample(1, 1.1, 6001), sample(2, 1.1, 8)]);
  await meter.settled();
  expect(found).toEqual([]);
  meter.note([sample(1, 2, 9000), sample(2, 2, 7)]);
  await meter.settled();
  // One query for each direction answers for both interfaces.
  expect(asked).toEqual([
    ['in', 0, 1],
    ['out', 0, 1],
  ]);
  expect(
    found.map(({ index, direction, counterBytes, flowBytes }) => [index, direction, counterBytes, flowBytes]),
  ).toEqual([
    [1, 'in', 1000, 900],
    [2, 'in', 0, 0],
    [1, 'out', 0, 0],
    [2, 'out', 0, 0],
  ]);
  // The agent restarted: a window over that says nothing.
  meter.note([sample(1, 3, 10), sample(2, 3, 0)]);
  await meter.settled();
  expect(asked).toHaveLength(4);
  meter.note([sample(1, 4, 20), sample(2, 4, 5)]);
  await meter.settled();
  expect(asked).toHaveLength(4);
  meter.note([sample(1, 5, 30), sample(2, 5, 10)]);
  await meter.settled();
  expect(found.slice(-4).map(({ fromMs, counterBytes }) => [fromMs / 60_000, counterBytes])).toEqual([
    [3, 10],
    [3, 5],
    [3, 0],
    [3, 0],
  ]);
});
