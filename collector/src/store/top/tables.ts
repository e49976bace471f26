import { CLICKHOUSE_TYPES, COLUMNS, TOP_LISTS, TOP_RESOLUTIONS, type Column, type TopList } from '@ringflow/contract';
import { DURABILITY } from '../ddl.ts';
import { ONE_SERVER, type Dialect } from '../dialect.ts';

const ALL_LISTS: readonly TopList[] = TOP_LISTS;

/** Every column that is a key of some top list, in registry order; some are derived from stored ones. */
export const TOP_KEYS: readonly Column[] = (COLUMNS as readonly Column[]).filter((column) =>
  ALL_LISTS.some((list) => (list.keys as readonly string[]).includes(column.name)),
);

/** What is summed up in each row of a top list. */
export const TOP_COUNTERS = ['bytes', 'packets', 'flows'] as const;

/**
 * On rows with `other` = 1: the most that one of what the list is a list of (`of` of a {@link TopList}: an address, a port)
 * has in rows that were not kept by name. Summed over a window's buckets and exporters, it bounds what any of them lacks
 * in the named rows.
 */
export const TOP_FLOORS = ['floor_bytes', 'floor_packets', 'floor_flows'] as const;

/** Tables of the top lists, finest first: what retention and the status page have to know. */
export const TOP_TABLES: readonly string[] = TOP_RESOLUTIONS.map(({ table }) => table);

/** A key column of a top list as CREATE TABLE and ALTER TABLE take it. */
export function topKeyDefinition(column: Column): string {
  return `${column.name} ${CLICKHOUSE_TYPES[column.type]} CODEC(ZSTD(1))`;
}

/** Keys that say what the rows of a bucket are of; the rest is what they are about. */
const SCOPE = ['sampler_address', 'dup', 'other', 'loader'];
const REST = TOP_KEYS.map(({ name }) => name).filter((name) => !SCOPE.includes(name));

/** Sorting key of the top lists; new keys go to its end. */
export const TOP_ORDER = ['list', 'bucket', ...SCOPE, ...REST].join(', ');

/**
 * All top lists of one resolution. `list` says which, keys that it does not have are at their default. Of each (list,
 * bucket, exporter, dup, loader) the largest rows are named and the rest is one row with `other` = 1 and its keys at
 * their default, so the sums of a list are those of the records. `loader` is the collector that stored the records
 * (batches.ts): each one makes its own rows, so that several can share a server.
 */
export function createTopTable(
  { table, seconds }: { readonly table: string; readonly seconds: number },
  dialect: Dialect = ONE_SERVER,
): string {
  const value = (name: string) => `${name} SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1))`;
  return `CREATE TABLE IF NOT EXISTS ${dialect.on(table)} (
  list UInt8,
  bucket DateTime('UTC') CODEC(Delta, ZSTD(1)),
  other UInt8 CODEC(ZSTD(1)),
  loader UInt32 CODEC(ZSTD(1)),
  ${TOP_KEYS.map(topKeyDefinition).join(',\n  ')},
  ${[...TOP_COUNTERS, ...TOP_FLOORS].map(value).join(',\n  ')}
) ENGINE = ${dialect.engine(table, 'AggregatingMergeTree')}
PARTITION BY ${seconds < 3600 ? 'toYYYYMMDD(bucket)' : 'toYYYYMM(bucket)'}
PRIMARY KEY (list, bucket, sampler_address)
ORDER BY (${TOP_ORDER})
SETTINGS ${dialect.deduplication}, ${DURABILITY}`;
}

/** Name of the table that says how far each loader has consolidated. */
export const TOP_STATE = 'top_state';

/**
 * How far each loader is: the batch that it stamps its rows with (`opened_epoch`), the last one that is in the top lists
 * (`consolidated_epoch`), and up to which hour and day `top_1h` and `top_1d` are whole. Records of a batch that come
 * later than that are put into the coarser lists with their batch. What was begun and is not finished is repeated
 * first (consolidate.ts). Rows only ever raise these values.
 */
export function createTopState(dialect: Dialect = ONE_SERVER): string {
  const epoch = (name: string) => `${name} SimpleAggregateFunction(max, UInt32)`;
  const time = (name: string) => `${name} SimpleAggregateFunction(max, DateTime('UTC'))`;
  return `CREATE TABLE IF NOT EXISTS ${dialect.on(TOP_STATE)} (
  loader UInt32,
  ${['opened_epoch', 'begun_epoch', 'consolidated_epoch'].map(epoch).join(',\n  ')},
  ${['begun_hour', 'consolidated_hour', 'begun_day', 'consolidated_day'].map(time).join(',\n  ')},
  seen SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
) ENGINE = ${dialect.engine(TOP_STATE, 'AggregatingMergeTree')}
ORDER BY loader
SETTINGS ${DURABILITY}`;
}

/**
 * Batches whose rows are in the raw table only: open ones, closed ones that wait, and 0, which rows have that were stored
 * before there were top lists. `batch IN (SELECT batch FROM top_open)` is what a query has to add to a top list.
 */
export const TOP_OPEN = 'top_open';

export function createTopOpen(dialect: Dialect = ONE_SERVER): string {
  return `CREATE VIEW IF NOT EXISTS ${dialect.on(TOP_OPEN)} AS
SELECT arrayJoin(if(loader = 0, [toUInt64(0)], arrayMap(epoch -> bitShiftLeft(toUInt64(loader), 32) + epoch, range(consolidated + 1, opened + 1)))) AS batch
FROM (
  SELECT loader, max(opened_epoch) AS opened, max(consolidated_epoch) AS consolidated FROM ${TOP_STATE} GROUP BY loader
  UNION ALL SELECT toUInt32(0), toUInt32(0), toUInt32(0)
)`;
}
