import type { Random } from '../../contract/filter/testing/random-filter.ts';
import { SHARED_FIELDS } from './nfdump-filter.ts';

/** What is compared with, by field; each number lies on or beside one that records have. */
const LITERALS: Readonly<Record<string, readonly string[]>> = {
  addr: [
    ...['10.0.0.1', '10.0.0.9', '192.0.2.254', '2001:db8::1', 'fd00::1', '10.0.0.0/8', '10.0.0.0/29', '192.0.2.0/25'],
    ...['10.1.2.3/16', '2001:db8::/32', '2001:db8::/48', 'fe80::/10', '10.0.0.1-10.0.0.8', '2001:db8::2-2001:db8::9'],
    ...['0.0.0.0/0', '::/0', '11.0.0.1/32', '2001:db9::1/128'],
  ],
  port: ['0', '53', '80', '443', '1023', '1024', '65535', 'https', 'domain', '0-1023', '1024-50000', '443-443'],
  if: ['0', '1', '2', '3', '100', '70000', '2-100'],
  mask: ['8', '16', '24', '32', '48', '64', '16-24'],
  vlan: ['0', '1', '100', '4094'],
  proto: ['tcp', 'udp', 'icmp', '47', '132', '255', 'IPv6-ICMP'],
  tos: ['0', '4', '184', '0xff', '40', '4-40'],
  bytes: ['40', '64', '1000', '1k', '1Ki', '1500', '1M', '4294967297', '1T', '64-1024'],
  packets: ['1', '2', '10', '1k', '8G', '2-10'],
  duration: ['0', '1ms', '10ms', '50ms', '999ms', '1s', '1m', '1ms-999ms', '20s', '0.5ms'],
  bpp: ['1', '10', '40', '64', '100', '500', '1000', '1.5'],
  flags: ['syn', 'ack', '18', 'SA', '0', 'fin', '63', '"PSH,ACK"', 'urg', 'ece'],
};

const KIND: Readonly<Record<string, keyof typeof LITERALS>> = { ip_tos: 'tos', tcp_flags: 'flags' };

function literalsOf(field: string): readonly string[] {
  const name = KIND[field] ?? field.replace(/^(src|dst|in|out)_/, '');
  const literals = LITERALS[name];
  if (!literals) throw new Error(`No values for ${field}`);
  return literals;
}

const ORDERED = new Set(['src_port', 'dst_port', 'port', 'bytes', 'packets', 'duration', 'bpp']);
const ORDERS = ['<', '<=', '>', '>='];

/** Filters in our language about the fields that nfdump has, too. */
export function createSharedFilters(random: Random): { filter(): string } {
  const oneOf = <T>(items: readonly T[]): T => items[random(items.length)] as T;

  function condition(): string {
    const field = oneOf(SHARED_FIELDS);
    const literals = literalsOf(field);
    const plain = literals.filter((literal) => !literal.includes('-'));
    if (field === 'tcp_flags') return `${field} ${oneOf(['has', '=', '!=', 'not has'])} ${oneOf(literals)}`;
    if (field === 'bpp' || (ORDERED.has(field) && random(2) === 0)) return `${field} ${oneOf(ORDERS)} ${oneOf(plain)}`;
    if (random(3) === 0) {
      const length = 1 + random(5);
      return `${field} ${oneOf(['in', 'not in'])} (${Array.from({ length }, () => oneOf(literals)).join(', ')})`;
    }
    return `${field} ${oneOf(['=', '=', '!='])} ${oneOf(literals)}`;
  }

  function filter(depth = 0): string {
    const kind = random(depth > 2 ? 4 : 7);
    if (kind < 3) return condition();
    if (kind === 3) return `not (${filter(depth + 1)})`;
    const parts = Array.from({ length: 2 + random(2) }, () => filter(depth + 1));
    return `(${parts.join(kind < 6 ? ' and ' : ' or ')})`;
  }

  return { filter };
}
