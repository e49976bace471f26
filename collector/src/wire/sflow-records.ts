/**
 * The records inside an sFlow flow sample: a first pass finds them, so that a row is only begun when there is
 * something to write, and so that the raw header wins whatever the order (H12).
 */

/** Offsets of the contents of the records that matter; -1 = absent. The first of each kind counts. */
export interface FlowRecords {
  /** Records that fit into the sample, known or not. */
  found: number;
  rawAt: number;
  ethernetAt: number;
  ipv4At: number;
  ipv6At: number;
  switchAt: number;
  routerAt: number;
  gatewayAt: number;
  userAt: number;
  mplsAt: number;
  natAt: number;
  natPortAt: number;
  vlanTunnelAt: number;
  tunnelIpv4At: number;
  tunnelIpv6At: number;
  vniAt: number;
  /** Ends of the records of variable length. */
  routerEnd: number;
  gatewayEnd: number;
  userEnd: number;
  mplsEnd: number;
  natEnd: number;
  vlanTunnelEnd: number;
}

export function createFlowRecords(): FlowRecords {
  return {
    found: 0,
    rawAt: -1,
    ethernetAt: -1,
    ipv4At: -1,
    ipv6At: -1,
    switchAt: -1,
    routerAt: -1,
    gatewayAt: -1,
    userAt: -1,
    mplsAt: -1,
    natAt: -1,
    natPortAt: -1,
    vlanTunnelAt: -1,
    tunnelIpv4At: -1,
    tunnelIpv6At: -1,
    vniAt: -1,
    routerEnd: 0,
    gatewayEnd: 0,
    userEnd: 0,
    mplsEnd: 0,
    natEnd: 0,
    vlanTunnelEnd: 0,
  };
}

function reset(records: FlowRecords): void {
  records.found = 0;
  records.rawAt = -1;
  records.ethernetAt = -1;
  records.ipv4At = -1;
  records.ipv6At = -1;
  records.switchAt = -1;
  records.routerAt = -1;
  records.gatewayAt = -1;
  records.userAt = -1;
  records.mplsAt = -1;
  records.natAt = -1;
  records.natPortAt = -1;
  records.vlanTunnelAt = -1;
  records.tunnelIpv4At = -1;
  records.tunnelIpv6At = -1;
  records.vniAt = -1;
}

/**
 * Finds the records of a sample.
 *
 * @param from offset of the first record
 * @param count number of records that the sample announces
 * @returns records that do not fit into the sample or are shorter than their kind (H02)
 */
export function findFlowRecords(view: DataView, from: number, to: number, count: number, records: FlowRecords): number {
  reset(records);
  let malformed = 0;
  let at = from;
  for (let record = 0; record < count; record++) {
    if (at + 8 > to) return malformed + 1;
    const tag = view.getUint32(at);
    const length = view.getUint32(at + 4);
    const body = at + 8;
    if (length > to - body) return malformed + 1;
    const end = body + length;
    if (note(view, tag, body, end, records)) records.found++;
    else malformed++;
    at = body + ((length + 3) & ~3);
  }
  return malformed;
}

/** The whole tag decides, so that a vendor's record 1 is never taken for the standard one (H03). */
function note(view: DataView, tag: number, at: number, end: number, records: FlowRecords): boolean {
  const length = end - at;
  switch (tag) {
    case 1: // raw header: protocol, frame length, stripped, header<>
      if (length < 16 || view.getUint32(at + 12) > length - 16) return false;
      if (records.rawAt < 0) records.rawAt = at;
      return true;
    case 2: // sampled_ethernet: length, source, destination (6 bytes padded to 8 each), type
      if (length < 24) return false;
      if (records.ethernetAt < 0) records.ethernetAt = at;
      return true;
    case 3: // sampled_ipv4: length, protocol, source, destination, ports, TCP flags, ToS
      if (length < 32) return false;
      if (records.ipv4At < 0) records.ipv4At = at;
      return true;
    case 4: // sampled_ipv6: the same with 16-byte addresses
      if (length < 56) return false;
      if (records.ipv6At < 0) records.ipv6At = at;
      return true;
    case 1001: // extended_switch: source VLAN, priority, destination VLAN, priority
      if (length < 16) return false;
      if (records.switchAt < 0) records.switchAt = at;
      return true;
    case 1002: // extended_router: next hop, source mask, destination mask
      if (records.routerAt < 0) {
        records.routerAt = at;
        records.routerEnd = end;
      }
      return true;
    case 1003: // extended_gateway
      if (records.gatewayAt < 0) {
        records.gatewayAt = at;
        records.gatewayEnd = end;
      }
      return true;
    case 1004: // extended_user: charset, source user, charset, destination user
      if (records.userAt < 0) {
        records.userAt = at;
        records.userEnd = end;
      }
      return true;
    case 1006: // extended_mpls: next hop, label stack in, label stack out
      if (records.mplsAt < 0) {
        records.mplsAt = at;
        records.mplsEnd = end;
      }
      return true;
    case 1007: // extended_nat: source, destination
      if (records.natAt < 0) {
        records.natAt = at;
        records.natEnd = end;
      }
      return true;
    case 1012: // extended_vlantunnel: stack of tags
      if (records.vlanTunnelAt < 0) {
        records.vlanTunnelAt = at;
        records.vlanTunnelEnd = end;
      }
      return true;
    case 1020: // extended_nat_port
      if (length < 8) return false;
      if (records.natPortAt < 0) records.natPortAt = at;
      return true;
    case 1023: // extended_ipv4_tunnel_egress, _ingress: sampled_ipv4
    case 1024:
      if (length < 32) return false;
      if (records.tunnelIpv4At < 0) records.tunnelIpv4At = at;
      return true;
    case 1025: // extended_ipv6_tunnel_egress, _ingress: sampled_ipv6
    case 1026:
      if (length < 56) return false;
      if (records.tunnelIpv6At < 0) records.tunnelIpv6At = at;
      return true;
    case 1029: // extended_vni_egress, _ingress
    case 1030:
      if (length < 4) return false;
      if (records.vniAt < 0) records.vniAt = at;
      return true;
    // 1005 URL, 1021, 1022 layer 2 tunnel, 1027, 1028 decapsulation, 1036–1043, vendors: nothing of ours in them.
    default:
      return true;
  }
}
