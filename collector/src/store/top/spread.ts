import { BYTES, createItems, FLOWS, HIGH, NUMBERS, PACKETS, ROW, SCOPE, WORDS, type Items } from './items.ts';
import type { Words64 } from './columns.ts';
import type { BatchRecords } from './records.ts';

/** What lists are made for. */
export interface Scope {
  /** Seconds since the epoch. */
  readonly bucket: number;
  /** Index of {@link BatchRecords.exporters}. */
  readonly exporter: number;
  readonly dup: number;
}

export interface Spread {
  /** The records' parts in the buckets. */
  readonly parts: Items;
  readonly scopes: readonly Scope[];
}

const EXACT = Number.MAX_SAFE_INTEGER;
/** Up to this duration a remainder's product is exact as a number. */
const EXACT_MS = Math.floor(Math.sqrt(EXACT));

/**
 * Spreads records over buckets of `seconds` by the rule of the rings (`spreadSql`), as far as the buckets begin before
 * `until` (seconds since the epoch).
 */
export function spreadBatch(records: BatchRecords, seconds: number, until: number): Spread {
  const { rows, startMs, endMs, bytes, packets, exporter, dup } = records;
  const stepMs = seconds * 1000;
  const last = Math.floor(until / seconds) - 1;
  const wide = approximateSum(bytes) > EXACT || approximateSum(packets) > EXACT;
  const parts = createParts(rows, wide);
  const scopes = createScopes(seconds);
  for (let row = 0; row < rows; row++) {
    const start = startMs[row] as number;
    const end = endMs[row] as number;
    const from = Math.floor(start / stepMs);
    const to = Math.floor(end / stepMs);
    if (from > last) continue;
    const whole = from === to;
    const duration = Math.max(end - start, 1);
    if (wide || duration > EXACT_MS) {
      spreadExactly(records, row, { from, to, last, stepMs, start, end, duration }, parts, scopes);
      continue;
    }
    const allBytes = (bytes.high[row] as number) * HIGH + (bytes.low[row] as number);
    const allPackets = (packets.high[row] as number) * HIGH + (packets.low[row] as number);
    if (whole) {
      parts.add(row, scopes.find(from, exporter[row] as number, dup[row] as number), allBytes, allPackets, 1);
      continue;
    }
    const byteRate = Math.floor(allBytes / duration);
    const byteRest = allBytes % duration;
    const packetRate = Math.floor(allPackets / duration);
    const packetRest = allPackets % duration;
    let bytesBefore = 0;
    let packetsBefore = 0;
    for (let bucket = from; bucket <= to && bucket <= last; bucket++) {
      const elapsed = Math.min((bucket + 1) * stepMs, end) - start;
      const bytesUpTo = byteRate * elapsed + Math.floor((byteRest * elapsed) / duration);
      const packetsUpTo = packetRate * elapsed + Math.floor((packetRest * elapsed) / duration);
      const scope = scopes.find(bucket, exporter[row] as number, dup[row] as number);
      parts.add(row, scope, bytesUpTo - bytesBefore, packetsUpTo - packetsBefore, bucket === to ? 1 : 0);
      bytesBefore = bytesUpTo;
      packetsBefore = packetsUpTo;
    }
  }
  return { parts: parts.items, scopes: scopes.all };
}

type Range = Readonly<Record<'from' | 'to' | 'last' | 'stepMs' | 'start' | 'end' | 'duration', number>>;

/** The same with integers of any length: flows of more than a day, counters that were never true. */
function spreadExactly(
  { bytes, packets, exporter, dup }: BatchRecords,
  row: number,
  { from, to, last, stepMs, start, end, duration }: Range,
  parts: Parts,
  scopes: Scopes,
): void {
  const whole = [bytes, packets].map(
    ({ low, high }) => BigInt(high[row] as number) * BigInt(HIGH) + BigInt(low[row] as number),
  ) as [bigint, bigint];
  let before: [bigint, bigint] = [0n, 0n];
  for (let bucket = from; bucket <= to && bucket <= last; bucket++) {
    const elapsed = BigInt(Math.min((bucket + 1) * stepMs, end) - start);
    const upTo = whole.map((value) => (bucket === to ? value : (value * elapsed) / BigInt(duration))) as [
      bigint,
      bigint,
    ];
    const scope = scopes.find(bucket, exporter[row] as number, dup[row] as number);
    parts.addWide(row, scope, upTo[0] - before[0], upTo[1] - before[1], bucket === to ? 1 : 0);
    before = upTo;
  }
}

function approximateSum({ low, high }: Words64): number {
  let sum = 0;
  for (let row = 0; row < low.length; row++) sum += (high[row] as number) * HIGH + (low[row] as number);
  return sum;
}

type Parts = ReturnType<typeof createParts>;

/** Parts as they come; there are as many as records, or some more. */
function createParts(rows: number, wide: boolean) {
  let capacity = Math.ceil(rows * 1.25) + 1024;
  const items = createItems(capacity, wide);

  function grow(): void {
    capacity *= 2;
    const { numbers, high } = items;
    Object.assign(items, { ...createItems(capacity, wide), count: items.count });
    items.numbers.set(numbers);
    items.high.set(high);
  }

  function add(row: number, scope: number, bytes: number, packets: number, flows: number): void {
    if (items.count === capacity) grow();
    const item = items.count++;
    items.numbers[item * NUMBERS + BYTES] = bytes;
    items.numbers[item * NUMBERS + PACKETS] = packets;
    items.words[item * WORDS + FLOWS] = flows;
    items.words[item * WORDS + ROW] = row;
    items.words[item * WORDS + SCOPE] = scope;
  }

  function addWide(row: number, scope: number, bytes: bigint, packets: bigint, flows: number): void {
    if (!wide) return add(row, scope, Number(bytes), Number(packets), flows);
    add(row, scope, Number(bytes % BigInt(HIGH)), Number(packets % BigInt(HIGH)), flows);
    items.high[(items.count - 1) * 2] = Number(bytes / BigInt(HIGH));
    items.high[(items.count - 1) * 2 + 1] = Number(packets / BigInt(HIGH));
  }

  return { add, addWide, items };
}

type Scopes = ReturnType<typeof createScopes>;

/** Numbers the scopes; records of one mostly follow each other. */
function createScopes(seconds: number) {
  const all: Scope[] = [];
  const known = new Map<number, number>();
  let lastKey = -1;
  let last = -1;

  function find(bucket: number, exporter: number, dup: number): number {
    // A bucket's number has 26 bits at most until 2106, an exporter's some 16.
    const key = (exporter * 256 + dup) * 67_108_864 + bucket;
    if (key === lastKey) return last;
    lastKey = key;
    const found = known.get(key);
    if (found !== undefined) return (last = found);
    last = all.push({ bucket: bucket * seconds, exporter, dup }) - 1;
    known.set(key, last);
    return last;
  }

  return { find, all };
}
