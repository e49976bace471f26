/** Counter records of sFlow as named numbers (H14); the names are those of the MIB objects they copy. */

/** `u32` and `u64` are integers, `percent` hundredths of a percent (all ones = unknown). */
type Kind = 'u32' | 'u64' | 'percent' | 'hex64';

type Layout = readonly (readonly [name: string, kind: Kind])[];

const all = (kind: Kind, ...names: string[]): Layout => names.map((name) => [name, kind]);

const IF_COUNTERS: Layout = [
  ['ifIndex', 'u32'],
  ['networkType', 'u32'],
  ['ifSpeed', 'u64'],
  ['ifDirection', 'u32'],
  ['ifStatus', 'u32'],
  ['ifInOctets', 'u64'],
  ...all(
    'u32',
    'ifInUcastPkts',
    'ifInMulticastPkts',
    'ifInBroadcastPkts',
    'ifInDiscards',
    'ifInErrors',
    'ifInUnknownProtos',
  ),
  ['ifOutOctets', 'u64'],
  ...all(
    'u32',
    'ifOutUcastPkts',
    'ifOutMulticastPkts',
    'ifOutBroadcastPkts',
    'ifOutDiscards',
    'ifOutErrors',
    'ifPromiscuousMode',
  ),
];

const ETHERNET_COUNTERS = all(
  'u32',
  'dot3StatsAlignmentErrors',
  'dot3StatsFCSErrors',
  'dot3StatsSingleCollisionFrames',
  'dot3StatsMultipleCollisionFrames',
  'dot3StatsSQETestErrors',
  'dot3StatsDeferredTransmissions',
  'dot3StatsLateCollisions',
  'dot3StatsExcessiveCollisions',
  'dot3StatsInternalMacTransmitErrors',
  'dot3StatsCarrierSenseErrors',
  'dot3StatsFrameTooLongs',
  'dot3StatsInternalMacReceiveErrors',
  'dot3StatsSymbolErrors',
);

const VLAN_COUNTERS: Layout = [
  ['in_vlan', 'u32'],
  ['octets', 'u64'],
  ...all('u32', 'ucastPkts', 'multicastPkts', 'broadcastPkts', 'discards'),
];

const PROCESSOR: Layout = [
  ...all('percent', '5s_cpu', '1m_cpu', '5m_cpu'),
  ...all('u64', 'total_memory_bytes', 'free_memory_bytes'),
];

const OPENFLOW_PORT: Layout = [
  ['openflow_datapath_id', 'hex64'],
  ['openflow_port', 'u32'],
];

/** By tag (enterprise 0). */
const LAYOUTS: ReadonlyMap<number, Layout> = new Map([
  [1, IF_COUNTERS],
  [2, ETHERNET_COUNTERS],
  [5, VLAN_COUNTERS],
  [1001, PROCESSOR],
  [1004, OPENFLOW_PORT],
]);

const PORT_NAME = 1005;

/**
 * Reads a counter record.
 *
 * @returns null for a kind that nobody here asks for, or a record that is too short
 */
export function readCounters(
  bytes: Uint8Array,
  view: DataView,
  tag: number,
  from: number,
  to: number,
): Record<string, number | bigint | string> | null {
  if (tag === PORT_NAME) {
    if (from + 4 > to) return null;
    const length = view.getUint32(from);
    if (length > to - from - 4) return null;
    return { ifName: new TextDecoder().decode(bytes.subarray(from + 4, from + 4 + length)) };
  }
  const layout = LAYOUTS.get(tag);
  if (!layout) return null;
  const values: Record<string, number | bigint | string> = {};
  let at = from;
  for (const [name, kind] of layout) {
    const size = kind === 'u64' || kind === 'hex64' ? 8 : 4;
    if (at + size > to) return null;
    if (kind === 'u64') values[name] = view.getBigUint64(at);
    else if (kind === 'hex64') values[name] = view.getBigUint64(at).toString(16).padStart(16, '0');
    else if (kind === 'percent') values[name] = view.getInt32(at) / 100;
    else values[name] = view.getUint32(at);
    at += size;
  }
  return values;
}
