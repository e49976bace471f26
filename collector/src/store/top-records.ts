import { CLICKHOUSE_TYPES, type ColumnName } from '@ringflow/contract';
import { RAW_TABLE } from './ddl.ts';
import { readNativeBlocks, widthOf, type NativeBlock, type NativeColumn } from './native-blocks.ts';
import { LONGEST_SPREAD_MS } from './rings.ts';
import { clearHashes, createHashes, mixHashes, type Hashes } from './top-hash.ts';
import { ALL_LISTS, columnOf, comparedKeys, ownKeys, SCOPE, storedOf } from './top-keys.ts';

/** The records of a batch, as far as the top lists have to know all of them at once. */
export interface BatchRecords {
  readonly rows: number;
  /** Milliseconds since the epoch; the end is not before the start, and two days after it at most. */
  readonly startMs: Float64Array;
  readonly endMs: Float64Array;
  /** Scaled by the sampling rate, in 64 bits: the lower and the upper words. */
  readonly bytes: Words64;
  readonly packets: Words64;
  /** Each exporter's address by its number. */
  readonly exporters: readonly Uint8Array[];
  readonly exporter: Uint32Array;
  readonly dup: Uint32Array;
  /** Words that are equal where the keys are: numbers themselves, hashes of addresses. */
  readonly keys: ReadonlyMap<ColumnName, Hashes>;
}

export interface Words64 {
  readonly low: Uint32Array;
  readonly high: Uint32Array;
}

/** Columns that the named rows of all lists are written with. */
export const FETCHED = storedOf(ALL_LISTS.flatMap(ownKeys));
const COMPARED = [...new Set(ALL_LISTS.flatMap(comparedKeys))];

const stored = (name: ColumnName): NativeColumn => ({ name, type: CLICKHOUSE_TYPES[columnOf(name).type] });
const NUMBERS = ['start_ms', 'end_ms', 'all_bytes', 'all_packets'].map((name) => ({ name, type: 'UInt64' }));

/** What {@link selectBatchSql} selects. */
const COLUMNS: readonly NativeColumn[] = [
  ...NUMBERS,
  ...[...new Set([...SCOPE, ...storedOf(COMPARED), ...FETCHED])].map(stored),
];

/** Rows of a block: what is in memory of the file, some 130 bytes each. */
export const BLOCK_ROWS = 16_384;

/** The records of `{batch:UInt64}`. */
export function selectBatchSql(): string {
  const start = 'toUnixTimestamp64Milli(time_flow_start_ns)';
  const end = 'toUnixTimestamp64Milli(time_flow_end_ns)';
  const columns = COLUMNS.slice(NUMBERS.length).map(({ name }) => name);
  return `SELECT toUInt64(greatest(${start}, ${end} - ${LONGEST_SPREAD_MS})) AS start_ms, toUInt64(greatest(${start}, ${end})) AS end_ms,
  bytes * greatest(sampling_rate, 1) AS all_bytes, packets * greatest(sampling_rate, 1) AS all_packets, ${columns.join(', ')}
FROM ${RAW_TABLE} WHERE batch = {batch:UInt64}`;
}

