import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { addressWords, parseAddress, type NameEntry } from '@ringflow/contract';
import type { Config } from '../../config/index.ts';
import type { Deliver } from '../../demo/index.ts';
import { createEnrich, createTableWorkers, ENRICH_COLUMNS } from '../../enrich/index.ts';
import { createSpoolWriter, plainDelta } from '../../spool/index.ts';
import { createBatch, createDatagramInfo, createDecoder, resetBatch, type Source } from '../../wire/index.ts';
import { HISTORY_INLET } from './history-inlet.ts';

/** Takes datagrams of the past and puts them in the spool, beside the inlet and by the same steps. */
export interface History {
  start(): Promise<void>;
  /** Decodes with the time of then as the time of arrival; sFlow has no other (C14). */
  readonly keep: Deliver;
  /** Up to when an earlier run has left data, milliseconds since the epoch; 0 = never. */
  untilMs(): number;
  reached(untilMs: number): void;
  /** Seals what is left; what is reached afterwards is only noted. */
  end(): Promise<void>;
}

const ROWS_PER_SEGMENT = 50_000;
const FULL_PAUSE_MS = 200;
const FULL_LIMIT_MS = 20_000;
/** What the history says of how far it is, in the data directory. */
const STATE_FILE = 'demo.json';
/** The synthetic exporters' source port; each has its own address. */
const PORT = 50_000;

/**
 * Decoder, enrichment and spool for `ringflow demo`'s history.
 *
 * @param onNames told what enrichment found: sets of networks, places, labels
 */
export function createHistory(config: Config, onNames: (entries: readonly NameEntry[]) => void): History {
  const dataDirectory = resolve(config.data_dir);
  const statePath = join(dataDirectory, STATE_FILE);
  // Names of interfaces, and their counters, come with the live traffic.
  const decoder = createDecoder(config.wire, { options: () => undefined, counters: () => undefined });
  const enrich = createEnrich(config.enrich, { loadTable: createTableWorkers(process.argv[1] as string) });
  const batch = createBatch({ rowLimit: ROWS_PER_SEGMENT, columns: ENRICH_COLUMNS });
  const info = createDatagramInfo();
  const spool = createSpoolWriter({ ...config.spool, directory: join(dataDirectory, 'spool'), inlet: HISTORY_INLET });
  const sources = new Map<string, Source>();
  /** Reached in the batch at hand, which is not safe yet. */
  let pendingMs = 0;

  function sourceOf(address: string): Source {
    let source = sources.get(address);
    if (!source) {
      source = { address, port: PORT, words: addressWords(parseAddress(address) as Uint8Array) };
      sources.set(address, source);
    }
    return source;
  }

  async function keep(datagram: Uint8Array, exporter: { address: string }, sentMs: number): Promise<void> {
    decoder.decode(datagram, sourceOf(exporter.address), sentMs, batch, info);
    if (batch.rows >= ROWS_PER_SEGMENT) await seal();
  }

  async function seal(): Promise<void> {
    if (batch.rows > 0) {
      // The store is behind: the past can wait, and must not push out what arrives now.
      for (let waitedMs = 0; spool.full(); waitedMs += FULL_PAUSE_MS) {
        if (waitedMs >= FULL_LIMIT_MS) throw new Error('The spool is full');
        await sleep(FULL_PAUSE_MS);
      }
      enrich.step(batch, 0, batch.rows);
      onNames(enrich.takeNames());
      const { sealed } = spool.seal(batch, plainDelta(batch.rows));
      resetBatch(batch);
      await sealed;
    }
    noteReached();
  }

  function noteReached(): void {
    if (pendingMs > 0) writeFileSync(statePath, JSON.stringify({ untilMs: Math.floor(pendingMs) }));
    pendingMs = 0;
  }

  return {
    start: async () => {
      await enrich.start();
      await spool.start();
    },
    keep,
    untilMs: () => {
      try {
        return Number((JSON.parse(readFileSync(statePath, 'utf8')) as { untilMs: number }).untilMs) || 0;
      } catch {
        return 0;
      }
    },
    reached: (untilMs) => {
      pendingMs = untilMs;
      if (batch.rows === 0) noteReached();
    },
    end: async () => {
      await seal();
      await enrich.stop();
      await spool.stop();
    },
  };
}
