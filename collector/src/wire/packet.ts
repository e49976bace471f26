/**
 * The first bytes of a sampled packet, from the link layer up: Ethernet, VLAN tags, MPLS, PPP, IPv4, IPv6, the ports
 * of TCP, UDP and SCTP, ICMP, and what GRE, VXLAN, Geneve and IP-in-IP carry. Any header may be cut short (H06).
 *
 * `readPacket` fills a {@link Packet} that the caller keeps and uses again; `packet-columns.ts` writes it to a row.
 * Nothing is allocated and nothing outside `from`…`to` is read.
 */
import { MAX_MPLS_LABELS, resetPacket, type Packet } from './packet-fields.ts';

export { createPacket, type Packet } from './packet-fields.ts';

/** Where the header begins; the numbers are sFlow's `header_protocol` (sflow_version_5.txt, 5.3). */
export const HEADER_PROTOCOL = { ethernet: 1, ppp: 7, ipv4: 11, ipv6: 12, mpls: 13, pos: 14 } as const;

/** VLAN tags followed in a frame (H07). */
const MAX_VLAN_TAGS = 4;
/** IPv6 extension headers followed (H09). */
const MAX_EXTENSION_HEADERS = 8;

/**
 * Reads a sampled header.
 *
 * @param from offset of its first byte in `view`
 * @param to offset behind its last byte; must not be larger than the view
 * @param protocol a value of {@link HEADER_PROTOCOL}; others leave the packet empty
 */
export function readPacket(view: DataView, from: number, to: number, protocol: number, packet: Packet): void {
  resetPacket(packet);
  switch (protocol) {
    case HEADER_PROTOCOL.ethernet:
      readEthernet(view, from, to, packet, from);
      return;
    case HEADER_PROTOCOL.ipv4:
    case HEADER_PROTOCOL.ipv6:
      readIp(view, from, to, packet, from);
      return;
    case HEADER_PROTOCOL.mpls:
      readMpls(view, from, to, packet, from);
      return;
    case HEADER_PROTOCOL.ppp:
    case HEADER_PROTOCOL.pos:
      readPpp(view, from, to, packet, from);
      return;
    default:
      packet.truncated = true;
  }
}

function readEthernet(view: DataView, at: number, to: number, packet: Packet, start: number): void {
  if (at + 14 > to) {
    packet.truncated = true;
    return;
  }
  // Ethernet over MPLS: the outer frame's addresses stay.
  if (packet.srcMacAt < 0) {
    packet.dstMacAt = at;
    packet.srcMacAt = at + 6;
  }
  let type = view.getUint16(at + 12);
  let next = at + 14;
  for (let tags = 0; tags < MAX_VLAN_TAGS && isVlanType(type); tags++) {
    if (next + 4 > to) {
      packet.truncated = true;
      return;
    }
    const vlan = view.getUint16(next) & 0x0fff;
    if (packet.vlanCount === 0) packet.vlan = vlan;
    else if (packet.vlanCount === 1) packet.customerVlan = vlan;
    packet.vlanCount++;
    type = view.getUint16(next + 2);
    next += 4;
  }
  // IEEE 802.3: a length, then LLC; SNAP carries an ether type again (RFC 1042).
  if (type < 0x0600) {
    if (next + 8 > to || view.getUint32(next) !== 0xaaaa0300 || view.getUint8(next + 4) !== 0) {
      packet.layer2Bytes = next - start;
      return;
    }
    type = view.getUint16(next + 6);
    next += 8;
  }
  readEtherType(view, type, next, to, packet, start);
}

/** 802.1Q, 802.1ad and the two values used before it. */
function isVlanType(type: number): boolean {
  return type === 0x8100 || type === 0x88a8 || type === 0x9100 || type === 0x9200;
}

function readEtherType(view: DataView, type: number, at: number, to: number, packet: Packet, start: number): void {
  packet.etype = type;
  packet.layer2Bytes = at - start;
  if (type === 0x0800 || type === 0x86dd) readIp(view, at, to, packet, start);
  else if (type === 0x8847 || type === 0x8848) readMpls(view, at, to, packet, start);
  else if (type === 0x8864) {
    // PPPoE session: six bytes, then PPP (RFC 2516 4).
    if (at + 8 > to) packet.truncated = true;
    else readPpp(view, at + 6, to, packet, start);
  }
}

