import {
  COLUMNS,
  formatEtherType,
  formatFlowType,
  formatPrefix,
  formatProtocol,
  formatQuality,
  maskPrefix,
  parseAddress,
  type Column,
} from '@ringflow/contract';
import { COLUMN_INDEX, isEmptyCell, readCell, type Batch, type CellValue } from '../wire/index.ts';

/** Whose names and value formats these are: https://github.com/netsampler/goflow2 (producer/proto/render.go). */
const NETWORKS = [
  { column: 'src_mask', address: 'src_addr', name: 'src_net' },
  { column: 'dst_mask', address: 'dst_addr', name: 'dst_net' },
] as const;

/** One JSON object per row of the batch, in order. Needs a batch made with `trackRuns` to know what was sent. */
export function* rowsAsJson(batch: Batch): Generator<string, void, undefined> {
  const runs = batch.runs ?? [];
  let next = 0;
  let sent: ReadonlySet<number> = new Set();
  for (let row = 0; row < batch.rows; row++) {
    for (; next < runs.length && (runs[next]?.row ?? 0) <= row; next++) sent = new Set(runs[next]?.columns ?? []);
    yield rowAsJson(batch, row, sent);
  }
}

/**
 * A row as JSON. Columns that every exporter has are always there, the others when the exporter sent them or they are
 * not zero. 64-bit values are plain integer tokens, whatever their size.
 *
 * @param sent registry indexes of the columns that the record carried
 */
export function rowAsJson(batch: Batch, row: number, sent: ReadonlySet<number>): string {
  const parts: string[] = [];
  COLUMNS.forEach((column: Column, index) => {
    const wasSent = sent.has(index);
    // Most columns of a capture are never written: not even looked at.
    if (batch.used[index] === 0 && !column.always && !wasSent) return;
    const value = readCell(batch, index, row);
    if (!column.always && !wasSent && isEmptyCell(value)) return;
    parts.push(`"${column.name}":${cellAsJson(column, value, wasSent)}`);
    const network = NETWORKS.find((entry) => entry.column === column.name);
    if (network) {
      const text = networkOf(String(readCell(batch, COLUMN_INDEX[network.address], row)), Number(value));
      if (text !== null) parts.push(`"${network.name}":"${text}"`);
    }
  });
  return `{${parts.join(',')}}`;
}

function cellAsJson(column: Column, value: CellValue, wasSent: boolean): string {
  switch (column.text) {
    case 'proto':
      return value === 0 && !wasSent ? '""' : jsonString(formatProtocol(Number(value)));
    case 'etype':
      return jsonString(formatEtherType(Number(value)));
    case 'flowType':
      return jsonString(formatFlowType(Number(value)));
    case 'quality':
      return jsonString(formatQuality(Number(value)));
    case 'addr':
      // As goflow2: an address that nobody sent is the empty string.
      return value === '::' && !wasSent ? '""' : `"${String(value)}"`;
    default:
      if (Array.isArray(value)) return `[${value.join(',')}]`;
      return typeof value === 'string' ? jsonString(value) : String(value);
  }
}

/** `10.0.0.0/24`, or null when the length does not fit the family (F11). */
function networkOf(address: string, length: number): string | null {
  const bytes = parseAddress(address);
  const family = address.includes(':') ? 128 : 32;
  return bytes && length <= family ? formatPrefix(maskPrefix(bytes, 128 - family + length)) : null;
}

/**
 * JSON text of a string from the wire. Beyond what JSON asks for, everything that steers a terminal or turns text
 * around is escaped too: DEL, C1 controls, line separators, bidirectional marks (X06).
 */
export function jsonString(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
