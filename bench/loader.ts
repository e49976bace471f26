import { join } from 'node:path';
import { RESOLUTIONS } from '@ringflow/contract';
import { scanSpool, type Segment } from '../collector/src/spool/index.ts';
import {
  consolidatePeaks,
  createDurableLedger,
  createEmbeddedEngine,
  createKeptSegments,
  createLoader,
  createTopBatches,
  createTopLists,
  insertCells,
  insertRows,
  limitMerges,
  migrate,
  openSegments,
  portionsOf,
  RAW_TABLE,
  STORE_DEFAULTS,
  type Engine,
  type SqlParams,
} from '../collector/src/store/index.ts';
import { cpuSeconds } from './measure.ts';

/** `raw`: the rows only; `rings`: and the rings; `store`: all that the store does with a segment. */
export type LoadMode = 'raw' | 'rings' | 'store';

export interface LoadJob {
  readonly mode: LoadMode;
  readonly spoolDirectory: string;
  /** Empty directory. */
  readonly workDirectory: string;
  /** Milliseconds since the epoch at which the last record arrived. */
  readonly endMs: number;
  /** That are loaded before those that are measured, at least. */
  readonly warmUpRows: number;
}

export interface LoadReport {
  /** Those that were loaded first, so that the process has run for a while, and those that were measured. */
  readonly warmUpRows: number;
  readonly rows: number;
  /** CPU seconds of the process: until all was loaded, and until background merges had ended after that. */
  readonly loadCpuSeconds: number;
  readonly mergeCpuSeconds: number;
  /** Afterwards, of mode `store`: what was not in the top lists yet into those. */
  readonly listedRows: number;
  readonly topCpuSeconds: number;
  /** Peaks of all rows. */
  readonly peakCpuSeconds: number;
  readonly wallSeconds: number;
  /** Rows of the raw table and the rings that merges read, until they had ended. */
  readonly mergedRows: number;
  readonly residentBytes: number;
  /** After merging to one part per partition; bytes on disk, marks and indexes included. */
  readonly rawBytes: number;
  readonly ringBytes: number;
  readonly ringRows: number;
}

/** What a store process has, as far as it loads. */
async function openStore({ spoolDirectory, workDirectory }: LoadJob, now: () => number) {
  const { database, query_slots, query_queue, max_memory_bytes, max_bytes, top_k } = STORE_DEFAULTS;
  const engine = createEmbeddedEngine({
    path: join(workDirectory, 'store'),
    database,
    querySlots: query_slots,
    maxWaiting: query_queue,
    maxMemoryBytes: max_memory_bytes,
  });
  await engine.open();
  await migrate(engine);
  await limitMerges(engine, max_bytes);
  const ledger = createDurableLedger(join(workDirectory, 'ledger.json'));
  await ledger.load();
  const batches = createTopBatches({ engine, instance: ledger.instance, now });
  await batches.start();
  const kept = createKeptSegments(max_bytes);
  await kept.start(join(workDirectory, 'kept'));
  const loader = createLoader(spoolDirectory, { engine, ledger, batches, kept });
  const lists = createTopLists({
    engine,
    batches,
    now,
    kept,
    directory: join(workDirectory, 'top-lists'),
    topK: () => top_k,
    commit: (move) => move(),
  });
  return { engine, loader, lists };
}

