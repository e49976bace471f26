import { formatSize, formatTimeNs, type DataFrameJson, type FrameField } from '@ringflow/contract';

/** A frame as rows of text. */
export interface TextTable {
  readonly headers: readonly string[];
  readonly rightAligned: readonly boolean[];
  readonly rows: readonly (readonly string[])[];
}

const BYTE_UNITS = new Set(['bytes', 'decbytes', 'bps', 'Bps', 'pps', 'short', 'binbps']);

/** Name of a field in a heading: its own, with the labels of its series. */
export function fieldName(field: FrameField): string {
  const labels = Object.values(field.labels ?? {});
  return labels.length > 0 ? labels.join(' ') : field.name;
}

/** A value for people; numbers with a unit get a suffix, times are UTC. */
function formatCell(value: unknown, field: FrameField, exact: boolean): string {
  if (value === null || value === undefined) return '';
  if (field.type === 'time' && typeof value === 'number') return formatTimeNs(BigInt(Math.round(value)) * 1_000_000n);
  if (typeof value === 'number' && !exact) {
    const { unit } = field.config;
    if (unit === 'percent') return `${value.toFixed(1)} %`;
    if (unit === 'percentunit') return `${(value * 100).toFixed(1)} %`;
    if (unit !== undefined && BYTE_UNITS.has(unit)) return formatSize(value);
    return Number.isInteger(value) ? String(value) : value.toPrecision(6);
  }
  if (typeof value === 'object') return JSON.stringify(value);
  return String(value);
}

/** @param exact numbers as they are (`--csv`) instead of with a suffix */
export function frameToTable({ schema, data }: DataFrameJson, exact: boolean): TextTable {
  const { fields } = schema;
  const length = data.values[0]?.length ?? 0;
  return {
    headers: fields.map((field) => (exact ? fieldName(field) : headingOf(field))),
    rightAligned: fields.map((field) => field.type === 'number'),
    rows: Array.from({ length }, (_, row) =>
      fields.map((field, column) => formatCell(data.values[column]?.[row], field, exact)),
    ),
  };
}

function headingOf(field: FrameField): string {
  const { unit } = field.config;
  return unit === 'bps' || unit === 'pps' ? `${fieldName(field)} (${unit})` : fieldName(field);
}

/** Aligned columns; cut to the width of the terminal when there is one. */
export function formatTable(table: TextTable, terminalColumns?: number): string {
  const widths = table.headers.map((header, column) =>
    table.rows.reduce((width, row) => Math.max(width, (row[column] as string).length), header.length),
  );
  const line = (cells: readonly string[]): string => {
    const text = cells
      .map((cell, column) =>
        table.rightAligned[column] ? cell.padStart(widths[column] as number) : cell.padEnd(widths[column] as number),
      )
      .join('  ')
      .trimEnd();
    return terminalColumns !== undefined && text.length > terminalColumns
      ? `${text.slice(0, terminalColumns - 1)}…`
      : text;
  };
  return `${[line(table.headers), line(widths.map((width) => '─'.repeat(width))), ...table.rows.map(line)].join('\n')}\n`;
}

/** RFC 4180. */
export function formatCsv(table: TextTable): string {
  const cell = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return [table.headers, ...table.rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}
