import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TableStatus } from './archive-status.ts';
import { ARCHIVE_NAMES, type ArchiveName } from './config.ts';
import type { ArchiveGrowth } from './forecast.ts';

/** What a store knows of its growth, kept for `ringflow check`: the engine lets in one process only. */
export interface StoreFigures {
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  readonly recordsPerDay: number;
  readonly growth: ArchiveGrowth;
}

const FILE = 'archives.json';

/** Writes the figures of a store beside its directory; nothing while it is empty. */
export async function saveFigures(dataDirectory: string, tables: readonly TableStatus[], nowMs: number): Promise<void> {
  const raw = tables.find(({ archive }) => archive === 'raw');
  if (raw === undefined || raw.growthRowsPerDay === 0) return;
  const figures: StoreFigures = {
    atMs: nowMs,
    recordsPerDay: raw.growthRowsPerDay,
    growth: Object.fromEntries(tables.map(({ archive, growthBytesPerDay }) => [archive, growthBytesPerDay])),
  };
  const path = join(dataDirectory, FILE);
  await writeFile(`${path}.open`, JSON.stringify(figures));
  await rename(`${path}.open`, path);
}

/** Null when no store has kept any, or the file cannot be read. */
export async function readFigures(dataDirectory: string): Promise<StoreFigures | null> {
  try {
    const { atMs, recordsPerDay, growth } = JSON.parse(
      await readFile(join(dataDirectory, FILE), 'utf8'),
    ) as StoreFigures;
    const isNumber = (value: unknown) => typeof value === 'number' && Number.isFinite(value) && value >= 0;
    if (![atMs, recordsPerDay, ...Object.values(growth)].every(isNumber)) return null;
    return { atMs, recordsPerDay, growth };
  } catch {
    return null;
  }
}

/**
 * Bytes per record of each archive at 20,000 records per second of the demo's network, after merges: the more records
 * fall into a cell, the less each one takes, so small networks need more per record, and less altogether.
 */
const BYTES_PER_RECORD: Readonly<Record<ArchiveName, number>> = {
  raw: 20,
  '1m': 0.35,
  '5m': 0.12,
  '1h': 0.02,
  '1d': 0.002,
  top_5m: 0.1,
  top_1h: 0.01,
  top_1d: 0.001,
};

/** Growth at a rate of records, by what this store needs per record, or else by what another one did. */
export function growthAtRate(recordsPerSecond: number, known: StoreFigures | null): ArchiveGrowth {
  const recordsPerDay = recordsPerSecond * 86_400;
  return Object.fromEntries(
    ARCHIVE_NAMES.map((name) => {
      const perRecord = known && known.recordsPerDay > 0 ? (known.growth[name] ?? 0) / known.recordsPerDay : 0;
      return [name, recordsPerDay * (perRecord > 0 ? perRecord : BYTES_PER_RECORD[name])];
    }),
  );
}
