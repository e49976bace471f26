import { RESOLUTIONS, RINGS } from '@ringflow/contract';
import type { StoreConfig } from './config.ts';
import { RAW_TABLE } from './ddl.ts';
import type { Engine } from './engine.ts';

/** What was dropped and why. */
export interface Dropped {
  readonly table: string;
  /** Partition id, or name of a part. */
  readonly what: string;
  readonly sizeBytes: number;
  readonly why: 'age' | 'bytes';
}

interface Part {
  readonly table: string;
  readonly partition: string;
  readonly name: string;
  readonly block: number;
  readonly sizeBytes: number;
}

/** Finest detail first: what goes first when room is short. */
const TABLES: readonly string[] = [RAW_TABLE, ...RESOLUTIONS.map(({ table }) => table)];

const FINEST_RING = RESOLUTIONS[0].table;
const COARSEST_RING = RESOLUTIONS[RESOLUTIONS.length - 1]?.table ?? FINEST_RING;

/** A table is not shrunk below this share of the budget while a coarser one could give. */
const RESERVED_SHARE = 0.1;

/** The budget is met with this much to spare, so that not every segment drops something. */
const TARGET_SHARE = 0.97;

/** Partitions larger than this share of the budget are dropped part by part. */
const LARGE_SHARE = 0.05;

/**
 * Drops what is older than its table's age, then the oldest of the finest detail until all tables fit the budget.
 * Whole partitions; where one partition is a large part of the budget, its oldest parts.
 */
export async function retain(
  engine: Engine,
  config: Pick<StoreConfig, 'max_bytes' | 'retention'>,
  nowMs: number,
): Promise<Dropped[]> {
  const dropped: Dropped[] = [];
  const ages: Readonly<Record<string, number>> = {
    [RAW_TABLE]: config.retention.raw_seconds,
    rings_1m: config.retention.rings_1m_seconds,
    rings_1h: config.retention.rings_1h_seconds,
  };
  let parts = await listParts(engine);

  for (const table of TABLES) {
    const maxAgeMs = (ages[table] ?? 0) * 1000;
    if (maxAgeMs === 0) continue;
    for (const partition of new Set(parts.filter((part) => part.table === table).map((part) => part.partition))) {
      if (partitionEndMs(partition) > nowMs - maxAgeMs) continue;
      await engine.exec(`ALTER TABLE ${table} DROP PARTITION ID {partition:String}`, { partition });
      const inside = (part: Part) => part.table === table && part.partition === partition;
      dropped.push({ table, what: partition, sizeBytes: bytesOf(parts.filter(inside)), why: 'age' });
      parts = parts.filter((part) => !inside(part));
    }
  }

  const targetBytes = bytesOf(parts) > config.max_bytes ? config.max_bytes * TARGET_SHARE : config.max_bytes;
  while (bytesOf(parts) > targetBytes) {
    const table = victim(parts, config.max_bytes);
    if (table === undefined) break;
    const live = parts.filter((part) => part.table === table);
    const oldest = live.reduce((a, b) =>
      b.partition < a.partition || (b.partition === a.partition && b.block < a.block) ? b : a,
    );
    const inside = (part: Part) => part.table === table && part.partition === oldest.partition;
    const partitionBytes = bytesOf(parts.filter(inside));
    if (
      partitionBytes <= config.max_bytes * LARGE_SHARE ||
      !live.some((part) => part.partition !== oldest.partition || part.name !== oldest.name)
    ) {
      await engine.exec(`ALTER TABLE ${table} DROP PARTITION ID {partition:String}`, { partition: oldest.partition });
      dropped.push({ table, what: oldest.partition, sizeBytes: partitionBytes, why: 'bytes' });
      parts = parts.filter((part) => !inside(part));
    } else {
      await engine.exec(`ALTER TABLE ${table} DROP PART '${oldest.name}'`).catch(async (error: unknown) => {
        // Merged away since it was listed.
        if ((error as { engineCode?: number }).engineCode !== 232) throw error;
      });
      dropped.push({ table, what: oldest.name, sizeBytes: oldest.sizeBytes, why: 'bytes' });
      parts = parts.filter((part) => part !== oldest);
    }
  }
  return dropped;
}

