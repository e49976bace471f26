import { createSequence, followSequence, settleSequence, type Sequence } from './sequence.ts';

/** [number, units, milliseconds since the one before = 1] */
type Step = readonly [number: number, units: number, afterMs?: number];

function follow(steps: readonly Step[]): Sequence {
  const sequence = createSequence();
  let nowMs = 1_000_000;
  for (const [number, units, afterMs = 1] of steps) {
    nowMs += afterMs;
    followSequence(sequence, number, units, nowMs, false);
  }
  settleSequence(sequence, nowMs + 60_000);
  return sequence;
}

const counts = ({ lost, reordered, duplicated, resets, unusable }: Sequence) => ({
  lost,
  reordered,
  duplicated,
  resets,
  unusable,
});
const NONE = { lost: 0, reordered: 0, duplicated: 0, resets: 0, unusable: false };

test.each<[name: string, steps: readonly Step[], expected: Partial<typeof NONE>]>([
  [
    'Q01 nothing is missing when each number follows from the units before',
    [
      [0, 30],
      [30, 30],
      [60, 7],
      [67, 30],
    ],
    {},
  ],
  [
    'Q01 a gap counts its units',
    [
      [0, 2],
      [2, 4],
      [14, 2],
      [16, 2],
    ],
    { lost: 8 },
  ],
  [
    'Q03 numbers wrap at 2^32',
    [
      [0xfffffff0, 10],
      [0xfffffffa, 10],
      [4, 10],
      [24, 1],
    ],
    { lost: 10 },
  ],
  [
    'Q03 one duplicate and one swap lose nothing',
    [
      [0, 4],
      [4, 4],
      [4, 4],
      [12, 4],
      [8, 4],
      [16, 4],
    ],
    { reordered: 1, duplicated: 1 },
  ],
  [
    'Q03 a late datagram refunds its part of the gap',
    [
      [31663, 1],
      [31826, 1],
      [31664, 1],
    ],
    { lost: 161, reordered: 1 },
  ],
  [
    'Q03 the same late datagram twice refunds once',
    [
      [0, 1],
      [10, 1],
      [5, 1],
      [5, 1],
    ],
    { lost: 8, reordered: 1, duplicated: 1 },
  ],
  [
    'Q03 too late is lost',
    [
      [0, 1],
      [10, 1],
      [11, 1, 3000],
      [5, 1],
    ],
    { lost: 9, reordered: 1 },
  ],
  [
    'Q03 far backwards is a restart, not four billion lost',
    [
      [5_000_000, 10],
      [0, 10],
      [10, 10],
    ],
    { resets: 1 },
  ],
  [
    'Q03 a restart soon after the start is seen at the second datagram',
    [
      [500, 10],
      [0, 10],
      [10, 10],
      [20, 10],
    ],
    { resets: 1, reordered: 1 },
  ],
  [
    'Q05 after an unknown number of records the next one only resynchronises',
    [
      [0, 10],
      [10, -1],
      [500, 10],
      [510, 10],
    ],
    {},
  ],
  [
    'Q05 the gap before such a datagram still counts',
    [
      [0, 10],
      [15, -1],
      [500, 10],
    ],
    { lost: 5 },
  ],
])('%s', (_name, steps, expected) => {
  expect(counts(follow(steps))).toEqual({ ...NONE, ...expected });
});

test('Q04 an exporter that always sends 0 never loses anything and is called unusable', () => {
  const sequence = follow(Array.from({ length: 100 }, () => [0, 26, 1000] as const));
  expect([sequence.lost, sequence.unusable]).toEqual([0, true]);
});

test('Q04 a counter that is incremented before sending is called unusable, and then loses nothing', () => {
  let number = 0;
  const steps = Array.from({ length: 200 }, (_, i): Step => {
    const units = 1 + ((i * 7) % 11);
    number += units;
    return [number, units, 1000];
  });
  const sequence = follow(steps);
  expect(sequence.unusable).toBe(true);
  // Only what was seen before the judgement.
  expect(sequence.lost).toBeLessThan(40);
});

test('Q04 it becomes usable again when the exporter is mended', () => {
  const steps = Array.from({ length: 20 }, (): Step => [0, 26, 1000]);
  for (let i = 0; i < 100; i++) steps.push([1000 + i * 10, 10, 1000]);
  steps.push([5000, 10, 1000]);
  expect(counts(follow(steps))).toMatchObject({ lost: 3000, unusable: false });
});

test('T14 a restart that the decoder saw is no loss', () => {
  const sequence = createSequence();
  followSequence(sequence, 1000, 1, 0, false);
  followSequence(sequence, 900_000, 1, 1, true);
  followSequence(sequence, 900_001, 1, 2, false);
  settleSequence(sequence, 60_000);
  expect(counts(sequence)).toEqual({ ...NONE, resets: 1 });
});
