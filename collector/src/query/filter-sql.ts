import {
  formatAddressBytes,
  RingflowError,
  type ComputedField,
  type ConditionNode,
  type FilterField,
  type FilterNode,
  type FilterValue,
} from '@ringflow/contract';
import { matchesLike } from './like.ts';
import { NO_NAMES, type NameLookup } from './resolve.ts';
import type { SqlQuery, SqlValue } from './runner.ts';

/** Filters that name more interfaces, exporters or AS than this are refused. */
const MAX_NAME_MATCHES = 10_000;

/** Milliseconds as nanoseconds: the shortest duration that rates divide by. */
const SHORTEST_NS = 1e6;

/** SQL of computed fields; the same formulas stand in `testing/evaluate.ts` and in the filter reference. */
const DURATION_NS = 'toFloat64(toUnixTimestamp64Nano(time_flow_end_ns) - toUnixTimestamp64Nano(time_flow_start_ns))';
const COMPUTED_SQL: Readonly<Record<ComputedField, string>> = {
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
 * @throws RingflowError when a name matches nothing that could be looked up sensibly (`query_too_large`)
 */
export function compileFilter(tree: FilterNode | null, names: NameLookup = NO_NAMES): SqlQuery {
  const params: Record<string, SqlValue> = {};
  let count = 0;
  const bind = (value: SqlValue, type: string): string => {
    const name = `f${count++}`;
    params[name] = value;
    return `{${name}:${type}}`;
  };
  return { sql: tree ? compileNode(tree, { bind, names }) : '1', params };
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
  const subjects = field.computed ? [COMPUTED_SQL[field.computed]] : field.columns;
  return anyOf(subjects.map((subject) => compileSubject(subject, node, context)));
}

function anyOf(conditions: readonly string[]): string {
  return conditions.length === 1
    ? (conditions[0] as string)
    : conditions.length === 0
      ? '0'
      : `(${conditions.join(' OR ')})`;
}

function compileSubject(subject: string, { field, operator, values }: ConditionNode, context: Context): string {
  if (operator === 'like' || operator === 'ilike' || operator === '~')
    return anyOf(values.map((value) => compilePattern(subject, field, operator, textOf(value), context)));
  if (operator === 'has' && field.kind === 'text') {
    return anyOf(values.map((value) => `position(${subject}, ${context.bind(textOf(value), 'String')}) > 0`));
  }
  if (field.kind === 'list')
    return anyOf(values.map((value) => `has(${subject}, ${context.bind(numberOf(value), 'UInt32')})`));
  if (operator === 'has') {
    return anyOf(
      values.map((value) => {
        const bits = context.bind(numberOf(value), 'UInt64');
        return `bitAnd(${subject}, ${bits}) = ${bits}`;
      }),
    );
  }
  if (operator === '=' || operator === 'in') return compileMembers(subject, field, values, context);
  const value = values[0] as FilterValue;
  if (value.kind === 'field') return `${subject} ${operator} ${value.field.columns[0] as string}`;
  if (value.kind === 'time') return `${subject} ${operator} ${bindTime(value.ns, context)}`;
  return `${subject} ${operator} ${bindNumber(numberOf(value), context)}`;
}

/** Equality with any of the values: plain numbers and texts share one list. */
function compileMembers(subject: string, field: FilterField, values: readonly FilterValue[], context: Context): string {
  const conditions: string[] = [];
  const numbers: number[] = [];
  const texts: string[] = [];
  for (const value of values) {
    switch (value.kind) {
      case 'number':
        numbers.push(value.value);
        break;
      case 'text':
        texts.push(value.text);
        break;
      case 'range':
        conditions.push(`${subject} BETWEEN ${bindNumber(value.from, context)} AND ${bindNumber(value.to, context)}`);
        break;
      case 'addresses': {
        const [from, to] = [formatAddressBytes(value.from), formatAddressBytes(value.to)];
        conditions.push(
          from === to
            ? `${subject} = ${context.bind(from, 'IPv6')}`
            : `${subject} BETWEEN ${context.bind(from, 'IPv6')} AND ${context.bind(to, 'IPv6')}`,
        );
        break;
      }
      case 'time':
        conditions.push(`${subject} = ${bindTime(value.ns, context)}`);
        break;
      case 'name':
        conditions.push(
          compileNames(subject, field, (name) => name.toLowerCase() === value.text.toLowerCase(), context),
        );
        break;
      case 'field':
        conditions.push(`${subject} = ${value.field.columns[0] as string}`);
        break;
    }
  }
  if (numbers.length > 0) {
    const whole = numbers.every((value) => Number.isSafeInteger(value) && value >= 0);
    conditions.push(
      numbers.length === 1
        ? `${subject} = ${bindNumber(numbers[0] as number, context)}`
        : `${subject} IN ${context.bind(numbers, whole ? 'Array(UInt64)' : 'Array(Float64)')}`,
    );
  }
  const textSubject = field.kind === 'hex' ? `lower(hex(${subject}))` : subject;
  if (texts.length > 0)
    conditions.push(
      texts.length === 1
        ? `${textSubject} = ${context.bind(texts[0] as string, 'String')}`
        : `${textSubject} IN ${context.bind(texts, 'Array(String)')}`,
    );
  return anyOf(conditions);
}

function compilePattern(
  subject: string,
  field: FilterField,
  operator: 'like' | 'ilike' | '~',
  pattern: string,
  context: Context,
): string {
  if (field.kind === 'interface' || field.kind === 'exporter' || field.kind === 'asn')
    return compileNames(subject, field, (name) => matchesLike(name, pattern, operator === 'ilike'), context);
  const value = context.bind(pattern, 'String');
  if (operator === '~') return `match(${subject}, ${value})`;
  return `${subject} ${operator === 'like' ? 'LIKE' : 'ILIKE'} ${value}`;
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
  if (field.kind === 'asn') {
    const numbers = bounded(context.names.asWhere(matches));
    return numbers.length === 0 ? '0' : `${subject} IN ${context.bind([...numbers], 'Array(UInt32)')}`;
  }
  const byExporter = new Map<string, number[]>();
  for (const { exporter, index } of bounded(context.names.interfacesWhere(matches)))
    byExporter.set(exporter, [...(byExporter.get(exporter) ?? []), index]);
  return anyOf(
    [...byExporter].map(
      ([exporter, indexes]) =>
        `(sampler_address = ${context.bind(exporter, 'IPv6')} AND ${subject} IN ${context.bind(indexes, 'Array(UInt32)')})`,
    ),
  );
}

function bounded<T>(matches: readonly T[]): readonly T[] {
  if (matches.length > MAX_NAME_MATCHES)
    throw new RingflowError('query_too_large', `${matches.length} names match`, { hint: 'Narrow the pattern' });
  return matches;
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
