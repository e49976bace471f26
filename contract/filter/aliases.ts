/** Other spellings: short forms, nfdump's words and Akvorado's column names (underscores and case do not count). */
export const FIELD_ALIASES: Readonly<Record<string, string>> = {
  flags: 'tcp_flags',
  exporter: 'sampler_address',
  exporteraddress: 'sampler_address',
  router: 'sampler_address',
  protocol: 'proto',
  tos: 'ip_tos',
  ttl: 'ip_ttl',
  asn: 'as',
  ip: 'addr',
  host: 'addr',
  net: 'addr',
  srcip: 'src_addr',
  dstip: 'dst_addr',
  srcnetname: 'src_network',
  dstnetname: 'dst_network',
  srcnetrole: 'src_network_role',
  dstnetrole: 'dst_network_role',
  srcnetsite: 'src_network_site',
  dstnetsite: 'dst_network_site',
  srcnetregion: 'src_network_region',
  dstnetregion: 'dst_network_region',
  srcnettenant: 'src_network_tenant',
  dstnettenant: 'dst_network_tenant',
  srcgeocity: 'src_city',
  dstgeocity: 'dst_city',
  srcgeostate: 'src_subdivision',
  dstgeostate: 'dst_subdivision',
  srcnet: 'src_addr',
  dstnet: 'dst_addr',
  srcnetmask: 'src_mask',
  dstnetmask: 'dst_mask',
  srcnetprefix: 'src_addr',
  dstnetprefix: 'dst_addr',
  netmask: 'mask',
  ifname: 'if',
  interface: 'if',
  vrfid: 'vrf',
  srcaddrnat: 'nat_src_addr',
  dstaddrnat: 'nat_dst_addr',
  srcportnat: 'nat_src_port',
  dstportnat: 'nat_dst_port',
  dst1stas: 'next_hop_as',
  dstaspath: 'as_path',
  dstcommunities: 'bgp_communities',
  communities: 'bgp_communities',
  mplslabels: 'mpls_label',
  icmpv4type: 'icmp_type',
  icmpv4code: 'icmp_code',
  icmpv6type: 'icmp_type',
  icmpv6code: 'icmp_code',
  ipfragmentid: 'fragment_id',
  ipfragmentoffset: 'fragment_offset',
  packetsize: 'bpp',
  timereceived: 'time_received_ns',
  received: 'time_received_ns',
  start: 'time_flow_start_ns',
  end: 'time_flow_end_ns',
  flowtype: 'type',
};

/**
 * Akvorado's columns that have no counterpart here, so that a filter pasted from there is refused with the reason
 * instead of a guess. A column of the registry with such a name takes precedence.
 */
const NOT_AVAILABLE: readonly (readonly [shape: RegExp, what: string])[] = [
  [/^(in|out)?ifspeed$/, 'interface speeds cannot be filtered'],
  [/^(dst2ndas|dst3rdas)$/, 'the path is one field: as_path has AS64500'],
  [/^dstlargecommunities$/, 'large communities are not stored'],
  [/^mpls(1st|2nd|3rd|4th)label$/, 'the stack is one field: mpls_label has 100'],
  [/^packetsizebucket$/, 'compare bpp instead'],
];

/** Why a known column of Akvorado cannot be used, or undefined. Takes the normalised name. */
export function whyNotAvailable(name: string): string | undefined {
  return NOT_AVAILABLE.find(([shape]) => shape.test(name))?.[1];
}
