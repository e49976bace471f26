import { lastAddress, parseAddress, parsePrefix } from '../address.ts';
import { parseEtherType, parseFlowType, parseProtocol } from '../names.ts';
import { servicePorts } from '../services.ts';
import { parseAsn, parseDuration, parseMac, parseQuality, parseService, parseSize, parseTcpFlags } from '../values.ts';
import type { FieldKind } from './fields.ts';
import type { FilterOperator, FilterValue } from './tree.ts';

/** Observed direction (IPFIX 61), as Akvorado writes it. */
const DIRECTIONS: Readonly<Record<string, number>> = { ingress: 0, in: 0, egress: 1, out: 1 };

/** What the values of a kind look like; shown after "expected". */
export const LITERAL_HINTS: Readonly<Record<FieldKind, string>> = {
  number: 'a number such as 1500, 10M or 4Ki',
  port: 'a port such as 443, 8000-8100 or https',
  asn: 'an AS number such as AS64500, or a name in quotes',
  proto: 'a protocol such as tcp, udp or 47',
  etype: 'IPv4, IPv6, ARP or a number such as 0x8847',
  flowType: 'NETFLOW_V5, NETFLOW_V9, IPFIX or SFLOW_5',
  direction: 'ingress or egress',
  tcpFlags: 'TCP flags such as syn or SYN,ACK',
  quality: 'a quality flag such as sampling_unknown',
  service: 'a service such as https or tcp/443',
  interface: 'an ifIndex or an interface name in quotes',
  exporter: 'an address or an exporter name in quotes',
  addr: 'an address or prefix such as 192.0.2.1, 10.0.0.0/8 or 2001:db8::/32',
  mac: 'a MAC address such as 00:53:00:aa:bb:cc',
  text: 'a text in quotes',
  hex: 'hexadecimal digits',
  time: 'a time such as "2026-01-31T12:00:00Z"',
  duration: 'a duration such as 500ms, 30s or 5m',
  list: 'a number',
};

/** Operators whose right side is a pattern and not a value. */
export function takesPattern(operator: FilterOperator): boolean {
  return operator === 'like' || operator === 'ilike' || operator === '~';
}

/**
 * Values that a word means for a kind of field: usually one, several for a service name (`port = dns` is one number,
 * `service = domain` is TCP and UDP). Empty when it means nothing.
 */
export function parseLiteral(kind: FieldKind, text: string): readonly FilterValue[] {
  switch (kind) {
    case 'number':
      return numberOrRange(text, (part) => parseSize(part));
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
      return wrap(parseProtocol(text));
    case 'etype':
      return wrap(parseEtherType(text));
    case 'flowType':
      return wrap(parseFlowType(text));
    case 'direction':
      return wrap(DIRECTIONS[text.toLowerCase()] ?? (/^[01]$/.test(text) ? Number(text) : null));
    case 'tcpFlags':
      return wrap(parseTcpFlags(text) ?? parseFlagLetters(text));
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
      return numberOrRange(text, (part) => parseDuration(part));
  }
}

/** Kinds whose values may also be names that the collector looks up. */
export function takesNames(kind: FieldKind): boolean {
  return kind === 'interface' || kind === 'exporter' || kind === 'asn';
}

function number(value: number): FilterValue {
  return { kind: 'number', value };
}

function wrap(value: number | null): FilterValue[] {
  return value === null ? [] : [number(value)];
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
    return prefix ? [{ kind: 'addresses', from: prefix.bytes, to: lastAddress(prefix), text }] : [];
  }
  const [first, second, ...more] = text.split('-');
  const from = parseAddress(first ?? '');
  const to = second === undefined ? from : parseAddress(second);
  if (!from || !to || more.length > 0 || compareBytes(from, to) > 0) return [];
  return [{ kind: 'addresses', from, to, text }];
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
  const bits: Readonly<Record<string, number>> = { F: 1, S: 2, R: 4, P: 8, A: 16, U: 32, E: 64, W: 128 };
  let value = 0;
  for (const letter of text.toUpperCase()) {
    const bit = bits[letter];
    if (bit === undefined) return null;
    value |= bit;
  }
  return text === '' ? null : value;
}

/** `65000:100` (RFC 1997). */
function parseCommunity(text: string): number | null {
  const match = /^(\d{1,5}):(\d{1,5})$/.exec(text);
  if (!match) return null;
  const [high, low] = [Number(match[1]), Number(match[2])];
  return high <= 0xffff && low <= 0xffff ? high * 65_536 + low : null;
}

/** ISO 8601, UTC unless it says otherwise, or milliseconds since the epoch. */
function parseTime(text: string): FilterValue[] {
  if (/^\d{12,14}$/.test(text)) return [{ kind: 'time', ns: BigInt(text) * 1_000_000n }];
  if (!/^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?$/.test(text)) return [];
  const zoned = /(Z|[+-]\d\d:?\d\d)$/.test(text.slice(10)) ? text : `${text.length === 10 ? `${text}T00:00` : text}Z`;
  const ms = Date.parse(zoned.replace(' ', 'T').replace(/(\.\d{3})\d+/, '$1'));
  if (Number.isNaN(ms)) return [];
  const fraction = /\.\d{3}(\d{1,6})/.exec(text)?.[1]?.padEnd(6, '0') ?? '0';
  return [{ kind: 'time', ns: BigInt(ms) * 1_000_000n + BigInt(fraction) }];
}
