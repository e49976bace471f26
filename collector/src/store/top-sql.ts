import {
  CLICKHOUSE_TYPES,
  COLUMNS,
  spreadSql,
  storedColumns,
  TOP_LISTS,
  type Column,
  type ColumnName,
  type TopList,
} from '@ringflow/contract';
import { RAW_TABLE } from './ddl.ts';
import { LONGEST_SPREAD_MS } from './rings.ts';
import { TOP_COUNTERS, TOP_FLOORS } from './top-tables.ts';

/**
 * The statements that make top lists out of a batch of records. Keys are compared by 64-bit hashes: grouping by the keys
 * themselves costs three times as much, as they fit no key of fixed size, and spreading the records anew for each list
 * another 0.13 CPU-seconds per million records and list (measured in docs/benchmarks.md). Were two keys of a batch to
 * have the same hash, which happens to one batch in ten million, they would count as one; the sums stay exact.
 */

/** All top lists, in the order in which they are made. */
export const ALL_LISTS: readonly TopList[] = TOP_LISTS;
const BY_NAME: ReadonlyMap<string, Column> = new Map(COLUMNS.map((column) => [column.name, column]));

/** What a list is made for, besides the bucket: each exporter, and duplicates apart. */
const SCOPE: readonly string[] = ['sampler_address', 'dup'];

/** Keys of a list without those that say what it is made for. */
function ownKeys(list: TopList): ColumnName[] {
  return list.keys.filter((key) => !SCOPE.includes(key));
}

/** Keys of a list whose values are compared. */
function comparedKeys(list: TopList): ColumnName[] {
  const follows: readonly string[] = list.follows ?? [];
  return ownKeys(list).filter((key) => !follows.includes(key));
}

/** SQL of a key out of stored columns. */
function keySql(name: ColumnName): string {
  return BY_NAME.get(name)?.derived ?? name;
}

/** Stored columns that keys are computed from. */
function storedOf(keys: readonly ColumnName[]): ColumnName[] {
  return [...new Set(keys.flatMap((key) => storedColumns(key)))];
}

/** Columns that tell records apart, for all lists together. */
const COMPARED = storedOf(ALL_LISTS.flatMap(comparedKeys));
/** Columns that the named rows of all lists take from one of their records. */
const FETCHED = storedOf(ALL_LISTS.flatMap(ownKeys));

/** Records with the same hash have the same keys in every list, apart from keys that follow from others. */
const RECORD_HASH = `cityHash64(${[...SCOPE, ...COMPARED].join(', ')})`;

/** Upper half: what the list is a list of; lower half: all keys. */
function hashSql(list: TopList): string {
  const of = `cityHash64(scope, ${list.of.map(keySql).join(', ')})`;
  const all = `cityHash64(scope, ${comparedKeys(list).map(keySql).join(', ')})`;
  return `bitOr(bitAnd(${of}, 18446744069414584320), bitShiftRight(${all}, 32))`;
}

/** Tables that a run works in; they are in memory. */
export interface TopScratch {
  /** The batch's records, spread over buckets, with the hash of their keys for each list. */
  readonly spread: string;
  /** Bucket, exporter and `dup` of each scope. */
  readonly scopes: string;
  /** The rows of the lists, the named ones with their hash and that of one of their records. */
  readonly kept: string;
  /** The most that is left out, by list and scope. */
  readonly floors: string;
  /** Those records. */
  readonly records: string;
}

export function topScratch(loader: number, table: string): TopScratch {
  const name = (what: string) => `scratch_${loader}_${table}_${what}`;
  return {
    spread: name('spread'),
    scopes: name('scopes'),
    kept: name('kept'),
    floors: name('floors'),
    records: name('records'),
  };
}

