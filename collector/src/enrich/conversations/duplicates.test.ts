import { FLOW_TYPES } from '@ringflow/contract';
import { resetBatch, type Batch } from '../../wire/index.ts';
import { createEnrich, ENRICH_COLUMNS, ENRICH_DEFAULTS, type Enrich, type EnrichConfig } from '../index.ts';
import { addRows, batchOf, numbersOf, wordsOf, type Row } from '../testing/batch.ts';

type Settings = Partial<EnrichConfig['duplicates']>;

const createTestEnrich = (settings: Settings = {}): Enrich =>
  createEnrich({
    ...ENRICH_DEFAULTS,
    roles: { conversations: 1024 },
    duplicates: { ...ENRICH_DEFAULTS.duplicates, ...settings },
  });

function enriched(rows: readonly Row[], settings: Settings = {}): Batch {
  const batch = batchOf(rows, ENRICH_COLUMNS);
  createTestEnrich(settings).step(batch, 0, rows.length);
  return batch;
}

const marks = (rows: readonly Row[], settings: Settings = {}): string[] => wordsOf(enriched(rows, settings), 'dup');

const [A, B, C] = ['192.0.2.1', '192.0.2.2', '192.0.2.3'] as const;
const flow = {
  src_addr: '10.0.0.1',
  dst_addr: '198.51.100.7',
  src_port: 40_000,
  dst_port: 443,
  proto: 6,
  type: FLOW_TYPES.NETFLOW_V9,
  time_received_ns: 1000,
};
const answer = { ...flow, src_addr: '198.51.100.7', dst_addr: '10.0.0.1', src_port: 443, dst_port: 40_000 };
const INGRESS = { flow_direction: 0, in_if: 1, out_if: 2 };
const EGRESS = { flow_direction: 1, in_if: 1, out_if: 2 };
const by = (sampler_address: string, row: Row, seconds = 1000): Row => ({
  ...row,
  sampler_address,
  time_received_ns: seconds,
});

test('5.8 one flow through three exporters, both directions, ingress and egress: totals count it once', () => {
  const rows = [A, B, C].flatMap((exporter) =>
    [flow, answer].flatMap((way, index) => {
      const direction = { in_if: index === 0 ? 1 : 2, out_if: index === 0 ? 2 : 1 };
      return [INGRESS, EGRESS].map((side) =>
        by(exporter, { ...way, ...side, ...direction, bytes: index === 0 ? 1000 : 50_000 }),
      );
    }),
  );
  const batch = enriched(rows);
  const bytes = numbersOf(batch, 'bytes');
  const dup = numbersOf(batch, 'dup');
  const sum = (keep: (row: number) => boolean): number =>
    bytes.reduce((all, value, row) => (keep(row) ? all + value : all), 0);
  expect(sum((row) => dup[row] === 0)).toBe(51_000);
  for (const exporter of [A, B, C]) expect(sum((row) => rows[row]?.sampler_address === exporter)).toBe(102_000);
  expect(dup.filter((mark) => mark !== 0)).toHaveLength(10);
});

test('5.8 (a) the egress record of a router that exports ingress there, too', () => {
  const ingress = by(A, { ...flow, ...INGRESS });
  const egress = by(A, { ...flow, ...EGRESS });
  expect(marks([ingress, egress])).toEqual(['', 'egress']);
  expect(marks([ingress, egress], { count: 'both' })).toEqual(['', '']);
  expect(marks([egress, ingress, egress], { count: 'egress' })).toEqual(['', 'egress', '']);
  expect(marks([egress], { count: 'ingress' })).toEqual(['egress']);
  // Both directions of one interface are watched: what leaves there entered where nothing is watched [v9-cisco-1941].
  const wan = { ...answer, flow_direction: 1, in_if: 11, out_if: 17 };
  expect(marks([by(A, { ...flow, flow_direction: 0, in_if: 17, out_if: 11 }), by(A, wan)])).toEqual(['', '']);
  // Another router's interface with the same number, what the router sends itself, and an interface of long ago.
  expect(marks([by(A, { ...flow, ...INGRESS, src_port: 5 }), by(B, { ...flow, ...EGRESS })])).toEqual(['', '']);
  expect(marks([by(A, { ...flow, ...INGRESS, in_if: 0 }), by(A, { ...flow, ...EGRESS, in_if: 0 })])).toEqual(['', '']);
  expect(marks([ingress, by(A, { ...flow, ...EGRESS }, 1601)])).toEqual(['', '']);
});

test('5.8 (b) the first exporter of a direction owns it until it is silent for twice the active timeout', () => {
  expect(marks([by(A, flow), by(B, flow), by(B, answer), by(A, answer)])).toEqual([
    '',
    'other_exporter',
    '',
    'other_exporter',
  ]);
  expect(marks([by(A, flow), by(B, flow, 1120)])).toEqual(['', 'other_exporter']);
  expect(marks([by(A, flow), by(B, flow, 1100), by(B, flow, 1124), by(A, flow, 1125)])).toEqual([
    '',
    'other_exporter',
    '',
    'other_exporter',
  ]);
  expect(marks([by(A, flow), by(A, flow, 1100), by(B, flow, 1200)])).toEqual(['', '', 'other_exporter']);
  expect(marks([by(A, flow), by(B, flow, 1400)], { active_timeout_ms: 300_000 })).toEqual(['', 'other_exporter']);
  expect(marks([by(A, flow), by(B, flow)], { enabled: false })).toEqual(['', '']);
});

test('5.8 (b) several values of ToS are several flows, each with its owner', () => {
  const voice = { ...flow, ip_tos: 184 };
  expect(marks([by(A, flow), by(B, voice), by(B, flow), by(A, voice)])).toEqual([
    '',
    '',
    'other_exporter',
    'other_exporter',
  ]);
});

test('5.8 (b) another port, protocol or translated address is another flow', () => {
  const others = [{ src_port: 40_001 }, { proto: 17 }, { src_addr: '203.0.113.4' }].map((more) =>
    by(B, { ...flow, ...more }),
  );
  expect(marks([by(A, flow), ...others])).toEqual(['', '', '', '']);
});

test('5.8 (c) an exporter with priority takes over, and the copies in the batch are marked', () => {
  const sflow = { ...flow, type: FLOW_TYPES.SFLOW_5 };
  expect(marks([by(A, flow), by(A, sflow)])).toEqual(['', 'other_exporter']);
  const priority = ['192.0.2.3', '192.0.2.2/31'];
  expect(marks([by(A, flow), by(B, flow), by(C, flow), by(B, flow), by(A, answer)], { priority })).toEqual([
    'other_exporter',
    'other_exporter',
    '',
    'other_exporter',
    '',
  ]);
});

test('5.8 an exporter that is not the owner is marked across batches', () => {
  const enrich = createTestEnrich();
  const batch = batchOf([by(A, flow)], ENRICH_COLUMNS);
  enrich.step(batch, 0, 1);
  resetBatch(batch);
  addRows(batch, [by(B, flow, 1060), by(A, flow, 1060)]);
  enrich.step(batch, 0, 2);
  expect(wordsOf(batch, 'dup')).toEqual(['other_exporter', '']);
});

test('5.8 what cannot be configured says so', () => {
  expect(() => createTestEnrich({ priority: ['edge'] })).toThrow('enrich.duplicates.priority: edge is not a network');
});
