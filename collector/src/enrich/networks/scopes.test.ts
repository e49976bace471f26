import { addressWords, parseAddress, parsePrefix, SCOPES, type Prefix } from '@ringflow/contract';
import { createScopes, isPublicScope, SCOPE } from './scopes.ts';

const scopeOf = (text: string, privateRanges: readonly string[] = []): string =>
  SCOPES[
    createScopes(privateRanges.map((range) => parsePrefix(range) as Prefix)).scopeOf(
      addressWords(parseAddress(text) as Uint8Array),
      0,
    )
  ] as string;

// The edges of each range: the last address before it, its first, its last, the first behind it.
test.each([
  ['0.0.0.0', '1.0.0.0', 'reserved', 'public'],
  ['9.255.255.255', '10.0.0.0', 'public', 'private'],
  ['10.255.255.255', '11.0.0.0', 'private', 'public'],
  ['100.63.255.255', '100.64.0.0', 'public', 'cgnat'],
  ['100.127.255.255', '100.128.0.0', 'cgnat', 'public'],
  ['126.255.255.255', '127.0.0.1', 'public', 'loopback'],
  ['169.254.255.255', '169.255.0.0', 'linklocal', 'public'],
  ['172.15.255.255', '172.16.0.0', 'public', 'private'],
  ['172.31.255.255', '172.32.0.0', 'private', 'public'],
  ['192.0.0.8', '192.0.0.9', 'reserved', 'public'],
  ['192.0.0.10', '192.0.0.11', 'public', 'reserved'],
  ['192.0.1.255', '192.0.2.0', 'public', 'documentation'],
  ['192.0.2.255', '192.0.3.0', 'documentation', 'public'],
  ['192.167.255.255', '192.168.0.0', 'public', 'private'],
  ['192.168.255.255', '192.169.0.0', 'private', 'public'],
  ['198.17.255.255', '198.18.0.0', 'public', 'reserved'],
  ['198.19.255.255', '198.20.0.0', 'reserved', 'public'],
  ['198.51.100.7', '198.51.101.0', 'documentation', 'public'],
  ['203.0.113.255', '203.0.114.0', 'documentation', 'public'],
  ['223.255.255.255', '224.0.0.0', 'public', 'multicast'],
  ['239.255.255.255', '240.0.0.0', 'multicast', 'reserved'],
  ['255.255.255.254', '255.255.255.255', 'reserved', 'broadcast'],
  ['::1', '::2', 'loopback', 'reserved'],
  ['64:ff9b::c000:201', '64:ff9b:1::1', 'public', 'private'],
  ['1fff:ffff::', '2000::', 'reserved', 'public'],
  ['2001:db7:ffff::', '2001:db8::', 'public', 'documentation'],
  ['2001:db8:ffff::', '2001:db9::', 'documentation', 'public'],
  ['2001::1', '2001:2::1', 'public', 'reserved'],
  ['3ffe:ffff::', '3fff::1', 'public', 'documentation'],
  ['3fff:fff::', '3fff:1000::', 'documentation', 'public'],
  ['4000::', '5f00::1', 'reserved', 'reserved'],
  ['fbff::', 'fc00::', 'reserved', 'private'],
  ['fdff:ffff::', 'fe00::', 'private', 'reserved'],
  ['fe80::1', 'febf:ffff::', 'linklocal', 'linklocal'],
  ['fec0::1', 'ff02::1', 'private', 'multicast'],
])('%s and %s are %s and %s', (one, two, scope, other) => {
  expect([scopeOf(one), scopeOf(two)]).toEqual([scope, other]);
});

test('no address has no scope', () => {
  expect(scopeOf('::')).toBe('');
});

test('documentation networks stand for the Internet, unless they are configured as private', () => {
  expect(isPublicScope(SCOPE.documentation)).toBe(true);
  expect(scopeOf('192.0.2.1', ['192.0.2.0/24', '2001:db8::/32'])).toBe('private');
  expect(scopeOf('2001:db8::1', ['192.0.2.0/24', '2001:db8::/32'])).toBe('private');
  expect(scopeOf('198.51.100.1', ['192.0.2.0/24'])).toBe('documentation');
});

test.each(['private', 'cgnat', 'multicast', 'broadcast', 'linklocal', 'loopback', 'reserved'] as const)(
  'what is %s is nothing that the world can say something about',
  (scope) => {
    expect(isPublicScope(SCOPE[scope])).toBe(false);
  },
);
