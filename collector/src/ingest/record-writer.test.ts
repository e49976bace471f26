import { COLUMNS, QUALITY, type Column } from '@ringflow/contract';
import { rowsAsJson } from '../cli/row-json.ts';
import {
  COLUMN_INDEX,
  createBatch,
  createDatagramInfo,
  createDecoder,
  readCell,
  readPcap,
  WIRE_DEFAULTS,
  type Batch,
} from '../wire/index.ts';
import { loadManifest, readCapture } from '../wire/testing/captures.ts';
import { FieldError } from './fields.ts';
import { parseObject } from './object-reader.ts';
import { createRecordWriter } from './record-writer.ts';

const STORED = COLUMNS.filter((column: Column) => column.stored);
const NOW_MS = Date.UTC(2026, 0, 10, 12);

function write(...records: readonly object[]): { batch: Batch; ignored: Record<string, number> } {
  const writer = createRecordWriter(STORED);
  const batch = createBatch({ rowLimit: records.length, columns: STORED });
  const ignored = new Map<string, number>();
  for (const record of records) writer.write(batch, parseObject(JSON.stringify(record)), NOW_MS, ignored);
  return { batch, ignored: Object.fromEntries(ignored) };
}

const cell = (batch: Batch, name: keyof typeof COLUMN_INDEX, row = 0) => readCell(batch, COLUMN_INDEX[name], row);

/** Not taken from a record: found out again when it is stored. */
const AGAIN = QUALITY.sampling_unknown | QUALITY.no_flow_times;

function cells(batch: Batch, row: number): Record<string, unknown> {
  const all = Object.fromEntries(STORED.map(({ name }) => [name, cell(batch, name as never, row)]));
  return { ...all, quality: Number(all['quality']) & ~AGAIN };
}

const manifest = loadManifest();
(manifest ? describe : describe.skip)('what "ringflow decode" prints is read back as it was', () => {
  const captures = manifest?.captures ?? [];
  test.each(captures.map((capture) => [capture.id, capture] as const))('%s', (_, capture) => {
    const decoded = createBatch({ rowLimit: 100_000, columns: STORED, trackRuns: true });
    const decoder = createDecoder(WIRE_DEFAULTS, { options: () => undefined, counters: () => undefined });
    const info = createDatagramInfo();
    for (const { payload, source, arrivalMs } of readPcap(readCapture(manifest as never, capture.pcap)))
      decoder.decode(payload, source, arrivalMs, decoded, info);
    const writer = createRecordWriter(STORED);
    const read = createBatch({ rowLimit: Math.max(1, decoded.rows), columns: STORED });
    const ignored = new Map<string, number>();
    for (const line of rowsAsJson(decoded)) writer.write(read, parseObject(line), NOW_MS, ignored);
    expect([...ignored]).toEqual([]);
    expect(read.rows).toBe(decoded.rows);
    for (let row = 0; row < read.rows; row++) expect(cells(read, row)).toEqual(cells(decoded, row));
  });
});
if (!manifest) process.stderr.write('no captures: what decode prints is not read back\n');

test('values of goflow2 in their other spellings', () => {
  const { batch, ignored } = write(
    {
      // The renderer `datetimenano`, and a mapping that leaves protocol and ether type as numbers.
      time_received_ns: '2026-01-10T11:59:58.123456789Z',
      proto: 6,
      etype: 34525,
      src_net: 24,
      dst_net: 'invalid Prefix',
      src_addr: '2001:db8::1',
      bytes: '18446744073709551615',
      bi_flow_direction: 1,
      layer_stack: ['IPv4'],
      mpls_ttl: [],
    },
    { proto: 'unassigned', bytes: 1.5, packets: -1, src_vlan: 4_294_967_295, made_up: 1, src_as: null, src_mac: '' },
  );
  expect(cell(batch, 'time_received_ns')).toBe(1_768_046_398_123_456_789n);
  expect(cell(batch, 'time_flow_end_ns')).toBe(1_768_046_398_123_456_789n);
  expect([cell(batch, 'proto'), cell(batch, 'etype'), cell(batch, 'src_mask')]).toEqual([6, 0x86dd, 24]);
  expect([cell(batch, 'bytes'), cell(batch, 'biflow_direction')]).toEqual([18_446_744_073_709_551_615n, 1]);
  expect(Number(cell(batch, 'quality')) & QUALITY.no_flow_times).not.toBe(0);
  expect(ignored).toEqual({ dst_net: 1, proto: 1, bytes: 1, packets: 1, src_vlan: 1, made_up: 1 });
});

