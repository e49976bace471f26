/** What one query may cost, and how many of a request run at once. */
export interface QueryConfig {
  /** A query that runs longer is stopped; a request in all may take no longer either. */
  readonly timeout_seconds: number;
  /** Rows of one statement's result. */
  readonly max_rows: number;
  /** Memory of one query in the engine. */
  readonly max_memory_bytes: number;
  /** Queries of one request that run side by side. */
  readonly concurrency: number;
}

export const QUERY_DEFAULTS: QueryConfig = {
  timeout_seconds: 30,
  max_rows: 1_100_000,
  max_memory_bytes: 1024 * 1024 * 1024,
  concurrency: 3,
};

/** JSON schema (draft-07) of {@link QueryConfig}, as the key `query` of ringflow.yml. */
export const QUERY_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  description: 'Bounds of a query',
  properties: {
    timeout_seconds: { type: 'number', exclusiveMinimum: 0, description: 'A query that runs longer is stopped' },
    max_rows: { type: 'integer', minimum: 100, description: 'Rows that one query may return' },
    max_memory_bytes: {
      type: 'integer',
      minimum: 16 * 1024 * 1024,
      description: 'Memory that one query may take in the engine',
    },
    concurrency: {
      type: 'integer',
      minimum: 1,
      maximum: 32,
      description: 'Queries of one request that run side by side',
    },
  },
} as const;
