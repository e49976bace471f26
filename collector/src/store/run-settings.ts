import { EngineError } from './engine-error.ts';
import type { RunOptions, Settings } from './engine.ts';

/**
 * Settings that every read from outside runs with. `readonly` refuses writes, other servers and, in the embedded
 * engine, files: `file()`, `url()`, `s3()` and the like are errors (measured: with 2 they would not be).
 */
export function boundedSettings(options: RunOptions): Settings {
  return {
    readonly: 1,
    log_comment: queryTag(options.id),
    max_execution_time: options.timeoutMs / 1000,
    timeout_overflow_mode: 'throw',
    max_memory_usage: options.maxMemoryBytes,
    max_result_rows: options.maxRows,
    result_overflow_mode: 'throw',
    output_format_json_quote_64bit_integers: 0,
    output_format_json_quote_denormals: 0,
  };
}

/** Characters that may stand in a quoted setting as they are. */
export function queryTag(id: string): string {
  return id.replace(/[^\w:.-]/g, '_').slice(0, 128);
}

/**
 * Refuses statements that could undo their bounds: of two SETTINGS clauses the last one wins, and INTO OUTFILE writes
 * in spite of `readonly`. Our own statements have neither, and values are bound, so this is a second lock.
 */
export function refuseUnbounded(sql: string): void {
  const found = /\b(settings|outfile|format)\b|;/i.exec(sql);
  if (found) throw new EngineError('query_failed', 0, `A query must not contain ${found[0]}`);
}

/** `SETTINGS a = 1, b = 'c'`; the values are ours. */
export function settingsClause(settings: Settings): string {
  const entries = Object.entries(settings);
  if (entries.length === 0) return '';
  return ` SETTINGS ${entries.map(([name, value]) => `${name} = ${typeof value === 'number' ? value : `'${value.replace(/['\\]/g, '\\$&')}'`}`).join(', ')}`;
}
