/**
 * sFlow version 5 (https://sflow.org/sflow_version_5.txt, https://sflow.org/sflow_drops.txt): one row per flow sample
 * and per discarded packet; counter samples go to the sink. Everything is XDR: big-endian words, opaque data padded
 * to four bytes, and every read stays inside record, sample and datagram (H01).
 */
import { FLOW_TYPES, formatAddress } from '@ringflow/contract';
import type { Batch } from './batch.ts';
import { LOSS, MAX_SAMPLES, SAMPLE_WORDS, type DatagramInfo, type DecodeSink, type Source } from './decoder.ts';
import { HEADER_PROTOCOL, createPacket, readPacket, type Packet } from './packet.ts';
import {
  bindSflowColumns,
  createSflowColumns,
  writeSample,
  type SampleHeader,
  type SflowColumns,
} from './sflow-columns.ts';
import { readCounters } from './sflow-counters.ts';
import { createEffectiveRates, type EffectiveRates } from './sflow-rate.ts';
import { createFlowRecords, findFlowRecords, type FlowRecords } from './sflow-records.ts';

/** What a decoder keeps for sFlow between datagrams; only the rates outlive a call in meaning. */
export interface SflowContext {
  readonly decapsulate: boolean;
  readonly sink: DecodeSink;
  readonly packet: Packet;
  readonly records: FlowRecords;
  readonly columns: SflowColumns;
  readonly rates: EffectiveRates;
  readonly header: SampleHeader;
}

/** Scratch space for {@link decodeSflow}; a decoder makes one. */
export function createSflowContext(config: { decapsulate: boolean }, sink: DecodeSink): SflowContext {
  return {
    decapsulate: config.decapsulate,
    sink,
    packet: createPacket(),
    records: createFlowRecords(),
    columns: createSflowColumns(),
    rates: createEffectiveRates(),
    header: {
      arrivalMs: 0,
      sequence: 0,
      subAgent: 0,
      agent: new Uint32Array(4),
      rate: 0,
      inIf: 0,
      outIf: 0,
      dropped: false,
      dropReason: 0,
    },
  };
}

/** Sample tags: enterprise 0, format in the lower twelve bits (H03). */
const FLOW_SAMPLE = 1;
const COUNTERS_SAMPLE = 2;
const EXPANDED_FLOW_SAMPLE = 3;
const EXPANDED_COUNTERS_SAMPLE = 4;
const DISCARDED_PACKET = 5;

/**
 * Decodes one datagram whose first four bytes are 0, 0, 0, 5.
 *
 * @param view over exactly `bytes`
 * @returns rows appended to `batch`
 */
export function decodeSflow(
  bytes: Uint8Array,
  view: DataView,
  source: Source,
  arrivalMs: number,
  batch: Batch,
  info: DatagramInfo,
  context: SflowContext,
): number {
  const end = bytes.length;
  const losses = info.losses;
  info.type = FLOW_TYPES.SFLOW_5;
  if (end < 8) {
    losses[LOSS.truncated_header]!++;
    return 0;
  }
  // The agent names itself by IPv4 (1) or IPv6 (2); its length moves what follows (H17).
  const family = view.getUint32(4);
  const addressBytes = family === 1 ? 4 : family === 2 ? 16 : 0;
  if (addressBytes === 0) {
    losses[LOSS.bad_address_type]!++;
    return 0;
  }
  let at = 8 + addressBytes;
  if (at + 16 > end) {
    losses[LOSS.truncated_header]!++;
    return 0;
  }
  const agent = info.exporter;
  agent[0] = family === 1 ? 0 : view.getUint32(8, true);
  agent[1] = family === 1 ? 0 : view.getUint32(12, true);
  agent[2] = family === 1 ? 0xffff_0000 : view.getUint32(16, true);
  agent[3] = view.getUint32(family === 1 ? 8 : 20, true);
  info.domain = view.getUint32(at);
  info.sequence = view.getUint32(at + 4);
  info.uptimeMs = view.getUint32(at + 8);
  info.exportTimeMs = 0;
  info.units = 1;
  const sampleCount = view.getUint32(at + 12);
  at += 16;

  const header = context.header;
  header.arrivalMs = arrivalMs;
  header.sequence = info.sequence;
  header.subAgent = info.domain;
  header.agent.set(agent);
  bindSflowColumns(context.columns, batch, arrivalMs);

  const firstRow = batch.rows;
  // The announced number may lie in either direction (H16).
  let sample = 0;
  for (; sample < sampleCount && at + 8 <= end; sample++) {
    const tag = view.getUint32(at);
    const length = view.getUint32(at + 4);
    const from = at + 8;
    if (length > end - from) {
      losses[LOSS.sample_malformed]!++;
      break;
    }
    const to = from + length;
    switch (tag) {
      case FLOW_SAMPLE:
      case EXPANDED_FLOW_SAMPLE:
        flowSample(view, from, to, tag === EXPANDED_FLOW_SAMPLE, batch, info, context);
        break;
      case DISCARDED_PACKET:
        discardSample(view, from, to, batch, info, context);
        break;
      case COUNTERS_SAMPLE:
      case EXPANDED_COUNTERS_SAMPLE:
        counterSample(bytes, view, from, to, tag === EXPANDED_COUNTERS_SAMPLE, source, arrivalMs, info, context);
        break;
      // Anything else belongs to a vendor or to the future: passed over by its length (H03).
    }
    at = to;
  }
  if (sample < sampleCount && at + 8 > end) losses[LOSS.bad_count]!++;
  const rows = batch.rows - firstRow;
  info.records += rows;
  return rows;
}

