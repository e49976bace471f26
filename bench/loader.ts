import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { RESOLUTIONS } from '@ringflow/contract';
import { scanSpool, segmentPath, type Segment } from '../collector/src/spool/index.ts';
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
  migrate,
  openSegments,
  portionsOf,
  RAW_TABLE,
  STORE_DEFAULTS,
} from '../collector/src/store/index.ts';
import { createReadRoom } from '../collector/src/store/native-blocks.ts';
import { rankLists } from '../collector/src/store/top/ranks.ts';
import { writeLists } from '../collector/src/store/top/list-file.ts';
import { readBatch } from '../collector/src/store/top/records.ts';
import { spreadBatch } from '../collector/src/store/top/spread.ts';
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
}

export interface LoadReport {
  readonly rows: number;
  readonly segments: number;
  /** CPU seconds of the process: until all was loaded, and until background merges had ended after that. */
  readonly loadCpuSeconds: number;
  readonly mergeCpuSeconds: number;
  /** Afterwards: all that was loaded into the top lists, and its peaks; of mode `store`. */
  readonly topCpuSeconds: number;
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

/** Loads a spool as the store process does. */
async function load({ mode, spoolDirectory, workDirectory, endMs }: LoadJob): Promise<LoadReport> {
  const { database, query_slots, query_queue, max_memory_bytes } = STORE_DEFAULTS;
  const engine = createEmbeddedEngine({
    path: join(workDirectory, 'store'),
    database,
    querySlots: query_slots,
    maxWaiting: query_queue,
    maxMemoryBytes: max_memory_bytes,
  });
  await engine.open();
  await migrate(engine);
  const ledger = createDurableLedger(join(workDirectory, 'ledger.json'));
  await ledger.load();
  // The records have just come; set forward once all is loaded, so that batches and buckets are closed.
  let aheadMs = endMs - Date.now();
  const now = (): number => Date.now() + aheadMs;
  const batches = createTopBatches({ engine, instance: ledger.instance, now });
  await batches.start();
  const kept = createKeptSegments(STORE_DEFAULTS.max_bytes);
  await kept.start(join(workDirectory, 'kept'));
  const loader = createLoader(spoolDirectory, { engine, ledger, batches, kept });
  const segments = (await scanSpool(spoolDirectory)).ready;
  const quiet = async (): Promise<void> => {
    for (let calm = 0; calm < 5; calm++) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      const [merging] = await engine.select<{ running: number }>('SELECT count() AS running FROM system.merges');
      if (merging && merging.running > 0) calm = -1;
    }
  };
  if (mode === 'store') await warmUp(spoolDirectory, segments, join(workDirectory, 'warm-up.native'));
  await quiet();

  const began = performance.now();
  const cpuBefore = cpuSeconds();
  let rows = 0;
  for (let waiting = [...segments]; waiting.length > 0;) {
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
  const wallSeconds = (performance.now() - began) / 1000;
  const loadCpuSeconds = cpuSeconds() - cpuBefore;
  const residentBytes = process.memoryUsage.rss();
  await quiet();
  const mergeCpuSeconds = cpuSeconds() - cpuBefore - loadCpuSeconds;

  aheadMs += 600_000;
  const cpuOf = async (work: () => Promise<boolean>): Promise<number> => {
    const before = cpuSeconds();
    while (await work());
    return cpuSeconds() - before;
  };
  const lists = createTopLists({
    engine,
    batches,
    now,
    kept,
    directory: join(workDirectory, 'top-lists'),
    topK: () => STORE_DEFAULTS.top_k,
    commit: (move) => move(),
  });
  const topCpuSeconds = mode === 'store' ? await cpuOf(lists.run) : 0;
  const peakCpuSeconds = mode === 'store' ? await cpuOf(async () => (await consolidatePeaks(engine, now())).more) : 0;

  const [merged] = await engine.select<{ value: number }>(
    "SELECT sum(value) AS value FROM system.events WHERE event = 'MergedRows'",
  );

  const tables = [RAW_TABLE, ...RESOLUTIONS.map(({ table }) => table)];
  for (const table of tables) await engine.exec(`OPTIMIZE TABLE ${table} FINAL`);
  const sizes = await engine.select<{ table: string; rows: number; bytes: number }>(
    'SELECT table, sum(rows) AS rows, sum(bytes_on_disk) AS bytes FROM system.parts WHERE active AND database = currentDatabase() AND table IN {tables:Array(String)} GROUP BY table',
    { tables },
  );
  await engine.close();
  const raw = sizes.find(({ table }) => table === RAW_TABLE);
  if (raw?.rows !== rows) throw new Error(`${rows} rows were loaded, ${raw?.rows} are there`);
  const rings = sizes.filter(({ table }) => table !== RAW_TABLE);
  return {
    rows,
    segments: segments.length,
    loadCpuSeconds,
    mergeCpuSeconds,
    topCpuSeconds,
    peakCpuSeconds,
    wallSeconds,
    mergedRows: merged?.value ?? 0,
    residentBytes,
    rawBytes: raw.bytes,
    ringBytes: rings.reduce((sum, { bytes }) => sum + bytes, 0),
    ringRows: rings.reduce((sum, table) => sum + table.rows, 0),
  };
}

/** Lists of some segments, which go nowhere: code is compiled while it runs for the first times. */
async function warmUp(directory: string, segments: readonly Segment[], scratch: string): Promise<void> {
  let rows = 0;
  for (let index = 0; rows < WARM_UP_ROWS; index++) {
    const segment = segments[index % segments.length] as Segment;
    rows += segment.rows;
    const from = { paths: [segmentPath(directory, segment)], room: createReadRoom() };
    const records = await readBatch(from.paths, segment.rows, from.room);
    const spread = spreadBatch(records, 300, Number.MAX_SAFE_INTEGER);
    const lists = await rankLists(records, spread, STORE_DEFAULTS.top_k);
    await writeLists(scratch, from, records, { scopes: spread.scopes, lists }, 1);
    await rm(scratch);
  }
}

const WARM_UP_ROWS = 1_500_000;

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
