import { FLOW_TYPES } from '@ringflow/contract';
import type { Batch } from './batch.ts';
import { type DatagramInfo, LOSS, type Source } from './decoder.ts';
import type { TemplateField } from './template-fields.ts';
import { type Session, noteSequence } from './sessions.ts';
import { type DecodeState, beginRows, decodeDataSet, endRows, useSystemInit } from './state.ts';
import { defineTemplate, isZero } from './template-sets.ts';
import { setClock } from './times.ts';

/** RFC 7011 3.1: version, length, export time, sequence, observation domain. */
const HEADER_BYTES = 16;
const TEMPLATE_SET = 2;
const OPTIONS_SET = 3;
/** RFC 7011 3.4.1 (T15). */
const FIRST_TEMPLATE_ID = 256;
const ENTERPRISE_BIT = 0x8000;

/** IPFIX (RFC 7011). @returns rows appended */
export function decodeIpfix(
  state: DecodeState,
  view: DataView,
  bytes: Uint8Array,
  from: number,
  datagramEnd: number,
  source: Source,
  arrivalMs: number,
  batch: Batch,
  info: DatagramInfo,
): number {
  info.type = FLOW_TYPES.IPFIX;
  info.units = -1;
  if (datagramEnd - from < HEADER_BYTES) {
    info.losses[LOSS.truncated_header]!++;
    return 0;
  }
  const length = view.getUint16(from + 2);
  // L05: longer than the datagram is truncated, what follows a shorter one is not this message.
  if (length !== datagramEnd - from) info.losses[LOSS.bad_length]!++;
  if (length < HEADER_BYTES) return 0;
  const end = Math.min(datagramEnd, from + length);
  const exportMs = view.getUint32(from + 4) * 1000;
  const sequence = view.getUint32(from + 8);
  const domain = view.getUint32(from + 12);
  info.domain = domain;
  info.sequence = sequence;
  info.exportTimeMs = exportMs;

  const session = state.sessions.find(source, 10, domain);
  if (noteSequence(session, sequence, arrivalMs)) {
    info.restarted = true;
    state.restart(session);
  }
  const quality = setClock(state.context, exportMs, 0, -1, arrivalMs);
  useSystemInit(state.context, session);
  const header = state.header;
  header.exportMs = exportMs;
  header.uptimeMs = -1;
  header.sequence = sequence;
  header.arrivalMs = arrivalMs;
  const first = beginRows(state, batch, info, source, arrivalMs);
  // Q01: IPFIX counts data records, those of options too; Q05: unless a set hides how many it holds.
  let units = length > datagramEnd - from ? -1 : 0;
  let at = from + HEADER_BYTES;
  while (at + 4 <= end) {
    const id = view.getUint16(at);
    const setLength = view.getUint16(at + 2);
    const setEnd = at + setLength;
    if (setLength < 4 || setEnd > end) {
      // L03, L04: nothing behind it can be trusted.
      if (setLength >= 4 || !isZero(bytes, at, end)) {
        info.losses[LOSS.bad_set_length]!++;
        units = -1;
      }
      break;
    }
    if (id >= FIRST_TEMPLATE_ID) {
      const records = decodeDataSet(state, session, id, view, bytes, at + 4, setEnd, header, quality, batch, info);
      units = units < 0 || records < 0 ? -1 : units + records;
    } else if (id === TEMPLATE_SET || id === OPTIONS_SET) {
      readTemplates(state, session, view, at + 4, setEnd, id === OPTIONS_SET, arrivalMs, info);
    } else {
      info.losses[LOSS.reserved_set]!++;
    }
    at = setEnd;
  }
  info.units = units;
  return endRows(state, batch, info, first);
}

/** RFC 7011 3.4.1 and 3.4.2.2; scope fields are counted, not measured (T19). */
function readTemplates(
  state: DecodeState,
  session: Session,
  view: DataView,
  from: number,
  end: number,
  options: boolean,
  nowMs: number,
  info: DatagramInfo,
): void {
  let at = from;
  while (at + 4 <= end) {
    const id = view.getUint16(at);
    const count = view.getUint16(at + 2);
    at += 4;
    if (count === 0) {
      if (id === 0) return;
      // T06: a withdrawal must not come over UDP, and must be ignored when it does.
      info.losses[LOSS.template_withdrawal]!++;
      continue;
    }
    if (id < FIRST_TEMPLATE_ID) {
      info.losses[LOSS.bad_template]!++;
      return;
    }
    let scopeCount = -1;
    if (options) {
      scopeCount = at + 2 <= end ? view.getUint16(at) : 0;
      at += 2;
    }
    const fields = scopeCount === 0 || scopeCount > count ? null : readFields(view, at, end, count);
    if (!fields) {
      // T07: data that follows uses a layout that we do not have.
      state.templates.drop(session, id);
      info.losses[LOSS.bad_template]!++;
      return;
    }
    for (const field of fields) at += field.pen === 0 && !field.enterprise ? 4 : 8;
    defineTemplate(state, session, id, scopeCount, fields, nowMs, info);
  }
}

/** Null when the set ends before the fields do (X05). */
function readFields(
  view: DataView,
  from: number,
  end: number,
  count: number,
): (TemplateField & { enterprise: boolean })[] | null {
  const fields: (TemplateField & { enterprise: boolean })[] = [];
  let at = from;
  if (at + count * 4 > end) return null;
  for (let i = 0; i < count; i++) {
    if (at + 4 > end) return null;
    const number = view.getUint16(at);
    const length = view.getUint16(at + 2);
    at += 4;
    let pen = 0;
    const enterprise = number >= ENTERPRISE_BIT;
    if (enterprise) {
      if (at + 4 > end) return null;
      pen = view.getUint32(at);
      at += 4;
    }
    fields.push({ pen, id: number & 0x7fff, length, enterprise });
  }
  return fields;
}