/** Reads the answer of {@link selectBatchSql}. */
export async function readBatch(path: string): Promise<BatchRecords> {
  let capacity = 0;
  for await (const { rows } of readNativeBlocks(path, COLUMNS)) capacity += rows;
  const words = () => new Uint32Array(capacity);
  const words64 = (): Words64 => ({ low: words(), high: words() });
  const records = {
    rows: capacity,
    startMs: new Float64Array(capacity),
    endMs: new Float64Array(capacity),
    bytes: words64(),
    packets: words64(),
    exporters: [] as Uint8Array[],
    exporter: words(),
    dup: words(),
    keys: new Map<ColumnName, Hashes>(),
  };
  for (const key of COMPARED) {
    if (columnOf(key).type !== 'addr') {
      const numbers = words();
      records.keys.set(key, { first: numbers, second: numbers });
      continue;
    }
    const hashes = createHashes(capacity);
    clearHashes(hashes);
    records.keys.set(key, hashes);
  }
  const exporters = new Map<string, number>();
  let from = 0;
  for await (const block of readNativeBlocks(path, COLUMNS)) {
    takeTimes(block.bytes('start_ms'), block.rows, records.startMs, from);
    takeTimes(block.bytes('end_ms'), block.rows, records.endMs, from);
    takeWords64(block.bytes('all_bytes'), block.rows, records.bytes, from);
    takeWords64(block.bytes('all_packets'), block.rows, records.packets, from);
    takeExporters(block.bytes('sampler_address'), block.rows, exporters, records.exporters, records.exporter, from);
    takeNumbers(block.bytes('dup'), block.rows, records.dup, from);
    for (const [key, target] of records.keys) takeKey(block, key, target, from);
    from += block.rows;
  }
  return records;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function takeTimes(bytes: Uint8Array, rows: number, target: Float64Array, from: number): void {
  const data = view(bytes);
  for (let row = 0; row < rows; row++)
    target[from + row] = data.getUint32(row * 8, true) + data.getUint32(row * 8 + 4, true) * 4_294_967_296;
}

function takeWords64(bytes: Uint8Array, rows: number, { low, high }: Words64, from: number): void {
  const data = view(bytes);
  for (let row = 0; row < rows; row++) {
    low[from + row] = data.getUint32(row * 8, true);
    high[from + row] = data.getUint32(row * 8 + 4, true);
  }
}

function takeNumbers(bytes: Uint8Array, rows: number, target: Uint32Array, from: number): void {
  const data = view(bytes);
  const width = bytes.length / rows;
  if (width === 1) target.set(bytes, from);
  else if (width === 2) for (let row = 0; row < rows; row++) target[from + row] = data.getUint16(row * 2, true);
  else for (let row = 0; row < rows; row++) target[from + row] = data.getUint32(row * 4, true);
}

/** Numbers the exporters; records of one mostly follow each other. */
function takeExporters(
  bytes: Uint8Array,
  rows: number,
  known: Map<string, number>,
  addresses: Uint8Array[],
  target: Uint32Array,
  from: number,
): void {
  const data = view(bytes);
  let begin = -1;
  let number = 0;
  for (let row = 0; row < rows; row++) {
    const at = row * 16;
    const same =
      begin >= 0 &&
      data.getUint32(at + 12) === data.getUint32(begin + 12) &&
      data.getUint32(at + 8) === data.getUint32(begin + 8) &&
      data.getUint32(at + 4) === data.getUint32(begin + 4) &&
      data.getUint32(at) === data.getUint32(begin);
    if (!same) {
      const address = bytes.slice(at, at + 16);
      const text = address.join();
      number = known.get(text) ?? addresses.push(address) - 1;
      known.set(text, number);
      begin = at;
    }
    target[from + row] = number;
  }
}

function takeKey(block: NativeBlock, key: ColumnName, target: Hashes, from: number): void {
  const [of = key] = storedOf([key]);
  const bytes = block.bytes(of);
  if (columnOf(key).type !== 'addr') return takeNumbers(bytes, block.rows, target.first, from);
  for (const words of addressWords(bytes, block.rows, of !== key))
    mixHashes(target, { first: words, second: words }, from, block.rows);
}

const MAPPED = 0xffff;

/** The four words of each address, or of its prefix: /24 of IPv4, /48 of IPv6 (`derived` of the columns says the same in SQL). */
function addressWords(bytes: Uint8Array, rows: number, prefix: boolean): readonly Uint32Array[] {
  const data = view(bytes);
  const words = [0, 1, 2, 3].map(() => new Uint32Array(rows)) as [Uint32Array, Uint32Array, Uint32Array, Uint32Array];
  const [one, two, three, four] = words;
  for (let row = 0; row < rows; row++) {
    one[row] = data.getUint32(row * 16);
    two[row] = data.getUint32(row * 16 + 4);
    three[row] = data.getUint32(row * 16 + 8);
    four[row] = data.getUint32(row * 16 + 12);
  }
  if (!prefix) return words;
  for (let row = 0; row < rows; row++) {
    const isIpv4 = one[row] === 0 && two[row] === 0 && three[row] === MAPPED;
    if (isIpv4) four[row] = (four[row] as number) & 0xffffff00;
    else {
      two[row] = (two[row] as number) & 0xffff0000;
      three[row] = 0;
      four[row] = 0;
    }
  }
  return words;
}

/** Some records' values of the columns that rows are named with. */
export interface PickedRecords {
  /** Place of a record among those that were picked. */
  indexOf(row: number): number;
  /** Values of a key for the records at these places, one after the other; nothing where the place is -1. */
  take(key: ColumnName, places: Int32Array): Uint8Array;
}

/** Reads the records that are marked with 1 out of the answer of {@link selectBatchSql}. */
export async function pickRecords(path: string, marked: Uint8Array): Promise<PickedRecords> {
  const places = new Int32Array(marked.length);
  let count = 0;
  for (let row = 0; row < marked.length; row++) places[row] = marked[row] === 1 ? count++ : -1;
  const columns = FETCHED.map((name) => {
    const width = widthOf(stored(name));
    return { name, width, bytes: new Uint8Array(count * width) };
  });
  let from = 0;
  let taken = 0;
  for await (const block of readNativeBlocks(path, COLUMNS)) {
    const inBlock = placesOf(marked.subarray(from, from + block.rows));
    for (const { name, width, bytes } of columns) copyValues(block.bytes(name), inBlock, width, bytes, taken);
    taken += inBlock.length;
    from += block.rows;
  }
  return {
    indexOf: (row) => places[row] as number,
    take(key, at) {
      const [of = key] = storedOf([key]);
      const { width, bytes } = columns.find(({ name }) => name === of) as (typeof columns)[number];
      const values = new Uint8Array(at.length * width);
      copyValues(bytes, at, width, values, 0);
      if (of !== key) cutPrefixes(values);
      return values;
    },
  };
}

/** Where the ones are. */
function placesOf(marked: Uint8Array): Int32Array {
  const places = new Int32Array(marked.length);
  let count = 0;
  for (let row = 0; row < marked.length; row++) if (marked[row] === 1) places[count++] = row;
  return places.subarray(0, count);
}

/** Copies values of the same width from their places to one after the other; a place of -1 is left as it is. */
function copyValues(source: Uint8Array, places: Int32Array, width: number, target: Uint8Array, from: number): void {
  for (let index = 0; index < places.length; index++) {
    const place = places[index] as number;
    if (place < 0) continue;
    const at = (from + index) * width;
    for (let byte = 0; byte < width; byte++) target[at + byte] = source[place * width + byte] as number;
  }
}

/** Makes prefixes of addresses. */
function cutPrefixes(addresses: Uint8Array): void {
  const [one, two, three, four] = addressWords(addresses, addresses.length / 16, true) as [
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
  ];
  const data = view(addresses);
  for (let row = 0; row < one.length; row++) {
    data.setUint32(row * 16, one[row] as number);
    data.setUint32(row * 16 + 4, two[row] as number);
    data.setUint32(row * 16 + 8, three[row] as number);
    data.setUint32(row * 16 + 12, four[row] as number);
  }
}
