import { QUALITY } from '@ringflow/contract';
import { LOSS } from './decoder.ts';
import { NOW, bench, from } from './testing/decoder-bench.ts';
import type { Row } from './testing/captures.ts';
import {
  data,
  ipfix,
  ipfixOptionsTemplate,
  ipfixTemplate,
  v9,
  v9OptionsTemplate,
  v9Template,
} from './testing/netflow-packets.ts';
import { bytes, u16, u32 } from './testing/packets.ts';

const BYTES_PACKETS = [
  [1, 4],
  [2, 4],
] as const;
const both = bytes(u32(100), u32(3));

test('S02 S03 S08 sampling by sampler, by domain, by address, and unknown', () => {
  const b = bench();
  const flows = v9Template(256, [
    [1, 4],
    [2, 4],
    [48, 1],
  ]);
  const record = (sampler: number): number[] => bytes(both, sampler);
  const rates = (rows: Row[]): unknown[] => rows.map((row) => row.sampling_rate ?? 0);
  expect(rates(b.take(v9([flows, data(256, record(1))])))).toEqual([0]);
  b.take(
    v9([
      v9OptionsTemplate(
        300,
        [[1, 4]],
        [
          [48, 1],
          [50, 4],
        ],
      ),
      data(300, bytes(u32(0), 1, u32(100)), bytes(u32(0), 2, u32(200))),
    ]),
  );
  expect(rates(b.take(v9([data(256, record(1), record(2), record(3), record(0))])))).toEqual([100, 200, 0, 1]);
  // Another line card of the same router speaks for another domain and port.
  expect(
    rates(
      b.take(
        v9(
          [
            v9Template(256, [
              [1, 4],
              [2, 4],
              [48, 1],
            ]),
            data(256, record(2)),
          ],
          { domain: 8 },
        ),
        from(1, 9),
      ),
    ),
  ).toEqual([200]);
  expect(
    rates(
      b.take(
        v9([
          v9Template(256, [
            [1, 4],
            [2, 4],
            [48, 1],
          ]),
          data(256, record(2)),
        ]),
        from(2),
      ),
    ),
  ).toEqual([0]);
});

test('S04 S05 S06 how a rate is told', () => {
  const b = bench();
  const rateOf = (fields: readonly (readonly [number, number])[], record: readonly number[]): unknown =>
    b.take(ipfix([ipfixTemplate(256, [[1, 4], ...fields]), data(256, bytes(u32(1), record))]))[0]?.sampling_rate ?? 0;
  expect(
    rateOf(
      [
        [305, 4],
        [306, 4],
      ],
      bytes(u32(1), u32(999)),
    ),
  ).toBe(1000);
  expect(
    rateOf(
      [
        [305, 4],
        [309, 4],
        [310, 4],
      ],
      bytes(u32(256), u32(1), u32(512)),
    ),
  ).toBe(512);
  expect(rateOf([[305, 4]], u32(256))).toBe(256);
  expect(rateOf([[34, 4]], u32(10))).toBe(10);
  expect(rateOf([[311, 8]], [0x3f, 0x84, 0x7a, 0xe1, 0x47, 0xae, 0x14, 0x7b])).toBe(100);
});

test('C06 without a boot time the end is the export time and the duration is kept', () => {
  const b = bench();
  const rows = b.take(
    ipfix([
      ipfixTemplate(256, [
        [1, 4],
        [22, 4],
        [21, 4],
      ]),
      data(256, bytes(u32(1), u32(5000), u32(9000))),
    ]),
  );
  expect(
    rows.map((row) => [row.time_flow_start_ns, row.time_flow_end_ns, Number(row.quality) & QUALITY.no_flow_times]),
  ).toEqual([[BigInt(NOW - 4000) * 1_000_000n, BigInt(NOW) * 1_000_000n, QUALITY.no_flow_times]]);
});

