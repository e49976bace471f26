import { ARCHIVES } from './archives.ts';
import type { ArchiveName, StoreConfig } from './config.ts';
import { FULL_SHARE } from './retention.ts';

/** Bytes per day that each archive grows by; absent or 0 = it does not grow. */
export type ArchiveGrowth = Readonly<Partial<Record<ArchiveName, number>>>;

/** What an archive will hold when growth goes on as it is. */
export interface ArchiveForecast {
  readonly sizeBytes: number;
  /** How far it will reach back; null when nothing is known of its growth. */
  readonly reachSeconds: number | null;
}

const DAY_SECONDS = 86_400;

/**
 * What each archive will hold in the long run. Each wants what its age needs at its growth, or everything without one.
 * Past the budget the one furthest above its share gives first (retention.ts), so in the end all that are above theirs
 * are so by the same number of bytes.
 */
export function forecastArchives(
  config: Pick<StoreConfig, 'max_bytes' | 'archives'>,
  growth: ArchiveGrowth,
): Readonly<Record<ArchiveName, ArchiveForecast>> {
  const budget = config.max_bytes * FULL_SHARE;
  const wants = ARCHIVES.map(({ name }) => {
    const { seconds, share } = config.archives[name];
    const perDay = growth[name] ?? 0;
    const wanted = perDay === 0 ? 0 : seconds === 0 ? Number.POSITIVE_INFINITY : (perDay * seconds) / DAY_SECONDS;
    return { name, perDay, wanted, share: config.max_bytes * share };
  });
  const held = (above: number) => wants.map(({ wanted, share }) => Math.min(wanted, Math.max(0, share + above)));
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  let above = config.max_bytes;
  if (sum(held(above)) > budget) {
    let low = -config.max_bytes;
    for (let step = 0; step < 60; step++) {
      const middle = (low + above) / 2;
      if (sum(held(middle)) > budget) above = middle;
      else low = middle;
    }
  }
  const sizes = held(above);
  return Object.fromEntries(
    wants.map(({ name, perDay }, index) => {
      const sizeBytes = sizes[index] ?? 0;
      return [name, { sizeBytes, reachSeconds: perDay === 0 ? null : (sizeBytes / perDay) * DAY_SECONDS }];
    }),
  ) as Record<ArchiveName, ArchiveForecast>;
}
