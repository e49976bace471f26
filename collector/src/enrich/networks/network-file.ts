import { readFile } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import { compileNetworks, NETWORK_PARTS, type NetworkLine, type NetworkTable } from './network-table.ts';
import type { NetworkConfig } from './config.ts';

export interface NetworkFileInput {
  readonly path: string;
  /** What is configured beside the file. */
  readonly networks: Readonly<Record<string, NetworkConfig>>;
}

const COLUMNS = ['network', 'name', ...NETWORK_PARTS] as const;
const NEEDED = ['network', 'name'] as const;

/**
 * Reads named networks from CSV with headings: `network`, `name`, and of `role`, `site`, `region`, `tenant`, `latitude` and
 * `longitude` those that are there, in any order; other columns are left out. `#` begins a comment. Compiled together with what is
 * configured.
 *
 * @throws Error that names the first line that is wrong
 */
export async function loadNetworks({ path, networks }: NetworkFileInput): Promise<NetworkTable> {
  return compileNetworks(networks, parseNetworks(await readFile(path)));
}

/** The lines of {@link loadNetworks}. */
export function parseNetworks(content: Uint8Array): NetworkLine[] {
  let hasHeadings = false;
  const lines = parse(content, {
    bom: true,
    comment: '#',
    skip_empty_lines: true,
    trim: true,
    columns: (headings: string[]) => {
      const names = headings.map((heading) => heading.toLowerCase());
      for (const name of NEEDED)
        if (!names.includes(name))
          throw new Error(`It has no column "${name}": write a first line like ${COLUMNS.join(',')}`);
      hasHeadings = true;
      return names;
    },
    on_record: (record: Record<string, string>, { lines }): NetworkLine => ({
      where: `line ${lines}`,
      prefix: record['network'] ?? '',
      name: record['name'] ?? '',
      role: record['role'] ?? '',
      site: record['site'] ?? '',
      region: record['region'] ?? '',
      tenant: record['tenant'] ?? '',
      latitude: record['latitude'] ?? '',
      longitude: record['longitude'] ?? '',
    }),
  }) as unknown as NetworkLine[];
  if (!hasHeadings) throw new Error('It is empty');
  return lines;
}
