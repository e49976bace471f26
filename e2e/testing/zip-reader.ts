import { inflateRawSync } from 'node:zlib';

export interface ZipEntry {
  readonly data: Buffer;
  /** POSIX permissions. */
  readonly mode: number;
}

/** Entries of a zip by their path (PKWARE APPNOTE 4.3.12), read by its directory as every unpacker does. */
export function readZip(zip: Buffer): ReadonlyMap<string, ZipEntry> {
  const end = zip.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  const entries = new Map<string, ZipEntry>();
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    const packed = zip.readUInt32LE(at + 20);
    const nameLength = zip.readUInt16LE(at + 28);
    const local = zip.readUInt32LE(at + 42);
    const name = zip.toString('utf8', at + 46, at + 46 + nameLength);
    const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    entries.set(name, {
      data: inflateRawSync(zip.subarray(start, start + packed)),
      mode: (zip.readUInt32LE(at + 38) >>> 16) & 0o777,
    });
    at += 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  return entries;
}
