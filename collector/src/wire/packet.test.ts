import { COLUMNS } from '@ringflow/contract';
import fc from 'fast-check';
import { COLUMN_INDEX, createBatch, resetBatch, useColumn } from './batch.ts';
import { bindPacketColumns, createPacketColumns, layer3Bytes, writePacket } from './packet-columns.ts';
import { HEADER_PROTOCOL, createPacket, readPacket } from './packet.ts';
import { readRow, type Row } from './testing/captures.ts';
import { bytes, ethernet, icmp, ipv4, ipv6, tcp, u16, u32, udp, vlan } from './testing/packets.ts';

/** One for all tests: its arrays are large. */
const batch = createBatch({ rowLimit: 1, columns: COLUMNS.filter((column) => column.name !== 'ip_version') });

function rowOf(header: readonly number[], protocol: number = HEADER_PROTOCOL.ethernet, decapsulate = false): Row {
  resetBatch(batch);
  const columns = createPacketColumns();
  const packet = createPacket();
  bindPacketColumns(columns, batch);
  // The header lies somewhere in a larger buffer: offsets must not be taken from its start.
  const view = new DataView(new Uint8Array([0xee, 0xee, 0xee, ...header, 0xee, 0xee]).buffer);
  readPacket(view, 3, 3 + header.length, protocol, packet);
  writePacket(columns, 0, view, packet, decapsulate);
  useColumn(batch, COLUMN_INDEX.bytes)[0] = layer3Bytes(packet, decapsulate, header.length, 0);
  batch.rows = 1;
  const row = readRow(batch, 0);
  return { ...row, ...(packet.truncated ? { quality: 64 } : {}) };
}

const MACS = { src_mac: '02:00:00:00:00:01', dst_mac: '02:00:00:00:00:02' };
const V4 = { etype: 0x0800, src_addr: '192.0.2.1', dst_addr: '198.51.100.2', ip_ttl: 64, fragment_id: 7 };
const V6 = { etype: 0x86dd, src_addr: '2001:db8::1', dst_addr: '2001:db8::2', ip_ttl: 63 };

test('Ethernet, IPv4, TCP', () => {
  expect(rowOf(ethernet(0x0800, ipv4(6, tcp(443, 50_000, 0x112), { tos: 0xb8 })))).toEqual({
    ...MACS,
    ...V4,
    proto: 6,
    ip_tos: 0xb8,
    src_port: 443,
    dst_port: 50_000,
    tcp_flags: 0x112,
    bytes: 40n,
  });
});

test('H07 up to four VLAN tags, priority masked', () => {
  const inner = ipv4(17, udp(53, 53));
  expect(rowOf(ethernet(0x8100, vlan(32, 0x0800, inner, 5)))).toMatchObject({
    vlan_id: 32,
    dot1q_vlan_id: 32,
    proto: 17,
    bytes: 28n,
  });
  const four = vlan(1, 0x88a8, vlan(2, 0x8100, vlan(3, 0x9100, vlan(4, 0x0800, inner))));
  expect(rowOf(ethernet(0x88a8, four))).toMatchObject({ vlan_id: 1, dot1q_customer_vlan_id: 2, proto: 17 });
  expect(
    rowOf(ethernet(0x8100, vlan(1, 0x8100, vlan(2, 0x8100, vlan(3, 0x8100, vlan(4, 0x8100, vlan(5, 0x0800, inner))))))),
  ).not.toHaveProperty('proto');
});

test('H08 MPLS labels to the bottom bit, then IP', () => {
  const stack = bytes(u32((100 << 12) | 64), u32((200 << 12) | 0x100 | 64));
  expect(rowOf(ethernet(0x8847, bytes(stack, ipv4(6, tcp(1, 2, 2)))))).toMatchObject({
    ...V4,
    ...MACS,
    mpls_label: [100, 200],
    proto: 6,
    bytes: 40n,
  });
  expect(rowOf(bytes(stack, ipv6(17, udp(1, 2))), HEADER_PROTOCOL.mpls)).toMatchObject({
    ...V6,
    mpls_label: [100, 200],
    proto: 17,
  });
});

test('H08 Ethernet over MPLS with a control word (RFC 4385)', () => {
  const inner = ethernet(0x8100, vlan(77, 0x0800, ipv4(17, udp(5, 6))), 'aaaaaaaaaaaa', 'bbbbbbbbbbbb');
  const row = rowOf(ethernet(0x8847, bytes(u32((16 << 12) | 0x100), u32(0), inner)));
  expect(row).toMatchObject({ ...MACS, ...V4, mpls_label: [16], vlan_id: 77, src_port: 5, dst_port: 6 });
  expect(rowOf(ethernet(0x8847, bytes(u32((16 << 12) | 0x100), u32(0x10000000))))).toEqual({
    ...MACS,
    etype: 0x8847,
    mpls_label: [16],
    bytes: 4n,
  });
});

