import { type Batch, pushWord, writeString } from './batch.ts';

/**
 * Readers and writers for fields whose length is only known at run time, or that are too rare for generated code.
 * Numbers may be shorter or longer than their type (L09): the last bytes count, as big-endian numbers do.
 */

/** Low 32 bits of a big-endian number of any length. */
export function lowWord(view: DataView, from: number, length: number): number {
  if (length >= 4) return view.getUint32(from + length - 4);
  let value = 0;
  for (let i = 0; i < length; i++) value = (value << 8) | view.getUint8(from + i);
  return value >>> 0;
}

/** Bits 32 to 63 of a big-endian number of any length. */
export function highWord(view: DataView, from: number, length: number): number {
  return length <= 4 ? 0 : lowWord(view, from, length - 4);
}

/** Text ends at the first NUL (L17); anything else is kept as it came. */
export function writeField(
  batch: Batch,
  data: Uint32Array,
  row: number,
  bytes: Uint8Array,
  from: number,
  length: number,
  text: boolean,
): void {
  let to = from + length;
  if (text) {
    const nul = bytes.subarray(from, to).indexOf(0);
    if (nul >= 0) to = from + nul;
  }
  if (to > from) writeString(batch, data, row, bytes, from, to);
}

/** A MPLS stack entry of three bytes (F16). @returns false when the stack ends here */
export function pushLabel(batch: Batch, data: Uint32Array, row: number, entry: number): boolean {
  if (entry === 0) return true;
  pushWord(batch, data, row, entry >>> 4);
  return (entry & 1) === 0;
}

/** One in N, from what a record or an options record says of its sampling (S04–S06); 0 = nothing usable. */
export function rateOf(
  interval: number,
  packetInterval: number,
  packetSpace: number,
  size: number,
  population: number,
  probability: number,
): number {
  if (size > 0 && population > 0) return Math.max(1, Math.round(population / size));
  // Cisco selector tables hold N itself in 305 and have no 306 (S05).
  if (packetInterval > 0)
    return packetSpace < 0 ? packetInterval : Math.max(1, Math.round((packetInterval + packetSpace) / packetInterval));
  if (interval > 0) return interval;
  return probability > 0 && probability <= 1 ? Math.round(1 / probability) : 0;
}

/** samplingProbability is a float64 that may be sent as float32 (RFC 7011 6.2). */
export function readFloat(view: DataView, from: number, length: number): number {
  if (length === 8) return view.getFloat64(from);
  return length === 4 ? view.getFloat32(from) : 0;
}

/** 6 or 4 from a version field (60) or an ether type (256), 0 for anything else. */
export function ipVersionOf(value: number): number {
  if (value === 6 || value === 0x86dd) return 6;
  return value === 4 || value === 0x0800 ? 4 : 0;
}
