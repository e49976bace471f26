import { SCOPES, type ThreatHit } from '@ringflow/contract';
import { RAW_TABLE } from './ddl.ts';
import { ONE_SERVER, type Dialect } from './dialect.ts';
import type { Engine } from './engine.ts';

/** Public addresses that records of one day have, with the labels that they were stored with. */
export interface SeenAddress {
  readonly address: string;
  /** Id of the labels; 0 = none. */
  readonly threat: number;
  readonly firstMs: number;
  readonly lastMs: number;
  /** Ends of records. */
  readonly records: number;
  readonly bytes: number;
}

/** A page of {@link seenAddresses}. */
export interface SeenPage {
  /** Day in UTC, `2026-11-21`. */
  readonly day: string;
  /** The last one of the page before; null for the first page. */
  readonly after: { readonly address: string; readonly threat: number } | null;
  readonly limit: number;
}

/** A read that nobody waits for must not be in the way of those that somebody waits for. */
const READ = { client: 'retro', timeoutMs: 300_000, maxMemoryBytes: 536_870_912 } as const;
const PUBLIC = [SCOPES.indexOf('public'), SCOPES.indexOf('documentation')];

/** Addresses that were found again in lists that did not have them when their traffic came. */
export function createThreatHitsTable(dialect: Dialect = ONE_SERVER): string {
  return `CREATE TABLE IF NOT EXISTS ${dialect.on('threat_hits')} (
  day Date,
  address IPv6,
  label String,
  list LowCardinality(String),
  category LowCardinality(String),
  first_seen DateTime64(3, 'UTC'),
  last_seen DateTime64(3, 'UTC'),
  records UInt64,
  bytes UInt64,
  found DateTime64(3, 'UTC')
) ENGINE = ${dialect.engine('threat_hits', 'ReplacingMergeTree(found)')}
PARTITION BY toYYYYMM(day)
ORDER BY (day, address, label, list)
TTL day + INTERVAL 1 YEAR`;
}

/** A page of the addresses of a day, ascending by address and labels. */
export async function seenAddresses(engine: Engine, { day, after, limit }: SeenPage): Promise<SeenAddress[]> {
  const side = (prefix: string): string =>
    `SELECT ${prefix}_addr AS address, ${prefix}_threat AS threat, time_received_ns AS at, bytes * greatest(sampling_rate, 1) AS scaled FROM ${RAW_TABLE} WHERE toDate(time_received_ns) = toDate({day:String}) AND ${prefix}_scope IN ({first:UInt8}, {second:UInt8})`;
  const { columns, rows } = await engine.query(
    {
      sql: `SELECT toString(address), threat, toUnixTimestamp64Milli(toDateTime64(min(at), 3)), toUnixTimestamp64Milli(toDateTime64(max(at), 3)), count(), sum(scaled) FROM (${side('src')} UNION ALL ${side('dst')}) WHERE (address, threat) > (toIPv6({address:String}), {threat:UInt32}) GROUP BY address, threat ORDER BY address, threat LIMIT {limit:UInt32}`,
      params: {
        day,
        first: PUBLIC[0] as number,
        second: PUBLIC[1] as number,
        address: after?.address ?? '::',
        threat: after?.threat ?? 0,
        limit,
      },
    },
    { ...READ, id: `retro-${day}`, maxRows: limit },
  );
  const [address, threat, firstMs, lastMs, records, bytes] = columns as [string[], ...number[][]];
  return Array.from({ length: rows }, (_, row) => ({
    address: (address[row] as string).replace(/^::ffff:(?=\d+\.)/, ''),
    threat: Number(threat?.[row]),
    firstMs: Number(firstMs?.[row]),
    lastMs: Number(lastMs?.[row]),
    records: Number(records?.[row]),
    bytes: Number(bytes?.[row]),
  }));
}

/** Keeps hits; a later one replaces an earlier one of the same day, address, label and list. */
export async function saveThreatHits(engine: Engine, hits: readonly ThreatHit[], nowMs: number): Promise<void> {
  if (hits.length === 0) return;
  await engine.exec(
    `INSERT INTO threat_hits (day, address, label, list, category, first_seen, last_seen, records, bytes, found)
SELECT toDate(row.1), toIPv6(row.2), row.3, row.4, row.5, fromUnixTimestamp64Milli(row.6, 'UTC'), fromUnixTimestamp64Milli(row.7, 'UTC'), row.8, row.9, fromUnixTimestamp64Milli({now:Int64}, 'UTC')
FROM (SELECT arrayJoin(arrayZip({day:Array(String)}, {address:Array(String)}, {label:Array(String)}, {list:Array(String)}, {category:Array(String)}, {first:Array(Int64)}, {last:Array(Int64)}, {records:Array(UInt64)}, {bytes:Array(UInt64)})) AS row)`,
    {
      now: nowMs,
      day: hits.map(({ day }) => day),
      address: hits.map(({ address }) => address),
      label: hits.map(({ label }) => label),
      list: hits.map(({ list }) => list),
      category: hits.map(({ category }) => category),
      first: hits.map(({ firstMs }) => firstMs),
      last: hits.map(({ lastMs }) => lastMs),
      records: hits.map(({ records }) => records),
      bytes: hits.map(({ bytes }) => bytes),
    },
  );
}

/** The latest hits, those with the most bytes first within a day. */
export async function loadThreatHits(engine: Engine, limit: number): Promise<ThreatHit[]> {
  const rows = await engine.select<ThreatHit>(
    `SELECT toString(day) AS day, replaceOne(toString(address), '::ffff:', '') AS address, label, list, category, toUnixTimestamp64Milli(first_seen) AS firstMs, toUnixTimestamp64Milli(last_seen) AS lastMs, records, bytes
FROM threat_hits FINAL ORDER BY day DESC, bytes DESC, address, label, list LIMIT {limit:UInt32}`,
    { limit },
  );
  return rows.map((row) => ({
    ...row,
    firstMs: Number(row.firstMs),
    lastMs: Number(row.lastMs),
    records: Number(row.records),
    bytes: Number(row.bytes),
  }));
}
