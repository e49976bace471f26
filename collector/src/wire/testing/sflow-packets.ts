/** sFlow datagrams for tests, one function per structure of sflow_version_5.txt; shares nothing with the reader. */
import { bytes, u32 } from './packets.ts';

const padded = (body: readonly number[]): number[] => bytes(body, Array((4 - (body.length % 4)) % 4).fill(0));

/** A flow or counter record, or a sample: tag, length, body. */
export const tagged = (tag: number, body: readonly number[], length = body.length): number[] =>
  bytes(u32(tag), u32(length), padded(body));

export const sflow = (
  samples: readonly (readonly number[])[],
  options: { agent?: number[]; count?: number; version?: number } = {},
): number[] =>
  bytes(
    u32(options.version ?? 5),
    options.agent ?? bytes(u32(1), 10, 0, 0, 9),
    u32(3), // sub-agent
    u32(1000), // sequence
    u32(60_000), // uptime
    u32(options.count ?? samples.length),
    samples.flat(),
  );

const concat = (records: readonly (readonly number[])[]): number[] => bytes(u32(records.length), records.flat());

export const flowSample = (records: readonly (readonly number[])[], input = 4, output = 5, rate = 512): number[] =>
  tagged(1, bytes(u32(77), u32(6), u32(rate), u32(9999), u32(0), u32(input), u32(output), concat(records)));

export const expandedFlowSample = (
  records: readonly (readonly number[])[],
  input: [number, number],
  output: [number, number],
): number[] =>
  tagged(
    3,
    bytes(
      u32(77),
      u32(0),
      u32(6),
      u32(512),
      u32(9999),
      u32(0),
      u32(input[0]),
      u32(input[1]),
      u32(output[0]),
      u32(output[1]),
      concat(records),
    ),
  );

export const discardedPacket = (records: readonly (readonly number[])[], reason: number): number[] =>
  tagged(5, bytes(u32(8), u32(0), u32(6), u32(2), u32(4), u32(0), u32(reason), concat(records)));

export const countersSample = (records: readonly (readonly number[])[]): number[] =>
  tagged(2, bytes(u32(12), u32(6), concat(records)));

export const rawHeader = (
  header: readonly number[],
  frameBytes = header.length + 4,
  protocol = 1,
  stripped = 4,
): number[] => tagged(1, bytes(u32(protocol), u32(frameBytes), u32(stripped), u32(header.length), padded(header)));
