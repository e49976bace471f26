import type { Ledger, NameEntry } from '@ringflow/contract';
import {
  createLiveConfig,
  processEnvironment,
  readServiceEnvironment,
  type Config,
  type ReadConfig,
} from '../../config/index.ts';
import { createTableWorkers } from '../../enrich/index.ts';
import { readTls } from '../../http/index.ts';
import type { InletStatus } from '../../inlet/index.ts';
import { createMetrics } from '../../metrics/index.ts';
import { createInventory, createNameSaver } from '../../names/index.ts';
import { createSchedule } from '../../schedule/index.ts';
import type { StoreStatus } from '../../store/index.ts';
import type { Log, Problem } from '../log.ts';
import { VERSION } from '../version.ts';
import { createExporterList, toReadyResponse, toStatusDetails, toStatusResponse } from './api-status.ts';
import { lockDataDirectory, type DataLock } from './data-lock.ts';
import { createCollectorEvents } from './collector-events.ts';
import type { CollectorStatus } from './collector-status.ts';
import { createExporterFacts } from './exporter-facts.ts';
import { createHealthMetrics } from './health-metrics.ts';
import { HISTORY_INLET } from './history-inlet.ts';
import { readDisk } from './disk.ts';
import { createIngestDoor } from './ingest-door.ts';
import { createJobReport } from './job-report.ts';
import { listenError } from './listen-error.ts';
import type {
  InletEvents,
  InletMethods,
  InletStarted,
  MainEvents,
  ProcessEvents,
  StoreEvents,
  StoreMethods,
} from './messages.ts';
import { createExportRows, createRunQuery } from './store-link.ts';
import { createProblems } from './problems.ts';
import { createReload } from './reload.ts';
import { createRunningLedger } from './running-ledger.ts';
import { createScoreKeeper } from './score-keeper.ts';
import { createServiceNotifier, type ServiceNotifier } from './service-notifier.ts';
import { endProcesses } from './shutdown.ts';
import { storeEnvironment } from './store-environment.ts';
import { createSupervisor, type SupervisorStatus } from './supervisor.ts';
import { createThreatMatch } from './threat-match.ts';
import { createTrafficMetrics } from './traffic-metrics.ts';
import { compileWatches } from './traffic-watches.ts';
import { readUsage } from './usage.ts';
import { createWeb, type Web } from './web.ts';

const USAGE_MS = 1000;
const DISK_MS = 10_000;

export interface CollectorDeps {
  /** The bundle that child processes start from. */
  readonly entry: string;
  readonly log: Log;
  /** Calls back for each warning and error that `log` writes. */
  watchLog?(noticed: (problem: Problem) => void): void;
  /** Reads the configuration anew, for a reload. */
  readonly readConfig: () => ReadConfig;
  now(): number;
}

export interface CollectorAddresses {
  /** Base URL of the API. */
  readonly url: string;
  readonly listeners: InletStarted['listeners'];
}

export interface Collector {
  /** Takes the data directory, starts the processes, opens the API. Rejects, with nothing left running, when it cannot. */
  start(): Promise<CollectorAddresses>;
  /** The inlet seals what it has, the store loads what it can in a few seconds, and all ends within ten. */
  stop(): Promise<void>;
  /** Takes over what has changed in the configuration; what is wrong with it goes to the log, and nothing changes. */
  reload(): Promise<void>;
  /** Writes debug lines, too, or no more. */
  toggleDebug(): void;
  /** Takes names of what another writer puts into the spool. */
  addNames(entries: readonly NameEntry[]): void;
  status(): CollectorStatus;
}

const NO_SCORES = { untilMs: 0, reports: 0, hosts: [] };
const EMPTY_LEDGER: Ledger = { received: 0, stored: 0, waiting: 0, dropped: [], difference: 0 };

