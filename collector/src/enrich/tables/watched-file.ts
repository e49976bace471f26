import { stat } from 'node:fs/promises';

/** What is known about a watched file, for metrics and the status page. */
export interface FileStatus {
  readonly path: string;
  /** When its content was taken over, milliseconds since the epoch; 0 = never. */
  readonly loadedMs: number;
  /** Modification time of the content that is in use, milliseconds since the epoch; 0 = none. */
  readonly modifiedMs: number;
  /** Of the content that is in use. */
  readonly entries: number;
  /** Why the file as it is now cannot be used; null when it is in use. */
  readonly error: string | null;
  readonly loads: number;
  readonly failures: number;
}

/** What tells one content of a file from another without reading it. */
export interface FileVersion {
  readonly signature: string;
  /** Milliseconds since the epoch. */
  readonly modifiedMs: number;
}

export interface WatchedFileOptions<T> {
  readonly path: string;
  /** Of a path that stands for several files. Default: that of the file. */
  readonly versionOf?: (path: string) => Promise<FileVersion>;
  readonly intervalMs: number;
  /** Reads and checks the file, away from the event loop when that takes long. */
  readonly load: (path: string, signal: AbortSignal) => Promise<T>;
  readonly entriesOf: (content: T) => number;
  /** Takes over the content: between two records, so the next record sees all of it. */
  readonly onLoaded: (content: T, status: FileStatus) => void;
  /** The file cannot be used; called once per reason. What was loaded before stays in use. */
  readonly onError?: (error: Error, status: FileStatus) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** A file whose last good content is in use, and whose changes are taken over. */
export interface WatchedFile {
  /** Loads it and begins to watch. Resolves when it is loaded or cannot be used, or takes longer. Default: two seconds. */
  start(longestWaitMs?: number): Promise<void>;
  /** Gives up a load that runs. */
  stop(): Promise<void>;
  /** Looks now; resolves when what is found has been loaded. */
  check(): Promise<void>;
  status(): FileStatus;
}

/** Records wait in the kernel while the receiver starts: better the first ones go without than are lost. */
const START_WAIT_MS = 2000;
/** Loads of a file that changes while it is read, before it is left for the next look. */
const ATTEMPTS = 3;

/**
 * Watches by looking at time, size and inode, which works on every file system and sees files that are renamed into
 * place. A file that changes while it is read is read again, so what is in use is never half of two.
 */
export function createWatchedFile<T>(options: WatchedFileOptions<T>): WatchedFile {
  const { path, now, versionOf = versionOfFile } = options;
  const aborter = new AbortController();
  let timer: NodeJS.Timeout | null = null;
  let running: Promise<void> | null = null;
  let seen = '';
  let status: FileStatus = { path, loadedMs: 0, modifiedMs: 0, entries: 0, error: null, loads: 0, failures: 0 };

  async function look(): Promise<void> {
    try {
      for (let attempt = 1; ; attempt++) {
        const before = await versionOf(path);
        if (before.signature === seen) return;
        const content = await loaded();
        if (content === null) return;
        const after = await versionOf(path);
        if (after.signature === before.signature) {
          seen = before.signature;
          if ('error' in content) throw content.error;
          takeOver(content.value, before.modifiedMs);
          return;
        }
        if (attempt === ATTEMPTS) throw new Error('It changes while it is read');
      }
    } catch (error) {
      if (!aborter.signal.aborted) fail(error as NodeJS.ErrnoException);
    }
  }

  /** What the file holds or why it cannot be read; null when nobody wants to know any more. */
  async function loaded(): Promise<{ value: T } | { error: unknown } | null> {
    try {
      const value = await options.load(path, aborter.signal);
      return aborter.signal.aborted ? null : { value };
    } catch (error) {
      return aborter.signal.aborted ? null : { error };
    }
  }

  function takeOver(content: T, modifiedMs: number): void {
    status = {
      ...status,
      loadedMs: now(),
      modifiedMs,
      entries: options.entriesOf(content),
      error: null,
      loads: status.loads + 1,
    };
    options.onLoaded(content, status);
  }

  function fail(error: NodeJS.ErrnoException): void {
    // A file that comes back as it was is read again.
    if (error.code === 'ENOENT') seen = '';
    const message = error.code === 'ENOENT' ? 'There is no such file' : error.message;
    const isNews = status.error !== message;
    status = { ...status, error: message, failures: status.failures + (isNews ? 1 : 0) };
    if (isNews) options.onError?.(new Error(`${path}: ${message}`, { cause: error }), status);
  }

  function check(): Promise<void> {
    running ??= look().finally(() => (running = null));
    return running;
  }

  return {
    start: async (longestWaitMs = START_WAIT_MS) => {
      timer = setInterval(() => void check(), options.intervalMs);
      timer.unref();
      let waiting: NodeJS.Timeout | undefined;
      await Promise.race([check(), new Promise((resolve) => (waiting = setTimeout(resolve, longestWaitMs)))]);
      clearTimeout(waiting);
    },
    stop: async () => {
      if (timer) clearInterval(timer);
      aborter.abort();
      await running;
    },
    check,
    status: () => status,
  };
}

async function versionOfFile(path: string): Promise<FileVersion> {
  const { mtimeMs, ctimeMs, size, ino } = await stat(path);
  // The change time, too: it moves when a file becomes readable.
  return { signature: `${mtimeMs} ${ctimeMs} ${size} ${ino}`, modifiedMs: mtimeMs };
}
