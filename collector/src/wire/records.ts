import { COLUMNS, QUALITY } from '@ringflow/contract';
import { type Batch, COLUMN_INDEX, type ColumnData, hasColumn, useColumn } from './batch.ts';
import { clearRow, hasReverseCounters, mirrorRow } from './biflow.ts';
import { type RecordFunction, compileLayout } from './compile.ts';
import { interpretLayout } from './interpret.ts';
import type { Layout } from './layout.ts';
import {
  type PacketColumns,
  bindPacketColumns,
  createPacketColumns,
  layer3Bytes,
  writePacket,
} from './packet-columns.ts';
import { HEADER_PROTOCOL, type Packet, createPacket, readPacket } from './packet.ts';
import { type Rates, fillRates } from './sampling.ts';
import type { RecordContext } from './times.ts';

/** A layout with its functions, one per set of columns that batches keep. */
export interface RecordCode {
  readonly layout: Layout;
  readonly functions: (RecordFunction | undefined)[];
  readonly reverse: RecordCode | null;
  /** Columns that the exporter sent, both directions of a biflow together (`Run`). */
  readonly sent: readonly number[];
}

/** The columns of a batch; batches made alike share one. */
interface ColumnSet {
  readonly id: number;
  readonly kept: Uint8Array;
}

/** What all rows of a datagram have in common. */
export interface RowConstants {
  type: number;
  sequence: number;
  domain: number;
  arrivalMs: number;
  /** `time_received_ns` as words. */
  arrivalLow: number;
  arrivalHigh: number;
  exporter: Uint32Array;
}

export interface RecordWriter {
  codeOf(layout: Layout): RecordCode;
  /**
   * Writes the records of one set from row `batch.rows` on and counts them in.
   *
   * @param quality bits that all rows of the set get
   * @param rates null when the protocol's header has said all there is about sampling (v5)
   * @returns records read from the wire; a biflow makes two rows of one
   */
  write(
    code: RecordCode,
    templateId: number,
    view: DataView,
    bytes: Uint8Array,
    from: number,
    end: number,
    limit: number,
    batch: Batch,
    context: RecordContext,
    quality: number,
    rates: Rates,
  ): number;
  /** Fills what every row of a datagram has from its header. */
  fill(batch: Batch, from: number, to: number, constants: RowConstants): void;
}

const C = COLUMN_INDEX;
const NO_SAMPLERS = new Uint32Array(0);

