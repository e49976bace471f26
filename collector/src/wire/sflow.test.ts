import { COLUMNS } from '@ringflow/contract';
import fc from 'fast-check';
import { createBatch, resetBatch } from './batch.ts';
import { WIRE_DEFAULTS } from './config.ts';
import { createDecoder } from './decode.ts';
import { LOSS_REASONS, createDatagramInfo, type CountersRecord } from './decoder.ts';
import { readPcap } from './pcap.ts';
import {
  compareRecords,
  decodeCapture,
  describeDifferences,
  judge,
  loadManifest,
  readCapture,
  readRow,
  type Row,
} from './testing/captures.ts';
import { bytes, ethernet, ipv4, tcp, u32 } from './testing/packets.ts';
import { createSflowDecoder } from './testing/sflow-decoder.ts';
import {
  countersSample,
  discardedPacket,
  expandedFlowSample,
  flowSample,
  rawHeader,
  sflow,
  tagged,
} from './testing/sflow-packets.ts';

const manifest = loadManifest();
const captures = manifest?.captures.filter((capture) => capture.protocol === 'sflow5') ?? [];
const withCaptures = manifest ? test : test.skip;

withCaptures('every sFlow capture decodes to the records of the manifest', () => {
  if (!manifest) return;
  const differences = captures.flatMap((capture) => {
    const decoded = decodeCapture(readCapture(manifest, capture.pcap), (sink) => createDecoder(WIRE_DEFAULTS, sink));
    return compareRecords(capture.id, capture.records, decoded);
  });
  const { unexpected, stale } = judge(
    differences,
    captures.map((capture) => capture.id),
  );
  expect(describeDifferences(unexpected)).toEqual([]);
  expect(stale).toEqual([]);
});

withCaptures('H14 counter samples carry what sflowtool reads', () => {
  if (!manifest) return;
  for (const capture of captures) {
    const decoded = decodeCapture(readCapture(manifest, capture.pcap), (sink) => createDecoder(WIRE_DEFAULTS, sink));
    const expected = capture.records.flatMap((record) =>
      record.kind === 'counter'
        ? (record['counters'] as Record<string, unknown>[])
            .filter((block) =>
              ['0:1', '0:2', '0:5', '0:1001', '0:1004', '0:1005'].includes(String(block['counterBlock_tag'])),
            )
            .map(({ counterBlock_tag, ...values }) => ({ tag: counterBlock_tag, values }))
        : [],
    );
    const actual = decoded.counters.map((record) => ({
      tag: `${record.enterprise}:${record.format}`,
      values: record.values,
    }));
    const plain = (list: { tag: unknown; values: object }[]) =>
      list.map(
        ({ tag, values }) =>
          `${tag} ${Object.entries(values)
            .map(
              ([key, value]) =>
                `${key}=${Number.isNaN(Number(value)) || key === 'openflow_datapath_id' ? value : Number(value)}`,
            )
            .join(' ')}`,
      );
    expect([capture.id, ...plain(actual)]).toEqual([capture.id, ...plain(expected)]);
  }
});

