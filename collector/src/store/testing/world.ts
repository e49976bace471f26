import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RESOLUTIONS, type LedgerDelta } from '@ringflow/contract';
import { createSpoolWriter, plainDelta, type SpoolWriter } from '../../spool/index.ts';
import type { Batch } from '../../wire/index.ts';
import { STORE_DEFAULTS, type StoreConfig } from '../config.ts';
import { createStore, type Store, type StoreDeps } from '../service.ts';

/** A data directory in the temporary files, with a spool and a store that tests start, end and start again. */
export interface World {
  readonly directory: string;
  readonly spoolDirectory: string;
  /** Seals batches; starts the writer at first use. */
  seal(batch: Batch, delta?: LedgerDelta): Promise<void>;
  store(config?: Partial<StoreConfig>, deps?: Partial<StoreDeps>): Store;
  /** Stops what runs and deletes the directory. */
  remove(): Promise<void>;
}

export async function createWorld(): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), 'ringflow-store-'));
  const spoolDirectory = join(directory, 'spool');
  const stores: Store[] = [];
  let writer: SpoolWriter | null = null;
  return {
    directory,
    spoolDirectory,
    async seal(batch, delta = plainDelta(batch.rows)) {
      if (!writer) {
        writer = createSpoolWriter({ directory: spoolDirectory, inlet: '0' });
        await writer.start();
      }
      await writer.seal(batch, delta).sealed;
    },
    store(config = {}, deps = {}) {
      const store = createStore(
        { ...STORE_DEFAULTS, query_slots: 1, ...config },
        {
          spoolDirectory,
          engineDirectory: join(directory, 'engine'),
          ledgerPath: join(directory, 'ledger.json'),
          ...deps,
        },
      );
      stores.push(store);
      return store;
    },
    async remove() {
      for (const store of stores) await store.stop().catch(() => undefined);
      await writer?.stop();
      await rm(directory, { recursive: true, force: true, maxRetries: 20 });
    },
  };
}

/** First row of a query, as an array. */
export async function firstRow(store: Store, sql: string): Promise<unknown[]> {
  const { columns } = await store.run(
    { sql, params: {} },
    { id: randomUUID(), timeoutMs: 30_000, maxRows: 1_000_000, maxMemoryBytes: 1e9 },
  );
  return columns.map((column) => column[0]);
}

/** All rows of a query. */
export async function allRows(store: Store, sql: string): Promise<unknown[][]> {
  const { columns, rows } = await store.run(
    { sql, params: {} },
    { id: randomUUID(), timeoutMs: 30_000, maxRows: 1_000_000, maxMemoryBytes: 1e9 },
  );
  return Array.from({ length: rows }, (_, row) => columns.map((column) => column[row]));
}

/** Sums of raw rows and of every ring of every resolution: [bytes, packets, flows] each. */
export async function sums(store: Store): Promise<{ raw: unknown[]; rings: unknown[][] }> {
  return {
    raw: await firstRow(
      store,
      'SELECT sum(bytes * greatest(sampling_rate, 1)), sum(packets * greatest(sampling_rate, 1)), count() FROM flows',
    ),
    rings: await allRows(
      store,
      RESOLUTIONS.map(
        ({ name, table }) =>
          `SELECT '${name}' AS t, ring, sum(bytes), sum(packets), sum(flows) FROM ${table} GROUP BY ring`,
      ).join(' UNION ALL '),
    ),
  };
}
