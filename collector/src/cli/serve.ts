import { readConfig, type Config } from '../config/index.ts';
import { formatProblems } from './check.ts';
import { EXIT, type Arguments, type Io } from './command.ts';
import { createLog, type Problem } from './log.ts';
import { createCollector, type Collector, type CollectorAddresses } from './processes/main.ts';

/** `ringflow serve`: the collector until it is told to stop. */
export async function run(args: Arguments, io: Io): Promise<number> {
  const { config, problems } = readConfig(args.text('config'));
  if (problems.length > 0) {
    io.err(formatProblems(problems));
    return EXIT.failed;
  }
  return runCollector(config, {
    started: (addresses) => io.err(formatAddresses(config, addresses)),
  });
}

export interface RunHooks {
  /** The collector is up; what it resolves to is run before the collector is stopped. */
  started(addresses: CollectorAddresses, collector: Collector): void | (() => Promise<void>);
}

/** Runs a collector until SIGTERM or SIGINT; a second signal ends it at once. */
export async function runCollector(config: Config, hooks: RunHooks): Promise<number> {
  let noticed: (problem: Problem) => void = () => undefined;
  const log = createLog(config.log, 'main', (problem) => noticed(problem));
  const entry = process.argv[1] as string;
  const collector = createCollector(config, {
    entry,
    log,
    watchLog: (listener) => (noticed = listener),
    now: Date.now,
  });
  const stopped = new Promise<NodeJS.Signals>((resolve) => {
    let signals = 0;
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        signals += 1;
        if (signals === 1) resolve(signal);
        else process.exit(EXIT.failed);
      });
    }
  });
  const starting = collector.start();
  // A signal during the start waits for it to end: nothing is left half open.
  const addresses = await starting;
  const finish = hooks.started(addresses, collector);
  const signal = await stopped;
  log.info({ signal }, 'stopping: the inlet seals, the store loads what waits');
  await finish?.();
  await collector.stop();
  log.info('stopped');
  return EXIT.ok;
}

/** Where everything is. */
export function formatAddresses(config: Config, { url, listeners }: CollectorAddresses): string {
  const ports = listeners.map(({ port, receiver }) => `${port} (${receiver})`).join(', ');
  return [
    '',
    `  Flow export   UDP ${ports}: NetFlow v5/v7/v9, IPFIX, sFlow on every port`,
    `  Status page   ${url}/`,
    `  API           ${url}/api/v1/query   (${url}/openapi.json)`,
    `  Metrics       ${url}/metrics`,
    `  Data          ${config.data_dir}`,
    '',
    '',
  ].join('\n');
}
