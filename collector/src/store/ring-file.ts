import { closeSync, openSync, writeSync } from 'node:fs';
import { CLICKHOUSE_TYPES, type ColumnName } from '@ringflow/contract';
import type { SegmentSource } from './engine.ts';
import { encodeNativeBlock, widthOf } from './native-blocks.ts';
import { RING_COUNTERS, RING_KEYS, RING_PEAKS } from './rings.ts';

/** A row of a ring table that did not come out of records. */
export interface RingRow {
  readonly table: string;
  readonly ring: number;
  /** Start of the bucket, seconds since the epoch. */
  readonly bucketSeconds: number;
  /** Keys that are numbers; those that are absent are at their default. */
  readonly keys: Readonly<Partial<Record<ColumnName, number>>>;
  /** Of the exporter, sixteen bytes. */
  readonly exporter: Uint8Array;
  /** Bytes, packets, flows; whole numbers. */
  readonly sums: readonly number[];
  readonly peaks: readonly number[];
}

const BLOCK_ROWS = 8192;
const VALUES = [...RING_COUNTERS, ...RING_PEAKS];

/** Columns of the file: everything that a ring table has. */
const COLUMNS: SegmentSource['columns'] = [
  { name: 'ring', type: 'UInt8' },
  { name: 'bucket', type: "DateTime('UTC')" },
  ...RING_KEYS.map(({ name, type }) => ({ name, type: CLICKHOUSE_TYPES[type] })),
  ...VALUES.map((name) => ({ name, type: 'UInt64' })),
];
/** Writes rows of one table as ClickHouse's Native format, which both engines take. */
export interface RingFile {
  readonly source: SegmentSource;
  readonly rows: number;
  add(row: RingRow): void;
  close(): void;
}

export function createRingFile(path: string): RingFile {
  const descriptor = openSync(path, 'wx');
  const waiting: RingRow[] = [];
  let rows = 0;

  function flush(): void {
    if (waiting.length === 0) return;
    const columns = COLUMNS.map((column) => {
      const width = widthOf(column);
      const data = new Uint8Array(width * waiting.length);
      const view = new DataView(data.buffer);
      waiting.forEach((row, index) => {
        const at = index * width;
        if (width === 16) data.set(row.exporter, at);
        else put(view, at, width, valueOf(row, column.name));
      });
      return { ...column, data };
    });
    writeSync(descriptor, encodeNativeBlock(waiting.length, columns));
    waiting.length = 0;
  }

  return {
    source: { paths: [path], columns: COLUMNS },
    get rows() {
      return rows;
    },
    add(row) {
      rows++;
      if (waiting.push(row) >= BLOCK_ROWS) flush();
    },
    close() {
      flush();
      closeSync(descriptor);
    },
  };
}

function valueOf(row: RingRow, name: string): number {
  if (name === 'ring') return row.ring;
  if (name === 'bucket') return row.bucketSeconds;
  const counter = VALUES.indexOf(name as (typeof VALUES)[number]);
  if (counter < 0) return row.keys[name as ColumnName] ?? 0;
  return (counter < RING_COUNTERS.length ? row.sums[counter] : row.peaks[counter - RING_COUNTERS.length]) ?? 0;
}

function put(view: DataView, at: number, width: number, value: number): void {
  if (width === 1) view.setUint8(at, value);
  else if (width === 2) view.setUint16(at, value, true);
  else if (width === 4) view.setUint32(at, value, true);
  else {
    view.setUint32(at, value % 4_294_967_296, true);
    view.setUint32(at + 4, Math.floor(value / 4_294_967_296), true);
  }
}