test('H08 a stack without a bottom bit ends', () => {
  expect(rowOf(Array.from({ length: 64 }, () => u32(5 << 12)).flat(), HEADER_PROTOCOL.mpls)).toMatchObject({
    quality: 64,
    mpls_label: Array(10).fill(5),
  });
});

test('H09 IPv6 extension headers, and ports only in the first fragment', () => {
  const options = (next: number, payload: readonly number[]) => bytes(next, 0, Array(6).fill(0), payload);
  const label = { trafficClass: 0x28, label: 0xabcde };
  expect(rowOf(ipv6(0, options(43, options(60, options(6, tcp(7, 8, 16)))), label), HEADER_PROTOCOL.ipv6)).toEqual({
    ...V6,
    proto: 6,
    ip_tos: 0x28,
    ipv6_flow_label: 0xabcde,
    src_port: 7,
    dst_port: 8,
    tcp_flags: 16,
    bytes: 84n,
  });
  const fragment = (offset: number, payload: readonly number[]) =>
    bytes(17, 0, u16((offset << 3) | 1), u32(0xdeadbeef), payload);
  expect(rowOf(ipv6(44, fragment(0, udp(1, 2))), HEADER_PROTOCOL.ipv6)).toMatchObject({
    proto: 17,
    src_port: 1,
    fragment_id: 0xdeadbeef,
  });
  const later = rowOf(ipv6(44, fragment(185, udp(1, 2))), HEADER_PROTOCOL.ipv6);
  expect(later).toMatchObject({ proto: 17, fragment_offset: 185, fragment_id: 0xdeadbeef });
  expect(later).not.toHaveProperty('src_port');
  let chain = tcp(1, 2, 2);
  let next = 6;
  for (let i = 0; i < 9; i++) {
    chain = options(next, chain);
    next = 60;
  }
  expect(rowOf(ipv6(60, chain), HEADER_PROTOCOL.ipv6)).toMatchObject({ proto: 60, quality: 64 });
});

test('H10 IPv4 options are stepped over, later fragments have no ports', () => {
  expect(rowOf(ipv4(6, tcp(1, 2, 2), { options: Array(40).fill(1) }), HEADER_PROTOCOL.ipv4)).toMatchObject({
    src_port: 1,
    dst_port: 2,
    bytes: 80n,
  });
  const row = rowOf(ipv4(17, udp(1, 2), { fragment: 0x2000 | 185 }), HEADER_PROTOCOL.ipv4);
  expect(row).toMatchObject({ proto: 17, fragment_offset: 185, ip_flags: 1 });
  expect(row).not.toHaveProperty('src_port');
  // A frame of 60 bytes is padded: the padding is no header.
  expect(rowOf(bytes(ipv4(6, [], { totalBytes: 20 }), Array(26).fill(9)), HEADER_PROTOCOL.ipv4)).toMatchObject({
    proto: 6,
    quality: 64,
  });
});

test('ICMP has type and code, no ports', () => {
  expect(rowOf(ipv4(1, icmp(3, 13)), HEADER_PROTOCOL.ipv4)).toEqual({
    ...V4,
    proto: 1,
    icmp_type: 3,
    icmp_code: 13,
    bytes: 28n,
  });
  expect(rowOf(ipv6(58, icmp(135, 0)), HEADER_PROTOCOL.ipv6)).toMatchObject({ proto: 58, icmp_type: 135 });
});

test('PPP and PPPoE', () => {
  expect(rowOf(bytes(0xff, 0x03, u16(0x0021), ipv4(17, udp(1, 2))), HEADER_PROTOCOL.ppp)).toMatchObject({
    ...V4,
    proto: 17,
    bytes: 28n,
  });
  expect(rowOf(bytes(0x21, ipv4(17, udp(1, 2))), HEADER_PROTOCOL.ppp)).toMatchObject({ ...V4, proto: 17 });
  const pppoe = bytes(0x11, 0, u16(1), u16(30), u16(0x0057), ipv6(6, tcp(1, 2, 2)));
  expect(rowOf(ethernet(0x8864, pppoe))).toMatchObject({ ...V6, ...MACS, proto: 6, bytes: 60n });
});

test('a frame that holds no IP keeps its type and addresses', () => {
  expect(rowOf(ethernet(0x0806, Array(28).fill(0)))).toEqual({ ...MACS, etype: 0x0806, bytes: 28n });
  expect(rowOf(ethernet(0x0026, bytes(0x42, 0x42, 3, Array(35).fill(0))))).toEqual({ ...MACS, bytes: 38n });
  expect(rowOf(ethernet(0x0030, bytes('aaaa03000000', u16(0x0800), ipv4(17, udp(1, 2)))))).toMatchObject({
    ...V4,
    proto: 17,
    bytes: 28n,
  });
});

const INNER = { src: '0a000001', dst: '0a000002' };
const gre = (type: number, payload: readonly number[], flags = 0x3000) =>
  bytes(u16(flags), u16(type), u32(9), u32(1), payload);
