import { lastAddress, parseAddress, parsePrefix } from '../address.ts';
import { parseEtherType, parseFlowType, parseProtocol } from '../names.ts';
import { servicePorts } from '../services.ts';
import {
  parseAsn,
  parseCountry,
  parseDuration,
  parseMac,
  parseQuality,
  parseService,
  parseSize,
  parseTcpFlags,
} from '../values.ts';
import type { FieldKind, FilterField } from './fields.ts';
import type { FilterValue } from './tree.ts';

/** Observed direction (IPFIX 61), as Akvorado writes it. */
const DIRECTIONS: ReadonlyMap<string, number> = new Map([
  ['ingress', 0],
  ['in', 0],
  ['0', 0],
  ['egress', 1],
  ['out', 1],
  ['1', 1],
]);

/** What the values of a kind look like; shown after "expected". */
const EXPECTED: Readonly<Record<FieldKind, string>> = {
  number: 'a number such as 1500, 10M or 4Ki',
  port: 'a port such as 443, 8000-8100 or https',
  asn: 'an AS number such as AS64500, or a name in quotes',
  proto: 'a protocol such as tcp, udp or 47',
  etype: 'IPv4, IPv6, ARP or a number such as 0x8847',
  flowType: 'NETFLOW_V5, NETFLOW_V9, IPFIX or SFLOW_5',
  direction: 'ingress or egress',
  tcpFlags: 'TCP flags such as syn, SA or SYN,ACK in quotes',
  quality: 'a quality flag such as sampling_unknown',
  service: 'a service such as https or tcp/443',
  interface: 'an ifIndex or an interface name in quotes',
  exporter: 'an address or an exporter name in quotes',
  addr: 'an address or prefix such as 192.0.2.1, 10.0.0.0/8 or 2001:db8::/32',
  mac: 'a MAC address such as 00:53:00:aa:bb:cc',
  text: 'a text in quotes',
  hex: 'hexadecimal digits',
  time: 'a time such as 2026-01-31T12:00:00Z',
  duration: 'a duration with its unit, such as 500ms, 30s or 5m',
  list: 'a number',
  word: 'a word',
  country: 'a country code such as DE',
  named: 'a name in quotes',
  attribute: 'a text in quotes',
};

/** What a value of the field looks like, for messages. */
export function expectedValue(field: FilterField): string {
  if (field.kind === 'word') return `one of ${(field.words ?? []).filter((word) => word !== '').join(', ')}`;
  if (field.kind !== 'number') return EXPECTED[field.kind];
  if (field.fractions) return 'a number such as 1.5, 1500 or 10M';
  return field.max === undefined ? `${EXPECTED.number}, without a fraction` : `a whole number from 0 to ${field.max}`;
}

/**
 * Values that a word means for a field: usually one, several for a service name (`port = dns` is one number,
 * `service = domain` is TCP and UDP). Empty when it means nothing.
 */
export function parseLiteral(field: FilterField, text: string): readonly FilterValue[] {
  switch (field.kind) {
    case 'number':
      return numberOrRange(text, (part) => parseCount(part, field));
    case 'port': {
      const numbers = numberOrRange(text, (part) =>
        /^\d{1,5}$/.test(part) && Number(part) <= 65_535 ? Number(part) : null,
      );
      if (numbers.length > 0) return numbers;
      return [...new Set(servicePorts(text.toLowerCase()).map(([, port]) => port))].map(number);
    }
    case 'asn':
      return numberOrRange(text, parseAsn);
    case 'list': {
      const value = parseAsn(text) ?? parseCommunity(text);
      return value === null ? [] : [number(value)];
    }
    case 'proto':
      return numberOrRange(text, parseProtocol);
    case 'etype':
      return numberOrRange(text, parseEtherType);
    case 'flowType':
      return wrap(parseFlowType(text));
    case 'direction':
      return wrap(DIRECTIONS.get(text.toLowerCase()) ?? null);
    case 'tcpFlags':
      return wrap(atMost(parseTcpFlags(text) ?? parseFlagLetters(text), field));
    case 'quality':
      return wrap(parseQuality(text));
    case 'service':
      return parseService(text).map(number);
    case 'interface':
      return /^\d{1,10}$/.test(text) && Number(text) <= 0xffff_ffff ? [number(Number(text))] : [];
    case 'exporter':
    case 'addr':
      return parseAddresses(text);
    case 'mac':
      return wrap(parseMac(text));
    case 'hex':
      return /^(0x)?([0-9a-f]{2})+$/i.test(text)
        ? [{ kind: 'text', text: text.replace(/^0x/i, '').toLowerCase() }]
        : [];
    case 'text':
      return [{ kind: 'text', text }];
    case 'time':
      return parseTime(text);
    case 'duration':
      return numberOrRange(text, parseDurationMs);
    case 'word': {
      const at = (field.words ?? []).indexOf(text.toLowerCase());
      return at < 0 ? [] : [number(at)];
    }
    case 'country':
      return text === '' ? [number(0)] : wrap(parseCountry(text));
    case 'named':
      // 0 is the id of nothing.
      return [text === '' ? number(0) : { kind: 'name', text }];
    case 'attribute':
      return [{ kind: 'name', text }];
  }
}