/** Makes the scratch tables, or makes them empty. */
export function createScratch(scratch: TopScratch): string[] {
  const counters = (names: readonly string[]) => names.map((name) => `${name} UInt64`).join(', ');
  const hashes = ALL_LISTS.map(({ id }) => `h${id}`);
  const fetched = FETCHED.map((name) => `${name} ${CLICKHOUSE_TYPES[(BY_NAME.get(name) as Column).type]}`);
  return [
    ...dropScratch(scratch),
    `CREATE TABLE ${scratch.spread} (${counters(['scope', 'b', 'p', 'f', 'record', ...hashes])}, bucket DateTime('UTC'), sampler_address IPv6, dup UInt8) ENGINE = Memory`,
    `CREATE TABLE ${scratch.scopes} (scope UInt64, bucket DateTime('UTC'), sampler_address IPv6, dup UInt8) ENGINE = Memory`,
    `CREATE TABLE ${scratch.kept} (list UInt8, ${counters(['scope', 'hash', 'record', ...TOP_COUNTERS])}, other UInt8) ENGINE = Memory`,
    `CREATE TABLE ${scratch.floors} (list UInt8, ${counters(['scope', ...TOP_FLOORS])}) ENGINE = Memory`,
    `CREATE TABLE ${scratch.records} (record UInt64, ${fetched.join(', ')}) ENGINE = Memory`,
  ];
}

export function dropScratch({ spread, scopes, kept, floors, records }: TopScratch): string[] {
  return [spread, scopes, kept, floors, records].map((table) => `DROP TABLE IF EXISTS ${table} SYNC`);
}

/**
 * Spreads the records of `{batch:UInt64}` over buckets of `seconds` by the rule of the rings, as far as the buckets begin
 * before `{until:UInt64}` (seconds since the epoch).
 */
export function spreadBatchSql({ spread }: TopScratch, seconds: number): string {
  const stepMs = seconds * 1000;
  const own = [...SCOPE, ...COMPARED].join(', ');
  const hashes = ALL_LISTS.map((list) => `${hashSql(list)} AS h${list.id}`);
  return `INSERT INTO ${spread} (scope, b, p, f, record, ${ALL_LISTS.map(({ id }) => `h${id}`).join(', ')}, bucket, ${SCOPE.join(', ')})
SELECT cityHash64(k, ${SCOPE.join(', ')}) AS scope,
  ${spreadSql('all_bytes', 's', 'e', 'k0', 'k1')} AS b,
  ${spreadSql('all_packets', 's', 'e', 'k0', 'k1')} AS p,
  toUInt64(intDiv(e, ${stepMs}) = k) AS f,
  ${RECORD_HASH} AS record,
  ${hashes.join(',\n  ')},
  toDateTime(k * ${seconds}, 'UTC') AS bucket, ${SCOPE.join(', ')}
FROM (SELECT ${own}, s, e, all_bytes, all_packets, k, toInt64(k) * ${stepMs} AS k0, (toInt64(k) + 1) * ${stepMs} AS k1
FROM (SELECT ${own}, s, e, all_bytes, all_packets, arrayJoin(range(toUInt32(intDiv(s, ${stepMs})), least(toUInt32(intDiv(e, ${stepMs})) + 1, intDiv({until:UInt64}, ${seconds})))) AS k
FROM (SELECT ${own}, greatest(start, end - ${LONGEST_SPREAD_MS}) AS s, greatest(start, end) AS e, all_bytes, all_packets
FROM (SELECT ${own}, bytes * greatest(sampling_rate, 1) AS all_bytes, packets * greatest(sampling_rate, 1) AS all_packets,
  toUnixTimestamp64Milli(time_flow_start_ns) AS start, toUnixTimestamp64Milli(time_flow_end_ns) AS end
FROM ${RAW_TABLE} WHERE batch = {batch:UInt64}))))`;
}

export function scopesSql({ spread, scopes }: TopScratch): string {
  return `INSERT INTO ${scopes} (scope, bucket, ${SCOPE.join(', ')})
SELECT scope, any(bucket), ${SCOPE.map((name) => `any(${name})`).join(', ')} FROM ${spread} GROUP BY scope`;
}

/** Packets and flows count a quarter against bytes when rows compete for a place. */
const WEIGHTS: Readonly<Record<(typeof TOP_COUNTERS)[number], number>> = { bytes: 1, packets: 0.25, flows: 0.25 };

