import {
  EXPORTER_KINDS,
  compareBytes,
  formatAddressBytes,
  parseService,
  RingflowError,
  type Attribute,
  type ComputedField,
  type ConditionNode,
  type FilterField,
  type FilterNode,
  type FilterValue,
} from '@ringflow/contract';
import { matchesName } from './name-match.ts';
import { NO_NAMES, type AttributeValue, type NameLookup } from './resolve.ts';
import type { SqlQuery, SqlValue } from './runner.ts';
import { derivedText } from './sql.ts';
import { networksByLength, type AddressRange } from './value-ranges.ts';
import { engineRegex } from './regex.ts';

/** Filters that name more interfaces, exporters or AS than this are refused. */
const MAX_NAME_MATCHES = 10_000;
/** Longest condition: the engine reads statements up to 256 KiB, and a statement may hold the filter several times. */
const MAX_SQL_LENGTH = 60_000;
/** Ranges and exporters that are written out as a condition each; more of them become arrays. */
const MAX_WRITTEN_OUT = 8;

/** Milliseconds as nanoseconds: the shortest duration that rates divide by. */
const SHORTEST_NS = 1e6;

/** SQL of computed fields; the same formulas stand in `testing/evaluate.ts` and in the filter reference. */
const DURATION_NS = 'toFloat64(toUnixTimestamp64Nano(time_flow_end_ns) - toUnixTimestamp64Nano(time_flow_start_ns))';
export const COMPUTED_SQL: Readonly<Record<ComputedField, string>> = {
  dscp: 'bitShiftRight(ip_tos, 2)',
  duration: `${DURATION_NS} / 1e6`,
  bps: `toFloat64(bytes) * greatest(sampling_rate, 1) * 8e9 / greatest(${DURATION_NS}, ${SHORTEST_NS})`,
  pps: `toFloat64(packets) * greatest(sampling_rate, 1) * 1e9 / greatest(${DURATION_NS}, ${SHORTEST_NS})`,
  bpp: 'if(packets = 0, 0., toFloat64(bytes) / toFloat64(packets))',
};

/**
 * A filter as a SQL condition. Values become ClickHouse placeholders `{f0:Type}` and nothing of the filter's text gets
 * into the SQL; identifiers are the registry's column names.
 *
 * @param names looks up names of exporters, interfaces and AS
 * @param prefix what placeholders begin with: two filters of one statement need different ones
 * @throws RingflowError when a pattern matches too many names (`query_too_large`), or when the condition gets longer
 * than the engine reads (`filter_too_complex`)
 */
export function compileFilter(tree: FilterNode | null, names: NameLookup = NO_NAMES, prefix = 'f'): SqlQuery {
  const params: Record<string, SqlValue> = {};
  let count = 0;
  const bind = (value: SqlValue, type: string): string => {
    const name = `${prefix}${count++}`;
    params[name] = value;
    return `{${name}:${type}}`;
  };
  const sql = tree ? compileNode(tree, { bind, names }) : '1';
  if (sql.length > MAX_SQL_LENGTH) {
    throw new RingflowError('filter_too_complex', 'The filter has too many conditions', {
      hint: 'Use lists: port in (80, 443) instead of port = 80 or port = 443',
    });
  }
  return { sql, params };
}

interface Context {
  readonly bind: (value: SqlValue, type: string) => string;
  readonly names: NameLookup;
}

function compileNode(node: FilterNode, context: Context): string {
  switch (node.kind) {
    case 'and':
    case 'or':
      return `(${node.items.map((item) => compileNode(item, context)).join(node.kind === 'and' ? ' AND ' : ' OR ')})`;
    case 'not':
      return `NOT ${compileNode(node.item, context)}`;
    case 'condition':
      return compileCondition(node, context);
  }
}

function compileCondition(node: ConditionNode, context: Context): string {
  const { field } = node;
  if (field.attributes) return anyOf(field.attributes.map((attribute) => compileAttribute(attribute, node, context)));
  const subjects = field.computed ? [COMPUTED_SQL[field.computed]] : field.columns.map(derivedText);
  return anyOf(subjects.map((subject) => compileSubject(subject, node, context)));
}

function anyOf(conditions: readonly string[]): string {
  return conditions.length === 1
    ? (conditions[0] as string)
    : conditions.length === 0
      ? '0'
      : `(${conditions.join(' OR ')})`;
}

function compileSubject(column: string, node: ConditionNode, context: Context): string {
  const { field, operator, values } = node;
  if (operator === 'like' || operator === 'ilike' || operator === '~')
    return anyOf(values.map((value) => compilePattern(column, field, operator, textOf(value), context)));
  if (field.kind === 'list') return compileList(column, node, context);
  const subject = subjectOf(column, field);
  if (operator === 'has' || operator === 'contains') {
    return anyOf(
      values.map((value) => {
        if (value.kind === 'text') return `position(${subject}, ${context.bind(value.text, 'String')}) > 0`;
        const bits = context.bind(numberOf(value), 'UInt64');
        return `bitAnd(${subject}, ${bits}) = ${bits}`;
      }),
    );
  }
  if (operator === '=' || operator === 'in') return compileMembers(subject, field, values, context);
  const value = values[0] as FilterValue;
  if (value.kind === 'field') return `${subject} ${operator} ${derivedText(value.field.columns[0] as string)}`;
  if (value.kind === 'time') return `${subject} ${operator} ${bindTime(value.ns, context)}`;
  return `${subject} ${operator} ${bindNumber(numberOf(value), context)}`;
}

