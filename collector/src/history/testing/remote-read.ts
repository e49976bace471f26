import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { compressSync, uncompressSync } from 'snappy';
import { crc32c } from '../crc32c.ts';
import { MATCHER_TYPES, type LabelMatcher, type ReadHints } from '../request.ts';

/** The asking side of the remote read protocol, written anew from its description, to check what the room answers. */
export interface Asked {
  readonly startMs: number;
  readonly endMs: number;
  readonly matchers: readonly LabelMatcher[];
  readonly hints?: Partial<ReadHints>;
}

/** A series as it was read; `chunks` where it came in chunks. */
export interface ReadSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly samples: readonly (readonly [timeMs: number, value: number])[];
  readonly chunks: readonly ReadChunk[];
}

export interface ReadChunk {
  readonly minMs: number;
  readonly maxMs: number;
  readonly data: Uint8Array;
}

/** `name=value`, `name!=value`, `name=~value` or `name!~value`. */
export function matcher(text: string): LabelMatcher {
  const [, name = '', type = '=', value = ''] = /^(\w+)(=~|!~|!=|=)(.*)$/s.exec(text) ?? [];
  return { name, type: type as LabelMatcher['type'], value };
}

export function encodeReadRequest(queries: readonly Asked[], types: readonly number[] = []): Uint8Array {
  const writer = new BinaryWriter();
  for (const { startMs, endMs, matchers, hints } of queries) {
    writer.tag(1, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.Varint).int64(startMs);
    writer.tag(2, WireType.Varint).int64(endMs);
    for (const { type, name, value } of matchers) {
      writer.tag(3, WireType.LengthDelimited).fork();
      writer.tag(1, WireType.Varint).int32(MATCHER_TYPES.indexOf(type));
      writer.tag(2, WireType.LengthDelimited).string(name);
      writer.tag(3, WireType.LengthDelimited).string(value);
      writer.join();
    }
    if (hints) {
      writer.tag(4, WireType.LengthDelimited).fork();
      writer.tag(1, WireType.Varint).int64(hints.stepMs ?? 0);
      writer.tag(2, WireType.LengthDelimited).string(hints.func ?? '');
      writer.tag(3, WireType.Varint).int64(hints.startMs ?? startMs);
      writer.tag(4, WireType.Varint).int64(endMs);
      writer.tag(7, WireType.Varint).int64(hints.rangeMs ?? 0);
      writer.join();
    }
    writer.join();
  }
  if (types.length > 0) {
    writer.tag(2, WireType.LengthDelimited).fork();
    for (const type of types) writer.int32(type);
    writer.join();
  }
  return compressSync(Buffer.from(writer.finish()));
}

/** Results by query. */
export function decodeReadResponse(body: Uint8Array): ReadSeries[][] {
  const bytes = uncompressSync(Buffer.from(body)) as Uint8Array;
  return messages(bytes, 1).map((result) =>
    messages(result, 1).map((series) => ({
      labels: labelsOf(series),
      samples: messages(series, 2).map((sample) => {
        const reader = new BinaryReader(sample);
        let [time, value] = [0, 0];
        while (reader.pos < reader.len) {
          const [field] = reader.tag();
          if (field === 1) value = reader.double();
          else time = Number(reader.int64());
        }
        return [time, value] as const;
      }),
      chunks: [],
    })),
  );
}

/** Series of all frames in their order, those in several frames put together. Throws when a checksum is wrong. */
export function decodeFrames(body: Uint8Array): { readonly query: number; readonly series: ReadSeries }[] {
  const all: { query: number; series: ReadSeries }[] = [];
  for (const message of framesOf(body)) {
    const reader = new BinaryReader(message);
    let query = 0;
    while (reader.pos < reader.len) {
      const [field, type] = reader.tag();
      if (field === 2) query = Number(reader.int64());
      else reader.skip(type, field);
    }
    for (const series of messages(message, 1)) {
      const labels = labelsOf(series);
      const chunks = messages(series, 2).map(decodeChunk);
      const samples = chunks.flatMap(({ data }) => decodeXorChunk(data));
      const last = all.at(-1);
      if (last && last.query === query && JSON.stringify(last.series.labels) === JSON.stringify(labels))
        last.series = {
          labels,
          samples: [...last.series.samples, ...samples],
          chunks: [...last.series.chunks, ...chunks],
        };
      else all.push({ query, series: { labels, samples, chunks } });
    }
  }
  return all;
}

