import type { LedgerDelta } from '@ringflow/contract';
import type { Batch, DatagramInfo, DecodeSink, Decoder, DecoderStats } from '../wire/index.ts';
import { createAllowList } from './allow-list.ts';
import type { InletConfig } from './config.ts';
import { createExporters, type ExportersStatus } from './exporters.ts';
import { createFiller } from './filler.ts';
import type { JournalStatus } from './journal.ts';
import { readKernelDrops, type KernelDrops } from './kernel-drops.ts';
import { createInletLedger, type LedgerStatus } from './ledger.ts';
import { createNames, type NameUpdate } from './names.ts';
import { createReceiver } from './create-receiver.ts';
import { parseEndpoint, type Endpoint, type Receiver, type SocketStatus } from './receiver.ts';
import { namedCounts } from './sessions.ts';
import { createInletState } from './state.ts';

/** What the inlet needs of the spool's writer. */
export interface SegmentWriter {
  start(): Promise<void>;
  /** Takes the rows; the batch may be reset at once. A batch without rows records its delta only. */
  seal(
    batch: Batch,
    delta: LedgerDelta,
  ): { readonly id: string; readonly rows: number; readonly sealed: Promise<boolean> };
  full(): boolean;
  stop(): Promise<void>;
  status(): { readonly inFlightRows: number };
}

/** What the inlet needs of `wire/`; comes in, so that the room knows only its types. */
export interface InletWire {
  createDecoder(sink: DecodeSink): Decoder;
  createBatch(rowLimit: number): Batch;
  resetBatch(batch: Batch): void;
  createDatagramInfo(): DatagramInfo;
  readonly lossReasons: readonly string[];
  readonly sampleWords: number;
}

export interface InletDeps {
  readonly wire: InletWire;
  /** Runs over every row once, before it is sealed. */
  readonly enrich: (batch: Batch, from: number, to: number) => void;
  readonly spool: SegmentWriter;
  /** File that keeps templates, sampling and names over a restart. */
  readonly journalPath: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly onNames: (updates: readonly NameUpdate[]) => void;
  /** A segment is on disk. */
  readonly onSealed: (segment: string, rows: number, ledger: LedgerDelta) => void;
  readonly log: InletLog;
  /** Where datagrams come from; sockets unless something else (the fuzzer) hands them over. */
  readonly createReceiver?: (...args: Parameters<typeof createReceiver>) => Receiver;
}

/** As much of a pino logger as is used. */
export interface InletLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface InletStatus {
  readonly receiver: 'recvmmsg' | 'dgram' | null;
  readonly sockets: readonly (SocketStatus & { readonly kernelDrops: number; readonly queueBytes: number })[];
  /** Datagrams that this host dropped for want of buffer since boot, all programs. */
  readonly hostReceiveBufferErrors: number;
  readonly datagrams: number;
  readonly truncatedDatagrams: number;
  readonly records: number;
  readonly otherRecords: number;
  readonly replayedRecords: number;
  readonly templateChanges: number;
  readonly decoderFaults: number;
  /** By loss reason, only those that occurred. */
  readonly losses: Readonly<Record<string, number>>;
  readonly seals: number;
  /** Records in memory: in the batch or on their way to disk. */
  readonly waitingRecords: number;
  readonly ledger: LedgerStatus;
  readonly exporters: ExportersStatus;
  readonly decoder: DecoderStats;
  readonly journal: JournalStatus;
  readonly names: number;
}

export interface Inlet {
  /** Restores templates, opens spool and sockets. */
  start(): Promise<void>;
  /** Closes the sockets, decodes what the kernel still had, seals it and waits until it is on disk. */
  stop(): Promise<void>;
  status(): InletStatus;
}

const SYNC_JOURNAL_MS = 5000;
const EXPIRE_MS = 10_000;
const FAULT_LOG_MS = 60_000;

