import { ARCHIVES, ARCHIVE_TABLES, partitionEndMs, raiseFloor, type Archive } from './archives.ts';
import type { StoreConfig } from './config.ts';
import { RAW_TABLE } from './ddl.ts';
import type { Engine } from './engine.ts';
import { consolidatePeaks } from './peaks.ts';

/** What was dropped and why. */
export interface Dropped {
  readonly table: string;
  /** Partition id, name of a part, or `before` a time. */
  readonly what: string;
  readonly sizeBytes: number;
  readonly why: 'age' | 'bytes';
}

/** What a look did. */
export interface RetentionReport {
  readonly dropped: readonly Dropped[];
  /** Bytes on disk of the store when all was done, files that are about to be deleted included. */
  readonly diskBytes: number;
}

interface Part {
  readonly table: string;
  readonly partition: string;
  readonly name: string;
  readonly block: number;
  readonly sizeBytes: number;
}

/**
 * Share of the budget that the tables may fill; the rest is room for what is there twice for a moment: merges, parts that
 * were merged and not deleted yet, what is loaded between two looks.
 */
export const FULL_SHARE = 0.9;

/** What is dropped at a time, as a share of the budget, so that not every look drops something. */
const STEP_SHARE = 0.03;

/** Most of the budget that is cleared for what is about to be loaded. */
export const MAX_INCOMING_SHARE = 0.4;

/** Merges make no parts larger than this share of the budget: each needs its size once more while it runs. */
const MERGE_SHARE = 1 / 64;
/** Of a day with a million records a second, a partition still has fewer parts than the engine slows inserts down at. */
const MAX_MERGE_BYTES = 8 * 1024 ** 3;
const MIN_MERGE_BYTES = 1024 ** 2;

/**
 * Parts that a merge takes at least. Left to itself the engine merges small parts by twos and fives, and a small table as a
 * whole with every few inserts: at 100,000 records a second a quarter of the store's CPU time.
 */
const MERGED_PARTS = 10;

/** Seconds after which a part that was merged away is deleted; merged parts are synced (ddl.ts). */
const OLD_PARTS_SECONDS = 1;

/** What the files of a part take on disk beyond their bytes: half a block each (measured with du). */
const PART_OVERHEAD_BYTES = 32 * 1024;

/**
 * Drops what is older than its archive's age; then, past the budget, the oldest of the archive that is furthest above
 * its share, until all fits. Whole partitions; where one is too much, the oldest parts of single records, and the oldest
 * buckets of sums, so that no bucket is left in part.
 *
 * @param incomingBytes what is about to be loaded, for which there must be room, too; at most {@link MAX_INCOMING_SHARE}
 */
export async function retain(
  engine: Engine,
  config: Pick<StoreConfig, 'max_bytes' | 'archives'>,
  nowMs: number,
  incomingBytes = 0,
): Promise<RetentionReport> {
  const dropped = await dropOld(engine, config.archives, nowMs);
  let usage = await diskUsage(engine);
  const fullBytes = config.max_bytes * FULL_SHARE - incomingBytes;
  if (usage.diskBytes - usage.inactiveBytes > fullBytes) {
    const excess = usage.diskBytes - usage.inactiveBytes - fullBytes + config.max_bytes * STEP_SHARE;
    dropped.push(...(await dropExcess(engine, config, excess)));
    usage = await diskUsage(engine);
  }
  if (usage.diskBytes > fullBytes && usage.inactiveBytes > 0) {
    for (const table of usage.inactiveTables) await deleteInactive(engine, table);
    usage = await diskUsage(engine);
  }
  return { dropped, diskBytes: usage.diskBytes };
}

async function dropOld(engine: Engine, archives: StoreConfig['archives'], nowMs: number): Promise<Dropped[]> {
  const dropped: Dropped[] = [];
  const parts = await listParts(engine);
  for (const { name, table, bucketSeconds } of ARCHIVES) {
    const maxAgeMs = archives[name].seconds * 1000;
    if (maxAgeMs === 0) continue;
    const oldestMs = nowMs - maxAgeMs;
    const old = groupByPartition(parts.filter((part) => part.table === table)).filter(
      ({ partition }) => partitionEndMs(partition) <= oldestMs,
    );
    if (old.length === 0) continue;
    // A collector that was off for longer than minutes are kept: their peaks are still to be taken.
    if (bucketSeconds === 60) while ((await consolidatePeaks(engine, nowMs)).more);
    for (const { partition, sizeBytes } of old) {
      await dropPartition(engine, table, partition);
      dropped.push({ table, what: partition, sizeBytes, why: 'age' });
    }
  }
  return dropped;
}

