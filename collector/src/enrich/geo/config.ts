/** Where an AS number may come from. */
export const AS_SOURCES = ['flow', 'flow_except_private', 'database', 'prefixes'] as const;
export type AsSource = (typeof AS_SOURCES)[number];

/** Country, place and AS of public addresses. */
export interface GeoConfig {
  /** MaxMind-format files; the first one that knows something wins. */
  readonly databases: readonly string[];
  /** The first one that knows an AS number wins. */
  readonly as_sources: readonly AsSource[];
  /** File with lines of network, AS number and perhaps a name; empty = none. */
  readonly as_prefixes: string;
  /** File with lines of AS number and name; these names win. Empty = none. */
  readonly as_names: string;
}

export const GEO_DEFAULTS: GeoConfig = {
  databases: [],
  as_sources: ['flow', 'prefixes', 'database'],
  as_prefixes: '',
  as_names: '',
};

/** JSON schema (draft-07) of {@link GeoConfig}. */
export const GEO_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  description: 'Country, place and AS of public addresses',
  properties: {
    databases: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      description:
        'MaxMind-format files (GeoLite2, GeoIP2, IPinfo and others); the first one that knows something about an address wins',
    },
    as_sources: {
      type: 'array',
      items: { type: 'string', enum: [...AS_SOURCES] },
      description:
        'Where AS numbers come from, the first one that knows wins: flow (what the exporter says), flow_except_private (the same, but private numbers only when nobody knows better), database, prefixes',
    },
    as_prefixes: { type: 'string', description: 'File with lines of network, AS number and perhaps a name' },
    as_names: { type: 'string', description: 'File with lines of AS number and name; these names win over others' },
  },
} as const;
