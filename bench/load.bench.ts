import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scanSpool } from '../collector/src/spool/index.ts';
import { makeDataset } from './dataset.ts';
import type { LoadJob, LoadMode, LoadReport } from './loader.ts';
import { describeMachine, formatSpread, median, option, printTable, untilQuiet } from './measure.ts';

/**
 * Sealed segments to tables, those of `store.load_seconds` together: CPU seconds of the store's engine per million rows, into
 * the raw table alone, with the rings, and as the store does it (rings, traffic counters for /metrics, ledger); bytes per
 * stored row after merges. Top lists and peaks are made afterwards, and stand apart.
 */

const MODES: readonly { readonly mode: LoadMode; readonly name: string }[] = [
  { mode: 'raw', name: 'raw only' },
  { mode: 'rings', name: 'raw + rings' },
  { mode: 'store', name: 'raw + rings + traffic counters + ledger' },
];
/** A busy collector (a segment per second) and a middling one. */
const SIZES = [262_144, 20_000] as const;

/** In the middle of five minutes and of an hour, whenever it runs: what crosses their ends is summed for both. */
const END_MS = Math.floor(Date.now() / 3_600_000) * 3_600_000 - 27 * 60_000;

/** Two batches of top lists: code is compiled and memory was taken when that begins which is measured. */
const WARM_UP_ROWS = 5 * 262_144;

const measured = ({ rows }: LoadReport): number => rows;
const all = ({ warmUpRows, rows }: LoadReport): number => warmUpRows + rows;

function load(mode: LoadMode, prepared: string): LoadReport {
  const workDirectory = mkdtempSync(join(tmpdir(), 'ringflow-bench-'));
  const spoolDirectory = join(workDirectory, 'spool');
  // The store deletes what it has loaded.
  cpSync(prepared, spoolDirectory, { recursive: true });
  const job: LoadJob = { mode, spoolDirectory, workDirectory, endMs: END_MS, warmUpRows: WARM_UP_ROWS };
  const { status, stdout } = spawnSync(process.execPath, [join(__dirname, 'loader.cjs'), JSON.stringify(job)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    env: { ...process.env, UV_THREADPOOL_SIZE: '12' },
  });
  rmSync(workDirectory, { recursive: true, force: true });
  if (status !== 0) throw new Error(`The loader ended with ${status}`);
  return JSON.parse(stdout) as LoadReport;
}

async function run(): Promise<void> {
  const rows = option('rows', 10 * 262_144);
  const rounds = option('rounds', 3);
  console.log(describeMachine());
  const table: string[][] = [];
  const onTop: string[][] = [];
  for (const rowsPerSegment of SIZES) {
    const prepared = mkdtempSync(join(tmpdir(), 'ringflow-bench-'));
    try {
      await makeDataset({
        directory: prepared,
        rows: WARM_UP_ROWS + rows,
        rowsPerSegment,
        recordsPerSecond: rowsPerSegment,
        endMs: END_MS,
      });
      const { sizeBytes } = await scanSpool(prepared);
      const samples = new Map<LoadMode, LoadReport[]>();
      for (let round = 0; round < rounds; round++) {
        for (const { mode } of round % 2 === 0 ? MODES : [...MODES].reverse()) {
          await untilQuiet();
          samples.set(mode, [...(samples.get(mode) ?? []), load(mode, prepared)]);
        }
      }
      const cpuPerMillion = (mode: LoadMode, value: (report: LoadReport) => number, of = measured) =>
        median((samples.get(mode) ?? []).map((report) => (value(report) / of(report)) * 1e6));
      // What is loaded in less time leaves more of its merges for afterwards.
      const untilMerged = ({ loadCpuSeconds, mergeCpuSeconds }: LoadReport) => loadCpuSeconds + mergeCpuSeconds;
      const raw = cpuPerMillion('raw', untilMerged);
      const rings = cpuPerMillion('rings', untilMerged) - raw;
      const lists = cpuPerMillion(
        'store',
        ({ topCpuSeconds }) => topCpuSeconds,
        ({ listedRows }) => listedRows,
      );
      const peaks = cpuPerMillion('store', ({ peakCpuSeconds }) => peakCpuSeconds, all);
      onTop.push([
        rowsPerSegment.toLocaleString('en'),
        ...[raw, rings, lists, peaks, rings + lists + peaks].map((cpu) => cpu.toFixed(2)),
      ]);
      for (const { mode, name } of MODES) {
        const list = samples.get(mode) ?? [];
        const of = (value: (report: LoadReport) => number) => list.map(value);
        table.push([
          `${name}, ${rowsPerSegment.toLocaleString('en')} rows per segment`,
          formatSpread(
            of((report) => (report.loadCpuSeconds / report.rows) * 1e6),
            2,
          ),
          median(of((report) => (report.mergeCpuSeconds / report.rows) * 1e6)).toFixed(2),
          median(of((report) => report.mergedRows / report.rows)).toFixed(1),
          (median(of((report) => report.rows / report.wallSeconds)) / 1e6).toFixed(2),
          median(of((report) => report.rawBytes / all(report))).toFixed(1),
          mode === 'raw' ? '–' : median(of((report) => report.ringBytes / all(report))).toFixed(1),
          (sizeBytes / (WARM_UP_ROWS + rows)).toFixed(0),
          (median(of((report) => report.residentBytes)) / 2 ** 20).toFixed(0),
        ]);
      }
    } finally {
      rmSync(prepared, { recursive: true, force: true });
    }
  }
  printTable(
    [
      'load',
      'CPU-s per M rows',
      'merges after it',
      'merges per row',
      'M rows/s',
      'raw bytes per row',
      'ring bytes per row',
      'segment bytes per row',
      'MiB resident',
    ],
    table,
  );
  console.log('\nCPU-seconds per million rows, merges included, of what is kept on top of the records:');
  printTable(['rows per segment', 'records', '+ additive rings', '+ top lists', '+ peaks', 'all on top'], onTop);
  console.log(
    `median of ${rounds} (lowest–highest); ${rows.toLocaleString('en')} rows; merges that run while loading count as loading in the first table`,
  );
}

void run().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
