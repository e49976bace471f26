import {
  parseAddress,
  parseAsn,
  parseEtherType,
  parseFlowType,
  parseMac,
  parseProtocol,
  parseQuality,
  parseTcpFlags,
  addressWords,
  type Column,
  type ColumnText,
  type ColumnType,
} from '@ringflow/contract';
import { pushWord, writeString, type Batch, type ColumnData } from '../wire/index.ts';

/** A value has the wrong type, or cannot be what it should be: the whole batch is refused. */
export class FieldError extends Error {
  override readonly name = 'FieldError';
}

/** Writes a value to a row. False when it is none that the column can hold: then the record goes without it. */
export type WriteValue = (batch: Batch, data: ColumnData, row: number, value: unknown) => boolean;

/** Highest value of the whole-number columns. */
const HIGHEST: Readonly<Partial<Record<ColumnType, number>>> = { u8: 0xff, u16: 0xffff, u32: 0xffff_ffff };

/** Texts of numbers that have names. A name that is not known is not taken, but no reason to refuse a record. */
const NAMED: Readonly<Partial<Record<ColumnText, (text: string) => number | null>>> = {
  proto: parseProtocol,
  etype: parseEtherType,
  flowType: parseFlowType,
  tcpFlags: parseTcpFlags,
  quality: parseQuality,
  asn: parseAsn,
};

const encoder = new TextEncoder();

/** How values of a column are written: the reverse of what `ringflow decode` prints. */
export function writerOf(column: Column): WriteValue {
  switch (column.type) {
    case 'u8':
    case 'u16':
    case 'u32':
      return writeNumber(HIGHEST[column.type] as number, NAMED[column.text]);
    case 'u64':
      return (_, data, row, value) => {
        const integer = integerOf(value);
        return integer !== null && writeWide(data, row, integer);
      };
    case 'time':
      return (_, data, row, value) => {
        const ns = typeof value === 'string' && value.includes('-') ? parseTimeNs(value) : integerOf(value);
        if (ns === null) throw new FieldError(`${shown(value)} is no time, write nanoseconds since the epoch`);
        return writeWide(data, row, ns);
      };
    case 'addr':
      return (_, data, row, value) => {
        const bytes = parseAddress(textOf(value));
        if (!bytes) throw new FieldError(`${shown(value)} is no address`);
        data.set(addressWords(bytes), row * 4);
        return true;
      };
    case 'mac':
      return (_, data, row, value) => {
        const mac = parseMac(textOf(value));
        if (mac === null) throw new FieldError(`${shown(value)} is no MAC address`);
        data[row * 2] = mac % 0x1_0000_0000;
        data[row * 2 + 1] = Math.floor(mac / 0x1_0000_0000);
        return true;
      };
    case 'string':
      return writeText(column.text === 'hex');
    case 'u32[]':
      return writeList;
  }
}

function writeNumber(highest: number, named: ((text: string) => number | null) | undefined): WriteValue {
  return (_, data, row, value) => {
    const number = typeof value === 'string' && named ? named(value) : integerOf(value);
    if (number === null || number < 0 || number > highest) return false;
    data[row] = Number(number);
    return true;
  };
}

function writeText(isHex: boolean): WriteValue {
  return (batch, data, row, value) => {
    const text = textOf(value);
    if (isHex && !/^([0-9a-f]{2})*$/i.test(text)) throw new FieldError(`${shown(value)} are no hexadecimal digits`);
    const bytes = isHex
      ? Uint8Array.from(text.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16))
      : encoder.encode(text);
    writeString(batch, data as Uint32Array, row, bytes, 0, bytes.length);
    return true;
  };
}

const writeList: WriteValue = (batch, data, row, value) => {
  if (!Array.isArray(value)) throw new FieldError(`${shown(value)} is no list`);
  let all = true;
  for (const item of value as unknown[]) {
    const number = typeof item === 'string' ? parseAsn(item) : integerOf(item);
    if (number !== null && number >= 0 && number <= 0xffff_ffff)
      pushWord(batch, data as Uint32Array, row, Number(number));
    else all = false;
  }
  return all;
};

/** A whole number in a number or in digits; null for a fraction. */
function integerOf(value: unknown): number | bigint | null {
  if (typeof value === 'number') return Number.isInteger(value) ? value : null;
  if (typeof value === 'string' && /^-?[0-9]{1,20}$/.test(value))
    return value.length < 16 ? Number(value) : BigInt(value);
  throw new FieldError(`${shown(value)} is no number`);
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new FieldError(`${shown(value)} is no text`);
}

function writeWide(data: ColumnData, row: number, value: number | bigint): boolean {
  if (value < 0 || value > 0xffff_ffff_ffff_ffffn) return false;
  if (typeof value === 'bigint' || !Number.isSafeInteger(value)) {
    const wide = BigInt(value);
    data[row * 2] = Number(wide & 0xffff_ffffn);
    data[row * 2 + 1] = Number(wide >> 32n);
  } else {
    data[row * 2] = value % 0x1_0000_0000;
    data[row * 2 + 1] = Math.floor(value / 0x1_0000_0000);
  }
  return true;
}

/** Nanoseconds of RFC 3339, as goflow2's renderer `datetimenano` writes it. */
function parseTimeNs(text: string): bigint | null {
  const [, seconds, fraction = '', zone] =
    /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text) ?? [];
  const ms = Date.parse(`${seconds}${zone}`);
  return Number.isNaN(ms) ? null : BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 64 ? `${text.slice(0, 64)}…` : text;
}
