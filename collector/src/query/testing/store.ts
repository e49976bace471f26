import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drainPending } from 'chdb';
import { migrateQuery, RESOLUTIONS, type DataFrameJson, type FlowQueryInput, type TableInfo } from '@ringflow/contract';
import { createEmbeddedEngine, migrate, type Engine } from '../../store/index.ts';
import { insertRecords } from '../../store/testing/records.ts';
import { prepareQuery, NO_NAMES, type QueryContext, type RunOptions } from '../index.ts';

/** A real engine with the real tables and rings, in a directory of its own. */
export interface TestStore {
  readonly engine: Engine;
  /** Inserts records; what is not given is zero. Addresses are text, times milliseconds. */
  insert(rows: readonly TestRow[]): Promise<void>;
  /** Answers one query as the API does. */
  ask(query: FlowQueryInput, fromMs: number, toMs: number, context?: Partial<QueryContext>): Promise<DataFrameJson[]>;
  /** What the store says about its tables. */
  tables(): TableInfo[];
  close(): Promise<void>;
}

export interface TestRow {
  readonly startMs: number;
  readonly endMs: number;
  readonly bytes: number;
  readonly packets: number;
  readonly sampling_rate?: number;
  readonly src_addr?: string;
  readonly dst_addr?: string;
  readonly sampler_address?: string;
  readonly [column: string]: string | number | undefined;
}

export const RUN: Omit<RunOptions, 'id'> = { timeoutMs: 30_000, maxRows: 1_000_000, maxMemoryBytes: 1024 ** 3 };

let runs = 0;

export async function createTestStore(): Promise<TestStore> {
  const path = mkdtempSync(join(tmpdir(), 'ringflow-query-'));
  const engine = createEmbeddedEngine({
    path,
    database: 'ringflow',
    querySlots: 2,
    maxWaiting: 100,
    maxMemoryBytes: 2 * 1024 ** 3,
  });
  await engine.open();
  await migrate(engine);
  let oldestMs = Infinity;
  const oldestByTable = (): Record<string, number> => ({
    flows: oldestMs,
    ...Object.fromEntries(
      RESOLUTIONS.map(({ table, seconds }) => [table, Math.floor(oldestMs / (seconds * 1000)) * seconds * 1000]),
    ),
  });
  return {
    engine,
    insert: async (rows) => {
      for (const row of rows) oldestMs = Math.min(oldestMs, Math.floor(row.startMs / 3_600_000) * 3_600_000);
      for (let at = 0; at < rows.length; at += 2000)
        await insertRecords(engine, (table) => insertSql(table, rows.slice(at, at + 2000)));
    },
    ask: async (query, fromMs, toMs, context = {}) => {
      const prepared = prepareQuery(
        migrateQuery(query),
        { fromMs, toMs },
        {
          names: NO_NAMES,
          oldest: oldestByTable(),
          nowMs: toMs + 86_400_000,
          ...context,
        },
      );
      const results = await Promise.all(
        prepared.statements.map((statement) => engine.query(statement, { ...RUN, id: `test-${runs++}` })),
      );
      return prepared.frames(results);
    },
    tables: () =>
      Object.entries(oldestByTable()).map(([table, ms]) => ({
        table,
        archive: table,
        rows: 0,
        sizeBytes: 0,
        oldestMs: Number.isFinite(ms) ? ms : null,
        budgetBytes: 0,
        growthBytesPerDay: 0,
        reachSeconds: null,
      })),
    close: async () => {
      await engine.close();
      // A query that was just stopped holds the engine a moment longer, and there is one engine per process.
      await drainPending();
      rmSync(path, { recursive: true, force: true });
    },
  };
}

const TIMES: Readonly<Record<string, string>> = { startMs: 'time_flow_start_ns', endMs: 'time_flow_end_ns' };

function insertSql(table: string, rows: readonly TestRow[]): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const columns = [...names.map((name) => TIMES[name] ?? name), 'time_received_ns'];
  const value = (name: string, given: string | number | undefined): string => {
    if (name in TIMES) return `fromUnixTimestamp64Milli(${Math.floor(Number(given))}, 'UTC')`;
    if (/addr|next_hop$/.test(name)) return `toIPv6('${given ?? '::'}')`;
    return typeof given === 'string' ? `'${given}'` : String(given ?? 0);
  };
  const lines = rows.map(
    (row) => `(${[...names.map((name) => value(name, row[name])), value('endMs', row.endMs)].join(', ')})`,
  );
  return `INSERT INTO ${table} (${columns.join(', ')}) VALUES ${lines.join(', ')}`;
}

/** Values of a frame's field. */
export function valuesOf<T = number>(frame: DataFrameJson | undefined, name: string): T[] {
  const index = frame?.schema.fields.findIndex((field) => field.name === name) ?? -1;
  if (!frame || index < 0) throw new Error(`No field ${name}`);
  return frame.data.values[index] as T[];
}

export const sum = (values: readonly (number | null)[]): number =>
  values.reduce<number>((total, value) => total + (value ?? 0), 0);
