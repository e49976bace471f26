import { parsePrefix, type Prefix } from '@ringflow/contract';
import { packTexts, PART_SEPARATOR, textAt, type Texts } from '../geo/table.ts';
import { isNetworkName, type NetworkConfig } from './config.ts';
import { createPrefixTableBuilder, type PrefixTable } from '../tables/prefix-table.ts';

/** What may be said of a network beside its name. */
export const NETWORK_ATTRIBUTES = ['role', 'site', 'region', 'tenant'] as const;

export interface Network extends Readonly<Record<(typeof NETWORK_ATTRIBUTES)[number], string>> {
  readonly name: string;
}

/** Named networks, compiled; passes between threads as it is. */
export interface NetworkTable {
  /** Values are rows of {@link rows}. */
  readonly prefixes: PrefixTable;
  /** The parts of a {@link Network}: the name, then its attributes. */
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
  function add({ name, role, site, region, tenant, prefix: text, where }: NetworkLine): void {
    if (!isNetworkName(name))
      throw new RangeError(
        `${where}: "${name}" cannot be the name of a network, leave out commas and control characters`,
      );
    const prefix = parsePrefix(text);
    if (!prefix) throw new RangeError(`${where}: ${text} is not a network, write it like 192.0.2.0/24`);
    const row = [name, role, site, region, tenant].join(PART_SEPARATOR);
    const known = prefixesOf.get(row);
    if (known) known.push(prefix);
    else prefixesOf.set(row, [prefix]);
  }
  for (const [name, config] of Object.entries(networks)) {
    const { prefixes, ...said } = isList(config) ? { prefixes: config } : config;
    const where = `enrich.networks.${name}`;
    for (const prefix of prefixes) add({ role: '', site: '', region: '', tenant: '', ...said, name, prefix, where });
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

/** A network by its row. */
export function networkAt(rows: Texts, row: number): Network {
  const [name = '', role = '', site = '', region = '', tenant = ''] = textAt(rows, row);
  return { name, role, site, region, tenant };
}

function isList(config: NetworkConfig): config is readonly string[] {
  return Array.isArray(config);
}
