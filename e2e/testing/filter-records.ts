import { parseAddress } from '@ringflow/contract';
import { createRandom } from '../../contract/filter/testing/random-filter.ts';
import { createByteWriter, type ByteWriter } from '../../collector/src/demo/byte-writer.ts';

/** A flow record with a next hop of its own, by which both collectors name it. */
export interface FilterRecord {
  readonly id: number;
  readonly ipv6: boolean;
  readonly src: string;
  readonly dst: string;
  readonly values: Readonly<Record<(typeof COMMON)[number][0], number>>;
  readonly startMs: number;
  readonly endMs: number;
}

/** Elements that both protocols number alike (RFC 3954 8, IANA IPFIX), their lengths, and values that filters meet. */
const COMMON = [
  ['srcPort', 7, 2, [0, 53, 80, 443, 1023, 1024, 8080, 50_000, 65_535]],
  ['dstPort', 11, 2, [0, 53, 80, 443, 1023, 1024, 8080, 50_000, 65_535]],
  ['proto', 4, 1, [6, 6, 6, 17, 17, 47, 50, 89, 132, 255]],
  ['flags', 6, 1, [0, 1, 2, 4, 16, 18, 24, 27, 63]],
  ['tos', 5, 1, [0, 0, 4, 40, 184, 255]],
  ['bytes', 1, 8, [40, 64, 100, 1000, 1001, 1023, 1024, 1500, 1e6, 2 ** 32 + 1, 2 ** 40]],
  ['packets', 2, 8, [1, 1, 2, 3, 10, 1000, 2 ** 33]],
  ['inIf', 10, 4, [0, 1, 2, 3, 100, 70_000]],
  ['outIf', 14, 4, [0, 1, 2, 3, 100, 70_000]],
  ['srcAs', 16, 4, [0, 1, 100, 64_500, 64_501, 4_200_000_000]],
  ['dstAs', 17, 4, [0, 1, 100, 64_500, 64_501, 4_200_000_000]],
  ['srcVlan', 58, 2, [0, 1, 100, 4094]],
  ['dstVlan', 59, 2, [0, 1, 100, 4094]],
] as const;

const IPV4 = ['10.0.0.1', '10.0.0.2', '10.0.0.9', '10.1.2.3', '11.0.0.1', '192.0.2.1', '192.0.2.254', '198.51.100.7'];
const IPV6 = ['2001:db8::1', '2001:db8::9', '2001:db8:1::1', '2001:db9::1', 'fd00::1', 'fe80::10:20'];
const DURATIONS_MS = [0, 0, 1, 10, 50, 999, 1000, 20_000, 60_000];

/**
 * Records of values that lie on and beside the borders of what filters ask; the same seed gives the same ones. None is
 * of ICMP, where nfdump takes type and code for a port.
 */
export function createFilterRecords(count: number, seed: number, endMs: number): FilterRecord[] {
  const random = createRandom(seed);
  const oneOf = <T>(items: readonly T[]): T => items[random(items.length)] as T;
  return Array.from({ length: count }, (_, id) => {
    const ipv6 = random(3) === 0;
    const pool = ipv6 ? IPV6 : IPV4;
    const end = endMs - random(30_000);
    const values = Object.fromEntries(COMMON.map(([name, , , choices]) => [name, oneOf<number>(choices)])) as Record<
      keyof FilterRecord['values'],
      number
    >;
    // Other protocols have none; nfdump does not look at them there.
    if (values.proto !== 6) values.flags = 0;
    return {
      id,
      ipv6,
      src: oneOf(pool),
      dst: oneOf(pool),
      values,
      startMs: end - oneOf(DURATIONS_MS),
      endMs: end,
    };
  });
}

/** Next hop of a record: its number in the last 16 bits. */
export function nextHopOf({ id, ipv6 }: FilterRecord): string {
  return ipv6 ? `2001:db8:ffff::${(id + 1).toString(16)}` : `172.16.${id >> 8}.${id & 255}`;
}

const PER_DATAGRAM = 8;

