import type { ByteWriter } from './byte-writer.ts';
import { portOf } from './encode-netflow5.ts';
import type { DemoFlow } from './flow.ts';

/** One field of a template and how it is written; shared by NetFlow v9 and IPFIX, which have the same numbers. */
export interface TemplateField {
  /** Information element. */
  readonly id: number;
  /** Bytes. */
  readonly length: number;
  /** @param bootMs when the exporter booted, milliseconds since the epoch */
  write(writer: ByteWriter, flow: DemoFlow, bootMs: number): void;
}

export interface Template {
  readonly id: number;
  readonly fields: readonly TemplateField[];
}

/** IANA ipfix-information-elements numbers, and the first 127 of RFC 3954 8. */
const field = (id: number, length: number, write: TemplateField['write']): TemplateField => ({ id, length, write });

const COMMON: readonly TemplateField[] = [
  field(4, 1, (writer, flow) => writer.u8(flow.proto)),
  field(5, 1, (writer, flow) => writer.u8(flow.tos)),
  field(7, 2, (writer, flow) => writer.u16(flow.srcPort)),
  field(11, 2, (writer, flow) => writer.u16(portOf(flow))),
  field(10, 4, (writer, flow) => writer.u32(flow.inIf)),
  field(14, 4, (writer, flow) => writer.u32(flow.outIf)),
  field(16, 4, (writer, flow) => writer.u32(flow.srcAs)),
  field(17, 4, (writer, flow) => writer.u32(flow.dstAs)),
  field(1, 8, (writer, flow) => writer.u64(flow.bytes)),
  field(2, 8, (writer, flow) => writer.u64(flow.packets)),
  field(58, 2, (writer, flow) => writer.u16(flow.vlan)),
];

const V4: readonly TemplateField[] = [
  field(8, 4, (writer, flow) => writer.bytes(flow.src)),
  field(12, 4, (writer, flow) => writer.bytes(flow.dst)),
  field(9, 1, (writer, flow) => writer.u8(flow.srcMask)),
  field(13, 1, (writer, flow) => writer.u8(flow.dstMask)),
];

const V6: readonly TemplateField[] = [
  field(27, 16, (writer, flow) => writer.bytes(flow.src)),
  field(28, 16, (writer, flow) => writer.bytes(flow.dst)),
  field(29, 1, (writer, flow) => writer.u8(flow.srcMask)),
  field(30, 1, (writer, flow) => writer.u8(flow.dstMask)),
];

/** tcpControlBits: one byte in NetFlow v9, two in IPFIX (RFC 7125). */
const FLAGS_8 = field(6, 1, (writer, flow) => writer.u8(flow.tcpFlags & 0xff));
const FLAGS_16 = field(6, 2, (writer, flow) => writer.u16(flow.tcpFlags));
/** LAST_SWITCHED 21 and FIRST_SWITCHED 22: milliseconds of uptime. */
const UPTIMES = [
  field(22, 4, (writer, flow, bootMs) => writer.u32((flow.startMs - bootMs) >>> 0)),
  field(21, 4, (writer, flow, bootMs) => writer.u32((flow.endMs - bootMs) >>> 0)),
];
/** flowStartMilliseconds 152 and flowEndMilliseconds 153. */
const ABSOLUTE_TIMES = [
  field(152, 8, (writer, flow) => writer.u64(flow.startMs)),
  field(153, 8, (writer, flow) => writer.u64(flow.endMs)),
];

/** flowDirection 61: seen as it came in. */
const INGRESS = field(61, 1, (writer) => writer.u8(0));

/** samplerId 48: which entry of the sampler table holds. */
const sampler = (id: number) => field(48, 1, (writer) => writer.u8(id));

export const NETFLOW9_V4: Template = { id: 256, fields: [...V4, ...COMMON, FLAGS_8, ...UPTIMES, INGRESS, sampler(1)] };
export const NETFLOW9_V6: Template = { id: 257, fields: [...V6, ...COMMON, FLAGS_8, ...UPTIMES, INGRESS, sampler(1)] };
export const IPFIX_V4: Template = { id: 300, fields: [...V4, ...COMMON, FLAGS_16, ...ABSOLUTE_TIMES] };
export const IPFIX_V6: Template = { id: 301, fields: [...V6, ...COMMON, FLAGS_16, ...ABSOLUTE_TIMES] };

export function recordLength(template: Template): number {
  return template.fields.reduce((sum, { length }) => sum + length, 0);
}

/** A data set: header, records, padding to four bytes (RFC 3954 5.3, RFC 7011 3.3.1). */
export function writeDataSet(writer: ByteWriter, template: Template, flows: readonly DemoFlow[], bootMs: number): void {
  const from = writer.length;
  writer.u16(template.id).u16(0);
  for (const flow of flows) for (const { write } of template.fields) write(writer, flow, bootMs);
  writer.pad(4, from).patch16(from + 2, writer.length - from);
}

/** A set of template records (RFC 3954 5.2 with set id 0, RFC 7011 3.4.1 with set id 2). */
export function writeTemplateSet(writer: ByteWriter, setId: number, templates: readonly Template[]): void {
  const from = writer.length;
  writer.u16(setId).u16(0);
  for (const template of templates) {
    writer.u16(template.id).u16(template.fields.length);
    for (const { id, length } of template.fields) writer.u16(id).u16(length);
  }
  writer.pad(4, from).patch16(from + 2, writer.length - from);
}
