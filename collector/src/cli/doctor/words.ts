import { formatDuration } from '@ringflow/contract';

/** `1 exporter`, `1,234 exporters` */
export function count(number: number, what: string): string {
  return `${Math.round(number).toLocaleString('en')} ${what}${number === 1 ? '' : 's'}`;
}

/** The first few of a list, and how many more there are. */
export function some(items: readonly string[], shown = 4): string {
  const more = items.length - shown;
  return more > 0 ? `${items.slice(0, shown).join(', ')} and ${more} more` : items.join(', ');
}

/** Bytes with a unit: 32 MiB, 1.5 GiB. */
export function size(bytes: number): string {
  const step = Math.min(4, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)));
  const scaled = bytes / 1024 ** step;
  return `${Number.isInteger(scaled) || scaled >= 100 ? Math.round(scaled) : scaled.toFixed(1)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][step]}`;
}

/** A duration to the second. */
export function span(durationMs: number): string {
  const roundMs = Math.abs(durationMs) < 1000 ? Math.round(durationMs) : Math.round(durationMs / 1000) * 1000;
  return formatDuration(Math.abs(roundMs));
}

/** `template_missing` → `template missing` */
export function words(code: string): string {
  return code.replaceAll('_', ' ');
}