/** Kinds whose values may also be names that the collector looks up. */
export function takesNames(kind: FieldKind): boolean {
  return kind === 'interface' || kind === 'exporter' || kind === 'asn' || kind === 'named' || kind === 'attribute';
}

function number(value: number): FilterValue {
  return { kind: 'number', value };
}

function wrap(value: number | null): FilterValue[] {
  return value === null ? [] : [number(value)];
}

function atMost(value: number | null, { max = Number.MAX_SAFE_INTEGER }: FilterField): number | null {
  return value !== null && value <= max ? value : null;
}

/** A number with a suffix, or hexadecimal. One that the column cannot hold is a mistake, not a comparison. */
function parseCount(text: string, field: FilterField): number | null {
  if (/^0x[0-9a-f]{1,13}$/i.test(text)) return atMost(Number(text), field);
  const match = /^([0-9]{1,16}(?:\.[0-9]{1,6})?)([a-z]*)$/i.exec(text);
  const unit = match ? parseSize(`1${match[2] as string}`) : null;
  if (!match || unit === null) return null;
  const exact = Number(match[1]) * unit;
  // What a suffix makes of a fraction is meant to be whole: 1.1k is 1100, whatever binary fractions say.
  const value = unit > 1 ? Math.round(exact) : exact;
  return field.fractions || Number.isSafeInteger(value) ? atMost(value, field) : null;
}

/** Milliseconds of a duration, to the nanosecond. */
function parseDurationMs(text: string): number | null {
  const ms = parseDuration(text);
  return ms === null ? null : atMostSafe(Math.round(ms * 1e6) / 1e6);
}

function atMostSafe(value: number): number | null {
  return value <= Number.MAX_SAFE_INTEGER ? value : null;
}

function numberOrRange(text: string, parse: (part: string) => number | null): FilterValue[] {
  const whole = parse(text);
  if (whole !== null) return [number(whole)];
  const dash = text.indexOf('-', 1);
  if (dash < 0) return [];
  const from = parse(text.slice(0, dash));
  const to = parse(text.slice(dash + 1));
  return from === null || to === null || from > to ? [] : [{ kind: 'range', from, to }];
}

function parseAddresses(text: string): FilterValue[] {
  if (text.includes('/')) {
    const prefix = parsePrefix(text);
    return prefix ? [{ kind: 'addresses', from: prefix.bytes, to: lastAddress(prefix) }] : [];
  }
  const [first, second, ...more] = text.split('-');
  const from = parseAddress(first ?? '');
  const to = second === undefined ? from : parseAddress(second);
  if (!from || !to || more.length > 0 || compareBytes(from, to) > 0) return [];
  return [{ kind: 'addresses', from, to }];
}

/** Order of two addresses as numbers: negative, zero or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** nfdump's and tcpdump's letters: `S`, `SA`, `FPU`. */
function parseFlagLetters(text: string): number | null {
  let value = 0;
  for (const letter of text.toUpperCase()) {
    const bit = FLAG_LETTERS.get(letter);
    if (bit === undefined) return null;
    value |= bit;
  }
  return text === '' ? null : value;
}

/** Lowest bit first: fin syn rst psh ack urg ece cwr (tcpdump's W; C too) and ns. */
const FLAG_LETTERS: ReadonlyMap<string, number> = new Map([
  ['F', 1],
  ['S', 2],
  ['R', 4],
  ['P', 8],
  ['A', 16],
  ['U', 32],
  ['E', 64],
  ['W', 128],
  ['C', 128],
  ['N', 256],
]);

/** `65000:100` (RFC 1997). */
function parseCommunity(text: string): number | null {
  const match = /^(\d{1,5}):(\d{1,5})$/.exec(text);
  if (!match) return null;
  const [high, low] = [Number(match[1]), Number(match[2])];
  return high <= 0xffff && low <= 0xffff ? high * 65_536 + low : null;
}

/** ISO 8601, UTC unless it says otherwise, or milliseconds since the epoch. */
function parseTime(text: string): FilterValue[] {
  if (/^\d{12,13}$/.test(text)) return timeValue(BigInt(text) * 1_000_000n);
  if (!/^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?$/.test(text)) return [];
  const zoned = /(Z|[+-]\d\d:?\d\d)$/.test(text.slice(10)) ? text : `${text.length === 10 ? `${text}T00:00` : text}Z`;
  const ms = Date.parse(zoned.replace(' ', 'T').replace(/(\.\d{3})\d+/, '$1'));
  // Date.parse reads 30 February as 2 March.
  if (Number.isNaN(ms) || !isDay(text)) return [];
  const fraction = /\.\d{3}(\d{1,6})/.exec(text)?.[1]?.padEnd(6, '0') ?? '0';
  return timeValue(BigInt(ms) * 1_000_000n + BigInt(fraction));
}

/** What 63 bits of nanoseconds can hold: 1970 to 2262. */
function timeValue(ns: bigint): FilterValue[] {
  return ns >= 0n && ns < 1n << 63n ? [{ kind: 'time', ns }] : [];
}

function isDay(text: string): boolean {
  const date = text.slice(0, 10);
  const read = new Date(`${date}T00:00:00Z`);
  return !Number.isNaN(read.getTime()) && read.toISOString().startsWith(date);
}
