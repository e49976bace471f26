/** Names that people give; they win over what exporters say about themselves. */
export interface NamesConfig {
  /** Address of an exporter → its name. */
  readonly exporters: Readonly<Record<string, string>>;
  /** Address of an exporter → ifIndex → name of the interface. */
  readonly interfaces: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Name → values that `@name` stands for in filters. */
  readonly sets: Readonly<Record<string, readonly string[]>>;
}

export const NAMES_DEFAULTS: NamesConfig = {
  exporters: {},
  interfaces: {},
  sets: { private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'] },
};

/** JSON schema (draft-07) of {@link NamesConfig}, as the key `names` of ringflow.yml. */
export const NAMES_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  description: 'Names for exporters, interfaces and sets of values',
  properties: {
    exporters: {
      type: 'object',
      additionalProperties: { type: 'string', minLength: 1 },
      description: 'Address of an exporter to its name, such as "192.0.2.1": edge1',
    },
    interfaces: {
      type: 'object',
      additionalProperties: {
        type: 'object',
        propertyNames: { pattern: '^[0-9]+$' },
        additionalProperties: { type: 'string', minLength: 1 },
      },
      description:
        'Address of an exporter to interface numbers to names, such as "192.0.2.1": {3: uplink}; they win over what the exporter says',
    },
    sets: {
      type: 'object',
      propertyNames: { pattern: '^[A-Za-z][A-Za-z0-9_-]{0,63}$' },
      additionalProperties: { type: 'array', minItems: 1, items: { type: 'string', minLength: 1 } },
      description: 'Sets of values for filters: "servers: [10.1.0.0/16, 10.2.0.1]" is written @servers',
    },
  },
} as const;
