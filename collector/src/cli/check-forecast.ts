import { formatDuration } from '@ringflow/contract';
import type { Config } from '../config/index.ts';
import { forecastArchives, growthAtRate, readFigures } from '../store/index.ts';
import { UsageError } from './command.ts';

/**
 * What the disk budget will hold: at the rate that the collector of this data directory has seen, or at one that is
 * asked for.
 */
export async function forecastText(config: Config, rate: string | undefined): Promise<string> {
  const known = await readFigures(config.data_dir);
  const asked = rate === undefined ? undefined : Number(rate);
  if (asked !== undefined && !(asked > 0 && asked < 1e9))
    throw new UsageError(`--rate ${rate} is not a number of flows per second`, 'Write for example --rate 10000');
  if (asked === undefined && known === null)
    return 'What the disk will hold is not known before records were stored; --rate 10000 says it for 10,000 flows/s\n';
  const growth = asked === undefined ? (known?.growth ?? {}) : growthAtRate(asked, known);
  const forecast = forecastArchives(config.store, growth);
  const perSecond = asked ?? (known?.recordsPerDay ?? 0) / 86_400;
  const source = asked === undefined ? `as of ${new Date(known?.atMs ?? 0).toISOString()}` : 'as asked';
  const lines = Object.entries(config.store.archives).map(([name, { seconds }]) => {
    const { sizeBytes, reachSeconds } = forecast[name as keyof typeof forecast];
    const reach = reachSeconds === null ? 'not known' : formatReach(reachSeconds);
    const limit =
      reachSeconds !== null && seconds > 0 && reachSeconds < seconds * 0.99
        ? `, of ${formatDuration(seconds * 1000)} asked for`
        : '';
    return `  ${name.padEnd(8)}${formatSize(sizeBytes).padStart(10)}  ${reach}${limit}`;
  });
  return `${formatSize(config.store.max_bytes)} will hold, at ${Math.round(perSecond).toLocaleString('en')} flows/s (${source}):\n${lines.join('\n')}\n`;
}

/** 449280 → `5.2 days` */
function formatReach(seconds: number): string {
  const [length, unit] =
    seconds >= 365 * 86_400 ? [365 * 86_400, 'year'] : seconds >= 86_400 ? [86_400, 'day'] : [3600, 'hour'];
  const count = (seconds / length).toFixed(1).replace(/\.0$/, '');
  return `${count} ${unit}${count === '1' ? '' : 's'}`;
}

function formatSize(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const step = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** step;
  return `${value.toFixed(value < 10 && step > 0 && !Number.isInteger(value) ? 1 : 0)} ${units[step] ?? ''}`;
}
