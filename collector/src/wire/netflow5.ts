import { FLOW_TYPES } from '@ringflow/contract';
import type { Batch } from './batch.ts';
import { type DatagramInfo, LOSS, type Source } from './decoder.ts';
import { createLayout } from './layout.ts';
import type { TemplateField } from './template-fields.ts';
import { type DecodeState, beginRows, endRows } from './state.ts';
import { sawRestart } from './sessions.ts';
import { setClock } from './times.ts';

/**
 * NetFlow v5 and v7 (Cisco, "NetFlow Export Datagram Format"): a header of 24 bytes and records whose layout never
 * changes, so they are read by the same generated code as records with a template.
 */
const HEADER_BYTES = 24;
/** More would not fit an Ethernet frame; larger counts are lies (L06, v5-invalid). */
const MAX_RECORDS = 30;

const element = (id: number, length: number): TemplateField => ({ pen: 0, id, length });
const padding = (length: number): TemplateField => ({ pen: 0, id: 210, length });

const COMMON_START = [
  element(8, 4),
  element(12, 4),
  element(15, 4),
  element(10, 2),
  element(14, 2),
  element(2, 4),
  element(1, 4),
  element(22, 4),
  element(21, 4),
  element(7, 2),
  element(11, 2),
  padding(1),
  element(6, 1),
  element(4, 1),
  element(5, 1),
  element(16, 2),
  element(17, 2),
  element(9, 1),
  element(13, 1),
];
/** 48 bytes. */
export const V5_LAYOUT = createLayout([...COMMON_START, padding(2)], 'v5');
/** 52 bytes: the same, flags in place of padding and the address of the router that was bypassed. */
export const V7_LAYOUT = createLayout([...COMMON_START, padding(6)], 'v7');

/** @returns rows appended */
export function decodeNetflow5(
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
  const version = view.getUint16(from);
  info.type = version === 5 ? FLOW_TYPES.NETFLOW_V5 : FLOW_TYPES.NETFLOW_V7;
  info.units = -1;
  if (end - from < HEADER_BYTES) {
    info.losses[LOSS.truncated_header]!++;
    return 0;
  }
  const layout = version === 5 ? V5_LAYOUT : V7_LAYOUT;
  const count = view.getUint16(from + 2);
  const recordsEnd = from + HEADER_BYTES + count * layout.minLength;
  if (count === 0 || count > MAX_RECORDS || recordsEnd > end) {
    info.losses[LOSS.bad_count]!++;
    return 0;
  }
  // Records beyond the count are not ours to guess at: v5-softflowd as one piece is twelve datagrams.
  if (recordsEnd < end) info.losses[LOSS.bad_length]!++;

  const uptimeMs = view.getUint32(from + 4);
  const seconds = view.getUint32(from + 8);
  const nanoseconds = view.getUint32(from + 12);
  info.sequence = view.getUint32(from + 16);
  // Engine type and id; v7 has reserved bytes there.
  info.domain = version === 5 ? view.getUint16(from + 20) : 0;
  info.units = count;
  info.uptimeMs = uptimeMs;
  const wholeMs = Math.floor(nanoseconds / 1e6);
  const exportMs = seconds * 1000 + wholeMs;
  info.exportTimeMs = exportMs;

  const session = state.sessions.find(source, version, info.domain);
  info.restarted = sawRestart(session, exportMs, uptimeMs, info.sequence);
  const quality = setClock(state.context, exportMs, nanoseconds - wholeMs * 1e6, uptimeMs, arrivalMs);
  const code = version === 5 ? state.v5 : state.v7;
  const first = beginRows(state, batch, info, source, arrivalMs);
  // S01: the interval counts, whatever the mode bits say; v7 has none.
  const interval = version === 5 ? view.getUint16(from + 22) & 0x3fff : 0;
  const wide = version === 5 ? Math.max(1, interval) : 0;
  const rates = state.headerRates(wide);
  state.records.write(
    code,
    0,
    view,
    bytes,
    from + HEADER_BYTES,
    recordsEnd,
    count,
    batch,
    state.context,
    quality,
    rates,
  );
  return endRows(state, batch, info, first);
}
