/**
 * Text forms of addresses. An address is sixteen bytes everywhere (IPv4 mapped into `::ffff:0:0/96`, all zero =
 * absent); in columns it is four 32-bit words, the bytes read as little-endian words.
 */

/** A network: `bytes` is its first address, `bits` its length counted in 128 bits (an IPv4 /24 is 120). */
export interface Prefix {
  readonly bytes: Uint8Array;
  readonly bits: number;
}

/** The words of an `addr` column for sixteen address bytes. */
export function addressWords(bytes: Uint8Array): Uint32Array {
  const words = new Uint32Array(4);
  for (let i = 0; i < 16; i++) {
    words[i >> 2] = ((words[i >> 2] as number) | ((bytes[i] ?? 0) << ((i & 3) * 8))) >>> 0;
  }
  return words;
}

/** The sixteen bytes of four words; `at` is the index of the first word. */
export function addressBytes(words: Uint32Array, at: number): Uint8Array {
  const bytes = new Uint8Array(16);
  for (let i = 0; i < 16; i++) bytes[i] = (words[at + (i >> 2)] ?? 0) >>> ((i & 3) * 8);
  return bytes;
}

/** True for an address of `::ffff:0:0/96`. */
export function isMappedIpv4(bytes: Uint8Array): boolean {
  for (let i = 0; i < 10; i++) if (bytes[i] !== 0) return false;
  return bytes[10] === 0xff && bytes[11] === 0xff;
}

/** Text of four words of an `addr` column (RFC 5952; IPv4-mapped as dotted IPv4; all zero is `::`). */
export function formatAddress(words: Uint32Array, at: number): string {
  return formatAddressBytes(addressBytes(words, at));
}

/** Text of sixteen bytes (RFC 5952; IPv4-mapped as dotted IPv4). */
export function formatAddressBytes(bytes: Uint8Array): string {
  return isMappedIpv4(bytes) ? `${bytes[12]}.${bytes[13]}.${bytes[14]}.${bytes[15]}` : formatIpv6(bytes);
}

function formatIpv6(bytes: Uint8Array): string {
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0));
  // RFC 5952 4.2: `::` stands for the longest run of at least two zero groups, the first one when there are several.
  let bestAt = -1;
  let bestLength = 1;
  for (let i = 0; i < 8;) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > bestLength) {
      bestAt = i;
      bestLength = end - i;
    }
    i = end + 1;
  }
  const hex = (from: number, to: number) =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(':');
  return bestAt < 0 ? hex(0, 8) : `${hex(0, bestAt)}::${hex(bestAt + bestLength, 8)}`;
}

/** Sixteen bytes of an address in text, or null. Takes dotted IPv4 and every IPv6 form of RFC 4291 2.2, no zone. */
export function parseAddress(text: string): Uint8Array | null {
  const bytes = new Uint8Array(16);
  if (!text.includes(':')) {
    if (!parseIpv4(text, bytes, 12)) return null;
    bytes[10] = 0xff;
    bytes[11] = 0xff;
    return bytes;
  }
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const head = parseGroups(halves[0] as string);
  const tail = halves.length === 2 ? parseGroups(halves[1] as string) : [];
  if (!head || !tail) return null;
  if (halves.length === 1 ? head.length !== 16 : head.length + tail.length > 14) return null;
  // A dotted quad may only stand at the very end.
  if (halves.length === 2 && (halves[0] as string).includes('.')) return null;
  bytes.set(head, 0);
  bytes.set(tail, 16 - tail.length);
  return bytes;
}

function parseIpv4(text: string, bytes: Uint8Array, at: number): boolean {
  const parts = text.split('.');
  if (parts.length !== 4) return false;
  for (let i = 0; i < 4; i++) {
    const part = parts[i] as string;
    // Leading zeros mean octal to some and decimal to others: refused.
    if (!/^(0|[1-9][0-9]{0,2})$/.test(part) || Number(part) > 255) return false;
    bytes[at + i] = Number(part);
  }
  return true;
}

function parseGroups(text: string): number[] | null {
  if (text === '') return [];
  const out: number[] = [];
  const groups = text.split(':');
  for (let i = 0; i < groups.length; i++) {
    const group = groups[i] as string;
    if (i === groups.length - 1 && group.includes('.')) {
      const quad = new Uint8Array(4);
      if (!parseIpv4(group, quad, 0)) return null;
      out.push(...quad);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return null;
      const value = Number.parseInt(group, 16);
      out.push(value >> 8, value & 0xff);
    }
  }
  return out.length > 16 ? null : out;
}

/**
 * A network in text (`10.0.0.0/8`, `2001:db8::/32`, or an address alone), or null. Bits behind the length are cleared:
 * `10.1.2.3/8` is `10.0.0.0/8`.
 */
export function parsePrefix(text: string): Prefix | null {
  const slash = text.indexOf('/');
  const bytes = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (!bytes) return null;
  if (slash < 0) return { bytes, bits: 128 };
  const digits = text.slice(slash + 1);
  const family = text.includes(':') ? 128 : 32;
  if (!/^(0|[1-9][0-9]{0,2})$/.test(digits) || Number(digits) > family) return null;
  return maskPrefix(bytes, 128 - family + Number(digits));
}

/** The network of `bits` (of 128) that holds an address. */
export function maskPrefix(bytes: Uint8Array, bits: number): Prefix {
  const masked = new Uint8Array(16);
  for (let i = 0; i < 16; i++) {
    const keep = Math.min(8, Math.max(0, bits - i * 8));
    masked[i] = (bytes[i] ?? 0) & (0xff00 >> keep) & 0xff;
  }
  return { bytes: masked, bits };
}

/** Last address of a network. */
export function lastAddress(prefix: Prefix): Uint8Array {
  const last = prefix.bytes.slice();
  for (let i = 0; i < 16; i++) {
    const keep = Math.min(8, Math.max(0, prefix.bits - i * 8));
    last[i] = (last[i] as number) | (0xff >> keep);
  }
  return last;
}

/** True when the address lies in the network. */
export function prefixContains(prefix: Prefix, bytes: Uint8Array): boolean {
  for (let i = 0; i < 16; i++) {
    const keep = Math.min(8, Math.max(0, prefix.bits - i * 8));
    const mask = (0xff00 >> keep) & 0xff;
    if (((bytes[i] ?? 0) & mask) !== ((prefix.bytes[i] ?? 0) & mask)) return false;
  }
  return true;
}

/** Text of a network; IPv4 networks with their length of 32 (`10.0.0.0/24`). */
export function formatPrefix(prefix: Prefix): string {
  if (prefix.bits >= 96 && isMappedIpv4(prefix.bytes)) return `${formatAddressBytes(prefix.bytes)}/${prefix.bits - 96}`;
  return `${formatIpv6(prefix.bytes)}/${prefix.bits}`;
}
