import { CLICKHOUSE_TYPES, type ColumnName } from '@ringflow/contract';
import { readNativeBlocks, widthOf, type NativeValues, type ReadRoom } from '../native-blocks.ts';
import { addressBytes, createAddressWords, cutPrefixes, readAddresses } from './columns.ts';
import { columnOf, storedOf } from './keys.ts';
import { NAMING } from './records.ts';

/** Some records' values of the columns that rows are named with. */
export interface PickedRecords {
  /** Place of a record among those that were picked. */
  indexOf(row: number): number;
  /** Values of a key for the records at these places, one after the other; nothing where the place is -1. */
  take(key: ColumnName, places: Int32Array): Uint8Array;
}

const WANTED: ReadonlySet<string> = new Set(NAMING);

/** Reads the records that are marked with 1, of the same files as {@link readBatch}. */
export async function pickRecords(
  paths: readonly string[],
  marked: Uint8Array,
  room: ReadRoom,
): Promise<PickedRecords> {
  const places = new Int32Array(marked.length);
  let count = 0;
  for (let row = 0; row < marked.length; row++) places[row] = marked[row] === 1 ? count++ : -1;
  const columns = NAMING.map((name) => {
    const width = widthOf({ name, type: CLICKHOUSE_TYPES[columnOf(name).type] });
    return { name, width, bytes: new Uint8Array(count * width) };
  });
  let from = 0;
  let taken = 0;
  for (const path of paths)
    for await (const block of readNativeBlocks(path, WANTED, room)) {
      const inBlock = placesOf(marked.subarray(from, from + block.rows));
      for (const { name, width, bytes } of columns) {
        const values = block.columns.get(name);
        if (values) copyValues(widened(values, inBlock, width), width, bytes, taken);
      }
      taken += inBlock.length;
      from += block.rows;
    }
  return {
    indexOf: (row) => places[row] as number,
    take(key, at) {
      const [of = key] = storedOf([key]);
      const { width, bytes } = columns.find(({ name }) => name === of) as (typeof columns)[number];
      const values = pick(bytes, at, width, width);
      return of === key ? values : prefixesOf(values);
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

function copyValues(values: Uint8Array, width: number, target: Uint8Array, from: number): void {
  target.set(values, from * width);
}

/** Values at some places in the width of their column. */
function widened({ type, width, bytes }: NativeValues, places: Int32Array, toWidth: number): Uint8Array {
  const values = pick(bytes, places, width, type === 'IPv4' ? width : toWidth);
  if (type !== 'IPv4') return values;
  const words = createAddressWords(places.length);
  readAddresses({ type, width, bytes: values }, places.length, words);
  return addressBytes(words, places.length);
}

/** Little endian numbers at some places, with zeros behind them; nothing where the place is -1. */
function pick(source: Uint8Array, places: Int32Array, width: number, toWidth: number): Uint8Array {
  const target = new Uint8Array(places.length * toWidth);
  for (let index = 0; index < places.length; index++) {
    const place = places[index] as number;
    if (place < 0) continue;
    for (let byte = 0; byte < width; byte++) target[index * toWidth + byte] = source[place * width + byte] as number;
  }
  return target;
}

function prefixesOf(addresses: Uint8Array): Uint8Array {
  const rows = addresses.length / 16;
  const words = createAddressWords(rows);
  readAddresses({ type: 'IPv6', width: 16, bytes: addresses }, rows, words);
  cutPrefixes(words, rows);
  return addressBytes(words, rows);
}
