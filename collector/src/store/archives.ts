import { RESOLUTIONS, TOP_RESOLUTIONS } from '@ringflow/contract';
import type { ArchiveName } from './config.ts';
import { RAW_TABLE } from './ddl.ts';
import { ONE_SERVER, type Dialect } from './dialect.ts';
import type { Engine } from './engine.ts';

/** One kind of what is kept: a table with an age and a share of the disk budget of its own. */
export interface Archive {
  readonly name: ArchiveName;
  readonly table: string;
  /** Column by whose time rows grow old: the arrival of records, the bucket of sums. */
  readonly time: 'time_received_ns' | 'bucket';
  /** Length of a bucket; 0 for single records. */
  readonly bucketSeconds: number;
}

/** All archives, finest first; of the same length the top list first, because its sums are kept once more. */
export const ARCHIVES: readonly Archive[] = [
  { name: 'raw' as const, table: RAW_TABLE, time: 'time_received_ns' as const, bucketSeconds: 0 },
  ...RESOLUTIONS.map(({ name, table, seconds }) => ({ name, table, time: 'bucket' as const, bucketSeconds: seconds })),
  ...TOP_RESOLUTIONS.map(({ table, seconds }) => ({
    name: table,
    table,
    time: 'bucket' as const,
    bucketSeconds: seconds,
  })),
].sort((a, b) => a.bucketSeconds - b.bucketSeconds || Number(b.name === b.table) - Number(a.name === a.table));

/** Tables of all archives, in their order. */
export const ARCHIVE_TABLES: readonly string[] = ARCHIVES.map(({ table }) => table);

/** End of the day `20260131`, of the month `202601` or of the year `2026`, in milliseconds since the epoch. */
export function partitionEndMs(partition: string): number {
  const [year, month, day] = [partition.slice(0, 4), partition.slice(4, 6), partition.slice(6, 8)].map(Number) as [
    number,
    number,
    number,
  ];
  if (day > 0) return Date.UTC(year, month - 1, day + 1);
  return month > 0 ? Date.UTC(year, month, 1) : Date.UTC(year + 1, 0, 1);
}

/**
 * Up to when each archive was emptied. What is older is not whole: a record that comes late makes a bucket anew that
 * was dropped, and what it adds alone must not be taken for the bucket's sum.
 */
export function createFloorsTable(dialect: Dialect = ONE_SERVER): string {
  return `CREATE TABLE IF NOT EXISTS ${dialect.on('archive_floors')} (
  archive String,
  floor SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
) ENGINE = ${dialect.engine('archive_floors', 'AggregatingMergeTree')}
ORDER BY archive`;
}

/** Milliseconds since the epoch by table; a table from which nothing was dropped is not in it. */
export async function readFloors(engine: Engine): Promise<ReadonlyMap<string, number>> {
  const rows = await engine.select<{ archive: string; floorMs: number }>(
    'SELECT archive, toUnixTimestamp64Milli(max(floor)) AS floorMs FROM archive_floors GROUP BY archive',
  );
  return new Map(rows.map(({ archive, floorMs }) => [archive, floorMs]));
}

/** To be written before anything is dropped: killed in between, less is said to be there than is. */
export async function raiseFloor(engine: Engine, table: string, floorMs: number): Promise<void> {
  await engine.exec(
    'INSERT INTO archive_floors (archive, floor) SELECT {table:String}, fromUnixTimestamp64Milli({floorMs:Int64})',
    { table, floorMs },
  );
}
