import { SET_SEPARATOR } from '@ringflow/contract';

/** A named network: its prefixes, or these with what is said about it. */
export type NetworkConfig =
  | readonly string[]
  | {
      readonly prefixes: readonly string[];
      readonly role?: string;
      readonly site?: string;
      readonly region?: string;
      readonly tenant?: string;
      /** Degrees; both or none. */
      readonly latitude?: number;
      readonly longitude?: number;
    };

/** Which addresses are ours, and what networks are called. */
export interface NetworksConfig {
  /** Networks that are ours: they tell `in` from `out` (semantics 5.3, 5.4). */
  readonly own: readonly string[];
  /** Networks whose addresses count as private beside those that the registries call so. */
  readonly private_ranges: readonly string[];
  /** Name → network; networks may overlap. */
  readonly networks: Readonly<Record<string, NetworkConfig>>;
  /** CSV file with more of them; empty = none. */
  readonly networks_file: string;
}

export const NETWORKS_DEFAULTS: NetworksConfig = {
  own: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
  private_ranges: [],
  networks: {},
  networks_file: '',
};

const prefixes = (description: string) => ({ type: 'array', items: { type: 'string' }, description }) as const;
const text = (description: string) => ({ type: 'string', description }) as const;

/** JSON schemas of the keys of {@link NetworksConfig}. */
export const NETWORKS_SCHEMAS = {
  own: prefixes('Own networks: traffic from outside into them is "in", out of them "out", between them "internal"'),
  private_ranges: prefixes(
    'Networks that count as private beside those that IANA calls so: never looked up, and traffic between them is not public',
  ),
  networks: {
    type: 'object',
    additionalProperties: {
      type: ['array', 'object'],
      description: 'A list of prefixes, or prefixes with role, site, region, tenant, and a place on the map',
      items: { type: 'string' },
      additionalProperties: false,
      required: ['prefixes'],
      properties: {
        prefixes: prefixes('Prefixes of the network'),
        role: text('What it is for'),
        site: text('Where it is'),
        region: text('Where its site is'),
        tenant: text('Whose it is'),
        latitude: {
          type: 'number',
          minimum: -90,
          maximum: 90,
          description: 'Where its site is on the map, in degrees',
        },
        longitude: { type: 'number', minimum: -180, maximum: 180, description: 'Goes with latitude' },
      },
    },
    description:
      'Named networks, which may overlap: "dmz: [192.0.2.0/24]", or with role, site, region and tenant: "dmz: {prefixes: [192.0.2.0/24], site: lab}"',
  },
  networks_file: text(
    'CSV file with more named networks: a first line like network,name,role,site,region,tenant,latitude,longitude, then a line per prefix',
  ),
} as const;

/** Names stand in lists that are separated by commas. */
export function isNetworkName(name: string): boolean {
  return name.trim() === name && name !== '' && !name.includes(SET_SEPARATOR) && !/[\u0000-\u001f]/.test(name);
}