function readPpp(view: DataView, from: number, to: number, packet: Packet, start: number): void {
  let at = from;
  if (at + 2 <= to && view.getUint16(at) === 0xff03) at += 2;
  if (at + 2 > to) {
    packet.truncated = true;
    return;
  }
  // A compressed protocol number is one odd byte (RFC 1661 6.5).
  const compressed = (view.getUint8(at) & 1) === 1;
  const protocol = compressed ? view.getUint8(at) : view.getUint16(at);
  at += compressed ? 1 : 2;
  packet.layer2Bytes = at - start;
  if (protocol === 0x0021 || protocol === 0x0057) readIp(view, at, to, packet, start);
  else if (protocol === 0x0281 || protocol === 0x0283) readMpls(view, at, to, packet, start);
}

function readMpls(view: DataView, from: number, to: number, packet: Packet, start: number): void {
  let at = from;
  for (let labels = 0; ; labels++) {
    if (labels === MAX_MPLS_LABELS || at + 4 > to) {
      packet.truncated = true;
      packet.layer2Bytes = at - start;
      return;
    }
    const entry = view.getUint32(at);
    at += 4;
    if (packet.mplsCount < MAX_MPLS_LABELS) packet.mplsLabels[packet.mplsCount++] = entry >>> 12;
    if ((entry & 0x100) !== 0) break;
  }
  packet.layer2Bytes = at - start;
  if (at >= to) {
    packet.truncated = true;
    return;
  }
  const nibble = view.getUint8(at) >> 4;
  if (nibble === 4 || nibble === 6) readIp(view, at, to, packet, start);
  // Ethernet over MPLS with a control word, whose first nibble is 0 (RFC 4385 3).
  else if (nibble === 0) readEthernet(view, at + 4, to, packet, start);
}

function readIp(view: DataView, at: number, to: number, packet: Packet, start: number): void {
  packet.layer2Bytes = at - start;
  if (at >= to) {
    packet.truncated = true;
    return;
  }
  const version = view.getUint8(at) >> 4;
  if (version === 4) {
    packet.etype = 0x0800;
    readIpv4(view, at, to, packet);
  } else if (version === 6) {
    packet.etype = 0x86dd;
    readIpv6(view, at, to, packet);
  } else packet.truncated = true;
}

/*
 * RFC 791 3.1, bytes: 0 version+IHL, 1 ToS, 2 total length, 4 identification, 6 flags+offset, 8 TTL, 9 protocol,
 * 12 source, 16 destination, then options up to IHL * 4.
 */
function readIpv4(view: DataView, at: number, to: number, packet: Packet): void {
  if (at + 20 > to) {
    packet.truncated = true;
    return;
  }
  const headerBytes = (view.getUint8(at) & 0x0f) * 4;
  const totalBytes = view.getUint16(at + 2);
  const fragment = view.getUint16(at + 6);
  packet.ipVersion = 4;
  packet.tos = view.getUint8(at + 1);
  packet.ipBytes = totalBytes;
  packet.fragmentId = view.getUint16(at + 4);
  packet.ipFlags = fragment >> 13;
  packet.fragmentOffset = fragment & 0x1fff;
  packet.ttl = view.getUint8(at + 8);
  packet.proto = view.getUint8(at + 9);
  packet.srcAddrAt = at + 12;
  packet.dstAddrAt = at + 16;
  if (headerBytes < 20) {
    packet.truncated = true;
    return;
  }
  // A later fragment has no upper header (H10); a short frame is padded behind the packet's end.
  if (packet.fragmentOffset !== 0) return;
  const end = totalBytes >= headerBytes ? Math.min(to, at + totalBytes) : to;
  readUpper(view, packet.proto, at + headerBytes, end, packet);
}

/* RFC 8200 3, bytes: 0 version+class+label, 4 payload length, 6 next header, 7 hop limit, 8 source, 24 destination. */
function readIpv6(view: DataView, at: number, to: number, packet: Packet): void {
  if (at + 40 > to) {
    packet.truncated = true;
    return;
  }
  const first = view.getUint32(at);
  const payloadBytes = view.getUint16(at + 4);
  packet.ipVersion = 6;
  packet.tos = (first >>> 20) & 0xff;
  packet.flowLabel = first & 0xfffff;
  packet.ipBytes = payloadBytes === 0 ? 0 : payloadBytes + 40;
  packet.ttl = view.getUint8(at + 7);
  packet.srcAddrAt = at + 8;
  packet.dstAddrAt = at + 24;
  const end = payloadBytes === 0 ? to : Math.min(to, at + 40 + payloadBytes);
  let next = view.getUint8(at + 6);
  let body = at + 40;
  for (let headers = 0; isExtensionHeader(next); headers++) {
    packet.proto = next;
    if (headers === MAX_EXTENSION_HEADERS || body + 8 > end) {
      packet.truncated = true;
      return;
    }
    const header = next;
    next = view.getUint8(body);
    if (header === 44) {
      packet.fragmentOffset = view.getUint16(body + 2) >> 3;
      packet.fragmentId = view.getUint32(body + 4);
      body += 8;
      if (packet.fragmentOffset !== 0) {
        packet.proto = next;
        return;
      }
    } else if (header === 51) body += (view.getUint8(body + 1) + 2) * 4;
    else body += (view.getUint8(body + 1) + 1) * 8;
  }
  packet.proto = next;
  readUpper(view, next, body, end, packet);
}

