/** Writes a zip (PKWARE APPNOTE 6.3.3) whose bytes depend on its entries only: no times, no owners. */
import { crc32, deflateRawSync } from 'node:zlib';

/** 1980-01-01, the earliest that a zip can say. */
const DOS_DATE = 0x21;
const UNIX = 3;
const DEFLATED = 8;

/**
 * @param {{ name: string, data: Buffer, mode: number }[]} entries paths with `/`, POSIX permissions such as 0o755
 * @returns {Buffer}
 */
export function zip(entries) {
  const parts = [];
  const directory = [];
  let offset = 0;
  for (const { name, data, mode } of [...entries].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = Buffer.from(name);
    const packed = deflateRawSync(data, { level: 9 });
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    // UTF-8 names.
    common.writeUInt16LE(0x0800, 2);
    common.writeUInt16LE(DEFLATED, 4);
    common.writeUInt16LE(DOS_DATE, 8);
    common.writeUInt32LE(crc32(data) >>> 0, 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(path.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, path, packed]);
    const rest = Buffer.alloc(14);
    // S_IFREG and the permissions, in the upper half of the external attributes.
    rest.writeUInt32LE(((0o100000 | mode) << 16) >>> 0, 6);
    rest.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02'), Buffer.from([20, UNIX]), common, rest, path]));
    parts.push(local);
    offset += local.length;
  }
  const index = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(index.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, index, end]);
}
