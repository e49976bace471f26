import { addressWords, parseAddress } from '@ringflow/contract';
import { createRandom, EXPORTERS, type DemoExporter, type DemoFlow } from '../collector/src/demo/index.ts';
import { createEnrich, ENRICH_COLUMNS, ENRICH_DEFAULTS } from '../collector/src/enrich/index.ts';
import { createSpoolWriter, plainDelta } from '../collector/src/spool/index.ts';
import {
  createBatch,
  createDatagramInfo,
  createDecoder,
  resetBatch,
  WIRE_DEFAULTS,
  type Source,
} from '../collector/src/wire/index.ts';
import { createScatteredSource, encode, templatesOf } from './traffic.ts';

export interface DatasetOptions {
  readonly directory: string;
  readonly rows: number;
  readonly rowsPerSegment: number;
  /** Records per second of the pictured network: how much time the rows cover. */
  readonly recordsPerSecond: number;
  /** Milliseconds since the epoch at which the last record arrives. */
  readonly endMs: number;
  /** Who exports; the demo's four unless given. */
  readonly exporters?: readonly DemoExporter[];
  /** Gets each datagram too, templates included; the next one is made when it resolves. */
  readonly mirror?: (datagram: Uint8Array) => Promise<void> | void;
}

const RECORDS_PER_DATAGRAM = { netflow5: 30, netflow9: 16, ipfix: 14, sflow: 6 } as const;

/**
 * Fills a spool with what the demo's four exporters (v5, v9, IPFIX, sFlow; IPv4 and IPv6; sampled and not) would
 * export, both directions of each conversation, through the real decoder and enrichment. Resolves with the rows sealed.
 */
export async function makeDataset(options: DatasetOptions): Promise<number> {
  const { rows, rowsPerSegment, recordsPerSecond, endMs } = options;
  const random = createRandom(11);
  const decoder = createDecoder(WIRE_DEFAULTS, { options: () => undefined, counters: () => undefined });
  const enrich = createEnrich(ENRICH_DEFAULTS);
  const batch = createBatch({ rowLimit: rowsPerSegment, columns: ENRICH_COLUMNS });
  const info = createDatagramInfo();
  const writer = createSpoolWriter({ directory: options.directory, inlet: '0' });
  await writer.start();
  const beginMs = endMs - (rows / recordsPerSecond) * 1000;
  const speakers = (options.exporters ?? EXPORTERS).map((exporter, index) => ({
    exporter,
    flows: createScatteredSource(exporter, random),
    source: sourceOf(exporter.address, 50_000 + index),
    pending: [] as DemoFlow[],
  }));
  for (const { exporter, source } of speakers) {
    const { templates } = templatesOf(exporter, beginMs);
    if (templates) {
      decoder.decode(templates, source, beginMs, batch, info);
      await options.mirror?.(templates);
    }
  }
  const order = speakers.flatMap((speaker) => Array<typeof speaker>(speaker.exporter.weight).fill(speaker));
  let sealedRows = 0;

  async function seal(): Promise<void> {
    enrich.step(batch, 0, batch.rows);
    sealedRows += batch.rows;
    await writer.seal(batch, plainDelta(batch.rows)).sealed;
    resetBatch(batch);
  }

  while (sealedRows + batch.rows < rows) {
    const nowMs = beginMs + ((sealedRows + batch.rows) / recordsPerSecond) * 1000;
    const { exporter, flows, source, pending } = random.pick(order);
    // A router exports a flow some seconds after its end.
    pending.push(...flows(Math.floor(nowMs - random.between(0, 15_000))));
    const size = RECORDS_PER_DATAGRAM[exporter.protocol];
    if (pending.length < size) continue;
    const datagram = encode(exporter, pending.splice(0, size), Math.floor(nowMs));
    decoder.decode(datagram, source, Math.floor(nowMs), batch, info);
    const mirrored = options.mirror?.(datagram);
    if (mirrored) await mirrored;
    if (batch.rows >= rowsPerSegment) await seal();
  }
  if (batch.rows > 0) await seal();
  await writer.stop();
  return sealedRows;
}

function sourceOf(address: string, port: number): Source {
  return { address, port, words: addressWords(parseAddress(address) as Uint8Array) };
}
