import { mkdir, rm, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { freeBytes } from '../spool/index.ts';
import { EngineError } from './engine-error.ts';
import { queryTag } from './run-settings.ts';
import type { Engine, ExportOptions, SqlQuery } from './engine.ts';

/** Rows in a file of their own; whoever asked for it deletes it. */
export interface ExportedFile {
  readonly path: string;
  readonly sizeBytes: number;
}

/** Writes answers that are too long for memory to files. */
export interface Exports {
  /** Makes the folder; what an earlier process left in it is deleted. */
  start(): Promise<void>;
  /** @throws EngineError `query_rows` when the file gets longer than allowed, or the disk too full */
  run(query: SqlQuery, options: Omit<ExportOptions, 'path'>): Promise<ExportedFile>;
}

const LOOK_MS = 200;

/** @param keepFreeBytes of the disk, for what is received meanwhile */
export function createExports(engine: Engine, directory: string, keepFreeBytes: number): Exports {
  async function run(query: SqlQuery, options: Omit<ExportOptions, 'path'>): Promise<ExportedFile> {
    const path = join(directory, queryTag(options.id));
    const stop = new AbortController();
    let reason: string | null = null;
    const look = async (): Promise<void> => {
      const size = (await stat(path).catch(() => null))?.size ?? 0;
      if (size > options.maxBytes) reason = `The export is longer than ${options.maxBytes} bytes`;
      else if ((await freeBytes(directory)) < keepFreeBytes) reason = 'There is no room on the disk for the export';
      if (reason !== null) stop.abort();
    };
    const timer = setInterval(() => void look().catch(() => undefined), LOOK_MS);
    const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
    try {
      await look();
      await engine.exportRows(query, { ...options, path, signal });
      await look();
      if (reason !== null) throw new Error(reason);
      return { path, sizeBytes: (await stat(path)).size };
    } catch (error) {
      await unlink(path).catch(() => undefined);
      throw reason === null ? error : new EngineError('query_rows', 0, reason, error);
    } finally {
      clearInterval(timer);
    }
  }

  return {
    start: async () => {
      await rm(directory, { recursive: true, force: true });
      await mkdir(directory, { recursive: true });
    },
    run,
  };
}
