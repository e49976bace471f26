import fc from 'fast-check';
import { createPcapReader, readPcap, type PcapDatagram } from './pcap.ts';
import { capturesDirectory, loadManifest, readCapture } from './testing/captures.ts';
import { bytes, ethernet, ipv4, ipv6, pcapOf, u16, u32, udp, vlan } from './testing/packets.ts';

const manifest = loadManifest();
const withCaptures = manifest ? test : test.skip;

function summary(datagrams: Iterable<PcapDatagram>): string[] {
  return Array.from(
    datagrams,
    (d) =>
      `${d.arrivalMs} ${d.source.address}:${d.source.port} ${d.destinationPort} ${Buffer.from(d.payload).toString('base64')}`,
  );
}

withCaptures('the interleaved capture holds the datagrams the manifest counts', () => {
  if (!manifest) return;
  const stats = {};
  const found = summary(readPcap(readCapture(manifest, manifest.interleaved.pcap), stats));
  expect(found).toHaveLength(177);
  expect(stats).toMatchObject({
    format: 'pcap',
    packets: 177,
    datagrams: 177,
    otherPackets: 0,
    lostFragments: 0,
    problem: null,
  });
  expect(capturesDirectory()).toBe(manifest.directory);
});

withCaptures('any cut into chunks gives the same datagrams', () => {
  if (!manifest) return;
  const file = readCapture(manifest, manifest.interleaved.pcap);
  const whole = summary(readPcap(file));
  for (const size of [1000, 4099, 65_536]) {
    const reader = createPcapReader();
    const found: string[] = [];
    for (let at = 0; at < file.length; at += size) found.push(...summary(reader.push(file.subarray(at, at + size))));
    expect(reader.finish().problem).toBeNull();
    expect(found).toEqual(whole);
  }
});

const DATAGRAMS = [
  { payload: new Uint8Array([1, 2, 3]), port: 2055, atMs: 1_700_000_000_123 },
  { payload: new Uint8Array(300).fill(7), port: 6343, host: 2, atMs: 1_700_000_001_456 },
];

/** A pcapng of the same packets: section, interface with nanoseconds, enhanced packets, an unknown block between. */
function pcapngOf(littleEndian: boolean): Uint8Array {
  const word = (value: number) => (littleEndian ? u32(value).reverse() : u32(value));
  const half = (value: number) => (littleEndian ? u16(value).reverse() : u16(value));
  const block = (type: number, body: readonly number[]) => {
    const padded = bytes(body, Array((4 - (body.length % 4)) % 4).fill(0));
    return bytes(word(type), word(padded.length + 12), padded, word(padded.length + 12));
  };
  const pcap = pcapOf(DATAGRAMS);
  const packets: Uint8Array[] = [];
  for (let at = 24; at < pcap.length;) {
    const length = new DataView(pcap.buffer).getUint32(at + 8, true);
    packets.push(pcap.subarray(at + 16, at + 16 + length));
    at += 16 + length;
  }
  const enhanced = packets.map((packet, index) => {
    const ns = BigInt(DATAGRAMS[index]?.atMs ?? 0) * 1_000_000n + 17n;
    return block(
      6,
      bytes(
        word(0),
        word(Number(ns >> 32n)),
        word(Number(ns & 0xffff_ffffn)),
        word(packet.length),
        word(packet.length),
        [...packet],
      ),
    );
  });
  return new Uint8Array(
    bytes(
      block(0x0a0d0d0a, bytes(word(0x1a2b3c4d), half(1), half(0), word(0xffffffff), word(0xffffffff))),
      block(1, bytes(half(101), half(0), word(0), half(9), half(1), [9, 0, 0, 0], half(0), half(0))),
      enhanced[0] as number[],
      block(0x0bad, [1, 2, 3, 4, 5]),
      enhanced[1] as number[],
    ),
  );
}

test.each([true, false])('pcapng, little endian: %s', (littleEndian) => {
  const stats = {};
  const found = [...readPcap(pcapngOf(littleEndian), stats)];
  expect(
    found.map((d) => [d.arrivalMs, d.arrivalNs, d.source.address, d.source.port, d.destinationPort, d.payload.length]),
  ).toEqual([
    [1_700_000_000_123, 17, '10.0.0.1', 40_000, 2055, 3],
    [1_700_000_001_456, 17, '10.0.0.2', 40_000, 6343, 300],
  ]);
  expect(stats).toMatchObject({ format: 'pcapng', packets: 2, datagrams: 2, problem: null });
});