test('C12 a start after the end: swapped within a second, else the end counts', () => {
  const b = bench();
  const times = (start: number, end: number): unknown =>
    b
      .take(
        v9([
          v9Template(256, [
            [1, 4],
            [22, 4],
            [21, 4],
          ]),
          data(256, bytes(u32(1), u32(start), u32(end))),
        ]),
      )
      .map((row) => [
        (row.time_flow_start_ns as bigint) / 1_000_000n,
        (row.time_flow_end_ns as bigint) / 1_000_000n,
        Number(row.quality) & QUALITY.clock_anomaly,
      ])[0];
  expect(times(999_900, 999_800)).toEqual([BigInt(NOW - 200), BigInt(NOW - 100), 0]);
  expect(times(999_900, 900_000)).toEqual([BigInt(NOW - 100_000), BigInt(NOW - 100_000), QUALITY.clock_anomaly]);
});

test('F16 MPLS labels end at the bottom of the stack', () => {
  const b = bench();
  const template = v9Template(256, [
    [70, 3],
    [71, 3],
    [72, 3],
    [1, 4],
  ]);
  const rows = b.take(v9([template, data(256, bytes(0x00, 0x06, 0x40, 0x00, 0x0c, 0x81, 0x00, 0x12, 0xc1, u32(9)))]));
  expect(rows[0]?.mpls_label).toEqual([100, 200]);
});

test('F30 a packet section is one packet with the length in its header', () => {
  const b = bench();
  const packet = bytes(
    0x45,
    0,
    u16(1400),
    u32(0),
    64,
    17,
    u16(0),
    [10, 0, 0, 1],
    [10, 0, 0, 2],
    u16(53),
    u16(4444),
    u16(1380),
    u16(0),
  );
  const rows = b.take(
    ipfix([
      ipfixTemplate(256, [
        [10, 4],
        [313, 65_535],
      ]),
      data(256, bytes(u32(5), packet.length, packet), bytes(u32(6), packet.length, packet)),
    ]),
  );
  expect(rows.map((row) => [row.in_if, row.src_addr, row.dst_port, row.proto, row.bytes, row.packets])).toEqual([
    [5, '10.0.0.1', 4444, 17, 1400n, 1n],
    [6, '10.0.0.1', 4444, 17, 1400n, 1n],
  ]);
});

test('Q01 Q05 units: datagrams for v9, data records with options data for IPFIX, unknown when a set is', () => {
  const b = bench();
  b.take(
    ipfix([
      ipfixTemplate(256, BYTES_PACKETS),
      ipfixOptionsTemplate(257, 1, [
        [149, 4],
        [41, 4],
      ]),
      data(256, both, both),
      data(257, both),
    ]),
  );
  expect([b.info.units, b.info.records, b.info.otherRecords]).toEqual([3, 2, 1]);
  b.take(ipfix([data(256, both), data(999, both)]));
  expect([b.info.units, b.info.records]).toEqual([-1, 1]);
});

test('L04 L05 lengths beyond the datagram are counted and not followed', () => {
  const b = bench();
  b.take(v9([v9Template(256, BYTES_PACKETS)]));
  const whole = v9([data(256, both), data(256, both)]);
  expect(b.take(whole.subarray(0, whole.length - 1))).toHaveLength(1);
  expect(b.losses('bad_set_length')).toBe(1);
});

test('H18 X08 what is not ours is counted by kind', () => {
  const b = bench();
  const reasons = (payload: number[]): string[] => {
    b.take(Uint8Array.from(payload));
    return Object.entries(LOSS).flatMap(([name, index]) => (b.info.losses[index] ? [name] : []));
  };
  expect(reasons([])).toEqual(['unknown_protocol']);
  expect(reasons([0, 8, 0, 1])).toEqual(['unsupported_version']);
  expect(reasons([0, 0, 0, 2])).toEqual(['unsupported_version']);
  expect(reasons([0x16, 3, 1, 2, 0])).toEqual(['unknown_protocol']);
  expect(reasons([0, 9, 0, 1])).toEqual(['truncated_header']);
});
