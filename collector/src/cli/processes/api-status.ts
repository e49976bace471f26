import type {
  ExporterInfo,
  ExportersResponse,
  ProblemInfo,
  ReadyResponse,
  StatusDetails,
  StatusResponse,
} from '@ringflow/contract';
import type { Config } from '../../config/index.ts';
import type { InletStatus } from '../../inlet/index.ts';
import type { JobStatus } from '../../schedule/index.ts';
import type { Inventory } from '../../names/index.ts';
import type { StoreStatus } from '../../store/index.ts';
import type { CollectorStatus } from './collector-status.ts';
import { readDisk } from './disk.ts';
import type { SupervisorStatus } from './supervisor.ts';

/** `GET /api/v1/status`. */
export function toStatusResponse(
  status: CollectorStatus,
  jobs: readonly JobStatus[],
  nowMs: number,
  more: StatusDetails = {},
): StatusResponse {
  const { version, startedMs, ledger, store, inlet, processes } = status;
  return {
    version,
    nowMs,
    startedMs,
    ledger,
    store: {
      open: store?.open ?? false,
      engine: store?.engine ?? 'unknown',
      tables: (store?.tables ?? []).map((table) => ({ ...table })),
      lastError: store?.lastError ?? null,
    },
    spool: {
      waitingSegments: store?.waitingSegments ?? 0,
      waitingRows: store?.waitingRows ?? 0,
      waitingBytes: store?.waitingBytes ?? 0,
    },
    decoder: { ...inlet?.decoder },
    exporters: new Set(inlet?.exporters.exporters.map(({ exporter }) => exporter)).size,
    details: {
      processes: [...processes],
      listeners: (inlet?.sockets ?? []).map((socket) => ({ ...socket })),
      receiver: inlet?.receiver ?? null,
      losses: inlet?.losses ?? {},
      refused: inlet?.exporters.refused ?? {},
      notAllowed: [...(inlet?.exporters.notAllowed ?? [])],
      ...(inlet ? { enrich: inlet.enrich } : {}),
      truncatedDatagrams: inlet?.truncatedDatagrams ?? 0,
      oldestWaitingSeconds: store?.oldestWaitingSeconds ?? 0,
      jobs: [...jobs],
      ...more,
    },
  };
}

/** What of `GET /api/v1/status` is not the processes' own: the disk, the bounds that are configured, recent problems. */
export function toStatusDetails(config: Config, problems: ProblemInfo[]): StatusDetails {
  return {
    disk: readDisk(config.data_dir),
    limits: {
      storeBytes: config.store.max_bytes,
      spoolBytes: config.spool.max_bytes,
      spoolFreeBytes: config.spool.min_free_bytes,
      clockMs: config.inlet.clock_threshold_ms,
    },
    problems,
  };
}

/** `GET /api/v1/ready`. */
export function toReadyResponse(processes: readonly SupervisorStatus[], store: StoreStatus | null): ReadyResponse {
  const reasons = processes.flatMap(({ role, state, error }) =>
    state === 'up' ? [] : [`${role} is ${state}${error ? `: ${error}` : ''}`],
  );
  if (store?.lastError) reasons.push(`the store cannot load: ${store.lastError}`);
  return { ready: reasons.length === 0, reasons };
}

/** Rates per exporter from two looks at its totals. */
interface Look {
  readonly atMs: number;
  readonly totals: ReadonlyMap<string, { readonly datagrams: number; readonly records: number }>;
}

/** Time between the two looks. */
const RATE_WINDOW_MS = 60_000;
const LOOK_EVERY_MS = 10_000;

/** `GET /api/v1/exporters`: sessions summed up by address, with names and rates. */
export interface ExporterList {
  /** Call with every status of the inlet. */
  note(status: InletStatus, nowMs: number): void;
  response(status: InletStatus | null, nowMs: number): ExportersResponse;
}

