import { addressWords, FLOW_TYPES, parseAddress, QUALITY, type ColumnName } from '@ringflow/contract';
import { COLUMN_INDEX, createBatch, useColumn, type Batch } from '../wire/index.ts';
import { createEnrich, ENRICH_COLUMNS, ENRICH_DEFAULTS, type EnrichConfig } from './index.ts';

type Row = Partial<Record<ColumnName, number | string>>;

function batchOf(rows: readonly Row[]): Batch {
  const batch = createBatch({ rowLimit: rows.length, columns: ENRICH_COLUMNS });
  rows.forEach((row, at) => {
    for (const [name, value] of Object.entries(row)) {
      const index = COLUMN_INDEX[name as ColumnName];
      const data = useColumn(batch, index);
      const width = data.length / batch.capacity;
      if (typeof value === 'string') data.set(addressWords(parseAddress(value) as Uint8Array), at * 4);
      else data[at * width] = value;
    }
  });
  batch.rows = rows.length;
  return batch;
}

function column(batch: Batch, name: ColumnName): number[] {
  const data = batch.data[COLUMN_INDEX[name]];
  return Array.from({ length: batch.rows }, (_, row) =>
    data ? (data[row * (data.length / batch.capacity)] as number) : 0,
  );
}

function enriched(rows: readonly Row[], config: Partial<EnrichConfig> = {}): Batch {
  const batch = batchOf(rows);
  createEnrich({ ...ENRICH_DEFAULTS, ...config }).step(batch, 0, batch.rows);
  return batch;
}

const TCP = 6;
const UDP = 17;
const service = (proto: number, port: number): number => proto * 65_536 + port;

test.each<[string, Row, number]>([
  ['one registered port', { proto: TCP, src_port: 443, dst_port: 51_515 }, service(TCP, 443)],
  ['the same the other way', { proto: TCP, src_port: 51_515, dst_port: 443 }, service(TCP, 443)],
  ['a registered port above an unregistered one', { proto: TCP, src_port: 1023, dst_port: 3389 }, service(TCP, 3389)],
  ['two registered ports: the lower', { proto: UDP, src_port: 123, dst_port: 53 }, service(UDP, 53)],
  ['two unregistered ports: the lower', { proto: TCP, src_port: 60_001, dst_port: 60_000 }, service(TCP, 60_000)],
  ['port 0 is no port', { proto: UDP, src_port: 0, dst_port: 61_000 }, service(UDP, 61_000)],
  ['an own port wins over a registered one', { proto: TCP, src_port: 443, dst_port: 18_443 }, service(TCP, 18_443)],
  ['a range of own ports', { proto: UDP, src_port: 53, dst_port: 40_007 }, service(UDP, 40_007)],
  ['ICMP has no ports, whatever stands there', { proto: 1, src_port: 0, dst_port: 2048 }, service(1, 0)],
  ['GRE', { proto: 47, src_port: 0, dst_port: 0 }, service(47, 0)],
])('5.2 service: %s', (_name, row, expected) => {
  const batch = enriched([row, row], { service: { ports: ['tcp/18443', 'udp/40000-40010'] } });
  expect(column(batch, 'service')).toEqual([expected, expected]);
});

test('5.7 override of the exporter, then the record, then the default, else a flag', () => {
  const rows: Row[] = [
    { sampler_address: '192.0.2.1', sampling_rate: 10 },
    { sampler_address: '192.0.2.1', sampling_rate: 0 },
    { sampler_address: '192.0.3.1', sampling_rate: 10 },
    { sampler_address: '192.0.3.1', sampling_rate: 0 },
    { sampler_address: '2001:db8::5', sampling_rate: 7 },
    { sampler_address: '192.0.2.77', sampling_rate: 5 },
  ];
  const override = { '192.0.2.0/24': 1000, '192.0.2.77': 1, '2001:db8::/32': 512 };
  const flagged = enriched(rows, { sampling: { default: 0, override } });
  expect(column(flagged, 'sampling_rate')).toEqual([1000, 1000, 10, 0, 512, 1]);
  expect(column(flagged, 'quality')).toEqual([0, 0, 0, QUALITY.sampling_unknown, 0, 0]);
  const filled = enriched(rows, { sampling: { default: 100, override } });
  expect(column(filled, 'sampling_rate')).toEqual([1000, 1000, 10, 100, 512, 1]);
  expect(column(filled, 'quality')).toEqual([0, 0, 0, 0, 0, 0]);
});

