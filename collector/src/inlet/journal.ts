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
 * a later line of the same key replaces the earlier one, a value of null removes it. What is in the file is kept in
 * memory by its owners only: the journal asks them for all of it when the file has grown and is written anew.
 *
 * Changes are written as they come, so a kill -9 loses nothing; they are forced to disk together now and then, so a
 * power cut loses seconds of changes, which exporters repeat. A damaged line ends what is read: it is the tail of a
 * write that was cut, or worse (X10).
 */
export interface Journal {
  /** Reads the file. The first change writes it anew, from what the owners have taken up of it. */
  open(): ReadonlyMap<string, unknown>;
  /** Writes changes out before it returns. */
  append(changes: Iterable<readonly [string, unknown]>): void;
  /** Forces to disk what was written. */
  sync(): void;
  close(): void;
  status(): JournalStatus;
}

export interface JournalStatus {
  readonly sizeBytes: number;
  /** Bytes at the end of the file that could not be read at start. */
  readonly damagedBytes: number;
  /** Null, or why the last write failed; what is in memory is written again at the next compaction. */
  readonly error: string | null;
}

/** Below this a file is not worth rewriting. */
const COMPACT_MIN_BYTES = 256 * 1024;

/** The file is written anew when it is so many times as long as it was then. */
const COMPACT_GROWTH = 3;
/** What is written at a time. */
const PIECE_CHARS = 1 << 20;

/** @param entries all that holds now, changes that are about to be appended included */
export function createJournal(path: string, entries: () => Iterable<readonly [string, unknown]>): Journal {
  let file: number | null = null;
  let open_ = false;
  let sizeBytes = 0;
  let compactBytes = 0;
  let damagedBytes = 0;
  let dirty = false;
  let broken: string | null = null;

  function open(): ReadonlyMap<string, unknown> {
    mkdirSync(dirname(path), { recursive: true });
    const kept = new Map<string, unknown>();
    const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
    let at = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, at)) {
      const entry = parseLine(bytes.toString('utf8', at, end));
      if (!entry) break;
      if (entry[1] === null) kept.delete(entry[0]);
      else kept.set(entry[0], entry[1]);
      at = end + 1;
    }
    sizeBytes = bytes.length;
    damagedBytes = bytes.length - at;
    open_ = true;
    return kept;
  }

  function append(changes: Iterable<readonly [string, unknown]>): void {
    if (!open_) throw new Error('The journal is not open');
    try {
      const outgrown = sizeBytes > Math.max(COMPACT_MIN_BYTES, compactBytes * COMPACT_GROWTH);
      if (file === null || broken !== null || outgrown) compact();
      else writeLines(file, changes);
      dirty = true;
      broken = null;
    } catch (error) {
      // A full disk must not stop the receiving; the next change tries to write everything.
      broken = (error as Error).message;
    }
  }

  function writeLines(target: number, lines: Iterable<readonly [string, unknown]>): void {
    let text = '';
    const flush = (): void => {
      const bytes = new TextEncoder().encode(text);
      for (let at = 0; at < bytes.length;) at += writeSync(target, bytes, at, bytes.length - at);
      sizeBytes += bytes.length;
      text = '';
    };
    for (const [key, value] of lines) {
      text += formatLine(key, value);
      if (text.length > PIECE_CHARS) flush();
    }
    flush();
  }

  /** A new file takes the old one's place at once: either is complete. */
  function compact(): void {
    const next = `${path}.new`;
    const target = openSync(next, 'w');
    const previousBytes = sizeBytes;
    try {
      sizeBytes = 0;
      writeLines(target, entries());
      fsyncSync(target);
      renameSync(next, path);
      syncDirectory(dirname(path));
    } catch (error) {
      sizeBytes = previousBytes;
      closeSync(target);
      throw error;
    }
    if (file !== null) closeSync(file);
    file = target;
    compactBytes = sizeBytes;
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
      open_ = false;
      if (file === null) return;
      fdatasyncSync(file);
      closeSync(file);
      file = null;
    },
    status: () => ({ sizeBytes, damagedBytes, error: broken }),
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