withCaptures('Q07 interleaved agents keep their own rows', () => {
  if (!manifest) return;
  const decodeFile = (pcap: string) =>
    decodeCapture(readCapture(manifest, pcap), (sink) => createDecoder(WIRE_DEFAULTS, sink)).rows;
  const isSflow = (row: Row) => row.type === 1;
  // Times are those of the arrival, which differs between the files.
  const line = ({ time_received_ns: _received, time_flow_start_ns: _start, time_flow_end_ns: _end, ...row }: Row) =>
    JSON.stringify(row, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
  const single = captures.flatMap(({ pcap }) => decodeFile(pcap)).filter(isSflow);
  expect(decodeFile(manifest.interleaved.pcap).filter(isSflow).map(line).sort()).toEqual(single.map(line).sort());
});

const SOURCE = { address: '192.0.2.9', words: new Uint32Array([0, 0, 0xffff0000, 0x090200c0]), port: 40_000 };
const FRAME = ethernet(0x0800, ipv4(6, tcp(443, 50_000, 0x12)));

/** One for all tests: its arrays are large, and emptying it is what is tested along the way. */
const batch = createBatch({ rowLimit: 16, columns: COLUMNS });

/** Rows, counters and losses of one datagram. */
function decode(datagram: readonly number[], decapsulate = false) {
  const counters: CountersRecord[] = [];
  const decoder = createSflowDecoder(
    { options: () => {}, counters: (record) => void counters.push(record) },
    decapsulate,
  );
  resetBatch(batch);
  const info = createDatagramInfo();
  const count = decoder.decode(new Uint8Array(datagram), SOURCE, 1_700_000_000_123, batch, info);
  const rows: Row[] = [];
  for (let row = 0; row < batch.rows; row++) rows.push(readRow(batch, row));
  expect([rows.length, info.records]).toEqual([count, count]);
  const losses = Object.fromEntries(
    LOSS_REASONS.map((reason, index) => [reason, info.losses[index]]).filter(([, lost]) => lost !== 0),
  );
  return { rows, counters, losses, info };
}

test('a flow sample becomes one row', () => {
  const { rows, losses, info } = decode(sflow([flowSample([rawHeader(FRAME)])]));
  expect(losses).toEqual({});
  expect(rows).toEqual([
    {
      type: 1,
      time_received_ns: 1_700_000_000_123_000_000n,
      time_flow_start_ns: 1_700_000_000_123_000_000n,
      time_flow_end_ns: 1_700_000_000_123_000_000n,
      sequence_num: 1000,
      sampler_address: '10.0.0.9',
      observation_domain_id: 3,
      sampling_rate: 512,
      bytes: 40n,
      packets: 1n,
      flows: 1,
      frame_bytes: 58n,
      in_if: 4,
      out_if: 5,
      src_mac: '02:00:00:00:00:01',
      dst_mac: '02:00:00:00:00:02',
      etype: 0x0800,
      src_addr: '192.0.2.1',
      dst_addr: '198.51.100.2',
      proto: 6,
      ip_ttl: 64,
      ip_version: 4,
      fragment_id: 7,
      src_port: 443,
      dst_port: 50_000,
      tcp_flags: 0x12,
    },
  ]);
  expect(info).toMatchObject({
    type: 1,
    domain: 3,
    sequence: 1000,
    units: 1,
    uptimeMs: 60_000,
    exportTimeMs: 0,
    sampleCount: 1,
  });
  expect([...info.samples.subarray(0, 6)]).toEqual([1, 6, 77, 512, 9999, 0]);
});

test('H04 interfaces: index, internal, discarded, several', () => {
  const compact = (output: number) => decode(sflow([flowSample([rawHeader(FRAME)], 0x3fff_ffff, output)])).rows[0];
  expect(compact(5)).toMatchObject({ out_if: 5 });
  expect(compact(5)).not.toHaveProperty('in_if');
  expect(compact(0x4000_0102)).toMatchObject({ forwarding_status: 0x80, drop_reason: 258 });
  expect(compact(0x4000_0102)).not.toHaveProperty('out_if');
  expect(compact(0x8000_0003)).not.toHaveProperty('out_if');
  const expanded = decode(sflow([expandedFlowSample([rawHeader(FRAME)], [0, 1_000_100], [0, 0x3fff_ffff])])).rows[0];
  expect(expanded).toMatchObject({ in_if: 1_000_100 });
  expect(expanded).not.toHaveProperty('out_if');
});

test('a discarded packet is a dropped row without a sampling rate', () => {
  const { rows, losses } = decode(sflow([discardedPacket([rawHeader(FRAME)], 257)]));
  expect(losses).toEqual({});
  expect(rows[0]).toMatchObject({ forwarding_status: 0x80, drop_reason: 257, in_if: 4, bytes: 40n, packets: 1n });
  expect(rows[0]).not.toHaveProperty('sampling_rate');
  expect(rows[0]).not.toHaveProperty('quality');
});

test('F31 H05 bytes are those of layer 3, and a frame length that cannot be is mended', () => {
  expect(decode(sflow([flowSample([rawHeader(FRAME, 10)])])).rows[0]).toMatchObject({ bytes: 40n, frame_bytes: 58n });
  expect(decode(sflow([flowSample([rawHeader(FRAME, 0xffff_ffff)])])).rows[0]).toMatchObject({
    bytes: 40n,
    frame_bytes: 58n,
  });
  const arp = ethernet(0x0806, Array(28).fill(0));
  expect(decode(sflow([flowSample([rawHeader(arp, 64)])])).rows[0]).toMatchObject({ bytes: 46n, frame_bytes: 64n });
});

test('H12 the raw header wins over the parsed forms, which stand in when there is none', () => {
  const v4 = tagged(3, bytes(u32(1000), u32(17), 10, 0, 0, 1, 10, 0, 0, 2, u32(53), u32(4242), u32(0), u32(0x20)));
  const v6 = tagged(
    4,
    bytes(
      u32(1200),
      u32(6),
      '20010db8000000000000000000000001',
      '20010db8000000000000000000000002',
      u32(443),
      u32(1),
      u32(16),
      u32(0),
    ),
  );
  const ether = tagged(2, bytes(u32(1518), '020000000001', 0, 0, '020000000002', 0, 0, u32(0x0806)));
  expect(decode(sflow([flowSample([v4, ether, rawHeader(FRAME)])])).rows).toMatchObject([
    { src_port: 443, bytes: 40n },
  ]);
  expect(decode(sflow([flowSample([v4])])).rows[0]).toMatchObject({
    src_addr: '10.0.0.1',
    dst_addr: '10.0.0.2',
    proto: 17,
    src_port: 53,
    dst_port: 4242,
    ip_tos: 0x20,
    etype: 0x0800,
    bytes: 1000n,
  });
  expect(decode(sflow([flowSample([v6])])).rows[0]).toMatchObject({
    src_addr: '2001:db8::1',
    proto: 6,
    tcp_flags: 16,
    etype: 0x86dd,
    bytes: 1200n,
  });
  expect(decode(sflow([flowSample([ether])])).rows[0]).toMatchObject({
    src_mac: '02:00:00:00:00:01',
    etype: 0x0806,
    bytes: 1500n,
    frame_bytes: 1518n,
  });
});

test('H13 switch, router, gateway, user, MPLS, NAT, tunnel and segment records', () => {
  const v4 = (...address: number[]) => bytes(u32(1), address);
  const records = [
    tagged(1001, bytes(u32(10), u32(0), u32(0xffff_ffff), u32(0xffff_ffff))),
    tagged(1002, bytes(u32(2), '20010db8000000000000000000000099', u32(24), u32(16))),
    tagged(
      1003,
      bytes(
        v4(9, 9, 9, 9),
        u32(65_000),
        u32(0),
        u32(64_511),
        u32(2),
        u32(2),
        u32(2),
        u32(100),
        u32(200),
        u32(1),
        u32(1),
        u32(300),
        u32(1),
        u32(0x0001_0002),
        u32(150),
      ),
    ),
    tagged(
      1004,
      bytes(
        u32(106),
        u32(3),
        [...'bob'].map((char) => char.charCodeAt(0)),
        0,
        u32(106),
        u32(0),
      ),
    ),
    tagged(1006, bytes(v4(1, 1, 1, 1), u32(2), u32(100 << 12), u32((200 << 12) | 0x100), u32(0))),
    tagged(1007, bytes(v4(100, 64, 0, 1), v4(100, 64, 0, 2))),
    tagged(1020, bytes(u32(1111), u32(2222))),
    tagged(1024, bytes(u32(0), u32(47), 172, 16, 0, 1, 172, 16, 0, 2, u32(0), u32(0), u32(0), u32(0))),
    tagged(1030, u32(5001)),
    tagged(1012, bytes(u32(1), u32(0x8100_0064))),
    rawHeader(FRAME),
  ];
  const { rows, losses } = decode(sflow([flowSample(records)]));
  expect(losses).toEqual({});
  expect(rows[0]).toMatchObject({
    src_vlan: 10,
    next_hop: '2001:db8::99',
    src_mask: 24,
    dst_mask: 16,
    bgp_next_hop: '9.9.9.9',
    src_as: 65_000,
    src_peer_as: 64_511,
    as_path: [100, 200, 300],
    dst_as: 300,
    next_hop_as: 100,
    bgp_communities: [0x0001_0002],
    local_pref: 150,
    user_name: 'bob',
    mpls_label: [100, 200],
    nat_src_addr: '100.64.0.1',
    nat_dst_addr: '100.64.0.2',
    nat_src_port: 1111,
    nat_dst_port: 2222,
    tunnel_src_addr: '172.16.0.1',
    tunnel_dst_addr: '172.16.0.2',
    tunnel_proto: 47,
    l2_segment_id: 5001n,
    vlan_id: 100,
  });
  expect(rows[0]).not.toHaveProperty('dst_vlan');
  const emptyPath = tagged(1003, bytes(v4(9, 9, 9, 9), u32(65_000), u32(7), u32(0), u32(0), u32(0), u32(100)));
  expect(decode(sflow([flowSample([emptyPath, rawHeader(FRAME)])])).rows[0]).toMatchObject({
    src_as: 7,
    dst_as: 65_000,
    local_pref: 100,
  });
});

test("H03 a vendor's record or sample is passed over, never taken for a standard one", () => {
  const vendor = (4413 << 12) | 1;
  const { rows, losses } = decode(
    sflow([tagged(vendor, Array(40).fill(1)), flowSample([tagged(vendor, Array(22).fill(1)), rawHeader(FRAME)])]),
  );
  expect(losses).toEqual({});
  expect(rows).toMatchObject([{ src_port: 443 }]);
});

test('H02 a record longer than its sample is counted, what came before it is kept', () => {
  const long = tagged(1001, bytes(u32(1), u32(0), u32(2), u32(0)), 4000);
  expect(decode(sflow([flowSample([long])]))).toMatchObject({
    rows: [],
    losses: { record_malformed: 1, sample_malformed: 1 },
  });
  expect(decode(sflow([flowSample([rawHeader(FRAME), long])]))).toMatchObject({
    rows: [{ src_port: 443 }],
    losses: { record_malformed: 1 },
  });
});

test('H16 the number of samples may lie in either direction', () => {
  const sample = flowSample([rawHeader(FRAME)]);
  expect(decode(sflow([sample, sample], { count: 1 })).rows).toHaveLength(1);
  expect(decode(sflow([sample], { count: 0xffff_ffff }))).toMatchObject({ rows: [{}], losses: { bad_count: 1 } });
});

test('H17 the agent may be IPv6; an unknown kind of address is refused', () => {
  const agent = bytes(u32(2), '20010db80000000000000000000000aa');
  expect(decode(sflow([flowSample([rawHeader(FRAME)])], { agent })).rows[0]).toMatchObject({
    sampler_address: '2001:db8::aa',
    observation_domain_id: 3,
  });
  expect(decode(sflow([flowSample([rawHeader(FRAME)])], { agent: u32(0) }))).toMatchObject({
    rows: [],
    losses: { bad_address_type: 1 },
  });
});

test('H11 decapsulation is a choice', () => {
  const tunnel = ethernet(0x0800, ipv4(4, ipv4(6, tcp(1, 2, 2), { src: '0a000001' })));
  expect(decode(sflow([flowSample([rawHeader(tunnel)])])).rows[0]).toMatchObject({
    src_addr: '192.0.2.1',
    proto: 4,
    tunnel_src_addr: '10.0.0.1',
    bytes: 60n,
  });
  expect(decode(sflow([flowSample([rawHeader(tunnel)])]), true).rows[0]).toMatchObject({
    src_addr: '10.0.0.1',
    proto: 6,
    tunnel_proto: 4,
    bytes: 40n,
  });
});

withCaptures('X01 every prefix of every capture ends in counted reasons and never throws', () => {
  if (!manifest) return;
  for (const capture of captures) {
    for (const { payload } of readPcap(readCapture(manifest, capture.pcap))) {
      const whole = decode([...payload]).rows.length;
      for (let length = 0; length < payload.length; length += payload.length > 700 ? 3 : 1) {
        const { rows, losses } = decode([...payload.subarray(0, length)]);
        expect(rows.length).toBeLessThanOrEqual(whole);
        if (rows.length < whole) expect(Object.keys(losses).length).toBeGreaterThan(0);
      }
    }
  }
});

test("X01 mutated datagrams never throw, and a row never holds what was not in the datagram's length", () => {
  const seed = sflow([
    flowSample([rawHeader(FRAME), tagged(1003, bytes(u32(1), u32(1), Array(60).fill(1)))]),
    countersSample([tagged(1, Array(88).fill(1)), tagged(1005, bytes(u32(3), 97, 98, 99))]),
    discardedPacket([rawHeader(FRAME)], 1),
  ]);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(seed.length - 1), fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 127, 128, 255))), {
        minLength: 1,
        maxLength: 10,
      }),
      fc.nat(seed.length),
      (changes, cut) => {
        const changed = [...seed];
        for (const [at, value] of changes) changed[at] = value;
        decode(changed.slice(0, cut || changed.length), true);
      },
    ),
    { numRuns: 800, seed: 5 },
  );
});
