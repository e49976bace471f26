import { parsePrefix, type Prefix } from '@ringflow/contract';
import { packTexts, PART_SEPARATOR, textAt, type Texts } from '../geo/table.ts';
import { isNetworkName, type NetworkConfig } from './config.ts';
import { createPrefixTableBuilder, type PrefixTable } from '../tables/prefix-table.ts';

/** What may be said of a network beside its name. */
export const NETWORK_ATTRIBUTES = ['role', 'site', 'region', 'tenant'] as const;

/** Where a network is, in degrees as text; empty = not said. */
export const NETWORK_COORDINATES = ['latitude', 'longitude'] as const;

/** What a line of a file may say of a network. */
export const NETWORK_PARTS = [...NETWORK_ATTRIBUTES, ...NETWORK_COORDINATES] as const;

export interface Network extends Readonly<Record<(typeof NETWORK_PARTS)[number], string>> {
  readonly name: string;
}

const NOTHING_SAID = Object.fromEntries(NETWORK_PARTS.map((part) => [part, ''])) as Omit<Network, 'name'>;

/** Named networks, compiled; passes between threads as it is. */
export interface NetworkTable {
  /** Values are rows of {@link rows}. */
  readonly prefixes: PrefixTable;
  /** The parts of a {@link Network}: the name, then {@link NETWORK_PARTS}. */
  readonly rows: Texts;
  /** How many prefixes are from a file. */
  readonly lines: number;
}

/** A prefix of a network. */
export interface NetworkLine extends Network {
  readonly prefix: string;
  /** Where it is written, for messages. */
  readonly where: string;
}

/**
 * @param networks as configured
 * @param lines from a file; a name may stand in both
 * @throws RangeError for what is not a network or not a name
 */
export function compileNetworks(
  networks: Readonly<Record<string, NetworkConfig>>,
  lines: Iterable<NetworkLine> = [],
): NetworkTable {
  const prefixesOf = new Map<string, Prefix[]>();
  function add({ name, prefix: text, where, ...said }: NetworkLine): void {
    if (!isNetworkName(name))
      throw new RangeError(
        `${where}: "${name}" cannot be the name of a network, leave out commas and control characters`,
      );
    const prefix = parsePrefix(text);
    if (!prefix) throw new RangeError(`${where}: ${text} is not a network, write it like 192.0.2.0/24`);
    checkCoordinates(said, where);
    const row = [name, ...NETWORK_PARTS.map((part) => said[part])].join(PART_SEPARATOR);
    const known = prefixesOf.get(row);
    if (known) known.push(prefix);
    else prefixesOf.set(row, [prefix]);
  }
  for (const [name, config] of Object.entries(networks)) {
    const { prefixes, ...said } = isList(config) ? { prefixes: config } : config;
    const texts = Object.fromEntries(Object.entries(said).map(([part, value]) => [part, String(value)]));
    const where = `enrich.networks.${name}`;
    for (const prefix of prefixes) add({ ...NOTHING_SAID, ...texts, name, prefix, where });
  }
  let count = 0;
  for (const line of lines) {
    add(line);
    count++;
  }

  // Of equal prefixes the one that is added last is found first: the order of the configuration shall not matter.
  const rows = [...prefixesOf.keys()].sort().reverse();
  const builder = createPrefixTableBuilder();
  rows.forEach((row, index) => {
    for (const prefix of prefixesOf.get(row) ?? []) builder.add(prefix, index);
  });
  return { prefixes: builder.build(), rows: packTexts(rows), lines: count };
}

/** @throws RangeError for half a place, or one that is nowhere on earth */
function checkCoordinates({ latitude, longitude }: Pick<Network, 'latitude' | 'longitude'>, where: string): void {
  if (latitude === '' && longitude === '') return;
  const isWithin = (text: string, most: number) => text !== '' && Math.abs(Number(text)) <= most;
  if (!isWithin(latitude, 90) || !isWithin(longitude, 180))
    throw new RangeError(`${where}: latitude and longitude go together, in degrees: 52.52 and 13.41`);
}

/** A network by its row. */
export function networkAt(rows: Texts, row: number): Network {
  const [name = '', ...parts] = textAt(rows, row);
  const said = Object.fromEntries(NETWORK_PARTS.map((part, at) => [part, parts[at] ?? '']));
  return { ...NOTHING_SAID, ...said, name };
}

function isList(config: NetworkConfig): config is readonly string[] {
  return Array.isArray(config);
}
