import type { TextSpan } from '../errors.ts';
import { QUALITY } from '../columns.ts';
import { TCP_FLAGS } from '../values.ts';
import { createCursor, shown, shownToken, Stop, type Awaited } from './cursor.ts';
import { createFieldTable, nearestNames, type FieldTable, type FilterField } from './fields.ts';
import { tokenize, type Token } from './lexer.ts';
import { FILTER_LIMITS } from './limits.ts';
import { compareBytes, expectedValue, parseLiteral } from './literals.ts';
import { findOperator, NEGATABLE_WORDS, operatorsOf } from './operators.ts';
import type { ConditionNode, FilterError, FilterNode, FilterOperator, FilterResult, FilterValue } from './tree.ts';
import { parseSingle, parseValues, type FilterSets, type ValueContext } from './values.ts';

export interface ParseOptions {
  /** Fields to accept; default: those of the registry. */
  readonly fields?: FieldTable;
  readonly sets?: FilterSets;
}

const DEFAULT_FIELDS = createFieldTable();

/**
 * Parses a filter; never throws. An empty text is the filter that takes everything (`tree: null`).
 *
 *     or        = and { ("or" | "||") and }
 *     and       = unit { ("and" | "&&") unit }
 *     unit      = ("not" | "!") unit | "(" or ")" | condition
 *     condition = field [ "not" ] operator ( value | "(" value { "," value } ")" ) | flag
 */
export function parseFilter(text: string, options: ParseOptions = {}): FilterResult {
  const { error, tree } = parse(text, options);
  return error ? { error } : { tree: tree ?? null };
}

/** What could follow the text; null when it is wrong before its end. */
export function awaitedAtEnd(text: string, options: ParseOptions = {}): Awaited | null {
  const { error, awaited } = parse(text, options);
  return error && error.position.offset < text.trimEnd().length && !openList(error) ? null : (awaited ?? null);
}

/** A list that goes on is complained about at its beginning. */
function openList(error: FilterError): boolean {
  return error.expected.length === 1 && error.expected[0] === ')';
}

interface Parsed {
  readonly tree?: FilterNode | null;
  readonly error?: FilterError;
  readonly awaited?: Awaited;
}

function parse(text: string, options: ParseOptions): Parsed {
  if (text.length > FILTER_LIMITS.length) {
    return {
      error: {
        code: 'filter_too_complex',
        message: `The filter has ${text.length} characters, at most ${FILTER_LIMITS.length} are read`,
        position: { offset: FILTER_LIMITS.length, length: 0 },
        expected: [],
        hint: 'Put long lists into a named set of the configuration',
      },
    };
  }
  const { tokens, error } = tokenize(text);
  if (error) return { error };
  const cursor = createCursor(tokens);
  const parser = createParser({ cursor, fields: options.fields ?? DEFAULT_FIELDS, sets: options.sets ?? {} });
  try {
    return { tree: parser.filter(), awaited: cursor.awaited };
  } catch (stop) {
    if (stop instanceof Stop) return { error: stop.error, awaited: cursor.awaited };
    throw stop;
  }
}

/** Names of the bits of a kind of field, where it has such. */
function flagNames(field: FilterField): Readonly<Record<string, number>> {
  return field.kind === 'tcpFlags' ? TCP_FLAGS : field.kind === 'quality' ? QUALITY : {};
}

