/** How main looks after the other processes. */
export interface ProcessesConfig {
  /** A process that does not answer main for this long is killed and started again. */
  readonly answer_timeout_ms: number;
}

export const PROCESSES_DEFAULTS: ProcessesConfig = { answer_timeout_ms: 30_000 };

/** JSON schema (draft-07) of {@link ProcessesConfig}, as the key `processes` of ringflow.yml. */
export const PROCESSES_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  description: 'The processes that serve starts',
  properties: {
    answer_timeout_ms: {
      type: 'integer',
      minimum: 1000,
      description: 'A process that does not answer for this long is killed and started again',
    },
  },
} as const;
