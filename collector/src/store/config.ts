/** Where flows are kept, for how long and in how many bytes. */
export interface StoreConfig {
  /** `http://host:8123` of a ClickHouse server; empty = the embedded engine. */
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** Bytes on disk of all tables; past it the oldest partitions are dropped, single records first. */
  readonly max_bytes: number;
  /** How long each table is kept, whatever room there is; 0 = as long as there is room. */
  readonly retention: {
    readonly raw_seconds: number;
    readonly rings_1m_seconds: number;
    readonly rings_1h_seconds: number;
  };
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
  max_bytes: 50 * 1024 * 1024 * 1024,
  retention: {
    raw_seconds: 30 * DAY_SECONDS,
    rings_1m_seconds: 90 * DAY_SECONDS,
    rings_1h_seconds: 5 * 365 * DAY_SECONDS,
  },
  query_slots: 3,
  query_queue: 200,
  max_memory_bytes: 2 * 1024 * 1024 * 1024,
};

const seconds = (description: string) => ({ type: 'integer', minimum: 0, description }) as const;

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
    max_bytes: {
      type: 'integer',
      minimum: 16 * 1024 * 1024,
      description: 'Bytes on disk of all tables; past it the oldest data is dropped, single records first',
    },
    retention: {
      type: 'object',
      additionalProperties: false,
      description: 'How long each table is kept, whatever room there is; 0 = as long as there is room',
      properties: {
        raw_seconds: seconds('Single flow records'),
        rings_1m_seconds: seconds('Sums per minute'),
        rings_1h_seconds: seconds('Sums per hour'),
      },
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
