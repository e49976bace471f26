import { createCipheriv } from 'node:crypto';

/** Bytes of a key: half of it encrypts, the other half is encrypted to make the padding. */
export const CRYPTOPAN_KEY_BYTES = 32;

/** Writes the pseudonym of the address at `words[at]` to `words[at + 3]` in its place. */
export type AddressRewriter = (words: Uint32Array, at: number) => void;

const BLOCK_BYTES = 16;
/** Third word of an IPv4 address in a column (`::ffff:0:0/96`). */
const MAPPED = 0xffff_0000;

/**
 * Crypto-PAn (Xu, Fan, Ammar, Moon: Prefix-Preserving IP Address Anonymization, ICNP 2002): two addresses that agree in
 * their first n bits have pseudonyms that agree in their first n bits and no more. IPv4 as the reference implementation
 * has it; IPv6 is the same over 128 bits, as nfdump and others do it. IPv4 addresses stay IPv4 addresses.
 *
 * @param key {@link CRYPTOPAN_KEY_BYTES} bytes
 */
export function createCryptopan(key: Uint8Array): AddressRewriter {
  if (key.length !== CRYPTOPAN_KEY_BYTES) throw new RangeError(`A Crypto-PAn key has ${CRYPTOPAN_KEY_BYTES} bytes`);
  // ECB on purpose: the algorithm uses the block cipher as a pseudo-random function.
  const cipher = createCipheriv('aes-128-ecb', key.subarray(0, BLOCK_BYTES), null).setAutoPadding(false);
  const pad = Uint8Array.from(cipher.update(key.subarray(BLOCK_BYTES)));
  /** One block per bit of the address, so that one call encrypts them all. */
  const blocks = new Uint8Array(128 * BLOCK_BYTES);

  const prefix = new Uint8Array(BLOCK_BYTES);

  /** Block n: the first n bits of the address, then what stands in the padding behind them. */
  function encrypt(words: Uint32Array, at: number, bits: number): Uint8Array {
    prefix.set(pad);
    for (let n = 0; n < bits; n++) {
      blocks.set(prefix, n * BLOCK_BYTES);
      const byte = n >> 3;
      const bit = 0x80 >> (n & 7);
      prefix[byte] = ((prefix[byte] as number) & ~bit) | (byteOf(words, at, byte) & bit);
    }
    return cipher.update(blocks.subarray(0, bits * BLOCK_BYTES));
  }

  return (words, at) => {
    const isIpv4 = words[at] === 0 && words[at + 1] === 0 && words[at + 2] === MAPPED;
    const from = isIpv4 ? at + 3 : at;
    const bits = isIpv4 ? 32 : 128;
    const encrypted = encrypt(words, from, bits);
    for (let n = 0; n < bits; n++) {
      // The highest bit of block n turns bit n of the address around.
      const flip = (encrypted[n * BLOCK_BYTES] as number) >>> 7;
      const word = from + (n >> 5);
      const place = (n & 24) + 7 - (n & 7);
      words[word] = ((words[word] as number) ^ (flip << place)) >>> 0;
    }
  };
}

/**
 * The key that a file holds: 32 bytes as they are, or 64 hexadecimal digits, with `0x` before them or not.
 *
 * @throws RangeError that does not repeat the content
 */
export function parseCryptopanKey(content: Uint8Array): Uint8Array {
  if (content.length === CRYPTOPAN_KEY_BYTES) return content;
  const [, digits] = /^(?:0x)?([0-9a-f]{64})\s*$/i.exec(Buffer.from(content).toString('latin1')) ?? [];
  if (digits === undefined)
    throw new RangeError('It is no Crypto-PAn key: write 64 hexadecimal digits, such as "openssl rand -hex 32" prints');
  return Uint8Array.from(Buffer.from(digits, 'hex'));
}

function byteOf(words: Uint32Array, at: number, byte: number): number {
  return ((words[at + (byte >> 2)] as number) >>> ((byte & 3) * 8)) & 0xff;
}
