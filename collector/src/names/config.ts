/** Attributes that an exporter is given; Akvorado's words. */
export const EXPORTER_ATTRIBUTES = ['group', 'role', 'site', 'region', 'tenant'] as const;
/** Attributes that an interface is given. */
export const INTERFACE_ATTRIBUTES = ['connectivity', 'provider', 'boundary'] as const;
/** Where an interface leads: out of the network, or to another part of it. */
export const BOUNDARIES = ['external', 'internal'] as const;

export type ExporterAttributes = Partial<Readonly<Record<(typeof EXPORTER_ATTRIBUTES)[number], string>>>;
export type InterfaceAttributes = Partial<Readonly<Record<(typeof INTERFACE_ATTRIBUTES)[number], string>>>;

/** An exporter's name, or more about it. */
export type ExporterNames = string | ({ readonly name?: string } & ExporterAttributes);

/** An interface's name, or more about it. */
export type InterfaceNames =
  | string
  | ({ readonly name?: string; readonly description?: string; readonly speed_bps?: number } & InterfaceAttributes);

/** Facts about exporters and interfaces. */
export interface NamesOf {
  /** Address of an exporter → its name. */
  readonly exporters: Readonly<Record<string, ExporterNames>>;
  /** Address of an exporter → ifIndex → the interface. */
  readonly interfaces: Readonly<Record<string, Readonly<Record<string, InterfaceNames>>>>;
}

/** What a rule looks at: all patterns must be found. */
export interface ClassifyRule {
  /** Fact → regular expression, searched for; see {@link CLASSIFY_FACTS}. */
  readonly match: Readonly<Record<string, string>>;
  /** Attribute → value; `$1` and `$<name>` are what the groups of the patterns held. */
  readonly set: Readonly<Record<string, string>>;
}

/**
 * A rule's pattern; `(?i)` in front asks for any case, as in other tools.
 *
 * @throws SyntaxError when it is no regular expression
 */
export function parsePattern(text: string): RegExp {
  const anyCase = text.startsWith('(?i)');
  return new RegExp(anyCase ? text.slice(4) : text, anyCase ? 'iu' : 'u');
}

/** What is wrong with a rule, by key of the rule; a boundary may also come from a group. */
export function ruleProblems({ match, set }: ClassifyRule): [key: string, message: string][] {
  const patterns = Object.entries(match).flatMap(([fact, text]): [string, string][] => {
    try {
      parsePattern(text);
      return [];
    } catch (error) {
      return [[`match.${fact}`, `${text} is not a regular expression (${(error as Error).message})`]];
    }
  });
  const boundary = set['boundary'];
  const known: readonly string[] = BOUNDARIES;
  return boundary === undefined || boundary.includes('$') || known.includes(boundary)
    ? patterns
    : [...patterns, ['set.boundary', `${boundary} is neither ${BOUNDARIES.join(' nor ')}`]];
}

/** Facts that rules can look at. */
export const CLASSIFY_FACTS = {
  exporters: ['address', 'name'],
  interfaces: [
    'index',
    'name',
    'description',
    'speed_bps',
    'exporter_address',
    'exporter_name',
    ...EXPORTER_ATTRIBUTES.map((attribute) => `exporter_${attribute}` as const),
  ],
} as const;

/** Names that people give; they win over what exporters say about themselves. */
export interface NamesConfig extends NamesOf {
  /** Facts for exporters that say nothing about themselves: a YAML file with `exporters` and `interfaces` as here. */
  readonly file: string | null;
  /** How often the file is looked at. */
  readonly file_interval_seconds: number;
  /** What follows from names and descriptions; for each attribute the first rule that sets it wins. */
  readonly classify: { readonly exporters: readonly ClassifyRule[]; readonly interfaces: readonly ClassifyRule[] };
  /** Name → values that `@name` stands for in filters. */
  readonly sets: Readonly<Record<string, readonly string[]>>;
}

