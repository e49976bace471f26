/**
 * Text forms of values, both ways: MAC addresses, TCP flags, quality flags, services, AS numbers, sizes, durations,
 * times. Addresses are in `address.ts`, names of protocols in `names.ts`. `parse…` returns null for what it can't read.
 */
import { QUALITY } from './columns.ts';
import { formatProtocol, parseProtocol } from './names.ts';
import { serviceName, servicePorts } from './services.ts';

/** `aa:bb:cc:dd:ee:ff` of the 48 bits as a number. */
export function formatMac(value: number | bigint): string {
  const digits = value.toString(16).padStart(12, '0');
  return (digits.match(/../g) as string[]).join(':');
}

/** 48 bits of `aa:bb:cc:dd:ee:ff`, `aa-bb-…` or Cisco's `aabb.ccdd.eeff`. */
export function parseMac(text: string): number | null {
  const shape = /^([0-9a-f]{1,2}([:-])[0-9a-f]{1,2}(\2[0-9a-f]{1,2}){4}|[0-9a-f]{4}(\.[0-9a-f]{4}){2}|[0-9a-f]{12})$/i;
  if (!shape.test(text)) return null;
  const parts = text.split(/[:-]/);
  const digits = parts.length === 6 ? parts.map((part) => part.padStart(2, '0')).join('') : text.replace(/\./g, '');
  return Number.parseInt(digits, 16);
}

/** TCP control bits by name (RFC 9293 3.1, RFC 3540), lowest bit first. */
export const TCP_FLAGS = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32, ece: 64, cwr: 128, ns: 256 } as const;

/** `SYN,ACK`; the empty string when no bit is set; bits without a name as `0x200`. */
export function formatTcpFlags(value: number): string {
  return formatFlags(TCP_FLAGS, value, (name) => name.toUpperCase());
}

/** Bits of `syn`, `SYN,ACK`, `syn|ack`, digits or `0x12`. */
export function parseTcpFlags(text: string): number | null {
  return parseFlags(TCP_FLAGS, text);
}

/** Names of the quality flags that are set, joined by commas. */
export function formatQuality(value: number): string {
  return formatFlags(QUALITY, value, (name) => name);
}

/** Bits of names joined by commas or `|`, digits or `0x…`. */
export function parseQuality(text: string): number | null {
  return parseFlags(QUALITY, text);
}

function formatFlags(flags: Readonly<Record<string, number>>, value: number, write: (name: string) => string): string {
  const names: string[] = [];
  let rest = value;
  for (const [name, bit] of Object.entries(flags)) {
    if ((value & bit) === 0) continue;
    names.push(write(name));
    rest &= ~bit;
  }
  if (rest !== 0) names.push(`0x${(rest >>> 0).toString(16)}`);
  return names.join(',');
}

function parseFlags(flags: Readonly<Record<string, number>>, text: string): number | null {
  let value = 0;
  for (const part of text.split(/[,|+]/)) {
    const word = part.trim().toLowerCase();
    const bit = Object.hasOwn(flags, word) ? flags[word] : undefined;
    if (bit !== undefined) value |= bit;
    else if (/^(0x[0-9a-f]{1,8}|[0-9]{1,10})$/.test(word)) value |= Number(word);
    else return null;
  }
  return value >>> 0;
}

/**
 * The number of a service: protocol and port of the serving side in one number, as the column `service` holds it.
 * Protocols without ports have port 0.
 */
export function serviceOf(proto: number, port: number): number {
  return proto * 65_536 + port;
}

/** `https (TCP/443)`, `TCP/50001`, `GRE`; the empty string for 0. */
export function formatService(value: number): string {
  if (value === 0) return '';
  const proto = Math.floor(value / 65_536);
  const port = value % 65_536;
  if (port === 0) return formatProtocol(proto);
  const name = serviceName(proto, port);
  const plain = `${formatProtocol(proto)}/${port}`;
  return name ? `${name} (${plain})` : plain;
}

/**
 * Numbers of the services that a text means: `https (TCP/443)` and `TCP/443` one, `https` every protocol it is
 * registered for, `GRE` the protocol. Empty = no such service.
 */
export function parseService(text: string): number[] {
  const bracketed = /\(([^()]+)\)\s*$/.exec(text);
  const plain = (bracketed?.[1] ?? text).trim();
  const [first, second, ...more] = plain.split('/') as [string, string | undefined, ...string[]];
  if (second !== undefined) {
    // `443/tcp` as in /etc/services, `TCP/443` as written above.
    const [protoText, portText] =
      /^[0-9]+$/.test(first) && !/^[0-9]+$/.test(second) ? [second, first] : [first, second];
    const proto = parseProtocol(protoText);
    const port = /^[0-9]{1,5}$/.test(portText) ? Number(portText) : -1;
    return more.length === 0 && proto !== null && port >= 0 && port <= 65_535 ? [serviceOf(proto, port)] : [];
  }
  const named = servicePorts(first.toLowerCase()).map(([proto, port]) => serviceOf(proto, port));
  if (named.length > 0) return named;
  const proto = /^[0-9]+$/.test(first) ? null : parseProtocol(first);
  return proto === null ? [] : [serviceOf(proto, 0)];
}

