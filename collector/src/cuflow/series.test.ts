import fc from 'fast-check';
import type { Archive, Rrd } from '../rrd/index.ts';
import { bookFile, columnsOf, COUNTERS, createSeries, planTargets } from './series.ts';

const TABLES = [
  { table: 'five', seconds: 300 },
  { table: 'hour', seconds: 3600 },
  { table: 'day', seconds: 86_400 },
];
const END = 1_700_000_100;
const sources = COUNTERS.map((name) => ({
  name,
  type: 'ABSOLUTE',
  heartbeatSeconds: 400,
  min: Number.NaN,
  max: Number.NaN,
}));

/** Archives of 10 hours, 2.5 days, 10 days and 30 days; `rate` is of each 5 minutes, NaN = unknown. */
function createRrd(rate: (step: number) => number): Rrd {
  const archive = (steps: number, rows: number): Archive => {
    const length = steps * 300;
    const endSeconds = END - (END % length);
    return {
      cf: 'AVERAGE',
      steps,
      xff: 0,
      endSeconds,
      rows: Array.from({ length: rows }, (_, row) => {
        const first = (endSeconds - (rows - row) * length) / 300;
        const rates = Array.from({ length: steps }, (__, step) => rate(first + step));
        return COUNTERS.map((___, counter) => (rates.reduce((sum, one) => sum + one, 0) / steps) * (counter + 1));
      }),
    };
  };
  return {
    stepSeconds: 300,
    lastUpdateSeconds: END,
    sources,
    archives: [archive(1, 120), archive(6, 120), archive(24, 120), archive(288, 30)],
  };
}

test('what is booked is what the rows say, whatever the shift and wherever it is cut off', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -4, max: 4 }).map((steps) => steps * 300),
      fc.integer({ min: 0, max: 40 * 86_400 }),
      fc.nat(),
      (shift, cut, salt) => {
        const rate = (step: number): number => ((step * 2_654_435_761 + salt) >>> 9) % 100_000;
        const rrd = createRrd(rate);
        const until = END - cut;
        const targets = planTargets([rrd], TABLES, shift, until);
        const series = createSeries(targets);
        const booked = bookFile(rrd, columnsOf(rrd)!, targets, shift, until, series);
        COUNTERS.forEach((_, counter) => {
          const sums = series.sums.map((values) => values.filter((__, index) => index % COUNTERS.length === counter));
          expect(sums.flatMap((one) => [...one]).every(Number.isSafeInteger)).toBe(true);
          expect(sums.reduce((sum, one) => sum + one.reduce((a, b) => a + b, 0), 0)).toBe(booked[counter]);
          // Nothing lies behind the end, but for the bucket that it cuts.
          targets.forEach(({ fromSeconds, seconds }, level) => {
            sums[level]!.forEach((sum, bucket) => {
              if (fromSeconds + bucket * seconds >= until) expect(sum).toBe(0);
            });
          });
        });
        // Tables adjoin: a finer one begins with a bucket of the coarser one.
        expect(targets[0]!.fromSeconds % 3600).toBe(0);
        expect(targets[1]!.fromSeconds % 86_400).toBe(0);
      },
    ),
    { numRuns: 50, seed: 20_261_121 },
  );
});

test('a shift moves history: what a file books at 12:00 is of the five minutes that begin then', () => {
  const at = END - (END % 300) - 300;
  const rrd = createRrd((step) => (step === at / 300 ? 1000 : 0));
  const begin = (shift: number): number => {
    const targets = planTargets([rrd], TABLES, shift, Number.POSITIVE_INFINITY);
    const series = createSeries(targets);
    bookFile(rrd, columnsOf(rrd)!, targets, shift, Number.POSITIVE_INFINITY, series);
    const bucket = series.sums[0]!.findIndex((sum) => sum > 0) / COUNTERS.length;
    expect(series.sums[0]!.reduce((a, b) => a + b)).toBe(300 * 1000 * 21);
    return targets[0]!.fromSeconds + Math.floor(bucket) * 300;
  };
  expect(begin(0)).toBe(at);
  expect(begin(300)).toBe(at + 300);
});

test('unknown is not zero: nothing is booked of it', () => {
  const rrd = createRrd(() => Number.NaN);
  const targets = planTargets([rrd], TABLES, 0, END);
  expect(bookFile(rrd, columnsOf(rrd)!, targets, 0, END, createSeries(targets))).toEqual(COUNTERS.map(() => 0));
});

test('files without the counters of CUFlow are told', () => {
  expect(columnsOf({ ...createRrd(() => 1), sources: sources.slice(1) })).toBeNull();
});
