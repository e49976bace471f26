import { createByteWriter } from '../../collector/src/demo/byte-writer.ts';

/** One packet of a capture. */
export interface CapturedFrame {
  readonly atMs: number;
  /** From the Ethernet header on, as far as it was kept. */
  readonly bytes: Uint8Array;
  /** Length on the wire, without the checksum. */
  readonly fullBytes: number;
}

/** A pcap file of Ethernet frames (draft-ietf-opsawg-pcap: version 2.4, microseconds, link type 1). */
export function encodePcap(frames: readonly CapturedFrame[]): Uint8Array {
  const writer = createByteWriter(24 + frames.reduce((sum, { bytes }) => sum + 16 + bytes.length, 0));
  writer.u32(0xa1b2c3d4).u16(2).u16(4).u32(0).u32(0).u32(65_535).u32(1);
  for (const { atMs, bytes, fullBytes } of frames) {
    const microseconds = Math.round(atMs * 1000);
    writer.u32(Math.floor(microseconds / 1e6)).u32(microseconds % 1e6);
    writer.u32(bytes.length).u32(fullBytes).bytes(bytes);
  }
  return writer.done();
}
