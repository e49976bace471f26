/** What is known of one packet after its headers were read; numbers and offsets, kept and used again. */

/** MPLS labels followed (H08). */
export const MAX_MPLS_LABELS = 10;
/** Tunnels looked into: an outer header and two within it (H11). */
const MAX_TUNNELS = 2;

/** Header fields of one packet. Offsets count from the start of the `DataView`; -1 = not there. */
export interface Packet {
  /** Ether type of what the frame carries in the end: 0x0800, 0x86dd, 0x0806 …; 0 = unknown. */
  etype: number;
  /** 4 or 6; 0 = no IP header was read. */
  ipVersion: number;
  srcAddrAt: number;
  dstAddrAt: number;
  proto: number;
  tos: number;
  ttl: number;
  /** IPv4: reserved, don't fragment, more fragments. */
  ipFlags: number;
  fragmentId: number;
  /** In 8-byte units. */
  fragmentOffset: number;
  flowLabel: number;
  hasPorts: boolean;
  srcPort: number;
  dstPort: number;
  tcpFlags: number;
  hasIcmp: boolean;
  icmpType: number;
  icmpCode: number;
  srcMacAt: number;
  dstMacAt: number;
  vlanCount: number;
  vlan: number;
  customerVlan: number;
  mplsCount: number;
  readonly mplsLabels: Uint32Array;
  /** Bytes in front of the IP header; of the whole header when there is no IP. */
  layer2Bytes: number;
  /** Length of the IP packet as its header says; 0 = no IP, or left open (segmentation offload, jumbogram). */
  ipBytes: number;
  /** VXLAN or Geneve network identifier, -1 = none. */
  vni: number;
  /** The identifier came from VXLAN. */
  vxlan: boolean;
  /** A header was cut off by the sample's length or was not what it claims to be. */
  truncated: boolean;
  /** The packet inside a tunnel; only meaningful while `hasInner`. */
  readonly inner: Packet | null;
  hasInner: boolean;
}

/** A packet to read into, with room for `MAX_TUNNELS` packets inside it. */
export function createPacket(depth: number = MAX_TUNNELS): Packet {
  return {
    etype: 0,
    ipVersion: 0,
    srcAddrAt: -1,
    dstAddrAt: -1,
    proto: 0,
    tos: 0,
    ttl: 0,
    ipFlags: 0,
    fragmentId: 0,
    fragmentOffset: 0,
    flowLabel: 0,
    hasPorts: false,
    srcPort: 0,
    dstPort: 0,
    tcpFlags: 0,
    hasIcmp: false,
    icmpType: 0,
    icmpCode: 0,
    srcMacAt: -1,
    dstMacAt: -1,
    vlanCount: 0,
    vlan: 0,
    customerVlan: 0,
    mplsCount: 0,
    mplsLabels: new Uint32Array(MAX_MPLS_LABELS),
    layer2Bytes: 0,
    ipBytes: 0,
    vni: -1,
    vxlan: false,
    truncated: false,
    inner: depth > 0 ? createPacket(depth - 1) : null,
    hasInner: false,
  };
}

/** Empties a packet. */
export function resetPacket(packet: Packet): void {
  packet.etype = 0;
  packet.ipVersion = 0;
  packet.srcAddrAt = -1;
  packet.dstAddrAt = -1;
  packet.proto = 0;
  packet.tos = 0;
  packet.ttl = 0;
  packet.ipFlags = 0;
  packet.fragmentId = 0;
  packet.fragmentOffset = 0;
  packet.flowLabel = 0;
  packet.hasPorts = false;
  packet.srcPort = 0;
  packet.dstPort = 0;
  packet.tcpFlags = 0;
  packet.hasIcmp = false;
  packet.icmpType = 0;
  packet.icmpCode = 0;
  packet.srcMacAt = -1;
  packet.dstMacAt = -1;
  packet.vlanCount = 0;
  packet.vlan = 0;
  packet.customerVlan = 0;
  packet.mplsCount = 0;
  packet.layer2Bytes = 0;
  packet.ipBytes = 0;
  packet.vni = -1;
  packet.vxlan = false;
  packet.truncated = false;
  packet.hasInner = false;
}

/** The packet that fills the columns: the outermost, or the innermost one that was read (H11). */
export function choosePacket(packet: Packet, decapsulate: boolean): Packet {
  let chosen = packet;
  while (decapsulate && chosen.hasInner && chosen.inner && chosen.inner.ipVersion !== 0) chosen = chosen.inner;
  return chosen;
}
