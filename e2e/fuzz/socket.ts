import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '../../collector/src/demo/index.ts';
import { createEnrich, ENRICH_COLUMNS, ENRICH_DEFAULTS } from '../../collector/src/enrich/index.ts';
import { createInlet, INLET_DEFAULTS } from '../../collector/src/inlet/index.ts';
import { createSpoolWriter } from '../../collector/src/spool/index.ts';
import {
  createBatch,
  createDatagramInfo,
  createDecoder,
  LOSS_REASONS,
  resetBatch,
  SAMPLE_WORDS,
  WIRE_DEFAULTS,
} from '../../collector/src/wire/index.ts';
import { mutate } from './mutate.ts';
import { captureSamples, encoderSamples } from './samples.ts';

export interface SocketReport {
  readonly sent: number;
  readonly received: number;
  readonly kernelDrops: number;
  readonly records: number;
  readonly sealed: number;
  readonly problems: readonly string[];
}

/** Datagrams sent before the receiver gets its turn. */
const BURST = 100;

/** The same mutations over loopback, through the receiver that the collector uses. */
export async function runSocketFuzz(options: {
  readonly datagrams: number;
  readonly seed: number;
  readonly captures: string;
}): Promise<SocketReport> {
  const problems: string[] = [];
  const directory = mkdtempSync(join(tmpdir(), 'ringflow-fuzz-'));
  const inlet = createInlet(
    { ...INLET_DEFAULTS, row_limit: 65_536, listen: ['127.0.0.1:0'] },
    {
      wire: {
        createDecoder: (to) => createDecoder(WIRE_DEFAULTS, to),
        createBatch: (rowLimit) => createBatch({ rowLimit, columns: ENRICH_COLUMNS }),
        resetBatch,
        createDatagramInfo,
        lossReasons: LOSS_REASONS,
        sampleWords: SAMPLE_WORDS,
      },
      enrich: createEnrich(ENRICH_DEFAULTS),
      spool: createSpoolWriter({ directory: join(directory, 'spool'), inlet: '0', max_in_flight: 8 }),
      journalPath: join(directory, 'templates.journal'),
      now: Date.now,
      onCounters: () => undefined,
      onNames: () => undefined,
      onSealed: () => undefined,
      log: { info: () => undefined, warn: () => undefined, error: (_fields, message) => void problems.push(message) },
    },
  );
  await inlet.start();
  const port = inlet.status().sockets[0]?.port ?? 0;
  const random = createRandom(options.seed + 1);
  const samples = [...captureSamples(options.captures), ...encoderSamples(options.seed, Date.now())];
  const socket = createSocket('udp4');
  let sent = 0;
  while (sent < options.datagrams) {
    for (let i = 0; i < BURST && sent < options.datagrams; i++) {
      const out = Buffer.alloc(65_507);
      const length = mutate(
        random,
        random.pick(random.pick(samples).payloads),
        random.pick(random.pick(samples).payloads),
        out,
      );
      await new Promise<void>((done, failed) =>
        socket.send(out.subarray(0, length), port, '127.0.0.1', (error) => (error ? failed(error) : done())),
      );
      sent++;
    }
    await sleep(1);
  }
  await sleep(200);
  const drops = inlet.status().sockets.reduce((sum, { kernelDrops }) => sum + kernelDrops, 0);
  await new Promise<void>((done) => socket.close(() => done()));
  await inlet.stop();
  const status = inlet.status();
  rmSync(directory, { recursive: true, force: true });
  if (status.datagrams + drops !== sent)
    problems.push(`socket: ${sent} sent, ${status.datagrams} received and ${drops} dropped by the kernel`);
  if (status.decoderFaults > 0) problems.push(`socket: ${status.decoderFaults} decoder faults`);
  if (status.ledger.receivedRecords !== status.records)
    problems.push(`socket: ${status.records} records, the ledger has ${status.ledger.receivedRecords}`);
  return {
    sent,
    received: status.datagrams,
    kernelDrops: drops,
    records: status.records,
    sealed: status.ledger.sealedRecords,
    problems,
  };
}
