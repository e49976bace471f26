import { parsePrefix, type NameEntry, type Prefix } from '@ringflow/contract';
import { COLUMN_INDEX, useColumn, type Batch } from '../../wire/index.ts';
import type { AddressResolver } from '../address-facts.ts';
import { createAnnouncements } from '../tables/announcements.ts';
import { versionAt } from '../tables/list-files.ts';
import { createPrefixTableBuilder, findEntry, NO_ENTRY, type PrefixTable } from '../tables/prefix-table.ts';
import type { ReputationConfig, ReputationListConfig } from './config.ts';
import { createThreatSets, type ListedTag, type ThreatSet } from './sets.ts';
import {
  countUpTo,
  ENTRY,
  ENTRY_WORDS,
  firstAs,
  isValidAt,
  tagAt,
  type ListCounts,
  type ReputationTable,
} from './table.ts';
import { isPublicScope } from '../networks/scopes.ts';
import type { Step } from '../step.ts';
import type { TableDeps } from '../tables/table-deps.ts';
import { createWatchedFile, type FileStatus, type WatchedFile } from '../tables/watched-file.ts';

/** What is known about a reputation list, for metrics and the status page. */
export interface ReputationListStatus extends ListCounts {
  readonly list: string;
  readonly path: string;
  /** Empty until it is loaded. */
  readonly format: string;
  /** When it was made or else written, milliseconds since the epoch; 0 = not loaded. */
  readonly dateMs: number;
  /** It is older than `max_age_seconds`. */
  readonly isOld: boolean;
  /** It is older than `expire_after_seconds`, and not used. */
  readonly isExpired: boolean;
  /** The first line that cannot be read and why; empty when there is none. */
  readonly problem: string;
  /** Why it cannot be used as it is now; null when it is in use. */
  readonly error: string | null;
  /** Times that it could not be used. */
  readonly failures: number;
  /** Ends of records that it labelled, by category. */
  readonly hits: Readonly<Record<string, number>>;
}

/** What addresses and AS are known for, from lists that may change. */
export interface Reputation {
  /** Labels of a public address; says when ports matter. */
  readonly resolve: AddressResolver;
  /** Id of the labels of an address at a port; for those where ports matter. */
  threatAtPort(words: Uint32Array, at: number, proto: number, port: number): number;
  /** Adds labels of AS numbers and counts hits; runs when addresses and AS numbers are settled. */
  readonly step: Step;
  /** @param longestWaitMs for lists that take long to load */
  start(longestWaitMs?: number): Promise<void>;
  stop(): Promise<void>;
  takeNames(): NameEntry[];
  files(): FileStatus[];
  lists(): ReputationListStatus[];
  /** Labels of an address of any traffic, without those that are bound to a port. */
  labelsOf(words: Uint32Array, at: number): readonly ListedTag[];
}

export interface ReputationDeps extends TableDeps {
  readonly own: readonly string[];
  readonly privateRanges: readonly string[];
}

const CHECK_MS = 5000;
/** Entries that begin and end to hold make all addresses be looked up again, at most this often. */
const TURN_MS = 60_000;
/** A list with fewer entries may lose any number of them. */
const SHRINK_FROM = 10;
const ANY_PORT = -1;

interface List {
  readonly config: ReputationListConfig;
  readonly file: WatchedFile;
  table: ReputationTable | null;
  /** By row of `tags`: its number in the order of all labels of all lists. */
  ranks: Uint32Array;
}

/**
 * @throws RangeError for what is not a network
 */
