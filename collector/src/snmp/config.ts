/** How to ask exporters for the names of their interfaces. */
export interface SnmpConfig {
  readonly enabled: boolean;
  readonly interval_seconds: number;
  /** Wait for one datagram of an answer. */
  readonly timeout_ms: number;
  readonly retries: number;
  /** Exporters that are asked at the same time. */
  readonly concurrency: number;
  /** Interfaces taken up of one exporter. */
  readonly max_interfaces: number;
  /** The first entry whose networks hold an exporter counts; exporters in none are not asked. */
  readonly credentials: readonly SnmpCredentials[];
}

export const AUTH_PROTOCOLS = ['md5', 'sha', 'sha224', 'sha256', 'sha384', 'sha512'] as const;
export const PRIV_PROTOCOLS = ['des', 'aes', 'aes256b', 'aes256r'] as const;

export interface SnmpCredentials {
  /** Networks of exporters; all when absent. */
  readonly networks?: readonly string[];
  readonly port?: number;
  /** Version 2c. */
  readonly community?: string;
  /** Version 3 (RFC 3414): a user, with or without authentication and encryption. */
  readonly user?: string;
  readonly auth_protocol?: (typeof AUTH_PROTOCOLS)[number];
  readonly auth_password?: string;
  readonly priv_protocol?: (typeof PRIV_PROTOCOLS)[number];
  readonly priv_password?: string;
  readonly context?: string;
}

export const SNMP_DEFAULTS: SnmpConfig = {
  enabled: false,
  interval_seconds: 300,
  timeout_ms: 2000,
  retries: 2,
  concurrency: 8,
  max_interfaces: 4096,
  credentials: [],
};

const count = (minimum: number, maximum: number, description: string) =>
  ({ type: 'integer', minimum, maximum, description }) as const;
const text = (description: string) => ({ type: 'string', minLength: 1, description }) as const;

/** JSON schema (draft-07) of {@link SnmpConfig}, as the key `snmp` of ringflow.yml. */
export const SNMP_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  description: 'Names, descriptions, speeds and counters of interfaces, asked of the exporters by SNMP',
  properties: {
    enabled: { type: 'boolean', description: 'Ask the exporters that send' },
    interval_seconds: count(10, 86_400, 'Time between two looks at an exporter'),
    timeout_ms: count(100, 30_000, 'Wait for one datagram of an answer'),
    retries: count(0, 10, 'Times a datagram is sent again'),
    concurrency: count(1, 256, 'Exporters that are asked at the same time'),
    max_interfaces: count(1, 100_000, 'Interfaces taken up of one exporter'),
    credentials: {
      type: 'array',
      description: 'The first entry whose networks hold an exporter counts; exporters in none are not asked',
      items: {
        type: 'object',
        additionalProperties: false,
        oneOf: [{ required: ['community'] }, { required: ['user'] }],
        dependencies: {
          auth_protocol: ['user', 'auth_password'],
          auth_password: ['user', 'auth_protocol'],
          priv_protocol: ['auth_protocol', 'priv_password'],
          priv_password: ['auth_protocol', 'priv_protocol'],
          context: ['user'],
        },
        properties: {
          networks: { type: 'array', items: text('Network'), description: 'Networks of exporters; all when absent' },
          port: count(1, 65_535, 'UDP port (default: 161)'),
          community: text('Community of version 2c'),
          user: text('User of version 3'),
          auth_protocol: { enum: [...AUTH_PROTOCOLS], description: 'Authentication of version 3' },
          auth_password: { type: 'string', minLength: 8, description: 'Password of the authentication' },
          priv_protocol: { enum: [...PRIV_PROTOCOLS], description: 'Encryption of version 3' },
          priv_password: { type: 'string', minLength: 8, description: 'Password of the encryption' },
          context: text('Context of version 3'),
        },
      },
    },
  },
} as const;
