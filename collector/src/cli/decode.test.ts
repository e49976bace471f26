import { COLUMNS, parseEtherType, parseFlowType, parseProtocol, parseQuality, type Column } from '@ringflow/contract';
import {
  compareRecords,
  describeDifferences,
  judge,
  loadManifest,
  readCapture,
  recordsToExpect,
  type Row,
} from '../wire/testing/captures.ts';
import { ipv4, pcapOf, tcp, ethernet } from '../wire/testing/packets.ts';
import { flowSample, rawHeader, sflow } from '../wire/testing/sflow-packets.ts';
import type { Io } from './command.ts';
import { runDecode, type DecodeOptions } from './decode.ts';

const manifest = loadManifest();
const withCaptures = manifest ? describe : describe.skip;

async function* inPieces(file: Uint8Array, size = 4096): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < file.length; at += size) yield file.subarray(at, at + size);
}

async function decode(
  file: Uint8Array,
  options: Partial<DecodeOptions> = {},
): Promise<{ code: number; lines: string[]; errors: string }> {
  let out = '';
  let errors = '';
  const io: Io = {
    out: (text) => void (out += text),
    err: (text) => void (errors += text),
  };
  const code = await runDecode(
    { file: 'test.pcap', all: false, fromHost: null, decapsulate: false, ...options },
    inPieces(file),
    io,
  );
  return { code, lines: out.split('\n').slice(0, -1), errors };
}

/** The row that a line of JSON stands for: the inverse of row-json.ts, from the registry. */
function rowOf(line: string): Row {
  const object = JSON.parse(line.replace(/([:[,])(\d{16,})(?=[,}\]])/g, '$1"$2"')) as Record<string, unknown>;
  const row: Record<string, unknown> = {};
  for (const column of COLUMNS as readonly Column[]) {
    const value = object[column.name];
    if (value === undefined || value === '' || value === 0 || value === '::' || value === '00:00:00:00:00:00') continue;
    const text = String(value);
    const number =
      column.text === 'proto'
        ? parseProtocol(text)
        : column.text === 'etype'
          ? parseEtherType(text)
          : column.text === 'flowType'
            ? parseFlowType(text)
            : column.text === 'quality'
              ? parseQuality(text)
              : value;
    row[column.name] = column.type === 'u64' || column.type === 'time' ? BigInt(text) : number;
  }
  return row as Row;
}

withCaptures('ringflow decode on the captures', () => {
  if (!manifest) return;

  test('every capture prints its expected records', async () => {
    for (const capture of manifest.captures) {
      const { code, lines } = await decode(readCapture(manifest, capture.pcap));
      expect([capture.id, code]).toEqual([capture.id, 0]);
      const all = recordsToExpect(manifest, capture);
      const records = all.filter(({ kind }) => kind !== 'options');
      // The list numbers records as the manifest does, options included.
      const numbers = all.flatMap(({ kind }, index) => (kind === 'options' ? [] : [index]));
      const differences = compareRecords(capture.id, records, {
        rows: lines.map(rowOf),
        options: [],
        counters: [],
        losses: {},
        datagrams: 0,
      }).map((difference) => ({
        ...difference,
        record: difference.record < 0 ? difference.record : (numbers[difference.record] ?? -1),
      }));
      expect(describeDifferences(judge(differences, []).unexpected)).toEqual([]);
    }
  });

  test('--all prints options and counters too, --from-host one exporter only', async () => {
    const file = readCapture(manifest, manifest.interleaved.pcap);
    const flows = await decode(file);
    const all = await decode(file, { all: true });
    const kinds = all.lines.map((line) => (JSON.parse(line) as { kind?: string }).kind ?? 'flow');
    expect(kinds.filter((kind) => kind === 'flow')).toHaveLength(flows.lines.length);
    expect(kinds.filter((kind) => kind === 'options').length).toBeGreaterThan(40);
    expect(kinds.filter((kind) => kind === 'counters').length).toBeGreaterThan(150);
    const [address, { capture }] = Object.entries(manifest.interleaved.exporters)[0] as [string, { capture: string }];
    const one = await decode(file, { fromHost: address });
    expect(one.lines).toHaveLength(manifest.captures.find(({ id }) => id === capture)?.records.length ?? -1);
  });

  test('T08 data before its template is printed once that came, and is no loss then', async () => {
    const combo = manifest.combos.find(({ id }) => id === 'combo-data-before-template');
    const { lines, errors } = await decode(readCapture(manifest, combo?.pcap ?? ''));
    expect([lines.length, errors]).toEqual([46, '']);
    const lost = await decode(readCapture(manifest, 'pcap/v9-ipt-netflow.pcap'));
    expect(lost.lines).toHaveLength(12);
    expect(lost.errors).toMatch(/^Of \d+ datagrams, not decoded:\n {2}sets whose template never came: 6\n$/);
  });

  test('X01 a capture cut or damaged anywhere ends in an exit code', async () => {
    const file = readCapture(manifest, manifest.interleaved.pcap);
    for (let length = 0; length < file.length; length += 2503)
      expect((await decode(file.subarray(0, length))).code).toBe(length < 24 ? 1 : 0);
    let seed = 1;
    for (let round = 0; round < 20; round++) {
      const changed = file.slice();
      for (let i = 0; i < 200; i++) {
        seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
        changed[24 + ((seed >>> 4) % (changed.length - 24))] = seed >>> 24;
      }
      expect((await decode(changed)).code).toBe(0);
    }
  }, 120_000);
});

const FRAME = ethernet(0x0800, ipv4(6, tcp(443, 50_000, 0x12)));

test('sFlow from a capture on any port, with the summary of what was not decoded', async () => {
  const datagram = new Uint8Array(sflow([flowSample([rawHeader(FRAME)])]));
  const file = pcapOf([
    { payload: datagram, port: 9999 },
    { payload: new TextEncoder().encode('GET / HTTP/1.1'), port: 53 },
  ]);
  const { code, lines, errors } = await decode(file);
  expect(code).toBe(0);
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { type: 'SFLOW_5', src_port: 443, proto: 'TCP', sampling_rate: 512, time_received_ns: 1_700_000_000_000_000_000 },
  ]);
  expect(errors).toBe('Of 2 datagrams, not decoded:\n  unknown_protocol: 1\n');
});

test('a file that is no capture fails with the way out', async () => {
  const { code, lines, errors } = await decode(new TextEncoder().encode('this is just text, no capture'));
  expect([code, lines]).toEqual([1, []]);
  expect(errors).toMatch(/^ringflow: test.pcap is not a packet capture \(pcap or pcapng\)\n {2}Record one with/);
});

test('a cut file says so', async () => {
  const file = pcapOf([{ payload: new Uint8Array(sflow([flowSample([rawHeader(FRAME)])])) }]);
  const { code, errors } = await decode(file.subarray(0, file.length - 5));
  expect([code, errors]).toEqual([0, 'Of 0 datagrams, not decoded:\n  the file ends in the middle of a packet\n']);
});
