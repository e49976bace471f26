import { join, resolve } from 'node:path';
import type { Config } from '../../config/index.ts';
import { createEnrich, ENRICH_COLUMNS } from '../../enrich/index.ts';
import { createInlet, type Inlet } from '../../inlet/index.ts';
import { createSpoolWriter } from '../../spool/index.ts';
import {
  createBatch,
  createDatagramInfo,
  createDecoder,
  LOSS_REASONS,
  resetBatch,
  SAMPLE_WORDS,
} from '../../wire/index.ts';
import { createLog } from '../log.ts';
import { createChannel, type Port } from './channel.ts';
import type { InletEvents, InletMethods } from './messages.ts';
import { readUsage } from './usage.ts';

/** How often main hears how the inlet is. */
const STATUS_MS = 1000;

/** The process between sockets and sealed segments. Main starts and stops it; without main it stops by itself. */
export function runInletProcess(): void {
  let inlet: Inlet | null = null;
  let timer: NodeJS.Timeout | null = null;
  let stopping: Promise<void> | null = null;

  const port = process as unknown as Port;
  const channel = createChannel<object, object, InletEvents>(port, {
    async start(config: Config): Promise<ReturnType<InletMethods['start']>> {
      const started = wireInlet(config, channel.emit);
      await started.start();
      inlet = started;
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
    stop,
  });

  function stop(): Promise<void> {
    stopping ??= (async () => {
      if (timer) clearInterval(timer);
      await inlet?.stop();
      // A last look: nothing is received any more, so this is what main keeps.
      if (inlet) channel.emit('status', inlet.status());
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

/** Puts the rooms of the receiving side together. */
function wireInlet(config: Config, emit: <K extends keyof InletEvents>(name: K, value: InletEvents[K]) => void): Inlet {
  const log = createLog(config.log, 'inlet', (problem) => emit('problem', problem));
  const dataDirectory = resolve(config.data_dir);
  return createInlet(config.inlet, {
    wire: {
      createDecoder: (sink) => createDecoder(config.wire, sink),
      createBatch: (rowLimit) => createBatch({ rowLimit, columns: ENRICH_COLUMNS }),
      resetBatch,
      createDatagramInfo,
      lossReasons: LOSS_REASONS,
      sampleWords: SAMPLE_WORDS,
    },
    enrich: createEnrich(config.enrich),
    spool: createSpoolWriter(
      { ...config.spool, directory: join(dataDirectory, 'spool'), inlet: '0' },
      { onError: (error) => log.error({ err: error }, 'segment cannot be written, will be tried again') },
    ),
    journalPath: join(dataDirectory, 'templates.journal'),
    now: Date.now,
    onNames: (updates) => emit('names', updates),
    onSealed: (segment, rows, ledger) => emit('sealed', { segment, rows, ledger }),
    log,
  });
}