/** Messages of a streamed answer. */
export function framesOf(body: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = [];
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  for (let at = 0; at < body.length;) {
    const head = new BinaryReader(body.subarray(at));
    const length = head.uint32();
    at += head.pos;
    const message = body.subarray(at + 4, at + 4 + length);
    if (message.length !== length || crc32c(message) !== view.getUint32(at)) throw new Error('A frame is damaged');
    frames.push(message);
    at += 4 + length;
  }
  return frames;
}

function decodeChunk(bytes: Uint8Array): ReadChunk {
  const reader = new BinaryReader(bytes);
  const chunk = { minMs: 0, maxMs: 0, data: new Uint8Array() };
  while (reader.pos < reader.len) {
    const [field] = reader.tag();
    if (field === 1) chunk.minMs = Number(reader.int64());
    else if (field === 2) chunk.maxMs = Number(reader.int64());
    else if (field === 3) expectXor(reader.int32());
    else chunk.data = new Uint8Array(reader.bytes());
  }
  return chunk;
}

function expectXor(encoding: number): void {
  if (encoding !== 1) throw new Error(`Encoding ${encoding} is not XOR`);
}

function messages(bytes: Uint8Array, wanted: number): Uint8Array[] {
  const reader = new BinaryReader(bytes);
  const found: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === wanted) found.push(reader.bytes());
    else reader.skip(type, field);
  }
  return found;
}

function labelsOf(series: Uint8Array): Record<string, string> {
  return Object.fromEntries(
    messages(series, 1).map((label) => {
      const reader = new BinaryReader(label);
      const parts = ['', '', ''];
      while (reader.pos < reader.len) parts[reader.tag()[0]] = reader.string();
      return [parts[1], parts[2]];
    }),
  );
}

/** Samples of a Gorilla chunk, with big integers: slow and plain. */
export function decodeXorChunk(data: Uint8Array): (readonly [timeMs: number, value: number])[] {
  const bits = Array.from(data.subarray(2), (byte) => byte.toString(2).padStart(8, '0')).join('');
  let at = 0;
  const take = (count: number): bigint => {
    const text = bits.slice(at, at + count);
    if (text.length < count) throw new Error('The chunk ends too early');
    at += count;
    return count === 0 ? 0n : BigInt(`0b${text}`);
  };
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = take(8);
      value |= (byte & 0x7fn) << shift;
      if (byte < 0x80n) return value;
    }
  };
  const signed = (count: number): bigint => {
    const value = take(count);
    // Prometheus lets the largest value of a length stand for itself.
    return value > 1n << BigInt(count - 1) || (count === 64 && value >= 1n << 63n)
      ? value - (1n << BigInt(count))
      : value;
  };
  const number = (value: bigint): number => {
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, value);
    return view.getFloat64(0);
  };
  const count = ((data[0] as number) << 8) | (data[1] as number);
  const samples: (readonly [number, number])[] = [];
  let [time, delta, value, leading, length] = [0n, 0n, 0n, 0, 0];
  for (let index = 0; index < count; index++) {
    if (index === 0) {
      const zigzag = varint();
      time = zigzag & 1n ? -(zigzag >> 1n) - 1n : zigzag >> 1n;
      value = take(64);
    } else {
      if (index === 1) delta = varint();
      else {
        const ones = [1, 1, 1, 1].findIndex(() => take(1) === 0n);
        delta += ones === 0 ? 0n : signed([14, 17, 20][ones - 1] ?? 64);
      }
      time += delta;
      if (take(1) === 1n) {
        if (take(1) === 1n) {
          leading = Number(take(5));
          length = Number(take(6)) || 64;
        }
        value ^= take(length) << BigInt(64 - leading - length);
      }
    }
    samples.push([Number(time), number(value)]);
  }
  return samples;
}
