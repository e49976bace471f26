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

/** Hashes of the columns that take longest to be hashed and are in most lists: once for all of them. */
const HASHED: Readonly<Record<string, string>> = { src_addr: 'src_hash', dst_addr: 'dst_hash' };
const HASHES = Object.entries(HASHED).map(([name, hash]) => `cityHash64(${name}) AS ${hash}`);

/** SQL of a value that is equal where the key is. */
function comparedSql(name: ColumnName): string {
  return HASHED[name] ?? keySql(name);
}

/** Records with the same hash have the same keys in every list, apart from keys that follow from others. */
const RECORD_HASH = `cityHash64(${[...SCOPE, ...COMPARED.map(comparedSql)].join(', ')})`;

/** Upper half: what the list is a list of; lower half: all keys. */
function hashSql(list: TopList): string {
  const of = `cityHash64(scope, ${list.of.map(comparedSql).join(', ')})`;
  const all = `cityHash64(scope, ${comparedKeys(list).map(comparedSql).join(', ')})`;
  return `bitOr(bitAnd(${of}, 18446744069414584320), bitShiftRight(${all}, 32))`;
}

/** Tables that a run works in; they are in memory. */
export interface TopScratch {
  /** The batch's records, spread over buckets, with the hash of their keys for each list. */
  readonly spread: string;
  /** Bucket, exporter and `dup` of each scope. */
  readonly scopes: string;
  /** Of the list in hand: sums by scope and the first {@link CELL_BITS} bits of the hash. */
  readonly cells: string;
  /** Of the list in hand: the heaviest cells of each scope. */
  readonly chosen: string;
  /** Of the list in hand: sums by hash of what is in chosen cells. */
  readonly groups: string;
  /** The rows of the lists, the named ones with their hash and that of one of their records. */
  readonly kept: string;
  /** The most that is left out, by list and scope. */
  readonly floors: string;
  /** Those records. */
  readonly records: string;
}

const SCRATCH = ['spread', 'scopes', 'cells', 'chosen', 'groups', 'kept', 'floors', 'records'] as const;

export function topScratch(loader: number, table: string): TopScratch {
  return Object.fromEntries(SCRATCH.map((what) => [what, `scratch_${loader}_${table}_${what}`])) as Record<
    (typeof SCRATCH)[number],
    string
  >;
}

/** Makes the scratch tables, or makes them empty. */
export function createScratch(scratch: TopScratch): string[] {
  const counters = (names: readonly string[]) => names.map((name) => `${name} UInt64`).join(', ');
  const hashes = ALL_LISTS.map(({ id }) => `h${id}`);
  const fetched = FETCHED.map((name) => `${name} ${CLICKHOUSE_TYPES[(BY_NAME.get(name) as Column).type]}`);
  const columns: Readonly<Record<keyof TopScratch, string>> = {
    spread: `${counters(['scope', 'b', 'p', 'f', 'record', ...hashes])}, bucket DateTime('UTC'), sampler_address IPv6, dup UInt8`,
    scopes: `scope UInt64, bucket DateTime('UTC'), sampler_address IPv6, dup UInt8`,
    cells: counters(['scope', 'cell', ...SUMS]),
    chosen: counters(['cell']),
    groups: counters(['scope', 'hash', 'record', ...SUMS]),
    kept: `list UInt8, ${counters(['scope', 'hash', 'record', ...TOP_COUNTERS])}, other UInt8`,
    floors: `list UInt8, ${counters(['scope', ...TOP_FLOORS])}`,
    records: `record UInt64, ${fetched.join(', ')}`,
  };
  // A million records take 140 MB as they are and 58 MB compressed (LZ4), for 3 % more time (measured).
  const settings = (what: keyof TopScratch): string => (what === 'spread' ? ' SETTINGS compress = 1' : '');
  return [
    ...dropScratch(scratch),
    ...SCRATCH.map((what) => `CREATE TABLE ${scratch[what]} (${columns[what]}) ENGINE = Memory${settings(what)}`),
  ];
}

export function dropScratch(scratch: TopScratch): string[] {
  return SCRATCH.map((what) => `DROP TABLE IF EXISTS ${scratch[what]} SYNC`);
}

