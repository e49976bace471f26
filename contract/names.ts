/**
 * Names of protocol numbers. One table per IANA registry, both directions from the same rows; where goflow2's JSON has
 * a name, it is that one.
 */
import { FLOW_TYPES } from './columns.ts';

/** https://www.iana.org/assignments/protocol-numbers: number → name. The first name of a number is the one written. */
const PROTOCOLS: readonly (readonly [number, ...string[]])[] = [
  [0, 'HOPOPT'],
  [1, 'ICMP'],
  [2, 'IGMP'],
  [3, 'GGP'],
  [4, 'IPv4', 'IPIP', 'IP-in-IP'],
  [5, 'ST'],
  [6, 'TCP'],
  [7, 'CBT'],
  [8, 'EGP'],
  [9, 'IGP'],
  [10, 'BBN-RCC-MON'],
  [11, 'NVP-II'],
  [12, 'PUP'],
  [13, 'ARGUS'],
  [14, 'EMCON'],
  [15, 'XNET'],
  [16, 'CHAOS'],
  [17, 'UDP'],
  [18, 'MUX'],
  [19, 'DCN-MEAS'],
  [20, 'HMP'],
  [21, 'PRM'],
  [22, 'XNS-IDP'],
  [23, 'TRUNK-1'],
  [24, 'TRUNK-2'],
  [25, 'LEAF-1'],
  [26, 'LEAF-2'],
  [27, 'RDP'],
  [28, 'IRTP'],
  [29, 'ISO-TP4'],
  [30, 'NETBLT'],
  [31, 'MFE-NSP'],
  [32, 'MERIT-INP'],
  [33, 'DCCP'],
  [34, '3PC'],
  [35, 'IDPR'],
  [36, 'XTP'],
  [37, 'DDP'],
  [38, 'IDPR-CMTP'],
  [39, 'TP++'],
  [40, 'IL'],
  [41, 'IPv6', '6in4'],
  [42, 'SDRP'],
  [43, 'IPv6-Route'],
  [44, 'IPv6-Frag'],
  [45, 'IDRP'],
  [46, 'RSVP'],
  [47, 'GRE'],
  [48, 'DSR'],
  [49, 'BNA'],
  [50, 'ESP', 'IPSEC-ESP'],
  [51, 'AH', 'IPSEC-AH'],
  [52, 'I-NLSP'],
  [53, 'SWIPE'],
  [54, 'NARP'],
  [55, 'Min-IPv4', 'MOBILE'],
  [56, 'TLSP'],
  [57, 'SKIP'],
  [58, 'IPv6-ICMP', 'ICMPv6', 'ICMP6'],
  [59, 'IPv6-NoNxt'],
  [60, 'IPv6-Opts'],
  [61, 'any-host-internal-protocol'],
  [62, 'CFTP'],
  [63, 'any-local-network'],
  [64, 'SAT-EXPAK'],
  [65, 'KRYPTOLAN'],
  [66, 'RVD'],
  [67, 'IPPC'],
  [68, 'any-distributed-file-system'],
  [69, 'SAT-MON'],
  [70, 'VISA'],
  [71, 'IPCV'],
  [72, 'CPNX'],
  [73, 'CPHB', 'RSPF'],
  [74, 'WSN'],
  [75, 'PVP'],
  [76, 'BR-SAT-MON'],
  [77, 'SUN-ND'],
  [78, 'WB-MON'],
  [79, 'WB-EXPAK'],
  [80, 'ISO-IP'],
  [81, 'VMTP'],
  [82, 'SECURE-VMTP'],
  [83, 'VINES'],
  [84, 'IPTM'],
  [85, 'NSFNET-IGP'],
  [86, 'DGP'],
  [87, 'TCF'],
  [88, 'EIGRP'],
  [89, 'OSPFIGP', 'OSPF'],
  [90, 'Sprite-RPC'],
  [91, 'LARP'],
  [92, 'MTP'],
  [93, 'AX.25'],
  [94, 'IPIP', 'IPIP-94'],
  [95, 'MICP'],
  [96, 'SCC-SP'],
  [97, 'ETHERIP'],
  [98, 'ENCAP'],
  [99, 'any-private-encryption-scheme'],
  [100, 'GMTP'],
  [101, 'IFMP'],
  [102, 'PNNI'],
  [103, 'PIM'],
  [104, 'ARIS'],
  [105, 'SCPS'],
  [106, 'QNX'],
  [107, 'A/N'],
  [108, 'IPComp'],
  [109, 'SNP'],
  [110, 'Compaq-Peer'],
  [111, 'IPX-in-IP'],
  [112, 'VRRP', 'CARP'],
  [113, 'PGM'],
  [114, 'any-0-hop-protocol'],
  [115, 'L2TP'],
  [116, 'DDX'],
  [117, 'IATP'],
  [118, 'STP'],
  [119, 'SRP'],
  [120, 'UTI'],
  [121, 'SMP'],
  [122, 'SM'],
  [123, 'PTP'],
  [124, 'ISIS over IPv4', 'ISIS'],
  [125, 'FIRE'],
  [126, 'CRTP'],
  [127, 'CRUDP'],
  [128, 'SSCOPMCE'],
  [129, 'IPLT'],
  [130, 'SPS'],
  [131, 'PIPE'],
  [132, 'SCTP'],
  [133, 'FC'],
  [134, 'RSVP-E2E-IGNORE'],
  [135, 'Mobility Header'],
  [136, 'UDPLite'],
  [137, 'MPLS-in-IP'],
  [138, 'manet'],
  [139, 'HIP'],
  [140, 'Shim6'],
  [141, 'WESP'],
  [142, 'ROHC'],
  [143, 'Ethernet'],
  [144, 'AGGFRAG'],
  [145, 'NSH'],
  [255, 'Reserved'],
];

