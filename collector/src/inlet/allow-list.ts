import { addressWords, parsePrefix, type Prefix } from '@ringflow/contract';

/** True when datagrams from the address (four words from `at` on) may be taken. */
export type AllowList = (address: Int32Array, at: number) => boolean;

/**
 * Networks that exporters may send from (X03). Asked once per new source, so a walk over the list is fast enough.
 *
 * @param networks text forms; an empty list allows everyone
 * @throws RangeError for a text that is not a network
 */
export function createAllowList(networks: readonly string[]): AllowList {
  if (networks.length === 0) return () => true;
  // Per network: four masks, then four words.
  const table = new Int32Array(networks.length * 8);
  networks.forEach((text, index) => {
    const prefix = parsePrefix(text);
    if (!prefix) throw new RangeError(`inlet.allow_exporters: ${text} is not a network, write it like 192.0.2.0/24`);
    table.set(maskWords(prefix), index * 8);
    table.set(new Int32Array(addressWords(prefix.bytes).buffer), index * 8 + 4);
  });
  return (address, at) => {
    for (let i = 0; i < table.length; i += 8) {
      let differs = 0;
      for (let word = 0; word < 4; word++) {
        differs |= ((address[at + word] as number) & (table[i + word] as number)) ^ (table[i + 4 + word] as number);
      }
      if (differs === 0) return true;
    }
    return false;
  };
}

function maskWords(prefix: Prefix): Int32Array {
  const mask = new Uint8Array(16);
  for (let i = 0; i < 16; i++) mask[i] = 0xff00 >> Math.min(8, Math.max(0, prefix.bits - i * 8));
  return new Int32Array(addressWords(mask).buffer);
}
