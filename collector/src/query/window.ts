/** A range of time, milliseconds since the epoch, [fromMs, toMs). */
export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

const MS = 1;
const SECOND = 1000 * MS;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Lengths of the units in `now-6h`; a month is 30 days and a year 365, as nobody aligns a query to them. */
const UNIT_MS: Readonly<Record<string, number>> = {
  ms: MS,
  s: SECOND,
  m: MINUTE,
  h: HOUR,
  d: DAY,
  w: 7 * DAY,
  M: 30 * DAY,
  y: 365 * DAY,
};

/** Latest time that fits ClickHouse's 64-bit nanoseconds (2262). */
const LATEST_MS = 9_223_372_036_000;

/**
 * Milliseconds since the epoch of a time as the API takes it: a number, digits, ISO 8601, `now`, `now-6h`, `now+5m`.
 * ISO times without a zone are UTC. Returns null when it is none of these.
 */
export function parseTimePoint(value: number | string, nowMs: number): number | null {
  if (typeof value === 'number') return bounded(Math.floor(value));
  const text = value.trim();
  if (/^\d{1,16}$/.test(text)) return bounded(Number(text));
  const relative = /^now(?:\s*([+-])\s*(\d{1,9})\s*(ms|[smhdwMy]))?$/.exec(text);
  if (relative) {
    const offset = relative[2] === undefined ? 0 : Number(relative[2]) * (UNIT_MS[relative[3] as string] as number);
    return bounded(Math.floor(relative[1] === '-' ? nowMs - offset : nowMs + offset));
  }
  if (!/^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?\s*(Z|[+-]\d{2}:?\d{2})?)?$/.test(text)) return null;
  const zoned = /(Z|[+-]\d{2}:?\d{2})$/.test(text.slice(10)) ? text : text.length === 10 ? text : `${text}Z`;
  return bounded(Math.floor(Date.parse(zoned.replace(' ', 'T'))));
}

function bounded(ms: number): number | null {
  return Number.isFinite(ms) && ms >= 0 && ms <= LATEST_MS ? ms : null;
}

/** Start of the bucket that holds `ms`; buckets are aligned to multiples of their length since the epoch. */
export function floorTo(ms: number, stepMs: number): number {
  return Math.floor(ms / stepMs) * stepMs;
}

/** Start of the first bucket that begins at or after `ms`. */
export function ceilTo(ms: number, stepMs: number): number {
  return Math.ceil(ms / stepMs) * stepMs;
}

/** Bucket lengths that people can read off an axis, in seconds; each coarser ring's length is among them. */
const NICE_STEPS = [
  1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10_800, 14_400, 21_600, 43_200, 86_400,
] as const;

/**
 * Length of a bucket in seconds: at least what was asked for, at least what fits `maxPoints`, and a multiple of
 * `resolutionSeconds` so that every bucket is made of whole buckets of the source.
 */
export function stepSeconds(window: Window, intervalMs: number, maxPoints: number, resolutionSeconds: number): number {
  const wanted = Math.max(intervalMs, (window.toMs - window.fromMs) / maxPoints, SECOND) / SECOND;
  for (const step of NICE_STEPS) if (step >= wanted && step % resolutionSeconds === 0) return step;
  return Math.ceil(wanted / 86_400) * 86_400;
}
