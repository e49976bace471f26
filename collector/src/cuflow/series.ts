import { coverOf, forEachRow, type Rrd } from '../rrd/index.ts';

/** The three counters of each direction, in the order in which they are kept here. */
export const COUNTERS = ['in_bytes', 'in_pkts', 'in_flows', 'out_bytes', 'out_pkts', 'out_flows'] as const;
export const COUNTERS_OF_WAY = 3;

/** A table of buckets that history goes into, from the time on from which everything is as fine. */
export interface Target {
  readonly table: string;
  readonly seconds: number;
  readonly fromSeconds: number;
  readonly buckets: number;
}

/** Lengths of buckets that history is kept in, finest first. */
export interface Bucketing {
  readonly table: string;
  readonly seconds: number;
}

/** What files say, booked into the buckets of each target: sums and the busiest minute, by counter. */
export interface Series {
  /** By target, then bucket × {@link COUNTERS}; whole numbers. */
  readonly sums: readonly Float64Array[];
  readonly peaks: readonly Float64Array[];
}

/** The file's data sources by the names of {@link COUNTERS}; network files have another order than others. */
export function columnsOf(rrd: Rrd): readonly number[] | null {
  const columns = COUNTERS.map((name) => rrd.sources.findIndex((source) => source.name === name));
  return columns.includes(-1) ? null : columns;
}

/** The coarsest table that is still as fine as rows of this length; rows that are finer than all go into the finest. */
function levelOf(rowSeconds: number, tables: readonly Bucketing[]): number {
  const found = tables.findLastIndex(({ seconds }) => seconds <= rowSeconds);
  return Math.max(found, 0);
}

/**
 * Where history goes. A table holds it from the time on from which the rows of all files are as fine as its buckets, so
 * that it is whole from there on; what is older goes into the next coarser one. Times are those of the files, later by
 * `shiftSeconds`.
 *
 * @param tables finest first
 * @param toSeconds nothing from then on is taken
 */
export function planTargets(
  rrds: readonly Rrd[],
  tables: readonly Bucketing[],
  shiftSeconds: number,
  toSeconds: number,
): Target[] {
  const begins = tables.map(() => Number.NEGATIVE_INFINITY);
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  for (const rrd of rrds) {
    const cover = coverOf(rrd, 'AVERAGE');
    first = Math.min(first, (cover[0]?.fromSeconds ?? Number.POSITIVE_INFINITY) + shiftSeconds);
    last = Math.max(last, (cover.at(-1)?.toSeconds ?? Number.NEGATIVE_INFINITY) + shiftSeconds);
    tables.slice(0, -1).forEach((_, level) => {
      // The last stretch that is coarser than the table ends where the table can begin.
      const coarser = cover.filter(({ rowSeconds }) => levelOf(rowSeconds, tables) > level).at(-1);
      const begin = (coarser?.toSeconds ?? cover[0]?.fromSeconds ?? Number.NEGATIVE_INFINITY) + shiftSeconds;
      begins[level] = Math.max(begins[level] as number, begin);
    });
  }
  last = Math.min(last, toSeconds);
  return tables.map(({ table, seconds }, level) => {
    const coarser = tables[level + 1];
    // Whole buckets of the next table, so that none of its buckets is made of both.
    const fromSeconds = coarser
      ? Math.ceil((begins[level] as number) / coarser.seconds) * coarser.seconds
      : Math.floor(first / seconds) * seconds;
    return { table, seconds, fromSeconds, buckets: Math.max(0, Math.ceil((last - fromSeconds) / seconds)) };
  });
}

export function createSeries(targets: readonly Target[]): Series {
  const arrays = (): Float64Array[] => targets.map(({ buckets }) => new Float64Array(buckets * COUNTERS.length));
  return { sums: arrays(), peaks: arrays() };
}

/**
 * Books a file: each row's rate times its length, rounded to a whole number, in parts that add up to it exactly, into the
 * finest table that begins before. Unknown rows add nothing.
 *
 * @returns the sum over the file of each counter that was booked
 */