export const NAMES_DEFAULTS: NamesConfig = {
  exporters: {},
  interfaces: {},
  file: null,
  file_interval_seconds: 60,
  classify: { exporters: [], interfaces: [] },
  sets: { private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'] },
};

const text = (description: string) => ({ type: 'string', minLength: 1, maxLength: 256, description }) as const;
const attributes = (names: readonly string[]) =>
  Object.fromEntries(
    names.map((name) => [name, name === 'boundary' ? { enum: [...BOUNDARIES] } : text(`Its ${name}`)]),
  );

/** JSON schema of {@link NamesOf}'s two keys; the metadata file has the same. */
export const NAMES_OF_SCHEMA = {
  exporters: {
    type: 'object',
    additionalProperties: {
      anyOf: [
        text('Name'),
        {
          type: 'object',
          additionalProperties: false,
          properties: { name: text('Name'), ...attributes(EXPORTER_ATTRIBUTES) },
        },
      ],
    },
    description:
      'Address of an exporter to its name, such as "192.0.2.1": edge1, or to {name, group, role, site, region, tenant}',
  },
  interfaces: {
    type: 'object',
    additionalProperties: {
      type: 'object',
      propertyNames: { pattern: '^[0-9]+$' },
      additionalProperties: {
        anyOf: [
          text('Name'),
          {
            type: 'object',
            additionalProperties: false,
            properties: {
              name: text('Name'),
              description: text('Description'),
              speed_bps: { type: 'integer', minimum: 0, description: 'Bits per second' },
              ...attributes(INTERFACE_ATTRIBUTES),
            },
          },
        ],
      },
    },
    description:
      'Address of an exporter to interface numbers to names, such as "192.0.2.1": {3: uplink}, or to {name, description, speed_bps, connectivity, provider, boundary}; they win over what the exporter says',
  },
} as const;

const rules = (what: 'exporters' | 'interfaces', attributesOf: readonly string[]) =>
  ({
    type: 'array',
    description: `Rules for ${what}; for each attribute the first rule that sets it wins`,
    items: {
      type: 'object',
      additionalProperties: false,
      required: ['match', 'set'],
      properties: {
        match: {
          type: 'object',
          additionalProperties: false,
          minProperties: 1,
          properties: Object.fromEntries(CLASSIFY_FACTS[what].map((fact) => [fact, text('Regular expression')])),
          description: 'Facts to regular expressions that must all be found',
        },
        set: {
          type: 'object',
          additionalProperties: false,
          minProperties: 1,
          properties: Object.fromEntries(attributesOf.map((name) => [name, text('Value; $1 or $<name> is a group')])),
          description: 'Attributes to values',
        },
      },
    },
  }) as const;

/** JSON schema (draft-07) of {@link NamesConfig}, as the key `names` of ringflow.yml. */
export const NAMES_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  description: 'Names for exporters, interfaces and sets of values',
  properties: {
    ...NAMES_OF_SCHEMA,
    file: {
      anyOf: [{ type: 'string', minLength: 1 }, { type: 'null' }],
      description: 'YAML file with exporters and interfaces as here, for what exporters do not say themselves',
    },
    file_interval_seconds: { type: 'integer', minimum: 1, description: 'How often the file is looked at' },
    classify: {
      type: 'object',
      additionalProperties: false,
      description: 'Attributes that follow from names and descriptions',
      properties: {
        exporters: rules('exporters', EXPORTER_ATTRIBUTES),
        interfaces: rules('interfaces', INTERFACE_ATTRIBUTES),
      },
    },
    sets: {
      type: 'object',
      propertyNames: { pattern: '^[A-Za-z][A-Za-z0-9_-]{0,63}$' },
      additionalProperties: { type: 'array', minItems: 1, items: { type: 'string', minLength: 1 } },
      description: 'Sets of values for filters: "servers: [10.1.0.0/16, 10.2.0.1]" is written @servers',
    },
  },
} as const;
