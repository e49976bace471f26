import { causeOf, createLogLimit } from './log-limit.ts';

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

test('some lines of a cause per window are written, the number of the others is told when it closes', () => {
  const told: unknown[] = [];
  const limit = createLogLimit({ lines: 3, windowMs: 60_000, leftOut: (...what) => told.push(what) });
  const admitted = (cause: string): number =>
    Array.from({ length: 10 }, () => limit.admit(cause, 50)).filter((written) => written).length;
  expect([admitted('disk'), admitted('net')]).toEqual([3, 3]);
  expect(limit.admit('quiet', 30)).toBe(true);
  jest.advanceTimersByTime(59_999);
  expect(told).toEqual([]);
  jest.advanceTimersByTime(1);
  expect(told).toEqual([
    ['disk', 50, 7],
    ['net', 50, 7],
  ]);
  expect(admitted('disk')).toBe(3);
});

test('numbers in a message do not make it another cause', () => {
  expect(causeOf('segment 0_17_9 lost')).toBe(causeOf('segment 0_18_10 lost'));
  expect(causeOf('segment lost')).not.toBe(causeOf('segment found'));
});

test('more causes than are followed are one cause: what is written stays bounded', () => {
  const told: number[] = [];
  const limit = createLogLimit({ lines: 3, windowMs: 60_000, leftOut: (_cause, _level, count) => told.push(count) });
  const letters = (index: number): string =>
    index.toString(26).replace(/\d/g, (digit) => 'qrstuvwxyz'[Number(digit)] as string);
  const written = Array.from({ length: 5000 }, (_, index) => limit.admit(`cause ${letters(index)} ${index}`, 50));
  expect(written.filter((one) => one).length).toBe(1003);
  jest.advanceTimersByTime(60_000);
  expect(told).toEqual([3997]);
});
