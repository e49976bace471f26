import type { ColumnName } from '@ringflow/contract';
import type { ManifestRecord, Row } from './captures.ts';

/** One value that the manifest states for a record, and where it is found in our row. */
export interface ExpectedCell {
  /** Key of the manifest. */
  readonly key: string;
  readonly value: unknown;
  readonly row: 'forward' | 'reverse';
  /** A reverse direction without packets has no row. */
  readonly mayBeAbsent: boolean;
  read(row: Row): unknown;
}

type Mapping = {
  readonly row?: 'reverse';
  readonly read: (row: Row) => unknown;
  readonly from?: (value: unknown, record: Fields) => unknown;
};
type Fields = Readonly<Record<string, unknown>>;

const number = (name: ColumnName): Mapping => ({ read: (row) => row[name] ?? 0 });
const address = (name: ColumnName): Mapping => ({ read: (row) => row[name] ?? '::' });
const text = (name: ColumnName): Mapping => ({ read: (row) => row[name] ?? '' });
const mac = (name: ColumnName): Mapping => ({ read: (row) => row[name] ?? '00:00:00:00:00:00' });
const list = (name: ColumnName): Mapping => ({ read: (row) => row[name] ?? [] });
const milliseconds = (name: ColumnName): Mapping => ({
  read: (row) => BigInt((row[name] as bigint | undefined) ?? 0n) / 1_000_000n,
});
const reversed = (name: ColumnName): Mapping => ({ row: 'reverse', read: (row) => row[name] ?? 0 });

/** NetFlow and IPFIX: keys of `expected`. Keys without an entry say how the manifest came to a value. */
const FLOW_KEYS: Readonly<Record<string, Mapping>> = {
  src_addr: address('src_addr'),
  dst_addr: address('dst_addr'),
  next_hop: address('next_hop'),
  bgp_next_hop: address('bgp_next_hop'),
  nat_src_addr: address('nat_src_addr'),
  nat_dst_addr: address('nat_dst_addr'),
  bytes: number('bytes'),
  packets: number('packets'),
  flows: { read: (row) => row.flows ?? 1, from: (value) => (value === 0 ? 1 : value) },
  total_bytes: number('total_bytes'),
  total_packets: number('total_packets'),
  post_bytes: number('post_bytes'),
  post_packets: number('post_packets'),
  proto: number('proto'),
  src_port: number('src_port'),
  dst_port: number('dst_port'),
  nat_src_port: number('nat_src_port'),
  nat_dst_port: number('nat_dst_port'),
  tcp_flags: number('tcp_flags'),
  tos: number('ip_tos'),
  // F09: the octet is kept, DSCP is its upper six bits.
  dscp: { read: (row) => Number(row.ip_tos ?? 0) >> 2 },
  icmp_type: number('icmp_type'),
  icmp_code: number('icmp_code'),
  icmp_type_from_port: number('icmp_type'),
  icmp_code_from_port: number('icmp_code'),
  ip_version: number('ip_version'),
  ip_ttl: number('ip_ttl'),
  max_ttl: number('max_ttl'),
  ip_id: number('fragment_id'),
  flow_label: number('ipv6_flow_label'),
  ethertype: number('etype'),
  src_mask: number('src_mask'),
  dst_mask: number('dst_mask'),
  src_as: number('src_as'),
  dst_as: number('dst_as'),
  in_if: number('in_if'),
  out_if: number('out_if'),
  in_phys_if: number('in_phys_if'),
  out_phys_if: number('out_phys_if'),
  ingress_vrf: number('ingress_vrf_id'),
  egress_vrf: number('egress_vrf_id'),
  vrf_name: text('vrf_name'),
  vlan: number('vlan_id'),
  post_vlan: number('dst_vlan'),
  dot1q_vlan: number('dot1q_vlan_id'),
  src_mac: mac('src_mac'),
  dst_mac: mac('dst_mac'),
  post_src_mac: mac('post_src_mac'),
  post_dst_mac: mac('post_dst_mac'),
  sta_mac: mac('sta_mac'),
  wtp_mac: mac('wtp_mac'),
  ssid: text('wlan_ssid'),
  username: text('user_name'),
  app_id: text('app_id'),
  app_name: text('app_name'),
  app_desc: text('app_desc'),
  direction: number('flow_direction'),
  biflow_direction: number('biflow_direction'),
  flow_end_reason: number('flow_end_reason'),
  flow_id: number('flow_id'),
  forwarding_status: number('forwarding_status'),
  fw_event: number('fw_event'),
  l2_segment_id: number('l2_segment_id'),
  sampler_id: number('sampler_id'),
  sampling_rate: number('sampling_rate'),
  start_ms: milliseconds('time_flow_start_ns'),
  end_ms: milliseconds('time_flow_end_ns'),
  event_time_ms: milliseconds('event_time_ns'),
  start_ns: number('time_flow_start_ns'),
  end_ns: number('time_flow_end_ns'),
  // C06: without a boot time only the duration can be kept.
  end_sysuptime_ms: {
    read: (row) =>
      (BigInt((row.time_flow_end_ns as bigint) ?? 0n) - BigInt((row.time_flow_start_ns as bigint) ?? 0n)) / 1_000_000n,
    from: (value, record) => Number(value) - Number(record['start_sysuptime_ms'] ?? value),
  },
  rev_bytes: reversed('bytes'),
  rev_packets: reversed('packets'),
  rev_tos: reversed('ip_tos'),
  rev_vlan: reversed('vlan_id'),
};

