import { pino, type DestinationStream, type Logger } from 'pino';
import type { LogConfig } from '../config/index.ts';

/** What components log with; messages are lower case, values are fields. */
export type Log = Logger;

/** The log of one process on standard error. */
export function createLog(config: LogConfig, processName: string): Log {
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
