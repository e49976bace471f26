/** What is kept: single records, sums per bucket, top lists per bucket. */
export const ARCHIVE_NAMES = ['raw', '1m', '5m', '1h', '1d', 'top_5m', 'top_1h', 'top_1d'] as const;
export type ArchiveName = (typeof ARCHIVE_NAMES)[number];

/** How much of one kind is kept. */
export interface ArchiveConfig {
  /** What is older is dropped, whatever room there is; 0 = no limit of age. */
  readonly seconds: number;
  /** Part of `max_bytes` that is left to it when all others want room, too. */
  readonly share: number;
}

/** Where flows are kept, for how long and in how many bytes. */
export interface StoreConfig {
  /** `http://host:8123` of a ClickHouse server; empty = the embedded engine. */
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** Name of a cluster of the servers' `remote_servers`; empty = one server. */
  readonly cluster: string;
  /** Bytes on disk of everything that is stored. */
  readonly max_bytes: number;
  /** What an archive does not use, others may; past the whole, the one furthest above its share gives its oldest. */
  readonly archives: Readonly<Record<ArchiveName, ArchiveConfig>>;
  /** Sealed segments are loaded together at most this often, earlier when many records wait; 0 = each at once. */
  readonly load_seconds: number;
  /** Rows that are named in each top list, bucket and exporter. */
  readonly top_k: number;
  /** Records go into the top lists in batches: when the first is this old, or when there are this many. */
  readonly top_batch_seconds: number;
  readonly top_batch_rows: number;
  /** Queries that run side by side; more wait. */
  readonly query_slots: number;
  /** Queries that may wait for their turn; past it one is refused. */
  readonly query_queue: number;
  /** Memory of the embedded engine, for everything it does at once. */
  readonly max_memory_bytes: number;
}

const DAY_SECONDS = 86_400;

export const STORE_DEFAULTS: StoreConfig = {
  url: '',
  user: 'default',
  password: '',
  database: 'ringflow',
  cluster: '',
  max_bytes: 50 * 1024 * 1024 * 1024,
  archives: {
    raw: { seconds: 7 * DAY_SECONDS, share: 0.4 },
    '1m': { seconds: 14 * DAY_SECONDS, share: 0.1 },
    '5m': { seconds: 90 * DAY_SECONDS, share: 0.12 },
    '1h': { seconds: 2 * 365 * DAY_SECONDS, share: 0.1 },
    '1d': { seconds: 10 * 365 * DAY_SECONDS, share: 0.05 },
    top_5m: { seconds: 14 * DAY_SECONDS, share: 0.1 },
    top_1h: { seconds: 365 * DAY_SECONDS, share: 0.08 },
    top_1d: { seconds: 5 * 365 * DAY_SECONDS, share: 0.05 },
  },
  load_seconds: 5,
  top_k: 1000,
  top_batch_seconds: 300,
  top_batch_rows: 500_000,
  query_slots: 3,
  query_queue: 200,
  max_memory_bytes: 2 * 1024 * 1024 * 1024,
};

const archive = (what: string) =>
  ({
    type: 'object',
    additionalProperties: false,
    description: what,
    properties: {
      seconds: { type: 'integer', minimum: 0, description: `${what}: how long they are kept; 0 = no limit of age` },
      share: {
        type: 'number',
        minimum: 0,
        maximum: 1,
        description: `${what}: part of max_bytes that is left to them when all others want room, too`,
      },
    },
  }) as const;

/** JSON schema (draft-07) of {@link StoreConfig}, as the key `store` of ringflow.yml. */
export const STORE_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  description: 'Where flows are kept',
  properties: {
    url: {
      type: 'string',
      pattern: '^(https?://.+)?$',
      description: 'http://host:8123 of a ClickHouse server; empty = the embedded engine',
    },
    user: { type: 'string', description: 'User of the ClickHouse server' },
    password: { type: 'string', description: 'Password of the ClickHouse server' },
    database: {
      type: 'string',
      pattern: '^[A-Za-z_][A-Za-z0-9_]*$',
      description: 'Database of the tables; created when it does not exist',
    },
    cluster: {
      type: 'string',
      pattern: '^[A-Za-z0-9_.-]*$',
      description:
        'Name of the cluster (remote_servers) that the ClickHouse server belongs to: replicated tables, divided among its shards; empty = one server',
    },
    max_bytes: {
      type: 'integer',
      minimum: 16 * 1024 * 1024,
      description: 'Bytes on disk of everything that is stored; past it the oldest data is dropped',
    },
    archives: {
      type: 'object',
      additionalProperties: false,
      description:
        'How much of what is kept. What an archive does not use, others may; past max_bytes the one furthest above its share gives its oldest',
      properties: {
        raw: archive('Single flow records'),
        '1m': archive('Sums per minute'),
        '5m': archive('Sums per 5 minutes'),
        '1h': archive('Sums per hour'),
        '1d': archive('Sums per day'),
        top_5m: archive('Top lists per 5 minutes'),
        top_1h: archive('Top lists per hour'),
        top_1d: archive('Top lists per day'),
      },
    },
    load_seconds: {
      type: 'number',
      minimum: 0,
      maximum: 30,
      description:
        'Sealed segments are loaded together, at most this often; earlier when 1.4 million records wait. 0 = each at once, which costs many times as much for each record where there are few',
    },
    top_k: {
      type: 'integer',
      minimum: 20,
      maximum: 100_000,
      description:
        'Hosts, conversations, ports, prefixes and places that are kept by name, per list, bucket and exporter',
    },
    top_batch_seconds: {
      type: 'integer',
      minimum: 10,
      maximum: 3600,
      description:
        'Records go into the top lists when the first of them was stored this long ago; until then single records answer',
    },
    top_batch_rows: {
      type: 'integer',
      minimum: 10_000,
      maximum: 10_000_000,
      description:
        'Records go into the top lists earlier when there are this many; it takes 300 bytes of memory for each, and no more than one for 4 KiB of the embedded engine are taken',
    },
    query_slots: { type: 'integer', minimum: 1, maximum: 32, description: 'Queries that run side by side; more wait' },
    query_queue: {
      type: 'integer',
      minimum: 0,
      maximum: 10_000,
      description: 'Queries that may wait for their turn; more are refused',
    },
    max_memory_bytes: {
      type: 'integer',
      minimum: 256 * 1024 * 1024,
      description: 'Memory of the embedded engine, for everything it does at once',
    },
  },
} as const;