/** The main process of `ringflow serve`: puts all rooms together. */
export function createCollector(first: Config, deps: CollectorDeps): Collector {
  const { log, now } = deps;
  // Reloads change it in place: read settings when they are used.
  const config = createLiveConfig(first);
  const startedMs = now();
  const metrics = createMetrics();
  const traffic = createTrafficMetrics(config.metrics, metrics);
  const health = createHealthMetrics(config.metrics, config, metrics);
  const inventory = createInventory(config.names);
  const exporters = createExporterList(inventory);
  const problems = createProblems(now);
  const ledger = createRunningLedger();
  const events = createCollectorEvents(config.data_dir, { names: inventory, now, log });
  deps.watchLog?.((problem) => problems.note('main', problem));
  let inletStatus: InletStatus | null = null;
  let storeStatus: StoreStatus | null = null;
  let lock: DataLock | null = null;
  let web: Web | null = null;
  let notifier: ServiceNotifier | null = null;
  let debugging = false;
  let listeners: InletStarted['listeners'] = [];
  const timers: NodeJS.Timeout[] = [];

  const watches = () => compileWatches(config, inventory, log);
  const showLedger = (): void => {
    const totals = ledger.totals();
    // Totals go on over restarts: a counter that began without the store's would jump.
    if (totals) {
      health.ledger(totals);
      events.watch.dropped(totals.dropped);
    }
  };
  const nameSaver = createNameSaver({
    save: (entries) => store.channel()?.call('saveNames', [entries]),
    onError: (error) => log.warn({ err: error }, 'names cannot be saved, will be tried again'),
  });
  const takeNames = (updates: readonly NameEntry[]): void => {
    if (!inventory.update(updates)) return;
    // Places and the like come by the thousand and are on no metric.
    if (updates.some(({ kind }) => kind === 'exporter' || kind === 'interface')) health.names(inventory);
    if (Object.keys(config.metrics.watches).length > 0) store.channel()?.emit('watches', watches());
  };
  const addNames = (entries: readonly NameEntry[]): void => {
    takeNames(entries);
    nameSaver.add(entries);
  };
  const changed = (status: SupervisorStatus): void => {
    metrics.set('ringflow_process_up', { process: status.role }, status.state === 'up' ? 1 : 0);
    metrics.total('ringflow_process_restarts_total', { process: status.role }, status.restarts, 'main');
    if (status.state === 'down') {
      metrics.forget(status.role);
      // What it had in memory died with it and was never received, as far as the ledger is concerned.
      if (status.role === 'inlet') {
        inletStatus = null;
        ledger.inletDown();
      }
    }
    // A new process logs as the others do.
    if (status.state === 'up' && debugging) setLogLevel();
    lock?.noteChildren([inlet.status().pid, store.status().pid].filter((pid) => pid !== undefined));
  };
  const failed = (role: string) => (what: string, error?: Error) =>
    log.error({ ...(error ? { err: error } : {}) }, `${role}: ${what}`);

  const inlet = createSupervisor<InletMethods, InletEvents, ProcessEvents>({
    role: 'inlet',
    entry: deps.entry,
    env: processEnvironment({}),
    required: true,
    answerTimeoutMs: config.processes.answer_timeout_ms,
    changed,
    failed: failed('inlet'),
    connect: (channel) => {
      channel.on('status', (status) => {
        inletStatus = status;
        ledger.inlet(status.waitingRecords);
        exporters.note(status, now());
        health.inlet(status, now());
        events.watch.inlet(status);
        if (store.status().state === 'up') threats.noteLists(status.enrich.reputation);
        showLedger();
      });
      channel.on('usage', (usage) => health.usage('inlet', usage));
      channel.on('problem', (problem) => problems.note('inlet', problem));
      channel.on('names', addNames);
      channel.on('counters', facts.counters);
      channel.on('sealed', ({ segment, ledger: delta }) => {
        ledger.sealed(segment, delta);
        store.channel()?.emit('sealed', { segment });
      });
    },
    begin: async (channel) => {
      try {
        listeners = (await channel.call('start', [config])).listeners;
      } catch (error) {
        throw listenError(error as Error, {
          what: 'UDP',
          endpoint: config.inlet.listen.join(', '),
          key: 'inlet.listen',
          variable: 'RINGFLOW_INLET_LISTEN',
        });
      }
    },
    end: (channel) => channel.call('stop', []),
  });
  const store = createSupervisor<StoreMethods, StoreEvents, MainEvents>({
    role: 'store',
    entry: deps.entry,
    env: processEnvironment(storeEnvironment(config.store)),
    // A server that is down comes back; a data directory that cannot be opened does not.
    required: config.store.url === '',
    answerTimeoutMs: config.processes.answer_timeout_ms,
    changed,
    failed: failed('store'),
    connect: (channel) => {
      channel.on('status', (status) => {
        storeStatus = status;
        ledger.store(status);
        health.store(status);
        showLedger();
      });
      channel.on('usage', (usage) => health.usage('store', usage));
      channel.on('problem', (problem) => problems.note('store', problem));
      channel.on('loaded', ({ segments, durationMs, traffic: deltas }) => {
        metrics.observe('ringflow_store_load_duration_seconds', {}, durationMs / 1000);
        // A counter cannot be moved back in time: the demo's yesterday would be a burst of today.
        if (!segments[0]?.startsWith(`${HISTORY_INLET}_`)) traffic.count(deltas);
      });
    },
    begin: async (channel) => {
      await channel.call('start', [config, watches()]);
      takeNames(await channel.call('loadNames', []));
      void nameSaver.flush();
    },
    end: (channel) => channel.call('stop', []),
  });
  const run = createRunQuery(() => store.channel());
  const facts = createExporterFacts(config, {
    inventory,
    exporters: () => exporters.response(inletStatus, now()).exporters.map(({ address }) => address),
    onNames: addNames,
    onFile: (entries) => {
      inventory.replace('file', entries);
      health.names(inventory);
    },
    run,
    oldest: () => Object.fromEntries((storeStatus?.tables ?? []).map(({ table, oldestMs }) => [table, oldestMs])),
    metrics,
    log,
    now,
  });
  const schedule = createSchedule({
    work: {
      retention: async () => void (await store.channel()?.call('retain', [])),
      consolidation: async () => void (await store.channel()?.call('consolidate', [])),
      scoreboard: () => scoreKeeper.run(),
      threats: () => threats.run(),
    },
    now,
    noticed: (message) => log.debug({ message }, 'scheduler'),
    ran: createJobReport(metrics, log),
  });

  const scoreKeeper = createScoreKeeper(config, {
    ask: (request, signal) => (web as Web).ask(request, 'scoreboard', signal),
    store: () => store.channel(),
    now,
  });
  const threats = createThreatMatch(config, {
    loadTable: createTableWorkers(deps.entry),
    store: () => store.channel(),
    threatName: (id) => inventory.named('threat', id) ?? '',
    runNow: () => schedule.runNow('threats'),
    metrics,
    log,
    now,
  });

  const status = (): CollectorStatus => ({
    version: VERSION,
    startedMs,
    processes: [inlet.status(), store.status()],
    inlet: inletStatus,
    store: storeStatus,
    ledger: ledger.totals() ?? EMPTY_LEDGER,
  });

  function setLogLevel(): void {
    const level = debugging ? 'debug' : config.log.level;
    log.level = level;
    inlet.channel()?.emit('logLevel', level);
    store.channel()?.emit('logLevel', level);
  }

  const reload = createReload(config, {
    read: deps.readConfig,
    prepare: async (candidate) => {
      const tls = readTls(candidate.http.tls);
      // One that is not up gets the new configuration when it starts.
      await inlet.channel()?.call('configure', [candidate]);
      return () => {
        if (tls) web?.useTls(tls);
        web?.configured();
        traffic.configured();
        inventory.configured();
        health.names(inventory);
        setLogLevel();
        const channel = store.channel();
        channel?.call('configure', [config]).catch((error: Error) => failed('store')('keeps its old limits', error));
        channel?.emit('watches', watches());
      };
    },
    metrics,
    now,
    log,
  });

  function noteDisk(): void {
    health.disk(readDisk(config.data_dir));
    events.alive();
    const { stored, waiting } = ledger.totals() ?? EMPTY_LEDGER;
    const ports = listeners.map(({ port }) => port).join(', ');
    notifier?.status(`receiving on UDP ${ports}; ${stored} records stored, ${waiting} waiting`);
  }

  function every(intervalMs: number, work: () => void): void {
    work();
    timers.push(setInterval(work, intervalMs));
  }

  async function start(): Promise<CollectorAddresses> {
    notifier = await createServiceNotifier(readServiceEnvironment(), (error) =>
      log.warn({ err: error }, 'the service manager is not told how the service is'),
    );
    reload.started();
    metrics.set('ringflow_build_info', { version: VERSION, node_version: process.version }, 1);
    lock = await lockDataDirectory(config.data_dir, {
      waiting: () => log.info('waiting for the processes of an earlier ringflow to end'),
    });
    try {
      web = createWeb(config, {
        run,
        exportRows: createExportRows(() => store.channel()),
        status: () => toStatusResponse(status(), schedule.status(), now(), toStatusDetails(config, problems.list())),
        exporters: () => exporters.response(inletStatus, now()).exporters,
        ready: () => toReadyResponse([inlet.status(), store.status()], storeStatus),
        names: inventory,
        events: events.list,
        downtimes: events.downtimes,
        scores: async () => (await store.channel()?.call('loadScores', [])) ?? NO_SCORES,
        threatHits: async (limit) => (await store.channel()?.call('loadThreatHits', [limit])) ?? [],
        metrics,
        ingest: createIngestDoor(config.http.ingest, { inlet: () => inlet.channel(), metrics, now }),
        now,
        log,
      });
      events.start();
      // Receiving comes first: it does not need the store.
      await inlet.start();
      await store.start();
      const { url } = await web.start();
      schedule.start();
      await facts.start();
      every(USAGE_MS, () => health.usage('main', readUsage()));
      every(DISK_MS, noteDisk);
      notifier.ready();
      return { url, listeners };
    } catch (error) {
      await stop();
      throw error;
    }
  }

  async function stop(): Promise<void> {
    notifier?.stopping();
    timers.forEach(clearInterval);
    scoreKeeper.stop();
    await endProcesses({
      inlet,
      store,
      others: [web?.stop(), schedule.stop(), facts.stop()],
      sealed: async () => {
        events.stop();
        nameSaver.stop();
        await nameSaver.flush();
      },
    });
    lock?.release();
    notifier?.close();
  }

  return {
    start,
    stop,
    status,
    addNames,
    reload: async () => {
      notifier?.reloading();
      await reload.run();
      notifier?.ready();
    },
    toggleDebug: () => {
      debugging = !debugging;
      setLogLevel();
      log.info({ level: log.level }, 'log level changed');
    },
  };
}
