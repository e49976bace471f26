import type { ColumnName } from '@ringflow/contract';
import { RAW_TABLE } from '../ddl.ts';
import { readNativeBlocks, type NativeBlock, type ReadRoom } from '../native-blocks.ts';
import { LONGEST_SPREAD_MS } from '../rings.ts';
import {
  createAddressWords,
  cutPrefixes,
  packBytes,
  readAddresses,
  takeNumbers,
  takeScaled,
  takeTimes,
  type AddressWords,
  type Words64,
} from './columns.ts';
import { clearHashes, createHashes, mixHashes, type Hashes } from './hash.ts';
import { COMPARED, SMALL_KEYS } from './key-words.ts';
import { ALL_LISTS, columnOf, ownKeys, SCOPE, storedOf } from './keys.ts';

/** The records of a batch, as far as the top lists have to know all of them at once. */
export interface BatchRecords {
  readonly rows: number;
  /** Milliseconds since the epoch; the end is not before the start, and two days after it at most. */
  readonly startMs: Float64Array;
  readonly endMs: Float64Array;
  /** Scaled by the sampling rate. */
  readonly bytes: Words64;
  readonly packets: Words64;
  /** Each exporter's address by its number. */
  readonly exporters: readonly Uint8Array[];
  readonly exporter: Uint32Array;
  readonly dup: Uint32Array;
  /** Keys of a byte ({@link SMALL_KEYS}). */
  readonly small: Uint32Array;
  /** Words that are equal where the other keys are: numbers themselves, hashes of addresses. */
  readonly keys: ReadonlyMap<ColumnName, Hashes>;
}

/** Columns that the named rows of all lists are written with. */
export const NAMING = storedOf(ALL_LISTS.flatMap(ownKeys));
const COUNTED = ['time_flow_start_ns', 'time_flow_end_ns', 'bytes', 'packets', 'sampling_rate'] as const;
const WANTED: ReadonlySet<string> = new Set([...COUNTED, ...SCOPE, ...storedOf(COMPARED)]);

/** Rows of a block of {@link selectBatchSql}. */
export const BLOCK_ROWS = 16_384;

/** Those columns of `{batch:UInt64}` that {@link readBatch} and naming need. */
export function selectBatchSql(): string {
  return `SELECT ${[...new Set([...WANTED, ...NAMING])].join(', ')} FROM ${RAW_TABLE} WHERE batch = {batch:UInt64}`;
}

/**
 * Reads records of segments, or of {@link selectBatchSql}.
 *
 * @throws RangeError when there are not so many
 */
export async function readBatch(paths: readonly string[], rows: number, room: ReadRoom): Promise<BatchRecords> {
  const words = () => new Uint32Array(rows);
  const words64 = (): Words64 => ({ low: words(), high: words() });
  const records = {
    rows,
    startMs: new Float64Array(rows),
    endMs: new Float64Array(rows),
    bytes: words64(),
    packets: words64(),
    exporters: [] as Uint8Array[],
    exporter: words(),
    dup: words(),
    small: words(),
    keys: new Map<ColumnName, Hashes>(),
  };
  for (const key of COMPARED.filter((key) => !SMALL_KEYS.has(key)))
    records.keys.set(key, isAddress(key) ? emptyHashes(rows) : same(words()));
  const scratch: Scratch = { rows: 0, rates: new Uint32Array(0), addresses: createAddressWords(0), known: new Map() };
  let from = 0;
  for (const path of paths)
    for await (const block of readNativeBlocks(path, WANTED, room)) {
      if (from + block.rows > rows) throw new RangeError(`${path} holds more records than the batch`);
      if (scratch.rows < block.rows) growScratch(scratch, block.rows);
      takeBlock(block, records, scratch, from);
      from += block.rows;
    }
  if (from !== rows) throw new RangeError(`The batch has ${rows} records, and ${from} were read`);
  return records;
}

function isAddress(key: ColumnName): boolean {
  return columnOf(key).type === 'addr';
}

function same(words: Uint32Array): Hashes {
  return { first: words, second: words };
}

function emptyHashes(rows: number): Hashes {
  const hashes = createHashes(rows);
  clearHashes(hashes);
  return hashes;
}

/** Memory for the block in hand, and the numbers of the exporters. */
interface Scratch {
  rows: number;
  rates: Uint32Array;
  addresses: AddressWords;
  readonly known: Map<string, number>;
}

function growScratch(scratch: Scratch, rows: number): void {
  scratch.rows = rows;
  scratch.rates = new Uint32Array(rows);
  scratch.addresses = createAddressWords(rows);
}

function takeBlock(
  { rows, columns }: NativeBlock,
  records: Omit<BatchRecords, 'exporters'> & { readonly exporters: Uint8Array[] },
  scratch: Scratch,
  from: number,
): void {
  const { startMs, endMs, keys } = records;
  const column = (name: ColumnName) => columns.get(name);
  const take = (name: ColumnName, target: Uint32Array, at: number) => {
    const values = column(name);
    if (values) takeNumbers(values, rows, target, at);
  };
  const [start, end] = [column('time_flow_start_ns'), column('time_flow_end_ns')];
  if (start) takeTimes(start, rows, startMs, from);
  if (end) takeTimes(end, rows, endMs, from);
  for (let row = from; row < from + rows; row++) {
    endMs[row] = Math.max(startMs[row] as number, endMs[row] as number);
    startMs[row] = Math.max(startMs[row] as number, (endMs[row] as number) - LONGEST_SPREAD_MS);
  }
  scratch.rates.fill(1, 0, rows);
  take('sampling_rate', scratch.rates, 0);
  const [bytes, packets] = [column('bytes'), column('packets')];
  if (bytes) takeScaled(bytes, scratch.rates, rows, records.bytes, from);
  if (packets) takeScaled(packets, scratch.rates, rows, records.packets, from);
  take('dup', records.dup, from);
  readAddresses(column('sampler_address'), rows, scratch.addresses);
  numberExporters(scratch, rows, records.exporters, records.exporter, from);
  for (const [key, shift] of SMALL_KEYS) {
    const values = column(key);
    if (values) packBytes(values, rows, records.small, shift, from);
  }
  for (const [key, target] of keys) {
    if (!isAddress(key)) {
      take(key, target.first, from);
      continue;
    }
    const [of = key] = storedOf([key]);
    readAddresses(column(of), rows, scratch.addresses);
    if (of !== key) cutPrefixes(scratch.addresses, rows);
    for (const words of scratch.addresses) mixHashes(target, same(words), from, rows);
  }
}

/** Numbers the exporters; records of one mostly follow each other. */
function numberExporters(
  { addresses: [one, two, three, four], known }: Scratch,
  rows: number,
  exporters: Uint8Array[],
  target: Uint32Array,
  from: number,
): void {
  let last = -1;
  let number = 0;
  for (let row = 0; row < rows; row++) {
    const isLast =
      last >= 0 &&
      four[row] === four[last] &&
      three[row] === three[last] &&
      two[row] === two[last] &&
      one[row] === one[last];
    if (!isLast) {
      const words = [one[row], two[row], three[row], four[row]] as [number, number, number, number];
      const text = words.join();
      number = known.get(text) ?? exporters.push(bytesOf(words)) - 1;
      known.set(text, number);
      last = row;
    }
    target[from + row] = number;
  }
}

function bytesOf(words: readonly [number, number, number, number]): Uint8Array {
  const data = new DataView(new ArrayBuffer(16));
  words.forEach((word, index) => data.setUint32(index * 4, word));
  return new Uint8Array(data.buffer);
}