/** Notes what a sample says about its data source, for the sequence of samples and the effective rate (Q06, S09). */
function noteSample(
  info: DatagramInfo,
  tag: number,
  sourceId: number,
  sequence: number,
  rate: number,
  pool: number,
  drops: number,
): void {
  if (info.sampleCount >= MAX_SAMPLES) return;
  const to = info.sampleCount++ * SAMPLE_WORDS;
  info.samples[to] = tag;
  info.samples[to + 1] = sourceId;
  info.samples[to + 2] = sequence;
  info.samples[to + 3] = rate;
  info.samples[to + 4] = pool;
  info.samples[to + 5] = drops;
}

/** One word for type and index of a data source; indexes above 24 bits (expanded form) are folded. */
function sourceIdOf(type: number, index: number): number {
  return ((type << 24) ^ index) >>> 0;
}

function flowSample(
  view: DataView,
  from: number,
  to: number,
  expanded: boolean,
  batch: Batch,
  info: DatagramInfo,
  context: SflowContext,
): void {
  const headerBytes = expanded ? 44 : 32;
  if (from + headerBytes > to) {
    info.losses[LOSS.sample_malformed]!++;
    return;
  }
  const { header } = context;
  const fixed = from + (expanded ? 12 : 8);
  const tag = expanded ? EXPANDED_FLOW_SAMPLE : FLOW_SAMPLE;
  const sourceId = expanded ? sourceIdOf(view.getUint32(from + 4), view.getUint32(from + 8)) : view.getUint32(from + 4);
  const sequence = view.getUint32(from);
  const rate = view.getUint32(fixed);
  const pool = view.getUint32(fixed + 4);
  const drops = view.getUint32(fixed + 8);
  noteSample(info, tag, sourceId, sequence, rate, pool, drops);
  header.rate = context.rates.rateOf(
    header.agent,
    header.subAgent,
    sourceId,
    sequence,
    rate,
    pool,
    drops,
    header.arrivalMs,
  );
  header.dropped = false;
  header.dropReason = 0;
  if (expanded) {
    header.inIf = interfaceOf(view.getUint32(fixed + 12), view.getUint32(fixed + 16));
    outputInterface(header, view.getUint32(fixed + 20), view.getUint32(fixed + 24));
  } else {
    // Compact form: two bits of format above thirty of value (H04).
    const input = view.getUint32(fixed + 12);
    const output = view.getUint32(fixed + 16);
    header.inIf = interfaceOf(input >>> 30, input & 0x3fff_ffff);
    outputInterface(header, output >>> 30, output & 0x3fff_ffff);
  }
  flowRecords(view, from + headerBytes, to, view.getUint32(from + headerBytes - 4), batch, info, context);
}

