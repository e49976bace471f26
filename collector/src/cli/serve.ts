import { closeSync, openSync } from 'node:fs';
import { readConfig, secretsOf, type Config, type ReadConfig } from '../config/index.ts';
import { formatProblems } from './check.ts';
import { EXIT, type Arguments, type Io } from './command.ts';
import { createLog, type Problem } from './log.ts';
import { createCollector, type Collector, type CollectorAddresses } from './processes/main.ts';

/** `ringflow serve`: the collector until it is told to stop. */
export async function run(args: Arguments, io: Io): Promise<number> {
  const read = (): ReadConfig => readConfig(args.text('config'));
  const { config, problems } = read();
  if (problems.length > 0) {
    io.err(formatProblems(problems));
    return EXIT.failed;
  }
  return runCollector(config, read, {
    started: (addresses) => io.err(formatAddresses(config, addresses)),
  });
}

export interface RunHooks {
  /** The collector is up; what it resolves to is run before the collector is stopped. */
  started(addresses: CollectorAddresses, collector: Collector): void | (() => Promise<void>);
}

/**
 * Runs a collector until SIGTERM or SIGINT; a second signal ends it at once. SIGHUP takes over what has changed in the
 * configuration, SIGUSR2 turns debug lines on and off.
 *
 * @param read reads the configuration anew
 */
export async function runCollector(config: Config, read: () => ReadConfig, hooks: RunHooks): Promise<number> {
  let noticed: (problem: Problem) => void = () => undefined;
  let secrets = secretsOf(config);
  const log = createLog(config.log, 'main', { noticed: (problem) => noticed(problem), secrets: () => secrets });
  const entry = process.argv[1] as string;
  const collector = createCollector(config, {
    entry,
    log,
    watchLog: (listener) => (noticed = listener),
    readConfig: () => {
      const next = read();
      // The old ones may still be in what is logged.
      secrets = [...new Set([...secrets, ...secretsOf(next.config)])];
      return next;
    },
    now: Date.now,
  });
  const starting = collector.start();
  const stopped = new Promise<NodeJS.Signals>((resolve) => {
    let signals = 0;
    const end = (signal: NodeJS.Signals): void => {
      signals += 1;
      if (signals === 1) resolve(signal);
      else process.exit(EXIT.failed);
    };
    process.on('SIGINT', end);
    process.on('SIGTERM', end);
    // The terminal went away, or somebody asks for a reload: only one of them leaves a terminal behind.
    const onTerminal = hasTerminal();
    process.on('SIGHUP', (signal) => {
      if (onTerminal && !hasTerminal()) end(signal);
      else if (signals === 0) void starting.then(() => collector.reload()).catch(() => undefined);
    });
    process.on('SIGUSR2', () => collector.toggleDebug());
  });
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

/** True while this process has a controlling terminal. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
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