/** Columns of what is summed up, in the order of {@link TOP_COUNTERS}. */
const SUMS = ['b', 'p', 'f'] as const;

/**
 * Spreads the records of `{batch:UInt64}` over buckets of `seconds` by the rule of the rings, as far as the buckets begin
 * before `{until:UInt64}` (seconds since the epoch).
 */
export function spreadBatchSql({ spread }: TopScratch, seconds: number): string {
  const stepMs = seconds * 1000;
  const own = [...SCOPE, ...COMPARED].join(', ');
  const passed = [own, ...Object.values(HASHED)].join(', ');
  const hashes = ALL_LISTS.map((list) => `${hashSql(list)} AS h${list.id}`);
  return `INSERT INTO ${spread} (scope, b, p, f, record, ${ALL_LISTS.map(({ id }) => `h${id}`).join(', ')}, bucket, ${SCOPE.join(', ')})
SELECT cityHash64(k, ${SCOPE.join(', ')}) AS scope,
  ${spreadSql('all_bytes', 's', 'e', 'k0', 'k1')} AS b,
  ${spreadSql('all_packets', 's', 'e', 'k0', 'k1')} AS p,
  toUInt64(intDiv(e, ${stepMs}) = k) AS f,
  ${RECORD_HASH} AS record,
  ${hashes.join(',\n  ')},
  toDateTime(k * ${seconds}, 'UTC') AS bucket, ${SCOPE.join(', ')}
FROM (SELECT ${passed}, s, e, all_bytes, all_packets, k, toInt64(k) * ${stepMs} AS k0, (toInt64(k) + 1) * ${stepMs} AS k1
FROM (SELECT ${passed}, s, e, all_bytes, all_packets, arrayJoin(range(toUInt32(intDiv(s, ${stepMs})), least(toUInt32(intDiv(e, ${stepMs})) + 1, intDiv({until:UInt64}, ${seconds})))) AS k
FROM (SELECT ${passed}, greatest(start, end - ${LONGEST_SPREAD_MS}) AS s, greatest(start, end) AS e, all_bytes, all_packets
FROM (SELECT ${[own, ...HASHES].join(', ')}, bytes * greatest(sampling_rate, 1) AS all_bytes, packets * greatest(sampling_rate, 1) AS all_packets,
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

/**
 * Cells of a scope: no key has more than its cell, so only what lies in the heaviest cells has to be grouped by its keys. A
 * million records of a million conversations are grouped in 140 ms, by cells in 25 ms, and by keys in the chosen
 * cells in 60 ms.
 */
const CELL_BITS = 15;

/**
 * So many cells of a scope are chosen for each row that is named. The ranks of a scope add up to 1.5 at most, so no key of
 * another cell has a rank above 1.5 ÷ (4 × K).
 */
const CELLS_PER_ROW = 4;

/** The cell of a row: that of its `of`, which is the upper half of the hash, so that nothing of one lies in two cells. */
function cellSql(hash: string): string {
  return `bitXor(scope, bitShiftRight(${hash}, ${64 - CELL_BITS}))`;
}

/** SQL of the rows, in arrays by scope, that have one of the `limit` highest ranks; `totals` are sums of the scope. */
function highestSql(source: string, hash: string, others: readonly string[], limit: string, totals: string): string {
  const columns = [hash, ...others, ...SUMS];
  const [h, ...sums] = [hash, ...SUMS].map((name) => `${name}_s`) as [string, ...string[]];
  const all = SUMS.map((name) => `all_${name}`);
  return `SELECT scope, ${all.join(', ')}, ${columns.map((name) => `arrayFilter((value, rank) -> rank > least_rank, ${name}_s, ranks) AS kept_${name}`).join(', ')}
    FROM (
      SELECT *, arrayPartialReverseSort(${limit} + 1, ranks)[${limit} + 1] AS least_rank
      FROM (
        SELECT *, arrayMap((b, p, f, h) -> ${rankSql(SUMS, all, 'h')}, ${sums.join(', ')}, ${h}) AS ranks
        FROM (SELECT scope, ${columns.map((name) => `groupArray(${name}) AS ${name}_s`).join(', ')} FROM ${source} GROUP BY scope) AS arrays
        INNER JOIN (${totals}) AS totals ON arrays.scope = totals.scope
      )
    )`;
}

/** Sums of each scope, out of its cells. */
function totalsSql({ cells }: TopScratch): string {
  return `SELECT scope, ${SUMS.map((name) => `sum(${name}) AS all_${name}`).join(', ')} FROM ${cells} GROUP BY scope`;
}

/**
 * Makes one list: in each scope the `{k:UInt32}` rows of the highest rank, and one of the rest; and says what is the most that
 * is left out. Statements that follow each other.
 */
export function makeListSql(scratch: TopScratch, list: TopList): string[] {
  const { spread, cells, chosen, groups, kept, floors } = scratch;
  const hash = `h${list.id}`;
  const cell = cellSql(hash);
  const sums = SUMS.map((name) => `sum(${name}) AS sum_${name}`).join(', ');
  return [
    ...[cells, chosen, groups].map((table) => `TRUNCATE TABLE ${table}`),
    `INSERT INTO ${cells} (cell, scope, ${SUMS.join(', ')}) SELECT ${cell} AS at, any(scope), ${sums} FROM ${spread} GROUP BY at`,
    `INSERT INTO ${chosen} (cell) SELECT arrayJoin(kept_cell) FROM (${highestSql(cells, 'cell', [], `{k:UInt32} * ${CELLS_PER_ROW}`, totalsSql(scratch))})`,
    `INSERT INTO ${groups} (hash, scope, record, ${SUMS.join(', ')}) SELECT ${hash}, any(scope), any(record), ${sums} FROM ${spread} WHERE ${cell} IN (SELECT cell FROM ${chosen}) GROUP BY ${hash}`,
    `INSERT INTO ${kept} (list, scope, other, hash, record, ${TOP_COUNTERS.join(', ')})
SELECT ${list.id}, scope, other, hash, record, b, p, f
FROM (
  SELECT scope, ${SUMS.map((name) => `arrayPushBack(kept_${name}, toUInt64(all_${name} - arraySum(kept_${name}))) AS row_${name}`).join(', ')},
    ${['hash', 'record'].map((name) => `arrayPushBack(kept_${name}, toUInt64(0)) AS row_${name}`).join(', ')}, arrayPushBack(arrayMap(row -> 0, kept_hash), 1) AS row_other
  FROM (${highestSql(groups, 'hash', ['record'], '{k:UInt32}', totalsSql(scratch))})
) ARRAY JOIN row_b AS b, row_p AS p, row_f AS f, row_hash AS hash, row_record AS record, row_other AS other
WHERE NOT other OR b + p + f > 0`,
    // Of a cell that was not chosen it is not known which keys are in it: all of it may be one.
    `INSERT INTO ${floors} (list, scope, ${TOP_FLOORS.join(', ')})
SELECT ${list.id}, scope, ${SUMS.map((name) => `max(sum_${name})`).join(', ')}
FROM (
  SELECT scope, ${sums} FROM ${groups} WHERE hash NOT IN (SELECT hash FROM ${kept} WHERE list = ${list.id}) GROUP BY scope, bitShiftRight(hash, 32)
  UNION ALL SELECT scope, ${SUMS.map((name) => `${name} AS sum_${name}`).join(', ')} FROM ${cells} WHERE cell NOT IN (SELECT cell FROM ${chosen})
)
GROUP BY scope`,
  ];
}

/** Finds a record for each named row. */
export function fetchSql({ kept, records }: TopScratch): string {
  return `INSERT INTO ${records} (record, ${FETCHED.join(', ')})
SELECT ${RECORD_HASH} AS record, ${FETCHED.join(', ')}
FROM (SELECT ${[...new Set([...SCOPE, ...COMPARED, ...FETCHED]), ...HASHES].join(', ')} FROM ${RAW_TABLE} WHERE batch = {batch:UInt64})
WHERE record IN (SELECT record FROM ${kept} WHERE NOT other) LIMIT 1 BY record`;
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
