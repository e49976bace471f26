import fc from 'fast-check';
import { RingflowError } from '@ringflow/contract';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { compressSync, uncompressSync } from 'snappy';
import { decodeReadRequest } from './request.ts';
import { createFrameWriter, createSamplesWriter } from './response.ts';
import { decodeFrames, decodeReadResponse, encodeReadRequest, framesOf, matcher } from './testing/remote-read.ts';

const NOON = Date.UTC(2026, 2, 10, 12, 0, 0);
const plain = (body: Uint8Array) => uncompressSync(Buffer.from(body)) as Uint8Array;

const series = (labels: Record<string, string>, points: number) => ({
  labels,
  timesMs: Float64Array.from({ length: points }, (_, index) => NOON + index * 60_000 - 1),
  values: Float64Array.from({ length: points }, (_, index) => Math.sqrt(index)),
});

test('a request says what is asked for', () => {
  const matchers = ['__name__=x', 'a!=b', 'c=~d|e', 'f!~g'].map(matcher);
  const body = encodeReadRequest(
    [
      {
        startMs: -5,
        endMs: NOON,
        matchers,
        hints: { stepMs: 15_000, func: 'avg_over_time', startMs: 7, rangeMs: 3_600_000 },
      },
      { startMs: NOON, endMs: NOON + 1, matchers: [] },
    ],
    [1, 0],
  );
  expect(decodeReadRequest(plain(body))).toEqual({
    streamed: true,
    queries: [
      {
        startMs: -5,
        endMs: NOON,
        matchers,
        hints: { stepMs: 15_000, func: 'avg_over_time', startMs: 7, rangeMs: 3_600_000 },
      },
      { startMs: NOON, endMs: NOON + 1, matchers: [], hints: { stepMs: 0, func: '', startMs: 0, rangeMs: 0 } },
    ],
  });
  expect(decodeReadRequest(plain(encodeReadRequest([], [0]))).streamed).toBe(false);
  expect(decodeReadRequest(new Uint8Array())).toEqual({ queries: [], streamed: false });
});

test('response types are read one by one, too, and unknown fields are skipped', () => {
  const writer = new BinaryWriter();
  writer.tag(2, WireType.Varint).int32(0).tag(2, WireType.Varint).int32(1);
  writer.tag(9, WireType.LengthDelimited).string('of a later version').tag(10, WireType.Bit64).double(1);
  expect(decodeReadRequest(writer.finish())).toEqual({ queries: [], streamed: true });
});

test('times beyond all data are bounded, not wrong', () => {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.LengthDelimited).fork();
  writer
    .tag(1, WireType.Varint)
    .int64(-(2n ** 63n))
    .tag(2, WireType.Varint)
    .int64(2n ** 63n - 1n)
    .join();
  const [query] = decodeReadRequest(writer.finish()).queries;
  expect([query?.startMs, query?.endMs]).toEqual([-8.64e15, 8.64e15]);
});

test('anything else is refused with what is wrong, and never more than that', () => {
  const good = plain(encodeReadRequest([{ startMs: 0, endMs: NOON, matchers: [matcher('__name__=x')] }], [1]));
  const refusal = (bytes: Uint8Array): string => {
    try {
      decodeReadRequest(bytes);
      return '';
    } catch (error) {
      expect(error).toBeInstanceOf(RingflowError);
      return (error as RingflowError).message;
    }
  };
  expect(refusal(good.subarray(0, good.length - 5))).toMatch('premature EOF');
  expect(refusal(Uint8Array.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]))).toMatch('The body is not a ReadRequest');
  expect(
    refusal(
      new BinaryWriter()
        .tag(1, WireType.LengthDelimited)
        .bytes(Uint8Array.from([0x1a, 2, 8, 9]))
        .finish(),
    ),
  ).toMatch('there is no matcher type 9');
  const many = plain(encodeReadRequest(Array.from({ length: 17 }, () => ({ startMs: 0, endMs: 1, matchers: [] }))));
  expect(refusal(many)).toMatch('more than 16 queries');
  const long = { startMs: 0, endMs: 1, matchers: Array.from({ length: 65 }, (_, index) => matcher(`l${index}=x`)) };
  expect(refusal(plain(encodeReadRequest([long])))).toMatch('more than 64 matchers');
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void refusal(bytes)),
    { numRuns: 2000, seed: 20_261_121 },
  );
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(255), (at, byte) => {
      const bent = good.slice();
      bent[at] = byte;
      refusal(bent);
    }),
    { numRuns: 2000, seed: 20_261_121 },
  );
});

test('samples come back in order of labels, by query', () => {
  const writer = createSamplesWriter();
  const first = series({ z: '1', __name__: 'x', a: 'ü"\\' }, 300);
  writer.add(first);
  writer.endQuery();
  writer.endQuery();
  writer.add(series({ __name__: 'y' }, 0));
  writer.endQuery();
  const back = decodeReadResponse(compressSync(Buffer.from(writer.finish())));
  expect(back.map((one) => one.map(({ labels }) => labels))).toEqual([
    [{ __name__: 'x', a: 'ü"\\', z: '1' }],
    [],
    [{ __name__: 'y' }],
  ]);
  expect(Object.keys(back[0]?.[0]?.labels ?? {})).toEqual(['__name__', 'a', 'z']);
  expect(back[0]?.[0]?.samples).toEqual(Array.from(first.timesMs, (time, at) => [time, first.values[at]]));
});

test('frames stay about a megabyte; a series may go on in the next one, a query may not', () => {
  const writer = createFrameWriter();
  const long = series({ __name__: 'long' }, 300_000);
  const frames = [
    ...writer.add(series({ __name__: 'empty' }, 0), 0),
    ...writer.add(long, 0),
    ...writer.add(series({ __name__: 'short' }, 3), 1),
    ...writer.flush(),
    ...writer.flush(),
  ];
  const body = Buffer.concat(frames);
  const sizes = framesOf(body).map(({ length }) => length);
  expect(sizes.length).toBeGreaterThan(2);
  expect(Math.max(...sizes)).toBeLessThan(1.1 * 2 ** 20);
  const back = decodeFrames(body);
  expect(back.map(({ query, series: { labels } }) => [query, labels])).toEqual([
    [0, { __name__: 'empty' }],
    [0, { __name__: 'long' }],
    [1, { __name__: 'short' }],
  ]);
  expect(back[1]?.series.samples).toEqual(Array.from(long.timesMs, (time, at) => [time, long.values[at]]));
  body[body.length - 1] = (body.at(-1) as number) ^ 1;
  expect(() => framesOf(body)).toThrow('damaged');
});
