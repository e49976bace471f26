import { mkdtempSync, rmSync } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { LedgerDelta } from '@ringflow/contract';
import { createRandom } from '../../collector/src/demo/index.ts';
import { createEnrich, ENRICH_COLUMNS, ENRICH_DEFAULTS } from '../../collector/src/enrich/index.ts';
import { createInlet, INLET_DEFAULTS, type DatagramSink, type InletStatus } from '../../collector/src/inlet/index.ts';
import {
  createSpoolWriter,
  formatSegmentName,
  scanSpool,
  segmentId,
  type Segment,
} from '../../collector/src/spool/index.ts';
import { readNativeColumns } from '../../collector/src/spool/testing/native-reader.ts';
import {
  createBatch,
  createDatagramInfo,
  createDecoder,
  LOSS_REASONS,
  resetBatch,
  SAMPLE_WORDS,
  WIRE_DEFAULTS,
} from '../../collector/src/wire/index.ts';
import { createDrawer } from './drawer.ts';
import { createHonest, type Honest, type HonestResult } from './honest.ts';
import { captureSamples, encoderSamples } from './samples.ts';

export interface FuzzOptions {
  /** Bound of the resident memory; only where the process is the run's own. */
  readonly maxResidentMiB?: number;
  readonly datagrams: number;
  readonly seed: number;
  /** Directory of the captures; the demo's encoders alone when it is not there. */
  readonly captures: string;
  /** Told the number of each datagram before it is fed, -1 when none is being worked on: for a watchdog. */
  readonly progress: (datagram: number) => void;
  readonly print: (line: string) => void;
  /** Nothing but this one of the floods, half of it from addresses that were never heard of. */
  readonly only?: string;
}

export interface FuzzReport {
  readonly seed: number;
  readonly datagrams: number;
  readonly samples: { readonly captures: number; readonly encoders: number };
  readonly kinds: Readonly<Record<string, number>>;
  readonly seconds: number;
  readonly datagramsPerSecond: number;
  readonly recordsPerSecond: number;
  /** Longest time for a group of {@link GROUP} datagrams, and the number of its first. */
  readonly slowestGroupMs: number;
  readonly slowestGroupAt: number;
  /** What is in use after a garbage collection, in MiB, at each tenth and at the end. */
  readonly liveMiB: readonly number[];
  /** Resident memory in MiB just before these, and the most ever: V8 collects when it sees fit. */
  readonly rssMiB: readonly number[];
  readonly peakRssMiB: number;
  readonly honest: readonly HonestResult[];
  /** An exporter that is new in mid-flood: some of its first datagrams may be refused (X03); not asserted. */
  readonly newcomer: HonestResult;
  readonly inlet: Pick<
    InletStatus,
    | 'datagrams'
    | 'records'
    | 'otherRecords'
    | 'replayedRecords'
    | 'templateChanges'
    | 'decoderFaults'
    | 'losses'
    | 'decoder'
    | 'ledger'
    | 'seals'
    | 'names'
    | 'namesEvicted'
    | 'namesRefused'
    | 'journal'
  > & {
    readonly refused: InletStatus['exporters']['refused'];
    readonly sources: InletStatus['exporters']['sources'];
    readonly agents: InletStatus['exporters']['agents'];
    readonly followed: number;
    readonly unfollowed: number;
    readonly exporters: InletStatus['exporters']['exporters'];
  };
  readonly segments: { readonly files: number; readonly rows: number; readonly readBack: number };
  /** What is wrong; empty when nothing is. */
  readonly problems: readonly string[];
}

