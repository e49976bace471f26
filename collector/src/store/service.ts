import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NameEntry, ThreatHit } from '@ringflow/contract';
import type { Ledger } from '@ringflow/contract';
import { createSpoolDirectory } from '../spool/index.ts';
import type { StoreConfig } from './config.ts';
import { createEmbeddedEngine } from './engine-embedded.ts';
import { createRemoteEngine } from './engine-remote.ts';
import type { Engine, ExportOptions, RunOptions, RunResult, SqlQuery } from './engine.ts';
import { createExports, type ExportedFile } from './exports.ts';
import { saveFigures } from './figures.ts';
import { GROUP_ROWS, INSERT_ROWS } from './groups.ts';
import { createDurableLedger } from './ledger.ts';
import { createLoader, type LoadResult } from './load.ts';
import { createLoading, type LoadingStatus } from './loading.ts';
import { migrate, type MigrationReport } from './migrations.ts';
import { loadNames, saveNames } from './names.ts';
import { consolidatePeaks } from './peaks.ts';
import { createSpoolQueue } from './queue.ts';
import { archiveStatus, type TableStatus } from './archive-status.ts';
import { createBudget } from './budget.ts';
import type { Dropped } from './retention.ts';
import { loadScores, saveScores, type ScoreState } from './scores.ts';
import { loadThreatHits, saveThreatHits, seenAddresses, type SeenAddress, type SeenPage } from './threats.ts';
import { createSnapshotGuard } from './snapshot.ts';
import { createKeptSegments, createTopBatches, createTopLists, TOP_OPEN, type TopListsStatus } from './top/index.ts';
import type { TrafficWatch } from './traffic.ts';

export interface StoreDeps {
  /** Where the inlets seal their segments. */
  readonly spoolDirectory: string;
  /** Where the embedded engine keeps its tables. */
  readonly engineDirectory: string;
  /** File of the loss ledger's totals; belongs to the spool, not to the database. */
  readonly ledgerPath: string;
  /** Bytes of the disk that an export must leave free. */
  readonly keepFreeBytes?: number;
  /** Named filters to count on top of exporters, interfaces, protocols and services. */
  readonly watches?: readonly TrafficWatch[];
  /** Milliseconds since the epoch. */
  now?(): number;
  /** After each segment, also when it was lost. */
  onLoaded?(result: LoadResult): void;
  onDropped?(dropped: readonly Dropped[]): void;
  /** Something failed and will be tried again, or a segment was given up; `what` says what was going on. */
  onError?(error: Error, what: string): void;
}

export interface StoreStatus extends LoadingStatus {
  readonly engine: 'embedded' | 'remote';
  readonly open: boolean;
  /** What opening the database changed. */
  readonly migration: MigrationReport | null;
  readonly waitingSegments: number;
  readonly waitingRows: number;
  readonly waitingBytes: number;
  /** Since the oldest waiting segment was sealed; 0 when none waits. */
  readonly oldestWaitingSeconds: number;
  readonly tables: readonly TableStatus[];
  readonly topLists: TopListsStatus;
  readonly ledger: Ledger;
  /** Name of the last segment by inlet that `ledger` counts. */
  readonly counted: Readonly<Record<string, string>>;
}

export interface Store {
  /** Opens the engine, upgrades the schema, settles what an earlier end left behind and begins to load. */
  start(): Promise<void>;
  /** Finishes what is in hand when that takes a moment, else stops it; what is not stored waits in the spool. */
  stop(): Promise<void>;
  status(): StoreStatus;
  /** Runs a read-only, bounded query. */
  run(query: SqlQuery, options: RunOptions): Promise<RunResult>;
  /** Runs a read-only, bounded query and writes its rows to a file, which the caller deletes. */
  exportRows(query: SqlQuery, options: Omit<ExportOptions, 'path'>): Promise<ExportedFile>;
  /** A segment was sealed: look now. */
  wake(): void;
  /** Loads what waits; true when the spool is empty, false when the engine failed or the store stops. */
  load(): Promise<boolean>;
  /** Drops what is too old or too much. */
  retain(): Promise<readonly Dropped[]>;
  /**
   * Takes the peaks of closed buckets and puts closed batches, hours and days into the top lists, up to a minute of it;
   * true when more waits.
   */
  consolidate(): Promise<boolean>;
  saveNames(names: readonly NameEntry[]): Promise<void>;
  loadNames(): Promise<NameEntry[]>;
  /** A page of the public addresses of a day. */
  seenAddresses(page: SeenPage): Promise<SeenAddress[]>;
  saveThreatHits(hits: readonly ThreatHit[]): Promise<void>;
  loadThreatHits(limit: number): Promise<ThreatHit[]>;
  loadScores(): Promise<ScoreState>;
  saveScores(state: ScoreState): Promise<void>;
  /** Totals of the loss ledger, without what is in the inlets' memory. */
  ledger(): Ledger;
}

