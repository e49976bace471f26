import { formatDuration, parseDuration, parseSize } from '@ringflow/contract';

/** Bytes → the shortest exact text: 10737418240 → `10GiB`. */
export function formatBytes(bytes: number): string {
  for (const [unit, factor] of [
    ['TiB', 2 ** 40],
    ['GiB', 2 ** 30],
    ['MiB', 2 ** 20],
    ['KiB', 2 ** 10],
  ] as const) {
    if (bytes >= factor && bytes % factor === 0) return `${bytes / factor}${unit}`;
  }
  return String(bytes);
}

/** What a number in the configuration measures. */
export interface KeyUnit {
  readonly what: 'size' | 'duration';
  readonly example: string;
  /** Text with a unit → the number that the key holds; null when it is none. */
  parse(text: string): number | null;
  format(value: number): string;
}

const UNITS: Readonly<Record<string, KeyUnit>> = {
  bytes: { what: 'size', example: '10GiB', parse: parseSize, format: formatBytes },
  ms: { what: 'duration', example: '500ms', parse: parseDuration, format: formatDuration },
  seconds: {
    what: 'duration',
    example: '5m',
    parse: (text) => {
      const durationMs = parseDuration(text);
      return durationMs === null ? null : durationMs / 1000;
    },
    format: (value) => formatDuration(value * 1000),
  },
};

/** The unit that a key names (`max_bytes`, `max_age_seconds`, `timeout_ms`), if it names one. */
export function unitOfKey(key: string): KeyUnit | undefined {
  const word = /(?:^|_)(bytes|ms|seconds)(?:_|$)/.exec(key)?.[1];
  return word === undefined ? undefined : UNITS[word];
}