/** Loads a spool as the store process does. */
async function load(job: LoadJob): Promise<LoadReport> {
  const { mode, spoolDirectory, endMs } = job;
  // The records have just come; set forward once all is loaded, so that batches and buckets are closed.
  let aheadMs = endMs - Date.now();
  const now = (): number => Date.now() + aheadMs;
  const { engine, loader, lists } = await openStore(job, now);
  let waiting: readonly Segment[] = (await scanSpool(spoolDirectory)).ready;

  /** Resolves with how many rows were loaded: as many, or some more, or what there is. */
  async function loadRows(atLeast: number): Promise<number> {
    let rows = 0;
    while (waiting.length > 0 && rows < atLeast) {
      // A segment was sealed each second: no more than these had gathered.
      const group = loader.next(waiting.slice(0, STORE_DEFAULTS.load_seconds));
      let loaded = group.length;
      if (mode === 'store') ({ length: loaded } = (await loader.load(group)).segments);
      else {
        for (const portion of portionsOf(group)) {
          const source = await openSegments(spoolDirectory, portion);
          await insertRows(engine, RAW_TABLE, source, String(portion[0]?.sequence));
        }
        if (mode === 'rings')
          await insertCells(engine, await openSegments(spoolDirectory, group), String(group[0]?.sequence));
      }
      rows += waiting.slice(0, loaded).reduce((sum, segment) => sum + segment.rows, 0);
      waiting = waiting.slice(loaded);
    }
    return rows;
  }
  async function quiet(): Promise<void> {
    for (let calm = 0; calm < 5; calm++) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      if ((await valueOf(engine, 'SELECT count() AS value FROM system.merges')) > 0) calm = -1;
    }
  }
  async function cpuOf(work: () => Promise<boolean>): Promise<number> {
    const before = cpuSeconds();
    while (await work());
    return cpuSeconds() - before;
  }

  const warmUpRows = await loadRows(job.warmUpRows);
  if (mode === 'store') while (await lists.run());
  await quiet();
  // Which of the records' parts are merged while others are loaded would be chance, and differ by more than rings cost.
  await engine.exec(`SYSTEM STOP MERGES ${RAW_TABLE}`);

  const mergedBefore = await valueOf(engine, MERGED_ROWS);
  const began = performance.now();
  const cpuBefore = cpuSeconds();
  const rows = await loadRows(Infinity);
  const wallSeconds = (performance.now() - began) / 1000;
  const loadCpuSeconds = cpuSeconds() - cpuBefore;
  const residentBytes = process.memoryUsage.rss();
  await engine.exec(`SYSTEM START MERGES ${RAW_TABLE}`);
  await quiet();
  const mergeCpuSeconds = cpuSeconds() - cpuBefore - loadCpuSeconds;
  const mergedRows = (await valueOf(engine, MERGED_ROWS)) - mergedBefore;

  aheadMs += 600_000;
  // The lower half of the number of a batch is its epoch.
  const listedRows = await valueOf(
    engine,
    `SELECT count() AS value FROM ${RAW_TABLE} WHERE bitAnd(batch, 0xffffffff) > {epoch:UInt32}`,
    { epoch: lists.status().consolidatedEpoch },
  );
  const topCpuSeconds = mode === 'store' ? await cpuOf(lists.run) : 0;
  const peakCpuSeconds = mode === 'store' ? await cpuOf(async () => (await consolidatePeaks(engine, now())).more) : 0;

  const sizes = await sizesOf(engine);
  await engine.close();
  const raw = sizes.find(({ table }) => table === RAW_TABLE);
  const allRows = warmUpRows + rows;
  if (raw?.rows !== allRows) throw new Error(`${allRows} rows were loaded, ${raw?.rows} are there`);
  const rings = sizes.filter(({ table }) => table !== RAW_TABLE);
  return {
    warmUpRows,
    rows,
    loadCpuSeconds,
    mergeCpuSeconds,
    listedRows,
    topCpuSeconds,
    peakCpuSeconds,
    wallSeconds,
    mergedRows,
    residentBytes,
    rawBytes: raw.bytes,
    ringBytes: rings.reduce((sum, { bytes }) => sum + bytes, 0),
    ringRows: rings.reduce((sum, table) => sum + table.rows, 0),
  };
}

const MERGED_ROWS = "SELECT sum(value) AS value FROM system.events WHERE event = 'MergedRows'";

async function valueOf(engine: Engine, sql: string, params: SqlParams = {}): Promise<number> {
  const [row] = await engine.select<{ value: number }>(sql, params);
  return row?.value ?? 0;
}

/** Of the raw table and the rings, once each partition is one part. */
async function sizesOf(engine: Engine): Promise<{ table: string; rows: number; bytes: number }[]> {
  const tables = [RAW_TABLE, ...RESOLUTIONS.map(({ table }) => table)];
  for (const table of tables) await engine.exec(`OPTIMIZE TABLE ${table} FINAL`);
  return engine.select(
    'SELECT table, sum(rows) AS rows, sum(bytes_on_disk) AS bytes FROM system.parts WHERE active AND database = currentDatabase() AND table IN {tables:Array(String)} GROUP BY table',
    { tables },
  );
}

// A process of its own per load: one path and one start of the engine each.
if (require.main === module) {
  void load(JSON.parse(process.argv[2] ?? '{}') as LoadJob).then(
    (report) => {
      console.log(JSON.stringify(report));
      process.exit(0);
    },
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
}