/**
 * SQL of a row's rank within its scope: its largest share of the scope's bytes, packets (a flood of tiny ones must not
 * vanish) or flow records in the upper 32 bits, and its hash in the lower, so that no two rows are equal and a repetition
 * keeps the same rows. As shares add up to 1, every row above 1.5 ÷ `store.top_k` of the bytes is kept.
 */
function rankSql(counters: readonly string[], totals: readonly string[], hash: string): string {
  const shares = TOP_COUNTERS.map(
    (name, index) => `${counters[index]} / greatest(${totals[index]}, 1) * ${WEIGHTS[name]}`,
  );
  return `bitOr(bitShiftLeft(toUInt64(greatest(${shares.join(', ')}) * 4294967295), 32), bitAnd(${hash}, 4294967295))`;
}

/** Makes one list: in each scope the `{k:UInt32}` rows of the highest rank, and one of the rest. */
export function keepSql({ spread, kept }: TopScratch, list: TopList): string {
  const hash = `h${list.id}`;
  const each = ['b', 'p', 'f'] as const;
  const rows = (name: string) => `arrayFilter((value, rank) -> rank > least_rank, ${name}s, ranks)`;
  return `INSERT INTO ${kept} (list, scope, other, hash, record, ${TOP_COUNTERS.join(', ')})
SELECT ${list.id}, scope, other, hash, record, b, p, f
FROM (
  SELECT scope, ${each.map((name) => `arrayPushBack(kept_${name}, toUInt64(all_${name} - arraySum(kept_${name}))) AS row_${name}`).join(', ')},
    arrayPushBack(kept_r, toUInt64(0)) AS row_r, arrayPushBack(kept_h, toUInt64(0)) AS row_h, arrayPushBack(arrayMap(row -> 0, kept_r), 1) AS row_other
  FROM (
    SELECT scope, ${each.map((name) => `all_${name}`).join(', ')}, ${[...each, 'r', 'h'].map((name) => `${rows(name)} AS kept_${name}`).join(', ')}
    FROM (
      SELECT *, arrayPartialReverseSort({k:UInt32} + 1, ranks)[{k:UInt32} + 1] AS least_rank
      FROM (
        SELECT *, arrayMap((b, p, f, h) -> ${rankSql(
          each,
          each.map((name) => `all_${name}`),
          'h',
        )}, bs, ps, fs, hs) AS ranks
        FROM (
          SELECT scope, ${each.map((name) => `groupArray(g_${name}) AS ${name}s, sum(g_${name}) AS all_${name}`).join(', ')}, groupArray(h) AS hs, groupArray(r) AS rs
          FROM (SELECT any(scope) AS scope, ${hash} AS h, any(record) AS r, ${each.map((name) => `sum(${name}) AS g_${name}`).join(', ')} FROM ${spread} GROUP BY ${hash})
          GROUP BY scope
        )
      )
    )
  )
) ARRAY JOIN row_b AS b, row_p AS p, row_f AS f, row_h AS hash, row_r AS record, row_other AS other
WHERE NOT other OR b + p + f > 0`;
}

/** Says of one list what is the most that is left out. */
export function floorsSql({ spread, kept, floors }: TopScratch, list: TopList): string {
  const hash = `h${list.id}`;
  return `INSERT INTO ${floors} (list, scope, ${TOP_FLOORS.join(', ')})
SELECT ${list.id}, scope, max(sum_b), max(sum_p), max(sum_f)
FROM (SELECT scope, sum(b) AS sum_b, sum(p) AS sum_p, sum(f) AS sum_f FROM ${spread} WHERE ${hash} NOT IN (SELECT hash FROM ${kept} WHERE list = ${list.id}) GROUP BY scope, bitShiftRight(${hash}, 32))
GROUP BY scope`;
}

/** Finds a record for each named row. */
export function fetchSql({ kept, records }: TopScratch): string {
  return `INSERT INTO ${records} (record, ${FETCHED.join(', ')})
SELECT ${RECORD_HASH} AS record, ${FETCHED.join(', ')} FROM ${RAW_TABLE}
WHERE batch = {batch:UInt64} AND record IN (SELECT record FROM ${kept} WHERE NOT other) LIMIT 1 BY record`;
}

