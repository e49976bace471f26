import { compareBytes, lastAddress } from '@ringflow/contract';

/** Both ends included; addresses are sixteen bytes. */
export interface AddressRange {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
}

/** The same addresses as networks, by length: a list of ranges becomes one set look-up per length. */
export function networksByLength(ranges: readonly AddressRange[]): Map<number, Uint8Array[]> {
  const networks = new Map<number, Uint8Array[]>();
  for (const { from, to } of mergeRanges(ranges)) {
    let start: Uint8Array | null = from;
    while (start !== null && compareBytes(start, to) <= 0) {
      const bits = longestFrom(start, to);
      const known = networks.get(bits);
      if (known) known.push(start);
      else networks.set(bits, [start]);
      start = after(lastAddress({ bytes: start, bits }));
    }
  }
  return networks;
}

/** Sorted, without overlaps. */
function mergeRanges(ranges: readonly AddressRange[]): AddressRange[] {
  const merged: AddressRange[] = [];
  for (const range of [...ranges].sort((a, b) => compareBytes(a.from, b.from))) {
    const last = merged[merged.length - 1];
    if (last && compareBytes(range.from, last.to) <= 0) {
      if (compareBytes(range.to, last.to) > 0) merged[merged.length - 1] = { from: last.from, to: range.to };
    } else merged.push(range);
  }
  return merged;
}

/** Length of the largest network that begins at an address and does not reach past another. */
function longestFrom(start: Uint8Array, to: Uint8Array): number {
  let bits = 128 - trailingZeros(start);
  while (bits < 128 && compareBytes(lastAddress({ bytes: start, bits }), to) > 0) bits++;
  return bits;
}

function trailingZeros(address: Uint8Array): number {
  let zeros = 0;
  for (let i = 15; i >= 0 && zeros === (15 - i) * 8; i--) {
    const byte = address[i] as number;
    zeros += byte === 0 ? 8 : 31 - Math.clz32(byte & -byte);
  }
  return zeros;
}

/** The next address; null after the last one. */
function after(address: Uint8Array): Uint8Array | null {
  const next = address.slice();
  for (let i = 15; i >= 0; i--) {
    next[i] = ((next[i] as number) + 1) & 0xff;
    if (next[i] !== 0) return next;
  }
  return null;
}
