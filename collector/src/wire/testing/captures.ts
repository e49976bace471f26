/**
 * The captures as a test suite: loads the manifest, runs a decoder over a pcap and compares every record, in order,
 * with what the manifest expects. Used by tests only.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { COLUMNS, QUALITY, type ColumnName } from '@ringflow/contract';
import { createBatch, resetBatch, type Batch } from '../batch.ts';
import { isEmptyCell, readCell, type CellValue } from '../cells.ts';
import {
  createDatagramInfo,
  LOSS_REASONS,
  type CountersRecord,
  type DatagramInfo,
  type Decoder,
  type DecodeSink,
  type OptionsRecord,
} from '../decoder.ts';
import { readPcap } from '../pcap.ts';
import { expectedCells, inventedValues, type ExpectedCell } from './expected.ts';
import { KNOWN_DIFFERENCES, type KnownDifference } from './known-differences.ts';

/** One capture of the manifest, with the parts that the tests use. */
export interface Capture {
  readonly id: string;
  readonly protocol: string;
  readonly pcap: string;
  readonly exporters: readonly string[];
  readonly records: readonly ManifestRecord[];
  readonly undecodable_data_sets?: number;
  readonly sequence?: Readonly<Record<string, unknown>>;
}

/** A record of the manifest: NetFlow and IPFIX have `expected` and `ies`, sFlow its fields at the top. */
export interface ManifestRecord {
  readonly kind: 'flow' | 'options' | 'counter' | 'discard' | 'unparsable';
  readonly packet?: number;
  readonly datagram?: number;
  readonly expected?: Readonly<Record<string, unknown>>;
  readonly ies?: readonly (readonly [string, string])[];
  /** In a combo: where the record comes from. */
  readonly origin?: { readonly capture: string; readonly index: number };
  readonly [key: string]: unknown;
}

export interface Combo {
  readonly id: string;
  readonly pcap: string;
  readonly sequence: readonly { capture: string; packet: number }[];
  readonly [key: string]: unknown;
}

export interface Manifest {
  readonly directory: string;
  readonly captures: readonly Capture[];
  readonly combos: readonly Combo[];
  readonly interleaved: {
    readonly pcap: string;
    readonly exporters: Readonly<Record<string, { capture: string; original: string }>>;
  };
}

/** A row as plain values: columns that are zero are left out. */
export type Row = Partial<Record<ColumnName, CellValue>>;

/** Everything a decoder made of a capture. */
export interface DecodedCapture {
  readonly rows: Row[];
  readonly options: OptionsRecord[];
  readonly counters: CountersRecord[];
  /** Sum over all datagrams, by reason; reasons that did not occur are left out. */
  readonly losses: Readonly<Record<string, number>>;
  readonly datagrams: number;
}

/** One way in which a record is not what the manifest says. */
export interface Difference {
  readonly capture: string;
  /** Number of the record in the manifest; -1 = the capture as a whole. */
  readonly record: number;
  /** Key of the manifest, `(missing)` = no row for the record, `(extra)` = rows left over. */
  readonly key: string;
  readonly expected: unknown;
  readonly actual: unknown;
}

/** Directory of the captures: `RINGFLOW_CAPTURES`, or beside the project. */
export function capturesDirectory(): string {
  return process.env['RINGFLOW_CAPTURES'] ?? resolve(process.cwd(), '../shared/captures');
}

/** The manifest, or null (and one line that says so) when the captures are not on this machine. */
export function loadManifest(): Manifest | null {
  const directory = capturesDirectory();
  const file = join(directory, 'manifest.json');
  if (!existsSync(file)) {
    process.stderr.write(`captures: none in ${directory} (set RINGFLOW_CAPTURES); tests against them are skipped\n`);
    return null;
  }
  // Integers above 2^53 come as text, so that they compare exactly.
  const text = readFileSync(file, 'utf8').replace(/([:[,]\s*)(\d{16,})(?=\s*[,}\]])/g, '$1"$2"');
  const manifest = JSON.parse(text) as Omit<Manifest, 'directory'>;
  return { ...manifest, directory };
}

