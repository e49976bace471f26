/** What one read of the history may cost, and how many run at once. */
export interface HistoryConfig {
  /** Series of one selector; more are refused. */
  readonly max_series: number;
  /** Samples of one request; more are refused. */
  readonly max_samples: number;
  /** Requests that are answered side by side; more wait. */
  readonly concurrency: number;
}

export const HISTORY_DEFAULTS: HistoryConfig = { max_series: 10_000, max_samples: 5_000_000, concurrency: 2 };

/** JSON schema (draft-07) of {@link HistoryConfig}, as the key `history` of ringflow.yml. */
export const HISTORY_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  description: "Bounds of what Prometheus reads (POST /api/v1/prometheus/read); time and memory are query's",
  properties: {
    max_series: {
      type: 'integer',
      minimum: 1,
      maximum: 1_000_000,
      description: 'Series that one selector may have; more are refused',
    },
    max_samples: {
      type: 'integer',
      minimum: 1000,
      maximum: 100_000_000,
      description: 'Samples that one request may have; more are refused',
    },
    concurrency: {
      type: 'integer',
      minimum: 1,
      maximum: 32,
      description: 'Requests that are answered side by side; more wait',
    },
  },
} as const;
