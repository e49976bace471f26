import { nameId, parsePrefix, SET_SEPARATOR, type NameEntry, type Prefix } from '@ringflow/contract';
import type { AddressResolver } from '../address-facts.ts';
import { createAnnouncements, type Announced } from '../tables/announcements.ts';
import type { NetworksConfig } from './config.ts';
import { compileNetworks, NETWORK_ATTRIBUTES, networkAt, type Network, type NetworkTable } from './network-table.ts';
import { createPrefixTableBuilder, findEntry, NO_ENTRY, type PrefixTable } from '../tables/prefix-table.ts';
import { createScopes, ON_LINK_NETWORKS } from './scopes.ts';
import type { TableDeps } from '../tables/table-deps.ts';
import { createWatchedFile, type FileStatus } from '../tables/watched-file.ts';

/** Own networks, scopes and named networks of addresses. */
export interface Networks {
  readonly resolve: AddressResolver;
  /** Whether the address at `words[at]` to `words[at + 3]` is in the own networks, or on a link of ours. */
  isOwn(words: Uint32Array, at: number): boolean;
  /** Loads the file of networks, where there is one, and watches it. */
  start(longestWaitMs?: number): Promise<void>;
  stop(): Promise<void>;
  /** Sets of networks and places of theirs that were found for the first time. */
  takeNames(): NameEntry[];
  files(): FileStatus[];
}

const CHECK_MS = 5000;

/**
 * @throws RangeError for what is not a network
 */
export function createNetworks(config: NetworksConfig, deps: TableDeps): Networks {
  const scopes = createScopes(config.private_ranges.map((text) => prefixOf('enrich.private_ranges', text)));
  const own = createOwnTable(config.own);
  let named = compileNetworks(config.networks);
  /** By entry of the table: the id of its set, 0 until it is asked for. */
  let setIds = new Uint32Array(named.prefixes.size);
  let placeIds = new Uint32Array(named.prefixes.size);
  const sets = createAnnouncements();
  const places = createAnnouncements();

  function setOf(entry: number): number {
    const known = setIds[entry] as number;
    if (known !== 0) return known;
    const { id, place, ...set } = describeSet(named, entry);
    setIds[entry] = id;
    if (sets.isNew(id)) sets.tell({ kind: 'network', id, ...set });
    if (place) {
      placeIds[entry] = place.id;
      if (places.isNew(place.id)) places.tell(place);
    }
    return id;
  }

  function replace(table: NetworkTable): void {
    named = table;
    setIds = new Uint32Array(table.prefixes.size);
    placeIds = new Uint32Array(table.prefixes.size);
    // Attributes may be others now.
    sets.forget();
    places.forget();
    deps.changed();
  }

  const file =
    config.networks_file === ''
      ? null
      : createWatchedFile<NetworkTable>({
          path: config.networks_file,
          intervalMs: CHECK_MS,
          load: (path, signal) => deps.loadTable('networks', { path, networks: config.networks }, signal),
          entriesOf: ({ lines }) => lines,
          onLoaded: (table, status) => {
            replace(table);
            deps.fileLoaded(status);
          },
          onError: deps.fileFailed,
          now: deps.now,
        });
  const isOwn = (words: Uint32Array, at: number): boolean => findEntry(own, words, at) !== NO_ENTRY;

  return {
    isOwn,
    resolve(words, at, facts) {
      facts.scope = scopes.scopeOf(words, at);
      if (facts.scope === 0) return;
      facts.own = isOwn(words, at) ? 1 : 0;
      const entry = findEntry(named.prefixes, words, at);
      if (entry === NO_ENTRY) return;
      facts.network = setOf(entry);
      facts.place = placeIds[entry] as number;
    },
    start: async (longestWaitMs) => file?.start(longestWaitMs),
    stop: async () => file?.stop(),
    files: () => (file ? [file.status()] : []),
    takeNames: () => [...sets.take(), ...places.take()],
  };
}

/**
 * The set of networks that hold an entry: its names, most specific first, of each attribute the first one, and the place of
 * the first that has one.
 */
function describeSet(
  { prefixes, rows }: NetworkTable,
  from: number,
): { id: number; name: string; description: string; attributes: Record<string, string>; place?: Announced } {
  const names: string[] = [];
  const attributes: Record<string, string> = {};
  let place: Announced | undefined;
  for (let entry = from; entry !== NO_ENTRY; entry = prefixes.parents[entry] as number) {
    const network = networkAt(rows, prefixes.values[entry] as number);
    if (!names.includes(network.name)) names.push(network.name);
    for (const key of NETWORK_ATTRIBUTES) if (network[key] !== '') attributes[key] ??= network[key];
    place ??= placeOf(network);
  }
  const name = names.join(SET_SEPARATOR);
  return { id: nameId(name), name, description: names[0] as string, attributes, ...(place ? { place } : {}) };
}

/** The site of a network as a place on the map, as those of databases are. */
function placeOf({ name, site, latitude, longitude }: Network): Announced | undefined {
  if (latitude === '') return undefined;
  const city = site === '' ? name : site;
  const id = nameId([city, latitude, longitude].join(','));
  const attributes = { country: '', subdivision: '', city, latitude, longitude };
  return { kind: 'place', id, name: city, attributes };
}

function createOwnTable(texts: readonly string[]): PrefixTable {
  const builder = createPrefixTableBuilder();
  for (const text of texts) builder.add(prefixOf('enrich.own', text), 1);
  for (const text of ON_LINK_NETWORKS) builder.add(parsePrefix(text) as Prefix, 1);
  return builder.build();
}

function prefixOf(key: string, text: string): Prefix {
  const prefix = parsePrefix(text);
  if (!prefix) throw new RangeError(`${key}: ${text} is not a network, write it like 192.0.2.0/24`);
  return prefix;
}