/** What is compared: identifiers are kept as bytes and written as hexadecimal digits. */
function subjectOf(column: string, field: FilterField): string {
  return field.kind === 'hex' ? `lower(hex(${column}))` : column;
}

/** Any of the items, or all of them one after the other. */
function compileList(column: string, { operator, values }: ConditionNode, context: Context): string {
  const items = values.map(numberOf);
  if (operator === 'contains') return `hasSubstr(${column}, ${context.bind(items, 'Array(UInt32)')})`;
  return items.length === 1
    ? `has(${column}, ${context.bind(items[0] as number, 'UInt32')})`
    : `hasAny(${column}, ${context.bind(items, 'Array(UInt32)')})`;
}

/** Equality with any of the values: those of one form share one list. */
function compileMembers(subject: string, field: FilterField, values: readonly FilterValue[], context: Context): string {
  const conditions: string[] = [];
  const numbers: number[] = [];
  const texts: string[] = [];
  const ranges: { from: number; to: number }[] = [];
  const addresses: AddressRange[] = [];
  for (const value of values) {
    switch (value.kind) {
      case 'number':
        numbers.push(value.value);
        break;
      case 'text':
        texts.push(value.text);
        break;
      case 'range':
        ranges.push(value);
        break;
      case 'addresses':
        addresses.push(value);
        break;
      case 'time':
        conditions.push(`${subject} = ${bindTime(value.ns, context)}`);
        break;
      case 'name':
        // An application that nothing names is its service.
        if (field.names === 'app') numbers.push(...parseService(value.text));
        // Labels and cells of answers show the id.
        if (field.kind === 'named' && isId(value.text)) numbers.push(Number(value.text));
        conditions.push(
          compileNames(subject, field, (name) => name.toLowerCase() === value.text.toLowerCase(), context),
        );
        break;
      case 'field':
        conditions.push(`${subject} = ${subjectOf(derivedText(value.field.columns[0] as string), value.field)}`);
        break;
    }
  }
  if (ranges.length > 0) conditions.push(compileRanges(subject, ranges, context));
  if (addresses.length > 0) conditions.push(compileAddresses(subject, addresses, context));
  if (numbers.length > 0) {
    conditions.push(
      numbers.length === 1
        ? `${subject} = ${bindNumber(numbers[0] as number, context)}`
        : `${subject} IN ${bindNumbers(numbers, context)}`,
    );
  }
  if (texts.length > 0) {
    conditions.push(
      texts.length === 1
        ? `${subject} = ${context.bind(texts[0] as string, 'String')}`
        : `${subject} IN ${context.bind(texts, 'Array(String)')}`,
    );
  }
  return anyOf(conditions);
}

/** Digits of a 32-bit id. */
export function isId(text: string): boolean {
  return /^\d{1,10}$/.test(text) && Number(text) <= 0xffff_ffff;
}

function compileRanges(subject: string, ranges: readonly { from: number; to: number }[], context: Context): string {
  if (ranges.length <= MAX_WRITTEN_OUT) {
    return anyOf(
      ranges.map(({ from, to }) => `${subject} BETWEEN ${bindNumber(from, context)} AND ${bindNumber(to, context)}`),
    );
  }
  const [from, to] = [ranges.map((range) => range.from), ranges.map((range) => range.to)];
  return `arrayExists((a, b) -> ${subject} BETWEEN a AND b, ${bindNumbers(from, context)}, ${bindNumbers(to, context)})`;
}

/** Long lists become one set look-up per prefix length, which costs the same however many networks there are. */
function compileAddresses(subject: string, ranges: readonly AddressRange[], context: Context): string {
  const isSingle = ({ from, to }: AddressRange) => compareBytes(from, to) === 0;
  const singles = ranges.filter(isSingle).map(({ from }) => formatAddressBytes(from));
  const wide = ranges.filter((range) => !isSingle(range));
  const conditions: string[] = [];
  if (singles.length > 0) {
    conditions.push(
      singles.length === 1
        ? `${subject} = ${context.bind(singles[0] as string, 'IPv6')}`
        : `${subject} IN ${context.bind(singles, 'Array(IPv6)')}`,
    );
  }
  if (wide.length <= MAX_WRITTEN_OUT) {
    for (const { from, to } of wide) {
      const [low, high] = [formatAddressBytes(from), formatAddressBytes(to)];
      conditions.push(`${subject} BETWEEN ${context.bind(low, 'IPv6')} AND ${context.bind(high, 'IPv6')}`);
    }
    return anyOf(conditions);
  }
  for (const [bits, networks] of networksByLength(wide)) {
    const list = context.bind(networks.map(formatAddressBytes), 'Array(IPv6)');
    conditions.push(`tupleElement(IPv6CIDRToRange(${subject}, ${context.bind(bits, 'UInt8')}), 1) IN ${list}`);
  }
  return anyOf(conditions);
}

