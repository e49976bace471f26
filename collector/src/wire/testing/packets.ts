/** Headers for tests, written from the RFCs byte by byte; shares nothing with the readers. */

export const bytes = (...parts: (number | readonly number[] | string)[]): number[] =>
  parts.flatMap((part) => (typeof part === 'number' ? [part] : typeof part === 'string' ? hex(part) : [...part]));

const hex = (text: string): number[] =>
  (text.replace(/[\s:]/g, '').match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16));
export const u16 = (value: number): number[] => [value >>> 8, value & 0xff];
export const u32 = (value: number): number[] => [
  value >>> 24,
  (value >>> 16) & 0xff,
  (value >>> 8) & 0xff,
  value & 0xff,
];

export const ethernet = (
  type: number,
  payload: readonly number[],
  dst = '020000000002',
  src = '020000000001',
): number[] => bytes(dst, src, u16(type), payload);

/** A tag's control information and the type that follows it. */
export const vlan = (id: number, type: number, payload: readonly number[], priority = 0): number[] =>
  bytes(u16((priority << 13) | id), u16(type), payload);

export const ipv4 = (
  proto: number,
  payload: readonly number[],
  options: {
    src?: string;
    dst?: string;
    tos?: number;
    id?: number;
    fragment?: number;
    ttl?: number;
    options?: readonly number[];
    totalBytes?: number;
  } = {},
): number[] => {
  const extra = options.options ?? [];
  const headerBytes = 20 + extra.length;
  return bytes(
    0x40 | (headerBytes / 4),
    options.tos ?? 0,
    u16(options.totalBytes ?? headerBytes + payload.length),
    u16(options.id ?? 7),
    u16(options.fragment ?? 0),
    options.ttl ?? 64,
    proto,
    u16(0),
    options.src ?? 'c0000201',
    options.dst ?? 'c6336402',
    extra,
    payload,
  );
};

export const ipv6 = (
  next: number,
  payload: readonly number[],
  options: { trafficClass?: number; label?: number; payloadBytes?: number } = {},
): number[] =>
  bytes(
    u32((0x60000000 | ((options.trafficClass ?? 0) << 20) | (options.label ?? 0)) >>> 0),
    u16(options.payloadBytes ?? payload.length),
    next,
    63,
    '20010db8000000000000000000000001',
    '20010db8000000000000000000000002',
    payload,
  );

export const tcp = (src: number, dst: number, flags: number): number[] =>
  bytes(u16(src), u16(dst), u32(1), u32(2), u16(0x5000 | flags), u16(1000), u32(0));
export const udp = (src: number, dst: number, payload: readonly number[] = []): number[] =>
  bytes(u16(src), u16(dst), u16(8 + payload.length), u16(0), payload);
export const icmp = (type: number, code: number): number[] => bytes(type, code, u16(0), u32(0));

/** A pcap of raw IPv4/UDP datagrams (link type 101). */
export function pcapOf(
  payloads: readonly { payload: Uint8Array; port?: number; host?: number; atMs?: number }[],
): Uint8Array {
  const out = bytes('d4c3b2a1 02000400 00000000 00000000 ffff0000 65000000');
  const le32 = (value: number) => u32(value).reverse();
  for (const { payload, port = 2055, host = 1, atMs = 1_700_000_000_000 } of payloads) {
    const packet = ipv4(17, udp(40_000, port, [...payload]), { src: `0a0000${host.toString(16).padStart(2, '0')}` });
    out.push(
      ...le32(Math.floor(atMs / 1000)),
      ...le32((atMs % 1000) * 1000),
      ...le32(packet.length),
      ...le32(packet.length),
      ...packet,
    );
  }
  return new Uint8Array(out);
}
