import { QUALITY } from '@ringflow/contract';
import { WIRE_DEFAULTS } from './config.ts';
import { createDecoder } from './decode.ts';
import type { DecodeSink, Decoder } from './decoder.ts';
import {
  type DecodedCapture,
  type Difference,
  comboRecords,
  compareRecords,
  decodeCapture,
  describeDifferences,
  judge,
  loadManifest,
  readCapture,
} from './testing/captures.ts';

const manifest = loadManifest();
const make = (sink: DecodeSink): Decoder => createDecoder(WIRE_DEFAULTS, sink);
const captures = (manifest?.captures ?? []).filter((capture) => !capture.id.startsWith('sf-'));
const qualities = (decoded: DecodedCapture): number[] => decoded.rows.map((row) => Number(row.quality ?? 0));
const total = (decoded: DecodedCapture, column: 'bytes' | 'packets'): number =>
  decoded.rows.reduce((sum, row) => sum + Number(row[column] ?? 0), 0);

(manifest ? describe : describe.skip)('NetFlow and IPFIX captures', () => {
  // A file without any test counts as failed.
  if (!manifest) return test('need the captures', () => undefined);
  const decode = (id: string): DecodedCapture => {
    const capture = captures.find((candidate) => candidate.id === id);
    return decodeCapture(readCapture(manifest, capture?.pcap ?? `pcap/${id}.pcap`), make);
  };

  test.each(captures.map((capture) => [capture.id, capture] as const))('%s', (id, capture) => {
    const decoded = decode(id);
    // The manifest lists what may be decoded of these two; L06 and T08 say what we make of them.
    if (id === 'v5-invalid') {
      expect(decoded.rows).toHaveLength(0);
      expect(decoded.losses).toEqual({ bad_count: 2 });
      return;
    }
    const late =
      id === 'ipfix-netscaler-data-first'
        ? captures.find((candidate) => candidate.id === 'ipfix-netscaler')
        : undefined;
    const { unexpected, stale } = judge(compareRecords(id, late?.records ?? capture.records, decoded), [id]);
    expect(describeDifferences(unexpected)).toEqual([]);
    expect(stale).toEqual([]);
    const missing = decoded.losses['template_missing'] ?? 0;
    expect(missing).toBe(capture.undecodable_data_sets ?? 0);
  });

  test.each(manifest.combos.map((combo) => [combo.id, combo] as const))('%s', (id, combo) => {
    const decoded = decodeCapture(readCapture(manifest, combo.pcap), make);
    const differences: Difference[] = compareRecords(id, comboRecords(manifest, combo), decoded);
    expect(
      describeDifferences(
        differences.filter(
          (d) =>
            !isKnownTime(
              combo.sequence.map((s) => s.capture),
              d,
            ),
        ),
      ),
    ).toEqual([]);
  });

  test('_all-interleaved equals the union of all captures', () => {
    const { exporters, pcap } = manifest.interleaved;
    const decoded = decodeCapture(readCapture(manifest, pcap), make);
    const differences: Difference[] = [];
    for (const [address, { capture: id }] of Object.entries(exporters)) {
      const capture = captures.find((candidate) => candidate.id === id);
      if (!capture || id === 'v5-invalid') continue;
      const own = {
        ...decoded,
        rows: decoded.rows.filter((row) => row.sampler_address === address),
        options: decoded.options.filter((record) => record.source.address === address),
      };
      const late =
        id === 'ipfix-netscaler-data-first'
          ? captures.find((candidate) => candidate.id === 'ipfix-netscaler')
          : undefined;
      differences.push(...compareRecords(id, late?.records ?? capture.records, own));
    }
    const { unexpected } = judge(differences, []);
    expect(describeDifferences(unexpected)).toEqual([]);
  });

  test('generated code and the plain twin agree on all captures', () => {
    const file = readCapture(manifest, manifest.interleaved.pcap);
    const plain = decodeCapture(file, (sink) => createDecoder(WIRE_DEFAULTS, sink, { interpret: true }));
    const generated = decodeCapture(file, make);
    expect(plain.rows.length).toBeGreaterThan(600);
    expect(generated.rows).toEqual(plain.rows);
  });

  test('T02 two exporters behind one address keep their own templates', () => {
    expect(
      decode('combo-nat-two-exporters-one-ip').rows.filter((row) => !(Number(row.quality) & QUALITY.reverse)),
    ).toHaveLength(33);
  });

  test('T03 a template of another port of the address is used, and flagged', () => {
    const decoded = decode('combo-template-on-other-port');
    expect(decoded.rows).toHaveLength(19);
    expect(qualities(decoded).every((quality) => (quality & QUALITY.template_fallback) !== 0)).toBe(true);
  });

  test('T08 data before its template is kept: 46 of 46', () => {
    expect(decode('combo-data-before-template').rows).toHaveLength(46);
  });

  test('T18 sets of unknown templates do not hide the others', () => {
    const decoded = decode('v9-ipt-netflow');
    expect([decoded.rows.length, decoded.losses['template_missing']]).toEqual([12, 6]);
  });

  test('C03 flows that end seconds after the header stay in 2010', () => {
    const years = decode('x-np-v9-multiple-options').rows.map((row) =>
      new Date(Number(BigInt(row.time_flow_end_ns as bigint) / 1_000_000n)).getUTCFullYear(),
    );
    expect(new Set(years)).toEqual(new Set([2010]));
  });

  test('C04 C05 anomalous clocks are flagged', () => {
    expect(qualities(decode('v9-fortigate-521'))).toEqual([QUALITY.clock_anomaly]);
    expect(qualities(decode('v9-nprobe-dpi'))).toEqual([
      QUALITY.clock_anomaly | QUALITY.clock_corrected | QUALITY.sampling_unknown,
    ]);
  });

  test('L12 the family that is not zero: 6 IPv4 and 2 IPv6 flows', () => {
    const etypes = decode('ipfix-procera').rows.map((row) => row.etype);
    expect([etypes.filter((e) => e === 0x0800).length, etypes.filter((e) => e === 0x86dd).length]).toEqual([6, 2]);
  });

  test('F07 sixteen-bit TCP flags', () => {
    expect(decode('ipfix-viptela').rows[0]?.tcp_flags).toBe(16);
  });

  test('F02 totals of ASA events are there, once per direction and record', () => {
    const rows = decode('v9-cisco-asa-2').rows;
    const forward = rows.filter((row) => !(Number(row.quality) & QUALITY.reverse));
    expect(forward).toHaveLength(19);
    expect(total({ rows: forward } as DecodedCapture, 'bytes')).toBeGreaterThan(0);
  });

  test('F03 a biflow becomes two rows: 132 bytes there, 200 back', () => {
    const [there, back] = decode('ipfix-yaf').rows;
    expect([there?.bytes, back?.bytes]).toEqual([132n, 200n]);
    expect([back?.src_addr, back?.src_port, back?.dst_port]).toEqual([
      there?.dst_addr,
      there?.dst_port,
      there?.src_port,
    ]);
    expect(Number(back?.quality) & QUALITY.reverse).toBe(QUALITY.reverse);
  });

  test('C13 records without times get the export time and a flag', () => {
    const rows = decode('v9-macaddr').rows;
    expect(rows).toHaveLength(29);
    const flags = QUALITY.no_flow_times | QUALITY.no_counters;
    expect(
      rows.every(
        (row) => (Number(row.quality) & flags) === flags && row.time_flow_end_ns === 1_444_466_821_000_000_000n,
      ),
    ).toBe(true);
  });
});

/** Combos are made of captures whose anomalous times are listed there. */
function isKnownTime(from: readonly string[], difference: Difference): boolean {
  return from.includes('v9-fortigate-521') && difference.key.endsWith('_ms');
}
