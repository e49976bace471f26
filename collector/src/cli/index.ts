import { isMainThread } from 'node:worker_threads';
import { nearestName } from '../config/index.ts';
import { COMMANDS } from './commands.ts';
import { EXIT, parseArguments, UsageError, type Command, type Io } from './command.ts';
import { formatCommandHelp, formatHelp } from './help.ts';
import { runProcess } from './processes/index.ts';
import { VERSION } from './version.ts';

/** Runs one command line and returns the exit code. */
export async function runCommandLine(argv: readonly string[], io: Io): Promise<number> {
  const [first, ...others] = argv;
  if (first === undefined || first === '--help' || first === '-h' || first === 'help') {
    const wanted = first === 'help' ? commandOf(others) : undefined;
    io.out(wanted ? formatCommandHelp(wanted) : formatHelp(COMMANDS, VERSION));
    return first === undefined ? EXIT.usage : EXIT.ok;
  }
  if (first === '--version' || first === '-v') {
    io.out(`ringflow ${VERSION}\n`);
    return EXIT.ok;
  }
  const command = commandOf(argv);
  if (!command) {
    const names = COMMANDS.map(({ name }) => name);
    const near = names.find((name) => name.startsWith(`${first} `)) ?? nearestName(first, names);
    return complain(
      io,
      new UsageError(
        `Unknown command "${first}"`,
        near ? `Write "ringflow ${near}"` : 'Run "ringflow --help" to see the commands',
      ),
    );
  }
  const rest = argv.slice(command.name.split(' ').length);
  const end = rest.indexOf('--');
  if ((end < 0 ? rest : rest.slice(0, end)).some((word) => word === '--help' || word === '-h')) {
    io.out(formatCommandHelp(command));
    return EXIT.ok;
  }
  try {
    const args = parseArguments(command, rest);
    return await (await command.load()).run(args, io);
  } catch (error) {
    return complain(io, error);
  }
}

/** The command that a line begins with; some have two words. */
function commandOf([first, second]: readonly string[]): Command | undefined {
  return COMMANDS.find(({ name }) => name === `${first} ${second}`) ?? COMMANDS.find(({ name }) => name === first);
}

function complain(io: Io, error: unknown): number {
  const { message, hint, stack } = error as { message?: string; hint?: string; stack?: string };
  const expected =
    error instanceof UsageError || hint !== undefined || typeof (error as { code?: unknown }).code === 'string';
  io.err(`ringflow: ${expected ? message : (stack ?? String(error))}\n${hint ? `  ${hint}\n` : ''}`);
  return error instanceof UsageError ? EXIT.usage : EXIT.failed;
}

/** Entry of the bundle: a thread that loads a table, a child process that `serve` forked, or a command line. */
function main(): void {
  if (!isMainThread) {
    void import('../enrich/index.ts').then(({ runTableWorker }) => runTableWorker());
    return;
  }
  const [role, ...rest] = process.argv.slice(2);
  if (role === 'process') {
    runProcess(rest[0]);
    return;
  }
  // A reader that went away (`| head`) is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.ok);
    throw error;
  });
  const io: Io = {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    ...(process.stdout.isTTY ? { columns: process.stdout.columns } : {}),
    watched: process.stderr.isTTY === true,
  };
  void runCommandLine(process.argv.slice(2), io).then((code) => {
    process.exitCode = code;
  });
}

// Tests import this file; the bundle is run.
if (process.argv[1]?.endsWith('ringflow.cjs')) main();
