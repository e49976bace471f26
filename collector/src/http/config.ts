/** Where the API listens and what it accepts. */
export interface HttpConfig {
  /** Address to listen on; `0.0.0.0` or `::` for all. */
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  /** Bearer token that every route but the health checks asks for; empty = none. */
  readonly token: string;
  /** Ask for the token on `/metrics` too. */
  readonly protect_metrics: boolean;
  /** Longest request body. */
  readonly max_body_bytes: number;
}

export const HTTP_DEFAULTS: HttpConfig = {
  host: '127.0.0.1',
  port: 8055,
  token: '',
  protect_metrics: false,
  max_body_bytes: 1024 * 1024,
};

/** JSON schema (draft-07) of {@link HttpConfig}, as the key `http` of ringflow.yml. */
export const HTTP_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  description: 'The API',
  properties: {
    host: { type: 'string', minLength: 1, description: 'Address to listen on; 0.0.0.0 or :: for all' },
    port: { type: 'integer', minimum: 0, maximum: 65_535, description: 'TCP port; 0 = any free one' },
    token: {
      type: 'string',
      pattern: '^[\\x21-\\x7e]*$',
      description: 'Bearer token that callers must send; empty = none',
    },
    protect_metrics: { type: 'boolean', description: 'Ask for the token on /metrics too' },
    max_body_bytes: { type: 'integer', minimum: 1024, maximum: 64 * 1024 * 1024, description: 'Longest request body' },
  },
} as const;