export function createReputation(config: ReputationConfig, deps: ReputationDeps): Reputation {
  const { now } = deps;
  const sets = createThreatSets();
  const announced = createAnnouncements();
  const own = tableOf('enrich.own', deps.own);
  const lists = config.lists.filter(({ enabled }) => enabled !== false).map(createList);
  const allowed: (PrefixTable | null)[] = [
    tableOf('enrich.reputation.allow', config.allow),
    ...config.allow_files.map(() => null),
  ];
  const allowFiles = config.allow_files.map((path, index) =>
    createWatchedFile<PrefixTable>({
      path,
      intervalMs: CHECK_MS,
      load: (from, signal) =>
        deps.loadTable('reputation_allow', { path: from, maxBytes: config.max_file_bytes }, signal),
      entriesOf: ({ size }) => size,
      onLoaded: (table, status) => {
        allowed[index + 1] = table;
        deps.changed();
        deps.fileLoaded(status);
      },
      onError: deps.fileFailed,
      now,
    }),
  );
  const files = [...lists.map(({ file }) => file), ...allowFiles];
  let hasAs = false;
  let timer: NodeJS.Timeout | null = null;
  let turnedMs = now();

  function createList(list: ReputationListConfig): List {
    const made: List = {
      config: list,
      table: null,
      ranks: new Uint32Array(0),
      file: createWatchedFile<ReputationTable>({
        path: list.path,
        versionOf: versionAt,
        intervalMs: CHECK_MS,
        load: async (_path, signal) => {
          const input = { list, rules: config, own: deps.own, privateRanges: deps.privateRanges, nowMs: now() };
          const table = await deps.loadTable('reputation', input, signal);
          checkSize(list, made.table, table);
          return table;
        },
        entriesOf: ({ accepted }) => accepted,
        onLoaded: (table, status) => {
          made.table = table;
          takeOver();
          deps.fileLoaded(status);
        },
        onError: deps.fileFailed,
        now,
      }),
    };
    return made;
  }

  /** Ranks and sets are made anew: their order is over all lists, and their age counts. */
  function takeOver(): void {
    const tags = lists.flatMap((list) => {
      const {
        table,
        config: { name },
      } = list;
      if (table === null) return [];
      const dateMs = dateOf(list);
      const isOwn = table.format === 'csv';
      return Array.from({ length: table.tagCount }, (_, row) => ({ ...tagAt(table, row), list: name, isOwn, dateMs }));
    });
    const ranks = sets.replace(tags);
    let next = 0;
    for (const list of lists) {
      const count = list.table?.tagCount ?? 0;
      list.ranks = ranks.subarray(next, next + count);
      next += count;
    }
    hasAs = lists.some(({ table }) => table !== null && table.asns.length > 0);
    announced.forget();
    deps.changed();
  }

  function dateOf({ table, file }: List): number {
    return table?.dateMs || file.status().modifiedMs;
  }

  function isExpired(list: List): boolean {
    const { expire_after_seconds: limit = 0 } = list.config;
    return limit > 0 && list.table !== null && now() - dateOf(list) > limit * 1000;
  }

  /** What others say of our addresses is about other people's 10.0.0.1, or our own people have to be told by other means. */
  function isExempt(words: Uint32Array, at: number): boolean {
    if (findEntry(own, words, at) !== NO_ENTRY) return true;
    return allowed.some((table) => table !== null && findEntry(table, words, at) !== NO_ENTRY);
  }

  /** Collects the labels of an address. @returns whether there are some for single ports */
  function collect(words: Uint32Array, at: number, port: number): boolean {
    let boundToPort = false;
    const seconds = Math.floor(now() / 1000);
    for (let i = 0; i < lists.length; i++) {
      const list = lists[i] as List;
      const { table, ranks } = list;
      if (table === null) continue;
      const { networks, entries } = table;
      let entry = findEntry(networks, words, at);
      if (entry === NO_ENTRY || isExpired(list)) continue;
      for (; entry !== NO_ENTRY; entry = networks.parents[entry] as number) {
        const row = networks.values[entry] as number;
        const bound = entries[row * ENTRY_WORDS + ENTRY.port] as number;
        if (!isValidAt(table, row, seconds)) continue;
        if (bound !== 0) boundToPort = true;
        if (bound === 0 || bound === port) sets.add(ranks[entries[row * ENTRY_WORDS + ENTRY.tag] as number] as number);
      }
    }
    return boundToPort;
  }

  function collectAs(asn: number): void {
    const seconds = Math.floor(now() / 1000);
    for (const list of lists) {
      const { table, ranks } = list;
      if (table === null || isExpired(list)) continue;
      for (let i = firstAs(table, asn); table.asns[i] === asn; i++) {
        const row = table.asEntries[i] as number;
        if (isValidAt(table, row, seconds))
          sets.add(ranks[table.entries[row * ENTRY_WORDS + ENTRY.tag] as number] as number);
      }
    }
  }

  function told(set: ThreatSet | null): number {
    if (set === null) return 0;
    if (announced.isNew(set.id)) announced.tell(nameOf(set));
    return set.id;
  }

  const resolve: AddressResolver = (words, at, facts) => {
    if (lists.length === 0 || facts.own === 1) return;
    sets.begin();
    const boundToPort = collect(words, at, ANY_PORT);
    const set = sets.end();
    if ((set === null && !boundToPort) || isExempt(words, at)) return;
    facts.threat = told(set);
    facts.threatByPort = boundToPort ? 1 : 0;
  };

  function threatAtPort(words: Uint32Array, at: number, _proto: number, port: number): number {
    sets.begin();
    collect(words, at, port);
    return told(sets.end());
  }

  /** Adds labels of AS numbers to those of the address, and counts hits, for one end of records. */
  function createSide(prefix: 'src' | 'dst') {
    const [threatColumn, asColumn] = [COLUMN_INDEX[`${prefix}_threat`], COLUMN_INDEX[`${prefix}_as`]];
    const [addressColumn, portColumn] = [COLUMN_INDEX[`${prefix}_addr`], COLUMN_INDEX[`${prefix}_port`]];
    const scopeColumn = COLUMN_INDEX[`${prefix}_scope`];
    return (batch: Batch, from: number, to: number): void => {
      const addresses = batch.data[addressColumn] as Uint32Array | null;
      const asns = hasAs && batch.used[asColumn] !== 0 ? batch.data[asColumn] : null;
      let threats = batch.used[threatColumn] === 0 ? null : batch.data[threatColumn];
      if (!addresses || (!threats && !asns)) return;
      for (let row = from; row < to; row++) {
        const found = threats ? (threats[row] as number) : 0;
        const asn = asns ? (asns[row] as number) : 0;
        if (found === 0 && asn === 0) continue;
        const byAs = asn !== 0 && isListed(asn) && isPublicScope(batch.data[scopeColumn]?.[row] ?? 0);
        if (!byAs && found === 0) continue;
        let set = byAs ? null : sets.find(found);
        if (set === null) {
          if (isExempt(addresses, row * 4)) continue;
          sets.begin();
          if (found !== 0) collect(addresses, row * 4, batch.data[portColumn]?.[row] ?? 0);
          if (byAs) collectAs(asn);
          set = sets.end();
        }
        if (set === null) continue;
        for (const hit of set.hits) hit.count++;
        if (set.id !== found) (threats ??= useColumn(batch, threatColumn))[row] = told(set);
      }
    };
  }

  function isListed(asn: number): boolean {
    for (const { table } of lists) {
      if (table !== null && table.asns.length > 0 && table.asns[firstAs(table, asn)] === asn) return true;
    }
    return false;
  }

  const [source, destination] = [createSide('src'), createSide('dst')];

  /** Looks for entries that began or ceased to hold, and lists that grew too old, since the last look. */
  function turn(): void {
    const nowMs = now();
    if (nowMs - turnedMs < TURN_MS) return;
    const isNews = lists.some((list) => turnsUntil(list, nowMs) !== turnsUntil(list, turnedMs));
    turnedMs = nowMs;
    if (isNews) deps.changed();
  }

  function turnsUntil(list: List, atMs: number): number {
    const { expire_after_seconds: limit = 0 } = list.config;
    if (list.table === null) return 0;
    const isOver = limit > 0 && atMs - dateOf(list) > limit * 1000;
    return countUpTo(list.table.turns, Math.floor(atMs / 1000)) + (isOver ? 1 : 0);
  }

  return {
    resolve,
    threatAtPort,
    step(batch, from, to) {
      if (lists.length === 0) return;
      source(batch, from, to);
      destination(batch, from, to);
    },
    start: async (longestWaitMs) => {
      if (lists.length > 0) timer = setInterval(turn, CHECK_MS).unref();
      await Promise.all(files.map((file) => file.start(longestWaitMs)));
    },
    stop: async () => {
      if (timer) clearInterval(timer);
      await Promise.all(files.map((file) => file.stop()));
    },
    takeNames: announced.take,
    files: () => files.map((file) => file.status()),
    lists: () => lists.map((list) => statusOf(list)),
    labelsOf: (words, at) => {
      sets.begin();
      collect(words, at, ANY_PORT);
      const set = sets.end();
      return set === null || isExempt(words, at) ? [] : set.tags;
    },
  };

  function statusOf(list: List): ReputationListStatus {
    const {
      table,
      config: { name, path, max_age_seconds: maxAge = 0 },
      file,
    } = list;
    const { error, failures } = file.status();
    const dateMs = table === null ? 0 : dateOf(list);
    return {
      list: name,
      path,
      format: table?.format ?? '',
      dateMs,
      isOld: maxAge > 0 && table !== null && now() - dateMs > maxAge * 1000,
      isExpired: isExpired(list),
      accepted: table?.accepted ?? 0,
      skipped: table?.skipped ?? 0,
      dropped: table?.dropped ?? 0,
      broken: table?.broken ?? 0,
      problem: table?.problem ?? '',
      error,
      failures,
      hits: sets.hitsOf(name),
    };
  }
}

/** A list that lost most of its entries is more likely to be the beginning of a file than good news. */
function checkSize(
  { allow_shrink: allow }: ReputationListConfig,
  before: ReputationTable | null,
  after: ReputationTable,
): void {
  if (before === null || allow === true || before.accepted < SHRINK_FROM) return;
  if (after.accepted < before.accepted / 2)
    throw new Error(
      `It has ${after.accepted} entries, before it had ${before.accepted}: not taken over; set allow_shrink: true, or reload the collector, if that is right`,
    );
}

function nameOf({ id, name, tags }: ThreatSet): Parameters<ReturnType<typeof createAnnouncements>['tell']>[0] {
  const [first] = tags;
  return {
    kind: 'threat',
    id,
    name,
    attributes: {
      category: first?.category ?? '',
      list: first?.list ?? '',
      confidence: String(first?.confidence ?? 0),
    },
  };
}

function tableOf(key: string, texts: readonly string[]): PrefixTable {
  const builder = createPrefixTableBuilder();
  for (const text of texts) {
    const prefix: Prefix | null = parsePrefix(text);
    if (!prefix) throw new RangeError(`${key}: ${text} is not a network, write it like 192.0.2.0/24`);
    builder.add(prefix, 1);
  }
  return builder.build();
}
