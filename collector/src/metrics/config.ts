/** Which traffic is counted on `/metrics`, and how many label values there may be at most. */
export interface MetricsConfig {
  /** Named services that get their own counters: name → `tcp/443`, `https` (every protocol it is registered for) or `gre`. */
  readonly services: Readonly<Record<string, readonly string[]>>;
  /** Named filters that get their own counters: name → filter. */
  readonly watches: Readonly<Record<string, string>>;
  /** Exporters with series of their own; what comes after them is counted as `other`. */
  readonly max_exporters: number;
  /** Interfaces with series of their own, over all exporters. */
  readonly max_interfaces: number;
}

export const METRICS_DEFAULTS: MetricsConfig = {
  services: {
    dns: ['udp/53', 'tcp/53'],
    http: ['tcp/80'],
    https: ['tcp/443', 'udp/443'],
    mail: ['tcp/25', 'tcp/465', 'tcp/587', 'tcp/143', 'tcp/993', 'tcp/110', 'tcp/995'],
    ntp: ['udp/123'],
    rdp: ['tcp/3389', 'udp/3389'],
    smb: ['tcp/445'],
    ssh: ['tcp/22'],
  },
  watches: {},
  max_exporters: 500,
  max_interfaces: 5000,
};

/** JSON schema (draft-07) of {@link MetricsConfig}, as the key `metrics` of ringflow.yml. */
export const METRICS_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  description: 'Traffic counters on /metrics',
  properties: {
    services: {
      type: 'object',
      description: 'Named services with counters of their own: each a list such as [tcp/443, udp/443]',
      propertyNames: { pattern: '^[a-zA-Z0-9_.-]{1,64}$' },
      additionalProperties: {
        type: 'array',
        minItems: 1,
        items: { type: 'string', minLength: 1 },
        description: 'Protocol and port (tcp/443), registered name (https) or protocol (gre)',
      },
    },
    watches: {
      type: 'object',
      description: 'Named filters with counters of their own, for example "guests: src_addr in 10.9.0.0/16"',
      propertyNames: { pattern: '^[a-zA-Z0-9_.-]{1,64}$' },
      additionalProperties: { type: 'string', minLength: 1, description: 'A filter' },
      maxProperties: 100,
    },
    max_exporters: {
      type: 'integer',
      minimum: 1,
      description: 'Exporters with series of their own; those that come later are counted as "other"',
    },
    max_interfaces: {
      type: 'integer',
      minimum: 1,
      description: 'Interfaces with series of their own, over all exporters',
    },
  },
} as const;
