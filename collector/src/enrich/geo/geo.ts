import { COLUMNS, type Column, type NameEntry } from '@ringflow/contract';
import { COLUMN_INDEX } from '../../wire/index.ts';
import type { AddressResolver } from '../address-facts.ts';
import { createAnnouncements } from '../tables/announcements.ts';
import type { AsPrefixes } from './as-files.ts';
import type { AsSource, GeoConfig } from './config.ts';
import { asNameOf, findLeaf, PLACE_PARTS, textAt, type AsNames, type GeoTable } from './table.ts';
import { findValue } from '../tables/prefix-table.ts';
import type { Step } from '../step.ts';
import type { TableDeps } from '../tables/table-deps.ts';
import {
  createWatchedFile,
  type FileStatus,
  type WatchedFile,
  type WatchedFileOptions,
} from '../tables/watched-file.ts';

/** Country, place and AS of addresses, from files that may change. */
export interface Geo {
  /** Fills in what the files know about a public address. */
  readonly resolve: AddressResolver;
  /** Tells the names of AS numbers that records have, wherever they come from. Runs when these are settled. */
  readonly tellAsNames: Step;
  start(longestWaitMs?: number): Promise<void>;
  stop(): Promise<void>;
  takeNames(): NameEntry[];
  files(): FileStatus[];
}

const CHECK_MS = 2000;

/** Columns whose ids are AS numbers. */
const AS_COLUMNS = COLUMNS.filter((column: Column) => column.names === 'as' && column.stored).map(
  ({ name }) => COLUMN_INDEX[name],
);

export function createGeo(config: GeoConfig, deps: TableDeps): Geo {
  const databases: (GeoTable | null)[] = config.databases.map(() => null);
  let prefixes: AsPrefixes | null = null;
  let names: AsNames | null = null;
  const asNumbers = createAnnouncements();
  const places = createAnnouncements();
  const { ahead, behind } = splitAtFlow(config.as_sources);

  function watch<T>(
    path: string,
    options: Pick<WatchedFileOptions<T>, 'load' | 'entriesOf' | 'onLoaded'>,
  ): WatchedFile {
    return createWatchedFile<T>({
      ...options,
      path,
      intervalMs: CHECK_MS,
      onLoaded: (content, status) => {
        options.onLoaded(content, status);
        asNumbers.forget();
        places.forget();
        deps.changed();
        deps.fileLoaded(status);
      },
      onError: deps.fileFailed,
      now: deps.now,
    });
  }

  const files = config.databases.map((path, index) =>
    watch<GeoTable>(path, {
      load: (from, signal) => deps.loadTable('geo', from, signal),
      entriesOf: ({ networks }) => networks,
      onLoaded: (table) => (databases[index] = table),
    }),
  );
  if (config.as_prefixes !== '')
    files.push(
      watch<AsPrefixes>(config.as_prefixes, {
        load: (from, signal) => deps.loadTable('as_prefixes', from, signal),
        entriesOf: ({ networks }) => networks.size,
        onLoaded: (content) => (prefixes = content),
      }),
    );
  if (config.as_names !== '')
    files.push(
      watch<AsNames>(config.as_names, {
        load: (from, signal) => deps.loadTable('as_names', from, signal),
        entriesOf: ({ asns }) => asns.length,
        onLoaded: (content) => (names = content),
      }),
    );

  const resolve: AddressResolver = (words, at, facts) => {
    let country = 0;
    let place = 0;
    let databaseAs = 0;
    for (const table of databases) {
      const leaf = table === null ? 0 : findLeaf(table, words, at);
      if (table === null || leaf === 0) continue;
      if (country === 0) country = table.countries[leaf] as number;
      if (databaseAs === 0) databaseAs = table.asns[leaf] as number;
      if (place === 0) {
        place = table.places[leaf] as number;
        if (place !== 0 && places.isNew(place)) tellPlace(table, leaf);
      }
    }
    const prefixAs = prefixes === null ? 0 : findValue(prefixes.networks, words, at, 0);
    facts.country = country;
    // Where a network of ours is, the configuration knows better.
    if (facts.place === 0) facts.place = place;
    facts.asn = firstOf(ahead, databaseAs, prefixAs);
    facts.asnBehindFlow = firstOf(behind, databaseAs, prefixAs);
  };

  function tellPlace(table: GeoTable, leaf: number): void {
    const [name, ...parts] = textAt(table.placeTexts, table.placeRows[leaf] as number);
    places.tell({
      kind: 'place',
      id: table.places[leaf] as number,
      name: name as string,
      attributes: Object.fromEntries(PLACE_PARTS.map((part, index) => [part, parts[index] ?? ''])),
    });
  }

  function asName(asn: number): string {
    for (const known of [names, prefixes?.names, ...databases.map((table) => table?.asNames)]) {
      const name = known ? asNameOf(known, asn) : '';
      if (name !== '') return name;
    }
    return '';
  }

  const tellAsNames: Step = (batch, from, to) => {
    if (files.length === 0) return;
    for (const column of AS_COLUMNS) {
      const values = batch.used[column] === 0 ? null : batch.data[column];
      if (!values) continue;
      for (let row = from; row < to; row++) {
        const asn = values[row] as number;
        if (asn === 0 || !asNumbers.isNew(asn)) continue;
        const name = asName(asn);
        if (name !== '') asNumbers.tell({ kind: 'as', id: asn, name, attributes: {} });
      }
    }
  };

  return {
    resolve,
    tellAsNames,
    start: async (longestWaitMs) => void (await Promise.all(files.map((file) => file.start(longestWaitMs)))),
    stop: async () => void (await Promise.all(files.map((file) => file.stop()))),
    takeNames: () => [...places.take(), ...asNumbers.take()],
    files: () => files.map((file) => file.status()),
  };
}

type TableSource = Exclude<AsSource, 'flow' | 'flow_except_private'>;

/** The sources before and after what the flow says; without the flow, all stand before it. */
function splitAtFlow(sources: readonly AsSource[]): { ahead: TableSource[]; behind: TableSource[] } {
  const at = sources.findIndex(isFlow);
  const isTable = (source: AsSource): source is TableSource => !isFlow(source);
  return {
    ahead: (at < 0 ? sources : sources.slice(0, at)).filter(isTable),
    behind: at < 0 ? [] : sources.slice(at + 1).filter(isTable),
  };
}

function isFlow(source: AsSource): boolean {
  return source === 'flow' || source === 'flow_except_private';
}

function firstOf(sources: readonly TableSource[], databaseAs: number, prefixAs: number): number {
  for (let i = 0; i < sources.length; i++) {
    const asn = sources[i] === 'database' ? databaseAs : prefixAs;
    if (asn !== 0) return asn;
  }
  return 0;
}
