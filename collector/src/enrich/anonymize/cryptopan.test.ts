import fc from 'fast-check';
import { addressWords, formatAddress, parseAddress } from '@ringflow/contract';
import { createCryptopan, parseCryptopanKey } from './cryptopan.ts';

/** The key of the reference implementation's sample. */
const SAMPLE_KEY = Uint8Array.of(
  ...[21, 34, 23, 141, 51, 164, 207, 128, 19, 10, 91, 22, 73, 144, 125, 16],
  ...[216, 152, 143, 131, 121, 121, 101, 39, 98, 87, 76, 45, 42, 132, 34, 2],
);

const pseudonymOf = (text: string, key = SAMPLE_KEY): string => {
  const words = new Uint32Array(8);
  words.set(addressWords(parseAddress(text) as Uint8Array), 4);
  createCryptopan(key)(words, 4);
  return formatAddress(words, 4);
};

// sample_trace_raw.dat and sample_trace_sanitized.dat of Crypto-PAn 1.0.
test.each([
  ['128.11.68.132', '135.242.180.132'],
  ['129.118.74.4', '134.136.186.123'],
  ['130.132.252.244', '133.68.164.234'],
  ['141.223.7.43', '141.167.8.160'],
  ['141.233.145.108', '141.129.237.235'],
  ['152.163.225.39', '151.140.114.167'],
  ['156.29.3.236', '147.225.12.42'],
  ['165.247.96.84', '162.9.99.234'],
  ['166.107.77.190', '160.132.178.185'],
  ['192.102.249.13', '252.138.62.131'],
  ['192.215.32.125', '252.43.47.189'],
  ['192.41.57.43', '252.222.221.184'],
  ['195.205.63.100', '255.186.223.5'],
  ['24.14.213.138', '100.1.42.141'],
  ['4.3.88.225', '124.60.155.63'],
  ['64.39.15.238', '0.219.7.41'],
])('the reference: %s is %s', (address, pseudonym) => {
  expect(pseudonymOf(address)).toBe(pseudonym);
});

// As other implementations have it: yacryptopan, github.com/Yawning/cryptopan.
test.each([
  ['::1', '78ff:f001:9fc0:20df:8380:b1f1:704:ed'],
  ['::2', '78ff:f001:9fc0:20df:8380:b1f1:704:ef'],
  ['::ffff', '78ff:f001:9fc0:20df:8380:b1f1:704:f838'],
  ['2001:db8::1', '4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1e'],
  ['2001:db8::2', '4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1c'],
])('IPv6: %s is %s', (address, pseudonym) => {
  expect(pseudonymOf(address)).toBe(pseudonym);
});

/** Bits that two addresses have in common from the left. */
function commonBits(a: Uint32Array, b: Uint32Array): number {
  for (let bit = 0; bit < 128; bit++) {
    const shift = (bit & 24) + 7 - (bit & 7);
    if ((((a[bit >> 5] as number) ^ (b[bit >> 5] as number)) >>> shift) & 1) return bit;
  }
  return 128;
}

test('it preserves prefixes, and nothing but prefixes', () => {
  const rewrite = createCryptopan(SAMPLE_KEY);
  const word = fc.integer({ min: 0, max: 0xffff_ffff });
  fc.assert(
    fc.property(
      fc.boolean(),
      fc.tuple(word, word, word, word),
      fc.integer({ min: 0, max: 127 }),
      (isIpv4, [a, b, c, d], bit) => {
        const one = isIpv4 ? Uint32Array.of(0, 0, 0xffff_0000, d) : Uint32Array.of(a | 1, b, c, d);
        const other = one.slice();
        // From some bit on the other address differs; of IPv4 only the last 32 bits count.
        const from = isIpv4 ? 96 + (bit & 31) : 8 + (bit % 120);
        for (let at = from; at < 128; at++)
          if (at === from || (d >>> (at & 31)) & 1)
            other[at >> 5] = ((other[at >> 5] as number) ^ (1 << ((at & 24) + 7 - (at & 7)))) >>> 0;
        const common = commonBits(one, other);
        rewrite(one, 0);
        rewrite(other, 0);
        expect(commonBits(one, other)).toBe(common);
        if (isIpv4) expect([one[0], one[1], one[2]]).toEqual([0, 0, 0xffff_0000]);
      },
    ),
    { numRuns: 500, seed: 20_261_121 },
  );
});

test('another key gives other pseudonyms', () => {
  expect(
    pseudonymOf(
      '128.11.68.132',
      SAMPLE_KEY.map((byte) => byte ^ 1),
    ),
  ).not.toBe('135.242.180.132');
});

test('a key is 32 bytes or 64 digits', () => {
  const digits = Buffer.from(SAMPLE_KEY).toString('hex');
  for (const text of [digits, `${digits}\n`, `0x${digits}\r\n`, digits.toUpperCase()])
    expect(parseCryptopanKey(Buffer.from(text))).toEqual(SAMPLE_KEY);
  expect(parseCryptopanKey(SAMPLE_KEY)).toEqual(SAMPLE_KEY);
});

test.each(['', 'secret', 'ab'.repeat(31), `${'ab'.repeat(32)} and more`])(
  '%j is no key, and is not repeated',
  (text) => {
    const read = (): unknown => parseCryptopanKey(Buffer.from(text));
    expect(read).toThrow('It is no Crypto-PAn key: write 64 hexadecimal digits');
    expect(read).toThrow(expect.not.objectContaining({ message: expect.stringContaining('secret') as string }));
  },
);
