import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RESOLUTIONS, RINGS } from '@ringflow/contract';
import { createSpoolWriter, plainDelta } from '../collector/src/spool/index.ts';
import { createStore, STORE_DEFAULTS, type Dropped } from '../collector/src/store/index.ts';
import { createTraffic } from '../collector/src/store/testing/batches.ts';
import { describeMachine, option, printTable } from './measure.ts';

/**
 * The disk budget: a stream that would need `--factor` times of it goes through a real store, while `du` looks at its
 * directory. Records carry random numbers beside their traffic, so that a gigabyte takes five million of them. Every ring must answer
 * in the end, and the ledger be even.
 */
const MIB = 1024 ** 2;
/** What such a record takes in all tables together. */
const ROW_BYTES = 225;

async function run(): Promise<void> {
  const maxBytes = option('mib', 500) * MIB;
  const factor = option('factor', 10);
  const days = option('days', 1);
  // A day of a middling network in segments of some seconds each; the clock of the store goes with them.
  const segmentRows = option('segment-rows', 50_000);
  // Segments that have gathered when the store loads.
  const together = option('together', 1);
  const folder = mkdtempSync(join(tmpdir(), 'ringflow-bench-'));
  const spoolDirectory = join(folder, 'spool');
  const engineDirectory = join(folder, 'store');
  const segments = Math.ceil((maxBytes * factor) / ROW_BYTES / segmentRows);
  const beginMs = Date.now() - days * 86_400_000;
  let nowMs = beginMs;
  const dropped: Dropped[] = [];
  const errors: string[] = [];
  console.log(describeMachine());
  const store = createStore(
    { ...STORE_DEFAULTS, max_bytes: maxBytes },
    {
      spoolDirectory,
      engineDirectory,
      ledgerPath: join(folder, 'ledger.json'),
      now: () => nowMs,
      onDropped: (what) => dropped.push(...what),
      onError: (error, what) => errors.push(`${what}: ${error.message}`),
    },
  );
  let worst = 0;
  let looks = 0;
  const look = (): number => {
    let text: string;
    try {
      text = execFileSync('du', ['-sk', engineDirectory], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    } catch (error) {
      // Files that go away meanwhile make du fail, after it has printed.
      text = (error as { stdout: string }).stdout;
    }
    const bytes = Number(text.split('\t')[0]) * 1024;
    worst = Math.max(worst, bytes);
    looks++;
    return bytes;
  };
  let timer: NodeJS.Timeout | undefined;
  try {
    await store.start();
    const writer = createSpoolWriter({ directory: spoolDirectory, inlet: '0' });
    await writer.start();
    timer = setInterval(look, 500);
    const table: string[][] = [];
    for (let segment = 0; segment < segments; segment++) {
      nowMs = beginMs + Math.floor((segment / segments) * days * 86_400_000);
      const batch = createTraffic({
        rows: segmentRows,
        seed: segment + 1,
        receivedMs: Math.floor(nowMs),
        noise: true,
      });
      await writer.seal(batch, plainDelta(batch.rows)).sealed;
      const isLast = segment === segments - 1;
      if (segment % together !== together - 1 && !isLast) continue;
      if (!(await store.load())) throw new Error(`Loading failed: ${errors.at(-1) ?? 'no reason was given'}`);
      if (segment % 20 >= 20 - together) await store.consolidate();
      if (segment % Math.ceil(segments / 12) < together || isLast) {
        const sizes = store
          .status()
          .tables.map(({ archive, sizeBytes }) => `${archive} ${(sizeBytes / MIB).toFixed(0)}`);
        table.push([
          `${(((segment + 1) * segmentRows) / 1e6).toFixed(1)} M`,
          (((segment + 1) * segmentRows * ROW_BYTES) / MIB).toFixed(0),
          (look() / MIB).toFixed(0),
          (worst / MIB).toFixed(0),
          sizes.join(', '),
        ]);
      }
    }
    await writer.stop();
    printTable(['records', 'MiB it would need', 'MiB on disk', 'most so far', 'MiB by archive'], table);
    console.log(
      `budget ${(maxBytes / MIB).toFixed(0)} MiB; most on disk ${(worst / MIB).toFixed(1)} MiB = ${((worst / maxBytes) * 100).toFixed(1)} % in ${looks} looks; dropped ${dropped.length} times: ${countBy(dropped)}`,
    );
    console.log(
      `first dropped: ${dropped
        .slice(0, 3)
        .map(({ table: name, what }) => `${name} ${what}`)
        .join(', ')}`,
    );
    console.log(
      `errors: ${errors.length === 0 ? 'none' : errors.join('; ')}; ledger difference ${store.ledger().difference}`,
    );
    for (const { table: name } of RESOLUTIONS) {
      const { columns } = await store.run(
        { sql: `SELECT uniqExact(ring), toString(min(bucket)), toString(max(bucket)) FROM ${name}`, params: {} },
        { id: name, timeoutMs: 60_000, maxRows: 10, maxMemoryBytes: 1e9 },
      );
      console.log(
        `${name}: ${String(columns[0]?.[0])} of ${RINGS.length} rings, ${String(columns[1]?.[0])} to ${String(columns[2]?.[0])}`,
      );
    }
  } finally {
    clearInterval(timer);
    await store.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function countBy(dropped: readonly Dropped[]): string {
  const counts = new Map<string, number>();
  for (const { table } of dropped) counts.set(table, (counts.get(table) ?? 0) + 1);
  return [...counts].map(([table, count]) => `${table} ${count}`).join(', ');
}

void run().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
