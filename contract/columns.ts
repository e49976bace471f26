import type { NameKind } from './inventory.ts';
import { APP_RULES, CLIENT_SIDES, DIRECTIONS, DUPLICATES, LOCALITIES, ROLE_RULES, SCOPES } from './vocabulary.ts';

/**
 * The registry of columns: one entry per fact that a flow record can carry.
 *
 * The table definition, the batch buffers, the segment encoding, the targets of the decoders, `ringflow decode`,
 * the filter grammar, completion and the units shown in Grafana are all derived from it: adding a column is adding
 * one entry here (`CONTRIBUTING.md`, docs/architecture.md).
 */

/**
 * How a value is kept in memory and on disk.
 *
 * `time` is nanoseconds since the epoch, `addr` sixteen bytes (IPv4 mapped into `::ffff:0:0/96`, all zero = absent),
 * `mac` the 48 bits as a number, `string` UTF-8 or raw bytes, `u32[]` a list.
 */
export type ColumnType = 'u8' | 'u16' | 'u32' | 'u64' | 'time' | 'addr' | 'mac' | 'string' | 'u32[]';

/** What a value measures; decides the unit in Grafana and which suffixes the filter language takes. */
export type ColumnUnit = 'bytes' | 'packets' | 'flows' | 'time' | 'id' | 'flags' | 'none';

/** How a value is written for people and in JSON (`values.ts` holds the formatters). */
export type ColumnText =
  | 'number'
  | 'time'
  | 'addr'
  | 'prefix'
  | 'mac'
  | 'string'
  | 'hex'
  | 'proto'
  | 'etype'
  | 'flowType'
  | 'tcpFlags'
  | 'asn'
  | 'service'
  | 'quality'
  | 'word'
  | 'country'
  | 'named';

export type ColumnGroup =
  | 'record'
  | 'counters'
  | 'addresses'
  | 'roles'
  | 'ip'
  | 'interfaces'
  | 'layer2'
  | 'routing'
  | 'geography'
  | 'networks'
  | 'threats'
  | 'nat'
  | 'application'
  | 'tunnel';

/**
 * An IPFIX information element, or a NetFlow v9 field type when `pen` is 0 and the number is above 32767
 * (v9 has no enterprise bit: RFC 3954 5.2).
 */
export interface ElementRef {
  readonly pen: number;
  readonly id: number;
}

export interface Column {
  /** goflow2's field name where it has one, the same style otherwise. */
  readonly name: string;
  readonly type: ColumnType;
  readonly unit: ColumnUnit;
  readonly text: ColumnText;
  readonly label: string;
  readonly description: string;
  readonly group: ColumnGroup;
  /** Kept in the raw table. The others exist in `ringflow decode` only and cost the collector nothing. */
  readonly stored: boolean;
  /** Printed by `ringflow decode` even when the exporter did not send it (goflow2's default fields). */
  readonly always: boolean;
  /**
   * The elements that fill the column. The first one that a template carries wins, except for addresses, where the
   * one that is not all zero wins (a template may hold both families: ipfix-procera).
   */
  readonly elements: readonly ElementRef[];
  /** Words of the values by number, when `text` is `word`. */
  readonly words?: readonly string[];
  /** What kind of id the values are; their names are looked up when asked (`inventory.ts`). */
  readonly names?: NameKind;
  /** Computed from stored columns when asked: an SQL expression over their names. Such a column is not `stored`. */
  readonly derived?: string;
  /** ClickHouse codec when the default (ZSTD(1)) is not the best; measured in docs/benchmarks.md. */
  readonly codec?: string;
}

type Spec = Partial<Pick<Column, 'unit' | 'text' | 'stored' | 'always' | 'codec' | 'words' | 'names' | 'derived'>> & { from?: readonly (number | readonly [number, number])[] };

const TEXT_OF_TYPE: Record<ColumnType, ColumnText> = {
  u8: 'number',
  u16: 'number',
  u32: 'number',
  u64: 'number',
  time: 'time',
  addr: 'addr',
  mac: 'mac',
  string: 'string',
  'u32[]': 'number',
};

