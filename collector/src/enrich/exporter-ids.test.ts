import { addressWords, parseAddress } from '@ringflow/contract';
import { createExporterIds } from './exporter-ids.ts';

const words = (text: string): Uint32Array => addressWords(parseAddress(text) as Uint8Array);

test('numbers stay, until more exporters come than there are numbers: then the longest silent one gives up its own', () => {
  const reused: number[] = [];
  const ids = createExporterIds(127, (id) => reused.push(id));
  const numbers = new Map<string, number>();
  for (let i = 0; i < 127; i++) numbers.set(`10.0.0.${i}`, ids.idOf(words(`10.0.0.${i}`), 0, i & 1));
  expect(new Set(numbers.values()).size).toBe(127);
  for (let i = 126; i >= 0; i--) expect(ids.idOf(words(`10.0.0.${i}`), 0, i & 1)).toBe(numbers.get(`10.0.0.${i}`));
  expect(reused).toEqual([]);
  // 10.0.0.126 of the other kind was asked for before all others.
  const other = ids.idOf(words('10.0.0.126'), 0, 1);
  expect(other).toBe(numbers.get('10.0.0.126'));
  expect(reused).toEqual([other]);
  expect([ids.addressOf(other), ids.kindOf(other), ids.size()]).toEqual(['10.0.0.126', 1, 127]);
  for (let i = 0; i < 10_000; i++) ids.idOf(words(`172.${16 + (i & 7)}.${i >> 8}.${i & 255}`), 0, 0);
  expect(ids.idOf(words('10.0.0.0'), 0, 0)).toBe(ids.idOf(words('10.0.0.0'), 0, 0));
  expect(ids.addressOf(ids.idOf(words('10.0.0.0'), 0, 0))).toBe('10.0.0.0');
});