const TABLES_INTERVAL_MS = 5000;
const FIGURES_INTERVAL_MS = 60_000;
/**
 * What is in hand may take this long to end when the store stops. A statement over a million minutes of long flows takes
 * many seconds; what is stopped is repeated at the next start, and a process manager's patience is short.
 */
const FINISH_MS = 1000;
/** Peaks are taken minutes after a bucket's end; there is no hurry. */
const PEAKS_INTERVAL_MS = 60_000;

/**
 * Memory of the embedded engine for each record of a batch. The top lists are made outside of it (300 bytes for each record
 * while they are made), but who gives the engine little has little.
 */
const TOP_RECORD_BYTES = 4096;

/** Share of the disk budget that segments may take beside it until their records are in the top lists. */
const KEPT_SHARE = 0.05;

/** Records of a batch. */
function topBatchRows({ url, top_batch_rows, max_memory_bytes }: StoreConfig): number {
  return url === '' ? Math.min(top_batch_rows, Math.floor(max_memory_bytes / TOP_RECORD_BYTES)) : top_batch_rows;
}

/** A query that adds raw rows to the top lists. */
function readsTopLists({ sql }: SqlQuery): boolean {
  return sql.includes(TOP_OPEN);
}

/** The engine that the configuration asks for. */
export function createEngine(config: StoreConfig, engineDirectory: string): Engine {
  return config.url === ''
    ? createEmbeddedEngine({
        path: engineDirectory,
        database: config.database,
        querySlots: config.query_slots,
        maxWaiting: config.query_queue,
        maxMemoryBytes: config.max_memory_bytes,
      })
    : createRemoteEngine({
        url: config.url,
        user: config.user,
        password: config.password,
        database: config.database,
        cluster: config.cluster,
        querySlots: config.query_slots,
        maxWaiting: config.query_queue,
      });
}

