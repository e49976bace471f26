import {
  QUALITY,
  addressBytes,
  addressWords,
  dscpName,
  formatAddress,
  formatAddressBytes,
  formatAsn,
  formatDuration,
  formatEtherType,
  formatFlowType,
  formatMac,
  formatPrefix,
  formatProtocol,
  formatQuality,
  formatService,
  formatSize,
  formatTcpFlags,
  formatTimeNs,
  lastAddress,
  parseAddress,
  parseAsn,
  parseDuration,
  parseEtherType,
  parseFlowType,
  parseMac,
  parsePrefix,
  parseProtocol,
  parseQuality,
  parseService,
  parseSize,
  parseTcpFlags,
  prefixContains,
} from './index.ts';

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::ffff:c000:201', '192.0.2.1'],
  ['0.0.0.0', '0.0.0.0'],
  ['::', '::'],
  ['::1', '::1'],
  ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
  ['2001:db8::1:0:0:1', '2001:db8::1:0:0:1'],
  ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
  ['1::', '1::'],
])('address %s is written as %s (RFC 5952)', (text, written) => {
  const bytes = parseAddress(text) as Uint8Array;
  expect(formatAddressBytes(bytes)).toBe(written);
  expect(formatAddress(addressWords(bytes), 0)).toBe(written);
  expect(addressBytes(addressWords(bytes), 0)).toEqual(bytes);
});

test.each([
  '',
  '1.2.3',
  '1.2.3.4.5',
  '256.1.1.1',
  '01.2.3.4',
  '1.2.3.4/8',
  ':::',
  '1::2::3',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '1:2:3:4:5:6:7::8',
  'g::',
  '12345::',
  '1.2.3.4::',
  'fe80::1%eth0',
  ':1::',
])('%j is no address', (text) => {
  expect(parseAddress(text)).toBeNull();
});

test('prefixes are masked and count IPv4 lengths from 32', () => {
  const prefix = parsePrefix('10.1.2.3/8');
  expect(prefix && formatPrefix(prefix)).toBe('10.0.0.0/8');
  expect(prefix && formatAddressBytes(lastAddress(prefix))).toBe('10.255.255.255');
  expect(prefix && prefixContains(prefix, parseAddress('10.255.0.1') as Uint8Array)).toBe(true);
  expect(prefix && prefixContains(prefix, parseAddress('11.0.0.1') as Uint8Array)).toBe(false);
  const v6 = parsePrefix('2001:db8:ffff::/33');
  expect(v6 && formatPrefix(v6)).toBe('2001:db8:8000::/33');
  expect(parsePrefix('0.0.0.0/0')?.bits).toBe(96);
  expect(parsePrefix('10.0.0.0/33')).toBeNull();
  expect(parsePrefix('::/129')).toBeNull();
});

test('names of protocols, ether types and flow types', () => {
  expect([6, 17, 1, 58, 47, 254].map(formatProtocol)).toEqual(['TCP', 'UDP', 'ICMP', 'IPv6-ICMP', 'GRE', '254']);
  expect(['tcp', 'UDP', 'ipv6-icmp', 'IPv6_ICMP', '47', 'nonsense', '256'].map(parseProtocol)).toEqual([
    6,
    17,
    58,
    58,
    47,
    null,
    null,
  ]);
  expect([0x0800, 0x86dd, 0x0806, 0x88b5, 0].map(formatEtherType)).toEqual(['IPv4', 'IPv6', 'ARP', '0x88b5', '']);
  expect(['ipv4', '0x86DD', 'lldp', 'x'].map(parseEtherType)).toEqual([0x0800, 0x86dd, 0x88cc, null]);
  expect([1, 2, 3, 4, 5].map(formatFlowType)).toEqual(['SFLOW_5', 'NETFLOW_V5', 'NETFLOW_V9', 'IPFIX', 'NETFLOW_V7']);
  expect(['sflow', 'netflowv9', 'IPFIX'].map(parseFlowType)).toEqual([1, 3, 4]);
});

test('services', () => {
  expect(formatService(6 * 65_536 + 443)).toBe('https (TCP/443)');
  expect(formatService(17 * 65_536 + 53)).toBe('domain (UDP/53)');
  expect(formatService(6 * 65_536 + 59_999)).toBe('TCP/59999');
  expect(formatService(47 * 65_536)).toBe('GRE');
  expect(parseService('https (TCP/443)')).toEqual([6 * 65_536 + 443]);
  expect(parseService('tcp/443')).toEqual([6 * 65_536 + 443]);
  expect(parseService('443/udp')).toEqual([17 * 65_536 + 443]);
  expect(parseService('HTTPS')).toContain(6 * 65_536 + 443);
  expect(parseService('dns')).toContain(17 * 65_536 + 53);
  expect(parseService('gre')).toEqual([47 * 65_536]);
  expect(parseService('tcp/70000')).toEqual([]);
  expect(parseService('nonsense')).toEqual([]);
});

test('numbers with a meaning', () => {
  expect(formatMac(0x001122aabbccn)).toBe('00:11:22:aa:bb:cc');
  expect(['00:11:22:aa:bb:cc', '0011.22aa.bbcc', '0-11-22-aa-bb-cc', '00:11:22'].map(parseMac)).toEqual([
    0x001122aabbcc,
    0x001122aabbcc,
    0x001122aabbcc,
    null,
  ]);
  expect([18, 0, 0x200].map(formatTcpFlags)).toEqual(['SYN,ACK', '', '0x200']);
  expect(['syn,ack', 'SYN|ACK', '0x12', 'x'].map(parseTcpFlags)).toEqual([18, 18, 18, null]);
  expect(formatQuality(QUALITY.reverse | QUALITY.clock_anomaly)).toBe('clock_anomaly,reverse');
  expect(parseQuality('reverse')).toBe(QUALITY.reverse);
  expect(parseTcpFlags('__proto__')).toBeNull();
  expect([15_169, 0].map(formatAsn)).toEqual(['AS15169', '']);
  expect(['15169', 'as15169', '1.10', '4294967296', 'x'].map(parseAsn)).toEqual([15_169, 15_169, 65_546, null, null]);
  expect(['10M', '10MiB', '1.5k', '10', '3GB', 'M', '1e3'].map(parseSize)).toEqual([
    1e7,
    10_485_760,
    1500,
    10,
    3e9,
    null,
    null,
  ]);
  expect([999, 1500, 2.345e9, 0].map(formatSize)).toEqual(['999', '1.5k', '2.35G', '0']);
  expect(['500ms', '5m', '1h30m', '2d', '0', '5', '1x'].map(parseDuration)).toEqual([
    500,
    300_000,
    5_400_000,
    172_800_000,
    0,
    null,
    null,
  ]);
  expect([500, 5_400_000, 172_800_000, 0].map(formatDuration)).toEqual(['500ms', '1h30m', '2d', '0s']);
  expect(formatTimeNs(1_700_000_000_000_000_017n)).toBe('2023-11-14T22:13:20.000000017Z');
  expect(formatTimeNs(-1n)).toBe('1969-12-31T23:59:59.999999999Z');
});

test.each([
  [0, 'CS0'],
  [184, 'EF'],
  [185, 'EF'],
  [192, 'CS6'],
  [136, 'AF41'],
  [40, 'AF11'],
  [120, 'AF33'],
  [4, 'LE'],
  [168, undefined],
  [12, undefined],
])('the DSCP of ToS %d is called %s', (tos, name) => {
  expect(dscpName(tos)).toBe(name);
});
