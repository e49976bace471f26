import { join, resolve } from 'node:path';
import { RingflowError, type TakenBatch } from '@ringflow/contract';
import { setFlagsFromString } from 'node:v8';
import { secretsOf, type Config } from '../../config/index.ts';
import { createEnrich, createTableWorkers, ENRICH_COLUMNS } from '../../enrich/index.ts';
import type { Delivery } from '../../ingest/index.ts';
import { createInlet, INLET_HEAP_GROWTH_PERCENT, type Inlet } from '../../inlet/index.ts';
import { createSpoolWriter, readDelta, scanSpool } from '../../spool/index.ts';
import { readTaken } from '../../store/index.ts';
import {
  appendPacked,
  createBatch,
  createDatagramInfo,
  createDecoder,
  LOSS_REASONS,
  resetBatch,
  SAMPLE_WORDS,
} from '../../wire/index.ts';
import { createLog, type Log } from '../log.ts';
import { createChannel, type Port } from './channel.ts';
import type { InletEvents, InletMethods, ProcessEvents } from './messages.ts';
import { readUsage } from './usage.ts';

/** How often main hears how the inlet is. */
const STATUS_MS = 1000;

/** The process between sockets and sealed segments. Main starts and stops it; without main it stops by itself. */
export function runInletProcess(): void {
  setFlagsFromString(`--heap-growing-percent=${INLET_HEAP_GROWTH_PERCENT}`);
  let wired: WiredInlet | null = null;
  let timer: NodeJS.Timeout | null = null;
  let stopping: Promise<void> | null = null;

  const port = process as unknown as Port;
  const channel = createChannel<object, ProcessEvents, InletEvents>(port, {
    async start(config: Config): Promise<ReturnType<InletMethods['start']>> {
      const next = wireInlet(config, channel.emit);
      const { inlet: started } = next;
      await started.start();
      wired = next;
      const report = (): void => {
        channel.emit('status', started.status());
        channel.emit('usage', readUsage());
      };
      report();
      timer = setInterval(report, STATUS_MS);
      return {
        listeners: started
          .status()
          .sockets.map((socket) => ({ port: socket.port, receiver: started.status().receiver ?? '' })),
      };
    },
    configure: (config: Config) => wired?.configure(config),
    stop,
    ping: () => undefined,
    take: (delivery: Delivery) => intakeOf(wired).take(delivery),
    progress: (source: string) => intakeOf(wired).progress(source),
  });
  channel.on('logLevel', (level) => wired && (wired.log.level = level));

  function stop(): Promise<void> {
    stopping ??= (async () => {
      if (timer) clearInterval(timer);
      await wired?.inlet.stop();
      // A last look: nothing is received any more, so this is what main keeps.
      if (wired) channel.emit('status', wired.inlet.status());
    })();
    return stopping;
  }

  // After `stop` main closes the channel; when main died, it is closed without.
  process.on('disconnect', () => {
    void stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  });
}

function intakeOf(wired: WiredInlet | null): NonNullable<Inlet['intake']> {
  if (!wired?.inlet.intake) throw new RingflowError('ingest_unavailable', 'The inlet takes no records');
  return wired.inlet.intake;
}

interface WiredInlet {
  readonly inlet: Inlet;
  readonly log: Log;
  configure(config: Config): Promise<void>;
}

/** Puts the rooms of the receiving side together. */
function wireInlet(
  config: Config,
  emit: <K extends keyof InletEvents>(name: K, value: InletEvents[K]) => void,
): WiredInlet {
  let secrets = secretsOf(config);
  const log = createLog(config.log, 'inlet', {
    noticed: (problem) => emit('problem', problem),
    secrets: () => secrets,
  });
  const dataDirectory = resolve(config.data_dir);
  const spool = createSpoolWriter(
    { ...config.spool, directory: join(dataDirectory, 'spool'), inlet: '0' },
    { onError: (error) => log.error({ err: error }, 'segment cannot be written, will be tried again') },
  );
  const intake = {
    spool: createSpoolWriter(
      { ...config.spool, directory: join(dataDirectory, 'spool'), inlet: INTAKE_INLET },
      { onError: (error) => log.error({ err: error }, 'segment cannot be written, will be tried again') },
    ),
    append: appendPacked,
    taken: () => takenBefore(dataDirectory),
  };
  const enrichDeps = { loadTable: createTableWorkers(process.argv[1] as string), now: Date.now, log };
  const inlet = createInlet(config.inlet, {
    wire: {
      createDecoder: (sink) => createDecoder(config.wire, sink),
      createBatch: (rowLimit) => createBatch({ rowLimit, columns: ENRICH_COLUMNS }),
      resetBatch,
      createDatagramInfo,
      lossReasons: LOSS_REASONS,
      sampleWords: SAMPLE_WORDS,
    },
    enrich: createEnrich(config.enrich, enrichDeps),
    spool,
    ...(config.http.ingest.enabled ? { intake } : {}),
    journalPath: join(dataDirectory, 'templates.journal'),
    now: Date.now,
    onCounters: (samples) => emit('counters', samples),
    onNames: (updates) => emit('names', updates),
    onSealed: (segment, rows, ledger) => emit('sealed', { segment, rows, ledger }),
    log,
  });
  return {
    inlet,
    log,
    configure: async (next) => {
      await inlet.configure({
        allow_exporters: next.inlet.allow_exporters,
        enrich: createEnrich(next.enrich, enrichDeps),
      });
      spool.limit(next.spool);
      intake.spool.limit(next.spool);
      secrets = secretsOf(next);
    },
  };
}

/** Name under which segments of records from other collectors are written. */
const INTAKE_INLET = 'http';

/**
 * The batches that are safe, in segments that wait and in the store's ledger. In this order: a segment that is loaded in
 * between is seen twice rather than not at all.
 */
async function takenBefore(dataDirectory: string): Promise<TakenBatch[]> {
  const directory = join(dataDirectory, 'spool');
  const { ready } = await scanSpool(directory);
  const waiting: TakenBatch[] = [];
  for (const segment of ready) {
    if (segment.inlet === INTAKE_INLET && segment.state === 'native' && segment.hasDelta)
      waiting.push(...((await readDelta(directory, segment)).taken ?? []));
  }
  return [...(await readTaken(join(dataDirectory, 'ledger.json'))), ...waiting];
}
