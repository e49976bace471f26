import { parsePrefix, SCOPES, type Prefix, type Scope } from '@ringflow/contract';
import { createPrefixTableBuilder, findValue, type PrefixTable } from '../tables/prefix-table.ts';

/** Number of a scope, as `src_scope` and `dst_scope` hold it. */
export const SCOPE = Object.fromEntries(SCOPES.map((word, index) => [word, index])) as Readonly<Record<Scope, number>>;

/**
 * IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890) and the address architectures behind them. What is
 * globally reachable inside a range that is not has a line of its own; the longest match wins.
 */
const RANGES: readonly (readonly [network: string, scope: Scope])[] = [
  ['0.0.0.0/0', 'public'],
  ['0.0.0.0/8', 'reserved'], // RFC 791 3.2
  ['10.0.0.0/8', 'private'], // RFC 1918
  ['100.64.0.0/10', 'cgnat'], // RFC 6598
  ['127.0.0.0/8', 'loopback'], // RFC 1122 3.2.1.3
  ['169.254.0.0/16', 'linklocal'], // RFC 3927
  ['172.16.0.0/12', 'private'], // RFC 1918
  ['192.0.0.0/24', 'reserved'], // RFC 6890 2.1
  ['192.0.0.9/32', 'public'], // RFC 7723
  ['192.0.0.10/32', 'public'], // RFC 8155
  ['192.0.2.0/24', 'documentation'], // RFC 5737
  ['192.168.0.0/16', 'private'], // RFC 1918
  ['198.18.0.0/15', 'reserved'], // RFC 2544, benchmarks
  ['198.51.100.0/24', 'documentation'], // RFC 5737
  ['203.0.113.0/24', 'documentation'], // RFC 5737
  ['224.0.0.0/4', 'multicast'], // RFC 5771
  ['240.0.0.0/4', 'reserved'], // RFC 1112 4
  ['255.255.255.255/32', 'broadcast'], // RFC 8190

  ['::/0', 'reserved'], // RFC 4291 2.4: nothing is assigned outside 2000::/3 and what follows
  ['::1/128', 'loopback'], // RFC 4291 2.5.3
  ['64:ff9b::/96', 'public'], // RFC 6052
  ['64:ff9b:1::/48', 'private'], // RFC 8215
  ['2000::/3', 'public'], // RFC 4291 2.4
  ['2001::/23', 'reserved'], // RFC 2928
  ['2001::/32', 'public'], // RFC 4380, Teredo
  ['2001:1::1/128', 'public'], // RFC 7723
  ['2001:1::2/128', 'public'], // RFC 8155
  ['2001:1::3/128', 'public'], // RFC 9665
  ['2001:3::/32', 'public'], // RFC 7450
  ['2001:4:112::/48', 'public'], // RFC 7535
  ['2001:20::/28', 'public'], // RFC 7343
  ['2001:30::/28', 'public'], // RFC 9374
  ['2001:db8::/32', 'documentation'], // RFC 3849
  ['3fff::/20', 'documentation'], // RFC 9637
  ['5f00::/16', 'reserved'], // RFC 9602
  ['fc00::/7', 'private'], // RFC 4193
  ['fe80::/10', 'linklocal'], // RFC 4291 2.5.6
  ['fec0::/10', 'private'], // RFC 3879: no longer given out, was for one site
  ['ff00::/8', 'multicast'], // RFC 4291 2.7
];

/** Networks that never pass a router: whoever sends from there stands on one of our links. */
export const ON_LINK_NETWORKS: readonly string[] = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '255.255.255.255/32',
  '::1/128',
  'fe80::/10',
];

/** Tells the scope of addresses. */
export interface Scopes {
  /** Of the address at `words[at]` to `words[at + 3]`; 0 when there is none. */
  scopeOf(words: Uint32Array, at: number): number;
}

/** @param privateRanges networks that are private whatever the registries say */
export function createScopes(privateRanges: readonly Prefix[]): Scopes {
  const registered = tableOf(RANGES.map(([network, scope]) => [parsePrefix(network) as Prefix, SCOPE[scope]]));
  const configured = tableOf(privateRanges.map((prefix) => [prefix, SCOPE.private]));
  return {
    scopeOf(words, at) {
      if (words[at] === 0 && words[at + 1] === 0 && words[at + 2] === 0 && words[at + 3] === 0) return 0;
      return findValue(configured, words, at, 0) || findValue(registered, words, at, 0);
    },
  };
}

/**
 * True for addresses that count as public (locality, geography, reputation). Documentation networks do: they stand for
 * the Internet in examples and tests, and a real network has none of them (`enrich.private_ranges` says otherwise).
 */
export function isPublicScope(scope: number): boolean {
  return scope === SCOPE.public || scope === SCOPE.documentation;
}

function tableOf(entries: readonly (readonly [Prefix, number])[]): PrefixTable {
  const builder = createPrefixTableBuilder();
  for (const [prefix, value] of entries) builder.add(prefix, value);
  return builder.build();
}
