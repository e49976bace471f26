import { THREAT_CATEGORIES, type ThreatCategory } from './categories.ts';
import { LIST_FORMATS, type ListFormat } from './formats/index.ts';

/** A reputation list: a file, a directory of files, or all files that a pattern fits. */
export interface ReputationListConfig {
  readonly name: string;
  readonly path: string;
  /** Absent: told from the content. */
  readonly format?: ListFormat;
  /** In place of all that the file says. */
  readonly label?: string;
  readonly category?: ThreatCategory;
  /** 0 to 100, for entries that do not say; absent = as the format is trusted. */
  readonly confidence?: number;
  /** What the numbers of an `iprep` list mean. */
  readonly categories_file?: string;
  /** An older list is reported. */
  readonly max_age_seconds?: number;
  /** An older list is not used. */
  readonly expire_after_seconds?: number;
  /** Match entries with a port on traffic of that port only. Default: true. */
  readonly port_match?: boolean;
  /** Take it over even when it lost more than half of its entries. */
  readonly allow_shrink?: boolean;
  /** Default: true. */
  readonly enabled?: boolean;
}

/** What public addresses are known for, from files that something else fetches. */
export interface ReputationConfig {
  readonly lists: readonly ReputationListConfig[];
  /** Networks and addresses that are never labelled, whatever the lists say. */
  readonly allow: readonly string[];
  /** Files with more of them: one per line, or MISP warninglists. */
  readonly allow_files: readonly string[];
  /** Words of lists and the category that they stand for. */
  readonly categories: Readonly<Record<string, ThreatCategory>>;
  /** Use entries of documentation networks (192.0.2.0/24 and the like). */
  readonly keep_documentation: boolean;
  /** A larger file is not read. */
  readonly max_file_bytes: number;
  /** How far back entries that are new in a list are looked for; 0 = not at all. */
  readonly retro_days: number;
}

export const REPUTATION_DEFAULTS: ReputationConfig = {
  lists: [],
  allow: [],
  allow_files: [],
  categories: {},
  keep_documentation: false,
  max_file_bytes: 268_435_456,
  retro_days: 30,
};

const text = (description: string) => ({ type: 'string', minLength: 1, description }) as const;
const flag = (description: string) => ({ type: 'boolean', description }) as const;
const category = { type: 'string', enum: [...THREAT_CATEGORIES] } as const;

/** JSON schema (draft-07) of {@link ReputationConfig}. */
export const REPUTATION_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  description: 'What public addresses are known for, from files; nothing is fetched',
  properties: {
    lists: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['name', 'path'],
        properties: {
          name: {
            type: 'string',
            pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$',
            description: 'What the list is called',
          },
          path: text('A file, a directory of JSON files (a MISP feed), or a pattern with * in the file name'),
          format: {
            type: 'string',
            enum: [...LIST_FORMATS],
            description: `One of ${LIST_FORMATS.join(', ')}; told from the content when it is not set`,
          },
          label: {
            type: 'string',
            pattern: '^[^,\\u0000-\\u001f]{1,64}$',
            description: 'Label of all entries, instead of what the file says',
          },
          category: { ...category, description: 'Category of all entries, instead of what the file says' },
          confidence: {
            type: 'integer',
            minimum: 0,
            maximum: 100,
            description: 'How far entries that do not say are trusted',
          },
          categories_file: text('The file that names the categories of a list in the format iprep'),
          max_age_seconds: { type: 'integer', minimum: 1, description: 'An older list is reported' },
          expire_after_seconds: { type: 'integer', minimum: 1, description: 'An older list is not used' },
          port_match: flag('Match entries that have a port on traffic of that port only'),
          allow_shrink: flag('Take the list over even when it lost more than half of its entries'),
          enabled: flag('Use the list'),
        },
      },
      description: 'Reputation lists: "{name: drop, path: lists/drop_v4.json}"',
    },
    allow: {
      type: 'array',
      items: { type: 'string' },
      description: 'Networks and addresses that are never labelled, such as "1.1.1.1"',
    },
    allow_files: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      description: 'Files with more of them: one per line, or MISP warninglists of the type cidr',
    },
    categories: {
      type: 'object',
      additionalProperties: category,
      description: 'Words of lists, in lower case, and the category that they stand for, such as "emotet: bot"',
    },
    keep_documentation: flag('Use entries of documentation networks such as 192.0.2.0/24'),
    max_file_bytes: {
      type: 'integer',
      minimum: 1024,
      maximum: 1_073_741_824,
      description: 'A larger file is not read',
    },
    retro_days: {
      type: 'integer',
      minimum: 0,
      maximum: 365,
      description: 'Days of records that are matched again, once a day and when a list has changed; 0 = none',
    },
  },
} as const;