export function createRecordWriter(config: { decapsulate: boolean; interpret: boolean }): RecordWriter {
  const sets = new Map<string, ColumnSet>();
  const setOf = new WeakMap<Batch, ColumnSet>();
  const codes = new WeakMap<Layout, RecordCode>();
  const packet = createPacket();
  const packetColumns = createPacketColumns();
  let lastBatch: Batch | null = null;
  let lastSet: ColumnSet | null = null;

  function columnSet(batch: Batch): ColumnSet {
    if (batch === lastBatch && lastSet) return lastSet;
    let set = setOf.get(batch);
    if (!set) {
      const kept = Uint8Array.from(COLUMNS, (_, index) => (hasColumn(batch, index) ? 1 : 0));
      const key = kept.join('');
      set = sets.get(key) ?? { id: sets.size, kept };
      sets.set(key, set);
      setOf.set(batch, set);
    }
    lastBatch = batch;
    lastSet = set;
    return set;
  }

  function functionOf(code: RecordCode, set: ColumnSet): RecordFunction {
    const known = code.functions[set.id];
    if (known) return known;
    let made: RecordFunction;
    try {
      made = config.interpret ? interpretLayout(code.layout, set.kept) : compileLayout(code.layout, set.kept);
    } catch (error) {
      // Node started with --disallow-code-generation-from-strings.
      if (!(error instanceof EvalError)) throw error;
      made = interpretLayout(code.layout, set.kept);
    }
    code.functions[set.id] = made;
    return made;
  }

  /** Notes which columns these rows carry, for `ringflow decode`. */
  function noteRun(batch: Batch, columns: readonly number[]): void {
    if (!batch.runs) return;
    const last = batch.runs[batch.runs.length - 1];
    if (last?.columns !== columns) batch.runs.push({ row: batch.rows, columns });
  }

  /** Records that make more than one row, or need more than their own bytes: one at a time. */
  function writeOneByOne(
    code: RecordCode,
    set: ColumnSet,
    view: DataView,
    bytes: Uint8Array,
    from: number,
    end: number,
    limit: number,
    batch: Batch,
    context: RecordContext,
    samplerOf: (row: number) => void,
  ): number {
    const { layout, reverse } = code;
    const forward = functionOf(code, set);
    let at = from;
    let records = 0;
    while (records < limit && batch.rows + 2 <= batch.capacity && at + layout.minLength <= end) {
      const row = batch.rows;
      if (forward(view, bytes, at, end, 1, batch, row, context) === 0) break;
      const next = context.next;
      samplerOf(row);
      if (layout.section !== 0)
        writeSection(layout, view, batch, row, context, packet, packetColumns, config.decapsulate);
      batch.rows = row + 1;
      if (reverse) {
        functionOf(reverse, set)(view, bytes, at, end, 1, batch, row + 1, context);
        if (hasReverseCounters(batch, row + 1)) {
          mirrorRow(batch, set.kept, reverse.layout, row, row + 1);
          samplerOf(row + 1);
          const quality = useColumn(batch, C.quality);
          quality[row + 1] = (quality[row + 1] as number) | QUALITY.reverse;
          batch.rows = row + 2;
        } else {
          clearRow(batch, reverse.layout, row + 1);
        }
      }
      at = next;
      records++;
    }
    context.next = at;
    return records;
  }

  return {
    codeOf(layout) {
      let code = codes.get(layout);
      if (!code) {
        const reverse = layout.reverse ? { layout: layout.reverse, functions: [], reverse: null, sent: [] } : null;
        const sent = reverse ? [...new Set([...layout.columns, ...reverse.layout.columns])] : layout.columns;
        code = { layout, functions: [], reverse, sent };
        codes.set(layout, code);
      }
      return code;
    },

    write(code, templateId, view, bytes, from, end, limit, batch, context, quality, rates) {
      const { layout } = code;
      const set = columnSet(batch);
      const first = batch.rows;
      const room = batch.capacity - first;
      let count = Math.min(limit, Math.floor((end - from) / layout.minLength), room);
      if (count <= 0) return 0;
      noteRun(batch, code.sent);
      context.malformed = false;
      let samplers: Uint32Array | null = null;
      if (layout.hasSampler) {
        if (context.samplerIds.length < count * 2) context.samplerIds = new Uint32Array(count * 2);
        samplers = context.samplerIds;
      }
      let records: number;
      if (layout.section === 0 && !code.reverse) {
        records = functionOf(code, set)(view, bytes, from, end, count, batch, first, context);
        batch.rows = first + records;
      } else {
        if (layout.section !== 0) bindPacketColumns(packetColumns, batch);
        // Each call writes the sampler of its record to the first place.
        const ids = samplers ? new Uint32Array(Math.min(count * 2, room)) : NO_SAMPLERS;
        records = writeOneByOne(code, set, view, bytes, from, end, count, batch, context, (row) => {
          if (samplers) ids[row - first] = context.samplerIds[0] as number;
        });
        if (samplers) samplers = ids;
      }
      const to = batch.rows;
      count = to - first;
      if (count === 0) return records;

      const kept = set.kept;
      const flags = useColumn(batch, C.quality);
      if (kept[C.sampling_rate] === 1) {
        const inIf = kept[C.in_if] === 1 ? (useColumn(batch, C.in_if) as Uint32Array) : null;
        fillRates(
          rates,
          useColumn(batch, C.sampling_rate) as Uint32Array,
          flags,
          inIf,
          samplers,
          layout.hasRate,
          first,
          to,
        );
      }
      let bits = quality;
      if (layout.timeless || (layout.usesUptime && !context.uptimeKnown)) bits |= QUALITY.no_flow_times;
      if (!layout.hasBytes && !layout.hasPackets && layout.section === 0) bits |= QUALITY.no_counters;
      if (bits !== 0) for (let row = first; row < to; row++) flags[row] = (flags[row] as number) | bits;
      if (!layout.hasFlows && kept[C.flows] === 1) fillRange(useColumn(batch, C.flows), 1, first, to);
      if (kept[C.template_id] === 1 && templateId !== 0)
        fillRange(useColumn(batch, C.template_id), templateId, first, to);
      return records;
    },

    fill(batch, from, to, constants) {
      if (from === to) return;
      const { kept } = columnSet(batch);
      const { type, sequence, domain, exporter, arrivalLow, arrivalHigh } = constants;
      const w0 = exporter[0] as number;
      const w1 = exporter[1] as number;
      const w2 = exporter[2] as number;
      const w3 = exporter[3] as number;
      const types = constantColumn(batch, kept, C.type);
      const sequences = constantColumn(batch, kept, C.sequence_num);
      const domains = constantColumn(batch, kept, C.observation_domain_id);
      const received = constantColumn(batch, kept, C.time_received_ns);
      const samplers = constantColumn(batch, kept, C.sampler_address);
      // One loop for all: a datagram's rows are few, and each loop's end costs as much as several stores.
      for (let row = from; row < to; row++) {
        if (types) types[row] = type;
        if (sequences) sequences[row] = sequence;
        if (domains) domains[row] = domain;
        if (received) {
          received[row * 2] = arrivalLow;
          received[row * 2 + 1] = arrivalHigh;
        }
        if (samplers) {
          samplers[row * 4] = w0;
          samplers[row * 4 + 1] = w1;
          samplers[row * 4 + 2] = w2;
          samplers[row * 4 + 3] = w3;
        }
      }
    },
  };
}

