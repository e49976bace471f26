import { RESOLUTIONS, TOP_RESOLUTIONS } from '@ringflow/contract';

/** A table engine; with a column, the one whose largest value replaces the others. */
export type TableEngine = 'MergeTree' | 'AggregatingMergeTree' | `ReplacingMergeTree(${string})`;

/**
 * What a statement that makes, changes or fills a table says differently on a cluster. Names that queries use stay the
 * same: on a cluster they are Distributed tables over those that hold the rows.
 */
export interface Dialect {
  /** Null on one server. */
  readonly cluster: string | null;
  /** Where the rows of a table are: what INSERT, ALTER and `system.parts` name. */
  stored(table: string): string;
  /** The table of {@link Dialect.stored}. */
  tableOf(stored: string): string;
  /** `name`, or `name ON CLUSTER …`, of a table as CREATE, ALTER and DROP take it. */
  on(table: string): string;
  /** After `ENGINE =`. */
  engine(table: string, engine: TableEngine): string;
  /** Setting of a table that recognises inserts that are repeated. */
  readonly deduplication: string;
  /** The table that queries name, where it is not the one that holds the rows; its columns are those of that one. */
  distributed(table: string): string | null;
}

/** Tables whose rows are divided among the shards; all others are small and the same on every server. */
const DIVIDED: ReadonlySet<string> = new Set([
  'flows',
  ...RESOLUTIONS.map(({ table }) => table),
  ...TOP_RESOLUTIONS.map(({ table }) => table),
]);

const LOCAL = '_local';

/** One engine, in this process or on a server. */
export const ONE_SERVER: Dialect = {
  cluster: null,
  stored: (table) => table,
  tableOf: (stored) => stored,
  on: (table) => table,
  engine: (_table, engine) => engine,
  deduplication: 'non_replicated_deduplication_window = 1000',
  distributed: () => null,
};

/**
 * A server that others feed, too. While one collector is away, the others go on inserting, and the insert that it had in
 * hand must still be known when it comes back: at a segment a second and collector these are hours.
 */
export const SHARED_SERVER: Dialect = {
  ...ONE_SERVER,
  deduplication: 'non_replicated_deduplication_window = 20000',
};

/** Blocks that are recognised, and for how long (a week). */
const REPLICATED_DEDUPLICATION =
  'replicated_deduplication_window = 20000, replicated_deduplication_window_seconds = 604800';

/**
 * A cluster with shards and replicas, whose servers have the macros `shard` and `replica`. Large tables are replicated
 * within their shard, and a Distributed table reads them all; small ones are replicated to every server. A collector
 * inserts into the shard of the server that it speaks to: repeated, an insert must meet the same shard.
 *
 * @param cluster name of it in the servers' `remote_servers`
 */
export function clusterDialect(cluster: string, database: string): Dialect {
  const onCluster = ` ON CLUSTER '${cluster}'`;
  const stored = (table: string): string => (DIVIDED.has(table) ? table + LOCAL : table);
  return {
    cluster,
    stored,
    tableOf: (name) => (name.endsWith(LOCAL) ? name.slice(0, -LOCAL.length) : name),
    on: (table) => stored(table) + onCluster,
    engine: (table, engine) => {
      const [, name = '', column] = /^(\w+)(?:\((.*)\))?$/.exec(engine) ?? [];
      // Macros of the server; the path says what a replica is a replica of.
      const place = DIVIDED.has(table)
        ? `'/clickhouse/ringflow/{database}/{shard}/${table}', '{replica}'`
        : `'/clickhouse/ringflow/{database}/all/${table}', '{shard}_{replica}'`;
      return `Replicated${name}(${[place, ...(column === undefined ? [] : [column])].join(', ')})`;
    },
    deduplication: REPLICATED_DEDUPLICATION,
    distributed: (table) =>
      DIVIDED.has(table)
        ? `CREATE TABLE IF NOT EXISTS ${table}${onCluster} AS ${database}.${stored(table)} ENGINE = Distributed('${cluster}', '${database}', '${stored(table)}')`
        : null,
  };
}
