/** Files in PEM; empty = none. All are read again when the configuration is. */
export interface TlsConfig {
  /** Certificate, followed by the ones between it and the authority. */
  readonly cert: string;
  readonly key: string;
  /** Authorities of which callers must show a certificate. */
  readonly client_ca: string;
}

/** Records that other collectors send as JSON. */
export interface HttpIngestConfig {
  readonly enabled: boolean;
  /** Bearer token, or password of Basic; the one of the API does not open this door. */
  readonly token: string;
  readonly max_records: number;
  readonly max_body_bytes: number;
  /** Bodies that are not on disk yet, together. */
  readonly max_waiting_bytes: number;
}

/** What callers may cost, whoever they are. */
export interface HttpLimits {
  /** Open connections; when they are used up, idle ones are closed. */
  readonly connections: number;
  readonly connections_per_address: number;
  /** Requests of one connection that are answered at the same time (pipelining). */
  readonly requests_per_connection: number;
  /** Request line and header fields together. */
  readonly header_bytes: number;
  /** Until the header must be there, */
  readonly headers_timeout_seconds: number;
  /** until the body must be there, */
  readonly request_timeout_seconds: number;
  /** and until the answer must have been taken, once it is made. */
  readonly answer_timeout_seconds: number;
  /** A connection without a request is closed after this long. */
  readonly idle_timeout_seconds: number;
  /** Answers that wait to be taken, together; further ones are refused. */
  readonly unsent_bytes: number;
}

/** What one export may cost. */
export interface HttpExportConfig {
  readonly max_rows: number;
  readonly max_bytes: number;
  readonly timeout_seconds: number;
}

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
  /** HTTPS in place of HTTP. */
  readonly tls: TlsConfig;
  readonly ingest: HttpIngestConfig;
  readonly export: HttpExportConfig;
  readonly limits: HttpLimits;
}

export const HTTP_DEFAULTS: HttpConfig = {
  host: '127.0.0.1',
  port: 8055,
  token: '',
  protect_metrics: false,
  max_body_bytes: 1024 * 1024,
  tls: { cert: '', key: '', client_ca: '' },
  ingest: {
    enabled: false,
    token: '',
    max_records: 10_000,
    max_body_bytes: 16 * 1024 * 1024,
    max_waiting_bytes: 64 * 1024 * 1024,
  },
  export: { max_rows: 100_000_000, max_bytes: 8 * 1024 * 1024 * 1024, timeout_seconds: 600 },
  limits: {
    connections: 1024,
    connections_per_address: 256,
    requests_per_connection: 32,
    header_bytes: 16 * 1024,
    headers_timeout_seconds: 10,
    request_timeout_seconds: 30,
    answer_timeout_seconds: 60,
    idle_timeout_seconds: 75,
    unsent_bytes: 128 * 1024 * 1024,
  },
};

const count = (description: string) => ({ type: 'integer', minimum: 1, description }) as const;
const seconds = (description: string) => ({ type: 'integer', minimum: 1, maximum: 3600, description }) as const;

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
    ingest: {
      type: 'object',
      additionalProperties: false,
      description: 'Flow records from other collectors (goflow2, nfdump) over HTTP',
      properties: {
        enabled: { type: 'boolean', description: 'Take records at POST /api/v1/ingest and /api/…/_json' },
        token: {
          type: 'string',
          pattern: '^[\\x21-\\x7e]*$',
          description: 'What senders must send, as Bearer token or as password of Basic; not http.token',
        },
        max_records: { type: 'integer', minimum: 1, maximum: 100_000, description: 'Most records of one request' },
        max_body_bytes: {
          type: 'integer',
          minimum: 1024,
          maximum: 256 * 1024 * 1024,
          description: 'Longest request body',
        },
        max_waiting_bytes: {
          type: 'integer',
          minimum: 1024,
          maximum: 1024 * 1024 * 1024,
          description: 'Longest bodies together that wait to be written; more are refused until then',
        },
      },
    },
    limits: {
      type: 'object',
      additionalProperties: false,
      description: 'What callers may cost, whoever they are; a restart puts changes into force',
      properties: {
        connections: count('Open connections; when they are used up, idle ones are closed'),
        connections_per_address: count('Open connections of one address'),
        requests_per_connection: count('Requests of one connection that are answered at the same time'),
        header_bytes: { type: 'integer', minimum: 1024, maximum: 1024 * 1024, description: 'Longest request header' },
        headers_timeout_seconds: seconds('Until the header of a request must be there'),
        request_timeout_seconds: seconds('Until the body of a request must be there'),
        answer_timeout_seconds: seconds('Until an answer must have been taken, once it is made'),
        idle_timeout_seconds: seconds('A connection without a request is closed after this long'),
        unsent_bytes: count('Answers that wait to be taken, together; further ones are refused'),
      },
    },
    export: {
      type: 'object',
      additionalProperties: false,
      description: 'Bounds of an export (GET and POST /api/v1/export, ringflow export)',
      properties: {
        max_rows: { type: 'integer', minimum: 1, description: 'Most records of one export' },
        max_bytes: {
          type: 'integer',
          minimum: 1024,
          description: 'Longest file; it lies in the data directory until it is sent',
        },
        timeout_seconds: { type: 'number', exclusiveMinimum: 0, description: 'Longest time until the file is written' },
      },
    },
    tls: {
      type: 'object',
      additionalProperties: false,
      description: 'HTTPS in place of HTTP; the files are read again at a reload',
      properties: {
        cert: { type: 'string', description: 'Certificate file (PEM), with the ones between it and its authority' },
        key: { type: 'string', description: 'Key file of the certificate (PEM)' },
        client_ca: {
          type: 'string',
          description: 'File of authorities (PEM) of which callers must show a certificate; empty = any caller',
        },
      },
    },
  },
} as const;