function column<const N extends string>(
  name: N,
  type: ColumnType,
  group: ColumnGroup,
  label: string,
  description: string,
  spec: Spec = {},
): Column & { readonly name: N } {
  return {
    name,
    type,
    group,
    label,
    description,
    unit: spec.unit ?? (type === 'time' ? 'time' : 'none'),
    text: spec.text ?? TEXT_OF_TYPE[type],
    stored: spec.stored ?? spec.derived === undefined,
    always: spec.always ?? false,
    elements: (spec.from ?? []).map((e) => (typeof e === 'number' ? { pen: 0, id: e } : { pen: e[0], id: e[1] })),
    ...(spec.codec === undefined ? {} : { codec: spec.codec }),
    ...(spec.words === undefined ? {} : { words: spec.words }),
    ...(spec.names === undefined ? {} : { names: spec.names }),
    ...(spec.derived === undefined ? {} : { derived: spec.derived }),
  };
}

/** A column of the client's or the server's end: the source's or the destination's, by `client_side`. */
function end<const N extends string>(name: N, type: ColumnType, label: string, description: string, spec: Spec = {}): Column & { readonly name: N } {
  const [role, what] = name.split(/_(.*)/) as [string, string];
  const dst = role === 'client' ? 'dst' : 'src';
  const src = role === 'client' ? 'src' : 'dst';
  return column(name, type, 'roles', label, description, { ...spec, derived: `if(client_side = 2, ${dst}_${what}, ${src}_${what})` });
}

/** The network of an address that is still legible when hosts are too many: /24 of IPv4, /48 of IPv6. */
function prefix<const N extends string>(name: N, of: string, label: string, description: string): Column & { readonly name: N } {
  const isIpv4 = `${of} >= toIPv6('::ffff:0.0.0.0') AND ${of} <= toIPv6('::ffff:255.255.255.255')`;
  return column(name, 'addr', 'addresses', label, description, {
    text: 'prefix',
    derived: `tupleElement(IPv6CIDRToRange(${of}, if(${isIpv4}, 120, 48)), 1)`,
  });
}

/** Private enterprise numbers used below. */
const CISCO = 9;

