import { createByteWriter } from './byte-writer.ts';
import type { DemoFlow } from './flow.ts';

/** Most records of a NetFlow v5 datagram. */
export const NETFLOW5_MAX_RECORDS = 30;
/** Counters of v5 have 32 bits. */
const MOST = 0xffff_ffff;

export interface Netflow5Header {
  /** Milliseconds since the epoch, and since the exporter's boot. */
  readonly unixMs: number;
  readonly uptimeMs: number;
  /** Flows sent before this datagram (the unit of v5 sequence numbers). */
  readonly sequence: number;
  readonly engineType: number;
  readonly engineId: number;
  /** One packet in N, below 16,384; the two mode bits are set to 01 (packet interval). 0 and 1 = not sampled. */
  readonly sampling: number;
}

/** A NetFlow v5 datagram (Cisco NetFlow Services Solutions Guide, table B-3 and B-4). IPv4 only. */
export function encodeNetflow5(header: Netflow5Header, flows: readonly DemoFlow[]): Uint8Array {
  const writer = createByteWriter(24 + 48 * flows.length);
  const bootMs = header.unixMs - header.uptimeMs;
  const sampling = header.sampling > 1 ? 0x4000 | header.sampling : 0;
  writer
    .u16(5)
    .u16(flows.length)
    .u32(header.uptimeMs >>> 0)
    .u32(Math.floor(header.unixMs / 1000))
    .u32((header.unixMs % 1000) * 1_000_000);
  writer
    .u32(header.sequence >>> 0)
    .u8(header.engineType)
    .u8(header.engineId)
    .u16(sampling);
  for (const flow of flows) {
    writer
      .bytes(flow.src)
      .bytes(flow.dst)
      .u32(0)
      .u16(flow.inIf)
      .u16(flow.outIf)
      .u32(Math.min(flow.packets, MOST))
      .u32(Math.min(flow.bytes, MOST));
    writer
      .u32((flow.startMs - bootMs) >>> 0)
      .u32((flow.endMs - bootMs) >>> 0)
      .u16(flow.srcPort)
      .u16(portOf(flow));
    writer
      .u8(0)
      .u8(flow.tcpFlags)
      .u8(flow.proto)
      .u8(flow.tos)
      .u16(flow.srcAs & 0xffff)
      .u16(flow.dstAs & 0xffff)
      .u8(flow.srcMask)
      .u8(flow.dstMask)
      .u16(0);
  }
  return writer.done();
}

/** ICMP type and code travel in the destination port (Cisco practice; protocols F08). */
export function portOf(flow: DemoFlow): number {
  return flow.icmpType === undefined ? flow.dstPort : flow.icmpType * 256 + (flow.icmpCode ?? 0);
}
