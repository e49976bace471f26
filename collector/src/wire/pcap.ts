/**
 * Packet captures: pcap (microseconds, nanoseconds, either byte order, Kuznetzov's variant) and pcapng, in chunks of
 * any size. Bytes in, UDP datagrams out; nothing in a file makes it throw.
 *
 * Sources: https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcap/ and draft-ietf-opsawg-pcapng, section 4.
 */
import type { Source } from './decoder.ts';
import { createDatagramExtractor } from './pcap-packet.ts';

/** One UDP payload of a capture. */
export interface PcapDatagram {
  /** Milliseconds since the epoch, rounded down. */
  readonly arrivalMs: number;
  /** Nanoseconds past `arrivalMs`, 0 to 999,999. */
  readonly arrivalNs: number;
  readonly source: Source;
  /** Text form of the destination. */
  readonly destinationAddress: string;
  readonly destinationPort: number;
  /** Only valid until the next call of `push`. */
  readonly payload: Uint8Array;
}

/** What a capture held, for the summary of `ringflow decode`. */
export interface PcapStats {
  format: 'pcap' | 'pcapng' | null;
  /** Frames in the file. */
  packets: number;
  /** UDP payloads given out. */
  datagrams: number;
  /** Frames that hold no UDP (ARP, TCP, an unknown link type). */
  otherPackets: number;
  /** Datagrams whose end the capture did not keep (snap length); given out as far as they go. */
  cutDatagrams: number;
  /** IP fragments that waited for others in vain. */
  lostFragments: number;
  /** Why reading stopped early: `not_a_capture`, `bad_block`, `cut_off`; null = read to the end. */
  problem: PcapProblem | null;
}

/** `not_a_capture` = unknown magic number, `bad_block` = a length that cannot be, `cut_off` = the file ends in mid-packet. */
export type PcapProblem = 'not_a_capture' | 'bad_block' | 'cut_off';

export interface PcapReader {
  /** Takes the next bytes of the file, in order, and gives out the datagrams that are complete now. */
  push(chunk: Uint8Array): Generator<PcapDatagram, void, undefined>;
  /** Says that the file has ended; returns the final statistics. */
  finish(): PcapStats;
  readonly stats: PcapStats;
}

/** Longest record believed: a jumbo frame or 64 KiB of loopback with plenty of room; beyond it the file is damaged. */
const MAX_BLOCK_BYTES = 1 << 24;

interface Interface {
  linkType: number;
  snapLength: number;
  /** Ticks of the time stamp in a second. */
  ticksPerSecond: bigint;
  offsetSeconds: bigint;
}

interface Section {
  kind: 'pcap' | 'pcapng';
  littleEndian: boolean;
  /** pcap: bytes of a record header (24 in Kuznetzov's variant). */
  recordHeaderBytes: number;
  interfaces: Interface[];
}

