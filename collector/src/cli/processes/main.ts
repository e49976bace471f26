import { parseFilter, type Ledger, type ReadyResponse, type StatusDetails } from '@ringflow/contract';
import { processEnvironment, type Config } from '../../config/index.ts';
import type { Http } from '../../http/index.ts';
import type { InletStatus, NameUpdate } from '../../inlet/index.ts';
import { createMetrics } from '../../metrics/index.ts';
import { compileFilter } from '../../query/index.ts';
import { createSchedule } from '../../schedule/index.ts';
import type { StoreStatus, TrafficWatch } from '../../store/index.ts';
import type { Log, Problem } from '../log.ts';
import { VERSION } from '../version.ts';
import { createExporterList, toStatusResponse } from './api-status.ts';
import { lockDataDirectory, type DataLock } from './data-lock.ts';
import type { CollectorStatus } from './collector-status.ts';
import { createHealthMetrics } from './health-metrics.ts';
import { HISTORY_INLET } from './history-inlet.ts';
import { readDisk } from './disk.ts';
import { createInventory } from './inventory.ts';
import { listenError } from './listen-error.ts';
import type {
  InletEvents,
  InletMethods,
  InletStarted,
  MainEvents,
  ProcessUsage,
  StoreEvents,
  StoreMethods,
} from './messages.ts';
import { createRunQuery } from './store-link.ts';
import { createProblems } from './problems.ts';
import { createRunningLedger } from './running-ledger.ts';
import { createSupervisor, type SupervisorStatus } from './supervisor.ts';
import { createTrafficMetrics } from './traffic-metrics.ts';
import { readUsage } from './usage.ts';
import { createWeb } from './web.ts';

/** Waits for the inlet to seal and for the store to finish the segment in hand before they are killed. */
const INLET_END_MS = 15_000;
const STORE_END_MS = 30_000;
/** How long a graceful stop goes on loading what waits; the rest stays in the spool. */
const LAST_LOAD_MS = 5_000;
const USAGE_MS = 1000;

export interface CollectorDeps {
  /** The bundle that child processes start from. */
  readonly entry: string;
  readonly log: Log;
  /** Calls back for each warning and error that `log` writes. */
  watchLog?(noticed: (problem: Problem) => void): void;
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
  /** The inlet seals what it has, the store loads what it can in a few seconds, and all ends. */
  stop(): Promise<void>;
  status(): CollectorStatus;
}

const EMPTY_LEDGER: Ledger = { received: 0, stored: 0, waiting: 0, dropped: [], difference: 0 };

