import { isMappedIpv4, parsePrefix } from '@ringflow/contract';
import { createByteWriter, type ByteWriter } from './byte-writer.ts';

/** What a record of a database may be made of; numbers are written as doubles unless they are {@link uint32}. */
export type MmdbValue = string | number | readonly MmdbValue[] | { readonly [key: string]: MmdbValue } | Uint32;

interface Uint32 {
  readonly uint32: number;
}

/** A whole number that is to be written as such. */
export function uint32(value: number): Uint32 {
  return { uint32: value };
}

export interface MmdbNetwork {
  /** `192.0.2.0/24`, `2001:db8::/32`. */
  readonly network: string;
  readonly record: MmdbValue;
}

export interface MmdbDescription {
  readonly type: string;
  readonly description: string;
  /** Milliseconds since the epoch. */
  readonly builtMs: number;
}

/** Type numbers of the format's data section. */
const TYPE = { text: 2, double: 3, uint16: 5, uint32: 6, map: 7, uint64: 9, array: 11 } as const;
const SEPARATOR = new Uint8Array(16);
const METADATA_MARKER = new Uint8Array([0xab, 0xcd, 0xef, ...new TextEncoder().encode('MaxMind.com')]);

/**
 * Writes a MaxMind DB 2.0 file (https://maxmind.github.io/MaxMind-DB/): records of 32 bits, IPv4 at ::/96, equal records
 * once. A network inside another one has its own record.
 *
 * @throws RangeError for what is no network
 */
export function encodeMmdb(networks: readonly MmdbNetwork[], about: MmdbDescription): Uint8Array {
  const data = createByteWriter(4096);
  const offsets = new Map<string, number>();
  const tree = createTree();
  const byLength = networks.map((entry) => ({ ...entry, ...bitsOf(entry.network) })).sort((a, b) => a.bits - b.bits);
  for (const { record, bytes, bits } of byLength) {
    const key = JSON.stringify(record);
    let offset = offsets.get(key);
    if (offset === undefined) {
      offset = data.length;
      offsets.set(key, offset);
      writeValue(data, record);
    }
    tree.add(bytes, bits, offset);
  }
  const file = createByteWriter(tree.nodeCount() * 8 + data.length + 1024);
  tree.write(file);
  file.bytes(SEPARATOR).bytes(data.done()).bytes(METADATA_MARKER);
  writeMap(file, [
    ['binary_format_major_version', (out) => writeUint(out, TYPE.uint16, 2)],
    ['binary_format_minor_version', (out) => writeUint(out, TYPE.uint16, 0)],
    ['build_epoch', (out) => writeUint(out, TYPE.uint64, Math.floor(about.builtMs / 1000))],
    ['database_type', (out) => writeText(out, about.type)],
    ['description', (out) => writeValue(out, { en: about.description })],
    ['ip_version', (out) => writeUint(out, TYPE.uint16, 6)],
    ['languages', (out) => writeValue(out, ['en'])],
    ['node_count', (out) => writeUint(out, TYPE.uint32, tree.nodeCount())],
    ['record_size', (out) => writeUint(out, TYPE.uint16, 32)],
  ]);
  return file.done();
}

/** First address and length of a network in the tree, where IPv4 has its 96 leading bits unset. */
function bitsOf(network: string): { bytes: Uint8Array; bits: number } {
  const prefix = parsePrefix(network);
  if (!prefix) throw new RangeError(`${network} is not a network`);
  const bytes = prefix.bytes.slice();
  if (isMappedIpv4(bytes) && prefix.bits >= 96) bytes.fill(0, 10, 12);
  return { bytes, bits: prefix.bits };
}

/** The search tree: two children per node, a node's number, or below 0 a record's offset (-1 - offset), or 0. */
function createTree() {
  const children: number[] = [0, 0];

  return {
    nodeCount: () => children.length / 2,
    /** Shorter networks first. */
    add: (bytes: Uint8Array, bits: number, offset: number): void => {
      let node = 0;
      for (let bit = 0; bit < bits - 1; bit++) {
        const at = node * 2 + sideOf(bytes, bit);
        const child = children[at] as number;
        if (child > 0) node = child;
        else {
          // What held for all of it holds for both halves.
          node = children.length / 2;
          children.push(child, child);
          children[at] = node;
        }
      }
      children[node * 2 + sideOf(bytes, bits - 1)] = -1 - offset;
    },
    write: (out: ByteWriter): void => {
      const count = children.length / 2;
      for (const child of children) {
        if (child > 0) out.u32(child);
        else out.u32(child === 0 ? count : count + SEPARATOR.length + (-1 - child));
      }
    },
  };
}

function sideOf(bytes: Uint8Array, bit: number): number {
  return ((bytes[bit >> 3] as number) >> (7 - (bit & 7))) & 1;
}

function writeValue(out: ByteWriter, value: MmdbValue): void {
  if (typeof value === 'string') writeText(out, value);
  else if (typeof value === 'number') writeDouble(out, value);
  else if (Array.isArray(value)) {
    writeControl(out, TYPE.array, value.length);
    for (const item of value as readonly MmdbValue[]) writeValue(out, item);
  } else if (isUint32(value)) writeUint(out, TYPE.uint32, value.uint32);
  else
    writeMap(
      out,
      Object.entries(value as Readonly<Record<string, MmdbValue>>).map(([key, item]) => [
        key,
        (to) => writeValue(to, item),
      ]),
    );
}

function isUint32(value: MmdbValue): value is Uint32 {
  return typeof value === 'object' && 'uint32' in value;
}

function writeMap(
  out: ByteWriter,
  entries: readonly (readonly [key: string, write: (out: ByteWriter) => void])[],
): void {
  writeControl(out, TYPE.map, entries.length);
  for (const [key, write] of entries) {
    writeText(out, key);
    write(out);
  }
}

function writeText(out: ByteWriter, text: string): void {
  const bytes = new TextEncoder().encode(text);
  writeControl(out, TYPE.text, bytes.length);
  out.bytes(bytes);
}

function writeDouble(out: ByteWriter, value: number): void {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value);
  writeControl(out, TYPE.double, 8);
  out.bytes(bytes);
}

/** Without leading zeros: 0 has no bytes at all. */
function writeUint(out: ByteWriter, type: number, value: number): void {
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  writeControl(out, type, bytes.length);
  out.bytes(Uint8Array.from(bytes));
}

/** Type and size: three and five bits; types from 8 on and sizes from 29 on have bytes of their own. */
function writeControl(out: ByteWriter, type: number, size: number): void {
  const short = size < 29 ? size : size < 285 ? 29 : 30;
  if (size >= 65_821) throw new RangeError(`${size} is more than is written here`);
  if (type < 8) out.u8((type << 5) | short);
  else out.u8(short).u8(type - 7);
  if (short === 29) out.u8(size - 29);
  if (short === 30) out.u16(size - 285);
}