/** Reader over consecutive chunks of one capture file. */
export function createPcapReader(): PcapReader {
  const extract = createDatagramExtractor();
  const stats: PcapStats = {
    format: null,
    packets: 0,
    datagrams: 0,
    otherPackets: 0,
    cutDatagrams: 0,
    lostFragments: 0,
    problem: null,
  };
  let pending = new Uint8Array(0);
  let section: Section | null = null;
  /** A big pcapng block that is not a packet is passed over without collecting it. */
  let skipBytes = 0;

  function packet(
    iface: Interface,
    arrivalMs: number,
    arrivalNs: number,
    frame: Uint8Array,
    fullLength: number,
  ): PcapDatagram | null {
    stats.packets++;
    const found = extract.datagram(iface.linkType, frame);
    stats.lostFragments = extract.lostFragments();
    if (found === 'fragment') return null;
    if (!found) {
      stats.otherPackets++;
      return null;
    }
    if (found.cut || (frame.length < fullLength && found.payload.length < found.declaredLength)) stats.cutDatagrams++;
    stats.datagrams++;
    return {
      arrivalMs,
      arrivalNs,
      source: found.source,
      destinationAddress: found.destinationAddress,
      destinationPort: found.destinationPort,
      payload: found.payload,
    };
  }

  function* push(chunk: Uint8Array): Generator<PcapDatagram, void, undefined> {
    if (stats.problem !== null) return;
    if (skipBytes >= chunk.length) {
      skipBytes -= chunk.length;
      return;
    }
    const fresh = skipBytes > 0 ? chunk.subarray(skipBytes) : chunk;
    skipBytes = 0;
    let bytes = fresh;
    if (pending.length > 0) {
      bytes = new Uint8Array(pending.length + fresh.length);
      bytes.set(pending);
      bytes.set(fresh, pending.length);
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    if (!section) {
      if (bytes.length < 4) {
        pending = bytes.slice();
        return;
      }
      section = startSection(view);
      if (!section) {
        stats.problem = 'not_a_capture';
        return;
      }
      stats.format = section.kind;
      if (section.kind === 'pcap') {
        if (bytes.length < 24) {
          section = null;
          pending = bytes.slice();
          return;
        }
        section.interfaces.push(pcapInterface(view, section.littleEndian));
        at = 24;
      }
    }

    while (stats.problem === null) {
      const left = bytes.length - at;
      if (section.kind === 'pcap') {
        if (left < section.recordHeaderBytes) break;
        const le = section.littleEndian;
        const kept = view.getUint32(at + 8, le);
        if (kept > MAX_BLOCK_BYTES) {
          stats.problem = 'bad_block';
          break;
        }
        if (left < section.recordHeaderBytes + kept) break;
        const iface = section.interfaces[0] as Interface;
        const seconds = view.getUint32(at, le);
        const fraction = view.getUint32(at + 4, le);
        const nanos = iface.ticksPerSecond === 1_000_000n ? fraction * 1000 : fraction;
        const from = at + section.recordHeaderBytes;
        const found = packet(
          iface,
          seconds * 1000 + Math.floor(nanos / 1e6),
          nanos % 1_000_000,
          bytes.subarray(from, from + kept),
          view.getUint32(at + 12, le),
        );
        at = from + kept;
        if (found) yield found;
        continue;
      }

      if (left < 12) break;
      const type = view.getUint32(at, section.littleEndian);
      if (type === SECTION_HEADER) {
        const order = byteOrder(view, at + 8);
        if (order === null) {
          stats.problem = 'bad_block';
          break;
        }
        section = { ...section, littleEndian: order, interfaces: [] };
      }
      const le = section.littleEndian;
      const length = view.getUint32(at + 4, le);
      if (length < 12 || length % 4 !== 0) {
        stats.problem = 'bad_block';
        break;
      }
      const isPacket = type === ENHANCED_PACKET || type === SIMPLE_PACKET || type === OBSOLETE_PACKET;
      if (length > MAX_BLOCK_BYTES) {
        if (isPacket || type === INTERFACE) {
          stats.problem = 'bad_block';
          break;
        }
        skipBytes = Math.max(0, length - left);
        at += Math.min(length, left);
        continue;
      }
      if (left < length) break;
      if (type === INTERFACE && length >= 20) section.interfaces.push(pcapngInterface(view, at, length, le));
      else if (isPacket) {
        const found = pcapngPacket(section, type, view, bytes, at, length);
        at += length;
        if (found) {
          const datagram = packet(found.iface, found.arrivalMs, found.arrivalNs, found.frame, found.fullLength);
          if (datagram) yield datagram;
        } else stats.otherPackets++;
        continue;
      }
      at += length;
    }
    pending = stats.problem === null ? bytes.slice(at) : new Uint8Array(0);
  }

  return {
    push,
    finish() {
      if (stats.problem === null && section === null) stats.problem = 'not_a_capture';
      if (stats.problem === null && (pending.length > 0 || skipBytes > 0)) stats.problem = 'cut_off';
      stats.lostFragments = extract.lostFragments() + extract.waitingFragments();
      return stats;
    },
    stats,
  };
}

/** All datagrams of a capture that is in memory; `stats`, when given, receives what the file held. */
export function* readPcap(file: Uint8Array, stats?: Partial<PcapStats>): Generator<PcapDatagram, void, undefined> {
  const reader = createPcapReader();
  yield* reader.push(file);
  Object.assign(stats ?? {}, reader.finish());
}

const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE = 1;
const OBSOLETE_PACKET = 2;
const SIMPLE_PACKET = 3;
const ENHANCED_PACKET = 6;

/** Byte-order magic of a pcapng section (draft-ietf-opsawg-pcapng 4.1): true = little endian. */
function byteOrder(view: DataView, at: number): boolean | null {
  const magic = view.getUint32(at);
  if (magic === 0x1a2b3c4d) return false;
  if (magic === 0x4d3c2b1a) return true;
  return null;
}

function startSection(view: DataView): Section | null {
  const magic = view.getUint32(0);
  const pcap = (littleEndian: boolean, recordHeaderBytes: number): Section => ({
    kind: 'pcap',
    littleEndian,
    recordHeaderBytes,
    interfaces: [],
  });
  switch (magic) {
    case 0xa1b2c3d4:
    case 0xa1b23c4d:
      return pcap(false, 16);
    case 0xd4c3b2a1:
    case 0x4d3cb2a1:
      return pcap(true, 16);
    case 0xa1b2cd34:
      return pcap(false, 24);
    case 0x34cdb2a1:
      return pcap(true, 24);
    case SECTION_HEADER:
      return { kind: 'pcapng', littleEndian: true, recordHeaderBytes: 0, interfaces: [] };
    default:
      return null;
  }
}

function pcapInterface(view: DataView, littleEndian: boolean): Interface {
  const nanoseconds = view.getUint32(0, littleEndian) === 0xa1b23c4d;
  return {
    // The upper bits say whether frames end in an FCS; the protocols below carry their own lengths.
    linkType: view.getUint32(20, littleEndian) & 0xffff,
    snapLength: view.getUint32(16, littleEndian),
    ticksPerSecond: nanoseconds ? 1_000_000_000n : 1_000_000n,
    offsetSeconds: 0n,
  };
}

function pcapngInterface(view: DataView, at: number, length: number, le: boolean): Interface {
  const iface: Interface = {
    linkType: view.getUint16(at + 8, le),
    snapLength: view.getUint32(at + 12, le),
    ticksPerSecond: 1_000_000n,
    offsetSeconds: 0n,
  };
  const end = at + length - 4;
  for (let option = at + 16; option + 4 <= end;) {
    const code = view.getUint16(option, le);
    const size = view.getUint16(option + 2, le);
    const value = option + 4;
    if (code === 0 || value + size > end) break;
    // if_tsresol: a power of ten, or of two when the top bit is set; beyond 2^63 or 10^18 nothing sensible is left.
    if (code === 9 && size >= 1) {
      const resolution = view.getUint8(value);
      const exponent = resolution & 0x7f;
      if (resolution & 0x80 ? exponent <= 63 : exponent <= 18) {
        iface.ticksPerSecond = (resolution & 0x80 ? 2n : 10n) ** BigInt(exponent);
      }
    } else if (code === 14 && size >= 8) iface.offsetSeconds = view.getBigInt64(value, le);
    option = value + ((size + 3) & ~3);
  }
  return iface;
}

interface PcapngPacket {
  iface: Interface;
  arrivalMs: number;
  arrivalNs: number;
  frame: Uint8Array;
  fullLength: number;
}

function pcapngPacket(
  section: Section,
  type: number,
  view: DataView,
  bytes: Uint8Array,
  at: number,
  length: number,
): PcapngPacket | null {
  const le = section.littleEndian;
  const end = at + length - 4;
  if (type === SIMPLE_PACKET) {
    const iface = section.interfaces[0];
    if (!iface || length < 16) return null;
    const fullLength = view.getUint32(at + 8, le);
    const kept = Math.min(fullLength, iface.snapLength === 0 ? fullLength : iface.snapLength, end - at - 12);
    return { iface, arrivalMs: 0, arrivalNs: 0, frame: bytes.subarray(at + 12, at + 12 + kept), fullLength };
  }
  if (length < 32) return null;
  const iface = section.interfaces[type === ENHANCED_PACKET ? view.getUint32(at + 8, le) : view.getUint16(at + 8, le)];
  if (!iface) return null;
  const ticks = (BigInt(view.getUint32(at + 12, le)) << 32n) | BigInt(view.getUint32(at + 16, le));
  const nanos = (ticks * 1_000_000_000n) / iface.ticksPerSecond + iface.offsetSeconds * 1_000_000_000n;
  const kept = Math.min(view.getUint32(at + 20, le), end - at - 28);
  return {
    iface,
    arrivalMs: Number(nanos / 1_000_000n),
    arrivalNs: Number(nanos % 1_000_000n),
    frame: bytes.subarray(at + 28, at + 28 + kept),
    fullLength: view.getUint32(at + 24, le),
  };
}