/** The finest table that still has more than its reserve, else the finest that has anything. */
function victim(parts: readonly Part[], maxBytes: number): string | undefined {
  const live = (table: string) => bytesOf(parts.filter((part) => part.table === table));
  return TABLES.find((table) => live(table) > maxBytes * RESERVED_SHARE) ?? TABLES.find((table) => live(table) > 0);
}

/** Parts that were merged away are left out: they are deleted within seconds. */
async function listParts(engine: Engine): Promise<Part[]> {
  return engine.select<Part>(
    `SELECT table, partition_id AS partition, name, min_block_number AS block, bytes_on_disk AS sizeBytes
FROM system.parts WHERE database = currentDatabase() AND table IN {tables:Array(String)} AND active`,
    { tables: TABLES },
  );
}

function bytesOf(parts: readonly Part[]): number {
  return parts.reduce((sum, part) => sum + part.sizeBytes, 0);
}

/** End of the day `20260131` or of the month `202601`. */
function partitionEndMs(partition: string): number {
  const [year, month, day] = [partition.slice(0, 4), partition.slice(4, 6), partition.slice(6, 8)].map(Number) as [
    number,
    number,
    number,
  ];
  return day > 0 ? Date.UTC(year, month - 1, day + 1) : Date.UTC(year, month, 1);
}

/**
 * Keeps the parts of the raw table small against the budget: a part is what can be dropped when a day is larger than
 * the budget. Merging further would also write every row once more, for nothing.
 */
export async function limitPartSize(engine: Engine, maxBytes: number): Promise<void> {
  const limit = Math.max(1024 * 1024, Math.min(2 * 1024 * 1024 * 1024, Math.floor(maxBytes / 32)));
  await engine.exec(`ALTER TABLE ${RAW_TABLE} MODIFY SETTING max_bytes_to_merge_at_max_space_in_pool = ${limit}`);
}

/** Size and reach of one table. */
export interface TableStatus {
  readonly table: string;
  readonly rows: number;
  readonly sizeBytes: number;
  /** Milliseconds since the epoch of the oldest data; null when the table is empty. */
  readonly oldestMs: number | null;
}

/** What each table holds now. */
export async function tableStatus(engine: Engine): Promise<TableStatus[]> {
  const sizes = await engine.select<{ table: string; rows: number; sizeBytes: number }>(
    'SELECT table, sum(rows) AS rows, sum(bytes_on_disk) AS sizeBytes FROM system.parts WHERE database = currentDatabase() AND table IN {tables:Array(String)} AND active GROUP BY table',
    { tables: TABLES },
  );
  // Answered from the parts' minmax of the partition key, without reading rows.
  const oldest = await engine.select<{ table: string; oldest: number; rows: number }>(
    TABLES.map(
      (table) =>
        `SELECT '${table}' AS table, toUnixTimestamp(min(${table === RAW_TABLE ? 'time_received_ns' : 'bucket'})) * 1000 AS oldest, count() AS rows FROM ${table}`,
    ).join(' UNION ALL '),
  );
  const reaches = new Map(oldest.map((row) => [row.table, row.rows > 0 ? row.oldest : null]));
  const rawOldest = reaches.get(RAW_TABLE) ?? null;
  const ringOldest = reaches.get(FINEST_RING) ?? null;
  if (rawOldest !== null && ringOldest !== null && ringOldest < rawOldest && (await holdsEveryRecord(engine))) {
    reaches.set(RAW_TABLE, ringOldest);
  }
  return TABLES.map((table) => {
    const size = sizes.find((row) => row.table === table);
    return { table, rows: size?.rows ?? 0, sizeBytes: size?.sizeBytes ?? 0, oldestMs: reaches.get(table) ?? null };
  });
}

/**
 * True while retention has taken no single record: the raw table has as many rows as the rings have counted. It then
 * reaches as far back as the flow times of what ever arrived, not only to the first arrival.
 */
async function holdsEveryRecord(engine: Engine): Promise<boolean> {
  const [counts] = await engine.select<{ kept: number; counted: number }>(
    `SELECT (SELECT count() FROM ${RAW_TABLE}) AS kept, (SELECT sum(flows) FROM ${COARSEST_RING} WHERE ring = ${RINGS[0].id}) AS counted`,
  );
  return counts !== undefined && counts.kept >= counts.counted;
}
