import {
  compareBytes,
  isMappedIpv4,
  maskPrefix,
  parseService,
  type Attribute,
  type ComputedField,
  type ConditionNode,
  type FilterNode,
  type FilterValue,
} from '@ringflow/contract';
import { matchesLike } from '../like.ts';
import { matchesName } from '../name-match.ts';
import type { NameLookup } from '../resolve.ts';

/** A row as plain values: numbers, bigint nanoseconds, sixteen address bytes, texts, lists. */
export type EvaluatedRow = Readonly<Record<string, number | bigint | string | Uint8Array | readonly number[]>>;

/** What the filter means, written without SQL: the oracle of the property test. */
export function evaluateFilter(tree: FilterNode | null, row: EvaluatedRow, names: NameLookup): boolean {
  if (!tree) return true;
  if (tree.kind === 'not') return !evaluateFilter(tree.item, row, names);
  if (tree.kind !== 'condition') {
    const test = (item: FilterNode) => evaluateFilter(item, row, names);
    return tree.kind === 'and' ? tree.items.every(test) : tree.items.some(test);
  }
  const { field } = tree;
  if (tree.operator === 'contains') return containsInOrder(row[field.columns[0] as string] as readonly number[], tree);
  if (field.attributes) return field.attributes.some((attribute) => hasAttribute(attribute, tree, row, names));
  const subjects = field.computed
    ? [compute(field.computed, row)]
    : field.columns.map((column) => valueOf(row, column));
  return subjects.some((subject, index) =>
    tree.values.some((value) => compare(subject, field.columns[index] as string, tree, value, row, names)),
  );
}

/** A stored value, that of the client's or server's end, or the network of an address. */
function valueOf(row: EvaluatedRow, column: string): EvaluatedRow[string] | undefined {
  if (column.endsWith('_prefix')) {
    const address = row[column.replace('prefix', 'addr')] as Uint8Array;
    return maskPrefix(address, isMappedIpv4(address) ? 120 : 48).bytes;
  }
  if (!/^(client|server)_/.test(column) || column === 'client_side') return row[column];
  const isSource = (column.startsWith('client') ? 1 : 2) === (Number(row['client_side']) === 2 ? 2 : 1);
  return row[column.replace(/^(client|server)/, isSource ? 'src' : 'dst')];
}

function hasAttribute(attribute: Attribute, { operator, values }: ConditionNode, row: EvaluatedRow, names: NameLookup) {
  const key = valueOf(row, attribute.key);
  const known = names
    .attributeValues(attribute)
    .find(
      ({ exporter, id }) =>
        (exporter === '' || exporter === row['exporter_text']) && (attribute.kind === 'exporter' || id === Number(key)),
    );
  const isPattern = operator === 'like' || operator === 'ilike' || operator === '~';
  return values.some((value) => {
    const { text } = value as { text: string };
    if (isPattern) return known !== undefined && matchesName(operator, text)(known.value);
    return (known?.value ?? '').toLowerCase() === text.toLowerCase();
  });
}

/** The values of the condition, one after the other, somewhere in the list. */
function containsInOrder(list: readonly number[], { values }: ConditionNode): boolean {
  const wanted = values.map((value) => (value.kind === 'number' ? value.value : Number.NaN));
  return list.some((_, at) => wanted.every((value, index) => list[at + index] === value));
}

function compute(field: ComputedField, row: EvaluatedRow): number {
  const durationNs = Number((row['time_flow_end_ns'] as bigint) - (row['time_flow_start_ns'] as bigint));
  const rate = Math.max(Number(row['sampling_rate']), 1);
  switch (field) {
    case 'dscp':
      return Number(row['ip_tos']) >> 2;
    case 'duration':
      return durationNs / 1e6;
    case 'bps':
      return (Number(row['bytes']) * rate * 8e9) / Math.max(durationNs, 1e6);
    case 'pps':
      return (Number(row['packets']) * rate * 1e9) / Math.max(durationNs, 1e6);
    case 'bpp':
      return Number(row['packets']) === 0 ? 0 : Number(row['bytes']) / Number(row['packets']);
  }
}

function compare(
  subject: EvaluatedRow[string] | undefined,
  column: string,
  { field, operator }: ConditionNode,
  value: FilterValue,
  row: EvaluatedRow,
  names: NameLookup,
): boolean {
  if (value.kind === 'field') return order(subject, valueOf(row, value.field.columns[0] as string), operator);
  const named = field.kind === 'exporter' || field.kind === 'interface' || field.names !== undefined;
  const isPattern = operator === 'like' || operator === 'ilike' || operator === '~';
  if (named && (value.kind === 'name' || isPattern)) {
    const text = (value as { text: string }).text;
    const matches = isPattern
      ? matchesName(operator, text)
      : (name: string) => name.toLowerCase() === text.toLowerCase();
    if (field.names !== undefined)
      return (
        names.idsWhere(field.names, matches).includes(Number(subject)) ||
        (field.names === 'app' && !isPattern && parseService(text).includes(Number(subject))) ||
        (field.kind === 'named' && !isPattern && /^\d+$/.test(text) && Number(text) === Number(subject))
      );
    if (field.kind === 'exporter') return names.exportersWhere(matches).includes(String(row['exporter_text']));
    return names
      .interfacesWhere(matches)
      .some((known) => known.exporter === row['exporter_text'] && known.index === Number(row[column]));
  }
  switch (value.kind) {
    case 'range':
      return Number(subject) >= value.from && Number(subject) <= value.to;
    case 'addresses':
      return compareBytes(subject as Uint8Array, value.from) >= 0 && compareBytes(subject as Uint8Array, value.to) <= 0;
    case 'time':
      return order(subject, value.ns, operator);
    case 'number':
      if (Array.isArray(subject)) return subject.includes(value.value);
      if (operator === 'has') return (Number(subject) & value.value) === value.value;
      return order(Number(subject), value.value, operator);
    case 'text':
    case 'name': {
      const text = field.kind === 'hex' ? hex(String(subject)) : String(subject);
      if (operator === 'has') return text.includes(value.text);
      if (operator === 'like' || operator === 'ilike') return matchesLike(text, value.text, operator === 'ilike');
      // JavaScript's own engine, so that two implementations of regular expressions are compared.
      if (operator === '~') return javascriptRegex(value.text).test(text);
      return text === value.text;
    }
  }
}

function order(a: unknown, b: unknown, operator: ConditionNode['operator']): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareBytes(a, b) === 0;
  const [left, right] = [a as number, b as number];
  if (operator === '<') return left < right;
  if (operator === '<=') return left <= right;
  if (operator === '>') return left > right;
  if (operator === '>=') return left >= right;
  return left === right;
}

function javascriptRegex(pattern: string): RegExp {
  return pattern.startsWith('(?i)') ? new RegExp(pattern.slice(4), 'is') : new RegExp(pattern, 's');
}

/** Digits of the text's UTF-8 bytes, lower case. */
function hex(text: string): string {
  return [...new TextEncoder().encode(text)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
