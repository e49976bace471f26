import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { RESOLUTIONS } from '@ringflow/contract';
import { readConfig } from '../config/index.ts';
import {
  buildHistory,
  describeFile,
  labelsOf,
  parseAggregate,
  type HistoryFile,
  type Placed,
} from '../cuflow/index.ts';
import { createDumpReader, type Rrd } from '../rrd/index.ts';
import { mergeScores } from '../scoreboard/index.ts';
import {
  createEngine,
  importRings,
  loadScores,
  migrate,
  ownBeginning,
  readRingImports,
  rememberImport,
  saveNames,
  saveScores,
  type Engine,
} from '../store/index.ts';
import { formatProblems } from './check.ts';
import { UsageError, type Io } from './command.ts';

export interface ImportOptions {
  /** Our configuration: where the store is. */
  readonly config: string | undefined;
  readonly shiftSeconds: number;
  /** Which site, when there are several. */
  readonly site: string;
  readonly dryRun: boolean;
}

/** Everything but minutes: CUFlow counts in steps of 300 s. */
const TABLES = RESOLUTIONS.filter(({ seconds }) => seconds >= 300);

/** Brings the RRD files of CUFlow's OutputDir into the rings. */
export async function importHistory(
  directory: string,
  statements: readonly Placed[],
  options: ImportOptions,
  io: Io,
): Promise<void> {
  const files = await readFiles(directory, io);
  await withStore(options, async (engine, folder) => {
    const name = `cuflow ${options.site}`;
    await refuseTwice(engine, name, 'The history');
    const beginningMs = await ownBeginning(engine);
    const history = buildHistory(files, {
      labels: labelsOf(statements),
      tables: TABLES,
      shiftSeconds: options.shiftSeconds,
      untilSeconds: beginningMs === null ? Number.POSITIVE_INFINITY : beginningMs / 1000,
    });
    for (const warning of history.warnings) io.err(`${warning}\n`);
    if (beginningMs !== null) io.err(`Taken up to ${isoOf(beginningMs)}, where the collector began to count itself\n`);
    for (const { table, seconds, fromSeconds, buckets } of [...history.targets].reverse()) {
      const end = fromSeconds + buckets * seconds;
      if (buckets > 0)
        io.err(`${table}: ${isoOf(fromSeconds * 1000)} to ${isoOf(end * 1000)} in buckets of ${seconds} s\n`);
    }
    const [bytes, packets, flows] = history.total.map((value) => value.toLocaleString('en'));
    io.err(`${counted(files.length, 'file')}: ${bytes} bytes, ${packets} packets, ${flows} flows\n`);
    if (options.dryRun) return;
    const coarsest = history.targets.at(-1);
    if (!coarsest || coarsest.buckets === 0)
      throw new UsageError('Nothing is older than what the collector counted', 'Nothing is to be done');
    await saveNames(engine, history.names, Date.now());
    const rows = await importRings(
      engine,
      folder,
      {
        name,
        fromMs: coarsest.fromSeconds * 1000,
        toMs: (coarsest.fromSeconds + coarsest.buckets * coarsest.seconds) * 1000,
        atMs: Date.now(),
      },
      history.rows,
    );
    io.err(`${rows.toLocaleString('en')} rows in the rings\n`);
  });
}

/** Brings AggregateScore's data file. */
export async function importAggregate(path: string, text: string, options: ImportOptions, io: Io): Promise<void> {
  const read = parseAggregate(text, path);
  await withStore(options, async (engine) => {
    const name = `cuflow ${options.site} aggregate`;
    await refuseTwice(engine, name, 'The scores');
    const state = await loadScores(engine);
    if (!options.dryRun) {
      await saveScores(engine, mergeScores(state, read), Date.now());
      await rememberImport(engine, { name, fromMs: 0, toMs: Date.now(), atMs: Date.now() }, true);
    }
    io.err(`${path}: ${counted(read.hosts.length, 'host')} of ${counted(read.reports, 'report')}\n`);
  });
}

/** @throws UsageError when this was brought before */
async function refuseTwice(engine: Engine, name: string, what: string): Promise<void> {
  const known = (await readRingImports(engine)).find((one) => one.name === name && one.done);
  if (known)
    throw new UsageError(
      `${what} up to ${isoOf(known.toMs)} came on ${isoOf(known.atMs)}: nothing is taken twice`,
      'For another site, give it a name with --site',
    );
}

async function readFiles(directory: string, io: Io): Promise<HistoryFile[]> {
  let paths: string[];
  try {
    paths = readdirSync(directory, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.rrd'))
      .sort();
  } catch (error) {
    throw new UsageError(
      `Cannot read ${directory} (${(error as NodeJS.ErrnoException).code})`,
      "Name CUFlow's OutputDir",
    );
  }
  const files: HistoryFile[] = [];
  for (const path of paths) {
    const file = describeFile(path);
    if (file === null) io.err(`${path} is left out: no file of CUFlow has this name\n`);
    // Multicast is in the protocols, too.
    else if (file.kind !== 'multicast') files.push({ ...file, rrd: await dump(join(directory, path)) });
  }
  if (!files.some(({ kind, router }) => kind === 'total' && router === ''))
    throw new UsageError(`There is no total.rrd in ${directory}`, "Name CUFlow's OutputDir");
  return files;
}

/** Reads a file through `rrdtool dump`, which understands what other machines wrote. */
function dump(path: string): Promise<Rrd> {
  return new Promise((resolve, reject) => {
    const child = spawn('rrdtool', ['dump', path], { stdio: ['ignore', 'pipe', 'pipe'] });
    const reader = createDumpReader();
    let failure: Error | null = null;
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      try {
        if (!failure) reader.write(part);
      } catch (error) {
        failure = error as Error;
      }
    });
    child.stderr.on('data', (part: Buffer) => (said += part.toString()));
    child.on('error', (error: NodeJS.ErrnoException) =>
      reject(
        new UsageError(
          error.code === 'ENOENT' ? 'rrdtool is needed to read the files' : `rrdtool cannot be run (${error.code})`,
          'Install it ("apt install rrdtool"), here or where the files are',
        ),
      ),
    );
    child.on('close', (code) => {
      if (code !== 0)
        return reject(
          new UsageError(
            `${path}: ${said.trim() || `rrdtool ended with ${code}`}`,
            'Take a file that "rrdtool dump" reads',
          ),
        );
      try {
        if (failure) throw failure;
        resolve(reader.end());
      } catch (error) {
        reject(new UsageError(`${path}: ${(error as Error).message}`, 'Take a file that "rrdtool dump" reads'));
      }
    });
  });
}

/** Opens the store as the collector would; only one of both can have it. */
async function withStore(
  { config: path }: ImportOptions,
  work: (engine: Engine, folder: string) => Promise<void>,
): Promise<void> {
  const { config, problems } = readConfig(path);
  if (problems.length > 0) throw new UsageError(formatProblems(problems).trimEnd(), 'Mend the configuration first');
  const engine = createEngine(config.store, join(config.data_dir, 'store'));
  try {
    await engine.open();
  } catch (error) {
    throw new UsageError(
      `The store in ${config.data_dir} cannot be opened: ${(error as Error).message.split('\n')[0]}`,
      'Stop the collector for the time of the import: one process at a time can have the store',
    );
  }
  try {
    await migrate(engine);
    await work(engine, join(config.data_dir, 'imports'));
  } finally {
    await engine.close();
  }
}

function counted(count: number, what: string): string {
  return `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`;
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString().replace(/\.000Z$/, 'Z');
}
