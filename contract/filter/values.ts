import type { Cursor } from './cursor.ts';
import { shown, shownToken } from './cursor.ts';
import { nearestNames, type FieldTable, type FilterField } from './fields.ts';
import type { Token } from './lexer.ts';
import { FILTER_LIMITS } from './limits.ts';
import { expectedValue, parseLiteral, takesNames } from './literals.ts';
import { takesPattern } from './operators.ts';
import { parseRegex } from './regex.ts';
import type { FilterOperator, FilterValue } from './tree.ts';

/** Named sets (`@internal`): each a list of values as they would be written in the filter. */
export type FilterSets = Readonly<Record<string, readonly string[]>>;

/** What values are read with. */
export interface ValueContext {
  readonly cursor: Cursor;
  readonly fields: FieldTable;
  readonly sets: FilterSets;
}

/** Words that join conditions are no values unless quoted, so that a forgotten value is noticed where it is missing. */
const RESERVED: ReadonlySet<string> = new Set(['and', 'or', 'not']);

/** The right side of a condition: a value, or a list where the operator takes one. */
export function parseValues(
  context: ValueContext,
  field: FilterField,
  operator: FilterOperator,
): readonly FilterValue[] {
  const { cursor } = context;
  const listed = operator === 'in' || operator === '=' || operator === 'has' || operator === 'contains';
  const open = cursor.peek();
  if (open.kind !== 'open') {
    const values = parseValue(context, field, operator);
    return listed || takesPattern(operator) ? values : [single(context, field, values, open)];
  }
  if (!listed) {
    cursor.fail(
      'filter_bad_operator',
      `${operator} takes one value`,
      open.span,
      ['in', 'not in'],
      'Write in before the list',
    );
  }
  cursor.next();
  const values: FilterValue[] = [];
  while (cursor.peek().kind !== 'close') {
    if (cursor.peek().kind === 'end') {
      cursor.fail('filter_syntax', 'List without end', open.span, [')'], 'Close the list with )');
    }
    // Not spread: a set may hold more values than a call takes arguments.
    for (const value of parseValue(context, field, operator)) values.push(value);
    if (values.length > FILTER_LIMITS.values) tooManyValues(context, open);
    if (cursor.peek().kind === 'comma') cursor.next();
  }
  cursor.next();
  if (values.length === 0) {
    const expected = expectedValue(field);
    cursor.fail('filter_bad_value', 'The list is empty', cursor.spanFrom(open.span), [expected], `Give ${expected}`);
  }
  return values;
}

/** Exactly one value that is not a range; `between` and comparisons need it. */
export function parseSingle(context: ValueContext, field: FilterField, operator: FilterOperator): FilterValue {
  const token = context.cursor.peek();
  return single(context, field, parseValue(context, field, operator), token);
}

function single(
  { cursor }: ValueContext,
  field: FilterField,
  values: readonly FilterValue[],
  token: Token,
): FilterValue {
  const value = values[0];
  if (!value || values.length > 1 || value.kind === 'range' || value.kind === 'name') {
    return cursor.fail(
      'filter_bad_value',
      `${shown(token.text)} is not a single value of ${field.name}`,
      token.span,
      [expectedValue(field)],
      `Give ${expectedValue(field)}`,
    );
  }
  return value;
}

function parseValue(context: ValueContext, field: FilterField, operator: FilterOperator): readonly FilterValue[] {
  const { cursor, fields } = context;
  const token = cursor.peek();
  const expected = expectedValue(field);
  const isWord = token.kind === 'word' && !RESERVED.has(token.text.toLowerCase());
  if (!isWord && token.kind !== 'string') {
    return cursor.fail(
      'filter_syntax',
      `Found ${shownToken(token)} where a value should stand`,
      token.span,
      [expected],
      `Give ${expected}`,
    );
  }
  cursor.next();
  if (takesPattern(operator)) return [parsePattern(context, operator, token)];
  if (isWord && token.text.startsWith('@')) return parseSet(context, field, token);
  // An unquoted field of the same kind is that field; in quotes it is a text.
  const other = isWord && operator !== 'has' && operator !== 'contains' ? fields.find(token.text) : undefined;
  if (other && comparable(field, other)) return [{ kind: 'field', field: other }];
  const values = parseLiteral(field, token.text);
  if (values.length > 0) return values;
  if (takesNames(field.kind) && (operator === '=' || operator === 'in')) return [{ kind: 'name', text: token.text }];
  return cursor.fail(
    'filter_bad_value',
    `${shown(token.text)} is not a value of ${field.name}`,
    token.span,
    [expected],
    `Give ${expected}`,
  );
}

/** Two plain columns of one kind can be compared with each other (`src_as = dst_as`). */
function comparable(field: FilterField, other: FilterField): boolean {
  const plain = (candidate: FilterField) =>
    candidate.columns.length === 1 && !candidate.computed && !candidate.attributes && candidate.kind !== 'list';
  // The same number means something else among other words or names.
  const alike = field.kind === other.kind && field.words === other.words && field.names === other.names;
  return alike && plain(field) && plain(other);
}

function parsePattern({ cursor }: ValueContext, operator: 'like' | 'ilike' | '~', token: Token): FilterValue {
  if (operator === '~') {
    const { error } = parseRegex(token.text);
    if (error !== undefined)
      cursor.fail(
        'filter_bad_value',
        error,
        token.span,
        ['a regular expression'],
        'Use what RE2 knows, and a backslash before characters with a meaning',
      );
  } else if (/(^|[^\\])(\\\\)*\\$/.test(token.text)) {
    cursor.fail(
      'filter_bad_value',
      'The pattern ends in a lone backslash',
      token.span,
      ['a pattern with % and _'],
      'Double the backslash',
    );
  }
  return { kind: 'text', text: token.text };
}

function parseSet(context: ValueContext, field: FilterField, token: Token): readonly FilterValue[] {
  const { cursor, sets } = context;
  const name = token.text.slice(1);
  const members = Object.hasOwn(sets, name) ? sets[name] : undefined;
  if (!members) {
    const known = Object.keys(sets).map((set) => `@${set}`);
    const near = nearestNames(name, Object.keys(sets)).map((set) => `@${set}`);
    const offered = (near.length > 0 ? near : known).slice(0, 10).join(', ');
    return cursor.fail(
      'filter_unknown_set',
      `Unknown set ${shown(token.text)}`,
      token.span,
      known,
      offered === '' ? 'Define it under names.sets in ringflow.yml' : `Use ${offered}`,
    );
  }
  const values: FilterValue[] = [];
  for (const member of members) {
    const read = parseLiteral(field, member);
    if (read.length === 0) {
      cursor.fail(
        'filter_bad_value',
        `${shown(member)} of ${token.text} is not a value of ${field.name}`,
        token.span,
        [expectedValue(field)],
        'Use a set whose values fit the field',
      );
    }
    for (const value of read) values.push(value);
    if (values.length > FILTER_LIMITS.values) tooManyValues(context, token);
  }
  if (values.length === 0)
    cursor.fail(
      'filter_bad_value',
      `The set ${token.text} is empty`,
      token.span,
      [],
      'Give it values in the configuration',
    );
  return values;
}

function tooManyValues({ cursor }: ValueContext, token: Token): never {
  return cursor.fail(
    'filter_too_complex',
    `More than ${FILTER_LIMITS.values} values in a list`,
    token.span,
    [],
    'Use prefixes or ranges',
  );
}