async function dropExcess(
  engine: Engine,
  config: Pick<StoreConfig, 'max_bytes' | 'archives'>,
  excessBytes: number,
): Promise<Dropped[]> {
  const dropped: Dropped[] = [];
  let parts = await listParts(engine);
  let left = excessBytes;
  /** Rows of these parts are in no top list yet: they stay while another archive is above its share. */
  let waiting: ReadonlySet<string> | null = await waitingParts(engine);
  const spent = new Set<string>();
  while (left > 0) {
    const found = furthestAboveShare(parts, config, spent);
    // No other archive goes below its share for them.
    if ((found === undefined || found.above <= 0) && waiting !== null && waiting.size > 0) {
      waiting = null;
      spent.delete(RAW_TABLE);
      continue;
    }
    if (found === undefined) break;
    const { archive } = found;
    const gone = await dropOldest(engine, archive, parts, left, waiting);
    if (gone === null) {
      spent.add(archive.table);
      continue;
    }
    dropped.push({ table: archive.table, what: gone.what, sizeBytes: gone.sizeBytes, why: 'bytes' });
    left -= gone.sizeBytes;
    parts = gone.rest;
  }
  return dropped;
}

/** With the bytes that it is above; the finest one on ties. */
function furthestAboveShare(
  parts: readonly Part[],
  { max_bytes, archives }: Pick<StoreConfig, 'max_bytes' | 'archives'>,
  spent: ReadonlySet<string>,
): { readonly archive: Archive; readonly above: number } | undefined {
  let found: { archive: Archive; above: number } | undefined;
  for (const archive of ARCHIVES) {
    const bytes = bytesOf(parts.filter(({ table }) => table === archive.table));
    const above = bytes - max_bytes * archives[archive.name].share;
    if (bytes === 0 || spent.has(archive.table) || above <= (found?.above ?? Number.NEGATIVE_INFINITY)) continue;
    found = { archive, above };
  }
  return found;
}

interface Gone {
  readonly what: string;
  readonly sizeBytes: number;
  /** All parts that are there now, with the sizes they have then. */
  readonly rest: Part[];
}

/** Drops the oldest partition, or as much of it as is needed; null when the archive has nothing to give. */
async function dropOldest(
  engine: Engine,
  { table, bucketSeconds }: Archive,
  parts: readonly Part[],
  neededBytes: number,
  waiting: ReadonlySet<string> | null,
): Promise<Gone | null> {
  const isOwn = (part: Part) => part.table === table;
  const isFree = (part: Part) => isOwn(part) && !(table === RAW_TABLE && waiting?.has(part.name));
  const [oldest] = groupByPartition(parts.filter(isFree));
  if (oldest === undefined) return null;
  const isInside = (part: Part) => isOwn(part) && part.partition === oldest.partition;
  const inside = parts.filter(isInside);
  const isLast = parts.filter(isOwn).length === inside.length;
  if (!isLast && oldest.sizeBytes <= neededBytes && inside.every(isFree)) {
    await raiseFloor(engine, table, partitionEndMs(oldest.partition));
    await dropPartition(engine, table, oldest.partition);
    return { what: oldest.partition, sizeBytes: oldest.sizeBytes, rest: parts.filter((part) => !isInside(part)) };
  }
  if (bucketSeconds === 0) {
    const [part] = inside.filter(isFree).sort((a, b) => a.block - b.block);
    // The last part of all is what arrives now.
    if (part === undefined || (isLast && inside.length === 1)) return null;
    await dropPart(engine, table, part.name);
    return { what: part.name, sizeBytes: part.sizeBytes, rest: parts.filter((other) => other !== part) };
  }
  const cut = await cutBuckets(engine, table, oldest.partition, neededBytes / oldest.sizeBytes);
  if (cut === null) return null;
  return {
    what: `before ${new Date(cut.floorMs).toISOString()}`,
    sizeBytes: oldest.sizeBytes * cut.share,
    rest: parts.map((part) => (isInside(part) ? { ...part, sizeBytes: part.sizeBytes * (1 - cut.share) } : part)),
  };
}

/** Deletes a partition's oldest buckets, about this share of its rows; null when it has one bucket only. */
async function cutBuckets(
  engine: Engine,
  table: string,
  partition: string,
  wantedShare: number,
): Promise<{ floorMs: number; share: number } | null> {
  const buckets = await engine.select<{ start: number; bucketRows: number }>(
    `SELECT toUnixTimestamp(bucket) AS start, count() AS bucketRows FROM ${engine.dialect.stored(table)} WHERE _partition_id = {partition:String} GROUP BY bucket ORDER BY bucket`,
    { partition },
  );
  if (buckets.length < 2) return null;
  const all = buckets.reduce((sum, { bucketRows }) => sum + bucketRows, 0);
  let rows = 0;
  let next = 0;
  while (next < buckets.length - 1 && rows < wantedShare * all) rows += buckets[next++]?.bucketRows ?? 0;
  const floor = buckets[next]?.start ?? 0;
  await raiseFloor(engine, table, floor * 1000);
  await engine.exec(
    `ALTER TABLE ${engine.dialect.stored(table)} DELETE IN PARTITION ID {partition:String} WHERE bucket < toDateTime({floor:UInt32}, 'UTC')`,
    { partition, floor },
    { mutations_sync: 1 },
  );
  return { floorMs: floor * 1000, share: rows / all };
}

async function dropPartition(engine: Engine, table: string, partition: string): Promise<void> {
  await engine.exec(`ALTER TABLE ${engine.dialect.stored(table)} DROP PARTITION ID {partition:String}`, { partition });
}

