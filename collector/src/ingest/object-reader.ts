/** Takes JSON objects apart from one another, however they are strung together. */
export interface ObjectReader {
  /** Calls back for each object that ends in the chunk, with its text as it stands. */
  push(chunk: Uint8Array): void;
  /** @throws ObjectError when the input ends inside an object or an array */
  end(): void;
}

/** The input is no sequence of JSON objects. */
export class ObjectError extends Error {
  override readonly name = 'ObjectError';
}

/** Longest object; a flow record takes a thousandth of it. */
export const MAX_OBJECT_BYTES = 1024 * 1024;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const COMMA = 0x2c;

/**
 * Finds the objects of a JSON array, of lines (NDJSON) or simply of one after the other, in input of any length: only
 * the object at hand is held. Whether an object is valid is left to whoever parses it.
 *
 * @param found gets the bytes of one object, valid during the call
 */
export function createObjectReader(found: (object: Uint8Array) => void): ObjectReader {
  /** Depth of braces and brackets inside an object; 0 = between objects. */
  let depth = 0;
  let inString = false;
  let escaped = false;
  let inArray = false;
  /** Beginning of an object that goes on in the next chunk. */
  let parts: Uint8Array[] = [];
  let partsBytes = 0;

  function push(chunk: Uint8Array): void {
    let from = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] as number;
      if (inString) {
        if (escaped) escaped = false;
        else if (byte === BACKSLASH) escaped = true;
        else if (byte === QUOTE) inString = false;
      } else if (depth === 0) {
        if (byte !== OPEN_OBJECT) {
          between(byte);
          continue;
        }
        depth = 1;
        from = at;
      } else if (byte === QUOTE) inString = true;
      else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) depth++;
      else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
        if (--depth > 0) continue;
        const last = chunk.subarray(from, at + 1);
        const whole = parts.length === 0 ? last : joined([...parts, last]);
        parts = [];
        partsBytes = 0;
        found(whole);
      }
    }
    if (depth === 0) return;
    // A copy: the caller's buffer may be used again.
    parts.push(chunk.slice(from));
    partsBytes += chunk.length - from;
    if (partsBytes > MAX_OBJECT_BYTES) throw new ObjectError(`An object is longer than ${MAX_OBJECT_BYTES} bytes`);
  }

  function between(byte: number): void {
    if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09 || byte === COMMA) return;
    if (byte === OPEN_ARRAY && !inArray) inArray = true;
    else if (byte === CLOSE_ARRAY && inArray) inArray = false;
    else throw new ObjectError(`Expected an object, not "${String.fromCharCode(byte)}"`);
  }

  function end(): void {
    if (depth > 0) throw new ObjectError('The input ends inside an object');
    if (inArray) throw new ObjectError('The input ends before the array does');
  }

  return { push, end };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * A long integer behind a key. The quote may also be the first one of a text that begins with a colon; then what comes out
 * is no JSON, and {@link TOKEN} is used.
 */
const LONG_VALUE = /(?<!\\)":\s*(-?\d{16,})(?=\s*[,}])/g;
/** Strings first, so that digits inside them are left alone. */
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/g;
const LONG_INTEGER = /^-?\d{16,}$/;

/**
 * An object's text as a value in which integers that a JavaScript number may not hold (nanoseconds since the epoch) are
 * strings of digits.
 *
 * @throws SyntaxError
 */
export function parseObject(text: string): Readonly<Record<string, unknown>> {
  if (!/\d{16}/.test(text)) return JSON.parse(text) as Record<string, unknown>;
  try {
    return JSON.parse(text.replace(LONG_VALUE, '":"$1"')) as Record<string, unknown>;
  } catch {
    const exact = text.replace(TOKEN, (token) => (LONG_INTEGER.test(token) ? `"${token}"` : token));
    return JSON.parse(exact) as Record<string, unknown>;
  }
}
