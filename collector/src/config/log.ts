/** How the processes write their log, on standard error. */
export interface LogConfig {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** `auto`: lines for people on a terminal, JSON otherwise. */
  readonly format: 'auto' | 'json' | 'pretty';
}

export const LOG_DEFAULTS: LogConfig = { level: 'info', format: 'auto' };

/** JSON schema (draft-07) of {@link LogConfig}, as the key `log` of ringflow.yml. */
export const LOG_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  description: 'Log on standard error',
  properties: {
    level: {
      enum: ['trace', 'debug', 'info', 'warn', 'error', 'silent'],
      description: 'The least important lines that are written',
    },
    format: {
      enum: ['auto', 'json', 'pretty'],
      description: 'json: one object per line; pretty: for people; auto: pretty on a terminal',
    },
  },
} as const;