function createParser(context: ValueContext): { filter(): FilterNode | null } {
  const { cursor, fields } = context;
  let conditions = 0;
  let open = 0;
  /** The field of the `has` before, whose flags may go on: `flags has syn and not ack`. */
  let flagField: FilterField | null = null;

  function filter(): FilterNode | null {
    if (cursor.peek().kind === 'end') return null;
    const tree = either(0);
    const token = cursor.peek();
    if (token.kind !== 'end') {
      cursor.fail(
        'filter_syntax',
        `Found ${shownToken(token)} after the end of a condition`,
        token.span,
        ['and', 'or'],
        'Join conditions with "and" or "or"',
      );
    }
    return tree;
  }

  function either(depth: number): FilterNode {
    return group('or', '||', () => both(depth));
  }
  function both(depth: number): FilterNode {
    return group('and', '&&', () => unit(depth));
  }
  function group(kind: 'and' | 'or', symbol: string, item: () => FilterNode): FilterNode {
    const start = cursor.peek().span;
    const items = [item()];
    while (cursor.sees([kind], symbol)) {
      cursor.next();
      cursor.awaited = { what: 'field', nested: open > 0, ...(flagField ? { flags: flagField } : {}) };
      items.push(item());
    }
    return items.length === 1 ? (items[0] as FilterNode) : { kind, items, span: cursor.spanFrom(start) };
  }

  function unit(depth: number): FilterNode {
    const token = cursor.peek();
    if (depth > FILTER_LIMITS.depth) {
      cursor.fail(
        'filter_too_complex',
        `More than ${FILTER_LIMITS.depth} levels of nesting`,
        token.span,
        [],
        'Flatten the filter',
      );
    }
    if (cursor.sees(['not'], '!')) {
      cursor.next();
      const item = unit(depth + 1);
      return { kind: 'not', item, span: cursor.spanFrom(token.span) };
    }
    if (token.kind !== 'open' || token.text !== '(') {
      const node = condition();
      cursor.awaited = { what: 'conjunction', nested: open > 0 };
      return node;
    }
    cursor.next();
    open++;
    const inner = either(depth + 1);
    const close = cursor.peek();
    if (close.kind !== 'close') {
      cursor.fail(
        'filter_syntax',
        `Found ${shownToken(close)} where the group should go on or end`,
        close.span,
        ['and', 'or', ')'],
        'Close the parenthesis',
      );
    }
    cursor.next();
    open--;
    cursor.awaited = { what: 'conjunction', nested: open > 0 };
    return inner;
  }

  function condition(): FilterNode {
    const token = cursor.peek();
    if (++conditions > FILTER_LIMITS.conditions) {
      cursor.fail(
        'filter_too_complex',
        `More than ${FILTER_LIMITS.conditions} conditions`,
        token.span,
        [],
        'Use lists or a named set',
      );
    }
    cursor.awaited = { ...cursor.awaited, what: 'field', ...(flagField ? { flags: flagField } : {}) };
    const going = bareFlag(token);
    if (going) return going;
    flagField = null;
    const field = fieldAt(token);
    cursor.next();
    cursor.awaited = { what: 'operator', field };
    const { operator, negated } = operatorFor(field);
    let node: FilterNode;
    if (operator === 'between') node = between(field, token.span);
    else {
      cursor.awaited = { what: 'value', field, operator };
      node = membership(field, operator, parseValues(context, field, operator), token.span);
      // After a negated one, nobody knows whether the next flag should be negated too.
      if (operator === 'has' && !negated && Object.keys(flagNames(field)).length > 0) flagField = field;
    }
    return negated ? { kind: 'not', item: node, span: node.span } : node;
  }

  function bareFlag(token: Token): FilterNode | null {
    if (!flagField || token.kind !== 'word') return null;
    if (!Object.hasOwn(flagNames(flagField), token.text.toLowerCase()) || isOperator(cursor.peek(1))) return null;
    cursor.next();
    return membership(flagField, 'has', parseLiteral(flagField, token.text), token.span);
  }

  function fieldAt(token: Token): FilterField {
    if (token.kind !== 'word' || cursor.sees(['and', 'or'])) {
      return cursor.fail(
        'filter_syntax',
        `Found ${shownToken(token)} where a field name should stand`,
        token.span,
        ['field'],
        'Start a condition with a field, such as src_addr',
      );
    }
    const field = fields.find(token.text);
    if (field) return field;
    const missing = fields.whyNotAvailable(token.text);
    if (missing !== undefined) {
      return cursor.fail(
        'filter_unknown_field',
        `${shown(token.text)} is not available: ${missing}`,
        token.span,
        ['field'],
        'Remove the condition, or list the fields with GET /api/v1/fields',
      );
    }
    const near = fields.nearest(token.text);
    const hint = Object.hasOwn(TCP_FLAGS, token.text.toLowerCase())
      ? `Write flags has ${token.text}`
      : near.length > 0
        ? `Did you mean ${near.join(', ')}?`
        : 'List the fields with GET /api/v1/fields';
    return cursor.fail(
      'filter_unknown_field',
      `Unknown field ${shown(token.text)}`,
      token.span,
      near.length > 0 ? near : ['field'],
      hint,
    );
  }

  function operatorFor(field: FilterField): { operator: FilterOperator | 'between'; negated: boolean } {
    const allowed = operatorsOf(field.kind);
    const start = cursor.peek().span;
    const not = cursor.sees(['not']);
    if (not) {
      cursor.next();
      cursor.awaited = { what: 'operator', field, negated: true };
    }
    const token = cursor.peek();
    const meaning = isOperator(token) ? findOperator(token.text) : undefined;
    if (!meaning || (not && !NEGATABLE_WORDS.includes(token.text.toLowerCase()))) {
      const near = nearestNames(token.text, allowed);
      return cursor.fail(
        'filter_syntax',
        `Found ${shownToken(token)} where an operator should stand`,
        token.span,
        allowed,
        near.length > 0 ? `Did you mean ${near.join(', ')}?` : `Use one of ${allowed.join(', ')}`,
      );
    }
    cursor.next();
    // Only lists know an order of items; elsewhere `contains` says what `has` says.
    const operator = meaning.operator === 'contains' && field.kind !== 'list' ? 'has' : meaning.operator;
    if (!allowed.includes(operator)) {
      return cursor.fail(
        'filter_bad_operator',
        `${field.name} does not take ${token.text}`,
        cursor.spanFrom(start),
        allowed,
        `Use one of ${allowed.join(', ')}`,
      );
    }
    return { operator, negated: not || meaning.negated === true };
  }

  function between(field: FilterField, start: TextSpan): FilterNode {
    cursor.awaited = { what: 'value', field, operator: '>=' };
    const first = cursor.peek();
    const low = parseSingle(context, field, '>=');
    cursor.awaited = { what: 'and', field };
    const token = cursor.peek();
    if (!cursor.sees(['and'], '&&')) {
      cursor.fail(
        'filter_syntax',
        `Found ${shownToken(token)} where "and" should stand`,
        token.span,
        ['and'],
        'Write between LOW and HIGH',
      );
    }
    cursor.next();
    cursor.awaited = { what: 'value', field, operator: '<=' };
    const high = parseSingle(context, field, '<=');
    if (low.kind === 'field' || high.kind === 'field') {
      cursor.fail(
        'filter_bad_value',
        'between takes two values, not fields',
        cursor.spanFrom(first.span),
        [expectedValue(field)],
        'Compare with >= and <=',
      );
    }
    if (isAbove(low, high)) {
      cursor.fail(
        'filter_bad_value',
        'The bounds are the wrong way round',
        cursor.spanFrom(first.span),
        [expectedValue(field)],
        'Swap them',
      );
    }
    if (low.kind === 'addresses' && high.kind === 'addresses') {
      return membership(field, 'in', [{ kind: 'addresses', from: low.from, to: high.to }], start);
    }
    if (low.kind === 'number' && high.kind === 'number') {
      return membership(field, 'in', [{ kind: 'range', from: low.value, to: high.value }], start);
    }
    const items = [membership(field, '>=', [low], start), membership(field, '<=', [high], start)];
    return { kind: 'and', items, span: cursor.spanFrom(start) };
  }

  /** A range or several values after `=` mean membership. */
  function membership(
    field: FilterField,
    operator: FilterOperator,
    values: readonly FilterValue[],
    start: TextSpan,
  ): ConditionNode {
    const one = values.length === 1 && values[0]?.kind !== 'range';
    const meant = operator === '=' && !one ? 'in' : operator === 'contains' && one ? 'has' : operator;
    return { kind: 'condition', field, operator: meant, values, span: cursor.spanFrom(start) };
  }

  return { filter };
}

function isOperator(token: Token): boolean {
  return (token.kind === 'operator' || token.kind === 'word') && findOperator(token.text) !== undefined;
}

/** True when the lower bound of a `between` lies above the upper one. */
function isAbove(low: FilterValue, high: FilterValue): boolean {
  if (low.kind === 'number' && high.kind === 'number') return low.value > high.value;
  if (low.kind === 'time' && high.kind === 'time') return low.ns > high.ns;
  return low.kind === 'addresses' && high.kind === 'addresses' && compareBytes(low.from, high.to) > 0;
}
