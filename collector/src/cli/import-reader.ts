import {
  createNfdumpCsvReader,
  createObjectReader,
  fromNfdump,
  isNfdump,
  ObjectError,
  parseObject,
  type JsonRecord,
  type NfdumpCsv,
} from '../ingest/index.ts';
import { UsageError } from './command.ts';

/** Formats that a file may have; found out from its content. */
export type ImportFormat = 'goflow2 JSON' | 'nfdump JSON' | 'nfdump CSV';

/** Records of a file, each as the bytes of one object in goflow2's JSON. */
export interface ImportReader {
  /** Null until the first record. */
  format(): ImportFormat | null;
  /** Groups of records, in their order. */
  records(input: AsyncIterable<Uint8Array>): AsyncGenerator<readonly Uint8Array[], void, undefined>;
}

const encoder = new TextEncoder();

/**
 * Reads goflow2's JSON (lines or an array), nfdump's JSON and nfdump's CSV.
 *
 * @param name of the file, for messages
 */
export function createImportReader(name: string): ImportReader {
  let format: ImportFormat | null = null;

  async function* records(input: AsyncIterable<Uint8Array>): ReturnType<ImportReader['records']> {
    let read: Pieces | null = null;
    for await (const chunk of input) {
      read ??= chooseBy(chunk);
      const found = read?.push(chunk) ?? [];
      if (found.length > 0) yield found;
    }
    const rest = read?.end() ?? [];
    if (rest.length > 0) yield rest;
  }

  /** Null as long as there was nothing but space. */
  function chooseBy(chunk: Uint8Array): Pieces | null {
    const first = chunk.find((byte) => byte > 0x20);
    if (first === undefined) return null;
    return first === 0x7b || first === 0x5b ? objects() : lines();
  }

  function objects(): Pieces {
    let found: Uint8Array[] = [];
    let isFirst = true;
    const take = (bytes: Uint8Array): void => {
      if (isFirst) format = isNfdump(parse(bytes)) ? 'nfdump JSON' : 'goflow2 JSON';
      isFirst = false;
      if (format === 'nfdump JSON') found.push(...fromNfdump(parse(bytes), toNs).map(toBytes));
      else found.push(bytes.slice());
    };
    const parse = (bytes: Uint8Array): JsonRecord => {
      try {
        return parseObject(new TextDecoder().decode(bytes));
      } catch (error) {
        throw new UsageError(`${name} is no JSON: ${(error as Error).message}`, 'Look at what the file begins with');
      }
    };
    const reader = createObjectReader(take);
    const guarded = (work: () => void): Uint8Array[] => {
      found = [];
      try {
        work();
      } catch (error) {
        if (error instanceof ObjectError) throw new UsageError(`${name}: ${error.message}`, BROKEN);
        throw error;
      }
      return found;
    };
    return { push: (chunk) => guarded(() => reader.push(chunk)), end: () => guarded(() => reader.end()) };
  }

  function lines(): Pieces {
    let rest = '';
    let csv: NfdumpCsv | null = null;
    const decoder = new TextDecoder();
    const take = (line: string): Uint8Array[] => {
      if (line.trim() === '') return [];
      if (csv) return csv.records(line).map(toBytes);
      csv = createNfdumpCsvReader(line, toNs);
      if (!csv)
        throw new UsageError(
          `${name} is neither JSON of goflow2 or nfdump nor CSV of nfdump`,
          'Write it with "nfdump -o json", "nfdump -o csv" or goflow2 -format json',
        );
      format = 'nfdump CSV';
      return [];
    };
    return {
      push: (chunk) => {
        const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n');
        rest = parts.pop() as string;
        return parts.flatMap(take);
      },
      end: () => take(rest),
    };
  }

  /** nfdump writes local time: of whoever ran it, taken for ours. */
  function toNs(local: string): string {
    const [, date, time, fraction = ''] = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?$/.exec(local) ?? [];
    const ms = Date.parse(`${date}T${time}`);
    if (Number.isNaN(ms)) throw new UsageError(`${name} has no time of nfdump: "${local}"`, BROKEN);
    return `${ms / 1000}${fraction.padEnd(9, '0')}`;
  }

  return { format: () => format, records };
}

/** Takes a file apart into records. */
interface Pieces {
  push(chunk: Uint8Array): readonly Uint8Array[];
  end(): readonly Uint8Array[];
}

const BROKEN = 'Look whether the file was written to its end';

function toBytes(record: JsonRecord): Uint8Array {
  return encoder.encode(JSON.stringify(record));
}
