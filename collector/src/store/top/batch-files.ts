import { join } from 'node:path';
import { TOP_RESOLUTIONS } from '@ringflow/contract';
import type { Engine, SegmentSource } from '../engine.ts';
import { RAW_TABLE } from '../ddl.ts';
import { createReadRoom, readNativeBlocks } from '../native-blocks.ts';
import { batchNumber } from './batches.ts';
import { writeLists, type BatchFiles } from './list-file.ts';
import { FLOWS, SCOPE, WORDS } from './items.ts';
import type { KeptSegments } from './kept-segments.ts';
import { rankLists } from './ranks.ts';
import { BLOCK_ROWS, readBatch, selectBatchSql } from './records.ts';
import { spreadBatch, type Scope, type Spread } from './spread.ts';

const [FIVE, HOUR, DAY] = TOP_RESOLUTIONS;

/** Buckets up to here: all. */
const FOREVER = Number.MAX_SAFE_INTEGER;

/** A batch, and what its loader has folded before: seconds since the epoch. */
export interface BatchInHand {
  readonly loader: number;
  readonly epoch: number;
  readonly consolidatedHour: number;
  readonly consolidatedDay: number;
  /** Rows that are named in each list and scope. */
  readonly topK: number;
  /** True when nobody waits for the lists any more. */
  stopping(): boolean;
}

/** Rows of the lists, ready to be inserted. */
export interface ListFiles {
  readonly files: readonly { readonly table: string; readonly source: SegmentSource }[];
  /** Records that came after their hour was folded. */
  readonly lateRecords: number;
}

/**
 * Makes the lists of a batch, a file in `directory` for each table that gets some: all into 5 minutes, and what lies in an
 * hour, or a day, that was folded before into that as well. The engine only reads the records and takes the rows: it sums by
 * random keys in one table that misses all caches, and twice the time (docs/benchmarks.md).
 */
export async function makeListFiles(
  engine: Engine,
  keptSegments: Pick<KeptSegments, 'pathsOf'>,
  directory: string,
  batch: BatchInHand,
): Promise<ListFiles> {
  const { loader, epoch, consolidatedHour, consolidatedDay, topK } = batch;
  const params = { batch: batchNumber(loader, epoch) };
  const [counted] = await engine.select<{ rows: number }>(
    `SELECT count() AS rows FROM ${RAW_TABLE} WHERE batch = {batch:UInt64}`,
    params,
  );
  const rows = counted?.rows ?? 0;
  if (rows === 0) return { files: [], lateRecords: 0 };
  const room = createReadRoom();
  const kept = keptSegments.pathsOf(params.batch, rows);
  const from: BatchFiles = { paths: kept ?? [join(directory, 'records.native')], room };
  if (kept === null)
    await engine.selectToFile(from.paths[0] as string, selectBatchSql(), params, {
      max_threads: 1,
      max_block_size: BLOCK_ROWS,
    });
  // Retention may have dropped some since they were counted.
  const records = await readBatch(from.paths, kept === null ? await countRows(from) : rows, room);
  const files: { table: string; source: SegmentSource }[] = [];
  const make = async (table: string, spread: Spread): Promise<void> => {
    if (spread.parts.count === 0 || batch.stopping()) return;
    const lists = await rankLists(records, spread, topK);
    const ranked = { scopes: spread.scopes, lists };
    files.push({ table, source: await writeLists(join(directory, `${table}.native`), from, records, ranked, loader) });
  };
  const spread = spreadBatch(records, FIVE.seconds, FOREVER);
  await make(FIVE.table, spread);
  const { parts, records: lateRecords } = lateParts(spread, consolidatedHour);
  if (parts > 0) await make(HOUR.table, spreadBatch(records, HOUR.seconds, consolidatedHour));
  if (parts > 0) await make(DAY.table, spreadBatch(records, DAY.seconds, consolidatedDay));
  return { files, lateRecords };
}

async function countRows({ paths, room }: BatchFiles): Promise<number> {
  let count = 0;
  for (const path of paths) for await (const { rows } of readNativeBlocks(path, new Set(), room)) count += rows;
  return count;
}

/** Parts in buckets before `until`, and records that ended there. */
function lateParts({ parts, scopes }: Spread, until: number): { parts: number; records: number } {
  const late = { parts: 0, records: 0 };
  for (let part = 0; part < parts.count; part++) {
    if ((scopes[parts.words[part * WORDS + SCOPE] as number] as Scope).bucket >= until) continue;
    late.parts++;
    late.records += parts.words[part * WORDS + FLOWS] as number;
  }
  return late;
}