test('times that cannot be true are the arrival, and flagged', () => {
  const at = BigInt(NOW_MS) * 1_000_000n;
  const late = String(at + 90_000_000_000_000n);
  const { batch } = write(
    {
      bytes: 1,
      time_received_ns: String(at - 1n),
      time_flow_start_ns: 512_000_000_000,
      time_flow_end_ns: 515_000_000_000,
    },
    { bytes: 1, time_received_ns: late, time_flow_start_ns: String(at - 5n), time_flow_end_ns: String(at - 9n) },
    { bytes: 1, time_flow_start_ns: '1482670713345000000', time_flow_end_ns: '1482670714347000001' },
  );
  expect([0, 1, 2].map((row) => cell(batch, 'time_received_ns', row))).toEqual([at - 1n, at, at]);
  expect([0, 1, 2].map((row) => cell(batch, 'time_flow_start_ns', row))).toEqual([
    at - 1n,
    at - 9n,
    1_482_670_713_345_000_000n,
  ]);
  expect([0, 1, 2].map((row) => cell(batch, 'time_flow_end_ns', row))).toEqual([
    at - 1n,
    at - 9n,
    1_482_670_714_347_000_001n,
  ]);
  expect([0, 1, 2].map((row) => (Number(cell(batch, 'quality', row)) & QUALITY.clock_anomaly) !== 0)).toEqual([
    true,
    true,
    false,
  ]);
});

test('a flow that lasts longer than the rings spread is cut to two days before its end', () => {
  const day = 86_400_000_000_000n;
  const end = 1_482_670_714_347_000_001n;
  const { batch } = write(
    { bytes: 1, time_flow_start_ns: String(end - 3n * day), time_flow_end_ns: String(end) },
    { bytes: 1, time_flow_start_ns: String(end - 2n * day), time_flow_end_ns: String(end) },
  );
  expect([0, 1].map((row) => cell(batch, 'time_flow_start_ns', row))).toEqual([end - 2n * day, end - 2n * day]);
  expect([0, 1].map((row) => (Number(cell(batch, 'quality', row)) & QUALITY.clock_anomaly) !== 0)).toEqual([
    true,
    false,
  ]);
});

test.each([
  [{ src_addr: '10.0.0' }, 'src_addr: "10.0.0" is no address'],
  [{ src_addr: 5 }, 'src_addr: 5 is no text'],
  [{ bytes: 'many' }, 'bytes: "many" is no number'],
  [{ bytes: true }, 'bytes: true is no number'],
  [{ as_path: 5 }, 'as_path: 5 is no list'],
  [{ time_flow_start_ns: 'yesterday' }, 'time_flow_start_ns: "yesterday" is no number'],
  [{ time_flow_start_ns: '2026-13-41T00:00:00Z' }, 'is no time'],
  [{ src_mac: '00:00' }, 'src_mac: "00:00" is no MAC address'],
])('%j is refused', (record, message) => {
  expect(() => write(record)).toThrow(FieldError);
  expect(() => write(record)).toThrow(message);
});

test('what enrichment works out is not taken from a record', () => {
  const { batch, ignored } = write({
    bytes: 1,
    src_scope: 2,
    direction: 'in',
    service: 5,
    dup: 1,
    client_addr: '10.0.0.1',
  });
  for (const name of ['src_scope', 'direction', 'service', 'dup'] as const)
    expect([name, cell(batch, name)]).toEqual([name, 0]);
  expect(ignored).toEqual({});
});

test('a record is usable when it says between whom or how much', () => {
  const { isUsable } = createRecordWriter(STORED);
  expect([{ bytes: 0 }, { src_addr: '10.0.0.1' }].map(isUsable)).toEqual([true, true]);
  expect([{}, { bytes: null }, { src_addr: '' }, { type: 'IPFIX', sampler_address: '10.0.0.1' }].map(isUsable)).toEqual(
    [false, false, false, false],
  );
});
