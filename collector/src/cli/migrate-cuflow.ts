import { convertCuflow, parseCuflow, parseFlowscan, type MigratedConfig, type Placed } from '../cuflow/index.ts';
import { EXIT, UsageError, type Arguments, type Io } from './command.ts';
import { importAggregate, importHistory } from './import-history.ts';
import { formatRemarks, readText, writeConfig } from './migrate.ts';

/** `ringflow migrate cuflow`: configuration, history and scores of CUFlow. */
export async function run(args: Arguments, io: Io): Promise<number> {
  const path = args.text('config');
  if (path === undefined)
    throw new UsageError('The configuration of CUFlow is needed', 'Name it with --config CUFlow.cf');
  const { statements, errors, warnings } = parseCuflow(readText(path), path);
  if (errors.length > 0) {
    io.err(formatRemarks(path, errors));
    io.err(`${errors.length} line${errors.length === 1 ? '' : 's'} cannot be read\n`);
    return EXIT.failed;
  }
  const output = args.text('output');
  const [rrd, agg] = [args.text('rrd'), args.text('agg')];
  if (output !== undefined || (rrd === undefined && agg === undefined)) {
    io.err(formatRemarks(path, warnings));
    writeMigration(statements, path, args, io);
  }
  if (rrd === undefined && agg === undefined) return EXIT.ok;
  const options = {
    config: args.text('ringflow') ?? output,
    shiftSeconds: shiftOf(args.text('shift') ?? '0'),
    site: args.text('site') ?? 'main',
    dryRun: args.flag('dry-run'),
  };
  if (rrd !== undefined) await importHistory(rrd, statements, options, io);
  if (agg !== undefined) await importAggregate(agg, readText(agg), options, io);
  return EXIT.ok;
}

function writeMigration(statements: readonly Placed[], path: string, args: Arguments, io: Io): void {
  const { config, warnings } = convertCuflow(statements, args.flag('compat'));
  io.err(formatRemarks(path, warnings));
  let log: Pick<MigratedConfig, 'log'> = {};
  const flowscan = args.text('flowscan');
  if (flowscan !== undefined) {
    const read = parseFlowscan(readText(flowscan));
    io.err(formatRemarks(flowscan, read.warnings));
    if (read.verbose) log = { log: { level: 'debug' } };
  }
  writeConfig({ ...config, ...log }, `Made from ${path} by "ringflow migrate cuflow".`, args.text('output'), io);
}

function shiftOf(text: string): number {
  if (!/^-?\d{1,6}$/.test(text) || Number(text) % 300 !== 0)
    throw new UsageError(`--shift cannot be "${text}"`, 'Write seconds, a multiple of 300');
  return Number(text);
}
