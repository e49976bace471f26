import { CLICKHOUSE_TYPES, RESOLUTIONS, RINGS, type Column, type Ring } from '@ringflow/contract';
import { DURABILITY, STORED_COLUMNS } from './ddl.ts';
import { ONE_SERVER, type Dialect } from './dialect.ts';

const ALL_RINGS: readonly Ring[] = RINGS;

/** Every column that is a key of some ring, in registry order. */
export const RING_KEYS: readonly Column[] = STORED_COLUMNS.filter(({ name }) =>
  ALL_RINGS.some(({ keys }) => (keys as readonly string[]).includes(name)),
);

const KEY_LIST = RING_KEYS.map((column) => column.name).join(', ');

/** A key column of a ring table as CREATE TABLE and ALTER TABLE take it. */
export function ringKeyDefinition(column: Column): string {
  return `${column.name} ${CLICKHOUSE_TYPES[column.type]} CODEC(ZSTD(1))`;
}

/** What is summed up in each cell of a ring. */
export const RING_COUNTERS = ['bytes', 'packets', 'flows'] as const;

/** The same of the cell's busiest whole minute (peaks.ts); a minute is its own peak, so 0 in the finest table. */
export const RING_PEAKS = ['peak_bytes', 'peak_packets', 'peak_flows'] as const;

/** A value of the ring tables that is not a key, as CREATE TABLE and ALTER TABLE take it. */
function valueDefinition(name: string): string {
  const how = name.startsWith('peak_') ? 'max' : 'sum';
  return `${name} SimpleAggregateFunction(${how}, UInt64) CODEC(T64, ZSTD(1))`;
}

/** Columns of the peaks, as ALTER TABLE takes them. */
export const PEAK_COLUMNS = RING_PEAKS.map((name) => ({ name, definition: valueDefinition(name) }));

/**
 * All rings of one resolution: `ring` says which, keys that it does not have are at their default. What retention drops
 * at a time is a partition: a day of minutes and of 5 minutes, a month of hours, a year of days.
 */
export function createRingTable(
  { table, seconds }: { readonly table: string; readonly seconds: number },
  dialect: Dialect = ONE_SERVER,
): string {
  return `CREATE TABLE IF NOT EXISTS ${dialect.on(table)} (
  ring UInt8,
  bucket DateTime('UTC') CODEC(Delta, ZSTD(1)),
  ${RING_KEYS.map(ringKeyDefinition).join(',\n  ')},
  ${[...RING_COUNTERS, ...RING_PEAKS].map(valueDefinition).join(',\n  ')}
) ENGINE = ${dialect.engine(table, 'AggregatingMergeTree')}
PARTITION BY ${bucketPartition(seconds)}
ORDER BY (${RING_ORDER})
SETTINGS ${dialect.deduplication}, ${DURABILITY}`;
}

/** Partition of a table of buckets of this length; retention.ts reads the id back. */
export function bucketPartition(seconds: number): string {
  if (seconds < 3600) return 'toYYYYMMDD(bucket)';
  return seconds < 86_400 ? 'toYYYYMM(bucket)' : 'toYear(bucket)';
}

/** Sorting key of the ring tables; new keys go to its end. */
export const RING_ORDER = `ring, bucket, ${KEY_LIST}`;

const [MINUTE, ...COARSER] = RESOLUTIONS;

/** A bucket of the finest ring. */
export const MINUTE_MS = MINUTE.seconds * 1000;

/** Two days: decoders allow one (C04). A time that went wrong must not become millions of buckets (X07). */
export const LONGEST_SPREAD_MS = 172_800_000;

/** A view and the statement that makes it. */
export interface ViewDefinition {
  readonly name: string;
  readonly select: string;
  readonly create: string;
}

/**
 * The views that fill the coarser rings, finest first, each by the inserts into the finer one. Killed in mid-insert and
 * replayed, the cascade ends with the same sums (exactly-once.test.ts) and costs little, because it reads sums.
 */
export function ringViews(dialect: Dialect = ONE_SERVER): ViewDefinition[] {
  let source: string = MINUTE.table;
  return COARSER.map(({ table, seconds }) => {
    const definition = view(table, fillCoarserSql(source, seconds, dialect), dialect);
    source = table;
    return definition;
  });
}

function view(table: string, select: string, dialect: Dialect): ViewDefinition {
  const name = `fill_${table}`;
  return {
    name,
    select,
    create: `CREATE MATERIALIZED VIEW IF NOT EXISTS ${dialect.on(name)} TO ${dialect.stored(table)} AS ${select}`,
  };
}

/** Peaks are put into the first coarser table (peaks.ts) and go on from there. */
function fillCoarserSql(source: string, seconds: number, dialect: Dialect): string {
  const values = [
    ...RING_COUNTERS.map((name) => `sum(${name}) AS ${name}`),
    ...(source === MINUTE.table ? [] : RING_PEAKS.map((name) => `max(${name}) AS ${name}`)),
  ];
  return `SELECT ring, toStartOfInterval(bucket, INTERVAL ${seconds} SECOND, 'UTC') AS bucket, ${KEY_LIST}, ${values.join(', ')}
FROM ${dialect.stored(source)}
GROUP BY ring, bucket, ${KEY_LIST}`;
}
