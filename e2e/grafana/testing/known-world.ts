/** Hosts and exporters of which everything is known beforehand, and the files that tell the collector about them. */
import { encodeMmdb, uint32, type DemoExporter } from '../../../collector/src/demo/index.ts';

/** What is true of an address. */
export interface Host {
  readonly as: number;
  readonly asName: string;
  /** ISO 3166-1. */
  readonly country: string;
  readonly city: string;
  readonly latitude: number;
  readonly longitude: number;
  /** Category in the reputation list; empty = not listed. */
  readonly threat: string;
  /** Named network; empty = none. */
  readonly network: string;
  readonly own: boolean;
}

type Place = readonly [country: string, city: string, latitude: number, longitude: number];
const FRANKFURT: Place = ['DE', 'Frankfurt am Main', 50.1155, 8.6842];

function outside(as: number, asName: string, place: Place, threat = ''): Host {
  const [country, city, latitude, longitude] = place;
  return { as, asName, country, city, latitude, longitude, threat, network: '', own: false };
}
const inside = (network: string): Host => ({
  ...outside(0, '', ['', '', 0, 0]),
  network,
  own: true,
});

/** Numbers of the hosts of a crowd: more clients and servers than a panel shows by name. */
export const CROWD = Array.from({ length: 14 }, (_, index) => index + 1);

export const HOSTS: Readonly<Record<string, Host>> = {
  '10.1.0.10': inside('offices'),
  '10.1.0.11': inside('offices'),
  '10.1.0.12': inside('offices'),
  'fd00:1::13': inside('offices'),
  '10.2.0.20': inside('servers'),
  '10.2.0.21': inside('servers'),
  '142.250.74.10': outside(15169, 'Google LLC', FRANKFURT),
  '2a00:1450:4001:80b::5': outside(15169, 'Google LLC', FRANKFURT),
  '104.16.132.20': outside(13335, 'Cloudflare, Inc.', ['GB', 'London', 51.5085, -0.1257]),
  '52.94.236.30': outside(16509, 'Amazon.com, Inc.', ['US', 'Ashburn', 39.0437, -77.4875]),
  '87.128.34.10': outside(3320, 'Deutsche Telekom AG', ['DE', 'Berlin', 52.5244, 13.4105], 'malware'),
  '178.34.13.99': outside(12389, 'PJSC Rostelecom', ['RU', 'Moscow', 55.7522, 37.6156], 'scanner'),
  '153.142.9.5': outside(4713, 'NTT Communications Corporation', ['JP', 'Tokyo', 35.6895, 139.6917]),
  ...Object.fromEntries(CROWD.map((number) => [`10.1.0.${100 + number}`, inside('offices')])),
  ...Object.fromEntries(
    CROWD.map((number) => [
      `45.57.40.${number}`,
      outside(2906, 'Netflix Streaming Services Inc.', ['US', 'Los Angeles', 34.0522, -118.2437]),
    ]),
  ),
};

export function hostOf(address: string): Host {
  const host = HOSTS[address];
  if (!host) throw new Error(`Nothing is known about ${address}`);
  return host;
}

export interface KnownExporter extends DemoExporter {
  /** How records of its protocol are called. */
  readonly type: string;
}

const ports = (...rows: readonly (readonly [index: number, name: string, description: string, megabits: number])[]) =>
  rows.map(([index, name, description, megabits]) => ({ index, name, description, speedBps: megabits * 1e6 }));
const NOWHERE = { site: { name: '', v4: '', v6: '', hosts: 0 }, weight: 0, inside: [], outside: [] };

/** By name. Interfaces are slow, so that their load is worth a percentage. */
export const EXPORTERS = {
  edge: {
    ...NOWHERE,
    name: 'edge',
    type: 'NETFLOW_V9',
    protocol: 'netflow9',
    address: '127.0.0.21',
    sampling: 1,
    interfaces: ports([1, 'ge-0/0/0', 'Transit', 1], [2, 'ge-0/0/1', 'Peering', 1], [10, 'xe-0/1/0', 'Core', 10]),
  },
  border: {
    ...NOWHERE,
    name: 'border',
    type: 'IPFIX',
    protocol: 'ipfix',
    address: '127.0.0.22',
    sampling: 100,
    interfaces: ports([511, 'et-0/0/0', 'Exchange', 100], [520, 'et-0/1/0', 'Core', 100]),
  },
  branch: {
    ...NOWHERE,
    name: 'branch',
    type: 'NETFLOW_V5',
    protocol: 'netflow5',
    address: '127.0.0.23',
    sampling: 1,
    interfaces: ports([1, 'ether1', 'WAN', 1], [2, 'bridge', 'LAN', 1]),
  },
} as const satisfies Record<string, KnownExporter>;
export type ExporterName = keyof typeof EXPORTERS;

/** The database with the places of {@link HOSTS}. */
export function geography(builtMs: number): Uint8Array {
  const networks = Object.entries(HOSTS)
    .filter(([, { own }]) => !own)
    .map(([address, { as, asName, country, city, latitude, longitude }]) => ({
      network: `${address}/${address.includes(':') ? 128 : 32}`,
      record: {
        autonomous_system_number: uint32(as),
        autonomous_system_organization: asName,
        city: { names: { en: city } },
        country: { iso_code: country },
        location: { latitude, longitude },
      },
    }));
  return encodeMmdb(networks, { type: 'Known-Load', description: 'Places of a test', builtMs });
}

/** The list of what is listed of {@link HOSTS}. */
export function reputation(): string {
  const rows = Object.entries(HOSTS).flatMap(([address, { threat }]) =>
    threat === '' ? [] : [`${address},${threat}`],
  );
  return ['prefix,label', ...rows, ''].join('\n');
}

/** Settings that go with the load: its networks, names and speeds, and where the two files are. */
export function settings(geographyPath: string, reputationPath: string): string {
  const config = {
    enrich: {
      networks: { offices: ['10.1.0.0/16', 'fd00:1::/48'], servers: ['10.2.0.0/16'] },
      geo: { databases: [geographyPath] },
      reputation: { lists: [{ name: 'known', path: reputationPath }] },
    },
    names: {
      exporters: Object.fromEntries(Object.values(EXPORTERS).map(({ address, name }) => [address, name])),
      interfaces: Object.fromEntries(
        Object.values(EXPORTERS).map(({ address, interfaces }) => [
          address,
          Object.fromEntries(
            interfaces.map(({ index, name, description, speedBps }) => [
              index,
              { name, description, speed_bps: speedBps },
            ]),
          ),
        ]),
      ),
    },
  };
  // YAML is a superset of JSON.
  return Object.entries(config)
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`)
    .join('');
}
