import { parseArgs, type ParseArgsConfig } from 'node:util';

/** One option of a command; a flag when `value` is absent. */
export interface Option {
  readonly name: string;
  readonly short?: string;
  /** What stands for the value in the help, e.g. `FILE`. */
  readonly value?: string;
  readonly description: string;
  /** May be given several times. */
  readonly many?: boolean;
}

/** One command of `ringflow`: what the help says, and where the code is. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  /** Positional arguments, e.g. `FILE.pcap`. */
  readonly positionals?: string;
  readonly options: readonly Option[];
  /** What its exit codes mean, where they are not the usual ones of {@link EXIT}. */
  readonly exitCodes?: string;
  readonly examples: readonly { readonly command: string; readonly does: string }[];
  /** Only the chosen command's code is loaded: the engine and koffi take time to open. */
  load(): Promise<{ run(args: Arguments, io: Io): Promise<number> }>;
}

/** What the command line said. */
export interface Arguments {
  /** The words as they were. */
  readonly argv: readonly string[];
  readonly positionals: readonly string[];
  text(name: string): string | undefined;
  texts(name: string): readonly string[];
  flag(name: string): boolean;
}

/** Where a command writes; tests give their own. */
export interface Io {
  out(text: string): void;
  err(text: string): void;
  /** Standard output is a terminal: columns of the window, undefined otherwise. */
  readonly columns?: number;
  /** Standard error is a terminal: progress may be shown there. */
  readonly watched?: boolean;
}

/** A mistake of the caller: one line what, one line what to do. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

/** Exit codes: what scripts may rely on. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

/** Parses a command's arguments; an unknown option is a {@link UsageError}. */
export function parseArguments(command: Command, argv: readonly string[]): Arguments {
  const options: NonNullable<ParseArgsConfig['options']> = {};
  for (const option of command.options) {
    options[option.name] = {
      type: option.value === undefined ? 'boolean' : 'string',
      multiple: option.many === true,
      ...(option.short === undefined ? {} : { short: option.short }),
    };
  }
  let parsed: { values: Record<string, unknown>; positionals: string[] };
  try {
    parsed = parseArgs({ args: [...argv], options, allowPositionals: true }) as typeof parsed;
  } catch (error) {
    const message = (error as Error).message.split('. ')[0] as string;
    throw new UsageError(message, `Run "ringflow ${command.name} --help" to see the options`);
  }
  if (parsed.positionals.length > 0 && command.positionals === undefined) {
    throw new UsageError(
      `Unexpected argument "${parsed.positionals[0]}"`,
      `Run "ringflow ${command.name} --help" to see what it takes`,
    );
  }
  const { values, positionals } = parsed;
  return {
    argv,
    positionals,
    text: (name) => {
      const value = values[name];
      return typeof value === 'string' ? value : undefined;
    },
    texts: (name) => {
      const value = values[name];
      return Array.isArray(value) ? (value as string[]) : typeof value === 'string' ? [value] : [];
    },
    flag: (name) => values[name] === true,
  };
}
