import { RingflowError } from '@ringflow/contract';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

/**
 * Questions of Prometheus's remote read protocol (prompb/remote.proto and prompb/types.proto at v2.42 and v3), as far as
 * they are used here. Fields that are not known are skipped, as protobuf wants it.
 */
export interface ReadRequest {
  readonly queries: readonly ReadQuery[];
  /** The asker takes STREAMED_XOR_CHUNKS; without a word about it, SAMPLES is meant. */
  readonly streamed: boolean;
}

/** One selector. Both ends of the window belong to it. */
export interface ReadQuery {
  readonly startMs: number;
  readonly endMs: number;
  readonly matchers: readonly LabelMatcher[];
  readonly hints: ReadHints;
}

/** `LabelMatcher.Type`, in its order. */
export const MATCHER_TYPES = ['=', '!=', '=~', '!~'] as const;

export interface LabelMatcher {
  readonly type: (typeof MATCHER_TYPES)[number];
  readonly name: string;
  readonly value: string;
}

/** What the asker is going to do with the samples; 0 or empty where it does not say. */
export interface ReadHints {
  readonly stepMs: number;
  /** Function around the selector, `series` when only labels are wanted. */
  readonly func: string;
  readonly startMs: number;
  /** Length of a range selector, `[1h]`; 0 for an instant one. */
  readonly rangeMs: number;
}

const NO_HINTS: ReadHints = { stepMs: 0, func: '', startMs: 0, rangeMs: 0 };
/** `ReadRequest.ResponseType.STREAMED_XOR_CHUNKS`. */
const STREAMED_XOR_CHUNKS = 1;
/** Prometheus sends one query in a request, others a few. */
const MAX_QUERIES = 16;
const MAX_MATCHERS = 64;
/** Prometheus's least and greatest times lie far outside of what a number holds exactly; nothing is stored there. */
const FURTHEST_MS = 8.64e15;

/**
 * Reads a request, uncompressed.
 *
 * @throws RingflowError `bad_request` when it is not one
 */
export function decodeReadRequest(bytes: Uint8Array): ReadRequest {
  const queries: ReadQuery[] = [];
  let streamed = false;
  try {
    eachField(bytes, {
      1: (reader) => {
        if (queries.length >= MAX_QUERIES) throw new RangeError(`it has more than ${MAX_QUERIES} queries`);
        queries.push(decodeQuery(reader.bytes()));
      },
      2: (reader, type) => {
        for (const value of enums(reader, type)) if (value === STREAMED_XOR_CHUNKS) streamed = true;
      },
    });
  } catch (error) {
    throw new RingflowError('bad_request', `The body is not a ReadRequest: ${(error as Error).message}`, {
      hint: "Send a snappy block with a ReadRequest of Prometheus's remote read protocol",
      cause: error,
    });
  }
  return { queries, streamed };
}

function decodeQuery(bytes: Uint8Array): ReadQuery {
  let startMs = 0;
  let endMs = 0;
  let hints = NO_HINTS;
  const matchers: LabelMatcher[] = [];
  eachField(bytes, {
    1: (reader) => (startMs = time(reader)),
    2: (reader) => (endMs = time(reader)),
    3: (reader) => {
      if (matchers.length >= MAX_MATCHERS) throw new RangeError(`a query has more than ${MAX_MATCHERS} matchers`);
      matchers.push(decodeMatcher(reader.bytes()));
    },
    4: (reader) => (hints = decodeHints(reader.bytes())),
  });
  return { startMs, endMs, matchers, hints };
}

function decodeMatcher(bytes: Uint8Array): LabelMatcher {
  let type = 0;
  let name = '';
  let value = '';
  eachField(bytes, {
    1: (reader) => (type = reader.int32()),
    2: (reader) => (name = reader.string()),
    3: (reader) => (value = reader.string()),
  });
  const known = MATCHER_TYPES[type];
  if (known === undefined) throw new RangeError(`there is no matcher type ${type}`);
  return { type: known, name, value };
}

function decodeHints(bytes: Uint8Array): ReadHints {
  const hints = { ...NO_HINTS };
  eachField(bytes, {
    1: (reader) => (hints.stepMs = time(reader)),
    2: (reader) => (hints.func = reader.string()),
    3: (reader) => (hints.startMs = time(reader)),
    7: (reader) => (hints.rangeMs = time(reader)),
  });
  return hints;
}

type FieldReader = (reader: BinaryReader, type: WireType) => unknown;

/** Calls the reader of each field that has one, in the order in which fields come. */
function eachField(bytes: Uint8Array, readers: Readonly<Record<number, FieldReader>>): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    const read = readers[field];
    if (read) read(reader, type);
    else reader.skip(type, field);
    // Numbers that end beyond the end are read as if it went on.
    if (reader.pos > reader.len) throw new RangeError('premature EOF');
  }
}

/** A repeated enum comes packed, or one by one. */
function enums(reader: BinaryReader, type: WireType): number[] {
  if (type !== WireType.LengthDelimited) return [reader.int32()];
  const packed = new BinaryReader(reader.bytes());
  const values: number[] = [];
  while (packed.pos < packed.len) values.push(packed.int32());
  return values;
}

function time(reader: BinaryReader): number {
  return Math.max(-FURTHEST_MS, Math.min(FURTHEST_MS, Number(reader.int64())));
}
