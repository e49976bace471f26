import { parseAddress, parsePrefix, prefixContains } from '@ringflow/contract';
import type { Locality } from './nodes.ts';

/** Ranges that nobody else routes (RFC 1918, 6598, 3927, 4193, 4291): their hosts are inside, or those of customers. */
const PRIVATE = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '169.254.0.0/16',
  'fc00::/7',
  'fe80::/10',
].flatMap((text) => parsePrefix(text) ?? []);

/**
 * Whether the value of a node is inside, by what the value itself tells: private addresses, named networks.
 *
 * @param base what both sides of the field have in common: `addr`, `network` …
 */
export function localityOf(base: string, text: string): Locality {
  if (base === 'network') return text === '' ? 'external' : 'internal';
  const bytes = base === 'addr' ? parseAddress(text) : null;
  if (!bytes) return 'unknown';
  return PRIVATE.some((prefix) => prefixContains(prefix, bytes)) ? 'internal' : 'external';
}
