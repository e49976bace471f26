import { readFile } from 'node:fs/promises';
import { formatCountry, nameId } from '@ringflow/contract';
import { Reader } from 'maxmind';
import { readGeoRecord, type GeoRecord } from './record.ts';
import { packAsNames, packTexts, PART_SEPARATOR, sharedWords, type GeoTable } from './table.ts';

/** Zero bytes between search tree and data (MaxMind DB 2.0, "Data Section Separator"). */
const SEPARATOR_BYTES = 16;
/** Decoded parts that records share are kept; cleared when full. */
const MAX_CACHED = 20_000;

/**
 * Reads a MaxMind DB file (https://maxmind.github.io/MaxMind-DB/) and compiles it: every node and every record is
 * looked at once, so a file that is broken anywhere is refused here and not when an address meets the broken part.
 *
 * @throws Error that says what is wrong with the file
 */
export async function loadGeoTable(path: string): Promise<GeoTable> {
  const file = await readFile(path);
  if (file[0] === 0x1f && file[1] === 0x8b) throw new Error('It is compressed: unpack the .mmdb out of it');
  return compileGeoTable(file);
}

/** {@link loadGeoTable} of the file's bytes. */
export function compileGeoTable(file: Buffer): GeoTable {
  const reader = openReader(file);
  const leaves = createLeaves();
  const { nodes, ipv4Start, ipv6Start } = readTree(file, reader, leaves.of);
  const { databaseType, buildEpoch, nodeCount } = reader.metadata;
  if (!leaves.holdsAnything())
    throw new Error(`It holds neither countries nor places nor AS numbers (its type is "${databaseType}")`);
  return {
    type: databaseType,
    builtMs: buildEpoch.getTime() || 0,
    nodes,
    nodeCount,
    ipv4Start,
    ipv6Start,
    ...leaves.pack(),
  };
}

function openReader(file: Buffer): Reader<never> {
  const cached = new Map<unknown, unknown>();
  const cache = {
    get: (key: unknown) => cached.get(key),
    set: (key: unknown, value: unknown) => {
      if (cached.size >= MAX_CACHED) cached.clear();
      cached.set(key, value);
    },
  };
  let reader: Reader<never>;
  try {
    reader = new Reader<never>(file, { cache });
  } catch (error) {
    throw new Error(`It is no MaxMind database, or its metadata is broken: ${(error as Error).message}`);
  }
  const { nodeCount, recordSize, ipVersion, searchTreeSize, databaseType } = reader.metadata;
  if (!(nodeCount > 0 && (ipVersion === 4 || ipVersion === 6) && typeof databaseType === 'string'))
    throw new Error('Its metadata is broken: node count, IP version or type is missing');
  const separator = file.subarray(searchTreeSize, searchTreeSize + SEPARATOR_BYTES);
  if (separator.length < SEPARATOR_BYTES || separator.some((byte) => byte !== 0))
    throw new Error(`Its search tree does not end where ${nodeCount} nodes of ${recordSize} bits end`);
  return reader;
}

/** What a leaf says, once for all networks of which the database says the same. */
function createLeaves() {
  const byPointer = new Map<number, number>();
  const byMeaning = new Map<string, number>([['0 0 0', 0]]);
  const countries = [0];
  const asns = [0];
  const places = [0];
  const placeRows = [0];
  const placeTexts = [''];
  const rowOfPlace = new Map<number, number>([[0, 0]]);
  const asNames = new Map<number, string>();

  function of(pointer: number, read: () => unknown): number {
    let leaf = byPointer.get(pointer);
    if (leaf === undefined) {
      leaf = leafOf(readGeoRecord(read()));
      byPointer.set(pointer, leaf);
    }
    return leaf;
  }

  function leafOf(record: GeoRecord): number {
    const place = placeOf(record);
    const meaning = `${record.country} ${record.asn} ${place}`;
    let leaf = byMeaning.get(meaning);
    if (leaf === undefined) {
      leaf = countries.length;
      byMeaning.set(meaning, leaf);
      countries.push(record.country);
      asns.push(record.asn);
      places.push(place);
      placeRows.push(rowOfPlace.get(place) as number);
    }
    if (record.asName !== '' && !asNames.has(record.asn)) asNames.set(record.asn, record.asName);
    return leaf;
  }

  /** Its id; 0 when nothing but the country is known, which has a column of its own. */
  function placeOf({ country, countryName, subdivision, city, latitude, longitude }: GeoRecord): number {
    const isLocated = !Number.isNaN(latitude) && !Number.isNaN(longitude);
    if (subdivision === '' && city === '' && !isLocated) return 0;
    const coordinates = isLocated ? [String(latitude), String(longitude)] : ['', ''];
    const parts = [formatCountry(country), subdivision, city, ...coordinates];
    const id = nameId(parts.join(','));
    if (!rowOfPlace.has(id)) {
      rowOfPlace.set(id, placeTexts.length);
      const name = city || subdivision || countryName || (parts[0] as string);
      placeTexts.push([name, ...parts].map((part) => part.replaceAll(PART_SEPARATOR, '')).join(PART_SEPARATOR));
    }
    return id;
  }

  return {
    of,
    holdsAnything: () => countries.length > 1,
    pack: () => {
      const codes = new Uint16Array(new SharedArrayBuffer(countries.length * 2));
      codes.set(countries);
      return {
        networks: byPointer.size,
        countries: codes,
        asns: sharedWords(asns),
        places: sharedWords(places),
        placeRows: sharedWords(placeRows),
        placeTexts: packTexts(placeTexts),
        asNames: packAsNames(asNames),
      };
    },
  };
}