export const COLUMNS = [
  // What kind of record this is and how it came.
  column('type', 'u8', 'record', 'Flow type', 'Protocol that carried the record', { text: 'flowType', always: true }),
  column('time_received_ns', 'time', 'record', 'Received', 'When the datagram arrived at the collector', { always: true, codec: 'Delta, ZSTD(1)' }),
  column('sequence_num', 'u32', 'record', 'Sequence number', 'Sequence number of the datagram', { always: true, codec: 'Delta, ZSTD(1)' }),
  column('sampler_address', 'addr', 'record', 'Exporter', 'Address of the exporter (NetFlow, IPFIX: source of the datagram; sFlow: agent)', { always: true }),
  column('observation_domain_id', 'u32', 'record', 'Observation domain', 'IPFIX observation domain, NetFlow v9 source id, v5 engine type and id, sFlow sub-agent', { unit: 'id', always: true, from: [149] }),
  column('template_id', 'u16', 'record', 'Template', 'Template that described the record', { unit: 'id', stored: false }),
  column('sampling_rate', 'u32', 'record', 'Sampling rate', 'One packet in N was counted; 0 = the exporter has not said', { always: true, from: [] }),
  column('sampler_id', 'u32', 'record', 'Sampler', 'Sampler or selector that the record refers to', { unit: 'id', stored: false, from: [48, 302] }),
  column('quality', 'u32', 'record', 'Quality flags', 'What the record lacks or what had to be corrected', { unit: 'flags', text: 'quality' }),
  column('time_flow_start_ns', 'time', 'record', 'Start', 'First packet of the flow', { always: true, codec: 'GCD, Delta, ZSTD(1)' }),
  column('time_flow_end_ns', 'time', 'record', 'End', 'Last packet of the flow', { always: true, codec: 'GCD, Delta, ZSTD(1)' }),
  column('flow_end_reason', 'u8', 'record', 'End reason', 'Why the exporter ended the flow (1 idle, 2 active timeout, 3 end, 4 forced, 5 resources)', { from: [136] }),
  column('flow_direction', 'u8', 'record', 'Observed direction', 'Where the exporter saw the flow: 0 ingress, 1 egress', { from: [61] }),
  column('biflow_direction', 'u8', 'record', 'Biflow direction', 'Who began (RFC 5103): 1 initiator, 2 reverse initiator, 3 perimeter', { from: [239] }),
  column('initiator', 'u8', 'record', 'Initiator', 'The source is the initiator: counters or addresses are those of initiator and responder, or of client and server', { stored: false }),
  column('flow_id', 'u64', 'record', 'Flow id', 'Connection id of the exporter', { unit: 'id', stored: false, from: [148] }),

  // Counters, as sent: multiply by sampling_rate to estimate the traffic.
  column('bytes', 'u64', 'counters', 'Bytes', 'Layer 3 bytes as counted by the exporter, before scaling', { unit: 'bytes', always: true, from: [1, 85, 231, 23], codec: 'T64, ZSTD(1)' }),
  column('packets', 'u64', 'counters', 'Packets', 'Packets as counted by the exporter, before scaling', { unit: 'packets', always: true, from: [2, 86, 298, 24], codec: 'T64, ZSTD(1)' }),
  column('flows', 'u32', 'counters', 'Flows', 'Flows that the record stands for (deltaFlowCount, 1 when absent)', { unit: 'flows', from: [3] }),
  column('frame_bytes', 'u64', 'counters', 'Frame bytes', 'Layer 2 bytes: sampled frame length, or layer2OctetDeltaCount', { unit: 'bytes', from: [352, 312], codec: 'T64, ZSTD(1)' }),
  column('post_bytes', 'u64', 'counters', 'Bytes after', 'Bytes after the exporter\'s own processing', { unit: 'bytes', stored: false, from: [23] }),
  column('post_packets', 'u64', 'counters', 'Packets after', 'Packets after the exporter\'s own processing', { unit: 'packets', stored: false, from: [24] }),
  column('total_bytes', 'u64', 'counters', 'Bytes since start', 'Running total of the flow', { unit: 'bytes', stored: false, from: [85] }),
  column('total_packets', 'u64', 'counters', 'Packets since start', 'Running total of the flow', { unit: 'packets', stored: false, from: [86] }),

  // Who talks to whom.
  column('src_addr', 'addr', 'addresses', 'Source address', 'Source address of the flow', { always: true, from: [8, 27, [CISCO, 12236]] }),
  column('dst_addr', 'addr', 'addresses', 'Destination address', 'Destination address of the flow', { always: true, from: [12, 28, [CISCO, 12237]] }),
  column('src_port', 'u16', 'addresses', 'Source port', 'TCP, UDP, SCTP source port', { unit: 'id', always: true, from: [7, 180, 182, [CISCO, 12240]] }),
  column('dst_port', 'u16', 'addresses', 'Destination port', 'TCP, UDP, SCTP destination port', { unit: 'id', always: true, from: [11, 181, 183, [CISCO, 12241]] }),
  prefix('src_prefix', 'src_addr', 'Source prefix', 'Network of the source: /24 of IPv4, /48 of IPv6'),
  prefix('dst_prefix', 'dst_addr', 'Destination prefix', 'Network of the destination: /24 of IPv4, /48 of IPv6'),
  column('src_scope', 'u8', 'addresses', 'Source scope', 'Kind of the source address: public, private, multicast …', { text: 'word', words: SCOPES }),
  column('dst_scope', 'u8', 'addresses', 'Destination scope', 'Kind of the destination address: public, private, multicast …', { text: 'word', words: SCOPES }),
  column('src_mask', 'u8', 'addresses', 'Source prefix length', 'Length of the route that matched the source', { from: [9, 29] }),
  column('dst_mask', 'u8', 'addresses', 'Destination prefix length', 'Length of the route that matched the destination', { from: [13, 30] }),

  // Who asked and who answered; without a decision the source is taken for the client.
  column('client_side', 'u8', 'roles', 'Client side', 'Which end of the record is the client: src or dst', { text: 'word', words: CLIENT_SIDES }),
  column('role_rule', 'u8', 'roles', 'Role rule', 'The rule that told client from server', { text: 'word', words: ROLE_RULES }),
  end('client_addr', 'addr', 'Client', 'Address of the client'),
  end('server_addr', 'addr', 'Server', 'Address of the server'),
  end('client_port', 'u16', 'Client port', 'Port of the client', { unit: 'id' }),
  end('server_port', 'u16', 'Server port', 'Port of the server', { unit: 'id' }),
  end('client_scope', 'u8', 'Client scope', 'Kind of the client address: public, private …', { text: 'word', words: SCOPES }),
  end('server_scope', 'u8', 'Server scope', 'Kind of the server address: public, private …', { text: 'word', words: SCOPES }),
  end('client_as', 'u32', 'Client AS', 'Autonomous system of the client', { unit: 'id', text: 'asn', names: 'as' }),
  end('server_as', 'u32', 'Server AS', 'Autonomous system of the server', { unit: 'id', text: 'asn', names: 'as' }),
  end('client_country', 'u16', 'Client country', 'Country of the client, ISO 3166-1', { unit: 'id', text: 'country' }),
  end('server_country', 'u16', 'Server country', 'Country of the server, ISO 3166-1', { unit: 'id', text: 'country' }),
  end('client_place', 'u32', 'Client place', 'City or region of the client', { unit: 'id', text: 'named', names: 'place' }),
  end('server_place', 'u32', 'Server place', 'City or region of the server', { unit: 'id', text: 'named', names: 'place' }),
  end('client_network', 'u32', 'Client network', 'Named networks that hold the client', { unit: 'id', text: 'named', names: 'network' }),
  end('server_network', 'u32', 'Server network', 'Named networks that hold the server', { unit: 'id', text: 'named', names: 'network' }),
  end('client_threat', 'u32', 'Client reputation', 'What reputation lists say about the client', { unit: 'id', text: 'named', names: 'threat' }),
  end('server_threat', 'u32', 'Server reputation', 'What reputation lists say about the server', { unit: 'id', text: 'named', names: 'threat' }),

  // Where it goes, seen from the own networks, and who is known.
  column('direction', 'u8', 'networks', 'Direction', 'Seen from the own networks: in, out, internal, transit', { text: 'word', words: DIRECTIONS }),
  column('locality', 'u8', 'networks', 'Locality', 'public when either end is a public address', { text: 'word', words: LOCALITIES }),
  column('src_network', 'u32', 'networks', 'Source network', 'Named networks that hold the source, most specific first', { unit: 'id', text: 'named', names: 'network' }),
  column('dst_network', 'u32', 'networks', 'Destination network', 'Named networks that hold the destination, most specific first', { unit: 'id', text: 'named', names: 'network' }),
  column('dup', 'u8', 'record', 'Duplicate', 'Why the record is left out of totals: another record counts the same packets', { text: 'word', words: DUPLICATES }),
  column('src_country', 'u16', 'geography', 'Source country', 'Country of the source, ISO 3166-1', { unit: 'id', text: 'country' }),
  column('dst_country', 'u16', 'geography', 'Destination country', 'Country of the destination, ISO 3166-1', { unit: 'id', text: 'country' }),
  column('src_place', 'u32', 'geography', 'Source place', 'City or region of the source', { unit: 'id', text: 'named', names: 'place' }),
  column('dst_place', 'u32', 'geography', 'Destination place', 'City or region of the destination', { unit: 'id', text: 'named', names: 'place' }),
  column('src_threat', 'u32', 'threats', 'Source reputation', 'What reputation lists say about the source', { unit: 'id', text: 'named', names: 'threat' }),
  column('dst_threat', 'u32', 'threats', 'Destination reputation', 'What reputation lists say about the destination', { unit: 'id', text: 'named', names: 'threat' }),

  // The packet's own headers.
  column('etype', 'u16', 'ip', 'Ether type', 'What the frame carried: IPv4, IPv6 or another Ethernet type', { text: 'etype', always: true, from: [256] }),
  column('ip_version', 'u8', 'ip', 'IP version', 'Version field of the IP header', { stored: false, from: [60] }),
  column('proto', 'u8', 'ip', 'Protocol', 'IP protocol number', { text: 'proto', always: true, from: [4] }),
  column('ip_tos', 'u8', 'ip', 'ToS', 'Type of service octet, DSCP in its upper six bits', { always: true, from: [5] }),
  column('post_ip_tos', 'u8', 'ip', 'ToS after', 'Type of service octet after the exporter changed it', { stored: false, from: [55] }),
  column('tcp_flags', 'u16', 'ip', 'TCP flags', 'TCP control bits of all packets of the flow, ORed', { unit: 'flags', text: 'tcpFlags', always: true, from: [6] }),
  column('ip_ttl', 'u8', 'ip', 'TTL', 'Time to live or hop limit', { always: true, from: [192] }),
  column('min_ttl', 'u8', 'ip', 'Lowest TTL', 'Lowest time to live seen in the flow', { stored: false, from: [52] }),
  column('max_ttl', 'u8', 'ip', 'Highest TTL', 'Highest time to live seen in the flow', { stored: false, from: [53] }),
  column('ip_flags', 'u8', 'ip', 'IP flags', 'Fragmentation bits of the IPv4 header', { unit: 'flags', from: [197] }),
  column('fragment_id', 'u32', 'ip', 'Fragment id', 'Identification field', { unit: 'id', from: [54] }),
  column('fragment_offset', 'u16', 'ip', 'Fragment offset', 'Offset of the fragment, in 8-byte units', { from: [88] }),
  column('icmp_type', 'u8', 'ip', 'ICMP type', 'ICMP or ICMPv6 type', { always: true, from: [176, 178] }),
  column('icmp_code', 'u8', 'ip', 'ICMP code', 'ICMP or ICMPv6 code', { always: true, from: [177, 179] }),
  column('ipv6_flow_label', 'u32', 'ip', 'IPv6 flow label', 'Flow label of the IPv6 header', { unit: 'id', from: [31] }),

  // Where it passed the exporter.
  column('in_if', 'u32', 'interfaces', 'Input interface', 'ifIndex where the flow entered, 0 = unknown or local', { unit: 'id', always: true, from: [10, 252] }),
  column('out_if', 'u32', 'interfaces', 'Output interface', 'ifIndex where the flow left, 0 = unknown, local or dropped', { unit: 'id', always: true, from: [14, 253] }),
  column('in_phys_if', 'u32', 'interfaces', 'Input port', 'ifIndex of the physical input interface', { unit: 'id', stored: false, from: [252] }),
  column('out_phys_if', 'u32', 'interfaces', 'Output port', 'ifIndex of the physical output interface', { unit: 'id', stored: false, from: [253] }),
  column('ingress_vrf_id', 'u32', 'interfaces', 'Input VRF', 'VRF of the input interface', { unit: 'id', from: [234] }),
  column('egress_vrf_id', 'u32', 'interfaces', 'Output VRF', 'VRF of the output interface', { unit: 'id', from: [235] }),
  column('vrf_name', 'string', 'interfaces', 'VRF name', 'Name of the VRF as sent in the record', { stored: false, from: [236] }),
  column('forwarding_status', 'u8', 'interfaces', 'Forwarding status', 'Upper two bits: 1 forwarded, 2 dropped, 3 consumed; lower six: reason', { always: true, from: [89] }),
  column('drop_reason', 'u32', 'interfaces', 'Drop reason', 'Reason code of an sFlow discard (sflow_drops.txt)', { unit: 'id', stored: false }),

  // Ethernet.
  column('src_mac', 'mac', 'layer2', 'Source MAC', 'Source address of the incoming frame', { always: true, from: [56, 365] }),
  column('dst_mac', 'mac', 'layer2', 'Destination MAC', 'Destination address of the incoming frame', { always: true, from: [80] }),
  column('post_src_mac', 'mac', 'layer2', 'Source MAC after', 'Source address of the outgoing frame', { stored: false, from: [81] }),
  column('post_dst_mac', 'mac', 'layer2', 'Destination MAC after', 'Destination address of the outgoing frame', { stored: false, from: [57] }),
  column('src_vlan', 'u16', 'layer2', 'Input VLAN', 'VLAN on the input side', { unit: 'id', from: [58] }),
  column('dst_vlan', 'u16', 'layer2', 'Output VLAN', 'VLAN on the output side', { unit: 'id', from: [59, 254] }),
  column('vlan_id', 'u16', 'layer2', 'VLAN', 'Outer VLAN of the frame', { unit: 'id', always: true, from: [58, 243] }),
  column('dot1q_vlan_id', 'u16', 'layer2', '802.1Q VLAN', 'VLAN id of the 802.1Q tag', { unit: 'id', stored: false, from: [243] }),
  column('dot1q_customer_vlan_id', 'u16', 'layer2', 'Customer VLAN', 'Inner VLAN id of a QinQ frame', { unit: 'id', stored: false, from: [245] }),
  column('wlan_ssid', 'string', 'layer2', 'SSID', 'Wireless network', { stored: false, from: [147] }),
  column('sta_mac', 'mac', 'layer2', 'Station MAC', 'Wireless station', { stored: false, from: [365] }),
  column('wtp_mac', 'mac', 'layer2', 'Access point MAC', 'Wireless termination point', { stored: false, from: [367] }),

  // Routing.
  column('src_as', 'u32', 'routing', 'Source AS', 'Autonomous system of the source, 0 = unknown or own', { unit: 'id', text: 'asn', names: 'as', always: true, from: [16] }),
  column('dst_as', 'u32', 'routing', 'Destination AS', 'Autonomous system of the destination, 0 = unknown or own', { unit: 'id', text: 'asn', names: 'as', always: true, from: [17] }),
  column('src_peer_as', 'u32', 'routing', 'Source peer AS', 'Neighbouring AS on the way to the source', { unit: 'id', text: 'asn', names: 'as', stored: false, from: [129] }),
  column('next_hop_as', 'u32', 'routing', 'Next hop AS', 'Neighbouring AS on the way to the destination', { unit: 'id', text: 'asn', names: 'as', from: [128] }),
  column('next_hop', 'addr', 'routing', 'Next hop', 'Address of the next router', { always: true, from: [15, 62] }),
  column('bgp_next_hop', 'addr', 'routing', 'BGP next hop', 'Address of the BGP next hop', { from: [18, 63] }),
  column('as_path', 'u32[]', 'routing', 'AS path', 'AS path towards the destination', { text: 'asn' }),
  column('bgp_communities', 'u32[]', 'routing', 'Communities', 'BGP communities of the route'),
  column('local_pref', 'u32', 'routing', 'Local preference', 'BGP local preference of the route', { stored: false }),
  column('mpls_label', 'u32[]', 'routing', 'MPLS labels', 'Label stack, outermost first', { from: [70, 71, 72, 73, 74, 75, 76, 77, 78, 79] }),

  // Address translation and firewall events.
  column('nat_src_addr', 'addr', 'nat', 'Translated source', 'Source address after NAT', { from: [225, 281, 40001] }),
  column('nat_dst_addr', 'addr', 'nat', 'Translated destination', 'Destination address after NAT', { from: [226, 282, 40002] }),
  column('nat_src_port', 'u16', 'nat', 'Translated source port', 'Source port after NAT', { unit: 'id', from: [227, 40003] }),
  column('nat_dst_port', 'u16', 'nat', 'Translated destination port', 'Destination port after NAT', { unit: 'id', from: [228, 40004] }),
  column('nat_event', 'u8', 'nat', 'NAT event', 'What happened to the translation (RFC 8158)', { stored: false, from: [230] }),
  column('fw_event', 'u8', 'nat', 'Firewall event', '1 created, 2 deleted, 3 denied, 4 alert, 5 updated', { from: [233, 40005] }),
  column('fw_ext_event', 'u16', 'nat', 'Extended event', 'Reason of a firewall event', { stored: false, from: [33002] }),
  column('event_time_ns', 'time', 'nat', 'Event time', 'When the event was observed', { stored: false, from: [323] }),
  column('user_name', 'string', 'nat', 'User', 'User that the exporter attached to the flow', { stored: false, from: [371, 40000] }),

  // What it is.
  column('service', 'u32', 'application', 'Service', 'Protocol and port of the serving side', { unit: 'id', text: 'service' }),
  column('app', 'u32', 'application', 'Application', 'Application by name, or protocol and port where nothing names one', { unit: 'id', text: 'named', names: 'app' }),
  column('app_rule', 'u8', 'application', 'Application rule', 'The rule that named the application', { text: 'word', words: APP_RULES }),
  column('app_id', 'string', 'application', 'Application id', 'Engine and selector (RFC 6759), as hexadecimal digits', { text: 'hex', stored: false, from: [95] }),
  column('app_name', 'string', 'application', 'Application name', 'Application named by the exporter', { stored: false, from: [96] }),
  column('app_desc', 'string', 'application', 'Application description', 'Description of the application', { stored: false, from: [94] }),
  column('vendor_app', 'string', 'application', 'Vendor application', 'Application named by a field of Palo Alto, nProbe or Ixia', { stored: false, from: [56701, 57591, [35632, 119], [3054, 111]] }),

  // Inside a tunnel, and what carried it.
  column('l2_segment_id', 'u64', 'tunnel', 'Segment', 'Layer 2 segment; for VXLAN the lower 24 bits are the VNI', { unit: 'id', stored: false, from: [351] }),
  column('tunnel_src_addr', 'addr', 'tunnel', 'Tunnel source', 'The other source address of a tunnelled packet', { stored: false }),
  column('tunnel_dst_addr', 'addr', 'tunnel', 'Tunnel destination', 'The other destination address of a tunnelled packet', { stored: false }),
  column('tunnel_proto', 'u8', 'tunnel', 'Tunnel protocol', 'Protocol of the tunnel header', { text: 'proto', stored: false }),
] as const satisfies readonly Column[];