/** Puts one list into its table. */
export function insertListSql({ scopes, kept, floors, records }: TopScratch, list: TopList, table: string): string {
  const keys = ownKeys(list);
  return `INSERT INTO ${table} (list, bucket, other, loader, ${[...SCOPE, ...keys, ...TOP_COUNTERS, ...TOP_FLOORS].join(', ')})
SELECT list, bucket, other, {loader:UInt32}, ${[...SCOPE, ...keys.map(keySql), ...TOP_COUNTERS, ...TOP_FLOORS.map((name) => `other * ${name}`)].join(', ')}
FROM (SELECT * FROM ${kept} WHERE list = ${list.id}) AS kept INNER JOIN ${scopes} AS scopes ON kept.scope = scopes.scope LEFT JOIN (SELECT scope, ${TOP_FLOORS.join(', ')} FROM ${floors} WHERE list = ${list.id}) AS floors ON kept.scope = floors.scope LEFT JOIN ${records} AS records ON kept.record = records.record`;
}

/**
 * Makes one list of a coarser table out of the finer one's, for buckets from `{from:UInt32}` to `{to:UInt32}` (seconds since
 * the epoch): what is named is summed and ranked again, what the finer lists had not named stays unnamed. A key that the
 * finer lists named in one bucket and not in another lacks at most the floors of the latter, so floors add up.
 */
export function foldListSql(list: TopList, source: string, target: string, seconds: number): string {
  const keys = ownKeys(list);
  const compared = comparedKeys(list);
  const follows = keys.filter((key) => !compared.includes(key));
  const counters = TOP_COUNTERS.map((_, index) => `c${index}`);
  const scope = ['at', ...SCOPE].join(', ');
  return `INSERT INTO ${target} (list, bucket, other, loader, ${[...SCOPE, ...keys, ...TOP_COUNTERS, ...TOP_FLOORS].join(', ')})
SELECT ${list.id}, at, folded, {loader:UInt32}, ${SCOPE.join(', ')}, ${keys.map((key) => `if(folded, defaultValueOfArgumentType(any(key_${key})), any(key_${key}))`).join(', ')},
  ${counters.map((name) => `sum(${name})`).join(', ')}, ${counters.map((name, index) => `sum(f${index}) + max(left_${name})`).join(', ')}
FROM (
  SELECT *, ${counters.map((name) => `if(folded AND NOT other, sum(if(folded AND NOT other, ${name}, 0)) OVER (PARTITION BY ${scope}, of), 0) AS left_${name}`).join(', ')}
  FROM (
  SELECT *, toUInt8(other OR row_number() OVER (PARTITION BY ${scope} ORDER BY other, rank DESC) > {k:UInt32}) AS folded
  FROM (
    SELECT *, ${rankSql(
      counters,
      counters.map((name) => `sum(${name}) OVER (PARTITION BY ${scope})`),
      'h',
    )} AS rank
    FROM (
      SELECT toStartOfInterval(bucket, INTERVAL ${seconds} SECOND, 'UTC') AS at, ${SCOPE.join(', ')}, other, ${compared.map((key) => `${key} AS key_${key}`).join(', ')}, ${[...follows.map((key) => `any(${key}) AS key_${key}`), ...TOP_COUNTERS.map((name, index) => `sum(${name}) AS c${index}`), ...TOP_FLOORS.map((name, index) => `sum(${name}) AS f${index}`)].join(', ')},
        cityHash64(${compared.map((key) => `key_${key}`).join(', ')}) AS h, cityHash64(${list.of.map((key) => `key_${key}`).join(', ')}) AS of
      FROM ${source}
      WHERE list = ${list.id} AND loader = {loader:UInt32} AND bucket >= toDateTime({from:UInt32}, 'UTC') AND bucket < toDateTime({to:UInt32}, 'UTC')
      GROUP BY at, ${SCOPE.join(', ')}, other, ${compared.map((key) => `key_${key}`).join(', ')}
    )
  ))
)
GROUP BY ${scope}, folded, if(folded, 0, h)`;
}
