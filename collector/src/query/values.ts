import {
  EXPORTER_KINDS,
  ATTRIBUTES,
  COLUMNS,
  storedColumns,
  createFieldTable,
  formatAsn,
  formatCountry,
  formatEtherType,
  formatFlowType,
  formatMac,
  formatProtocol,
  formatQuality,
  formatService,
  formatTcpFlags,
  type Attribute,
  type Column,
  type ColumnName,
  type ColumnText,
  type FieldTable,
  type FilterField,
  type FrameFieldConfig,
} from '@ringflow/contract';
import type { AttributeValue, NameLookup } from './resolve.ts';
import { alias, bind, columnSql, sql, type Sql } from './sql.ts';

/** A column as query answers know it: one of the registry, or an either-side dimension with the type of its columns. */
export type AnswerColumn = Pick<
  Column,
  'name' | 'type' | 'text' | 'unit' | 'label' | 'description' | 'words' | 'names'
>;

const BY_NAME: ReadonlyMap<string, Column> = new Map(COLUMNS.map((column) => [column.name, column]));

/** Fields of the filter language: their names, aliases and either-side pairs are the ones of queries, too. */
export const FIELDS: FieldTable = createFieldTable();

const PAIRS: ReadonlyMap<string, FilterField> = new Map(
  FIELDS.fields.filter(isPair).map((field) => [field.name, field]),
);

/** Two columns of which either may match, or two attributes. */
function isPair(field: FilterField): boolean {
  return field.attributes ? field.attributes.length === 2 : field.columns.length === 2 && !field.computed;
}

const BY_ATTRIBUTE: ReadonlyMap<string, Attribute> = new Map(
  ATTRIBUTES.map((attribute) => [attribute.name, attribute]),
);

/** True for `addr`, `port`, `as` …: a record has two values of it. */
export function isEitherSide(dimension: string): boolean {
  return PAIRS.has(dimension);
}

/** The columns or attributes whose values a dimension shows: two for an either-side one. */
export function partsOf(dimension: string): readonly string[] {
  const pair = PAIRS.get(dimension);
  return pair?.attributes?.map(({ name }) => name) ?? pair?.columns ?? [dimension];
}

/** Stored columns that a dimension reads. */
export function columnsOf(dimension: string): readonly string[] {
  return partsOf(dimension).flatMap((part): readonly string[] => {
    const attribute = BY_ATTRIBUTE.get(part);
    // A heatmap's own fields are no columns.
    if (!attribute) return BY_NAME.has(part) ? storedColumns(part as ColumnName) : [];
    return [...storedColumns(attribute.key), ...(EXPORTER_KINDS.has(attribute.kind) ? ['sampler_address'] : [])];
  });
}

/** Columns that rows have or that are computed from them. */
export const ROW_COLUMNS: readonly Column[] = (COLUMNS as readonly Column[]).filter(
  (column) => column.stored || column.derived !== undefined,
);

/** Names of all dimensions: columns, attributes, then either-side pairs. */
export const DIMENSIONS: readonly string[] = [
  ...ROW_COLUMNS.map((column) => column.name),
  ...ATTRIBUTES.map((attribute) => attribute.name),
  ...PAIRS.keys(),
];

/**
 * The value of a column or attribute in a row. What exporters and interfaces have is few and is bound to the statement;
 * places, AS and the like are many, and are read from the table of names. The engine makes one hash table of either.
 */
export function partSql(part: string, names: NameLookup): Sql {
  const attribute = BY_ATTRIBUTE.get(part);
  if (!attribute) return columnSql(part);
  const found =
    attribute.kind === 'exporter' || EXPORTER_KINDS.has(attribute.kind)
      ? boundAttribute(attribute, names.attributeValues(attribute))
      : storedAttribute(attribute);
  return attribute.number === true ? sql`toFloat64OrNull(${found})` : found;
}

function boundAttribute(attribute: Attribute, entries: readonly AttributeValue[]): Sql {
  // An empty list cannot be looked up in.
  if (entries.length === 0) return sql`''`;
  const key = columnSql(attribute.key);
  const values = bind(
    entries.map(({ value }) => value),
    'Array(String)',
  );
  const exporters = bind(
    entries.map(({ exporter }) => exporter),
    'Array(IPv6)',
  );
  if (attribute.kind === 'exporter')
    return sql`transform(cityHash64(${key}), arrayMap(e -> cityHash64(e), ${exporters}), ${values}, '')`;
  const ids = bind(
    entries.map(({ id }) => id),
    'Array(UInt32)',
  );
  return sql`transform(cityHash64(sampler_address, ${key}), arrayMap((e, i) -> cityHash64(e, i), ${exporters}, ${ids}), ${values}, '')`;
}

/** With an entry for 0, the id of nothing, so that the list is never empty; in order, so that both lists go together. */
function storedAttribute({ key, kind, part }: Attribute): Sql {
  const value =
    part === 'name' || part === 'description'
      ? sql`argMax(${alias(part)}, updated)`
      : sql`JSONExtractString(argMax(attributes, updated), ${bind(part, 'String')})`;
  const entries = (column: Sql) =>
    sql`(SELECT groupArray(${column}) FROM (SELECT k, v FROM (SELECT toUInt32(0) AS k, '' AS v UNION ALL SELECT toUInt32OrZero(id) AS k, ${value} AS v FROM names WHERE kind = ${bind(kind, 'String')} GROUP BY id) ORDER BY k))`;
  return sql`transform(${columnSql(key)}, ${entries(sql`k`)}, ${entries(sql`v`)}, '')`;
}

/** The column of a name, or undefined when there is none. */
export function answerColumn(name: string): AnswerColumn | undefined {
  const pair = PAIRS.get(name);
  if (!pair) return BY_NAME.get(name) ?? attributeColumn(name);
  const first = answerColumn(partsOf(name)[0] as string);
  return first && { ...first, name, label: pair.label, description: pair.description };
}

function attributeColumn(name: string): AnswerColumn | undefined {
  const attribute = BY_ATTRIBUTE.get(name);
  if (!attribute) return undefined;
  const { label, description, number } = attribute;
  return { name, label, description, type: 'string', text: number === true ? 'number' : 'string', unit: 'none' };
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
  prefix: (value: string) => prefixText(value),
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
  word: (value: number) => String(value),
  country: (value: number) => formatCountry(value),
  named: (value: number) => (value === 0 ? '' : String(value)),
};

/** A value of the engine's JSON as people read it; the filter language takes the same text back. */
export function valueText(column: AnswerColumn, value: unknown): string {
  if (value === null || value === undefined) return '';
  if (column.text === 'word') return column.words?.[value as number] ?? String(value);
  // An application that nothing names is its service.
  if (column.names === 'app' && (value as number) < SERVICE_NUMBERS) return formatService(value as number);
  if (Array.isArray(value)) return value.map((item) => TEXT[column.text](item as never)).join(' ');
  return TEXT[column.text](value as never);
}

/** ClickHouse writes IPv4 as `::ffff:192.0.2.1`; all zero is the absent address. */
export function addressText(value: string): string {
  if (value === '::') return '';
  return value.startsWith('::ffff:') && value.includes('.') ? value.slice(7) : value;
}

/** First address of the network of `src_prefix` and the like, with its length. */
function prefixText(value: string): string {
  const text = addressText(value);
  return text === '' ? '' : `${text}${text.includes(':') ? '/48' : '/24'}`;
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

/** Above the highest number of a service (`serviceOf`); ids of names are not below it. */
const SERVICE_NUMBERS = 0x0100_0000;

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