export type ColumnName = (typeof COLUMNS)[number]['name'];

/** Bits of the `quality` column; a record is stored with a flag, never rejected (DESIGN: the loss ledger). */
export const QUALITY = {
  sampling_unknown: 1,
  clock_anomaly: 2,
  clock_corrected: 4,
  no_flow_times: 8,
  counters_repeated: 16,
  template_fallback: 32,
  header_truncated: 64,
  reverse: 128,
  no_counters: 256,
} as const;

/** Values of the `type` column; names and numbers are goflow2's, NETFLOW_V7 is ours. */
export const FLOW_TYPES = { FLOWUNKNOWN: 0, SFLOW_5: 1, NETFLOW_V5: 2, NETFLOW_V9: 3, IPFIX: 4, NETFLOW_V7: 5 } as const;

const BY_NAME: ReadonlyMap<string, Column> = new Map(COLUMNS.map((column) => [column.name, column]));

/** Stored columns that a column is computed from; the column itself when it is stored. */
export function storedColumns(name: ColumnName): readonly ColumnName[] {
  const { derived } = BY_NAME.get(name) as Column;
  if (derived === undefined) return [name];
  return [...new Set(derived.match(/[a-z][a-z0-9_]*/g))].filter((word): word is ColumnName => BY_NAME.has(word));
}