test('5.7 a rate that the configuration knows is not unknown; discards of sFlow stand for one packet', () => {
  const unknown = { sampler_address: '192.0.2.1', quality: QUALITY.sampling_unknown | QUALITY.reverse };
  const discard = { sampler_address: '192.0.2.1', type: FLOW_TYPES.SFLOW_5, quality: 0 };
  const rows: Row[] = [
    unknown,
    { ...unknown, sampler_address: '192.0.3.1' },
    discard,
    { ...discard, sampling_rate: 9 },
  ];
  const override = { '192.0.2.0/24': 1000 };
  for (const [settings, rates, qualities] of [
    [{ default: 0, override: {} }, [0, 0, 1, 9], [129, 129, 0, 0]],
    [{ default: 100, override: {} }, [100, 100, 1, 9], [128, 128, 0, 0]],
    [{ default: 0, override }, [1000, 0, 1, 1000], [128, 129, 0, 0]],
  ] as const) {
    const batch = enriched(rows, { sampling: settings });
    expect(column(batch, 'sampling_rate')).toEqual(rates);
    expect(column(batch, 'quality')).toEqual(qualities);
  }
});

test('5.7 records of unknown rate are counted by exporter', () => {
  const enrich = createEnrich(ENRICH_DEFAULTS);
  const rows = ['192.0.2.1', '2001:db8::1', '192.0.2.1', '192.0.2.3'].map((sampler_address, index) => ({
    sampler_address,
    sampling_rate: index === 3 ? 1 : 0,
  }));
  const batch = batchOf(rows);
  enrich.step(batch, 0, 4);
  expect(enrich.status().sampling.unknown).toEqual([
    { exporter: '192.0.2.1', records: 2 },
    { exporter: '2001:db8::1', records: 1 },
  ]);
});

test('only the rows asked for are changed', () => {
  const batch = batchOf(Array.from({ length: 4 }, () => ({ proto: TCP, src_port: 443, dst_port: 5 })));
  createEnrich(ENRICH_DEFAULTS).step(batch, 1, 3);
  expect(column(batch, 'service')).toEqual([0, service(TCP, 5), service(TCP, 5), 0]);
});

const UPDATE = 5;
const TEARDOWN = 2;

test('F02 the totals that an ASA repeats at the end of a connection count once [v9-cisco-asa-2]', () => {
  const connection = {
    sampler_address: '192.0.2.11',
    flow_id: 742_819_710,
    src_addr: '192.168.0.2',
    dst_addr: '192.168.0.17',
    src_port: 61_776,
    dst_port: 80,
  };
  const back = { ...connection, src_addr: '192.168.0.17', dst_addr: '192.168.0.2', src_port: 80, dst_port: 61_776 };
  const batch = enriched([
    { ...connection, flow_id: 742_819_709, fw_event: TEARDOWN, bytes: 81 },
    { ...connection, fw_event: UPDATE, bytes: 81 },
    { ...back, fw_event: UPDATE, bytes: 6207 },
    { ...connection, fw_event: TEARDOWN, bytes: 81 },
    { ...back, fw_event: TEARDOWN, bytes: 6207 },
    // The id is used again: nothing is left of the old connection.
    { ...connection, fw_event: TEARDOWN, bytes: 81 },
    { ...connection, fw_event: UPDATE, bytes: 500 },
    { ...connection, fw_event: TEARDOWN, bytes: 501 },
    // Another exporter with the same id.
    { ...connection, fw_event: UPDATE, bytes: 9 },
    { ...connection, sampler_address: '192.0.2.12', fw_event: TEARDOWN, bytes: 9 },
  ]);
  expect(column(batch, 'bytes')).toEqual([81, 81, 6207, 0, 0, 81, 500, 501, 9, 9]);
  const repeated = QUALITY.counters_repeated | QUALITY.sampling_unknown;
  const plain = QUALITY.sampling_unknown;
  expect(column(batch, 'quality')).toEqual([
    plain,
    plain,
    plain,
    repeated,
    repeated,
    plain,
    plain,
    plain,
    plain,
    plain,
  ]);
});

test('F02 can be switched off, and a flood of connections stays within its memory', () => {
  const rows = Array.from({ length: 2000 }, (_, i) => ({
    sampler_address: '192.0.2.11',
    flow_id: 1 + (i >> 1),
    src_addr: '10.0.0.1',
    fw_event: i % 2 ? TEARDOWN : UPDATE,
    bytes: 10,
  }));
  const sum = (batch: Batch): number => column(batch, 'bytes').reduce((a, b) => a + b, 0);
  expect(sum(enriched(rows))).toBe(10_000);
  expect(sum(enriched(rows, { asa: { drop_repeated_totals: false } }))).toBe(20_000);
});

test.each([
  [{ service: { ports: ['tcp/0'] } }, 'enrich.service.ports: tcp/0 is not a port'],
  [{ service: { ports: ['icmp/8'] } }, 'enrich.service.ports: icmp/8 is not a port'],
  [{ sampling: { default: 0, override: { nowhere: 5 } } }, 'enrich.sampling.override: nowhere is not a network'],
])('what cannot be configured says so: %j', (config, message) => {
  expect(() => createEnrich({ ...ENRICH_DEFAULTS, ...config })).toThrow(message);
});
