/** The queue on disk between inlet and store. */
export interface SpoolConfig {
  /** Bytes of waiting segments; past it new records are dropped with the reason `spool_full`. */
  readonly max_bytes: number;
  /** Free bytes to leave on the file system; below it the spool counts as full. */
  readonly min_free_bytes: number;
  /** Sealed batches that may wait in memory for the disk. */
  readonly max_in_flight: number;
}

export const SPOOL_DEFAULTS: SpoolConfig = {
  max_bytes: 10 * 1024 * 1024 * 1024,
  min_free_bytes: 256 * 1024 * 1024,
  max_in_flight: 4,
};

/** JSON schema (draft-07) of {@link SpoolConfig}, as the key `spool` of ringflow.yml. */
export const SPOOL_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  description: 'Queue on disk between receiving and storing',
  properties: {
    max_bytes: {
      type: 'integer',
      minimum: 1024 * 1024,
      description: 'Bytes of waiting segments; past it new records are dropped and counted (spool_full)',
    },
    min_free_bytes: { type: 'integer', minimum: 0, description: 'Free bytes to leave on the file system of the spool' },
    max_in_flight: {
      type: 'integer',
      minimum: 1,
      maximum: 64,
      description: 'Sealed batches that may wait in memory for the disk',
    },
  },
} as const;