const vxlan = (payload: readonly number[]) => udp(55_555, 4789, bytes(8, 0, 0, 0, u32(5001 << 8), payload));
const geneve = (payload: readonly number[]) =>
  udp(55_555, 6081, bytes(1, 0, u16(0x6558), u32(42 << 8), u32(0), payload));
const innerPacket = ipv4(6, tcp(100, 200, 2), INNER);
test.each([
  ['GRE with key and sequence', ipv4(47, gre(0x0800, innerPacket)), 47, {}],
  ['IP in IP', ipv4(4, innerPacket), 4, {}],
  [
    'VXLAN',
    ipv4(17, vxlan(ethernet(0x0800, innerPacket, '0c0000000002', '0c0000000001'))),
    17,
    { l2_segment_id: (1n << 56n) | 5001n },
  ],
  ['Geneve', ipv4(17, geneve(ethernet(0x0800, innerPacket))), 17, { l2_segment_id: 42n }],
])('H11 %s: outer by default, inner on request', (_name, packet, proto, more) => {
  expect(rowOf(packet, HEADER_PROTOCOL.ipv4)).toMatchObject({
    ...V4,
    ...more,
    proto,
    bytes: BigInt(packet.length),
    tunnel_src_addr: '10.0.0.1',
    tunnel_dst_addr: '10.0.0.2',
    tunnel_proto: 6,
  });
  expect(rowOf(packet, HEADER_PROTOCOL.ipv4, true)).toMatchObject({
    ...more,
    src_addr: '10.0.0.1',
    dst_addr: '10.0.0.2',
    proto: 6,
    src_port: 100,
    dst_port: 200,
    bytes: 40n,
    tunnel_src_addr: '192.0.2.1',
    tunnel_dst_addr: '198.51.100.2',
    tunnel_proto: proto,
  });
});

test('H11 6in4, and no more than two tunnels deep', () => {
  expect(rowOf(ipv4(41, ipv6(17, udp(1, 2))), HEADER_PROTOCOL.ipv4, true)).toMatchObject({
    ...V6,
    proto: 17,
    tunnel_proto: 41,
  });
  let packet = tcp(1, 2, 2);
  let proto = 6;
  for (let depth = 0; depth < 50; depth++) {
    packet = ipv4(proto, packet, { src: `0a0000${(50 - depth).toString(16).padStart(2, '0')}` });
    proto = 4;
  }
  expect(rowOf(packet, HEADER_PROTOCOL.ipv4, true)).toMatchObject({
    src_addr: '10.0.0.3',
    proto: 4,
    tunnel_src_addr: '10.0.0.1',
  });
});

test('H06 every prefix reads as far as it goes', () => {
  const frame = ethernet(0x8100, vlan(32, 0x0800, ipv4(6, tcp(443, 50_000, 0x12))));
  const whole = rowOf(frame);
  for (let length = 0; length < frame.length; length++) {
    const row = rowOf(frame.slice(0, length));
    for (const [name, value] of Object.entries(row)) {
      if (name === 'quality') expect(value).toBe(64);
      else if (name !== 'bytes' && !(name === 'etype' && length < 18))
        expect([length, name, value]).toEqual([length, name, whole[name as keyof Row]]);
    }
    // The ports are there once their four bytes are; the flags need ten more.
    expect('src_port' in row).toBe(length >= 18 + 20 + 4);
    if (length < 18 + 20 + 14) expect(row.quality).toBe(64);
  }
});

test('X01 random bytes never throw and stay inside', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 160 }),
      fc.constantFrom(1, 7, 11, 12, 13, 14, 99),
      fc.boolean(),
      (random, protocol, decapsulate) => {
        rowOf([...random], protocol, decapsulate);
      },
    ),
    { numRuns: 300, seed: 7 },
  );
});

test('X01 mutated packets never throw and stay inside', () => {
  const seeds = [
    ethernet(0x0800, ipv4(17, vxlan(ethernet(0x0800, innerPacket)))),
    ethernet(0x86dd, ipv6(0, bytes(44, 0, Array(6).fill(0), 17, 0, u16(0), u32(1), udp(1, 2)))),
    ethernet(0x8847, bytes(u32(0x100), u32(0), ethernet(0x0800, ipv4(47, gre(0x6558, ethernet(0x0800, innerPacket)))))),
  ];
  fc.assert(
    fc.property(
      fc.constantFrom(...seeds),
      fc.array(fc.tuple(fc.nat(120), fc.nat(255)), { maxLength: 6 }),
      fc.nat(120),
      (seed, changes, cut) => {
        const changed = [...seed];
        for (const [at, value] of changes) if (at < changed.length) changed[at] = value;
        rowOf(changed.slice(0, cut), HEADER_PROTOCOL.ethernet, true);
      },
    ),
    { numRuns: 500, seed: 11 },
  );
});
