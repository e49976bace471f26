import {
  COLUMNS,
  createFieldTable,
  formatAsn,
  formatEtherType,
  formatFlowType,
  formatMac,
  formatProtocol,
  formatQuality,
  formatService,
  formatTcpFlags,
  type Column,
  type ColumnText,
  type FieldTable,
  type FilterField,
  type FrameFieldConfig,
} from '@ringflow/contract';
import { sql, type Sql } from './sql.ts';

/** A column as query answers know it: one of the registry, or an either-side dimension with the type of its columns. */
export type AnswerColumn = Pick<Column, 'name' | 'type' | 'text' | 'unit' | 'label' | 'description'>;

const BY_NAME: ReadonlyMap<string, Column> = new Map(COLUMNS.map((column) => [column.name, column]));

/** Fields of the filter language: their names, aliases and either-side pairs are the ones of queries, too. */
export const FIELDS: FieldTable = createFieldTable();

const PAIRS: ReadonlyMap<string, FilterField> = new Map(
  FIELDS.fields.filter((field) => field.columns.length === 2 && !field.computed).map((field) => [field.name, field]),
);

/** True for `addr`, `port`, `as` …: a record has two values of it. */
export function isEitherSide(dimension: string): boolean {
  return PAIRS.has(dimension);
}

/** Registry columns that a dimension reads. */
export function columnsOf(dimension: string): readonly string[] {
  return PAIRS.get(dimension)?.columns ?? [dimension];
}

/** Names of all dimensions: stored columns, then either-side pairs. */
export const DIMENSIONS: readonly string[] = [
  ...(COLUMNS as readonly Column[]).filter((column) => column.stored).map((column) => column.name),
  ...PAIRS.keys(),
];

/** The column of a name, or undefined when there is none. */
export function answerColumn(name: string): AnswerColumn | undefined {
  const pair = PAIRS.get(name);
  if (!pair) return BY_NAME.get(name);
  const first = BY_NAME.get(pair.columns[0] as string);
  return first && { ...first, name, label: pair.label, description: pair.description };
}

/** How a column is selected so that JSON keeps every digit: 64-bit ids and nanoseconds as text. */
export function outputSql(column: AnswerColumn, expression: Sql): Sql {
  if (column.type === 'time') return sql`toString(toUnixTimestamp64Nano(${expression}))`;
  if (column.type === 'u64' && column.unit === 'id') return sql`toString(${expression})`;
  return expression;
}

const TEXT: Readonly<Record<ColumnText, (value: never) => string>> = {
  number: (value: number) => String(value),
  time: (value: string) => isoTime(value),
  addr: (value: string) => addressText(value),
  mac: (value: number) => formatMac(value),
  string: (value: string) => value,
  hex: (value: string) => value,
  proto: (value: number) => formatProtocol(value),
  etype: (value: number) => formatEtherType(value),
  flowType: (value: number) => formatFlowType(value),
  tcpFlags: (value: number) => formatTcpFlags(value),
  asn: (value: number) => formatAsn(value),
  service: (value: number) => formatService(value),
  quality: (value: number) => formatQuality(value),
};

/** A value of the engine's JSON as people read it; the filter language takes the same text back. */
export function valueText(column: AnswerColumn, value: unknown): string {
  if (value === null || value === undefined) return '';
  if (Array.isArray(value)) return value.map((item) => TEXT[column.text](item as never)).join(' ');
  return TEXT[column.text](value as never);
}

/** ClickHouse writes IPv4 as `::ffff:192.0.2.1`; all zero is the absent address. */
export function addressText(value: string): string {
  if (value === '::') return '';
  return value.startsWith('::ffff:') && value.includes('.') ? value.slice(7) : value;
}

function isoTime(nanoseconds: string): string {
  const { ms, nanos } = splitTime(nanoseconds);
  return `${new Date(ms).toISOString().slice(0, -1)}${String(nanos).padStart(6, '0')}Z`;
}

/** Milliseconds, and the nanoseconds beyond them (Grafana's `nanos`), of nanoseconds as text. */
export function splitTime(nanoseconds: string): { ms: number; nanos: number } {
  const at = nanoseconds.length - 6;
  return at <= 0
    ? { ms: 0, nanos: Number(nanoseconds) }
    : { ms: Number(nanoseconds.slice(0, at)), nanos: Number(nanoseconds.slice(at)) };
}

/** Grafana's unit of a column's values when they are numbers. */
export function unitOf(column: AnswerColumn): string {
  if (column.unit === 'bytes') return 'decbytes';
  if (column.unit === 'packets' || column.unit === 'flows') return 'short';
  return 'none';
}

/** Label, description and filter button of a field that shows a column. */
export function columnConfig(column: AnswerColumn): FrameFieldConfig {
  return { displayNameFromDS: column.label, description: column.description, filterable: true };
}
