import { readFile, stat } from 'node:fs/promises';
import { parseAddress, type NameEntry } from '@ringflow/contract';
import { parse } from 'yaml';
import type { NamesOf } from './config.ts';
import { entriesOfNames } from './inventory.ts';

/** A YAML file with `exporters` and `interfaces`, taken over whenever it changes. */
export interface NamesFile {
  /** Looks at it now; resolves when what is found has been taken over. */
  check(): Promise<void>;
  start(): Promise<void>;
  stop(): void;
}

export interface NamesFileDeps {
  /** Everything that the file says now. */
  readonly onEntries: (entries: readonly NameEntry[]) => void;
  /** The file cannot be used; what it said before stays. */
  readonly onError: (error: Error) => void;
}

/** Larger files are a mistake: this is read into memory whole. */
const MAX_BYTES = 16 * 1024 ** 2;

export function createNamesFile(path: string, intervalMs: number, deps: NamesFileDeps): NamesFile {
  let seen = '';
  let timer: NodeJS.Timeout | null = null;

  async function check(): Promise<void> {
    try {
      const { mtimeMs, size, ino } = await stat(path);
      const signature = `${mtimeMs} ${size} ${ino}`;
      if (signature === seen) return;
      seen = signature;
      if (size > MAX_BYTES) throw new RangeError(`${path} has ${size} bytes, more than ${MAX_BYTES}`);
      deps.onEntries(entriesOfNames(namesOf(parse(await readFile(path, 'utf8')), path), 'file'));
    } catch (error) {
      // The same trouble is told once.
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== undefined && seen === code) return;
      if (code !== undefined) seen = code;
      deps.onError(new Error(`names.file: ${message}`, { cause: error }));
    }
  }

  return {
    check,
    async start() {
      await check();
      timer = setInterval(() => void check(), intervalMs).unref();
    },
    stop() {
      if (timer) clearInterval(timer);
    },
  };
}

/** Checks the shape: what is wrong is named, and nothing of the file is taken. */
function namesOf(value: unknown, path: string): NamesOf {
  const { exporters = {}, interfaces = {}, ...others } = mapOf(value ?? {}, path);
  const [other] = Object.keys(others);
  if (other !== undefined) throw new RangeError(`${path}: ${other} is neither exporters nor interfaces`);
  for (const [address, one] of Object.entries(mapOf(exporters, `${path}: exporters`)))
    described(one, `${path}: exporters.${addressOf(address, path)}`);
  for (const [address, list] of Object.entries(mapOf(interfaces, `${path}: interfaces`))) {
    const where = `${path}: interfaces.${addressOf(address, path)}`;
    for (const [index, one] of Object.entries(mapOf(list, where))) {
      if (!/^\d{1,10}$/.test(index)) throw new RangeError(`${where}: ${index} is not an ifIndex`);
      described(one, `${where}.${index}`);
    }
  }
  return { exporters, interfaces } as NamesOf;
}

function mapOf(value: unknown, where: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new RangeError(`${where} is not a list of keys and values`);
}

function addressOf(text: string, path: string): string {
  if (parseAddress(text)) return text;
  throw new RangeError(`${path}: ${text} is not an address`);
}

function described(value: unknown, where: string): void {
  if (typeof value === 'string') return;
  for (const [key, part] of Object.entries(mapOf(value, where)))
    if (typeof part !== (key === 'speed_bps' ? 'number' : 'string'))
      throw new RangeError(`${where}.${key} is not a ${key === 'speed_bps' ? 'number' : 'text'}`);
}