/** Hop-by-hop, routing, fragment, authentication, destination options, mobility, HIP, shim6 (H09). */
function isExtensionHeader(next: number): boolean {
  return (
    next === 0 ||
    next === 43 ||
    next === 44 ||
    next === 51 ||
    next === 60 ||
    next === 135 ||
    next === 139 ||
    next === 140
  );
}

function readUpper(view: DataView, proto: number, at: number, to: number, packet: Packet): void {
  switch (proto) {
    case 6: // TCP
      if (!readPorts(view, at, to, packet)) return;
      if (at + 14 > to) packet.truncated = true;
      else packet.tcpFlags = view.getUint16(at + 12) & 0x0fff;
      return;
    case 17: // UDP
      if (!readPorts(view, at, to, packet)) return;
      if (packet.dstPort === 4789) readVxlan(view, at + 8, to, packet);
      else if (packet.dstPort === 6081) readGeneve(view, at + 8, to, packet);
      return;
    case 33: // DCCP
    case 132: // SCTP
    case 136: // UDP-Lite
      readPorts(view, at, to, packet);
      return;
    case 1: // ICMP
    case 58: // ICMPv6
      if (at + 2 > to) {
        packet.truncated = true;
        return;
      }
      packet.hasIcmp = true;
      packet.icmpType = view.getUint8(at);
      packet.icmpCode = view.getUint8(at + 1);
      return;
    case 4: // IPv4 in IP
    case 41: // IPv6 in IP
      if (enterTunnel(packet)) readIp(view, at, to, packet.inner as Packet, at);
      return;
    case 47:
      readGre(view, at, to, packet);
      return;
  }
}

function readPorts(view: DataView, at: number, to: number, packet: Packet): boolean {
  if (at + 4 > to) {
    packet.truncated = true;
    return false;
  }
  packet.hasPorts = true;
  packet.srcPort = view.getUint16(at);
  packet.dstPort = view.getUint16(at + 2);
  return true;
}

/** Empties the packet inside, when there is room for one more. */
function enterTunnel(packet: Packet): boolean {
  if (!packet.inner) return false;
  resetPacket(packet.inner);
  packet.hasInner = true;
  return true;
}

/* RFC 2784 2, RFC 2890 2: flags C..K.S, version, protocol type; then checksum, key, sequence, 4 bytes each. */
function readGre(view: DataView, at: number, to: number, packet: Packet): void {
  if (at + 4 > to) {
    packet.truncated = true;
    return;
  }
  const flags = view.getUint16(at);
  if ((flags & 0x0007) !== 0) return;
  const body =
    at + 4 + ((flags & 0x8000) !== 0 ? 4 : 0) + ((flags & 0x2000) !== 0 ? 4 : 0) + ((flags & 0x1000) !== 0 ? 4 : 0);
  readPayload(view, view.getUint16(at + 2), body, to, packet);
}

/* RFC 7348 5: flags with bit I, 24 bits, network identifier, 8 bits; then an Ethernet frame. */
function readVxlan(view: DataView, at: number, to: number, packet: Packet): void {
  if (at + 8 > to || (view.getUint8(at) & 0x08) === 0) return;
  packet.vni = view.getUint32(at + 4) >>> 8;
  packet.vxlan = true;
  readPayload(view, 0x6558, at + 8, to, packet);
}

/* RFC 8926 3.4: version and option length in words, flags, protocol type, network identifier, options. */
function readGeneve(view: DataView, at: number, to: number, packet: Packet): void {
  if (at + 8 > to || view.getUint8(at) >> 6 !== 0) return;
  packet.vni = view.getUint32(at + 4) >>> 8;
  readPayload(view, view.getUint16(at + 2), at + 8 + (view.getUint8(at) & 0x3f) * 4, to, packet);
}

function readPayload(view: DataView, type: number, at: number, to: number, packet: Packet): void {
  if (at >= to || !enterTunnel(packet)) return;
  const inner = packet.inner as Packet;
  if (type === 0x6558) readEthernet(view, at, to, inner, at);
  else readEtherType(view, type, at, to, inner, at);
}
