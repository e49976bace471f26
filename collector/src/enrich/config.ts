import { ANONYMIZE_DEFAULTS, ANONYMIZE_SCHEMA, type AnonymizeConfig } from './anonymize/config.ts';
import { GEO_DEFAULTS, GEO_SCHEMA, type GeoConfig } from './geo/config.ts';
import { CONVERSATION_DEFAULTS, CONVERSATION_PROPERTIES, type ConversationConfig } from './conversations/config.ts';
import { REPUTATION_DEFAULTS, REPUTATION_SCHEMA, type ReputationConfig } from './reputation/config.ts';
import { NETWORKS_DEFAULTS, NETWORKS_SCHEMAS, type NetworksConfig } from './networks/config.ts';

export { isNetworkName } from './networks/config.ts';

/** What is added to records before they are sealed. */
export interface EnrichConfig extends NetworksConfig, ConversationConfig {
  readonly sampling: {
    /** Rate for records whose exporter does not say (S08); 0 leaves it unknown, and the record is flagged. */
    readonly default: number;
    /** Network of exporters → rate that replaces whatever they say (semantics 5.7); the longest match wins. */
    readonly override: Readonly<Record<string, number>>;
  };
  readonly service: {
    /** Ports of own services, `tcp/8443` or `udp/5000-5010`: they win over registered ones (semantics 5.2 rule 6). */
    readonly ports: readonly string[];
  };
  readonly geo: GeoConfig;
  readonly reputation: ReputationConfig;
  readonly asa: {
    /** Count the totals that Cisco ASA repeats at the end of a connection once (F02). */
    readonly drop_repeated_totals: boolean;
  };
  readonly anonymize: AnonymizeConfig;
}

export const ENRICH_DEFAULTS: EnrichConfig = {
  ...NETWORKS_DEFAULTS,
  ...CONVERSATION_DEFAULTS,
  sampling: { default: 0, override: {} },
  service: { ports: [] },
  geo: GEO_DEFAULTS,
  reputation: REPUTATION_DEFAULTS,
  asa: { drop_repeated_totals: true },
  anonymize: ANONYMIZE_DEFAULTS,
};

const section = (description: string, properties: object) =>
  ({ type: 'object', additionalProperties: false, description, properties }) as const;

/** JSON schema (draft-07) of {@link EnrichConfig}, as the key `enrich` of ringflow.yml. */
export const ENRICH_SCHEMA = section('What is added to records before they are stored', {
  ...NETWORKS_SCHEMAS,
  ...CONVERSATION_PROPERTIES,
  sampling: section('Sampling rates', {
    default: {
      type: 'integer',
      minimum: 0,
      maximum: 4_294_967_295,
      description: 'One packet in N, for exporters that do not say; 0 leaves the rate unknown and flags the record',
    },
    override: {
      type: 'object',
      additionalProperties: { type: 'integer', minimum: 1, maximum: 4_294_967_295 },
      description: 'Network of exporters to rate, replacing what they say, such as "192.0.2.0/24": 1000',
    },
  }),
  service: section('The port that names the service of a record', {
    ports: {
      type: 'array',
      items: { type: 'string', pattern: '^(tcp|udp|sctp|dccp|udplite)/[0-9]{1,5}(-[0-9]{1,5})?$' },
      description: 'Ports of own services, such as "tcp/8443" or "udp/5000-5010"; they win over registered ones',
    },
  }),
  geo: GEO_SCHEMA,
  reputation: REPUTATION_SCHEMA,
  asa: section('Cisco ASA (NSEL)', {
    drop_repeated_totals: {
      type: 'boolean',
      description: 'Count the totals that are repeated when a connection ends only once',
    },
  }),
  anonymize: ANONYMIZE_SCHEMA,
});
