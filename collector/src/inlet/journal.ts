import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import * as zlib from 'node:zlib';

/** In Node since 20.15; the type definitions of that line do not have it. */
const { crc32 } = zlib as unknown as { crc32(text: string): number };

/**
 * State that a restart needs: templates, sampling, names. A file of lines, each `<crc32 in hex> <JSON of [key, value]>`;
 * a later line of the same key replaces the earlier one, a value of null removes it.
 *
 * Changes are written as they come, so a kill -9 loses nothing; they are forced to disk together now and then, so a
 * power cut loses seconds of changes, which exporters repeat. A damaged line ends what is read: it is the tail of a
 * write that was cut, or worse (X10).
 */
export interface Journal {
  /** Reads the file, compacts it and opens it for writing. */
  open(): ReadonlyMap<string, unknown>;
  /** Writes changes out before it returns. */
  append(changes: Iterable<readonly [string, unknown]>): void;
  /** Forces to disk what was written. */
  sync(): void;
  close(): void;
  status(): JournalStatus;
}

export interface JournalStatus {
  readonly entries: number;
  readonly sizeBytes: number;
  /** Bytes at the end of the file that could not be read at start. */
  readonly damagedBytes: number;
  /** Null, or why the last write failed; what is in memory is written again at the next compaction. */
  readonly error: string | null;
}

/** Below this a file is not worth rewriting. */
const COMPACT_MIN_BYTES = 256 * 1024;

export function createJournal(path: string): Journal {
  /** Line of each live entry, newline included. */
  const lines = new Map<string, string>();
  let file: number | null = null;
  let sizeBytes = 0;
  let liveBytes = 0;
  let damagedBytes = 0;
  let dirty = false;
  let broken: string | null = null;

  function open(): ReadonlyMap<string, unknown> {
    mkdirSync(dirname(path), { recursive: true });
    const entries = new Map<string, unknown>();
    const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
    let at = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, at)) {
      const entry = parseLine(bytes.toString('utf8', at, end));
      if (!entry) break;
      put(entry[0], entry[1], bytes.toString('utf8', at, end + 1));
      if (entry[1] === null) entries.delete(entry[0]);
      else entries.set(entry[0], entry[1]);
      at = end + 1;
    }
    damagedBytes = bytes.length - at;
    compact();
    return entries;
  }

  function put(key: string, value: unknown, line: string): void {
    const before = lines.get(key);
    if (before !== undefined) liveBytes -= Buffer.byteLength(before);
    if (value === null) lines.delete(key);
    else {
      lines.set(key, line);
      liveBytes += Buffer.byteLength(line);
    }
  }

  function append(changes: Iterable<readonly [string, unknown]>): void {
    let text = '';
    for (const [key, value] of changes) {
      const line = formatLine(key, value);
      if (lines.get(key) === line) continue;
      put(key, value, line);
      text += line;
    }
    if (text === '') return;
    try {
      if (broken !== null || sizeBytes > Math.max(COMPACT_MIN_BYTES, liveBytes * 3)) compact();
      else sizeBytes += write(text);
      dirty = true;
      broken = null;
    } catch (error) {
      // A full disk must not stop the receiving; the next change tries to write everything.
      broken = (error as Error).message;
    }
  }

  function write(text: string): number {
    if (file === null) throw new Error('The journal is not open');
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at, bytes.length - at);
    return bytes.length;
  }

  /** A new file takes the old one's place at once: either is complete. */
  function compact(): void {
    const next = `${path}.new`;
    const target = openSync(next, 'w');
    const previous = file;
    try {
      file = target;
      sizeBytes = 0;
      let text = '';
      for (const line of lines.values()) {
        text += line;
        if (text.length > 1 << 20) {
          sizeBytes += write(text);
          text = '';
        }
      }
      sizeBytes += write(text);
      fsyncSync(target);
      renameSync(next, path);
      syncDirectory(dirname(path));
    } catch (error) {
      file = previous;
      closeSync(target);
      throw error;
    }
    if (previous !== null) closeSync(previous);
  }

  return {
    open,
    append,
    sync() {
      if (!dirty || file === null) return;
      dirty = false;
      fdatasyncSync(file);
    },
    close() {
      if (file === null) return;
      fdatasyncSync(file);
      closeSync(file);
      file = null;
    },
    status: () => ({ entries: lines.size, sizeBytes, damagedBytes, error: broken }),
  };
}

function formatLine(key: string, value: unknown): string {
  const text = JSON.stringify([key, value]);
  return `${crc32(text).toString(16).padStart(8, '0')} ${text}\n`;
}

function parseLine(line: string): readonly [string, unknown] | null {
  const text = line.slice(9);
  if (line[8] !== ' ' || Number.parseInt(line.slice(0, 8), 16) !== crc32(text)) return null;
  try {
    const entry: unknown = JSON.parse(text);
    return Array.isArray(entry) && entry.length === 2 && typeof entry[0] === 'string' ? [entry[0], entry[1]] : null;
  } catch {
    return null;
  }
}

function syncDirectory(path: string): void {
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
