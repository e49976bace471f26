import { QUALITY } from '@ringflow/contract';
import type { Batch } from './batch.ts';
import { type DatagramInfo, type DecodeSink, LOSS, type OptionsRecord, type Source } from './decoder.ts';
import { lowWord } from './field-values.ts';
import { readOptions } from './options.ts';
import type { Parking, SetHeader } from './parking.ts';
import type { RecordCode, RecordWriter, RowConstants } from './records.ts';
import type { Rates, Sampling } from './sampling.ts';
import { type Session, type SessionStore, noteSystemInit } from './sessions.ts';
import type { Template, TemplateStore } from './templates.ts';
import { type RecordContext, highOfMs, lowOfMs } from './times.ts';

/** Everything that a decoder keeps between datagrams, and its scratch space. */
export interface DecodeState {
  readonly sink: DecodeSink;
  readonly sessions: SessionStore;
  readonly templates: TemplateStore;
  readonly parking: Parking;
  readonly sampling: Sampling;
  readonly records: RecordWriter;
  readonly context: RecordContext;
  readonly constants: RowConstants;
  readonly v5: RecordCode;
  readonly v7: RecordCode;
  /** Rates for protocols whose header holds the sampling interval. */
  headerRates(rate: number): Rates;
  /** Of the datagram that is being decoded. */
  readonly header: SetHeader;
  /** Number of the datagram, to tell what was announced in this one. */
  datagram: number;
  templateFallbacks: number;
  /** Options state of the session must be kept (T12). */
  optionsChanged(session: Session): void;
  /** T13: forgets templates, options and parked data of a session that restarted. */
  restart(session: Session): void;
}

/** Remembers the header for {@link endRows}. @returns the first row */
export function beginRows(
  state: DecodeState,
  batch: Batch,
  info: DatagramInfo,
  source: Source,
  arrivalMs: number,
): number {
  const { constants } = state;
  constants.type = info.type;
  constants.sequence = info.sequence;
  constants.domain = info.domain;
  constants.exporter = source.words;
  if (constants.arrivalMs !== arrivalMs) {
    constants.arrivalMs = arrivalMs;
    constants.arrivalLow = lowOfMs(arrivalMs, 0);
    constants.arrivalHigh = highOfMs(arrivalMs, 0);
  }
  return batch.rows;
}

/** Fills what the datagram's rows have in common. @returns rows appended */
export function endRows(state: DecodeState, batch: Batch, info: DatagramInfo, first: number): number {
  const rows = batch.rows - first;
  if (rows > 0) state.records.fill(batch, first, batch.rows, state.constants);
  info.records += rows;
  return rows;
}

/**
 * Decodes a data set of NetFlow v9 or IPFIX, or parks it when its template is unknown (T08, T18).
 *
 * @param from first record, behind the set's header
 * @returns data records on the wire, -1 = not known
 */
export function decodeDataSet(
  state: DecodeState,
  session: Session,
  id: number,
  view: DataView,
  bytes: Uint8Array,
  from: number,
  end: number,
  header: SetHeader,
  quality: number,
  batch: Batch,
  info: DatagramInfo,
): number {
  const template = state.templates.find(session, id);
  if (!template) {
    info.losses[LOSS.template_missing]!++;
    const dropped = state.parking.park(session, id, bytes.subarray(from, end), header);
    info.losses[LOSS.limit_parked_bytes]! += dropped;
    return -1;
  }
  return decodeRecords(state, session, template, view, bytes, from, end, header, quality, batch, info);
}

/** The same with the template at hand. */
export function decodeRecords(
  state: DecodeState,
  session: Session,
  template: Template,
  view: DataView,
  bytes: Uint8Array,
  from: number,
  end: number,
  header: SetHeader,
  quality: number,
  batch: Batch,
  info: DatagramInfo,
): number {
  state.templates.markUsed(template, header.arrivalMs);
  let flags = quality;
  if (template.session !== session) {
    state.templateFallbacks++;
    flags |= QUALITY.template_fallback;
  }
  if (template.scopeCount >= 0) {
    const about = { type: info.type, arrivalMs: header.arrivalMs };
    const result = readOptions(template, view, bytes, from, end, about, state.sink, (record) =>
      takeOptions(state, session, record, info),
    );
    info.otherRecords += result.records;
    if (result.malformed) info.losses[LOSS.options_malformed]!++;
    return result.malformed ? -1 : result.records;
  }
  const code = (template.code ??= state.records.codeOf(state.templates.layoutOf(template)));
  const rates = state.sampling.ratesOf(session);
  const records = state.records.write(
    code,
    template.id,
    view,
    bytes,
    from,
    end,
    Infinity,
    batch,
    state.context,
    flags,
    rates,
  );
  if (state.context.malformed) {
    state.context.malformed = false;
    info.losses[LOSS.record_malformed]!++;
    return -1;
  }
  return records;
}

/** What options records tell the decoder itself: sampling (S02), and when the exporter booted (C06). */
function takeOptions(state: DecodeState, session: Session, record: OptionsRecord, info: DatagramInfo): void {
  let changed = state.sampling.learn(session, record.fields);
  for (const field of record.fields) {
    if (field.pen !== 0 || field.scope || field.id !== 160 || field.bytes.length !== 8) continue;
    const view = new DataView(field.bytes.buffer, field.bytes.byteOffset, 8);
    const initMs = lowWord(view, 0, 4) * 4_294_967_296 + lowWord(view, 4, 4);
    if (!(initMs > 0 && initMs < 1.8e13)) continue;
    if (initMs !== session.initMs) changed = true;
    if (noteSystemInit(session, initMs, record.arrivalMs)) {
      info.restarted = true;
      state.restart(session);
      state.sampling.learn(session, record.fields);
      session.initMs = initMs;
      session.group.initMs = initMs;
    }
    if (session.version === 10) useSystemInit(state.context, session);
  }
  if (changed) state.optionsChanged(session);
}

/** C06: 21 and 22 of IPFIX count from systemInitTimeMilliseconds, if the exporter has told it. */
export function useSystemInit(context: RecordContext, session: Session): void {
  const initMs = session.initMs >= 0 ? session.initMs : session.group.initMs;
  context.uptimeKnown = initMs >= 0;
  context.uptime = initMs >= 0 ? (context.exportMs - initMs) | 0 : 0;
}
