import { addressWords, parseAddress } from '@ringflow/contract';
import { createFlowTable, SLOT, type FlowTable } from './flow-table.ts';

const words = (text: string): Int32Array => new Int32Array(addressWords(parseAddress(text) as Uint8Array).buffer);

interface Ends {
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly lowPort: number;
  readonly highPort: number;
  readonly proto: number;
}

const ends = (low: string, high: string, lowPort: number, highPort: number, proto = 6): Ends => ({
  low: words(low),
  high: words(high),
  lowPort,
  highPort,
  proto,
});

/** The slot, and whether it was made now. */
function look(table: FlowTable, { low, high, lowPort, highPort, proto }: Ends, seconds = 1000): [number, boolean] {
  const there = table.hashOf(low, high, 0, (lowPort << 16) | highPort, proto);
  expect(table.hashOf(high, low, 0, (highPort << 16) | lowPort, proto)).toBe(there);
  const slot = table.find(there, low, high, 0, (lowPort << 16) | highPort, proto, seconds);
  const isNew = table.slots[slot + SLOT.owners] === 0;
  table.slots[slot + SLOT.owners] = 1;
  return [slot, isNew];
}

test('a conversation has one slot, and equal ends with another port, protocol or pairing have others', () => {
  const table = createFlowTable(1024);
  const all = [
    ends('10.0.0.1', '10.0.0.4', 1000, 65_535),
    ends('10.0.0.2', '10.0.0.3', 1000, 65_535),
    ends('10.0.0.1', '10.0.0.4', 65_535, 1000),
    ends('10.0.0.1', '10.0.0.4', 1000, 65_535, 17),
    ends('10.0.0.1', '10.0.0.4', 0, 0, 255),
    ends('2001:db8::1', '2001:db8::2', 1000, 65_535),
    ends('2001:db8::1', '2001:db9::2', 1000, 65_535),
  ];
  const slots = all.map((one) => look(table, one));
  expect(slots.every(([, isNew]) => isNew)).toBe(true);
  expect(new Set(slots.map(([slot]) => slot)).size).toBe(all.length);
  expect(all.map((one) => look(table, one))).toEqual(slots.map(([slot]) => [slot, false]));
});

test('when a flood fills all places, what was seen last stays longest, and no memory is added', () => {
  const table = createFlowTable(1024);
  const { length } = table.slots;
  const kept = ends('10.0.0.1', '10.0.0.2', 1, 2);
  let found = 0;
  look(table, kept);
  for (let i = 0; i < 20_000; i++) {
    look(table, ends(`172.16.${(i >> 8) & 255}.${i & 255}`, '192.0.2.1', i & 0xffff, i >> 16), 1000 + (i >> 4));
    // Asked for often enough to be younger than its neighbours.
    if (i % 100 === 0 && !look(table, kept, 1000 + (i >> 4))[1]) found++;
  }
  expect(found).toBeGreaterThan(190);
  expect(table.slots).toHaveLength(length);
});
