/** An application that is known by where it is served. */
export interface ApplicationRule {
  readonly name: string;
  /** One of {@link APPLICATION_CLASSES}. */
  readonly class?: string;
  /** Networks and AS numbers that serve it; one of the two must be there. */
  readonly prefixes?: readonly string[];
  readonly as?: readonly number[];
  /** Ports of it there, `tcp/443` or `udp/5000-5010`; without them, all. */
  readonly ports?: readonly string[];
}

/** Client and server (semantics 5.2). */
export interface RolesConfig {
  /** Conversations remembered, 64 bytes each. */
  readonly conversations: number;
}

/** One flow in several records (semantics 5.8). */
export interface DuplicatesConfig {
  readonly enabled: boolean;
  /** Which record of a router counts when it exports a packet where it enters and where it leaves. */
  readonly count: 'auto' | 'ingress' | 'egress' | 'both';
  /** The longest active timeout of the exporters; an exporter that was silent for twice this gives up its flows. */
  readonly active_timeout_ms: number;
  /** Networks of exporters that count before others, the first one most. */
  readonly priority: readonly string[];
}

/** What a conversation is about: part of {@link EnrichConfig}. */
export interface ConversationConfig {
  /** `192.0.2.10:8443/tcp` → name of the application that is served there (semantics 5.5 rule 1, 5.2 rule 3). */
  readonly endpoints: Readonly<Record<string, string>>;
  /** Applications by network or AS (semantics 5.5 rule 5); the first one that fits counts. */
  readonly applications: readonly ApplicationRule[];
  readonly roles: RolesConfig;
  readonly duplicates: DuplicatesConfig;
}

/** Classes of applications (semantics 5.5). `p2p?` is what only a port says. */
export const APPLICATION_CLASSES = [
  'web',
  'dns',
  'mail',
  'video',
  'p2p',
  'p2p?',
  'voice',
  'vpn',
  'remote-access',
  'database',
  'file',
  'management',
  'other',
] as const;
export type ApplicationClass = (typeof APPLICATION_CLASSES)[number];

export const CONVERSATION_DEFAULTS: ConversationConfig = {
  endpoints: {},
  applications: [],
  roles: { conversations: 262_144 },
  duplicates: { enabled: true, count: 'auto', active_timeout_ms: 60_000, priority: [] },
};

const NAME = { type: 'string', minLength: 1, maxLength: 128 } as const;

/** JSON schema (draft-07) of {@link ConversationConfig}, by key. */
export const CONVERSATION_PROPERTIES = {
  endpoints: {
    type: 'object',
    additionalProperties: NAME,
    description:
      'Address, port and protocol to the name of the application that is served there, such as "192.0.2.10:8443/tcp": "Payroll" or "[2001:db8::1]:53/udp": "Resolver"',
  },
  applications: {
    type: 'array',
    description: 'Applications by network or AS; the first one that fits counts',
    items: {
      type: 'object',
      additionalProperties: false,
      required: ['name'],
      properties: {
        name: { ...NAME, description: 'What it is called' },
        class: { enum: APPLICATION_CLASSES, description: 'What kind of application it is' },
        prefixes: {
          type: 'array',
          minItems: 1,
          items: { type: 'string' },
          description: 'Networks that serve it, such as "198.51.100.0/24"',
        },
        as: {
          type: 'array',
          minItems: 1,
          items: { type: 'integer', minimum: 1, maximum: 4_294_967_295 },
          description: 'Numbers of autonomous systems that serve it, such as 64496',
        },
        ports: {
          type: 'array',
          minItems: 1,
          items: { type: 'string', pattern: '^(tcp|udp|sctp|dccp|udplite)/[0-9]{1,5}(-[0-9]{1,5})?$' },
          description: 'Ports of it there, such as "tcp/443" or "udp/5000-5010"; without them, all',
        },
      },
    },
  },
  roles: {
    type: 'object',
    additionalProperties: false,
    description: 'Client and server',
    properties: {
      conversations: {
        type: 'integer',
        minimum: 1024,
        maximum: 16_777_216,
        description:
          'Conversations remembered for five minutes, to give both directions the same client and to find duplicates; 64 bytes each, rounded up to a power of two',
      },
    },
  },
  duplicates: {
    type: 'object',
    additionalProperties: false,
    description: 'Flows that are seen more than once; copies are marked and left out of totals',
    properties: {
      enabled: { type: 'boolean', description: 'Mark copies' },
      count: {
        enum: ['auto', 'ingress', 'egress', 'both'],
        description:
          'Which record of a router counts: auto leaves out the egress one where the ingress one is exported too, ingress leaves out every egress record, egress leaves out ingress records where egress ones are exported, both counts both',
      },
      active_timeout_ms: {
        type: 'integer',
        minimum: 1000,
        maximum: 1_800_000,
        description:
          'Longest active timeout of the exporters; another exporter takes over a flow when its first one was silent for twice this',
      },
      priority: {
        type: 'array',
        items: { type: 'string' },
        description: 'Networks of exporters that count before others, the first one most, such as "192.0.2.1"',
      },
    },
  },
} as const;
