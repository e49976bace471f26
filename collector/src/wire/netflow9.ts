import { FLOW_TYPES } from '@ringflow/contract';
import type { Batch } from './batch.ts';
import { type DatagramInfo, LOSS, type Source } from './decoder.ts';
import type { TemplateField } from './template-fields.ts';
import { type Session, sawRestart } from './sessions.ts';
import { type DecodeState, beginRows, decodeDataSet, endRows } from './state.ts';
import { defineTemplate, isZero } from './template-sets.ts';
import { setClock } from './times.ts';

/** RFC 3954 5.1: version, count, uptime, seconds, sequence, source id. */
const HEADER_BYTES = 20;
const TEMPLATE_SET = 0;
const OPTIONS_SET = 1;
/** RFC 3954 5.2: lower numbers are not for templates (T15). */
const FIRST_TEMPLATE_ID = 256;

/** NetFlow v9 (RFC 3954). @returns rows appended */
export function decodeNetflow9(
  state: DecodeState,
  view: DataView,
  bytes: Uint8Array,
  from: number,
  end: number,
  source: Source,
  arrivalMs: number,
  batch: Batch,
  info: DatagramInfo,
): number {
  info.type = FLOW_TYPES.NETFLOW_V9;
  info.units = -1;
  if (end - from < HEADER_BYTES) {
    info.losses[LOSS.truncated_header]!++;
    return 0;
  }
  const uptimeMs = view.getUint32(from + 4);
  const exportMs = view.getUint32(from + 8) * 1000;
  const sequence = view.getUint32(from + 12);
  const domain = view.getUint32(from + 16);
  info.domain = domain;
  info.sequence = sequence;
  // Q01: v9 counts datagrams.
  info.units = 1;
  info.exportTimeMs = exportMs;
  info.uptimeMs = uptimeMs;

  const session = state.sessions.find(source, 9, domain);
  if (sawRestart(session, exportMs, uptimeMs, sequence)) {
    info.restarted = true;
    state.restart(session);
  }
  const quality = setClock(state.context, exportMs, 0, uptimeMs, arrivalMs);
  const header = state.header;
  header.exportMs = exportMs;
  header.uptimeMs = uptimeMs;
  header.sequence = sequence;
  header.arrivalMs = arrivalMs;
  const first = beginRows(state, batch, info, source, arrivalMs);
  // T17: the header's count is often wrong; the sets end where the datagram ends.
  let at = from + HEADER_BYTES;
  while (at + 4 <= end) {
    const id = view.getUint16(at);
    const length = view.getUint16(at + 2);
    if (length < 4) {
      // L03: some exporters fill the datagram up with zeros.
      if (!isZero(bytes, at, end)) info.losses[LOSS.bad_set_length]!++;
      break;
    }
    const setEnd = at + length;
    if (setEnd > end) {
      info.losses[LOSS.bad_set_length]!++;
      break;
    }
    if (id >= FIRST_TEMPLATE_ID)
      decodeDataSet(state, session, id, view, bytes, at + 4, setEnd, header, quality, batch, info);
    else if (id === TEMPLATE_SET) readTemplates(state, session, view, at + 4, setEnd, arrivalMs, info);
    else if (id === OPTIONS_SET) readOptionsTemplates(state, session, view, at + 4, setEnd, arrivalMs, info);
    else info.losses[LOSS.reserved_set]!++;
    at = setEnd;
  }
  return endRows(state, batch, info, first);
}

/** RFC 3954 5.2; several templates may share a set (T16). */
function readTemplates(
  state: DecodeState,
  session: Session,
  view: DataView,
  from: number,
  end: number,
  nowMs: number,
  info: DatagramInfo,
): void {
  let at = from;
  while (at + 4 <= end) {
    const id = view.getUint16(at);
    const count = view.getUint16(at + 2);
    at += 4;
    if (id < FIRST_TEMPLATE_ID) {
      // A zero word is padding (v9-cisco-aci).
      if (id !== 0 || count !== 0) info.losses[LOSS.bad_template]!++;
      return;
    }
    if (count === 0) {
      info.losses[LOSS.template_withdrawal]!++;
      continue;
    }
    if (at + count * 4 > end) {
      state.templates.drop(session, id);
      info.losses[LOSS.bad_template]!++;
      return;
    }
    defineTemplate(state, session, id, -1, readFields(view, at, count), nowMs, info);
    at += count * 4;
  }
}

/** RFC 3954 6.1: lengths of scope and options are in bytes (T19). */
function readOptionsTemplates(
  state: DecodeState,
  session: Session,
  view: DataView,
  from: number,
  end: number,
  nowMs: number,
  info: DatagramInfo,
): void {
  let at = from;
  while (at + 6 <= end) {
    const id = view.getUint16(at);
    const scopeBytes = view.getUint16(at + 2);
    const optionBytes = view.getUint16(at + 4);
    at += 6;
    if (id < FIRST_TEMPLATE_ID) {
      if (id !== 0 || scopeBytes !== 0) info.losses[LOSS.bad_template]!++;
      return;
    }
    const length = scopeBytes + optionBytes;
    if (scopeBytes % 4 !== 0 || optionBytes % 4 !== 0 || at + length > end) {
      state.templates.drop(session, id);
      info.losses[LOSS.bad_template]!++;
      return;
    }
    defineTemplate(state, session, id, scopeBytes / 4, readFields(view, at, length / 4), nowMs, info);
    at += length;
  }
}

/** L14: all sixteen bits are the field type. */
function readFields(view: DataView, from: number, count: number): TemplateField[] {
  const fields: TemplateField[] = [];
  for (let i = 0; i < count; i++) {
    fields.push({ pen: 0, id: view.getUint16(from + i * 4), length: view.getUint16(from + i * 4 + 2) });
  }
  return fields;
}
