import fc from 'fast-check';
import { crc32c } from './crc32c.ts';
import { CHUNK_SAMPLES, encodeXorChunk } from './xor-chunk.ts';
import { decodeXorChunk } from './testing/remote-read.ts';

const NOON = Date.UTC(2026, 2, 10, 12, 0, 0);

const encode = (samples: readonly (readonly [number, number])[]) =>
  encodeXorChunk(
    Float64Array.from(samples, ([time]) => time),
    Float64Array.from(samples, ([, value]) => value),
    0,
    samples.length,
  );

test('any samples come out as they went in', () => {
  const values = fc.oneof(
    fc.double({ noNaN: true }),
    fc.integer({ min: 0, max: 2 ** 31 }),
    fc.constantFrom(0, -0, 1, -1, Infinity, -Infinity, Number.MIN_VALUE, Number.MAX_VALUE, 12_340_000),
  );
  const gaps = fc.oneof(
    fc.constant(60_000),
    fc.integer({ min: 1, max: 10_000_000 }),
    fc.integer({ min: 1, max: 3e11 }),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(gaps, values), { minLength: 1, maxLength: CHUNK_SAMPLES }), (steps) => {
      let time = NOON;
      const samples = steps.map(([gap, value]) => [(time += gap), value] as const);
      const chunk = encode(samples);
      const back = decodeXorChunk(chunk.data);
      expect(back.map(([at]) => at)).toEqual(samples.map(([at]) => at));
      expect(back.every(([, value], index) => Object.is(value, samples[index]?.[1]))).toBe(true);
      expect([chunk.minMs, chunk.maxMs]).toEqual([samples[0]?.[0], samples.at(-1)?.[0]]);
    }),
    { numRuns: 300, seed: 20_261_121 },
  );
});

test('a part of a series is a chunk of its own', () => {
  const times = Float64Array.from({ length: 300 }, (_, index) => NOON + index * 60_000);
  const values = Float64Array.from({ length: 300 }, (_, index) => index / 3);
  const { data, minMs } = encodeXorChunk(times, values, 120, 240);
  expect(minMs).toBe(NOON + 120 * 60_000);
  expect(decodeXorChunk(data)).toEqual(Array.from({ length: 120 }, (_, at) => [times[120 + at], values[120 + at]]));
});

test('a flat line costs two bits a sample', () => {
  const { data } = encode(Array.from({ length: 120 }, (_, index) => [NOON + index * 60_000, 1e9] as const));
  expect(data.length).toBeLessThan(120 / 4 + 2 + 6 + 8 + 4);
});

test("the checksum is Castagnoli's (RFC 3720 B.4)", () => {
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, index) => index))).toBe(0x46dd794e);
});
