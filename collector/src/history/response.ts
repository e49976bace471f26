import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { crc32c } from './crc32c.ts';
import { CHUNK_SAMPLES, encodeXorChunk } from './xor-chunk.ts';

/** Label names to values. */
export type Labels = Readonly<Record<string, string>>;

/** A series with its samples: times ascending, milliseconds since the epoch. */
export interface Series {
  readonly labels: Labels;
  readonly timesMs: Float64Array;
  readonly values: Float64Array;
}

/** Answers of Prometheus's remote read protocol (prompb/remote.proto, prompb/types.proto). */
export const SAMPLES_TYPE = 'application/x-protobuf';
export const STREAMED_TYPE = 'application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse';

/** `Chunk.Encoding.XOR`. */
const XOR = 1;
/** A frame holds about this much (Prometheus sends up to 1 MiB); series beyond it come in further frames. */
const FRAME_BYTES = 1 << 20;

/** Label pairs in the order of their names, in which Prometheus wants them. */
export function sortedLabels(labels: Labels): (readonly [name: string, value: string])[] {
  return Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** `QueryResult`s of a `ReadResponse` that is put together series by series. */
export interface SamplesWriter {
  add(series: Series): void;
  /** Ends the result of a query; each query has one, in their order. */
  endQuery(): void;
  finish(): Uint8Array;
}

export function createSamplesWriter(): SamplesWriter {
  const writer = new BinaryWriter();
  let open = false;
  const openQuery = (): void => {
    if (!open) writer.tag(1, WireType.LengthDelimited).fork();
    open = true;
  };
  return {
    add: ({ labels, timesMs, values }) => {
      openQuery();
      writer.tag(1, WireType.LengthDelimited).fork();
      writeLabels(writer, labels);
      writer.raw(encodeSamples(timesMs, values));
      writer.join();
    },
    endQuery: () => {
      openQuery();
      writer.join();
      open = false;
    },
    finish: () => writer.finish(),
  };
}

/** Tag, length and fields of `TimeSeries.samples`: 2 + 9 + 1 bytes and the time, which never needs more than 9. */
const LONGEST_SAMPLE_BYTES = 21;

/** By hand, because a writer's call for each number takes eight times as long. */
function encodeSamples(timesMs: Float64Array, values: Float64Array): Uint8Array {
  const bytes = new Uint8Array(timesMs.length * LONGEST_SAMPLE_BYTES);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (let index = 0; index < timesMs.length; index++) {
    const begin = at;
    bytes[at] = (2 << 3) | WireType.LengthDelimited;
    bytes[at + 2] = (1 << 3) | WireType.Bit64;
    view.setFloat64(at + 3, values[index] as number, true);
    bytes[at + 11] = (2 << 3) | WireType.Varint;
    at += 12;
    let rest = timesMs[index] as number;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes[at++] = (rest % 0x80) | 0x80;
    bytes[at++] = rest;
    bytes[begin + 1] = at - begin - 2;
  }
  return bytes.subarray(0, at);
}

/** Frames of a streamed answer: each a `ChunkedReadResponse` with its length and checksum before it. */
export interface FrameWriter {
  /** Frames that are full. A series that is longer than a frame goes on in the next one. */
  add(series: Series, query: number): Uint8Array[];
  /** What is left; nothing when all went out. */
  flush(): Uint8Array[];
}

export function createFrameWriter(): FrameWriter {
  let writer = new BinaryWriter();
  let bytes = 0;
  let current = -1;

  const flush = (): Uint8Array[] => {
    if (current < 0) return [];
    if (current > 0) writer.tag(2, WireType.Varint).int64(current);
    const message = writer.finish();
    writer = new BinaryWriter();
    bytes = 0;
    current = -1;
    return [frame(message)];
  };

  return {
    flush,
    add: ({ labels, timesMs, values }, query) => {
      const frames = current >= 0 && current !== query ? flush() : [];
      let at = 0;
      do {
        if (bytes >= FRAME_BYTES) frames.push(...flush());
        current = query;
        writer.tag(1, WireType.LengthDelimited).fork();
        bytes += writeLabels(writer, labels);
        for (; at < timesMs.length && bytes < FRAME_BYTES; at += CHUNK_SAMPLES) {
          const chunk = encodeXorChunk(timesMs, values, at, Math.min(at + CHUNK_SAMPLES, timesMs.length));
          writer.tag(2, WireType.LengthDelimited).fork();
          writer.tag(1, WireType.Varint).int64(chunk.minMs);
          writer.tag(2, WireType.Varint).int64(chunk.maxMs);
          writer.tag(3, WireType.Varint).int32(XOR);
          writer.tag(4, WireType.LengthDelimited).bytes(chunk.data);
          writer.join();
          bytes += chunk.data.length + CHUNK_OVERHEAD_BYTES;
        }
        writer.join();
      } while (at < timesMs.length);
      return frames;
    },
  };
}

/** Tags, lengths and times of a chunk, about. */
const CHUNK_OVERHEAD_BYTES = 24;

/** Length as a varint, checksum with the highest byte first, message (storage/remote/chunked.go). */
function frame(message: Uint8Array): Uint8Array {
  const head = new BinaryWriter().uint32(message.length).finish();
  const bytes = new Uint8Array(head.length + 4 + message.length);
  bytes.set(head);
  new DataView(bytes.buffer).setUint32(head.length, crc32c(message));
  bytes.set(message, head.length + 4);
  return bytes;
}

/** Returns about how many bytes were written. */
function writeLabels(writer: BinaryWriter, labels: Labels): number {
  let bytes = 0;
  for (const [name, value] of sortedLabels(labels)) {
    writer.tag(1, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.LengthDelimited).string(name);
    writer.tag(2, WireType.LengthDelimited).string(value);
    writer.join();
    bytes += name.length + value.length + 6;
  }
  return bytes;
}