/** The main process of `ringflow serve`: puts all rooms together. */
export function createCollector(config: Config, deps: CollectorDeps): Collector {
  const { log, now } = deps;
  const startedMs = now();
  const metrics = createMetrics();
  const countTraffic = createTrafficMetrics(config.metrics, metrics);
  const diskLimits = { spoolBytes: config.spool.max_bytes, storeBytes: config.store.max_bytes };
  const health = createHealthMetrics(config.metrics, diskLimits, metrics);
  const inventory = createInventory(config.names);
  const exporters = createExporterList(inventory);
  const problems = createProblems(now);
  const ledger = createRunningLedger();
  deps.watchLog?.((problem) => problems.note('main', problem));
  let inletStatus: InletStatus | null = null;
  let storeStatus: StoreStatus | null = null;
  let lock: DataLock | null = null;
  let web: Http | null = null;
  let listeners: InletStarted['listeners'] = [];
  let usageTimer: NodeJS.Timeout | null = null;

  const watches = (): TrafficWatch[] =>
    Object.entries(config.metrics.watches).flatMap(([name, filter]) => {
      const { tree, error } = parseFilter(filter, { sets: config.names.sets });
      if (error) return [];
      try {
        return [{ name, ...compileFilter(tree, inventory) }];
      } catch (compileError) {
        log.warn({ watch: name, err: compileError }, 'watch cannot be counted');
        return [];
      }
    });
  const showLedger = (): void => {
    const totals = ledger.totals();
    // Totals go on over restarts: a counter that began without the store's would jump.
    if (totals) health.ledger(totals);
  };
  const noteUsage = (name: string, { residentBytes, cpuSeconds }: ProcessUsage): void => {
    metrics.set('ringflow_process_resident_memory_bytes', { process: name }, residentBytes);
    metrics.total('ringflow_process_cpu_seconds_total', { process: name }, cpuSeconds, name);
  };
  const takeNames = (updates: readonly NameUpdate[]): void => {
    if (!inventory.update(updates)) return;
    health.names(inventory);
    if (Object.keys(config.metrics.watches).length > 0) store.channel()?.emit('watches', watches());
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
    lock?.noteChildren([inlet.status().pid, store.status().pid].filter((pid) => pid !== undefined));
  };
  const failed = (role: string) => (what: string, error?: Error) =>
    log.error({ ...(error ? { err: error } : {}) }, `${role}: ${what}`);

  const inlet = createSupervisor<InletMethods, InletEvents, object>({
    role: 'inlet',
    entry: deps.entry,
    env: processEnvironment({}),
    required: true,
    endTimeoutMs: INLET_END_MS,
    changed,
    failed: failed('inlet'),
    connect: (channel) => {
      channel.on('status', (status) => {
        inletStatus = status;
        ledger.inlet(status.waitingRecords);
        exporters.note(status, now());
        health.inlet(status, now());
        showLedger();
      });
      channel.on('usage', (usage) => noteUsage('inlet', usage));
      channel.on('problem', (problem) => problems.note('inlet', problem));
      channel.on('names', (updates) => {
        takeNames(updates);
        store
          .channel()
          ?.call('saveNames', [updates])
          .catch((error: Error) => log.warn({ err: error }, 'names cannot be saved'));
      });
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
    // Each session of the engine keeps a thread busy while its statement runs; files need some, too.
    env: processEnvironment({ UV_THREADPOOL_SIZE: String(config.store.query_slots + 8) }),
    // A server that is down comes back; a data directory that cannot be opened does not.
    required: config.store.url === '',
    endTimeoutMs: STORE_END_MS,
    changed,
    failed: failed('store'),
    connect: (channel) => {
      channel.on('status', (status) => {
        storeStatus = status;
        ledger.store(status);
        health.store(status);
        showLedger();
      });
      channel.on('usage', (usage) => noteUsage('store', usage));
      channel.on('problem', (problem) => problems.note('store', problem));
      channel.on('loaded', ({ segment, durationMs, traffic }) => {
        metrics.observe('ringflow_store_load_duration_seconds', {}, durationMs / 1000);
        // A counter cannot be moved back in time: the demo's yesterday would be a burst of today.
        if (!segment.startsWith(`${HISTORY_INLET}_`)) countTraffic(traffic);
      });
    },
    begin: async (channel) => {
      await channel.call('start', [config, watches()]);
      takeNames(await channel.call('loadNames', []));
    },
    end: (channel) => channel.call('stop', []),
  });
  const schedule = createSchedule({
    work: { retention: async () => void (await store.channel()?.call('retain', [])) },
    now,
    ran: ({ job, lastSuccessMs, lastDurationMs, failures, lastError }) => {
      if (lastSuccessMs > 0) metrics.set('ringflow_job_last_success_timestamp_seconds', { job }, lastSuccessMs / 1000);
      metrics.set('ringflow_job_last_duration_seconds', { job }, lastDurationMs / 1000);
      metrics.total('ringflow_job_failures_total', { job }, failures, 'main');
      if (lastError !== undefined) log.error({ job, error: lastError }, 'job failed');
    },
  });

  const status = (): CollectorStatus => ({
    version: VERSION,
    startedMs,
    processes: [inlet.status(), store.status()],
    inlet: inletStatus,
    store: storeStatus,
    ledger: ledger.totals() ?? EMPTY_LEDGER,
  });

  const details = (): StatusDetails => ({
    disk: readDisk(config.data_dir),
    limits: {
      storeBytes: config.store.max_bytes,
      spoolBytes: config.spool.max_bytes,
      spoolFreeBytes: config.spool.min_free_bytes,
      clockMs: config.inlet.clock_threshold_ms,
    },
    problems: problems.list(),
  });

  function ready(): ReadyResponse {
    const reasons = [inlet.status(), store.status()].flatMap(({ role, state, error }) =>
      state === 'up' ? [] : [`${role} is ${state}${error ? `: ${error}` : ''}`],
    );
    if (storeStatus?.lastError) reasons.push(`the store cannot load: ${storeStatus.lastError}`);
    return { ready: reasons.length === 0, reasons };
  }

  async function start(): Promise<CollectorAddresses> {
    metrics.set('ringflow_build_info', { version: VERSION, node_version: process.version }, 1);
    lock = await lockDataDirectory(config.data_dir, {
      waiting: () => log.info('waiting for the processes of an earlier ringflow to end'),
    });
    try {
      web = createWeb(config, {
        run: createRunQuery(() => store.channel()),
        status: () => toStatusResponse(status(), schedule.status(), now(), details()),
        exporters: () => exporters.response(inletStatus, now()).exporters,
        ready,
        names: inventory,
        metrics,
        now,
        log,
      });
      // Receiving comes first: it does not need the store.
      await inlet.start();
      await store.start();
      const { url } = await web.start();
      schedule.start();
      usageTimer = setInterval(() => noteUsage('main', readUsage()), USAGE_MS);
      noteUsage('main', readUsage());
      return { url, listeners };
    } catch (error) {
      await stop();
      throw error;
    }
  }

  async function stop(): Promise<void> {
    if (usageTimer) clearInterval(usageTimer);
    await web?.stop();
    await schedule.stop();
    await inlet.stop();
    const waiting = store
      .channel()
      ?.call('load', [])
      .catch(() => false);
    if (waiting) await Promise.race([waiting, new Promise((resolve) => setTimeout(resolve, LAST_LOAD_MS).unref())]);
    await store.stop();
    lock?.release();
  }

  return { start, stop, status };
}