/** Bytes of a pcap of the manifest. */
export function readCapture(manifest: Manifest, pcap: string): Uint8Array {
  return new Uint8Array(readFileSync(join(manifest.directory, pcap)));
}

/** Decodes a whole pcap, replaying parked sets as soon as their template is there. */
export function decodeCapture(file: Uint8Array, createDecoder: (sink: DecodeSink) => Decoder): DecodedCapture {
  const options: OptionsRecord[] = [];
  const counters: CountersRecord[] = [];
  const rows: Row[] = [];
  const losses: Record<string, number> = {};
  let datagrams = 0;
  const decoder = createDecoder({
    // The bytes of the fields belong to the datagram, which is gone after the call.
    options: (record) =>
      void options.push({
        ...record,
        fields: record.fields.map((field) => ({ ...field, bytes: field.bytes.slice() })),
      }),
    counters: (record) => void counters.push(record),
  });
  const batch = createBatch({ rowLimit: 1024, columns: COLUMNS, trackRuns: true });
  const info = createDatagramInfo();
  const take = () => {
    for (let row = 0; row < batch.rows; row++) rows.push(readRow(batch, row));
    addLosses(losses, info);
    resetBatch(batch);
  };
  for (const datagram of readPcap(file)) {
    datagrams++;
    decoder.decode(datagram.payload, datagram.source, datagram.arrivalMs, batch, info);
    take();
    while (decoder.replay(batch, info) >= 0) take();
  }
  return { rows, options, counters, losses, datagrams };
}

function addLosses(losses: Record<string, number>, info: DatagramInfo): void {
  LOSS_REASONS.forEach((reason, index) => {
    const count = info.losses[index] ?? 0;
    if (count > 0) losses[reason] = (losses[reason] ?? 0) + count;
  });
}

/** A row of a batch as plain values. */
export function readRow(batch: Batch, row: number): Row {
  const out: Row = {};
  COLUMNS.forEach((column, index) => {
    const value = readCell(batch, index, row);
    if (!isEmptyCell(value)) out[column.name] = value;
  });
  return out;
}

/**
 * Compares the rows and options records of a capture with the manifest, record by record in order.
 *
 * @param records flow, discard and options records as the manifest has them
 */
export function compareRecords(
  capture: string,
  records: readonly ManifestRecord[],
  decoded: DecodedCapture,
): Difference[] {
  const differences: Difference[] = [];
  let nextRow = 0;
  let nextOptions = 0;
  records.forEach((record, index) => {
    const { origin } = record;
    const report = (key: string, expected: unknown, actual: unknown) => {
      const difference = { capture, record: index, key, expected, actual };
      if (origin && isKnown({ ...difference, capture: origin.capture, record: origin.index }, KNOWN_DIFFERENCES))
        return;
      differences.push(difference);
    };
    if (record.kind === 'options') {
      const options = decoded.options[nextOptions++];
      if (!options) report('(missing)', 'options record', null);
      else compareOptions(record, options, report);
      return;
    }
    if (record.kind !== 'flow' && record.kind !== 'discard') return;
    const row = decoded.rows[nextRow++];
    if (!row) {
      report('(missing)', record.kind, null);
      return;
    }
    const following = decoded.rows[nextRow];
    const reverse = following && hasQuality(following, QUALITY.reverse) ? following : null;
    if (reverse) nextRow++;
    for (const cell of expectedCells(record)) compareCell(cell, cell.row === 'reverse' ? reverse : row, report);
    for (const { key, actual } of inventedValues(record, row)) report(key, undefined, actual);
  });
  if (nextRow < decoded.rows.length) {
    differences.push({ capture, record: -1, key: '(extra)', expected: nextRow, actual: decoded.rows.length });
  }
  if (nextOptions < decoded.options.length) {
    differences.push({
      capture,
      record: -1,
      key: '(extra options)',
      expected: nextOptions,
      actual: decoded.options.length,
    });
  }
  return differences;
}

