/** Numbers for people: 1234567 → `1,234,567`. */
export function formatCount(value: number): string {
  return Math.round(value).toLocaleString('en');
}

/** A rate without its unit: small ones keep a digit behind the point. */
export function formatRate(value: number): string {
  return value > 0 && value < 10 ? value.toFixed(1) : formatCount(value);
}

/** Bytes with three digits: 1610612736 → `1.5 GiB`. */
export function formatRoundBytes(bytes: number): string {
  return withPrefix(bytes, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']);
}

/** Bits per second with three digits: 1e10 → `10 Gbit/s`. */
export function formatSpeed(bitsPerSecond: number): string {
  return withPrefix(bitsPerSecond, 1000, ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s', 'Tbit/s']);
}

function withPrefix(value: number, base: number, units: readonly string[]): string {
  let scaled = value;
  let step = 0;
  while (scaled >= base && step < units.length - 1) {
    scaled /= base;
    step += 1;
  }
  const digits = step === 0 || scaled >= 100 || Number.isInteger(scaled) ? 0 : 1;
  return `${scaled.toFixed(digits)} ${units[step]}`;
}

const STEPS = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
  [1, 's'],
] as const;

/** A duration by its two largest units: 93784000 → `1 d 2 h`; below a second `250 ms`. */
export function formatSpan(durationMs: number): string {
  const wholeMs = Math.round(Math.abs(durationMs));
  if (wholeMs < 1000) return `${wholeMs} ms`;
  const seconds = Math.floor(wholeMs / 1000);
  const first = STEPS.findIndex(([length]) => seconds >= length);
  const [length, unit] = STEPS[first] as (typeof STEPS)[number];
  const next = STEPS[first + 1];
  const more = next ? Math.floor((seconds % length) / next[0]) : 0;
  return `${Math.floor(seconds / length)} ${unit}${next && more > 0 ? ` ${more} ${next[1]}` : ''}`;
}

/** 2026-01-10 12:00:00 */
export function formatMoment(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 19).replace('T', ' ');
}