/** Datagrams between two turns of the event loop, about what one system call reads. */
const GROUP = 256;
const SLOT_BYTES = 65_536;
/** Datagrams per second on the collector's clock, which the runner turns. */
const RATE = 20_000;
/** Honest exporters send after so many hostile datagrams. */
const HONEST_EVERY = 200;
/** They are known (X03: three good datagrams over five seconds) before the flood begins. */
const WARM_UP_SECONDS = 8;
const READ_BACK_EVERY = 25;
/** Looks at the memory. */
const TENTHS = 10;
/** Datagrams until every table has met its bound. */
const BOUNDED_AFTER = 1_000_000;
/** What may be added to the memory in use from then on. */
const GROWTH_MIB = 24;
/** What an inlet may add to what is in use with every table full, generator and samples of this run (some 60 MiB) included. */
const IN_USE_MIB = 272;

/**
 * Feeds seeded mutations of real datagrams and floods to a real inlet (decode, enrich, seal to disk), with honest
 * exporters among them, and says whether anything was lost, doubled, slow or kept in memory.
 */
export async function runFuzz(options: FuzzOptions): Promise<FuzzReport> {
  const random = createRandom(options.seed);
  const startMs = Date.now();
  let nowMs = startMs;
  // In a process that ran something else before, what that left behind is not the inlet's.
  const beforeMiB = liveNow();
  const directory = mkdtempSync(join(tmpdir(), 'ringflow-fuzz-'));
  const problems: string[] = [];
  const problem = (text: string): void => void (problems.length < 50 && problems.push(text));
  const honest = (['netflow5', 'netflow9', 'ipfix', 'sflow'] as const).map((protocol, i) =>
    createHonest(protocol, protocol, `198.18.0.${i + 1}`, startMs),
  );
  const newcomer = createHonest('newcomer', 'netflow9', '198.18.1.1', startMs);
  const spoolDirectory = join(directory, 'spool');
  const spool = createSpoolWriter(
    { directory: spoolDirectory, inlet: '0', max_in_flight: 8, min_free_bytes: 0 },
    { onError: (error) => problem(`spool: ${error.message}`) },
  );
  const deltas = { received: 0, rows: 0, dropped: 0 };
  const segments = { files: 0, rows: 0, readBack: 0 };
  let sink: DatagramSink = { datagram: () => undefined, settled: () => undefined };
  let fed = 0;
  const removals = new Set<Promise<void>>();

  const inlet = createInlet(
    { ...INLET_DEFAULTS, listen: ['127.0.0.1:0'] },
    {
      wire: {
        createDecoder: (to) => createDecoder({ ...WIRE_DEFAULTS, sflow: { decapsulate: true } }, to),
        createBatch: (rowLimit) => createBatch({ rowLimit, columns: ENRICH_COLUMNS }),
        resetBatch,
        createDatagramInfo,
        lossReasons: LOSS_REASONS,
        sampleWords: SAMPLE_WORDS,
      },
      enrich: createEnrich(ENRICH_DEFAULTS),
      spool: {
        ...spool,
        append(batch) {
          for (const one of honest) one.look(batch);
          newcomer.look(batch);
          spool.append(batch);
        },
      },
      journalPath: join(directory, 'templates.journal'),
      now: () => nowMs,
      onCounters: () => undefined,
      onNames: () => undefined,
      onSealed: (id, rows, delta) => {
        book(delta);
        segments.files++;
        segments.rows += rows;
        const removal = takeAway(id, rows, segments.files % READ_BACK_EVERY === 1);
        removals.add(removal);
        void removal.finally(() => removals.delete(removal));
      },
      log: {
        info: () => undefined,
        warn: () => undefined,
        error: (fields, message) => {
          const { err } = fields as { err?: Error };
          problem(`datagram ${fed} (seed ${options.seed}): ${message}: ${err?.stack ?? ''}`);
        },
      },
      createReceiver: (_kind, _config, to) => {
        sink = to;
        return { kind: 'dgram', start: async () => {}, stop: async () => {}, sockets: () => [], truncated: () => 0 };
      },
    },
  );

  function book(delta: LedgerDelta): void {
    const dropped = delta.dropped.reduce((sum, { records }) => sum + records, 0);
    if (delta.received !== delta.rows + dropped) problem(`a delta does not add up: ${JSON.stringify(delta)}`);
    deltas.received += delta.received;
    deltas.rows += delta.rows;
    deltas.dropped += dropped;
  }

  /** What the store would do: read the segment (some of them, here) and delete it. */
  async function takeAway(id: string, rows: number, readBack: boolean): Promise<void> {
    const { ready } = await scanSpool(spoolDirectory);
    const segment = ready.find((one) => segmentId(one) === id) as Segment | undefined;
    if (!segment) return problem(`segment ${id} was sealed and is not there`);
    const path = join(spoolDirectory, formatSegmentName(segment));
    if (readBack && rows > 0) {
      const { size } = await stat(path);
      if (size !== segment.sizeBytes) problem(`segment ${id} has ${size} bytes, its name says otherwise`);
      if ((await readNativeColumns(path)).rows !== rows) problem(`segment ${id} does not hold ${rows} rows`);
      segments.readBack++;
    }
    await rm(path);
  }

  await inlet.start();
  const captures = captureSamples(options.captures);
  const encoders = encoderSamples(options.seed, startMs);
  const next = createDrawer(random, [...captures, ...encoders], options.only);
  const kinds: Record<string, number> = {};
  // Each datagram ends where the memory ends: to read behind it is an error, and not the next one's bytes.
  const arena = new Uint8Array(SLOT_BYTES);
  const scratch = new Uint8Array(65_507);
  const address = new Int32Array(4);
  const rssMiB: number[] = [];
  const liveMiB: number[] = [];
  let peakRssMiB = 0;
  let slowestGroupMs = 0;
  let slowestGroupAt = 0;

  function feed(bytes: Uint8Array, from: Int32Array, port: number): void {
    const slot = arena.subarray(SLOT_BYTES - bytes.length);
    slot.set(bytes);
    options.progress(fed++);
    sink.datagram(slot, from, 0, port);
  }
  const feedHonest = (one: Honest): void => {
    for (const datagram of one.send(nowMs)) feed(datagram, one.address, one.port);
  };
  const breathe = async (): Promise<void> => {
    sink.settled();
    options.progress(-1);
    await turn();
    if (spool.status().inFlightSegments > 2) await spool.flush();
  };

  for (let second = 0; second < WARM_UP_SECONDS; second++, nowMs += 1000) {
    for (const one of honest) feedHonest(one);
    await breathe();
  }
  const began = performance.now();
  const base = nowMs;
  let groupBegan = began;
  for (let i = 0; i < options.datagrams; i++) {
    const drawn = next(nowMs, scratch, address);
    kinds[drawn.kind] = (kinds[drawn.kind] ?? 0) + 1;
    feed(scratch.subarray(0, drawn.length), address, drawn.port);
    if (i % HONEST_EVERY === 0) for (const one of honest) feedHonest(one);
    if (i % HONEST_EVERY === 100 && i > options.datagrams / 2) feedHonest(newcomer);
    if (i % GROUP < GROUP - 1) continue;
    sink.settled();
    const took = performance.now() - groupBegan;
    if (took > slowestGroupMs) [slowestGroupMs, slowestGroupAt] = [took, i - GROUP + 1];
    nowMs = base + Math.floor((i * 1000) / RATE);
    await breathe();
    if (i % (GROUP * 64) === GROUP - 1) {
      const now = process.memoryUsage.rss() / 2 ** 20;
      peakRssMiB = Math.max(peakRssMiB, now);
      if (rssMiB.length < Math.floor((i * TENTHS) / options.datagrams)) {
        rssMiB.push(Math.round(now));
        liveMiB.push(liveNow());
        options.print(
          `  ${i + 1} datagrams, ${Math.round((performance.now() - began) / 1000)} s: ${liveMiB.at(-1)} MiB in use, ${Math.round(now)} MiB resident; ${tables(inlet.status())}`,
        );
      }
    }
    groupBegan = performance.now();
  }
  const seconds = (performance.now() - began) / 1000;
  // The decoder's periodic work, long after: what was parked has expired.
  rssMiB.push(Math.round(process.memoryUsage.rss() / 2 ** 20));
  liveMiB.push(liveNow());
  const before = inlet.status();
  await inlet.stop();
  await Promise.all(removals);
  const status = inlet.status();
  rmSync(directory, { recursive: true, force: true });

  const results = honest.map((one) => one.result());
  if (status.datagrams !== fed) problem(`${fed} datagrams were fed, the inlet counted ${status.datagrams}`);
  if (status.decoderFaults > 0) problem(`${status.decoderFaults} datagrams made the decoder throw`);
  if (status.waitingRecords !== 0) problem(`${status.waitingRecords} records wait after the stop`);
  if (deltas.received !== status.records)
    problem(`${status.records} records decoded, the ledger has received ${deltas.received}`);
  if (deltas.received !== deltas.rows + deltas.dropped)
    problem(`the ledger does not add up: ${JSON.stringify(deltas)}`);
  if (segments.rows !== deltas.rows) problem(`${segments.rows} rows in segments, the ledger has ${deltas.rows}`);
  for (const { name, sent, missing, doubled, wrong } of results)
    if (missing + doubled + wrong > 0)
      problem(`honest ${name}: ${sent} sent, ${missing} missing, ${doubled} doubled, ${wrong} wrong`);
  const { templates, parking } = WIRE_DEFAULTS;
  if (before.decoder.templates > templates.max_total) problem(`${before.decoder.templates} templates are kept`);
  if (before.decoder.parkedBytes > parking.max_bytes) problem(`${before.decoder.parkedBytes} bytes are parked`);
  if (before.names > INLET_DEFAULTS.limits.names) problem(`${before.names} names are kept`);
  const addedMiB = Math.max(...liveMiB) - beforeMiB;
  if (addedMiB > IN_USE_MIB) problem(`${addedMiB} MiB more were in use than before, more than ${IN_USE_MIB}`);
  if (options.maxResidentMiB !== undefined && peakRssMiB > options.maxResidentMiB)
    problem(`${Math.round(peakRssMiB)} MiB were resident, more than ${options.maxResidentMiB}`);
  const settled = liveMiB.slice(Math.ceil((BOUNDED_AFTER * TENTHS) / options.datagrams) - 1);
  const [first = 0] = settled;
  if (Math.max(0, ...settled) > first + GROWTH_MIB)
    problem(`memory in use grew from ${first} to ${Math.max(...settled)} MiB after the tables were full`);
  const { exporters, sockets: _sockets, receiver: _receiver, ...rest } = status;
  return {
    seed: options.seed,
    datagrams: fed,
    samples: { captures: captures.length, encoders: encoders.length },
    kinds,
    seconds,
    datagramsPerSecond: fed / seconds,
    recordsPerSecond: status.records / seconds,
    slowestGroupMs,
    slowestGroupAt,
    liveMiB,
    rssMiB,
    peakRssMiB,
    honest: results,
    newcomer: newcomer.result(),
    inlet: {
      ...rest,
      decoder: before.decoder,
      refused: exporters.refused,
      sources: exporters.sources,
      agents: exporters.agents,
      followed: exporters.followed,
      unfollowed: exporters.unfollowed,
      exporters: exporters.exporters,
    },
    segments,
    problems,
  };
}

/** How full the tables are that a flood fills. */
function tables({ decoder, names, exporters }: InletStatus): string {
  const { known, unknown } = exporters.sources;
  return `${decoder.templates} templates, ${names} names, ${exporters.followed} sessions, ${known + unknown} sources, ${Math.round(decoder.parkedBytes / 2 ** 20)} MiB parked`;
}

setFlagsFromString('--expose_gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Heap and buffers in use after a collection. */
function liveNow(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return Math.round((heapUsed + external) / 2 ** 20);
}