function constantColumn(batch: Batch, kept: Uint8Array, column: number): ColumnData | null {
  return kept[column] === 1 ? useColumn(batch, column) : null;
}

/** `fill` of a typed array costs as much as fifty stores before it begins. */
function fillRange(data: ColumnData, value: number, from: number, to: number): void {
  if (to - from > 64) data.fill(value, from, to);
  else for (let row = from; row < to; row++) data[row] = value;
}

/** F30: a record with a packet's header is that one packet, unless it says how many it stands for. */
function writeSection(
  layout: Layout,
  view: DataView,
  batch: Batch,
  row: number,
  context: RecordContext,
  packet: Packet,
  columns: PacketColumns,
  decapsulate: boolean,
): void {
  const { sectionFrom, sectionTo } = context;
  const length = sectionTo - sectionFrom;
  if (length > 0) {
    const isIp6 = layout.section === 313 && view.getUint8(sectionFrom) >>> 4 === 6;
    const ip = isIp6 ? HEADER_PROTOCOL.ipv6 : HEADER_PROTOCOL.ipv4;
    const protocol =
      layout.section === 315 ? HEADER_PROTOCOL.ethernet : layout.section === 314 ? HEADER_PROTOCOL.mpls : ip;
    readPacket(view, sectionFrom, sectionTo, protocol, packet);
    writePacket(columns, row, view, packet, decapsulate);
  }
  if (!layout.hasPackets) useColumn(batch, C.packets)[row * 2] = 1;
  if (!layout.hasBytes) {
    const frame = batch.data[C.frame_bytes];
    const frameBytes = (frame?.[row * 2] ?? 0) || length;
    useColumn(batch, C.bytes)[row * 2] = length > 0 ? layer3Bytes(packet, decapsulate, frameBytes, 0) : frameBytes;
  }
}