function compilePattern(
  column: string,
  field: FilterField,
  operator: 'like' | 'ilike' | '~',
  pattern: string,
  context: Context,
): string {
  if (field.kind === 'interface' || field.kind === 'exporter' || field.names !== undefined)
    return compileNames(column, field, matchesName(operator, pattern), context);
  const subject = subjectOf(column, field);
  if (operator === '~') return `match(${subject}, ${context.bind(engineRegex(pattern), 'String')})`;
  return `${subject} ${operator === 'like' ? 'LIKE' : 'ILIKE'} ${context.bind(pattern, 'String')}`;
}

/** Names become ids; a name that nothing has matches nothing. */
function compileNames(
  subject: string,
  field: FilterField,
  matches: (name: string) => boolean,
  context: Context,
): string {
  if (field.kind === 'exporter') {
    const addresses = bounded(context.names.exportersWhere(matches));
    return addresses.length === 0 ? '0' : `${subject} IN ${context.bind([...addresses], 'Array(IPv6)')}`;
  }
  if (field.names !== undefined) {
    const numbers = bounded(context.names.idsWhere(field.names, matches));
    return numbers.length === 0 ? '0' : `${subject} IN ${context.bind([...numbers], 'Array(UInt32)')}`;
  }
  return compileInterfaces(subject, bounded(context.names.interfacesWhere(matches)), context);
}

function compileInterfaces(
  subject: string,
  found: readonly { readonly exporter: string; readonly index: number }[],
  context: Context,
): string {
  const byExporter = new Map<string, number[]>();
  for (const { exporter, index } of found) byExporter.set(exporter, [...(byExporter.get(exporter) ?? []), index]);
  if (byExporter.size > MAX_WRITTEN_OUT) {
    const exporters = context.bind(
      found.map(({ exporter }) => exporter),
      'Array(IPv6)',
    );
    const indexes = context.bind(
      found.map(({ index }) => index),
      'Array(UInt32)',
    );
    return `(sampler_address, ${subject}) IN (SELECT arrayJoin(arrayZip(${exporters}, ${indexes})))`;
  }
  return anyOf(
    [...byExporter].map(
      ([exporter, indexes]) =>
        `(sampler_address = ${context.bind(exporter, 'IPv6')} AND ${subject} IN ${context.bind(indexes, 'Array(UInt32)')})`,
    ),
  );
}

/** The attribute's values that match become the ids that have them; an empty value is that of everything else. */
function compileAttribute(attribute: Attribute, { operator, values }: ConditionNode, context: Context): string {
  const entries = context.names.attributeValues(attribute);
  return anyOf(
    values.map((value) => {
      const text = textOf(value);
      if (text === '' && operator !== 'like' && operator !== 'ilike' && operator !== '~')
        return `NOT ${compileEntries(attribute, entries, context)}`;
      const matches =
        operator === 'like' || operator === 'ilike' || operator === '~'
          ? matchesName(operator, text)
          : (name: string) => name.toLowerCase() === text.toLowerCase();
      return compileEntries(
        attribute,
        entries.filter((entry) => matches(entry.value)),
        context,
      );
    }),
  );
}

function compileEntries(attribute: Attribute, entries: readonly AttributeValue[], context: Context): string {
  const subject = derivedText(attribute.key);
  const found = bounded(entries);
  if (found.length === 0) return '0';
  if (attribute.kind === 'exporter')
    return `${subject} IN ${context.bind(
      found.map(({ exporter }) => exporter),
      'Array(IPv6)',
    )}`;
  if (EXPORTER_KINDS.has(attribute.kind))
    return compileInterfaces(
      subject,
      found.map(({ exporter, id }) => ({ exporter, index: id })),
      context,
    );
  return `${subject} IN ${context.bind(
    found.map(({ id }) => id),
    'Array(UInt32)',
  )}`;
}

function bounded<T>(matches: readonly T[]): readonly T[] {
  if (matches.length > MAX_NAME_MATCHES)
    throw new RingflowError('query_too_large', `${matches.length} names match`, { hint: 'Narrow the pattern' });
  return matches;
}

function bindNumbers(values: readonly number[], context: Context): string {
  const whole = values.every((value) => Number.isSafeInteger(value) && value >= 0);
  return context.bind(values, whole ? 'Array(UInt64)' : 'Array(Float64)');
}

function bindNumber(value: number, context: Context): string {
  return Number.isSafeInteger(value) && value >= 0 ? context.bind(value, 'UInt64') : context.bind(value, 'Float64');
}

function bindTime(ns: bigint, context: Context): string {
  return `fromUnixTimestamp64Nano(${context.bind(ns.toString(), 'Int64')})`;
}

function numberOf(value: FilterValue): number {
  if (value.kind !== 'number') throw new TypeError(`A number was expected, not ${value.kind}`);
  return value.value;
}

function textOf(value: FilterValue): string {
  if (value.kind !== 'text' && value.kind !== 'name') throw new TypeError(`A text was expected, not ${value.kind}`);
  return value.text;
}