/** Sockets to sealed segments: receive → decode → enrich → seal. Never waits for the store. */
export function createInlet(config: InletConfig, deps: InletDeps): Inlet {
  const { wire, spool, log, now } = deps;
  const names = createNames(config.limits.names);
  const decoder = wire.createDecoder({ options: names.options, counters: names.counters });
  const exporters = createExporters(config.limits, createAllowList(config.allow_exporters), wire);
  const ledger = createInletLedger();
  const state = createInletState(deps.journalPath);
  // One is enough: the writer has copied the rows when `seal` returns, and a second one would only push the first out
  // of the processor's cache.
  const batch = wire.createBatch(config.row_limit);
  const filler = createFiller(
    { rowLimit: config.row_limit, clockThresholdMs: config.clock_threshold_ms },
    {
      decoder,
      info: wire.createDatagramInfo(),
      exporters,
      enrich: deps.enrich,
      now,
      onFull: () => seal(),
      onFirstRow: () => (sealTimer ??= setTimeout(() => seal(), config.seal_interval_ms)),
      onChanges: keepChanges,
      onFault,
    },
    batch,
  );
  const receiver = (deps.createReceiver ?? createReceiver)(
    config.receiver,
    { listen: config.listen.map(endpointOf), receiveBufferBytes: config.receive_buffer_bytes },
    filler,
  );
  let sealTimer: NodeJS.Timeout | null = null;
  const timers: NodeJS.Timeout[] = [];
  let seals = 0;
  let lastFaultLogMs = Number.NEGATIVE_INFINITY;
  let sawFull = false;

  function seal(last = false): void {
    if (sealTimer) clearTimeout(sealTimer);
    sealTimer = null;
    filler.finish();
    if (batch.rows === 0) return;
    const full = spool.full();
    // Perhaps the disk only stutters: nothing is lost as long as the batch has room.
    if (full && !last && batch.rows < config.row_limit) {
      sealTimer = setTimeout(() => seal(), config.seal_interval_ms);
      return;
    }
    if (full !== sawFull) {
      sawFull = full;
      if (full) log.error({ rows: batch.rows }, 'spool is full: records are dropped and counted');
      else log.info({}, 'spool takes records again');
    }
    const delta = full ? ledger.dropped(batch, 'spool_full') : ledger.kept(batch.rows);
    // Dropped records leave a segment without rows, so that the ledger on disk knows them.
    if (full) wire.resetBatch(batch);
    const { id, rows, sealed } = spool.seal(batch, delta);
    seals++;
    void sealed.then((done) => done && deps.onSealed(id, rows, delta));
    if (!full) wire.resetBatch(batch);
    filler.emptied();
  }

  function keepChanges(): void {
    state.saveDecoder(decoder.takeChanges());
    const updates = names.take();
    if (updates.length === 0) return;
    state.saveNames(updates);
    deps.onNames(updates);
  }

  function onFault(error: unknown): void {
    if (now() - lastFaultLogMs < FAULT_LOG_MS) return;
    lastFaultLogMs = now();
    log.error({ err: error }, 'decoder failed at a datagram, which is skipped');
  }

  function every(intervalMs: number, work: () => void): void {
    const timer = setInterval(work, intervalMs);
    timer.unref();
    timers.push(timer);
  }

  async function start(): Promise<void> {
    const kept = state.open();
    decoder.restore(kept.decoder, now());
    names.restore(kept.names);
    if (state.status().damagedBytes > 0)
      log.warn({ bytes: state.status().damagedBytes }, 'end of the journal was damaged and left out');
    await spool.start();
    await receiver.start();
    if (kept.names.length > 0) deps.onNames(kept.names);
    for (const socket of receiver.sockets()) {
      const { address, port, requestedBytes, grantedBytes } = socket;
      log.info({ address, port, receiver: receiver.kind, receiveBufferBytes: grantedBytes }, 'listening');
      if (grantedBytes < requestedBytes) {
        log.warn(
          { port, grantedBytes, requestedBytes, hint: `sysctl -w net.core.rmem_max=${requestedBytes}` },
          'receive buffer is smaller than asked for: bursts may be lost',
        );
      }
    }
    every(SYNC_JOURNAL_MS, state.sync);
    every(EXPIRE_MS, filler.expire);
  }

  async function stop(): Promise<void> {
    for (const timer of timers) clearInterval(timer);
    await receiver.stop();
    seal(true);
    if (sealTimer) clearTimeout(sealTimer);
    keepChanges();
    await spool.stop();
    state.close();
  }

  function status(): InletStatus {
    const sockets = receiver.sockets();
    const kernel = readKernelDrops(sockets);
    const totals = filler.totals();
    return {
      receiver: sockets.length > 0 ? receiver.kind : null,
      sockets: sockets.map((socket) => ({ ...socket, ...dropsOf(socket, kernel) })),
      hostReceiveBufferErrors: kernel.hostReceiveBufferErrors,
      datagrams: totals.datagrams,
      truncatedDatagrams: receiver.truncated(),
      records: totals.records,
      otherRecords: totals.otherRecords,
      replayedRecords: totals.replayedRecords,
      templateChanges: totals.templateChanges,
      decoderFaults: totals.decoderFaults,
      losses: namedCounts(totals.losses, wire.lossReasons),
      seals,
      waitingRecords: batch.rows + spool.status().inFlightRows,
      ledger: ledger.status(),
      exporters: exporters.status(now()),
      decoder: decoder.stats(),
      journal: state.status(),
      names: names.size(),
    };
  }

  return { start, stop, status };
}

function dropsOf(socket: SocketStatus, kernel: KernelDrops): { kernelDrops: number; queueBytes: number } {
  const found = kernel.sockets.filter(({ inode, port }) =>
    socket.inode === 0 ? port === socket.port : inode === socket.inode,
  );
  return {
    kernelDrops: found.reduce((sum, { drops }) => sum + drops, 0),
    queueBytes: found.reduce((sum, { queueBytes }) => sum + queueBytes, 0),
  };
}

function endpointOf(text: string): Endpoint {
  const endpoint = parseEndpoint(text);
  if (!endpoint) throw new RangeError(`inlet.listen: ${text} is not an address and port, write it like [::]:2055`);
  return endpoint;
}
