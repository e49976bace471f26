import type { NameEntry, ThreatHit } from '@ringflow/contract';
import { join } from 'node:path';
import { applyConfig, createLiveConfig, secretsOf, type Config } from '../../config/index.ts';
import type { RunOptions, SqlQuery } from '../../query/index.ts';
import {
  createStore,
  type ExportOptions,
  type ScoreState,
  type SeenPage,
  type Store,
  type TrafficWatch,
} from '../../store/index.ts';
import { createLog, type Log } from '../log.ts';
import { createChannel, type Port } from './channel.ts';
import type { MainEvents, StoreEvents } from './messages.ts';
import { readUsage } from './usage.ts';

/** How often main hears how the store is. */
const STATUS_MS = 1000;

/** The process that holds the engine. Main starts and stops it; without main it stops by itself. */
export function runStoreProcess(): void {
  let store: Store | null = null;
  let log: Log | null = null;
  /** The store reads its budgets from here when it looks at them. */
  let live: Config | null = null;
  let timer: NodeJS.Timeout | null = null;
  let stopping: Promise<void> | null = null;
  /** The loader holds this list; main replaces what is in it. */
  const watches: TrafficWatch[] = [];

  const opened = (): Store => {
    if (!store) throw Object.assign(new Error('The store is not open yet'), { code: 'store_unavailable' });
    return store;
  };
  const channel = createChannel<object, MainEvents, StoreEvents>(process as unknown as Port, {
    async start(config: Config, first: readonly TrafficWatch[]): Promise<void> {
      watches.push(...first);
      const current = createLiveConfig(config);
      live = current;
      log = createLog(config.log, 'store', {
        noticed: (problem) => channel.emit('problem', problem),
        secrets: () => secretsOf(current),
      });
      const started = wireStore(current, watches, log, channel.emit);
      try {
        await started.start();
      } catch (error) {
        // The engine is not there, but the spool and the ledger are: main shows what waits.
        channel.emit('status', started.status());
        throw error;
      }
      store = started;
      const report = (): void => {
        channel.emit('status', started.status());
        channel.emit('usage', readUsage());
      };
      report();
      timer = setInterval(report, STATUS_MS);
    },
    configure: (config: Config) => void (live && applyConfig(live, config)),
    stop,
    ping: () => undefined,
    run: (query: SqlQuery, options: Omit<RunOptions, 'signal'>, signal: AbortSignal) =>
      opened().run(query, { ...options, signal }),
    exportRows: (query: SqlQuery, options: Omit<ExportOptions, 'path' | 'signal'>, signal: AbortSignal) =>
      opened().exportRows(query, { ...options, signal }),
    load: () => opened().load(),
    retain: async () => void (await opened().retain()),
    consolidate: () => opened().consolidate(),
    saveNames: (names: readonly NameEntry[]) => opened().saveNames(names),
    loadNames: () => opened().loadNames(),
    seenAddresses: (page: SeenPage) => opened().seenAddresses(page),
    saveThreatHits: (hits: readonly ThreatHit[]) => opened().saveThreatHits(hits),
    loadThreatHits: (limit: number) => opened().loadThreatHits(limit),
    loadScores: () => opened().loadScores(),
    saveScores: (state: ScoreState) => opened().saveScores(state),
  });
  channel.on('sealed', () => store?.wake());
  channel.on('logLevel', (level) => log && (log.level = level));
  channel.on('watches', (next) => void watches.splice(0, watches.length, ...next));

  function stop(): Promise<void> {
    stopping ??= (async () => {
      if (timer) clearInterval(timer);
      await store?.stop();
      if (store) channel.emit('status', store.status());
    })();
    return stopping;
  }

  process.on('disconnect', () => {
    void stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  });
}

/** Puts the rooms of the storing side together. */
function wireStore(
  config: Config,
  watches: readonly TrafficWatch[],
  log: Log,
  emit: <K extends keyof StoreEvents>(name: K, value: StoreEvents[K]) => void,
): Store {
  return createStore(config.store, {
    spoolDirectory: join(config.data_dir, 'spool'),
    engineDirectory: join(config.data_dir, 'store'),
    ledgerPath: join(config.data_dir, 'ledger.json'),
    keepFreeBytes: config.spool.min_free_bytes,
    watches,
    onLoaded: (result) => {
      log.debug(
        {
          segments: result.segments,
          rows: result.rows,
          durationMs: Math.round(result.durationMs),
          outcome: result.outcome,
        },
        'segments loaded',
      );
      emit('loaded', result);
    },
    onDropped: (dropped) => {
      for (const { table, what, sizeBytes, why } of dropped)
        log.info({ table, what, sizeBytes, why }, 'retention dropped data');
    },
    onError: (error, what) => log.error({ err: error }, what),
  });
}
