import { addressWords, parseAddress } from '@ringflow/contract';
import { createAllowList } from './allow-list.ts';
import { createSources } from './sources.ts';

const words = (text: string): Int32Array => new Int32Array(addressWords(parseAddress(text) as Uint8Array).buffer);
const CONFIG = { known: 100, unknown: 200, newPerSecond: 1_000_000 };

test('one entry per address and port, the same object each time', () => {
  const sources = createSources(CONFIG, () => ({}));
  const a = sources.find(words('192.0.2.1'), 0, 2000, 1);
  const b = sources.find(words('192.0.2.1'), 0, 2001, 1);
  const c = sources.find(words('2001:db8::1'), 0, 2000, 1);
  expect(new Set([a, b, c]).size).toBe(3);
  expect(sources.find(words('192.0.2.1'), 0, 2000, 2)).toBe(a);
  expect([a, b, c].map((entry) => `${entry!.address} ${entry!.port}`)).toEqual([
    '192.0.2.1 2000',
    '192.0.2.1 2001',
    '2001:db8::1 2000',
  ]);
  expect(sources.peek(words('192.0.2.9'), 0, 2000)).toBeNull();
});

test('X02 a flood of spoofed addresses stays bounded and costs known exporters nothing', () => {
  const sources = createSources(CONFIG, () => ({}));
  const good = Array.from({ length: 50 }, (_, i) => words(`10.0.0.${i}`));
  const entries = good.map((address) => sources.find(address, 0, 2055, 0)!);
  for (let nowMs = 0; nowMs <= 6000; nowMs += 1000) for (const entry of entries) sources.credit(entry, nowMs);
  expect(sources.status()).toEqual({ known: 50, unknown: 0, evicted: 0, refused: 0 });

  const spoofed = new Int32Array([0, 0, 0xffff0000 | 0, 0]);
  for (let i = 0; i < 300_000; i++) {
    spoofed[3] = Math.imul(i, 0x9e3779b1);
    const entry = sources.find(spoofed, 0, i & 0xffff, 7000)!;
    // Even valid datagrams do not help: each address is used once.
    sources.credit(entry, 7000);
  }
  expect(sources.status()).toMatchObject({ known: 50, unknown: 200, evicted: 299_800 });
  expect(good.map((address) => sources.peek(address, 0, 2055))).toEqual(entries);
  expect([...sources.entries()]).toHaveLength(250);
});

test('X03 new sources per second are limited, those that are there are not', () => {
  const sources = createSources({ ...CONFIG, newPerSecond: 3 }, () => ({}));
  const found = Array.from({ length: 5 }, (_, i) => sources.find(words(`10.0.0.${i}`), 0, 1, 1000) !== null);
  expect(found).toEqual([true, true, true, false, false]);
  expect(sources.find(words('10.0.0.1'), 0, 1, 1500)).not.toBeNull();
  expect(sources.find(words('10.0.0.4'), 0, 1, 2000)).not.toBeNull();
  expect(sources.status().refused).toBe(2);
});

test('the longest silent unknown source goes first; a known one only after an hour', () => {
  const gone: string[] = [];
  const sources = createSources(
    { known: 1, unknown: 2, newPerSecond: 100 },
    () => ({}),
    (entry) => gone.push(entry.address),
  );
  const a = sources.find(words('10.0.0.1'), 0, 1, 0)!;
  sources.find(words('10.0.0.2'), 0, 1, 0);
  sources.find(words('10.0.0.1'), 0, 1, 10);
  sources.find(words('10.0.0.3'), 0, 1, 20);
  expect(gone).toEqual(['10.0.0.2']);
  for (const nowMs of [1000, 3000, 6000]) sources.credit(a, nowMs);
  expect(a.known).toBe(true);
  const c = sources.find(words('10.0.0.3'), 0, 1, 6000)!;
  for (const nowMs of [6000, 9000, 12_000]) sources.credit(c, nowMs);
  expect([c.known, gone]).toEqual([false, ['10.0.0.2']]);
  sources.credit(c, 4_000_000);
  expect([c.known, gone]).toEqual([true, ['10.0.0.2', '10.0.0.1']]);
});

test.each([
  [[], '203.0.113.9', true],
  [['192.0.2.0/24'], '192.0.2.255', true],
  [['192.0.2.0/24'], '192.0.3.0', false],
  [['192.0.2.0/24', '2001:db8::/33'], '2001:db8:7fff::1', true],
  [['192.0.2.0/24', '2001:db8::/33'], '2001:db8:8000::1', false],
  [['10.1.2.3'], '10.1.2.3', true],
  [['10.1.2.3'], '10.1.2.2', false],
  [['0.0.0.0/0'], '198.51.100.7', true],
  [['0.0.0.0/0'], '2001:db8::1', false],
])('X03 allow-list %j and %s: %s', (networks, address, allowed) => {
  expect(createAllowList(networks)(words(address), 0)).toBe(allowed);
});

test('a network that is none is an error that says how to write one', () => {
  expect(() => createAllowList(['10.0.0.0/33'])).toThrow('inlet.allow_exporters: 10.0.0.0/33 is not a network');
});
