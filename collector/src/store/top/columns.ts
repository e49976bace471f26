import type { NativeValues } from '../native-blocks.ts';

/** A 64-bit number of each record: lower and upper words. */
export interface Words64 {
  readonly low: Uint32Array;
  readonly high: Uint32Array;
}

/** The four words of each address. */
export type AddressWords = readonly [Uint32Array, Uint32Array, Uint32Array, Uint32Array];

const WORD = 4_294_967_296;
/** Third word of an IPv4 address in `::ffff:0:0/96`. */
const MAPPED = 0xffff;

function view({ bytes }: NativeValues): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Takes numbers of up to 32 bits, in whatever width they were written. */
export function takeNumbers(values: NativeValues, rows: number, target: Uint32Array, from: number): void {
  const data = view(values);
  if (values.width === 1) target.set(values.bytes, from);
  else if (values.width === 2) for (let row = 0; row < rows; row++) target[from + row] = data.getUint16(row * 2, true);
  else for (let row = 0; row < rows; row++) target[from + row] = data.getUint32(row * 4, true);
}

/** Puts numbers of a byte into their place in words that have none there. */
export function packBytes(
  { bytes }: NativeValues,
  rows: number,
  target: Uint32Array,
  shift: number,
  from: number,
): void {
  for (let row = 0; row < rows; row++)
    target[from + row] = (target[from + row] as number) | ((bytes[row] as number) << shift);
}

/** Takes times in nanoseconds as whole milliseconds, rounded down. */
export function takeTimes(values: NativeValues, rows: number, target: Float64Array, from: number): void {
  const data = view(values);
  for (let row = 0; row < rows; row++) {
    const low = data.getUint32(row * 8, true);
    const high = data.getUint32(row * 8 + 4, true);
    // 2³² ns = 4,294 ms and 967,296 ns; each step is exact as a number.
    target[from + row] = high * 4294 + Math.floor((high * 967_296 + low) / 1_000_000);
  }
}

/** Takes counters multiplied by the sampling rates of the same rows, modulo 2⁶⁴ as the engine does. */
export function takeScaled(
  values: NativeValues,
  rates: Uint32Array,
  rows: number,
  { low, high }: Words64,
  from: number,
): void {
  const data = view(values);
  const { width } = values;
  for (let row = 0; row < rows; row++) {
    const rate = Math.max(1, rates[row] as number);
    const lower =
      width >= 4 ? data.getUint32(row * width, true) : width === 2 ? data.getUint16(row * 2, true) : data.getUint8(row);
    const upper = width === 8 ? data.getUint32(row * 8 + 4, true) : 0;
    const scaled = (upper * WORD + lower) * rate;
    if (scaled <= Number.MAX_SAFE_INTEGER) {
      low[from + row] = scaled;
      high[from + row] = Math.floor(scaled / WORD);
    } else {
      const exact = (BigInt(upper) * BigInt(WORD) + BigInt(lower)) * BigInt(rate);
      low[from + row] = Number(BigInt.asUintN(32, exact));
      high[from + row] = Number(BigInt.asUintN(32, exact >> 32n));
    }
  }
}

/** Room for the words of so many addresses. */
export function createAddressWords(rows: number): AddressWords {
  return [new Uint32Array(rows), new Uint32Array(rows), new Uint32Array(rows), new Uint32Array(rows)];
}

/** Words of addresses that were written as IPv4 or IPv6; no address where there is no column. */
export function readAddresses(
  values: NativeValues | undefined,
  rows: number,
  [one, two, three, four]: AddressWords,
): void {
  if (values === undefined || values.type === 'IPv4') {
    one.fill(0, 0, rows);
    two.fill(0, 0, rows);
    three.fill(values === undefined ? 0 : MAPPED, 0, rows);
    if (values === undefined) four.fill(0, 0, rows);
    else takeNumbers(values, rows, four, 0);
    return;
  }
  const data = view(values);
  for (let row = 0; row < rows; row++) {
    one[row] = data.getUint32(row * 16);
    two[row] = data.getUint32(row * 16 + 4);
    three[row] = data.getUint32(row * 16 + 8);
    four[row] = data.getUint32(row * 16 + 12);
  }
}

/** Makes prefixes of addresses: /24 of IPv4, /48 of IPv6 (`derived` of the columns says the same in SQL). */
export function cutPrefixes([one, two, three, four]: AddressWords, rows: number): void {
  for (let row = 0; row < rows; row++) {
    const isIpv4 = one[row] === 0 && two[row] === 0 && three[row] === MAPPED;
    if (isIpv4) four[row] = (four[row] as number) & 0xffffff00;
    else {
      two[row] = (two[row] as number) & 0xffff0000;
      three[row] = 0;
      four[row] = 0;
    }
  }
}

/** The sixteen bytes of addresses, one after the other. */
export function addressBytes([one, two, three, four]: AddressWords, rows: number): Uint8Array {
  const data = new DataView(new ArrayBuffer(rows * 16));
  for (let row = 0; row < rows; row++) {
    data.setUint32(row * 16, one[row] as number);
    data.setUint32(row * 16 + 4, two[row] as number);
    data.setUint32(row * 16 + 8, three[row] as number);
    data.setUint32(row * 16 + 12, four[row] as number);
  }
  return new Uint8Array(data.buffer);
}
