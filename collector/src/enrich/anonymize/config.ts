import { COLUMNS, type Column, type ColumnName } from '@ringflow/contract';

/** The address columns that are about the traffic: all but the exporter's own address, which names and rates hang on. */
export const ANONYMIZED_COLUMNS: readonly ColumnName[] = COLUMNS.filter(
  (column: Column) => column.type === 'addr' && column.stored && column.name !== 'sampler_address',
).map(({ name }) => name);

/** What becomes of some addresses. */
export interface AnonymizeRule {
  /** Prefixes, or a word for many. */
  readonly networks: 'all' | 'own' | 'all-but-own' | readonly string[];
  /** `keep` leaves them as they are: an exception from the rules behind it. */
  readonly method: 'truncate' | 'cryptopan' | 'keep';
  /** Bits that `truncate` leaves. */
  readonly v4_bits?: number;
  readonly v6_bits?: number;
  /** File with the key of `cryptopan`: 32 bytes, or 64 hexadecimal digits. */
  readonly key_file?: string;
}

/** Which addresses are stored as something else. */
export interface AnonymizeConfig {
  /** The first rule whose networks hold an address decides; without one it stays. */
  readonly rules: readonly AnonymizeRule[];
  readonly columns: readonly ColumnName[];
}

export const ANONYMIZE_DEFAULTS: AnonymizeConfig = { rules: [], columns: ANONYMIZED_COLUMNS };

/** Bits that `truncate` leaves when a rule does not say. */
export const TRUNCATE_BITS = { v4: 24, v6: 48 } as const;

/** JSON schema (draft-07) of {@link AnonymizeConfig}. */
export const ANONYMIZE_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  description: 'Addresses that are stored as something else, after everything was looked up',
  properties: {
    rules: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['networks', 'method'],
        properties: {
          networks: {
            type: ['string', 'array'],
            pattern: '^(all|own|all-but-own)$',
            items: { type: 'string' },
            minItems: 1,
            description: 'all, own, all-but-own, or a list of prefixes',
          },
          method: {
            type: 'string',
            enum: ['truncate', 'cryptopan', 'keep'],
            description:
              'truncate: the last bits become 0; cryptopan: prefix-preserving pseudonyms; keep: an exception',
          },
          v4_bits: { type: 'integer', minimum: 0, maximum: 32, description: 'Bits of IPv4 that truncate leaves' },
          v6_bits: { type: 'integer', minimum: 0, maximum: 128, description: 'Bits of IPv6 that truncate leaves' },
          key_file: {
            type: 'string',
            minLength: 1,
            description: 'File with the key of cryptopan: 32 bytes, or 64 hexadecimal digits',
          },
        },
      },
      description:
        'The first rule whose networks hold an address decides: "{networks: own, method: cryptopan, key_file: anonymize.key}" or "{networks: all, method: truncate, v4_bits: 24, v6_bits: 48}"',
    },
    columns: {
      type: 'array',
      items: { type: 'string', enum: [...ANONYMIZED_COLUMNS] },
      description: 'Columns that the rules apply to',
    },
  },
} as const;
