import { pino, type DestinationStream, type Logger } from 'pino';
import type { LogConfig } from '../config/index.ts';
import { causeOf, createLogLimit } from './log-limit.ts';

/** What components log with; messages are lower case, values are fields. */
export type Log = Logger;

/** A line of the log that somebody should see: a warning or an error. */
export interface Problem {
  readonly level: 'warn' | 'error';
  /** With the message of the error, where there was one. */
  readonly message: string;
}

export interface LogOptions {
  /** Told about every warning and error that is written. */
  readonly noticed?: (problem: Problem) => void;
  /** Texts that must not be written, whatever they stand in. */
  readonly secrets?: () => readonly string[];
}

/** From pino's level 40 on. */
const WARN = 40;
const ERROR = 50;

function toProblem(level: number, args: readonly unknown[]): Problem {
  const [first, second] = args;
  const text = typeof first === 'string' ? first : typeof second === 'string' ? second : '';
  const { err, error } = (typeof first === 'object' && first !== null ? first : {}) as {
    err?: unknown;
    error?: unknown;
  };
  const cause = err instanceof Error ? err.message : typeof error === 'string' ? error.split('\n')[0] : undefined;
  return { level: level >= ERROR ? 'error' : 'warn', message: cause ? `${text}: ${cause}` : text };
}

/** Of one cause, this many lines are written per minute; debug lines are all written, they were asked for. */
const LIMIT_LINES = 30;
const LIMIT_WINDOW_MS = 60_000;
const INFO = 30;

/**
 * The log of one process on standard error. Its `level` may be set at any time. Lines of one cause are limited, and how
 * many were left out is said when their minute is over.
 */
export function createLog(config: LogConfig, processName: string, options: LogOptions = {}): Log {
  const pretty = config.format === 'pretty' || (config.format === 'auto' && process.stderr.isTTY === true);
  // Synchronous: the last lines before a crash are the ones that matter.
  const destination = pino.destination({ dest: 2, sync: true });
  // A terminal that went away, or a log daemon that is restarted, must not end the collector.
  destination.on('error', () => undefined);
  process.stderr.on('error', () => undefined);
  const clean = (text: string): string => withoutSecrets(text, options.secrets?.() ?? []);
  const stream: DestinationStream = {
    write: (line) => {
      const text = clean(line);
      if (pretty) process.stderr.write(formatLine(text));
      else destination.write(text);
    },
  };
  const limit = createLogLimit({
    lines: LIMIT_LINES,
    windowMs: LIMIT_WINDOW_MS,
    leftOut: (cause, level, count) =>
      log[level >= ERROR ? 'error' : level >= WARN ? 'warn' : 'info']({ count }, `left out of the log: ${cause}`),
  });
  const log: Log = pino(
    {
      level: config.level,
      base: { process: processName },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      hooks: {
        logMethod(args, method, level) {
          const problem = toProblem(level, args);
          if (level >= INFO && !limit.admit(causeOf(problem.message), level)) return;
          if (level >= WARN) options.noticed?.({ ...problem, message: clean(problem.message) });
          method.apply(this, args);
        },
      },
      redact: {
        paths: ['token', '*.token', 'password', '*.password', 'headers.authorization', '*.headers.authorization'],
        censor: '***',
      },
    },
    stream,
  );
  return log;
}

/** Stars in the place of each secret, as it is and as it stands in JSON. */
function withoutSecrets(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets)
    clean = clean.replaceAll(secret, '***').replaceAll(JSON.stringify(secret).slice(1, -1), '***');
  return clean;
}

/** One JSON line as a line for people: time, level, process, message, fields. */
export function formatLine(line: string): string {
  const {
    time,
    level,
    process: name,
    msg,
    err,
    ...fields
  } = JSON.parse(line) as Record<string, unknown> & { err?: { message?: string } };
  const rest = Object.entries(fields).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  if (err?.message) rest.push(`error=${err.message}`);
  return `${String(time).slice(11, 19)} ${String(level).padEnd(5)} ${String(name)}: ${String(msg)}${rest.length > 0 ? `  ${rest.join(' ')}` : ''}\n`;
}
