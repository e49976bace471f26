import { pino, type DestinationStream, type Logger } from 'pino';
import type { LogConfig } from '../config/index.ts';

/** What components log with; messages are lower case, values are fields. */
export type Log = Logger;

/** A line of the log that somebody should see: a warning or an error. */
export interface Problem {
  readonly level: 'warn' | 'error';
  /** With the message of the error, where there was one. */
  readonly message: string;
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

/**
 * The log of one process on standard error.
 *
 * @param noticed told about every warning and error that is written
 */
export function createLog(config: LogConfig, processName: string, noticed?: (problem: Problem) => void): Log {
  const pretty = config.format === 'pretty' || (config.format === 'auto' && process.stderr.isTTY === true);
  // Synchronous: the last lines before a crash are the ones that matter.
  const stream: DestinationStream = pretty
    ? { write: (line) => void process.stderr.write(formatLine(line)) }
    : pino.destination({ dest: 2, sync: true });
  return pino(
    {
      level: config.level,
      base: { process: processName },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      hooks: {
        logMethod(args, method, level) {
          if (noticed && level >= WARN) noticed(toProblem(level, args));
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
