import { COLUMNS, parsePrefix, QUALITY, type Column, type ColumnGroup, type ColumnName } from '@ringflow/contract';
import { COLUMN_INDEX, useColumn, type Batch } from '../wire/index.ts';
import { FieldError, writerOf, type WriteValue } from './fields.ts';

/** A record as goflow2 writes it: field names and values. */
export type JsonRecord = Readonly<Record<string, unknown>>;

/** Writes records to the rows of a batch. */
export interface RecordWriter {
  /** True when the record says between whom, or how much. */
  isUsable(record: JsonRecord): boolean;
  /**
   * Appends a row. What the registry does not know and values that a column cannot hold are counted by field in
   * `ignored`.
   *
   * @throws FieldError with the field's name before the message
   */
  write(batch: Batch, record: JsonRecord, nowMs: number, ignored: Map<string, number>): void;
}

/** Without one of these there is nothing to store. */
const USABLE: ReadonlySet<string> = new Set<ColumnName>(['bytes', 'packets', 'src_addr', 'dst_addr']);

/** Other names of columns in goflow2's default mapping.yaml. */
const ALIASES: Readonly<Record<string, ColumnName>> = { bi_flow_direction: 'biflow_direction' };

/** Fields of goflow2 (pb/flow.proto, cmd/goflow2/mapping.yaml) and of `ringflow decode` that have no column of their own. */
const WITHOUT_COLUMN = [
  'mpls_ttl',
  'mpls_ip',
  'layer_stack',
  'layer_size',
  'ipv6_routing_header_addresses',
  'ipv6_routing_header_seg_left',
  'observation_point_id',
  'icmp_name',
  'csum',
] as const;

/** Prefixes, of which the row keeps the length. */
const PREFIXES: Readonly<Record<string, ColumnName>> = { src_net: 'src_mask', dst_net: 'dst_mask' };

/** Groups of columns, and single ones, that enrichment works out anew, whatever a record says. */
const ENRICHED_GROUPS: ReadonlySet<ColumnGroup> = new Set(['roles', 'networks', 'geography', 'threats']);
const ENRICHED: ReadonlySet<string> = new Set<ColumnName>([
  'src_scope',
  'dst_scope',
  'dup',
  'service',
  'app',
  'app_rule',
]);

/** Flags that are found out again: by this writer and by enrichment. */
const OWN_FLAGS = QUALITY.sampling_unknown | QUALITY.no_flow_times;

/** Before this no flow exporter existed (C05). */
const OLDEST_NS = Date.UTC(2000, 0, 1) * 1e6;
/** A clock further ahead of ours is wrong: its rows would outlive any retention (X07). */
const MAX_LEAD_NS = 86_400e9;
/** Rings spread no flow over more than two days (store/rings.ts), so a longer one would differ between records and rings. */
const LONGEST_FLOW_NS = 172_800e9;

interface Target {
  readonly index: number;
  readonly write: WriteValue;
}

/** A writer for the columns that a batch keeps. */
export function createRecordWriter(columns: readonly Column[]): RecordWriter {
  const targets = new Map<string, Target | null>(COLUMNS.map(({ name }) => [name, null]));
  for (const name of WITHOUT_COLUMN) targets.set(name, null);
  for (const column of columns) {
    if (!ENRICHED_GROUPS.has(column.group) && !ENRICHED.has(column.name))
      targets.set(column.name, { index: COLUMN_INDEX[column.name as ColumnName], write: writerOf(column) });
  }
  for (const [alias, name] of Object.entries(ALIASES)) targets.set(alias, targets.get(name) ?? null);
  for (const [field, name] of Object.entries(PREFIXES)) {
    const mask = targets.get(name);
    targets.set(field, mask ? { index: mask.index, write: prefixWriter(mask.write) } : null);
  }

  function write(batch: Batch, record: JsonRecord, nowMs: number, ignored: Map<string, number>): void {
    const row = batch.rows;
    for (const field in record) {
      const value = record[field];
      const target = targets.get(field);
      // goflow2 writes the empty text for what it does not know.
      if (target === null || value === null || value === '') continue;
      let taken = false;
      try {
        taken = target !== undefined && target.write(batch, useColumn(batch, target.index), row, value);
      } catch (error) {
        if (error instanceof FieldError) error.message = `${field}: ${error.message}`;
        throw error;
      }
      if (!taken && ignored.size < MAX_IGNORED_NAMES) ignored.set(field, (ignored.get(field) ?? 0) + 1);
    }
    settleTimes(batch, row, nowMs);
    batch.rows++;
  }

  return {
    isUsable: (record) => Object.keys(record).some((field) => USABLE.has(field) && isSaid(record[field])),
    write,
  };
}

