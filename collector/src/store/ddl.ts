import { CLICKHOUSE_TYPES, COLUMNS, type Column } from '@ringflow/contract';
import { ONE_SERVER, type Dialect } from './dialect.ts';

/** Columns of the raw table, in registry order. */
export const STORED_COLUMNS: readonly Column[] = (COLUMNS as readonly Column[]).filter((column) => column.stored);

/** Name of the table of single records. */
export const RAW_TABLE = 'flows';

/**
 * The raw table's one column that is not a fact of the record: the batch in which the row goes into the top lists
 * (batches.ts), number of the loader in the upper 32 bits, epoch in the lower. 0 = stored before there were top lists.
 */
export const BATCH_COLUMN = 'batch UInt64 CODEC(ZSTD(1))';
export const BATCH_INDEX = 'batch_range batch TYPE minmax GRANULARITY 1';

/**
 * A segment is deleted once it is inserted, so the insert must be on the disk: without these, a power failure loses
 * what only the page cache had. Merged parts are synced, so that their sources can be deleted soon: they count
 * against the disk budget as long as they are there (retention.ts).
 */
export const DURABILITY =
  'fsync_after_insert = 1, fsync_part_directory = 1, min_compressed_bytes_to_fsync_after_merge = 1, old_parts_lifetime = 1';

/** A column of the raw table as CREATE TABLE and ALTER TABLE take it. */
export function columnDefinition(column: Column): string {
  return `${column.name} ${CLICKHOUSE_TYPES[column.type]} CODEC(${column.codec ?? 'ZSTD(1)'})`;
}

/**
 * The table of single records. Rows lie by minute of arrival and exporter: a range of time touches few granules, and
 * the minmax indexes cut by flow time. Sorting by address too saves 0.2 bytes a row (of 25.4) and costs 7 % of the
 * insert and 25 % of every merge.
 *
 * Measured on a million records of 28 used columns (0.75 CPU-seconds, 25.6 bytes a row): columns at their default are
 * stored sparse by the engine itself and cost 0.16 CPU-seconds for 27 of them; LZ4 instead of ZSTD(1) saves nothing
 * and takes 41.5 bytes; LowCardinality for the exporter, compact parts and other block sizes change nothing.
 */
export function createRawTable(dialect: Dialect = ONE_SERVER): string {
  return `CREATE TABLE IF NOT EXISTS ${dialect.on(RAW_TABLE)} (
  ${STORED_COLUMNS.map(columnDefinition).join(',\n  ')},
  ${BATCH_COLUMN},
  INDEX ${BATCH_INDEX},
  INDEX start_range time_flow_start_ns TYPE minmax GRANULARITY 1,
  INDEX end_range time_flow_end_ns TYPE minmax GRANULARITY 1
) ENGINE = ${dialect.engine(RAW_TABLE, 'MergeTree')}
PARTITION BY toYYYYMMDD(time_received_ns)
ORDER BY (toStartOfMinute(time_received_ns), sampler_address)
SETTINGS ${dialect.deduplication}, ${DURABILITY}`;
}

/** Names that exporters gave to their interfaces, VRFs, applications and samplers; the latest counts. */
export function createNamesTable(dialect: Dialect = ONE_SERVER): string {
  return `CREATE TABLE IF NOT EXISTS ${dialect.on('names')} (
  exporter String,
  kind LowCardinality(String),
  id String,
  name String,
  description String,
  speed_bps UInt64,
  source LowCardinality(String),
  attributes String,
  updated DateTime64(3, 'UTC')
) ENGINE = ${dialect.engine('names', 'ReplacingMergeTree(updated)')}
ORDER BY (exporter, kind, id)`;
}