export function createExporterList(inventory: Inventory): ExporterList {
  let looks: Look[] = [];

  function note(status: InletStatus, nowMs: number): void {
    const last = looks.at(-1);
    if (last && nowMs - last.atMs < LOOK_EVERY_MS) return;
    const totals = new Map(
      [...sumUp(status)].map(([address, { datagrams, records }]) => [address, { datagrams, records }]),
    );
    looks = [...looks.filter(({ atMs }) => atMs >= nowMs - RATE_WINDOW_MS), { atMs: nowMs, totals }];
  }

  function rate(address: string, what: 'datagrams' | 'records', total: number, nowMs: number): number {
    const [look] = looks;
    if (!look || nowMs <= look.atMs) return 0;
    // An exporter that is new since then began at zero; one that restarted with the inlet, too.
    const before = look.totals.get(address)?.[what] ?? 0;
    return Math.max(0, total >= before ? total - before : total) / ((nowMs - look.atMs) / 1000);
  }

  function response(status: InletStatus | null, nowMs: number): ExportersResponse {
    if (!status) return { exporters: [] };
    const interfaces = new Map<string, ExporterInfo['interfaces']>();
    for (const { entry, attributes } of inventory.describe('interface')) {
      const { exporter, id, name, description, speedBps, source } = entry;
      const list = interfaces.get(exporter) ?? [];
      interfaces.set(exporter, list);
      list.push({ index: Number(id), name, description, speedBps, source, attributes: { ...attributes } });
    }
    const described = new Map(inventory.describe('exporter').map((one) => [one.entry.exporter, one]));
    const exporters = [...sumUp(status).values()].map((exporter) => ({
      ...exporter,
      name: described.get(exporter.address)?.entry.name ?? '',
      nameSource: described.get(exporter.address)?.entry.source ?? ('' as const),
      attributes: { ...described.get(exporter.address)?.attributes },
      recordsPerSecond: rate(exporter.address, 'records', exporter.records, nowMs),
      datagramsPerSecond: rate(exporter.address, 'datagrams', exporter.datagrams, nowMs),
      interfaces: (interfaces.get(exporter.address) ?? []).sort((a, b) => a.index - b.index),
    }));
    return { exporters: exporters.sort((a, b) => a.address.localeCompare(b.address)) };
  }

  return { note, response };
}

type Sums = Omit<
  ExporterInfo,
  'name' | 'nameSource' | 'attributes' | 'recordsPerSecond' | 'datagramsPerSecond' | 'interfaces'
>;

function sumUp(status: InletStatus): Map<string, Sums> {
  const sums = new Map<string, Sums>();
  for (const session of status.exporters.exporters) {
    const sum: Sums = sums.get(session.exporter) ?? {
      address: session.exporter,
      protocols: [],
      domains: [],
      firstSeenMs: session.firstSeenMs,
      lastSeenMs: 0,
      datagrams: 0,
      records: 0,
      samplingRate: 0,
      lost: 0,
      lostUnits: [],
      templates: 0,
      templateMs: 0,
      clockOffsetMs: null,
      losses: {},
    };
    sums.set(session.exporter, sum);
    if (!sum.protocols.includes(session.protocol)) sum.protocols.push(session.protocol);
    if (!sum.domains.includes(session.domain)) sum.domains.push(session.domain);
    sum.firstSeenMs = Math.min(sum.firstSeenMs, session.firstSeenMs);
    // The clock of whoever spoke last: an exporter that was set right is right.
    if (session.lastSeenMs >= sum.lastSeenMs && session.clockOffsetMs !== null)
      sum.clockOffsetMs = session.clockOffsetMs;
    sum.lastSeenMs = Math.max(sum.lastSeenMs, session.lastSeenMs);
    sum.templates += session.templates;
    sum.templateMs = Math.max(sum.templateMs, session.templateMs);
    sum.datagrams += session.datagrams;
    sum.records += session.records;
    sum.lost += session.sequence.lost;
    // What was not recognised has no sequence numbers.
    if (session.protocol !== 'FLOWUNKNOWN' && !sum.lostUnits.includes(session.sequence.unit))
      sum.lostUnits.push(session.sequence.unit);
    if (session.samplingRate > 0) sum.samplingRate = session.samplingRate;
    for (const [reason, count] of Object.entries(session.losses))
      sum.losses[reason] = (sum.losses[reason] ?? 0) + count;
  }
  return sums;
}
