import { RESOLUTIONS, RINGS } from '@ringflow/contract';
import { ARCHIVES, ARCHIVE_TABLES, readFloors } from './archives.ts';
import type { ArchiveName, StoreConfig } from './config.ts';
import { RAW_TABLE } from './ddl.ts';
import type { Engine } from './engine.ts';
import { forecastArchives } from './forecast.ts';
import { peaksClosedMs } from './peaks.ts';

/** Size and reach of one archive. */
export interface TableStatus {
  readonly table: string;
  /** Its name in the configuration. */
  readonly archive: ArchiveName;
  readonly rows: number;
  readonly sizeBytes: number;
  /** Milliseconds since the epoch of the oldest whole data; null when the table is empty. */
  readonly oldestMs: number | null;
  /** Its share of the disk budget. */
  readonly budgetBytes: number;
  /** At the rate of the last days; 0 when nothing is known of it. */
  readonly growthBytesPerDay: number;
  readonly growthRowsPerDay: number;
  /** How far it will reach back when growth goes on as it is; null when nothing is known of it. */
  readonly reachSeconds: number | null;
  /**
   * Buckets that end up to here have their peaks (rings), or hold all that was consolidated (top lists); absent where it
   * is not known, or every bucket does.
   */
  readonly closedMs?: number;
}

const DAY_MS = 86_400_000;

/** Tables whose rows know the busiest minute of their bucket. */
const PEAKED: ReadonlySet<string> = new Set(RESOLUTIONS.slice(1).map(({ table }) => table));

interface Partition {
  readonly table: string;
  readonly partition: string;
  readonly rows: number;
  readonly sizeBytes: number;
  readonly oldestMs: number;
  readonly newestMs: number;
}

/** What each archive holds now, and will. */
export async function archiveStatus(
  engine: Engine,
  config: Pick<StoreConfig, 'max_bytes' | 'archives'>,
): Promise<TableStatus[]> {
  const partitions = await listPartitions(engine);
  const floors = await readFloors(engine);
  const of = (table: string) => partitions.filter((partition) => partition.table === table);
  const growths = ARCHIVES.map(({ table, bucketSeconds }) => growthOf(of(table), bucketSeconds * 1000));
  const forecast = forecastArchives(
    config,
    Object.fromEntries(ARCHIVES.map(({ name }, index) => [name, growths[index]?.bytes ?? 0])),
  );
  const peaksMs = await peaksClosedMs(engine);
  const rawReach = await reachOfEveryRecord(engine, floors, partitions);
  return ARCHIVES.map(({ name, table }, index) => {
    const own = of(table).filter(({ rows }) => rows > 0);
    const firstMs = Math.min(...own.map(({ oldestMs }) => oldestMs));
    const wholeMs = Math.max(firstMs, floors.get(table) ?? 0);
    return {
      table,
      archive: name,
      rows: own.reduce((sum, { rows }) => sum + rows, 0),
      sizeBytes: own.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      oldestMs: own.length === 0 ? null : table === RAW_TABLE ? (rawReach ?? wholeMs) : wholeMs,
      ...(peaksMs !== null && PEAKED.has(table) ? { closedMs: peaksMs } : {}),
      budgetBytes: config.max_bytes * config.archives[name].share,
      growthBytesPerDay: growths[index]?.bytes ?? 0,
      growthRowsPerDay: growths[index]?.rows ?? 0,
      reachSeconds: forecast[name].reachSeconds,
    };
  });
}

/** Answered from what the engine knows of its parts, without reading rows. */
async function listPartitions(engine: Engine): Promise<Partition[]> {
  const times = await engine.select<Pick<Partition, 'table' | 'partition' | 'oldestMs' | 'newestMs'>>(
    ARCHIVES.map(
      ({ table, time }) =>
        `SELECT '${table}' AS table, _partition_id AS partition, toUnixTimestamp(min(${time})) * 1000 AS oldestMs, toUnixTimestamp(max(${time})) * 1000 AS newestMs, count() FROM ${engine.dialect.stored(table)} GROUP BY _partition_id`,
    ).join(' UNION ALL '),
  );
  const sizes = await engine.select<{ table: string; partition: string; rowCount: number; sizeBytes: number }>(
    'SELECT table, partition_id AS partition, sum(rows) AS rowCount, sum(bytes_on_disk) AS sizeBytes FROM system.parts WHERE database = currentDatabase() AND table IN {tables:Array(String)} AND active GROUP BY table, partition',
    { tables: ARCHIVE_TABLES.map(engine.dialect.stored) },
  );
  const known = new Map(sizes.map((size) => [`${engine.dialect.tableOf(size.table)} ${size.partition}`, size]));
  return times.map((time) => {
    const size = known.get(`${time.table} ${time.partition}`);
    return { ...time, rows: size?.rowCount ?? 0, sizeBytes: size?.sizeBytes ?? 0 };
  });
}

/** By the newest partitions that make a day, or by all. */
function growthOf(partitions: readonly Partition[], bucketMs: number): { bytes: number; rows: number } {
  let bytes = 0;
  let rows = 0;
  let fromMs = Number.POSITIVE_INFINITY;
  let toMs = Number.NEGATIVE_INFINITY;
  for (const partition of [...partitions].sort((a, b) => b.newestMs - a.newestMs)) {
    bytes += partition.sizeBytes;
    rows += partition.rows;
    fromMs = Math.min(fromMs, partition.oldestMs);
    toMs = Math.max(toMs, partition.newestMs + bucketMs);
    if (toMs - fromMs >= DAY_MS) break;
  }
  const days = (toMs - fromMs) / DAY_MS;
  return days > 0 ? { bytes: bytes / days, rows: rows / days } : { bytes: 0, rows: 0 };
}

/**
 * While nothing was dropped, records reach as far back as the flow times of what ever arrived: as the minutes do. Once
 * some were, the others reach back to their arrival only.
 */
async function reachOfEveryRecord(
  engine: Engine,
  floors: ReadonlyMap<string, number>,
  partitions: readonly Partition[],
): Promise<number | null> {
  const minutes = ARCHIVES.find(({ bucketSeconds }) => bucketSeconds === 60)?.table ?? '';
  const own = partitions.filter(({ table }) => table === minutes);
  if (own.length === 0 || floors.has(minutes) || floors.has(RAW_TABLE)) return null;
  // Databases from before there were floors: the raw table has as many rows as the ring has counted.
  const [counts] = await engine.select<{ kept: number; counted: number }>(
    `SELECT (SELECT count() FROM ${RAW_TABLE}) AS kept, (SELECT sum(flows) FROM ${minutes} WHERE ring = ${EXPORTER.id}) AS counted`,
  );
  return counts !== undefined && counts.kept >= counts.counted
    ? Math.min(...own.map(({ oldestMs }) => oldestMs))
    : null;
}

const EXPORTER = RINGS.find(({ name }) => name === 'exporter') ?? RINGS[0];
