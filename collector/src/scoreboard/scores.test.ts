import fc from 'fast-check';
import { addInterval, mergeScores, rankScores, type HostScore, type Scores } from './index.ts';

const NONE: Scores = { untilMs: 0, reports: 0, hosts: [] };
const host = (address: string, inBytes: number, more: Partial<HostScore> = {}): HostScore => ({
  address,
  count: 1,
  inBytes,
  inPackets: 0,
  inFlows: 0,
  outBytes: 0,
  outPackets: 0,
  outFlows: 0,
  ...more,
});
const topOf = (scores: Scores): string[] => rankScores(scores, 3)[0]!.rows.map(({ address }) => address);

test('each host adds its values once per interval and is ranked by the average of its intervals', () => {
  let scores = addInterval(NONE, 300_000, [host('10.0.0.1', 100), host('10.0.0.2', 500)]);
  scores = addInterval(scores, 600_000, [host('10.0.0.1', 300)]);
  expect(scores).toEqual({
    untilMs: 600_000,
    reports: 2,
    hosts: [host('10.0.0.1', 400, { count: 2 }), host('10.0.0.2', 500)],
  });
  const [list] = rankScores(scores, 10);
  expect(list).toEqual({
    direction: 'in',
    metric: 'bytes',
    rows: [
      expect.objectContaining({ rank: 1, address: '10.0.0.2', intervals: 1, in: { bytes: 500, packets: 0, flows: 0 } }),
      expect.objectContaining({ rank: 2, address: '10.0.0.1', intervals: 2, in: { bytes: 200, packets: 0, flows: 0 } }),
    ],
  });
  expect(list!.rows.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(100);
  // Nobody sent a byte: no rows rather than rows of nothing.
  expect(rankScores(scores, 10)[3]!.rows).toEqual([]);
});

test('after 50 reports everything is halved, as CUFlow does: who was busy once fades', () => {
  let scores = addInterval(NONE, 1, [host('192.0.2.66', 1_000_000), host('10.0.0.1', 1001)]);
  for (let report = 2; report <= 50; report++) scores = addInterval(scores, report, [host('10.0.0.1', 1001)]);
  expect(topOf(scores)).toEqual(['192.0.2.66', '10.0.0.1']);
  scores = addInterval(scores, 51, [host('10.0.0.1', 1001)]);
  expect(scores).toEqual({
    untilMs: 51,
    reports: 25,
    hosts: [host('10.0.0.1', Math.floor((51 * 1001) / 2), { count: 25 })],
  });
});

test('a file of any number of reports is brought under the bound', () => {
  const merged = mergeScores(NONE, {
    reports: 210,
    hosts: [host('10.0.0.1', 8000, { count: 200 }), host('10.0.0.2', 7, { count: 3 })],
  });
  expect(merged.reports).toBe(26);
  expect(merged.hosts).toEqual([host('10.0.0.1', 1000, { count: 25 })]);
});

test('the state never grows past the lists of 50 intervals', () => {
  fc.assert(
    fc.property(fc.array(fc.uniqueArray(fc.nat(100_000), { maxLength: 60 }), { maxLength: 200 }), (intervals) => {
      let scores = NONE;
      intervals.forEach((hosts, at) => {
        scores = addInterval(
          scores,
          at + 1,
          hosts.map((number) => host(`h${number}`, 1)),
        );
        expect(scores.reports).toBeLessThanOrEqual(50);
        expect(scores.hosts.length).toBeLessThanOrEqual(50 * 60);
      });
    }),
    { numRuns: 20, seed: 20_261_121 },
  );
});