/** `AS15169`; the empty string for 0 (unknown or own). */
export function formatAsn(value: number): string {
  return value === 0 ? '' : `AS${value}`;
}

/** An AS number: `15169`, `AS15169`, or asdot `1.10` (RFC 5396). */
export function parseAsn(text: string): number | null {
  const match = /^(?:as)?([0-9]{1,10})(?:\.([0-9]{1,5}))?$/i.exec(text.trim());
  if (!match) return null;
  const high = Number(match[1]);
  if (match[2] === undefined) return high <= 0xffff_ffff ? high : null;
  const low = Number(match[2]);
  return high <= 0xffff && low <= 0xffff ? high * 65_536 + low : null;
}

/** `DE`: the two letters of ISO 3166-1 that a number holds as bytes; the empty string for 0. */
export function formatCountry(value: number): string {
  return value === 0 ? '' : String.fromCharCode(value >> 8, value & 0xff);
}

/** The number of a country code, as the columns hold it. */
export function parseCountry(text: string): number | null {
  const code = text.trim().toUpperCase();
  return /^[A-Z]{2}$/.test(code) ? code.charCodeAt(0) * 256 + code.charCodeAt(1) : null;
}

/** Decimal and binary multipliers; a lone letter is decimal, as in network speeds. */
const MULTIPLIERS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  t: 1e12,
  p: 1e15,
  ki: 1024,
  mi: 1024 ** 2,
  gi: 1024 ** 3,
  ti: 1024 ** 4,
  pi: 1024 ** 5,
};

/** A count with an optional suffix: `10M` is 10,000,000, `10MiB` 10,485,760, `1.5k` 1,500. */
export function parseSize(text: string): number | null {
  const match = /^([0-9]+(?:\.[0-9]+)?)\s*([kmgtp]i?)?b?$/i.exec(text.trim());
  if (!match) return null;
  const value = Math.round(Number(match[1]) * (MULTIPLIERS[(match[2] ?? '').toLowerCase()] as number));
  return Number.isSafeInteger(value) ? value : null;
}

/** `1.5k`, `10M`, `2.34G`: three digits, decimal multipliers. */
export function formatSize(value: number): string {
  let rest = value;
  for (const suffix of ['', 'k', 'M', 'G', 'T']) {
    if (Math.abs(rest) < 1000) return `${trim(rest)}${suffix}`;
    rest /= 1000;
  }
  return `${trim(rest)}P`;
}

/** Milliseconds of each unit of a duration. */
const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Milliseconds of a duration: `500ms`, `5m`, `1h30m`, `2d`. A number needs its unit; `0` does not. */
export function parseDuration(text: string): number | null {
  const trimmed = text.trim().toLowerCase();
  if (trimmed === '0') return 0;
  if (!/^([0-9]+(\.[0-9]+)?(ms|s|min|m|h|d|w))+$/.test(trimmed)) return null;
  let total = 0;
  for (const [, amount, , unit] of trimmed.matchAll(/([0-9]+(\.[0-9]+)?)(ms|min|s|m|h|d|w)/g)) {
    total += Number(amount) * (DURATION_UNITS[unit as string] as number);
  }
  return total;
}

/** `1h30m`, `2d`, `250ms`; whole milliseconds. */
export function formatDuration(durationMs: number): string {
  if (durationMs === 0) return '0s';
  let rest = Math.round(durationMs);
  let text = rest < 0 ? '-' : '';
  rest = Math.abs(rest);
  for (const unit of ['d', 'h', 'm', 's', 'ms']) {
    const size = DURATION_UNITS[unit] as number;
    if (rest < size) continue;
    text += `${Math.floor(rest / size)}${unit}`;
    rest %= size;
  }
  return text;
}

/** RFC 3339 in UTC with as many fraction digits as needed: `2026-11-21T03:04:05.000000017Z`. */
export function formatTimeNs(ns: bigint): string {
  const fraction = ((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const seconds = Number((ns - fraction) / 1_000_000_000n);
  const date = new Date(seconds * 1000).toISOString().slice(0, 19);
  const digits = fraction.toString().padStart(9, '0').replace(/0+$/, '');
  return `${date}${digits === '' ? '' : `.${digits}`}Z`;
}

function trim(value: number): string {
  return String(Number(value.toPrecision(3)));
}

/** Per-hop behaviours that are no class selector or assured forwarding (RFC 3246, 5865, 8622). */
const DSCP_NAMES: ReadonlyMap<number, string> = new Map([
  [1, 'LE'],
  [44, 'VA'],
  [46, 'EF'],
]);

/** What the DSCP of a type of service octet is called: `EF`, `CS6`, `AF41`; undefined for those without a name. */
export function dscpName(tos: number): string | undefined {
  const dscp = tos >> 2;
  const known = DSCP_NAMES.get(dscp);
  if (known !== undefined) return known;
  if (dscp % 8 === 0) return `CS${dscp / 8}`;
  // Assured forwarding: four classes, three drop precedences (RFC 2597).
  const [group, precedence] = [dscp >> 3, (dscp & 7) / 2];
  return group >= 1 && group <= 4 && [1, 2, 3].includes(precedence) ? `AF${group}${precedence}` : undefined;
}
