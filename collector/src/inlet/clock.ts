import { COLUMNS, QUALITY } from '@ringflow/contract';
import type { Batch } from '../wire/index.ts';

/**
 * How far an exporter's clock is behind ours: arrival minus export time, of which the smallest is the best estimate,
 * since delays only add to it (C05).
 */
export interface Clock {
  /** Smallest difference of the current and of the previous window, in milliseconds; NaN before the first. */
  offsetMs: number;
  previousMs: number;
  windowEndMs: number;
  /** The offset that the two words below stand for. */
  shiftMs: number;
  /** `shiftMs` in nanoseconds as a 64-bit two's complement. */
  low: number;
  high: number;
  /** Rows whose times were corrected. */
  correctedRows: number;
}

/** The estimate follows a drifting clock, and forgets a lucky datagram, within two windows. */
const WINDOW_MS = 300_000;

const START = columnIndex('time_flow_start_ns');
const END = columnIndex('time_flow_end_ns');
const RECEIVED = columnIndex('time_received_ns');
const FLAGS = columnIndex('quality');

export function createClock(): Clock {
  return {
    offsetMs: Number.NaN,
    previousMs: Number.NaN,
    windowEndMs: 0,
    shiftMs: 0,
    low: 0,
    high: 0,
    correctedRows: 0,
  };
}

/**
 * Takes the export time of a datagram and returns the estimated offset in milliseconds.
 *
 * @param thresholdMs a difference this far from the estimate is a step of the clock (it was set, or the exporter
 *   rebooted without one), not a delay: the estimate starts anew
 */
export function observeClock(clock: Clock, exportTimeMs: number, arrivalMs: number, thresholdMs: number): number {
  const offsetMs = arrivalMs - exportTimeMs;
  const estimate = clockOffset(clock);
  if (Number.isNaN(estimate) || Math.abs(offsetMs - estimate) > thresholdMs) {
    clock.offsetMs = offsetMs;
    clock.previousMs = offsetMs;
    clock.windowEndMs = arrivalMs + WINDOW_MS;
    return offsetMs;
  }
  if (arrivalMs >= clock.windowEndMs) {
    clock.previousMs = clock.offsetMs;
    clock.offsetMs = offsetMs;
    clock.windowEndMs = arrivalMs + WINDOW_MS;
  } else if (offsetMs < clock.offsetMs) clock.offsetMs = offsetMs;
  return clockOffset(clock);
}

/** The estimate, NaN before the first datagram. */
export function clockOffset(clock: Clock): number {
  return clock.previousMs < clock.offsetMs ? clock.previousMs : clock.offsetMs;
}

/** Moves the times of rows by the offset and flags them: durations stay, and no bucket lies decades away (C05, X07). */
export function correctTimes(clock: Clock, offsetMs: number, batch: Batch, from: number, to: number): void {
  const flags = (batch.data[FLAGS] ??= new Uint32Array(batch.capacity));
  clock.correctedRows += to - from;
  // The decoder has already put the arrival in the place of a clock that was never set (one datagram, one verdict).
  if (((flags[from] as number) & QUALITY.clock_corrected) !== 0) return;
  if (clock.shiftMs !== offsetMs) {
    const shift = BigInt.asUintN(64, BigInt(Math.round(offsetMs)) * 1_000_000n);
    clock.shiftMs = offsetMs;
    clock.low = Number(shift & 0xffffffffn);
    clock.high = Number(shift >> 32n);
  }
  shiftColumn(batch.data[START] as Uint32Array | null, from, to, clock.low, clock.high);
  shiftColumn(batch.data[END] as Uint32Array | null, from, to, clock.low, clock.high);
  batch.used[FLAGS] = 1;
  for (let row = from; row < to; row++) flags[row] = (flags[row] as number) | QUALITY.clock_corrected;
}

/** When the rows at `row` arrived, in milliseconds: for parked data, whose datagram is long gone. */
export function arrivalOfRow(batch: Batch, row: number): number {
  const words = batch.data[RECEIVED] as Uint32Array | null;
  if (!words) return Number.NaN;
  return Math.round(((words[row * 2 + 1] as number) * 4_294_967_296 + (words[row * 2] as number)) / 1e6);
}

function shiftColumn(words: Uint32Array | null, from: number, to: number, low: number, high: number): void {
  if (!words) return;
  for (let at = from * 2; at < to * 2; at += 2) {
    const oldLow = words[at] as number;
    const oldHigh = words[at + 1] as number;
    // No time at all stays none.
    if ((oldLow | oldHigh) === 0) continue;
    const sum = oldLow + low;
    words[at] = sum;
    words[at + 1] = oldHigh + high + (sum > 0xffffffff ? 1 : 0);
  }
}

function columnIndex(name: (typeof COLUMNS)[number]['name']): number {
  return COLUMNS.findIndex((column) => column.name === name);
}