test('X01 a capture cut anywhere gives what is whole and never throws', () => {
  for (const file of [pcapOf(DATAGRAMS), pcapngOf(true), pcapngOf(false)]) {
    const whole = summary(readPcap(file));
    for (let length = 0; length < file.length; length++) {
      const reader = createPcapReader();
      const found = [...summary(reader.push(file.subarray(0, length)))];
      const { problem } = reader.finish();
      expect(whole.slice(0, found.length)).toEqual(found);
      if (problem === null) continue;
      expect(problem).toBe(length < (file[0] === 0x0a ? 4 : 24) ? 'not_a_capture' : 'cut_off');
    }
  }
});

test('a byte at a time', () => {
  for (const file of [pcapOf(DATAGRAMS), pcapngOf(true)]) {
    const reader = createPcapReader();
    const found: string[] = [];
    for (const byte of file) found.push(...summary(reader.push(new Uint8Array([byte]))));
    expect(reader.finish().problem).toBeNull();
    expect(found).toEqual(summary(readPcap(file)));
  }
});

test('X01 damaged captures never throw', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(pcapOf(DATAGRAMS), pcapngOf(true), pcapngOf(false)),
      fc.array(fc.tuple(fc.nat(700), fc.nat(255)), { minLength: 1, maxLength: 8 }),
      (file, changes) => {
        const changed = file.slice();
        for (const [at, value] of changes) if (at < changed.length) changed[at] = value;
        for (const datagram of readPcap(changed)) expect(datagram.payload.length).toBeLessThan(changed.length);
      },
    ),
    { numRuns: 500, seed: 3 },
  );
});

test('other files are no captures', () => {
  for (const file of [new Uint8Array(0), new TextEncoder().encode('not a capture, just text'), new Uint8Array(100)]) {
    const stats = { problem: null };
    expect([...readPcap(file, stats)]).toEqual([]);
    expect(stats.problem).toBe('not_a_capture');
  }
});

/** A pcap of one link type around the given frames. */
function frames(linkType: number, ...list: number[][]): Uint8Array {
  return new Uint8Array(
    bytes(
      'a1b23c4d 00020004 00000000 00000000 00040000',
      u32(linkType),
      ...list.flatMap((frame) => [u32(1), u32(5), u32(frame.length), u32(frame.length), frame]),
    ),
  );
}

test.each([
  ['Ethernet with two tags', 1, (ip: number[]) => ethernet(0x88a8, vlan(1, 0x8100, vlan(2, 0x0800, ip)))],
  ['BSD loopback', 0, (ip: number[]) => bytes(2, 0, 0, 0, ip)],
  ['raw IP', 101, (ip: number[]) => ip],
  ['Linux cooked', 113, (ip: number[]) => bytes(Array(14).fill(0), u16(0x0800), ip)],
  ['Linux cooked, version 2', 276, (ip: number[]) => bytes(u16(0x0800), Array(18).fill(0), ip)],
])('link type %s', (_name, linkType, wrap) => {
  const [found] = [...readPcap(frames(linkType, wrap(ipv4(17, udp(1, 2055, [9, 8, 7])))))];
  expect(found).toMatchObject({
    arrivalMs: 1000,
    arrivalNs: 5,
    destinationPort: 2055,
    destinationAddress: '198.51.100.2',
    source: { address: '192.0.2.1', port: 1 },
  });
  expect([...(found?.payload ?? [])]).toEqual([9, 8, 7]);
});

test('IPv6 behind extension headers, and padding of short frames is left out', () => {
  const hop = bytes(17, 0, Array(6).fill(0), udp(1, 4739, [1]));
  const [found] = [...readPcap(frames(1, bytes(ethernet(0x86dd, ipv6(0, hop)), Array(20).fill(0xee))))];
  expect(found?.source.address).toBe('2001:db8::1');
  expect([...(found?.payload ?? [])]).toEqual([1]);
});

test('IP fragments are put together in any order, lost ones are counted', () => {
  const datagram = udp(
    1,
    4739,
    Array.from({ length: 40 }, (_, i) => i),
  );
  const first = ipv4(17, datagram.slice(0, 24), { fragment: 0x2000 });
  const second = ipv4(17, datagram.slice(24), { fragment: 3 });
  const alone = ipv4(17, datagram.slice(24), { fragment: 3, id: 99 });
  for (const order of [
    [first, second, alone],
    [second, first, alone],
  ]) {
    const stats = {};
    const found = [...readPcap(frames(101, ...order), stats)];
    expect(found.map((d) => d.payload.length)).toEqual([40]);
    expect([...(found[0]?.payload ?? [])].slice(20, 24)).toEqual([20, 21, 22, 23]);
    expect(stats).toMatchObject({ datagrams: 1, lostFragments: 1, otherPackets: 0 });
  }
});