/** Walks the search tree, node by node, with the address that leads there. */
function readTree(
  file: Buffer,
  reader: Reader<never>,
  leafOf: (pointer: number, read: () => unknown) => number,
): Pick<GeoTable, 'nodes' | 'ipv4Start' | 'ipv6Start'> {
  const { nodeCount, nodeByteSize, recordSize, ipVersion } = reader.metadata;
  const depthLimit = ipVersion === 6 ? 128 : 32;
  const nodes = new Uint32Array(new SharedArrayBuffer(nodeCount * 8));
  const seen = new Uint8Array(nodeCount);
  const address = new Uint8Array(depthLimit / 8);
  /** Of nodes whose right side is still to be walked: at most one per bit. */
  const parents = new Uint32Array(depthLimit);
  const read = (): unknown => reader.get(textOf(address));

  /** Both sides of a node that leads further are walked once, wherever it hangs: aliases of the IPv4 tree are links. */
  function valueOf(node: number, side: number): number {
    const value = recordOf(file, node * nodeByteSize, recordSize, side);
    if (value < nodeCount) return value;
    // "Not found" is the count itself; the next 16 values would point into the separator.
    if (value === nodeCount) return nodeCount;
    if (value < nodeCount + SEPARATOR_BYTES) throw new Error(`Node ${node} of its search tree points to no record`);
    try {
      return nodeCount + leafOf(value, read);
    } catch (error) {
      throw new Error(`Its record for ${textOf(address)} is broken: ${(error as Error).message}`);
    }
  }

  let depth = 0;
  let node = 0;
  seen[0] = 1;
  /** Side of the node that comes next. */
  let side = 0;
  while (depth >= 0) {
    if (side === 2) {
      // Both sides are done: up, to the next one that has a right side left.
      while (--depth >= 0 && bitOf(address, depth) === 1) setBit(address, depth, 0);
      if (depth < 0) break;
      node = parents[depth] as number;
      side = 1;
      continue;
    }
    setBit(address, depth, side);
    const next = valueOf(node, side);
    nodes[node * 2 + side] = next;
    if (next < nodeCount && seen[next] === 0) {
      if (depth + 1 === depthLimit) throw new Error(`Its search tree is broken: it does not end at ${textOf(address)}`);
      seen[next] = 1;
      parents[depth] = node;
      depth++;
      node = next;
      side = 0;
    } else {
      side++;
      if (side === 2) setBit(address, depth, 0);
    }
  }
  return { nodes, ...startsOf(nodes, nodeCount, ipVersion) };
}

/** IPv4 addresses stand at ::/96 of an IPv6 tree; an IPv4 tree knows nothing of IPv6. */
function startsOf(nodes: Uint32Array, nodeCount: number, ipVersion: number): { ipv4Start: number; ipv6Start: number } {
  if (ipVersion === 4) return { ipv4Start: 0, ipv6Start: nodeCount };
  let node = 0;
  for (let bit = 0; bit < 96 && node < nodeCount; bit++) node = nodes[node * 2] as number;
  return { ipv4Start: node, ipv6Start: 0 };
}

/** A record of a node: its two sides are 24, 28 or 32 bits, of which 28 share the byte in the middle. */
function recordOf(file: Buffer, at: number, recordSize: number, side: number): number {
  if (recordSize === 32) return file.readUInt32BE(at + side * 4);
  if (recordSize === 24) return file.readUIntBE(at + side * 3, 3);
  const middle = file[at + 3] as number;
  const high = side === 0 ? middle >>> 4 : middle & 0x0f;
  return high * 0x100_0000 + file.readUIntBE(at + side * 4, 3);
}

function bitOf(address: Uint8Array, bit: number): number {
  return ((address[bit >> 3] as number) >>> (7 - (bit & 7))) & 1;
}

function setBit(address: Uint8Array, bit: number, value: number): void {
  const mask = 0x80 >>> (bit & 7);
  const byte = address[bit >> 3] as number;
  address[bit >> 3] = value === 1 ? byte | mask : byte & ~mask;
}

/** For the reader and for people. A mapped address must not have dots: the reader would look for it at ::/96. */
function textOf(address: Uint8Array): string {
  const ipv4 = address.subarray(-4);
  if (address.every((byte, index) => byte === 0 || index >= address.length - 4)) return ipv4.join('.');
  const groups: string[] = [];
  for (let i = 0; i < 16; i += 2)
    groups.push((((address[i] as number) << 8) | (address[i + 1] as number)).toString(16));
  return groups.join(':');
}