/* sflow_drops.txt: sequence, source type, source index, drops, input, output, reason, records. */
function discardSample(
  view: DataView,
  from: number,
  to: number,
  batch: Batch,
  info: DatagramInfo,
  context: SflowContext,
): void {
  if (from + 32 > to) {
    info.losses[LOSS.sample_malformed]!++;
    return;
  }
  const { header } = context;
  noteSample(
    info,
    DISCARDED_PACKET,
    sourceIdOf(view.getUint32(from + 4), view.getUint32(from + 8)),
    view.getUint32(from),
    0,
    0,
    view.getUint32(from + 12),
  );
  // Discards are notified one by one, not sampled: no rate.
  header.rate = 0;
  header.inIf = interfaceOf(0, view.getUint32(from + 16));
  header.outIf = interfaceOf(0, view.getUint32(from + 20));
  header.dropped = true;
  header.dropReason = view.getUint32(from + 24);
  flowRecords(view, from + 32, to, view.getUint32(from + 28), batch, info, context);
}

/** Format 0 is an ifIndex, 0x3fffffff the device itself; discards and groups of interfaces have no index (H04). */
function interfaceOf(format: number, value: number): number {
  return format === 0 && value !== 0x3fff_ffff ? value : 0;
}

function outputInterface(header: SampleHeader, format: number, value: number): void {
  header.outIf = interfaceOf(format, value);
  if (format === 1) {
    header.dropped = true;
    header.dropReason = value;
  }
}

function flowRecords(
  view: DataView,
  from: number,
  to: number,
  count: number,
  batch: Batch,
  info: DatagramInfo,
  context: SflowContext,
): void {
  const { records, packet, header } = context;
  const malformed = findFlowRecords(view, from, to, count, records);
  if (malformed > 0) {
    info.losses[LOSS.record_malformed]! += malformed;
    // A sample of which nothing could be read is no record (H02: sf-gopacket-5, -8).
    if (records.found === 0) {
      info.losses[LOSS.sample_malformed]!++;
      return;
    }
  }
  if (records.rawAt >= 0) {
    const headerFrom = records.rawAt + 16;
    readPacket(
      view,
      headerFrom,
      headerFrom + view.getUint32(records.rawAt + 12),
      view.getUint32(records.rawAt),
      packet,
    );
  } else {
    // Leaves an empty packet, which is not a truncated one.
    readPacket(view, from, from, HEADER_PROTOCOL.ethernet, packet);
    packet.truncated = false;
  }
  writeSample(context.columns, batch, view, header, records, packet, context.decapsulate);
}

function counterSample(
  bytes: Uint8Array,
  view: DataView,
  from: number,
  to: number,
  expanded: boolean,
  source: Source,
  arrivalMs: number,
  info: DatagramInfo,
  context: SflowContext,
): void {
  const headerBytes = expanded ? 16 : 12;
  if (from + headerBytes > to) {
    info.losses[LOSS.sample_malformed]!++;
    return;
  }
  const sequence = view.getUint32(from);
  const sourceId = view.getUint32(from + 4);
  const sourceIdType = expanded ? sourceId : sourceId >>> 24;
  const sourceIdIndex = expanded ? view.getUint32(from + 8) : sourceId & 0xff_ffff;
  noteSample(
    info,
    expanded ? EXPANDED_COUNTERS_SAMPLE : COUNTERS_SAMPLE,
    sourceIdOf(sourceIdType, sourceIdIndex),
    sequence,
    0,
    0,
    0,
  );
  const count = view.getUint32(from + headerBytes - 4);
  let at = from + headerBytes;
  let agent = '';
  for (let record = 0; record < count; record++) {
    if (at + 8 > to || view.getUint32(at + 4) > to - at - 8) {
      info.losses[LOSS.record_malformed]!++;
      return;
    }
    const tag = view.getUint32(at);
    const length = view.getUint32(at + 4);
    const values = readCounters(bytes, view, tag, at + 8, at + 8 + length);
    if (values) {
      agent ||= formatAddress(info.exporter, 0);
      info.otherRecords++;
      context.sink.counters({
        source,
        agent,
        subAgent: info.domain,
        arrivalMs,
        sequence,
        sourceIdType,
        sourceIdIndex,
        enterprise: tag >>> 12,
        format: tag & 0xfff,
        values,
      });
    }
    at += 8 + ((length + 3) & ~3);
  }
}
