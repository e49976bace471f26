import type { LedgerDelta, NameEntry } from '@ringflow/contract';
import type { EnrichStatus } from '../enrich/index.ts';
import type { Batch, DatagramInfo, DecodeSink, Decoder, DecoderStats } from '../wire/index.ts';
import { createAllowList } from './allow-list.ts';
import type { InletConfig } from './config.ts';
import { createExporters, type ExportersStatus } from './exporters.ts';
import { createFiller } from './filler.ts';
import type { JournalStatus } from './journal.ts';
import { readKernelDrops, type KernelDrops } from './kernel-drops.ts';
import { createIntake, INTAKE_ROWS, type Intake, type IntakeDeps } from './intake.ts';
import { createInletLedger, type LedgerStatus } from './ledger.ts';
import { createCounterNotes, type InterfaceCounters } from './counters.ts';
import { createNames } from './names.ts';
import { createReceiver } from './create-receiver.ts';
import { parseEndpoint, type Endpoint, type Receiver, type SocketStatus } from './receiver.ts';
import { namedCounts } from './sessions.ts';
import { createInletState } from './state.ts';

/** What the inlet needs of the spool's writer. */
export interface SegmentWriter {
  start(): Promise<void>;
  /** Takes the rows into the open segment; the batch may be reset at once. */
  append(batch: Batch): void;
  /** Rows of the open segment. */
  openRows(): number;
  /** Takes the rows and ends the open segment. A delta without rows is recorded alone and leaves the segment open. */
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

/** What the inlet needs of `enrich/`. */
export interface InletEnrich {
  /** Runs over every row once, before it is sealed. */
  step(batch: Batch, from: number, to: number): void;
  /** Resolves when its files are loaded, or after so long: two seconds unless given. */
  start(longestWaitMs?: number): Promise<void>;
  stop(): Promise<void>;
  learn(entries: Iterable<NameEntry>): void;
  takeNames(): NameEntry[];
  status(): EnrichStatus;
}

export interface InletDeps {
  readonly wire: InletWire;
  readonly enrich: InletEnrich;
  readonly spool: SegmentWriter;
  /** Where records go that others decoded; absent where they are not taken. */
  readonly intake?: Pick<IntakeDeps, 'append' | 'spool' | 'taken'>;
  /** File that keeps templates, sampling and names over a restart. */
  readonly journalPath: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly onNames: (updates: readonly NameEntry[]) => void;
  readonly onCounters: (samples: readonly InterfaceCounters[]) => void;
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
  readonly enrich: EnrichStatus;
  readonly exporters: ExportersStatus;
  readonly decoder: DecoderStats;
  readonly journal: JournalStatus;
  readonly names: number;
  /** Names that made room for others, and names for which there was no room, since start. */
  readonly namesEvicted: number;
  readonly namesRefused: number;
}

export interface Inlet {
  /** Restores templates, opens spool and sockets. */
  start(): Promise<void>;
  /** Closes the sockets, decodes what the kernel still had, seals it and waits until it is on disk. */
  stop(): Promise<void>;
  /**
   * Takes another allow-list and another enrichment while it receives; what it knows of exporters, and its templates,
   * stay. Rejects, with everything as before, when one of them is wrong.
   */
  configure(next: { readonly allow_exporters: readonly string[]; readonly enrich: InletEnrich }): Promise<void>;
  /** Takes records that others decoded; null where they are not taken. */
  readonly intake: Pick<Intake, 'take' | 'progress'> | null;
  status(): InletStatus;
}

/** Rows that are decoded, enriched and encoded together. */
const BLOCK_ROWS = 4096;
/**
 * Templates, options and names that change are kept at once, so that after a kill nothing is decoded with the template
 * before; a flood of them is kept together, once per this time.
 */
const KEEP_CHANGES_MS = 1000;
/** More than networks need in that time. */
const KEEPS_AT_ONCE = 50;
const SYNC_JOURNAL_MS = 5000;
/** What is there goes on until the files of what follows are loaded. */
const FILES_WAIT_MS = 60_000;
const EXPIRE_MS = 10_000;
const FAULT_LOG_MS = 60_000;

/** Sockets to sealed segments: receive → decode → enrich → seal. Never waits for the store. */
export function createInlet(config: InletConfig, deps: InletDeps): Inlet {
  const { wire, spool, log, now } = deps;
  const names = createNames(config.limits.names, (source) => exporters.trusts(source));
  const counters = createCounterNotes(now);
  const decoder = wire.createDecoder({
    options: names.options,
    counters: (record) => {
      names.counters(record);
      counters.note(record);
    },
  });
  const exporters = createExporters(config.limits, createAllowList(config.allow_exporters), wire);
  const ledger = createInletLedger();
  let enrich = deps.enrich;
  const state = createInletState(deps.journalPath, {
    decoder: () => decoder.entries(),
    names: () => names.entries(),
  });
  // Small enough for the processor's second cache, from decoding to encoding: through memory, looking for the narrowest
  // types, copying and clearing cost more than decoding.
  const blockRows = Math.min(BLOCK_ROWS, config.row_limit);
  const batch = wire.createBatch(blockRows);
  const filler = createFiller(
    { rowLimit: blockRows, clockThresholdMs: config.clock_threshold_ms },
    {
      decoder,
      info: wire.createDatagramInfo(),
      exporters,
      enrich: (rows, from, to) => enrich.step(rows, from, to),
      now,
      onFull: append,
      onFirstRow: () => (sealTimer ??= setTimeout(() => seal(), config.seal_interval_ms)),
      onChanges,
      onFault,
    },
    batch,
  );
  const receiver = (deps.createReceiver ?? createReceiver)(
    config.receiver,
    { listen: config.listen.map(endpointOf), receiveBufferBytes: config.receive_buffer_bytes },
    filler,
  );
  const intake =
    deps.intake &&
    createIntake({
      ...deps.intake,
      batch: wire.createBatch(INTAKE_ROWS),
      reset: wire.resetBatch,
      enrich: (rows, from, to) => {
        enrich.step(rows, from, to);
        onChanges();
      },
      book: (rows, from, to) => exporters.bookRows(rows, from, to, now()),
      onSealed: deps.onSealed,
    });
  let sealTimer: NodeJS.Timeout | null = null;
  const timers: NodeJS.Timeout[] = [];
  let changesTimer: NodeJS.Timeout | null = null;
  let changesPending = false;
  let keeps = 0;
  let seals = 0;
  let lastFaultLogMs = Number.NEGATIVE_INFINITY;
  let sawFull = false;

  /** Moves the rows to the open segment; while the spool is full and the segment too, drops and counts them. */
  function append(): void {
    filler.finish();
    const room = spool.openRows() < config.row_limit;
    if (room) spool.append(batch);
    else ledger.drop(batch, 'spool_full');
    wire.resetBatch(batch);
    filler.emptied();
    if (room && spool.openRows() >= config.row_limit) seal();
  }

  /** @param last nothing will be received any more: what is in memory goes to disk, full or not */
  function seal(last = false): void {
    if (batch.rows > 0) append();
    if (sealTimer) clearTimeout(sealTimer);
    sealTimer = null;
    const full = spool.full();
    if (full !== sawFull) {
      sawFull = full;
      if (full)
        log.error({ rows: spool.openRows() }, 'spool is full: what does not fit into memory is dropped and counted');
      else log.info({}, 'spool takes records again');
    }
    // Perhaps the disk only stutters: nothing is lost as long as the segment has room. Dropped records leave a segment
    // without rows, so that the ledger on disk knows them.
    const delta = ledger.take(full && !last ? 0 : spool.openRows());
    if (delta.received > 0) {
      const { id, rows, sealed } = spool.seal(batch, delta);
      seals++;
      void sealed.then((done) => done && deps.onSealed(id, rows, delta));
    }
    if (spool.openRows() > 0) sealTimer = setTimeout(() => seal(), config.seal_interval_ms);
    tellNames([]);
  }

  /** Of what went into rows, so that nobody sees an id without its name for long. */
  function tellNames(updates: readonly NameEntry[]): void {
    const news = [...updates, ...enrich.takeNames()];
    if (news.length > 0) deps.onNames(news);
  }

  /** The first change is kept at once, those that follow together: a flood must not write a file per datagram. */
  function onChanges(): void {
    if (keeps < KEEPS_AT_ONCE) {
      keeps++;
      keepChanges();
    } else changesPending = true;
    changesTimer ??= setTimeout(() => {
      changesTimer = null;
      keeps = 0;
      if (changesPending) onChanges();
    }, KEEP_CHANGES_MS).unref();
  }

  function keepChanges(): void {
    changesPending = false;
    const changes = decoder.takeChanges();
    if (changes.size > 0) state.saveDecoder(changes);
    const updates = names.take();
    const gone = names.takeGone();
    if (updates.length > 0 || gone.length > 0) state.saveNames(updates, gone);
    if (updates.length > 0) enrich.learn(updates);
    tellNames(updates);
    const samples = counters.take();
    if (samples.length > 0) deps.onCounters(samples);
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
    enrich.learn(kept.names);
    await enrich.start();
    if (state.status().damagedBytes > 0)
      log.warn({ bytes: state.status().damagedBytes }, 'end of the journal was damaged and left out');
    await spool.start();
    await intake?.start();
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
    if (changesTimer) clearTimeout(changesTimer);
    await receiver.stop();
    seal(true);
    if (sealTimer) clearTimeout(sealTimer);
    await intake?.stop();
    keepChanges();
    await enrich.stop();
    await spool.stop();
    state.close();
  }

  async function configure(next: Parameters<Inlet['configure']>[0]): Promise<void> {
    const allow = createAllowList(next.allow_exporters);
    try {
      await next.enrich.start(FILES_WAIT_MS);
    } catch (error) {
      await next.enrich.stop();
      throw error;
    }
    next.enrich.learn(names.entries());
    const before = enrich;
    // Rows that were received under the old one keep it, names that it gave out are kept as well.
    filler.finish();
    keepChanges();
    enrich = next.enrich;
    exporters.allow(allow);
    await before.stop();
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
      waitingRecords: batch.rows + spool.status().inFlightRows + (intake?.waitingRecords() ?? 0),
      ledger: ledger.status(),
      enrich: enrich.status(),
      exporters: exporters.status(now()),
      decoder: decoder.stats(),
      journal: state.status(),
      names: names.status().names,
      namesEvicted: names.status().evicted,
      namesRefused: names.status().refused,
    };
  }

  return { start, stop, configure, intake: intake ?? null, status };
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
