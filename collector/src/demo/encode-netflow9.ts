import { createByteWriter, type ByteWriter } from './byte-writer.ts';
import type { DemoFlow, DemoInterface } from './flow.ts';
import { NETFLOW9_V4, NETFLOW9_V6, writeDataSet, writeTemplateSet } from './template-fields.ts';

export interface Netflow9Header {
  readonly unixMs: number;
  readonly uptimeMs: number;
  /** Datagrams sent before this one (RFC 3954 5.1). */
  readonly sequence: number;
  readonly sourceId: number;
}

/** Widths of the interface name and description in the options records. */
const NAME_BYTES = 32;
const SAMPLER_TABLE = 258;
const INTERFACE_TABLE = 259;

/** Flow records; the caller sends the templates first (`encodeNetflow9Templates`). Both families may be mixed. */
export function encodeNetflow9(header: Netflow9Header, flows: readonly DemoFlow[]): Uint8Array {
  const writer = createByteWriter();
  writeHeader(writer, header, flows.length);
  // FLOW_START and FLOW_END are relative to the header's own clock, which has whole seconds only.
  const bootMs = Math.floor(header.unixMs / 1000) * 1000 - header.uptimeMs;
  const v4 = flows.filter((flow) => flow.src.length === 4);
  const v6 = flows.filter((flow) => flow.src.length === 16);
  if (v4.length > 0) writeDataSet(writer, NETFLOW9_V4, v4, bootMs);
  if (v6.length > 0) writeDataSet(writer, NETFLOW9_V6, v6, bootMs);
  return writer.done();
}

/**
 * Templates and options: the flow templates, a sampler table (sampler 1 with random interval 50 and mode 49) and an
 * interface table (ifName 82, ifDescription 83), with their data.
 */
export function encodeNetflow9Templates(
  header: Netflow9Header,
  sampling: number,
  interfaces: readonly DemoInterface[],
): Uint8Array {
  const writer = createByteWriter();
  writeHeader(writer, header, 2 + 2 + 1 + interfaces.length);
  writeTemplateSet(writer, 0, [NETFLOW9_V4, NETFLOW9_V6]);
  writeOptionsTemplate(
    writer,
    SAMPLER_TABLE,
    [[1, 4]],
    [
      [48, 1],
      [49, 1],
      [50, 4],
    ],
  );
  writeOptionsTemplate(
    writer,
    INTERFACE_TABLE,
    [[1, 4]],
    [
      [10, 4],
      [82, NAME_BYTES],
      [83, NAME_BYTES],
    ],
  );
  writeSet(writer, SAMPLER_TABLE, () => writer.u32(0).u8(1).u8(2).u32(sampling));
  writeSet(writer, INTERFACE_TABLE, () => {
    for (const { index, name, description } of interfaces)
      writer.u32(0).u32(index).text(name, NAME_BYTES).text(description, NAME_BYTES);
  });
  return writer.done();
}

/** RFC 3954 5.1; `count` is the number of records of all kinds. */
function writeHeader(writer: ByteWriter, header: Netflow9Header, count: number): void {
  writer
    .u16(9)
    .u16(count)
    .u32(header.uptimeMs >>> 0)
    .u32(Math.floor(header.unixMs / 1000))
    .u32(header.sequence >>> 0)
    .u32(header.sourceId);
}

/** RFC 3954 6.1: scope and option lengths are in bytes; scope types have their own numbers (1 = system). */
function writeOptionsTemplate(
  writer: ByteWriter,
  id: number,
  scopes: readonly (readonly [number, number])[],
  options: readonly (readonly [number, number])[],
): void {
  writeSet(writer, 1, () => {
    writer
      .u16(id)
      .u16(scopes.length * 4)
      .u16(options.length * 4);
    for (const [type, length] of [...scopes, ...options]) writer.u16(type).u16(length);
  });
}

function writeSet(writer: ByteWriter, id: number, body: () => void): void {
  const from = writer.length;
  writer.u16(id).u16(0);
  body();
  writer.pad(4, from).patch16(from + 2, writer.length - from);
}