/** Names in the count of ignored fields: they come from outside. */
const MAX_IGNORED_NAMES = 100;

function isSaid(value: unknown): boolean {
  return value !== null && value !== '' && value !== undefined;
}

/** A length, or a prefix with its length; goflow2 writes `invalid Prefix` where the length does not fit the address. */
function prefixWriter(writeLength: WriteValue): WriteValue {
  return (batch, data, row, value) => {
    if (typeof value !== 'string') return writeLength(batch, data, row, value);
    const [, length] = /\/(\d{1,3})$/.exec(value) ?? [];
    if (length === undefined || !parsePrefix(value)) return false;
    return writeLength(batch, data, row, Number(length));
  };
}

/** Every row has an arrival, a start and an end that can be true; what is missing or cannot be is the arrival (C04). */
function settleTimes(batch: Batch, row: number, nowMs: number): void {
  const received = useColumn(batch, COLUMN_INDEX.time_received_ns) as Uint32Array;
  const start = useColumn(batch, COLUMN_INDEX.time_flow_start_ns) as Uint32Array;
  const end = useColumn(batch, COLUMN_INDEX.time_flow_end_ns) as Uint32Array;
  const at = row * 2;
  const nowNs = nowMs * 1e6;
  let flags = 0;
  if (!isPlausible(nsOf(received, at), nowNs)) {
    if (nsOf(received, at) !== 0) flags |= QUALITY.clock_anomaly;
    writeWide(received, at, BigInt(nowMs) * 1_000_000n);
  }
  if (nsOf(start, at) === 0 && nsOf(end, at) === 0) flags |= QUALITY.no_flow_times;
  if (!isPlausible(nsOf(end, at), nowNs)) {
    if (nsOf(end, at) !== 0) flags |= QUALITY.clock_anomaly;
    const from = isPlausible(nsOf(start, at), nowNs) ? start : received;
    copyTime(end, from, at);
  }
  if (!isPlausible(nsOf(start, at), nowNs) || isAfter(start, end, at)) {
    if (nsOf(start, at) !== 0) flags |= QUALITY.clock_anomaly;
    copyTime(start, end, at);
  }
  if (nsOf(end, at) - nsOf(start, at) > LONGEST_FLOW_NS) {
    flags |= QUALITY.clock_anomaly;
    writeWide(start, at, wideOf(end, at) - BigInt(LONGEST_FLOW_NS));
  }
  const quality = useColumn(batch, COLUMN_INDEX.quality) as Uint32Array;
  quality[row] = ((quality[row] as number) & ~OWN_FLAGS) | flags;
}

function isPlausible(ns: number, nowNs: number): boolean {
  return ns >= OLDEST_NS && ns <= nowNs + MAX_LEAD_NS;
}

function wideOf(column: Uint32Array, at: number): bigint {
  return (BigInt(column[at + 1] as number) << 32n) | BigInt(column[at] as number);
}

function writeWide(column: Uint32Array, at: number, ns: bigint): void {
  column[at] = Number(ns & 0xffff_ffffn);
  column[at + 1] = Number(ns >> 32n);
}

function copyTime(target: Uint32Array, from: Uint32Array, at: number): void {
  target[at] = from[at] as number;
  target[at + 1] = from[at + 1] as number;
}

function isAfter(a: Uint32Array, b: Uint32Array, at: number): boolean {
  const high = (a[at + 1] as number) - (b[at + 1] as number);
  return high > 0 || (high === 0 && (a[at] as number) > (b[at] as number));
}

/** As near as a double comes: a quarter of a microsecond. */
function nsOf(words: Uint32Array, at: number): number {
  return (words[at + 1] as number) * 0x1_0000_0000 + (words[at] as number);
}
