import type { ColumnType } from './columns.ts';

/** ClickHouse type of each kind of column. Native blocks of the batch have exactly these layouts (little endian). */
export const CLICKHOUSE_TYPES: Readonly<Record<ColumnType, string>> = {
  u8: 'UInt8',
  u16: 'UInt16',
  u32: 'UInt32',
  u64: 'UInt64',
  time: "DateTime64(9, 'UTC')",
  addr: 'IPv6',
  mac: 'UInt64',
  string: 'String',
  'u32[]': 'Array(UInt32)',
};

/**
 * SQL for the part of a counter that falls into a range of time, when it is spread evenly over the flow's start and end
 * (semantics 5.6): floor(B × (clamp(to) − start) / (end − start)) − the same at `from`. Parts of adjoining ranges are
 * whole numbers that add up to B exactly. A flow without duration counts wholly where it starts. The rings and the
 * queries on raw rows use this one text, so that their answers agree to the byte.
 *
 * All five arguments are SQL: `counter` a UInt64, the others Int64 milliseconds since the epoch. The product is taken of
 * quotient and remainder apart, so that it fits 64 bits for flows of up to 49 days (decoders allow one, C04): products
 * of 128 bits, or a branch around all this, cost 0.4 CPU-seconds per million records more.
 */
export function spreadSql(counter: string, start: string, end: string, from: string, to: string): string {
  const duration = `toUInt64(greatest(${end} - ${start}, 1))`;
  const upTo = (at: string) => {
    const elapsed = `toUInt64(least(greatest(${at}, ${start}), ${end}) - ${start})`;
    return `intDiv(${counter}, ${duration}) * ${elapsed} + intDiv(${counter} % ${duration} * ${elapsed}, ${duration})`;
  };
  return `toUInt64(${upTo(to)} - (${upTo(from)}) + if(${end} <= ${start} AND ${start} >= ${from} AND ${start} < ${to}, ${counter}, 0))`;
}