export function bookFile(
  rrd: Rrd,
  columns: readonly number[],
  targets: readonly Target[],
  shiftSeconds: number,
  toSeconds: number,
  series: Series,
): number[] {
  const booked = COUNTERS.map(() => 0);
  for (const stretch of coverOf(rrd, 'AVERAGE')) {
    forEachRow(rrd, stretch, (rowSeconds, values) => {
      const from = rowSeconds + shiftSeconds;
      const to = from + stretch.rowSeconds;
      columns.forEach((column, counter) => {
        const rate = values[column] as number;
        if (!(rate > 0)) return;
        const sum = Math.round(rate * stretch.rowSeconds);
        const until = (seconds: number): number => Math.floor(sum * ((seconds - from) / stretch.rowSeconds));
        for (let at = from; at < Math.min(to, toSeconds);) {
          const level = targets.findIndex(({ fromSeconds }) => fromSeconds <= at);
          const target = targets[level];
          if (!target) break;
          const bucket = Math.floor((at - target.fromSeconds) / target.seconds);
          const finer = targets[level - 1]?.fromSeconds ?? Number.POSITIVE_INFINITY;
          const end = Math.min(to, toSeconds, finer, target.fromSeconds + (bucket + 1) * target.seconds);
          const index = bucket * COUNTERS.length + counter;
          const part = (end === to ? sum : until(end)) - until(at);
          (series.sums[level] as Float64Array)[index] = ((series.sums[level] as Float64Array)[index] as number) + part;
          raise(series.peaks[level] as Float64Array, index, rate);
          booked[counter] = (booked[counter] as number) + part;
          at = end;
        }
      });
    });
  }
  bookPeaks(rrd, columns, targets, shiftSeconds, toSeconds, series);
  return booked;
}

/**
 * Rows of type MAX are the rate of the busiest step. They raise the peak of the bucket that holds them, or of the two
 * that a row of twice the length holds: where in the row the step lies is not known.
 */
function bookPeaks(
  rrd: Rrd,
  columns: readonly number[],
  targets: readonly Target[],
  shiftSeconds: number,
  toSeconds: number,
  series: Series,
): void {
  for (const stretch of coverOf(rrd, 'MAX')) {
    forEachRow(rrd, stretch, (rowSeconds, values) => {
      const from = rowSeconds + shiftSeconds;
      const to = from + stretch.rowSeconds;
      const level = targets.findIndex(
        ({ seconds, fromSeconds }) => seconds * 2 >= stretch.rowSeconds && fromSeconds <= from,
      );
      const target = targets[level];
      if (!target) return;
      // Its busiest step may be one that is not taken.
      if (to > toSeconds) return;
      const middle = (from + to) / 2;
      const [start, end] =
        stretch.rowSeconds <= target.seconds ? [middle, middle + 1] : [from + target.seconds / 2, to];
      for (let at = start; at < end; at += target.seconds) {
        const bucket = Math.floor((at - target.fromSeconds) / target.seconds);
        if (bucket < 0 || bucket >= target.buckets) continue;
        columns.forEach((column, counter) =>
          raise(series.peaks[level] as Float64Array, bucket * COUNTERS.length + counter, values[column] as number),
        );
      }
    });
  }
}

/** A rate as the counter of a minute. */
function raise(peaks: Float64Array, index: number, rate: number): void {
  const minute = Math.round(rate * 60);
  if (minute > (peaks[index] as number)) peaks[index] = minute;
}

/** Adds one series to another. Of two busiest minutes only the larger one is known to have been. */
export function addSeries(target: Series, other: Series): void {
  other.sums.forEach((values, level) => {
    const sums = target.sums[level] as Float64Array;
    const peaks = target.peaks[level] as Float64Array;
    values.forEach((value, index) => {
      sums[index] = (sums[index] as number) + value;
      peaks[index] = Math.max(peaks[index] as number, other.peaks[level]?.[index] as number);
    });
  });
}

/**
 * What is left of a series without others, never less than nothing; the peaks of the rest are not known.
 *
 * @returns what the others have too much, by counter
 */
export function subtractSeries(target: Series, others: readonly Series[]): number[] {
  const excess = COUNTERS.map(() => 0);
  target.sums.forEach((sums, level) => {
    for (let index = 0; index < sums.length; index++) {
      let left = sums[index] as number;
      for (const other of others) left -= (other.sums[level] as Float64Array)[index] as number;
      const counter = index % COUNTERS.length;
      if (left < 0) excess[counter] = (excess[counter] as number) - left;
      sums[index] = Math.max(left, 0);
    }
    if (others.length > 0) (target.peaks[level] as Float64Array).fill(0);
  });
  return excess;
}