type Report = (key: string, expected: unknown, actual: unknown) => void;

function compareCell(cell: ExpectedCell, row: Row | null, report: Report): void {
  if (!row) {
    // RFC 5103: a direction without packets makes no row (F03).
    if (!cell.mayBeAbsent) report(cell.key, cell.value, '(no reverse row)');
    return;
  }
  const actual = cell.read(row);
  if (String(actual) !== String(cell.value)) report(cell.key, cell.value, actual);
}

function compareOptions(record: ManifestRecord, options: OptionsRecord, report: Report): void {
  const expected = (record.ies ?? []).map(([name, hex]) => `${name.replace(/\(.*$/, '')} ${hex}`);
  const actual = options.fields.map(
    (field) =>
      `${field.scope && !field.name.startsWith('scope.') ? '' : field.scope ? 'scope.' : ''}${
        field.scope && field.name.startsWith('scope.') ? '' : `${field.pen}.`
      }${field.id} ${Buffer.from(field.bytes).toString('hex')}`,
  );
  if (expected.join('\n') !== actual.join('\n')) report('ies', expected, actual);
}

function hasQuality(row: Row, flag: number): boolean {
  return (Number(row.quality ?? 0) & flag) !== 0;
}

function matches(entry: KnownDifference, difference: Difference): boolean {
  return (
    entry.capture === difference.capture &&
    entry.keys.includes(difference.key) &&
    (entry.records === 'all' || entry.records.includes(difference.record))
  );
}

function isKnown(difference: Difference, known: readonly KnownDifference[]): boolean {
  return known.some((entry) => matches(entry, difference));
}

/** Splits differences into those without an entry in the list, and entries that no longer differ. */
export function judge(
  differences: readonly Difference[],
  captures: readonly string[],
  known: readonly KnownDifference[] = KNOWN_DIFFERENCES,
): { unexpected: Difference[]; stale: KnownDifference[] } {
  return {
    unexpected: differences.filter((difference) => !isKnown(difference, known)),
    stale: known.filter(
      (entry) =>
        captures.includes(entry.capture) &&
        !entry.keys.every((key) =>
          differences.some((difference) => difference.key === key && matches(entry, difference)),
        ),
    ),
  };
}

/**
 * The records that a decoder must give, where the manifest leaves a choice: a v5 datagram whose count lies is refused
 * (L06), data that waited for its template is decoded (T08).
 */
export function recordsToExpect(manifest: Manifest, capture: Capture): readonly ManifestRecord[] {
  if (capture.id === 'v5-invalid') return [];
  if (capture.id === 'ipfix-netscaler-data-first')
    return manifest.captures.find(({ id }) => id === 'ipfix-netscaler')?.records ?? [];
  return capture.records;
}

/**
 * The records a combo must give: those of its packets, in the order in which the packets were sent. What is tolerated
 * of the capture that a packet comes from is tolerated here.
 */
export function comboRecords(manifest: Manifest, combo: Combo): ManifestRecord[] {
  return combo.sequence.flatMap(({ capture, packet }) => {
    const records = manifest.captures.find(({ id }) => id === capture)?.records ?? [];
    return records.flatMap((record, index) =>
      record.packet === packet ? [{ ...record, origin: { capture, index } }] : [],
    );
  });
}

/** `unexpected` as lines for an assertion message. */
export function describeDifferences(differences: readonly Difference[]): string[] {
  return differences.map(
    (d) =>
      `${d.capture} #${d.record} ${d.key}: expected ${JSON.stringify(d.expected)}, got ${typeof d.actual === 'bigint' ? d.actual : JSON.stringify(d.actual)}`,
  );
}