/** A part of single records goes with its last arrival: what is older is not whole any more. */
async function dropPart(engine: Engine, table: string, name: string): Promise<void> {
  const [last] = await engine.select<{ ms: number }>(
    `SELECT toUnixTimestamp64Milli(max(time_received_ns)) AS ms FROM ${engine.dialect.stored(table)} WHERE _part = {name:String}`,
    { name },
  );
  if (last !== undefined && last.ms > 0) await raiseFloor(engine, table, last.ms);
  await engine.exec(`ALTER TABLE ${engine.dialect.stored(table)} DROP PART '${name}'`).catch((error: unknown) => {
    // Merged away since it was listed.
    if ((error as { engineCode?: number }).engineCode !== 232) throw error;
  });
}

/** Dropping a partition that there never was has the engine delete at once what was merged away. */
async function deleteInactive(engine: Engine, table: string): Promise<void> {
  await dropPartition(engine, table, '00000000');
}

/** Parts of the raw table with rows that are in no top list yet; rows of batch 0 never will be. */
async function waitingParts(engine: Engine): Promise<ReadonlySet<string>> {
  const rows = await engine.select<{ part: string }>(
    `SELECT DISTINCT _part AS part FROM ${engine.dialect.stored(RAW_TABLE)} WHERE batch > 0 AND batch IN (SELECT batch FROM top_open)`,
  );
  return new Set(rows.map(({ part }) => part));
}

async function listParts(engine: Engine): Promise<Part[]> {
  const parts = await engine.select<Part>(
    `SELECT table, partition_id AS partition, name, min_block_number AS block, bytes_on_disk + ${PART_OVERHEAD_BYTES} AS sizeBytes
FROM system.parts WHERE database = currentDatabase() AND table IN {tables:Array(String)} AND active`,
    { tables: ARCHIVE_TABLES.map(engine.dialect.stored) },
  );
  return (
    parts
      .map((part) => ({ ...part, table: engine.dialect.tableOf(part.table) }))
      // What a dropped part leaves behind for a moment.
      .filter(({ sizeBytes }) => sizeBytes > PART_OVERHEAD_BYTES)
  );
}

/** Oldest first. */
function groupByPartition(parts: readonly Part[]): { partition: string; sizeBytes: number }[] {
  const sizes = new Map<string, number>();
  for (const { partition, sizeBytes } of parts) sizes.set(partition, (sizes.get(partition) ?? 0) + sizeBytes);
  return [...sizes]
    .map(([partition, sizeBytes]) => ({ partition, sizeBytes }))
    .sort((a, b) => (a.partition < b.partition ? -1 : 1));
}

function bytesOf(parts: readonly Part[]): number {
  return parts.reduce((sum, part) => sum + part.sizeBytes, 0);
}

interface DiskUsage {
  readonly diskBytes: number;
  /** Of parts that were merged away and are still there. */
  readonly inactiveBytes: number;
  readonly inactiveTables: readonly string[];
}

async function diskUsage(engine: Engine): Promise<DiskUsage> {
  const inactive = await engine.select<{ table: string; sizeBytes: number }>(
    `SELECT table, sum(bytes_on_disk + ${PART_OVERHEAD_BYTES}) AS sizeBytes FROM system.parts
WHERE database = currentDatabase() AND table IN {tables:Array(String)} AND NOT active GROUP BY table`,
    { tables: ARCHIVE_TABLES.map(engine.dialect.stored) },
  );
  return {
    diskBytes: await engine.diskBytes(),
    inactiveBytes: inactive.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    inactiveTables: inactive.map(({ table }) => engine.dialect.tableOf(table)),
  };
}

/**
 * Buffer of a column that is written, bytes: two of them for each column of an insert or a merge, 1 MiB by default. A
 * granule's values of eight bytes are compressed together from 64 KiB on, so blocks stay as they are.
 */
const WRITE_BUFFER_BYTES = 131_072;

/**
 * Keeps what merges need beside their sources small, on the disk against the budget and in memory, and deletes the sources
 * soon; and tables that an earlier version made recognise as many inserts as new ones.
 */
export async function limitMerges(engine: Engine, maxBytes: number): Promise<void> {
  const limit = Math.max(MIN_MERGE_BYTES, Math.min(MAX_MERGE_BYTES, Math.floor(maxBytes * MERGE_SHARE)));
  // Servers of one's own may be older.
  const known = await engine.select<{ name: string }>(
    "SELECT name FROM system.merge_tree_settings WHERE name = 'min_parts_to_merge_at_once'",
  );
  const settings = known.map(({ name }) => `, ${name} = ${MERGED_PARTS}`).join('');
  for (const table of ARCHIVE_TABLES) {
    await engine.exec(
      `ALTER TABLE ${engine.dialect.stored(table)} MODIFY SETTING max_bytes_to_merge_at_max_space_in_pool = ${limit}${settings}, max_compress_block_size = ${WRITE_BUFFER_BYTES}, old_parts_lifetime = ${OLD_PARTS_SECONDS}, ${engine.dialect.deduplication}`,
    );
  }
}
