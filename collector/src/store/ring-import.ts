import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { RESOLUTIONS, RINGS } from '@ringflow/contract';
import { ONE_SERVER, type Dialect } from './dialect.ts';
import type { Engine } from './engine.ts';
import { insertRows } from './inserts.ts';
import { createRingFile, type RingFile, type RingRow } from './ring-file.ts';

/** An import of history into the rings, as it is remembered. */
export interface RingImport {
  /** What was imported; one name is taken once. */
  readonly name: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly atMs: number;
  /** False when it was begun and did not end: it may be repeated. */
  readonly done: boolean;
}

/** Rows of one insert: what the engine holds in memory at a time. */
const INSERT_ROWS = 250_000;

/** Imports of history that did not come as records. */
export function createImportsTable(dialect: Dialect = ONE_SERVER): string {
  return `CREATE TABLE IF NOT EXISTS ${dialect.on('ring_imports')} (
  name String,
  from DateTime('UTC'),
  to DateTime('UTC'),
  at DateTime64(3, 'UTC'),
  done UInt8
) ENGINE = ${dialect.engine('ring_imports', 'ReplacingMergeTree(at)')}
ORDER BY (name)`;
}

/** Imports that were begun, the latest state of each. */
export async function readRingImports(engine: Engine): Promise<RingImport[]> {
  const rows = await engine.select<Omit<RingImport, 'done'> & { done: number }>(
    'SELECT name, toUnixTimestamp(from) * 1000 AS fromMs, toUnixTimestamp(to) * 1000 AS toMs, toUnixTimestamp64Milli(at) AS atMs, done FROM ring_imports FINAL ORDER BY name',
  );
  return rows.map((row) => ({ ...row, done: row.done === 1 }));
}

/**
 * The moment from which on the rings hold what the collector counted itself, in milliseconds since the epoch; null when
 * there is nothing. History is imported into all rings but the finest, and has no flow type.
 */
export async function ownBeginning(engine: Engine): Promise<number | null> {
  const exporter = RINGS.find(({ name }) => name === 'exporter')?.id ?? 0;
  const begins: { seconds: number; beginMs: number }[] = [];
  for (const { table, seconds } of RESOLUTIONS) {
    const imported = table === RESOLUTIONS[0].table ? '' : ' AND type != 0';
    const [row] = await engine.select<{ rows: number; begin: number }>(
      `SELECT count() AS rows, toUnixTimestamp(min(bucket)) AS begin FROM ${table} WHERE ring = {ring:UInt8}${imported}`,
      { ring: exporter },
    );
    if (row && Number(row.rows) > 0) begins.push({ seconds, beginMs: row.begin * 1000 });
  }
  const coarsest = begins.at(-1);
  if (!coarsest) return null;
  // A finer table tells it better, unless it has lost its beginning.
  const lengthMs = coarsest.seconds * 1000;
  const best = begins.find(({ beginMs }) => Math.floor(beginMs / lengthMs) * lengthMs <= coarsest.beginMs);
  return (best ?? coarsest).beginMs;
}

/**
 * Puts rows into the ring tables; from each the coarser ones are filled by their views. Rows go to files first. Killed at
 * any point and repeated with the same rows, nothing is doubled: the import is remembered as begun, and each insert is
 * recognised by its token.
 *
 * @param folder where files may lie for the time of the import
 * @returns rows that were inserted
 */
export async function importRings(
  engine: Engine,
  folder: string,
  record: Omit<RingImport, 'done'>,
  rows: (emit: (row: RingRow) => void) => void,
): Promise<number> {
  mkdirSync(folder, { recursive: true });
  const directory = mkdtempSync(join(folder, 'rings-'));
  const files: { table: string; file: RingFile; number: number }[] = [];
  const open = new Map<string, { table: string; file: RingFile; number: number }>();
  try {
    rows((row) => {
      const known = open.get(row.table);
      let current = known;
      if (!known || known.file.rows >= INSERT_ROWS) {
        known?.file.close();
        const number = (known?.number ?? 0) + 1;
        current = { table: row.table, number, file: createRingFile(join(directory, `${row.table}-${number}.native`)) };
        open.set(row.table, current);
        files.push(current);
      }
      current?.file.add(row);
    });
    for (const { file } of open.values()) file.close();
    await rememberImport(engine, record, false);
    for (const { table, file, number } of files)
      await insertRows(engine, table, file.source, `ring-import:${record.name}:${table}:${number}`);
    await rememberImport(engine, record, true);
    return files.reduce((sum, { file }) => sum + file.rows, 0);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Keeps the state of an import. */
export async function rememberImport(engine: Engine, record: Omit<RingImport, 'done'>, done: boolean): Promise<void> {
  await engine.exec(
    "INSERT INTO ring_imports (name, from, to, at, done) SELECT {name:String}, toDateTime({from:UInt32}, 'UTC'), toDateTime({to:UInt32}, 'UTC'), fromUnixTimestamp64Milli({at:Int64}, 'UTC'), {done:UInt8}",
    {
      name: record.name,
      from: Math.max(0, Math.floor(record.fromMs / 1000)),
      to: Math.max(0, Math.floor(record.toMs / 1000)),
      // The end of an import replaces its beginning.
      at: record.atMs + (done ? 1 : 0),
      done: done ? 1 : 0,
    },
  );
}