/** The datagrams in which an exporter of NetFlow v9 (9) or IPFIX (10) would send the records; the first has templates. */
export function encodeFilterRecords(version: 9 | 10, records: readonly FilterRecord[], exportMs: number): Uint8Array[] {
  const bootMs = Math.floor(exportMs / 1000) * 1000 - 3_600_000;
  const datagrams = [encode(version, exportMs, bootMs, 0, 2, (writer) => writeTemplates(writer, version))];
  for (let at = 0; at < records.length; at += PER_DATAGRAM) {
    const part = records.slice(at, at + PER_DATAGRAM);
    datagrams.push(
      encode(version, exportMs, bootMs, version === 9 ? datagrams.length : at, part.length, (writer) => {
        for (const family of [false, true]) {
          const some = part.filter(({ ipv6 }) => ipv6 === family);
          if (some.length > 0)
            writeSet(writer, family ? 257 : 256, () =>
              some.forEach((one) => writeRecord(writer, version, one, bootMs)),
            );
        }
      }),
    );
  }
  return datagrams;
}

function encode(
  version: 9 | 10,
  exportMs: number,
  bootMs: number,
  sequence: number,
  count: number,
  body: (writer: ByteWriter) => void,
): Uint8Array {
  const writer = createByteWriter();
  const seconds = Math.floor(exportMs / 1000);
  if (version === 9)
    writer
      .u16(9)
      .u16(count)
      .u32(seconds * 1000 - bootMs)
      .u32(seconds)
      .u32(sequence)
      .u32(42);
  else writer.u16(10).u16(0).u32(seconds).u32(sequence).u32(42);
  body(writer);
  if (version === 10) writer.patch16(2, writer.length);
  return writer.done();
}

function writeSet(writer: ByteWriter, id: number, body: () => void): void {
  const at = writer.length;
  writer.u16(id).u16(0);
  body();
  writer.pad(4, at);
  writer.patch16(at + 2, writer.length - at);
}

const MASKS = { v4: [9, 13], v6: [29, 30] } as const;

function writeTemplates(writer: ByteWriter, version: 9 | 10): void {
  for (const family of ['v4', 'v6'] as const) {
    const [source, destination, nextHop, length] = family === 'v4' ? [8, 12, 15, 4] : [27, 28, 62, 16];
    const fields = [
      [source, length],
      [destination, length],
      [nextHop, length],
      ...MASKS[family].map((element) => [element, 1]),
      ...COMMON.map(([, element, width]) => [element, width]),
      // FIRST_SWITCHED and LAST_SWITCHED, or flowStartMilliseconds and flowEndMilliseconds.
      ...(version === 9
        ? [
            [22, 4],
            [21, 4],
          ]
        : [
            [152, 8],
            [153, 8],
          ]),
    ] as [number, number][];
    writeSet(writer, version === 9 ? 0 : 2, () => {
      writer.u16(family === 'v4' ? 256 : 257).u16(fields.length);
      for (const [element, width] of fields) writer.u16(element).u16(width);
    });
  }
}

/** Prefix lengths that follow from the record's number, so that they vary and can be asked for. */
export const masksOf = ({ id, ipv6 }: FilterRecord): readonly [number, number] =>
  ipv6 ? [32 + (id % 3) * 16, 48] : [8 + (id % 3) * 8, 24];

function writeRecord(writer: ByteWriter, version: 9 | 10, record: FilterRecord, bootMs: number): void {
  const bytes = (text: string) => (parseAddress(text) as Uint8Array).slice(record.ipv6 ? 0 : 12);
  writer
    .bytes(bytes(record.src))
    .bytes(bytes(record.dst))
    .bytes(bytes(nextHopOf(record)));
  for (const bits of masksOf(record)) writer.u8(bits);
  for (const [name, , width] of COMMON) {
    const value = record.values[name];
    if (width === 1) writer.u8(value);
    else if (width === 2) writer.u16(value);
    else if (width === 4) writer.u32(value);
    else writer.u64(value);
  }
  for (const ms of [record.startMs, record.endMs]) {
    if (version === 9) writer.u32(ms - bootMs);
    else writer.u64(ms);
  }
}