/** https://www.iana.org/assignments/ieee-802-numbers: those seen in flow data. */
const ETHER_TYPES: readonly (readonly [number, ...string[]])[] = [
  [0x0800, 'IPv4', 'IP'],
  [0x0806, 'ARP'],
  [0x0842, 'WoL'],
  [0x22f3, 'TRILL'],
  [0x6558, 'TEB'],
  [0x8035, 'RARP'],
  [0x809b, 'AppleTalk'],
  [0x8100, 'VLAN'],
  [0x8137, 'IPX'],
  [0x86dd, 'IPv6'],
  [0x8808, 'Ethernet-Flow-Control'],
  [0x8809, 'Slow-Protocols', 'LACP'],
  [0x8847, 'MPLS'],
  [0x8848, 'MPLS-Multicast'],
  [0x8863, 'PPPoE-Discovery'],
  [0x8864, 'PPPoE'],
  [0x888e, 'EAPOL'],
  [0x88a2, 'AoE'],
  [0x88a8, 'QinQ'],
  [0x88cc, 'LLDP'],
  [0x88e5, 'MACsec'],
  [0x88f7, 'PTP'],
  [0x8902, 'CFM'],
  [0x8906, 'FCoE'],
];

const TYPES: readonly (readonly [number, ...string[]])[] = Object.entries(FLOW_TYPES).map(
  ([name, number]) => [number, name] as const,
);

interface Names {
  readonly byNumber: ReadonlyMap<number, string>;
  readonly byName: ReadonlyMap<string, number>;
}

/** Case, `-`, `_` and `.` do not matter when a name is read. */
function fold(name: string): string {
  return name.toLowerCase().replace(/[-_. ]/g, '');
}

function index(rows: readonly (readonly [number, ...string[]])[]): Names {
  return {
    byNumber: new Map(rows.map(([number, name]) => [number, name as string])),
    byName: new Map(rows.flatMap(([number, ...names]) => names.map((name) => [fold(name), number] as const))),
  };
}

const PROTOCOL_NAMES = index(PROTOCOLS);
const ETHER_TYPE_NAMES = index(ETHER_TYPES);
const FLOW_TYPE_NAMES = index(TYPES);

function parse(names: Names, text: string, max: number): number | null {
  const named = names.byName.get(fold(text));
  if (named !== undefined) return named;
  if (!/^(0x[0-9a-f]+|[0-9]+)$/i.test(text)) return null;
  const number = Number(text);
  return number <= max ? number : null;
}

/** `TCP`, `UDP`, `ICMPv6` …; the number in text for those without a name. */
export function formatProtocol(number: number): string {
  return PROTOCOL_NAMES.byNumber.get(number) ?? String(number);
}

/** Protocol number of a name or of digits; null = neither. */
export function parseProtocol(text: string): number | null {
  return parse(PROTOCOL_NAMES, text, 255);
}

/** `IPv4`, `IPv6`, `ARP` …; `0x88b5` for those without a name, the empty string for 0. */
export function formatEtherType(number: number): string {
  if (number === 0) return '';
  return ETHER_TYPE_NAMES.byNumber.get(number) ?? `0x${number.toString(16).padStart(4, '0')}`;
}

/** Ether type of a name, of digits or of `0x…`; null = neither. */
export function parseEtherType(text: string): number | null {
  return parse(ETHER_TYPE_NAMES, text, 0xffff);
}

/** `NETFLOW_V9`, `SFLOW_5` …, as goflow2 writes them. */
export function formatFlowType(number: number): string {
  return FLOW_TYPE_NAMES.byNumber.get(number) ?? String(number);
}

/** Flow type of a name (`netflow_v9`, `netflowv9`, `sflow`) or of digits; null = neither. */
export function parseFlowType(text: string): number | null {
  const folded = fold(text);
  if (folded === 'sflow') return FLOW_TYPES.SFLOW_5;
  return parse(FLOW_TYPE_NAMES, text, 255);
}

/** Names for completion: protocols, ether types and flow types as they are written. */
export const PROTOCOL_LIST: readonly (readonly [number, string])[] = [...PROTOCOL_NAMES.byNumber];
export const ETHER_TYPE_LIST: readonly (readonly [number, string])[] = [...ETHER_TYPE_NAMES.byNumber];
export const FLOW_TYPE_LIST: readonly (readonly [number, string])[] = [...FLOW_TYPE_NAMES.byNumber];