/** The store: loads the spool into the engine and answers queries. */
export function createStore(config: StoreConfig, deps: StoreDeps): Store {
  const now = deps.now ?? Date.now;
  const engine = createEngine(config, deps.engineDirectory);
  const exports = createExports(engine, join(dirname(deps.ledgerPath), 'exports'), deps.keepFreeBytes ?? 0);
  const ledger = createDurableLedger(deps.ledgerPath);
  const queue = createSpoolQueue(deps.spoolDirectory, ledger);
  const batches = createTopBatches({
    engine,
    instance: ledger.instance,
    now,
    bounds: { seconds: config.top_batch_seconds, rows: topBatchRows(config) },
  });
  const snapshots = createSnapshotGuard();
  const topDirectory = join(dirname(deps.ledgerPath), 'top-lists');
  const kept = createKeptSegments(config.max_bytes * KEPT_SHARE);
  const topLists = createTopLists({
    engine,
    batches,
    now,
    kept,
    directory: topDirectory,
    topK: () => config.top_k,
    commit: snapshots.move,
  });
  // Each insert of a group is a batch's or the next one's; a batch that takes less than one insert bounds the group.
  const groupRows = topBatchRows(config) < INSERT_ROWS ? topBatchRows(config) : GROUP_ROWS;
  const loader = createLoader(deps.spoolDirectory, {
    engine,
    ledger,
    batches,
    kept,
    groupRows,
    watches: deps.watches ?? [],
  });
  const budget = createBudget({
    engine,
    config,
    now,
    onDropped(dropped) {
      deps.onDropped?.(dropped);
      tablesMs = Number.NEGATIVE_INFINITY;
    },
  });
  const loading = createLoading({
    queue,
    loader,
    loadSeconds: config.load_seconds,
    groupRows,
    now,
    makeRoom: budget.makeRoom,
    // The first rows of a table make the difference between "nothing" and an answer.
    onPass: (loaded) => refreshTables(loaded && tables.some(({ rows }) => rows === 0)),
    onLoaded: deps.onLoaded,
    onError: deps.onError,
  });
  let tables: readonly TableStatus[] = [];
  let tablesMs = Number.NEGATIVE_INFINITY;
  let figuresMs = Number.NEGATIVE_INFINITY;
  let migration: MigrationReport | null = null;
  let open = false;
  let ending = false;
  let consolidating: Promise<boolean> | null = null;
  let peaksMs = Number.NEGATIVE_INFINITY;

  async function start(): Promise<void> {
    await createSpoolDirectory(deps.spoolDirectory);
    await exports.start();
    await ledger.load();
    await queue.look(now());
    await engine.open();
    migration = await migrate(engine);
    await batches.start();
    await kept.start(join(topDirectory, `${batches.loader()}-kept`));
    await budget.start();
    await queue.look(now());
    await refreshTables(true);
    open = true;
    loading.start();
  }

  async function refreshTables(atOnce = false): Promise<void> {
    if (!atOnce && performance.now() - tablesMs < TABLES_INTERVAL_MS) return;
    tables = await archiveStatus(engine, config);
    tablesMs = performance.now();
    if (tablesMs - figuresMs < FIGURES_INTERVAL_MS) return;
    figuresMs = tablesMs;
    await saveFigures(dirname(deps.ledgerPath), tables, now());
  }

  async function stop(): Promise<void> {
    ending = true;
    topLists.stop();
    const work = Promise.allSettled([loading.stop(), budget.stop(), consolidating]);
    await Promise.race([work, sleep(FINISH_MS, undefined, { ref: false })]);
    open = false;
    await engine.close();
    await work;
  }

  function consolidate(): Promise<boolean> {
    if (!loading.replayed()) return Promise.resolve(true);
    consolidating ??= consolidateAll().finally(() => (consolidating = null));
    return consolidating;
  }

  /** A failure of one does not hold up the other. */
  async function consolidateAll(): Promise<boolean> {
    const results = await Promise.allSettled([topLists.run(), takePeaks()]);
    if (ending) return true;
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    return results.some((result) => result.status === 'fulfilled' && result.value);
  }

  async function takePeaks(): Promise<boolean> {
    if (now() - peaksMs < PEAKS_INTERVAL_MS) return false;
    const { more } = await consolidatePeaks(engine, now());
    if (!more) peaksMs = now();
    return more;
  }

  function totals(): Ledger {
    return ledger.totals(queue.waiting().map(({ delta }) => delta));
  }

  function status(): StoreStatus {
    const waiting = queue.waiting();
    const oldestMs = queue.oldestMs();
    const top = topLists.status();
    return {
      engine: engine.kind,
      open,
      migration,
      waitingSegments: waiting.length,
      waitingRows: waiting.reduce((sum, { segment }) => sum + segment.rows, 0),
      waitingBytes: waiting.reduce((sum, { segment }) => sum + segment.sizeBytes, 0),
      oldestWaitingSeconds: waiting.length > 0 && oldestMs !== null ? Math.max(0, (now() - oldestMs) / 1000) : 0,
      ...loading.status(),
      tables: tables.map((table) => {
        const closedMs = top.closedMs[table.table];
        return closedMs === undefined ? table : { ...table, closedMs };
      }),
      topLists: top,
      ledger: totals(),
      counted: queue.counted(),
    };
  }

  return {
    start,
    stop,
    status,
    run: (query, options) =>
      readsTopLists(query) ? snapshots.read(() => engine.query(query, options)) : engine.query(query, options),
    exportRows: exports.run,
    wake: loading.wake,
    load: loading.load,
    retain: budget.retain,
    consolidate,
    saveNames: (names) => saveNames(engine, names, now()),
    loadNames: () => loadNames(engine),
    seenAddresses: (page) => seenAddresses(engine, page),
    saveThreatHits: (hits) => saveThreatHits(engine, hits, now()),
    loadThreatHits: (limit) => loadThreatHits(engine, limit),
    loadScores: () => loadScores(engine),
    saveScores: (state) => saveScores(engine, state, now()),
    ledger: totals,
  };
}
