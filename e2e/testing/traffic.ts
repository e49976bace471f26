import {
  addressOf,
  createFlowSource,
  createRandom,
  EXPORTERS,
  frameOf,
  type DemoExporter,
  type DemoFlow,
} from '../../collector/src/demo/index.ts';
import type { CapturedFrame } from './pcap-writer.ts';

/** Sums as every exporter should count them: IP bytes, packets, one record per direction of a conversation. */
export interface Totals {
  readonly records: number;
  readonly bytes: number;
  readonly packets: number;
}

/** Packets on a wire, in order of time, and what they add up to. */
export interface Traffic {
  readonly frames: readonly CapturedFrame[];
  readonly totals: Totals;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface TrafficOptions {
  readonly seed: number;
  readonly conversations: number;
  /** The last packet is not after this. */
  readonly endMs: number;
  /** IPv6 too; NetFlow v5 cannot carry it. */
  readonly ipv6: boolean;
}

const ETHERNET_BYTES = 14;
const MOST_PACKETS = 12;
/** ACK and PSH: a flow with FIN or RST could be expired while the capture is read, and be reported as two. */
const ESTABLISHED = 0x18;

/** Conversations of the demo's network as packets: the same seed gives the same packets. */
export function createTraffic({ seed, conversations, endMs, ipv6 }: TrafficOptions): Traffic {
  const random = createRandom(seed);
  const protocol = ipv6 ? 'netflow9' : 'netflow5';
  const exporter = EXPORTERS.find((one) => one.protocol === protocol) as DemoExporter;
  const source = createFlowSource(exporter, random);
  const frames: CapturedFrame[] = [];
  const seen = new Set<string>();
  let bytes = 0;
  let packets = 0;
  while (seen.size < conversations * 2) {
    const flows = source.conversation(endMs - random.between(0, 5000));
    if (flows.some((flow) => seen.has(keyOf(flow)))) continue;
    for (const flow of flows) {
      seen.add(keyOf(flow));
      const count = Math.min(MOST_PACKETS, flow.packets);
      const ipBytes = Math.min(1500, Math.max(60, Math.round(flow.bytes / flow.packets)));
      for (let i = 0; i < count; i++) {
        const atMs = flow.startMs + (count === 1 ? 0 : ((flow.endMs - flow.startMs) * i) / (count - 1));
        const fullBytes = ETHERNET_BYTES + ipBytes;
        const frame = frameOf({ ...flow, vlan: 0, tcpFlags: flow.proto === 6 ? ESTABLISHED : 0 }, fullBytes);
        frames.push({ atMs, bytes: frame.subarray(0, Math.min(frame.length, fullBytes)), fullBytes });
        bytes += ipBytes;
        packets += 1;
      }
    }
  }
  frames.sort((left, right) => left.atMs - right.atMs);
  return {
    frames,
    totals: { records: seen.size, bytes, packets },
    fromMs: frames[0]?.atMs ?? endMs,
    toMs: frames.at(-1)?.atMs ?? endMs,
  };
}

/** What exporters take for one direction of a conversation; the type of an ICMP message does not count for all. */
function keyOf({ src, dst, proto, srcPort, dstPort }: DemoFlow): string {
  return [src, dst, proto, srcPort, dstPort].join(' ');
}

/** Where the packets go that only push others out of an exporter's buffer. */
export const MARKER_ADDRESS = '192.0.2.99';

/** Packets of one flow of no interest, just after others. */
export function markerFrames(afterMs: number, count: number): CapturedFrame[] {
  const flow: DemoFlow = {
    src: addressOf('192.0.2.98'),
    dst: addressOf(MARKER_ADDRESS),
    srcPort: 9,
    dstPort: 9,
    proto: 17,
    tcpFlags: 0,
    tos: 0,
    bytes: 60,
    packets: 1,
    startMs: afterMs,
    endMs: afterMs,
    inIf: 0,
    outIf: 0,
    srcAs: 0,
    dstAs: 0,
    srcMask: 0,
    dstMask: 0,
    vlan: 0,
  };
  const fullBytes = ETHERNET_BYTES + 60;
  return Array.from({ length: count }, () => ({ atMs: afterMs, bytes: frameOf(flow, fullBytes), fullBytes }));
}
