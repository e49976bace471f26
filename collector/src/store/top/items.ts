/**
 * What has a place in a list: a record's part in a bucket, or the sum of several. They lie in one array each 40 bytes, which is
 * mostly one line of the processor's cache: bytes and packets as numbers, and six words.
 */
export interface Items {
  count: number;
  /** Bytes and packets at {@link BYTES} and {@link PACKETS} of each {@link NUMBERS}. */
  numbers: Float64Array;
  /** The same memory as words, {@link WORDS} for each item. */
  words: Int32Array;
  /**
   * Multiples of 2³² of bytes and of packets on top of `numbers`, two for each item; empty while there is no need of them: as
   * long as all of a batch together is below 2⁵³, which is 9 PB, a number holds each sum.
   */
  high: Float64Array;
}

export const NUMBERS = 5;
export const BYTES = 0;
export const PACKETS = 1;

export const WORDS = NUMBERS * 2;
/** Flow records. */
export const FLOWS = 4;
/** A record that the item comes from: its index in the batch. */
export const ROW = 5;
/** Index of what lists are made for (`Spread.scopes`). */
export const SCOPE = 6;
/** Hash of what the list is a list of, and of all its keys; of items that were summed up. */
export const OF = 7;
export const FIRST = 8;
export const SECOND = 9;

/** What `high` counts. */
export const HIGH = 4_294_967_296;

/** Room for items; none is there yet. */
export function createItems(capacity: number, wide: boolean): Items {
  const numbers = new Float64Array(capacity * NUMBERS);
  return { count: 0, numbers, words: new Int32Array(numbers.buffer), high: new Float64Array(wide ? capacity * 2 : 0) };
}

/** Values of bytes, packets and flow records. */
export type Values = readonly [bigint | number, bigint | number, bigint | number];

/** Exact: numbers, or integers of any length where there are upper words. */
export function valuesOf({ numbers, words, high }: Items, item: number): Values {
  const bytes = numbers[item * NUMBERS + BYTES] as number;
  const packets = numbers[item * NUMBERS + PACKETS] as number;
  const flows = words[item * WORDS + FLOWS] as number;
  if (high.length === 0) return [bytes, packets, flows];
  const whole = (lower: number, upper: number) => BigInt(upper) * BigInt(HIGH) + BigInt(lower);
  return [whole(bytes, high[item * 2] as number), whole(packets, high[item * 2 + 1] as number), BigInt(flows)];
}
