import type { CompareWindow, FrameNotice } from '@ringflow/contract';
import type { Plan } from '../plan.ts';
import { floorTo, type Window } from '../window.ts';

const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** How much earlier each compared window is. */
export const EARLIER_MS: Readonly<Record<CompareWindow, number>> = {
  none: 0,
  '1h': HOUR_MS,
  '1d': DAY_MS,
  '1w': 7 * DAY_MS,
  '4w': 28 * DAY_MS,
};

/** Days whose same hour makes the baseline, and how many of them must be known. */
export const BASELINE_DAYS = 28;
export const LEAST_DAYS = 7;
/** Points that are asked for at most: four weeks of hours, and the hours of the longest window whose buckets are an hour. */
export const BASELINE_POINTS = 5000;

/** Buckets that a baseline is made of: an hour, or those of the query where they are longer, up to a day. */
export function baselineStep(stepMs: number): number {
  return Math.min(Math.max(stepMs, HOUR_MS), DAY_MS);
}

/** The time that a baseline needs: the window in whole buckets, and the days before it. */
export function baselineWindow({ fromMs, toMs }: Window, stepMs: number): Window {
  return { fromMs: Math.max(0, floorTo(fromMs, stepMs) - BASELINE_DAYS * DAY_MS), toMs };
}

export function shifted({ fromMs, toMs }: Window, byMs: number): Window {
  return { fromMs: fromMs - byMs, toMs: toMs - byMs };
}

/**
 * What is usual for a range of time: of each bucket in it the median of the same time of day in the days before, and of
 * those the mean. Null where too few of the days are known.
 *
 * @param valueAt value of the bucket that begins then; null or undefined where it is not known
 */
export function usual(
  { fromMs, toMs }: Window,
  stepMs: number,
  valueAt: (beginMs: number) => number | null | undefined,
): number | null {
  let sum = 0;
  let weight = 0;
  for (let begin = floorTo(fromMs, stepMs); begin < toMs; begin += stepMs) {
    const median = medianBefore(begin, valueAt);
    if (median === null) return null;
    // A bucket at an end counts for as much of it as is asked about.
    const part = Math.min(toMs, begin + stepMs) - Math.max(fromMs, begin);
    sum += median * part;
    weight += part;
  }
  return weight > 0 ? sum / weight : null;
}

function medianBefore(beginMs: number, valueAt: (beginMs: number) => number | null | undefined): number | null {
  const known: number[] = [];
  for (let day = 1; day <= BASELINE_DAYS; day++) {
    const value = valueAt(beginMs - day * DAY_MS);
    if (value !== null && value !== undefined) known.push(value);
  }
  if (known.length < LEAST_DAYS) return null;
  known.sort((a, b) => a - b);
  const middle = known.length >> 1;
  return known.length % 2 === 1
    ? (known[middle] as number)
    : ((known[middle - 1] as number) + (known[middle] as number)) / 2;
}

/** Percent that a value is above (or below) another; null where there was nothing to compare with. */
export function percentAbove(value: number | null, base: number | null): number | null {
  if (value === null || base === null) return null;
  if (base === 0) return value === 0 ? 0 : null;
  return Math.round(((value - base) / base) * 1000) / 10;
}

/** What limits the earlier part of an answer, in words that say which part. */
export function earlierNotices(plan: Plan, what: string): FrameNotice[] {
  return plan.notices
    .filter(({ code }) => code === 'beyond_retention')
    .map(({ text }) => ({ severity: 'info', code: 'no_history', text: `${what}: ${text}` }));
}

export function fewDays(): FrameNotice {
  return {
    severity: 'info',
    code: 'no_history',
    text: `Deviation: less than ${LEAST_DAYS} of the last ${BASELINE_DAYS} days are known`,
  };
}