/** sFlow: keys of the record itself. */
const SFLOW_KEYS: Readonly<Record<string, Mapping>> = {
  agent: address('sampler_address'),
  sub_agent: number('observation_domain_id'),
  datagram_seq: number('sequence_num'),
  sampling_rate: { read: (row) => row.sampling_rate ?? 0, from: (value) => value ?? 0 },
  // H04: format 0 is an ifIndex (0x3fffffff = the device itself), 1 a drop, 2 a number of interfaces.
  in_if: { read: (row) => row.in_if ?? 0, from: (value, record) => interfaceOf(value, record['in_if_format']) },
  out_if: { read: (row) => row.out_if ?? 0, from: (value, record) => interfaceOf(value, record['out_if_format']) },
  frame_bytes: number('frame_bytes'),
  ip_bytes: number('bytes'),
  src_mac: mac('src_mac'),
  dst_mac: mac('dst_mac'),
  ethertype: number('etype'),
  src_addr: address('src_addr'),
  dst_addr: address('dst_addr'),
  proto: number('proto'),
  tos: number('ip_tos'),
  ip_ttl: number('ip_ttl'),
  src_port: number('src_port'),
  dst_port: number('dst_port'),
  tcp_flags: number('tcp_flags'),
  icmp_type: number('icmp_type'),
  icmp_code: number('icmp_code'),
  ip_id: number('fragment_id'),
  vlans: { read: (row) => row.vlan_id ?? 0, from: (value) => (value as number[])[0] },
  ext_in_vlan: number('src_vlan'),
  ext_out_vlan: number('dst_vlan'),
  next_hop: address('next_hop'),
  bgp_next_hop: address('bgp_next_hop'),
  src_as: number('src_as'),
  dst_as: number('dst_as'),
  src_peer_as: number('src_peer_as'),
  dst_peer_as: number('next_hop_as'),
  dst_as_path: list('as_path'),
  communities: list('bgp_communities'),
  local_pref: number('local_pref'),
};

function interfaceOf(value: unknown, format: unknown): unknown {
  return format === 0 && value !== 0x3fffffff ? value : 0;
}

/** What the manifest says about one flow record, in terms of our columns. */
export function expectedCells(record: ManifestRecord): ExpectedCell[] {
  const fields: Fields = record.expected ?? record;
  const keys = record.expected ? FLOW_KEYS : SFLOW_KEYS;
  return Object.entries(fields).flatMap(([key, raw]) => {
    const mapping = keys[key];
    if (!mapping) return [];
    const row = mapping.row ?? 'forward';
    return [
      {
        key,
        value: mapping.from ? mapping.from(raw, fields) : raw,
        row,
        mayBeAbsent: row === 'reverse' && Number(fields['rev_packets'] ?? 0) === 0,
        read: mapping.read,
      },
    ];
  });
}

/** Keys that are absent in the manifest when the exporter did not send the value: then our column must be empty. */
const NEVER_INVENTED = [
  ...['bytes', 'packets', 'post_bytes', 'post_packets', 'total_bytes', 'total_packets'],
  ...['src_addr', 'dst_addr', 'next_hop', 'bgp_next_hop', 'src_port', 'dst_port', 'src_mask', 'dst_mask'],
  ...['proto', 'tcp_flags', 'tos', 'ip_ttl', 'ip_id', 'flow_label', 'icmp_type', 'icmp_code'],
  ...['in_if', 'out_if', 'ingress_vrf', 'egress_vrf', 'vlan', 'post_vlan', 'src_mac', 'dst_mac', 'post_src_mac'],
  ...['src_as', 'dst_as', 'nat_src_addr', 'nat_dst_addr', 'nat_src_port', 'nat_dst_port', 'fw_event', 'flow_id'],
  ...['direction', 'biflow_direction', 'flow_end_reason', 'forwarding_status', 'sampler_id', 'sampling_rate'],
  ...['app_id', 'app_name', 'username', 'ssid', 'vrf_name', 'l2_segment_id', 'event_time_ms'],
];

/** Values in our row that the exporter did not send, by key (`src_mac (not sent)`). */
export function inventedValues(record: ManifestRecord, row: Row): { key: string; actual: unknown }[] {
  const { expected } = record;
  if (!expected) return [];
  return NEVER_INVENTED.flatMap((key) => {
    const mapping = FLOW_KEYS[key];
    if (!mapping || key in expected || `${key}_from_port` in expected) return [];
    const actual = mapping.read(row);
    return String(actual) === String(mapping.read({})) ? [] : [{ key: `${key} (not sent)`, actual }];
  });
}
