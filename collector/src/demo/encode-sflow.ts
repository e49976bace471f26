import { createByteWriter, type ByteWriter } from './byte-writer.ts';
import type { DemoFlow, DemoInterface } from './flow.ts';

/** sFlow version 5 (sflow.org/sflow_version_5.txt). Everything is XDR: four-byte units, opaque data padded. */
export interface SflowHeader {
  /** Agent address, four or sixteen bytes. */
  readonly agent: Uint8Array;
  readonly subAgent: number;
  /** Datagrams sent before this one, plus one. */
  readonly sequence: number;
  readonly uptimeMs: number;
}

export interface FlowSample {
  /** Per source id, from 1. */
  readonly sequence: number;
  /** Packets that could have been sampled so far. */
  readonly pool: number;
  readonly rate: number;
  /** Layer 2 length of the sampled frame including its checksum. */
  readonly frameBytes: number;
  readonly flow: DemoFlow;
}

export interface CounterSample {
  readonly sequence: number;
  readonly interface: DemoInterface;
  readonly inBytes: number;
  readonly inPackets: number;
  readonly outBytes: number;
  readonly outPackets: number;
}

/** Bytes of the frame that a sample carries. */
const SNAPPED_BYTES = 128;
/** Ethernet frame check sequence, which the agent strips. */
const FCS_BYTES = 4;

export function encodeSflow(
  header: SflowHeader,
  flows: readonly FlowSample[],
  counters: readonly CounterSample[] = [],
): Uint8Array {
  const writer = createByteWriter();
  writer
    .u32(5)
    .u32(header.agent.length === 4 ? 1 : 2)
    .bytes(header.agent);
  writer
    .u32(header.subAgent)
    .u32(header.sequence >>> 0)
    .u32(header.uptimeMs >>> 0)
    .u32(flows.length + counters.length);
  for (const sample of flows) writeFlowSample(writer, sample);
  for (const sample of counters) writeCounterSample(writer, sample);
  return writer.done();
}

/** flow_sample (1) with a sampled_header (1) and extended_router (1002) for masks. */
function writeFlowSample(writer: ByteWriter, { sequence, pool, rate, frameBytes, flow }: FlowSample): void {
  measured(writer, 1, () => {
    writer
      .u32(sequence)
      .u32(flow.inIf)
      .u32(rate)
      .u32(pool >>> 0)
      .u32(0)
      .u32(flow.inIf)
      .u32(flow.outIf)
      .u32(2);
    measured(writer, 1, () => {
      const frame = frameOf(flow, frameBytes - FCS_BYTES);
      const kept = frame.subarray(0, Math.min(SNAPPED_BYTES, frameBytes - FCS_BYTES));
      writer.u32(1).u32(frameBytes).u32(FCS_BYTES).u32(kept.length);
      const from = writer.length;
      writer.bytes(kept).pad(4, from);
    });
    measured(writer, 1002, () => {
      writer
        .u32(flow.src.length === 4 ? 1 : 2)
        .bytes(new Uint8Array(flow.src.length))
        .u32(flow.srcMask)
        .u32(flow.dstMask);
    });
  });
}

/** counters_sample (2) with if_counters (1) and a port name (1005). */
function writeCounterSample(writer: ByteWriter, sample: CounterSample): void {
  const { index, name, speedBps } = sample.interface;
  measured(writer, 2, () => {
    writer.u32(sample.sequence).u32(index).u32(2);
    measured(writer, 1, () => {
      writer.u32(index).u32(6).u64(speedBps).u32(1).u32(3);
      writer
        .u64(sample.inBytes)
        .u32(sample.inPackets >>> 0)
        .u32(0)
        .u32(0)
        .u32(0)
        .u32(0)
        .u32(0);
      writer
        .u64(sample.outBytes)
        .u32(sample.outPackets >>> 0)
        .u32(0)
        .u32(0)
        .u32(0)
        .u32(0)
        .u32(0);
    });
    measured(writer, 1005, () => {
      writer.u32(name.length);
      const from = writer.length;
      writer.text(name, name.length).pad(4, from);
    });
  });
}

/** Tag, length and body: how sFlow wraps samples and records. */
function measured(writer: ByteWriter, tag: number, body: () => void): void {
  const from = writer.length;
  writer.u32(tag).u32(0);
  body();
  writer.patch32(from + 4, writer.length - from - 8);
}

/** Bytes of headers in front of the payload: Ethernet, VLAN when tagged, IP, transport. */
export function headerBytes(flow: DemoFlow): number {
  const transport = flow.proto === 6 ? 20 : flow.proto === 17 ? 8 : 4;
  return 14 + (flow.vlan > 0 ? 4 : 0) + (flow.src.length === 4 ? 20 : 40) + transport;
}

/** The headers of a packet of the flow, as they were on the wire; `length` is that of the frame without checksum. */
export function frameOf(flow: DemoFlow, length: number): Uint8Array {
  const writer = createByteWriter(Math.max(SNAPPED_BYTES, headerBytes(flow)));
  writer.bytes(macOf(flow.dst)).bytes(macOf(flow.src));
  if (flow.vlan > 0) writer.u16(0x8100).u16(flow.vlan);
  const ipBytes = length - writer.length - 2;
  if (flow.src.length === 4) {
    writer.u16(0x0800).u8(0x45).u8(flow.tos).u16(ipBytes).u16(0).u16(0x4000).u8(63).u8(flow.proto).u16(0);
  } else {
    writer
      .u16(0x86dd)
      .u32((0x60000000 | (flow.tos << 20)) >>> 0)
      .u16(ipBytes - 40)
      .u8(flow.proto)
      .u8(63);
  }
  writer.bytes(flow.src).bytes(flow.dst);
  if (flow.proto === 6)
    writer
      .u16(flow.srcPort)
      .u16(flow.dstPort)
      .u32(1)
      .u32(1)
      .u8(0x50)
      .u8(flow.tcpFlags & 0xff)
      .u16(65_535)
      .u32(0);
  else if (flow.proto === 17)
    writer
      .u16(flow.srcPort)
      .u16(flow.dstPort)
      .u16(ipBytes - (flow.src.length === 4 ? 20 : 40))
      .u16(0);
  else
    writer
      .u8(flow.icmpType ?? 0)
      .u8(flow.icmpCode ?? 0)
      .u16(0);
  while (writer.length < Math.min(SNAPPED_BYTES, length)) writer.u8(0);
  return writer.done();
}

/** A locally administered address made from the last bytes of the host's. */
function macOf(address: Uint8Array): Uint8Array {
  return Uint8Array.of(0x02, 0x00, ...address.subarray(address.length - 4));
}
