import { addressWords, nameId, parseAddress, SET_SEPARATOR, type ThreatHit } from '@ringflow/contract';
import type { Config } from '../../config/index.ts';
import { createReputation, type LoadTable, type ReputationListStatus } from '../../enrich/index.ts';
import type { Metrics } from '../../metrics/index.ts';
import type { SeenAddress } from '../../store/index.ts';
import type { Log } from '../log.ts';
import type { StoreChannel } from './store-link.ts';

export interface ThreatMatchDeps {
  readonly loadTable: LoadTable;
  readonly store: () => StoreChannel | undefined;
  /** Labels by id, as they were stored. */
  readonly threatName: (id: number) => string;
  /** Runs the job now, unless it runs. */
  readonly runNow: () => Promise<void>;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly now: () => number;
}

/** Finds addresses of the last days in lists that did not have them when their traffic came (semantics 7). */
export interface ThreatMatch {
  /** The job. */
  run(): Promise<void>;
  /** Runs the job when a list has changed, but not all the time. */
  noteLists(lists: readonly ReputationListStatus[]): void;
}

const DAY_MS = 86_400_000;
const PAGE = 20_000;
/** Addresses of one day that are looked at: a scan of the whole Internet is no reason to look at all of it. */
const MOST_PER_DAY = 2_000_000;
const LOAD_MS = 120_000;
/** Changed lists are looked at no more often than this, and for no more than a twentieth of the time. */
const REST_MS = 3_600_000;
const REST_FACTOR = 20;

export function createThreatMatch(config: Config, deps: ThreatMatchDeps): ThreatMatch {
  const { now, metrics, log } = deps;
  let known = '';
  let restUntilMs = 0;

  async function run(): Promise<void> {
    const { reputation: settings, own, private_ranges: privateRanges } = config.enrich;
    if (settings.retro_days === 0 || !settings.lists.some(({ enabled }) => enabled !== false)) return;
    const startedMs = now();
    // Lists of its own for as long as it runs: the inlet has better things to do than to answer for 30 days.
    const reputation = createReputation(settings, {
      own,
      privateRanges,
      loadTable: deps.loadTable,
      changed: () => undefined,
      fileLoaded: () => undefined,
      fileFailed: () => undefined,
      now,
    });
    const counts = new Map<string, number>(settings.lists.map(({ name }) => [name, 0]));
    try {
      await reputation.start(LOAD_MS);
      for (let back = 0; back < settings.retro_days; back++) {
        const day = new Date(startedMs - back * DAY_MS).toISOString().slice(0, 10);
        await matchDay(day, (words) => reputation.labelsOf(words, 0), counts);
      }
    } finally {
      await reputation.stop();
      restUntilMs = now() + Math.max(REST_MS, (now() - startedMs) * REST_FACTOR);
    }
    metrics.clear('ringflow_reputation_retro_hits');
    for (const [list, count] of counts) metrics.set('ringflow_reputation_retro_hits', { list }, count);
    const hits = [...counts.values()].reduce((sum, count) => sum + count, 0);
    log.info(
      { days: settings.retro_days, hits, durationMs: now() - startedMs },
      'records matched with reputation lists',
    );
  }

  type LabelsOf = (words: Uint32Array) => ReturnType<ReturnType<typeof createReputation>['labelsOf']>;

  async function matchDay(day: string, labelsOf: LabelsOf, counts: Map<string, number>): Promise<void> {
    /** By label and list: of one address, which a page may end in the middle of. */
    let open = new Map<string, ThreatHit>();
    let address = '';
    let after: SeenAddress | null = null;
    for (let seen = 0; seen < MOST_PER_DAY; seen += PAGE) {
      const store = deps.store();
      if (!store) throw new Error('The store is not there right now');
      const page: readonly SeenAddress[] = await store.call('seenAddresses', [{ day, after, limit: PAGE }]);
      const done: ThreatHit[] = [];
      for (const row of page) {
        if (row.address !== address) {
          done.push(...open.values());
          open = new Map();
          address = row.address;
        }
        const words = addressWords(parseAddress(row.address) as Uint8Array);
        const stored = row.threat === 0 ? [] : deps.threatName(row.threat).split(SET_SEPARATOR);
        for (const { label, list, category } of labelsOf(words)) {
          // A set of one label needs no name to be known by.
          if (stored.includes(label) || row.threat === nameId(label)) continue;
          const key = `${label} ${list}`;
          const before = open.get(key);
          if (!before) counts.set(list, (counts.get(list) ?? 0) + 1);
          open.set(key, {
            day,
            address,
            label,
            list,
            category,
            firstMs: Math.min(before?.firstMs ?? row.firstMs, row.firstMs),
            lastMs: Math.max(before?.lastMs ?? 0, row.lastMs),
            records: (before?.records ?? 0) + row.records,
            bytes: (before?.bytes ?? 0) + row.bytes,
          });
        }
      }
      const isLast = page.length < PAGE;
      if (isLast) done.push(...open.values());
      if (done.length > 0) await store.call('saveThreatHits', [done]);
      if (isLast) return;
      after = page[page.length - 1] as SeenAddress;
    }
    log.warn({ day, addresses: MOST_PER_DAY }, 'too many addresses to match all of them with reputation lists');
  }

  return {
    run,
    noteLists(lists) {
      const version = lists.map(({ list, dateMs, accepted }) => `${list} ${dateMs} ${accepted}`).join('\n');
      if (version === known || now() < restUntilMs || lists.every(({ accepted }) => accepted === 0)) return;
      known = version;
      // What goes wrong is the job's to tell.
      void deps.runNow();
    },
  };
}
