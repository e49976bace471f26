import { createByteWriter, type ByteWriter } from './byte-writer.ts';
import type { DemoFlow, DemoInterface } from './flow.ts';
import { IPFIX_V4, IPFIX_V6, writeDataSet, writeTemplateSet } from './template-fields.ts';

export interface IpfixHeader {
  readonly unixMs: number;
  /** Data records sent before this message, options data included (RFC 7011 3.1). */
  readonly sequence: number;
  readonly domain: number;
}

/** Options data records in the datagram of `encodeIpfixTemplates`; the sequence number advances by so many. */
export function ipfixOptionRecords(interfaces: readonly DemoInterface[]): number {
  return 1 + interfaces.length;
}

const SELECTOR_TABLE = 310;
const INTERFACE_TABLE = 311;
/** Length that marks a variable-length field (RFC 7011 7). */
const VARIABLE = 0xffff;

/** Flow records; the caller sends the templates first. */
export function encodeIpfix(header: IpfixHeader, flows: readonly DemoFlow[]): Uint8Array {
  return message(header, (writer) => {
    const v4 = flows.filter((flow) => flow.src.length === 4);
    const v6 = flows.filter((flow) => flow.src.length === 16);
    if (v4.length > 0) writeDataSet(writer, IPFIX_V4, v4, 0);
    if (v6.length > 0) writeDataSet(writer, IPFIX_V6, v6, 0);
  });
}

/** Flow templates, sampling (305/306, RFC 5477) and an interface table with names of variable length. */
export function encodeIpfixTemplates(
  header: IpfixHeader,
  sampling: number,
  interfaces: readonly DemoInterface[],
): Uint8Array {
  return message(header, (writer) => {
    writeTemplateSet(writer, 2, [IPFIX_V4, IPFIX_V6]);
    writeOptionsTemplate(
      writer,
      SELECTOR_TABLE,
      [[149, 4]],
      [
        [305, 4],
        [306, 4],
      ],
    );
    writeOptionsTemplate(
      writer,
      INTERFACE_TABLE,
      [[10, 4]],
      [
        [82, VARIABLE],
        [83, VARIABLE],
      ],
    );
    // One packet taken, N − 1 skipped.
    writeSet(writer, SELECTOR_TABLE, () =>
      writer
        .u32(header.domain)
        .u32(1)
        .u32(sampling - 1),
    );
    writeSet(writer, INTERFACE_TABLE, () => {
      for (const { index, name, description } of interfaces) {
        writer.u32(index);
        for (const text of [name, description]) writer.u8(text.length).text(text, text.length);
      }
    });
  });
}

function message(header: IpfixHeader, body: (writer: ByteWriter) => void): Uint8Array {
  const writer = createByteWriter();
  writer
    .u16(10)
    .u16(0)
    .u32(Math.floor(header.unixMs / 1000))
    .u32(header.sequence >>> 0)
    .u32(header.domain);
  body(writer);
  writer.patch16(2, writer.length);
  return writer.done();
}

/** RFC 7011 3.4.2.2: counts of fields, scopes first. */
function writeOptionsTemplate(
  writer: ByteWriter,
  id: number,
  scopes: readonly (readonly [number, number])[],
  options: readonly (readonly [number, number])[],
): void {
  writeSet(writer, 3, () => {
    writer
      .u16(id)
      .u16(scopes.length + options.length)
      .u16(scopes.length);
    for (const [element, length] of [...scopes, ...options]) writer.u16(element).u16(length);
  });
}

/** Sets with records of variable length are not padded: padding could look like another record. */
function writeSet(writer: ByteWriter, id: number, body: () => void): void {
  const from = writer.length;
  writer.u16(id).u16(0);
  body();
  writer.patch16(from + 2, writer.length - from);
}
