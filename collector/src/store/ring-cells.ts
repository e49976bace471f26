import { RESOLUTIONS, RINGS, spreadSql, type Ring } from '@ringflow/contract';
import { STORED_COLUMNS } from './ddl.ts';
import type { Dialect } from './dialect.ts';
import { LONGEST_SPREAD_MS, MINUTE_MS, RING_COUNTERS, RING_KEYS } from './rings.ts';

const ALL_RINGS: readonly Ring[] = RINGS;
const [MINUTE] = RESOLUTIONS;
const KEYS = RING_KEYS.map(({ name }) => name);
const KEY_LIST = KEYS.join(', ');

const COUNTED = ['bytes', 'packets', 'sampling_rate', 'time_flow_start_ns', 'time_flow_end_ns'];

/** Columns of a record that its cells are made of; to read the others costs time. */
export const CELL_COLUMNS: readonly string[] = STORED_COLUMNS.map(({ name }) => name).filter(
  (name) => (KEYS as string[]).includes(name) || COUNTED.includes(name),
);

/** `INSERT` of the cells of records into the finest ring; `relation` has {@link CELL_COLUMNS}. */
export function insertCellsSql(relation: string, dialect: Dialect): string {
  return `INSERT INTO ${dialect.stored(MINUTE.table)} (ring, bucket, ${KEY_LIST}, ${RING_COUNTERS.join(', ')}) ${cellsSql(relation)}`;
}

/** Spreads each record over its minutes once, then sums by the keys of all rings at once. */
function cellsSql(relation: string): string {
  // grouping() has a bit for each key, from the left, that is set where the key is not part of the set.
  const ringByMask = ALL_RINGS.map(({ id, keys }) => [
    KEYS.reduce((mask, key) => mask * 2 + ((keys as readonly string[]).includes(key) ? 0 : 1), 0),
    id,
  ]);
  return `SELECT toUInt8(transform(grouping(${KEY_LIST}), [${ringByMask.map(([mask]) => mask).join(', ')}], [${ringByMask.map(([, id]) => id).join(', ')}], 0)) AS ring,
  bucket, ${KEY_LIST}, sum(b) AS bytes, sum(p) AS packets, sum(f) AS flows
FROM (${minutesSql(relation)})
GROUP BY GROUPING SETS (${ALL_RINGS.map(({ keys }) => `(bucket, ${keys.join(', ')})`).join(', ')})`;
}

/**
 * A row for each minute of each record. One select per step instead of names that build on names: the engine copies what a
 * name stands for at each use. ARRAY JOIN gives a block at a time, where the function arrayJoin() has all minutes at once.
 */
function minutesSql(relation: string): string {
  return `SELECT ${KEY_LIST}, toDateTime(k * ${MINUTE.seconds}, 'UTC') AS bucket,
    ${spreadSql('all_bytes', 's', 'e', 'k0', 'k1')} AS b,
    ${spreadSql('all_packets', 's', 'e', 'k0', 'k1')} AS p,
    toUInt64(intDiv(e, ${MINUTE_MS}) = k) AS f
  FROM (SELECT ${KEY_LIST}, s, e, all_bytes, all_packets, k, toInt64(k) * ${MINUTE_MS} AS k0, (toInt64(k) + 1) * ${MINUTE_MS} AS k1
  FROM (SELECT ${KEY_LIST}, greatest(start, end - ${LONGEST_SPREAD_MS}) AS s, greatest(start, end) AS e, all_bytes, all_packets
  FROM (SELECT ${KEY_LIST}, bytes * greatest(sampling_rate, 1) AS all_bytes, packets * greatest(sampling_rate, 1) AS all_packets,
    toUnixTimestamp64Milli(time_flow_start_ns) AS start, toUnixTimestamp64Milli(time_flow_end_ns) AS end
  FROM ${relation}))
  ARRAY JOIN range(toUInt32(intDiv(s, ${MINUTE_MS})), toUInt32(intDiv(e, ${MINUTE_MS})) + 1) AS k)`;
}
