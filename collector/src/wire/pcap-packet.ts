import { addressWords, formatAddress } from '@ringflow/contract';
import type { Source } from './decoder.ts';

/** A UDP datagram found in a captured frame. */
export interface ExtractedDatagram {
  source: Source;
  destinationAddress: string;
  destinationPort: number;
  payload: Uint8Array;
  /** Payload bytes that the UDP header announces. */
  declaredLength: number;
  /** True when the payload is shorter than announced. */
  cut: boolean;
}

export interface DatagramExtractor {
  /** The UDP datagram in the frame; `'fragment'` = kept until its other parts come; null = something else. */
  datagram(linkType: number, frame: Uint8Array): ExtractedDatagram | 'fragment' | null;
  /** Fragments given up because too many datagrams were incomplete. */
  lostFragments(): number;
  /** Fragments that still wait for others. */
  waitingFragments(): number;
}

/** Incomplete datagrams kept at a time; each holds at most 64 KiB. */
const MAX_INCOMPLETE = 64;

interface Incomplete {
  parts: { from: number; bytes: Uint8Array }[];
  /** Length of the whole payload, known once the last fragment came. */
  total: number;
}

/** Link layer and IP down to UDP, with reassembly of fragments (a 1,480-byte IPFIX message often comes in two). */
export function createDatagramExtractor(): DatagramExtractor {
  const incomplete = new Map<string, Incomplete>();
  const sources = new Map<string, Source>();
  let lost = 0;

  function sourceOf(address: Uint8Array, port: number): Source {
    const words = addressWords(address);
    const text = formatAddress(words, 0);
    const key = `${text} ${port}`;
    let source = sources.get(key);
    if (!source) {
      source = { address: text, words, port };
      // A capture of a scan would fill the map; the objects are only shared to save work.
      if (sources.size >= 4096) sources.clear();
      sources.set(key, source);
    }
    return source;
  }

  function udp(from: Uint8Array, to: Uint8Array, bytes: Uint8Array): ExtractedDatagram | null {
    if (bytes.length < 8) return null;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    // 0 = jumbogram or left to the network card (checksum offload captures on loopback): take what is there.
    const length = view.getUint16(4) === 0 ? bytes.length : view.getUint16(4);
    if (length < 8) return null;
    return {
      source: sourceOf(from, view.getUint16(0)),
      destinationAddress: formatAddress(addressWords(to), 0),
      destinationPort: view.getUint16(2),
      payload: bytes.subarray(8, Math.min(length, bytes.length)),
      declaredLength: length - 8,
      cut: length > bytes.length,
    };
  }

  /** Adds one fragment; the whole payload when it was the last that was missing. */
  function reassemble(key: string, offset: number, more: boolean, bytes: Uint8Array): Uint8Array | null {
    let entry = incomplete.get(key);
    if (!entry) {
      if (incomplete.size >= MAX_INCOMPLETE) {
        const [oldest, gone] = incomplete.entries().next().value as [string, Incomplete];
        incomplete.delete(oldest);
        lost += gone.parts.length;
      }
      entry = { parts: [], total: -1 };
      incomplete.set(key, entry);
    }
    if (offset + bytes.length > 65_535 || entry.parts.length >= 64) {
      incomplete.delete(key);
      lost += entry.parts.length + 1;
      return null;
    }
    entry.parts.push({ from: offset, bytes: bytes.slice() });
    if (!more) entry.total = offset + bytes.length;
    if (entry.total < 0) return null;
    entry.parts.sort((a, b) => a.from - b.from);
    let reach = 0;
    for (const part of entry.parts) if (part.from <= reach) reach = Math.max(reach, part.from + part.bytes.length);
    if (reach < entry.total) return null;
    incomplete.delete(key);
    const whole = new Uint8Array(entry.total);
    for (const part of entry.parts) whole.set(part.bytes.subarray(0, Math.max(0, entry.total - part.from)), part.from);
    return whole;
  }

  function ipv4(frame: Uint8Array, at: number): ExtractedDatagram | 'fragment' | null {
    if (frame.length < at + 20) return null;
    const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
    const headerBytes = (view.getUint8(at) & 0x0f) * 4;
    if (headerBytes < 20 || view.getUint8(at + 9) !== 17) return null;
    // Total length 0 appears when the kernel leaves segmentation to the card.
    const total = view.getUint16(at + 2) === 0 ? frame.length - at : view.getUint16(at + 2);
    const end = Math.min(frame.length, at + total);
    if (end < at + headerBytes) return null;
    const from = mapped(frame, at + 12);
    const to = mapped(frame, at + 16);
    const body = frame.subarray(at + headerBytes, end);
    const flags = view.getUint16(at + 6);
    const offset = (flags & 0x1fff) * 8;
    const more = (flags & 0x2000) !== 0;
    if (offset === 0 && !more) return udp(from, to, body);
    if (at + total > frame.length) {
      lost++;
      return 'fragment';
    }
    const key = `${from.join()} ${to.join()} ${view.getUint16(at + 4)}`;
    const whole = reassemble(key, offset, more, body);
    return whole ? udp(from, to, whole) : 'fragment';
  }

  function ipv6(frame: Uint8Array, at: number): ExtractedDatagram | 'fragment' | null {
    if (frame.length < at + 40) return null;
    const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
    const length = view.getUint16(at + 4);
    const end = length === 0 ? frame.length : Math.min(frame.length, at + 40 + length);
    const from = frame.slice(at + 8, at + 24);
    const to = frame.slice(at + 24, at + 40);
    let next = view.getUint8(at + 6);
    let body = at + 40;
    for (let depth = 0; depth < 8 && next !== 17; depth++) {
      if (body + 8 > end) return null;
      const following = view.getUint8(body);
      if (next === 44) {
        const flags = view.getUint16(body + 2);
        const whole = reassemble(
          `${from.join()} ${to.join()} ${view.getUint32(body + 4)}`,
          flags & 0xfff8,
          (flags & 1) !== 0,
          frame.subarray(body + 8, end),
        );
        // Extension headers behind the fragment header are too rare to follow here.
        return whole && following === 17 ? udp(from, to, whole) : 'fragment';
      }
      if (next !== 0 && next !== 43 && next !== 60 && next !== 51 && next !== 135) return null;
      body += next === 51 ? (view.getUint8(body + 1) + 2) * 4 : (view.getUint8(body + 1) + 1) * 8;
      next = following;
    }
    return next === 17 && body <= end ? udp(from, to, frame.subarray(body, end)) : null;
  }

  function network(etherType: number, frame: Uint8Array, start: number): ExtractedDatagram | 'fragment' | null {
    let at = start;
    let type = etherType;
    for (let tags = 0; tags < 4 && VLAN_TYPES.has(type); tags++) {
      if (frame.length < at + 4) return null;
      type = word16(frame, at + 2);
      at += 4;
    }
    if (type === 0x0800) return ipv4(frame, at);
    if (type === 0x86dd) return ipv6(frame, at);
    return null;
  }

  function raw(frame: Uint8Array, at: number): ExtractedDatagram | 'fragment' | null {
    const version = (frame[at] ?? 0) >> 4;
    return version === 4 ? ipv4(frame, at) : version === 6 ? ipv6(frame, at) : null;
  }

  return {
    datagram(linkType, frame) {
      switch (linkType) {
        case 1: // Ethernet
          return frame.length < 14 ? null : network(word16(frame, 12), frame, 14);
        case 0: // BSD loopback: address family in the byte order of the capturing host
        case 108:
          return raw(frame, 4);
        case 9: // PPP, with or without the HDLC address and control bytes
          return frame[0] === 0xff ? raw(frame, 4) : raw(frame, 2);
        case 12: // raw IP, as numbered by different systems
        case 14:
        case 101:
        case 228:
        case 229:
          return raw(frame, 0);
        case 113: // Linux cooked
          return frame.length < 16 ? null : network(word16(frame, 14), frame, 16);
        case 276: // Linux cooked, version 2
          return frame.length < 20 ? null : network(word16(frame, 0), frame, 20);
        default:
          return null;
      }
    },
    lostFragments: () => lost,
    waitingFragments() {
      let waiting = 0;
      for (const entry of incomplete.values()) waiting += entry.parts.length;
      return waiting;
    },
  };
}

const VLAN_TYPES: ReadonlySet<number> = new Set([0x8100, 0x88a8, 0x9100, 0x9200]);

function word16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

/** An IPv4 address of the frame as sixteen bytes. */
function mapped(frame: Uint8Array, at: number): Uint8Array {
  const address = new Uint8Array(16);
  address[10] = 0xff;
  address[11] = 0xff;
  address.set(frame.subarray(at, at + 4), 12);
  return address;
}
