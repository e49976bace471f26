/** Names of addresses, asked of name servers when somebody asks for them. */
export interface ResolveConfig {
  readonly enabled: boolean;
  /** Name servers, `192.0.2.53`, `192.0.2.53:5353` or `[2001:db8::53]:53`; empty = those of the system. */
  readonly servers: readonly string[];
  /** Wait for one address, over all tries and servers. */
  readonly timeout_ms: number;
  /** Wait for one call; what is not there by then is answered without. */
  readonly call_timeout_ms: number;
  /** Addresses that are looked up at the same time. */
  readonly concurrency: number;
  /** Addresses in one call. */
  readonly max_addresses: number;
  /** Addresses whose answers are kept; the one not asked for the longest goes first. */
  readonly cache_entries: number;
  readonly positive_ttl_seconds: number;
  /** For addresses without a name. */
  readonly negative_ttl_seconds: number;
  /** For addresses whose server did not answer or failed. */
  readonly failure_ttl_seconds: number;
}

export const RESOLVE_DEFAULTS: ResolveConfig = {
  enabled: true,
  servers: [],
  timeout_ms: 2000,
  call_timeout_ms: 5000,
  concurrency: 16,
  max_addresses: 500,
  cache_entries: 100_000,
  positive_ttl_seconds: 3600,
  negative_ttl_seconds: 600,
  failure_ttl_seconds: 30,
};

const count = (maximum: number, description: string, minimum = 1) =>
  ({ type: 'integer', minimum, maximum, description }) as const;

/** JSON schema (draft-07) of {@link ResolveConfig}, as the key `resolve` of ringflow.yml. */
export const RESOLVE_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  description: 'Names of addresses (reverse DNS), looked up when somebody asks for them',
  properties: {
    enabled: { type: 'boolean', description: 'Look names up at all' },
    servers: {
      type: 'array',
      items: {
        type: 'string',
        pattern:
          '^([0-9]{1,3}(\\.[0-9]{1,3}){3}(:[0-9]{1,5})?|\\[[0-9A-Fa-f:.]+\\](:[0-9]{1,5})?|[0-9A-Fa-f]*:[0-9A-Fa-f:]+)$',
      },
      description: 'Name servers, such as 192.0.2.53 or [2001:db8::53]:5353; empty = those of the system',
    },
    timeout_ms: count(30_000, 'Wait for one address', 10),
    call_timeout_ms: count(60_000, 'Wait for one call; what is not there by then is answered without', 10),
    concurrency: count(256, 'Addresses that are looked up at the same time'),
    max_addresses: count(5000, 'Addresses in one call'),
    cache_entries: count(10_000_000, 'Addresses whose answers are kept', 0),
    positive_ttl_seconds: count(604_800, 'How long a name is kept', 0),
    negative_ttl_seconds: count(604_800, 'How long it is kept that an address has no name', 0),
    failure_ttl_seconds: count(604_800, 'How long a name server is not asked again after it failed for an address', 0),
  },
} as const;
