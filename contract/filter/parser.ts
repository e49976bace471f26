import type { ErrorCode, TextSpan } from '../errors.ts';
import { TCP_FLAGS } from '../values.ts';
import { createFieldTable, nearestNames, operatorsOf, type FieldTable, type FilterField } from './fields.ts';
import { tokenize, type Token } from './lexer.ts';
import { LITERAL_HINTS, parseLiteral, takesNames, takesPattern } from './literals.ts';
import type { ConditionNode, FilterError, FilterNode, FilterOperator, FilterResult, FilterValue } from './tree.ts';

export interface ParseOptions {
  /** Fields to accept; default: those of the registry. */
  readonly fields?: FieldTable;
  /** Named sets (`@internal`): each a list of values as they would be written in the filter. */
  readonly sets?: Readonly<Record<string, readonly string[]>>;
}

/** Deepest nesting, most conditions and most values of a list; beyond is an error, not a crash. */
export const FILTER_LIMITS = { length: 65_536, depth: 64, conditions: 2_000, values: 20_000 } as const;

/** What the parser was waiting for when the text ended; completion starts from it. */
export interface Awaited {
  readonly what: 'field' | 'operator' | 'value' | 'conjunction';
  readonly field?: FilterField;
  readonly operator?: FilterOperator;
}

const DEFAULT_FIELDS = createFieldTable();

/** Parses a filter. An empty text is the filter that takes everything (`tree: null`). */
export function parseFilter(text: string, options: ParseOptions = {}): FilterResult {
  const { error, tree } = parse(text, options);
  return error ? { error } : { tree: tree ?? null };
}

/** What could follow the text; null when it is wrong before its end. */
export function awaitedAtEnd(text: string, options: ParseOptions = {}): Awaited | null {
  const { error, awaited } = parse(text, options);
  return error && error.position.offset < text.trimEnd().length ? null : (awaited ?? null);
}

/** Unwinds the recursive descent; caught in `parse`, never seen outside. */
class Stop extends Error {
  readonly error: FilterError;
  constructor(error: FilterError) {
    super(error.message);
    this.error = error;
  }
}

interface Parsed {
  tree?: FilterNode | null;
  error?: FilterError;
  awaited?: Awaited;
}

/** How an operator is written: words are case-insensitive; `negated` wraps the condition in `not`. */
const OPERATOR_WORDS: Readonly<Record<string, { operator: FilterOperator | 'between'; negated?: boolean }>> = {
  '=': { operator: '=' },
  '==': { operator: '=' },
  '!=': { operator: '=', negated: true },
  '<>': { operator: '=', negated: true },
  '<': { operator: '<' },
  '<=': { operator: '<=' },
  '>': { operator: '>' },
  '>=': { operator: '>=' },
  '<<': { operator: 'in' },
  '!<<': { operator: 'in', negated: true },
  '~': { operator: '~' },
  '!~': { operator: '~', negated: true },
  in: { operator: 'in' },
  notin: { operator: 'in', negated: true },
  like: { operator: 'like' },
  unlike: { operator: 'like', negated: true },
  ilike: { operator: 'ilike' },
  iunlike: { operator: 'ilike', negated: true },
  between: { operator: 'between' },
  has: { operator: 'has' },
  contains: { operator: 'has' },
};

function parse(text: string, options: ParseOptions): Parsed {
  const table = options.fields ?? DEFAULT_FIELDS;
  let awaited: Awaited | undefined;
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
  const lexed = tokenize(text);
  if (lexed.error) return { error: lexed.error };
  const tokens = lexed.tokens;
  let at = 0;
  let conditions = 0;
  let flagField: FilterField | null = null;

  const peek = (ahead = 0) => tokens[Math.min(at + ahead, tokens.length - 1)] as Token;
  const next = () => tokens[Math.min(at++, tokens.length - 1)] as Token;
  const isWord = (token: Token, ...words: string[]) =>
    token.kind === 'word' && words.includes(token.text.toLowerCase());
  const spanFrom = (start: TextSpan): TextSpan => {
    const last = (tokens[at - 1] as Token).span;
    return { offset: start.offset, length: last.offset + last.length - start.offset };
  };

  function fail(
    code: ErrorCode,
    message: string,
    position: TextSpan,
    expected: readonly string[],
    hint?: string,
  ): never {
    throw new Stop({ code, message, position, expected, hint });
  }
  const shown = (token: Token) => (token.kind === 'end' ? 'the end of the filter' : JSON.stringify(token.text));

  function parseOr(depth: number): FilterNode {
    return parseGroup('or', ['or'], '||', () => parseAnd(depth));
  }
  function parseAnd(depth: number): FilterNode {
    return parseGroup('and', ['and'], '&&', () => parseUnit(depth));
  }
  function parseGroup(kind: 'and' | 'or', words: string[], symbol: string, item: () => FilterNode): FilterNode {
    const start = peek().span;
    const items = [item()];
    while (isWord(peek(), ...words) || (peek().kind === 'operator' && peek().text === symbol)) {
      next();
      items.push(item());
    }
    return items.length === 1 ? (items[0] as FilterNode) : { kind, items, span: spanFrom(start) };
  }

  function parseUnit(depth: number): FilterNode {
    if (depth > FILTER_LIMITS.depth)
      fail(
        'filter_too_complex',
        `More than ${FILTER_LIMITS.depth} levels of nesting`,
        peek().span,
        [],
        'Flatten the filter',
      );
    const token = peek();
    if (isWord(token, 'not') || (token.kind === 'operator' && token.text === '!')) {
      next();
      const item = parseUnit(depth + 1);
      return { kind: 'not', item, span: spanFrom(token.span) };
    }
    if (token.kind === 'open' && token.text === '(') {
      next();
      flagField = null;
      const inner = parseOr(depth + 1);
      awaited = { what: 'conjunction' };
      if (peek().kind !== 'close')
        fail(
          'filter_syntax',
          `Found ${shown(peek())} where the group should go on or end`,
          peek().span,
          ['and', 'or', ')'],
          'Close the parenthesis',
        );
      next();
      flagField = null;
      return inner;
    }
    return parseCondition();
  }

  function parseCondition(): FilterNode {
    awaited = { what: 'field' };
    const token = peek();
    if (++conditions > FILTER_LIMITS.conditions)
      fail(
        'filter_too_complex',
        `More than ${FILTER_LIMITS.conditions} conditions`,
        token.span,
        [],
        'Use lists or a named set',
      );
    // `flags has syn and not ack`: a bare flag goes on with the field before it.
    if (
      flagField &&
      token.kind === 'word' &&
      Object.hasOwn(TCP_FLAGS, token.text.toLowerCase()) &&
      !startsOperator(peek(1))
    ) {
      next();
      return condition(flagField, 'has', parseLiteral('tcpFlags', token.text), token.span);
    }
    flagField = null;
    if (token.kind !== 'word')
      fail(
        'filter_syntax',
        `Found ${shown(token)} where a field name should stand`,
        token.span,
        ['field'],
        'Start a condition with a field, such as src_addr',
      );
    const field = table.find(token.text);
    if (!field) {
      const near = table.nearest(token.text);
      fail(
        'filter_unknown_field',
        `Unknown field ${JSON.stringify(token.text)}`,
        token.span,
        ['field'],
        near.length > 0 ? `Did you mean ${near.join(', ')}?` : 'List the fields with GET /api/v1/fields',
      );
    }
    next();
    awaited = { what: 'operator', field };
    const { operator, negated, span } = parseOperator(field);
    awaited = { what: 'value', field, operator: operator === 'between' ? 'in' : operator };
    let node: FilterNode;
    if (operator === 'between') node = parseBetween(field, token.span);
    else {
      const values = parseValues(field, operator, span);
      node = condition(field, operator, values, token.span);
      if (operator === 'has' && field.kind === 'tcpFlags') flagField = field;
    }
    awaited = { what: 'conjunction' };
    return negated ? { kind: 'not', item: node, span: node.span } : node;
  }

  function condition(
    field: FilterField,
    operator: FilterOperator,
    values: readonly FilterValue[],
    start: TextSpan,
  ): ConditionNode {
    // A prefix, a range or several services after `=` mean membership.
    const single = values.length === 1 && values[0]?.kind !== 'range';
    return {
      kind: 'condition',
      field,
      operator: operator === '=' && !single ? 'in' : operator,
      values,
      span: spanFrom(start),
    };
  }

  function startsOperator(token: Token): boolean {
    return (
      (token.kind === 'operator' && Object.hasOwn(OPERATOR_WORDS, token.text)) ||
      (token.kind === 'word' && Object.hasOwn(OPERATOR_WORDS, token.text.toLowerCase()))
    );
  }

  function parseOperator(field: FilterField) {
    let token = next();
    let negated = false;
    const start = token.span;
    if (isWord(token, 'not')) {
      negated = true;
      token = next();
    }
    const entry = startsOperator(token) ? OPERATOR_WORDS[token.text.toLowerCase()] : undefined;
    if (!entry || (negated && entry.negated)) {
      const words = operatorsOf(field.kind);
      const near = nearestNames(token.text, words);
      fail(
        'filter_syntax',
        `Found ${shown(token)} where an operator should stand`,
        token.span,
        words,
        near.length > 0 ? `Did you mean ${near.join(', ')}?` : `Use one of ${words.join(' ')}`,
      );
    }
    const allowed = operatorsOf(field.kind);
    if (!allowed.includes(entry.operator)) {
      fail(
        'filter_bad_operator',
        `${field.name} does not take ${token.text}`,
        token.span,
        allowed,
        `Use one of ${allowed.join(' ')}`,
      );
    }
    return { operator: entry.operator, negated: negated || entry.negated === true, span: spanFrom(start) };
  }

  function parseBetween(field: FilterField, start: TextSpan): FilterNode {
    const low = one(field, parseValue(field, '>='));
    if (!isWord(peek(), 'and'))
      fail(
        'filter_syntax',
        `Found ${shown(peek())} where "and" should stand`,
        peek().span,
        ['and'],
        'Write between LOW and HIGH',
      );
    next();
    const high = one(field, parseValue(field, '<='));
    if (low.kind === 'addresses' && high.kind === 'addresses') {
      return condition(
        field,
        'in',
        [{ kind: 'addresses', from: low.from, to: high.to, text: `${low.text}-${high.text}` }],
        start,
      );
    }
    if (low.kind === 'number' && high.kind === 'number')
      return condition(field, 'in', [{ kind: 'range', from: low.value, to: high.value }], start);
    const items = [condition(field, '>=', [low], start), condition(field, '<=', [high], start)];
    return { kind: 'and', items, span: spanFrom(start) };
  }

  function one(field: FilterField, values: readonly FilterValue[]): FilterValue {
    const value = values[0];
    if (!value || values.length > 1 || value.kind === 'range')
      fail('filter_bad_value', `${field.name} needs a single value here`, (tokens[at - 1] as Token).span, [
        LITERAL_HINTS[field.kind],
      ]);
    return value;
  }

  function parseValues(field: FilterField, operator: FilterOperator, operatorSpan: TextSpan): readonly FilterValue[] {
    if (peek().kind !== 'open') {
      const values = parseValue(field, operator);
      if (operator !== 'in' && operator !== '=' && operator !== 'has' && !takesPattern(operator)) one(field, values);
      return values;
    }
    if (operator !== 'in' && operator !== '=' && operator !== 'has')
      fail(
        'filter_bad_operator',
        'A list needs in or not in',
        operatorSpan,
        ['in', 'not in'],
        'Write in before the list',
      );
    const open = next();
    const values: FilterValue[] = [];
    while (peek().kind !== 'close') {
      if (peek().kind === 'end') fail('filter_syntax', 'List without end', open.span, [')'], 'Close the list with )');
      values.push(...parseValue(field, operator));
      if (values.length > FILTER_LIMITS.values)
        fail(
          'filter_too_complex',
          `More than ${FILTER_LIMITS.values} values in a list`,
          peek().span,
          [],
          'Use prefixes or ranges',
        );
      if (peek().kind === 'comma') next();
    }
    next();
    if (values.length === 0)
      fail('filter_bad_value', 'The list is empty', spanFrom(open.span), [LITERAL_HINTS[field.kind]]);
    return values;
  }

  function parseValue(field: FilterField, operator: FilterOperator): readonly FilterValue[] {
    const token = next();
    const expected = [LITERAL_HINTS[field.kind]];
    if (token.kind !== 'word' && token.kind !== 'string')
      fail(
        'filter_syntax',
        `Found ${shown(token)} where a value should stand`,
        token.span,
        expected,
        `Give ${expected[0]}`,
      );
    if (takesPattern(operator)) return [{ kind: 'text', text: token.text }];
    if (token.kind === 'word' && token.text.startsWith('@')) return parseSet(field, token);
    const values = parseLiteral(field.kind, token.text);
    if (values.length > 0) return values;
    const other = token.kind === 'word' ? table.find(token.text) : undefined;
    if (
      other &&
      other.kind === field.kind &&
      other.columns.length === 1 &&
      field.columns.length === 1 &&
      !other.computed &&
      !field.computed
    )
      return [{ kind: 'field', field: other }];
    if (takesNames(field.kind) && (operator === '=' || operator === 'in')) return [{ kind: 'name', text: token.text }];
    return fail(
      'filter_bad_value',
      `${JSON.stringify(token.text)} is not a value of ${field.name}`,
      token.span,
      expected,
      `Give ${expected[0]}`,
    );
  }

  function parseSet(field: FilterField, token: Token): readonly FilterValue[] {
    const name = token.text.slice(1);
    const sets = options.sets ?? {};
    const members = Object.hasOwn(sets, name) ? sets[name] : undefined;
    if (!members) {
      const names = Object.keys(sets);
      fail(
        'filter_unknown_set',
        `Unknown set ${token.text}`,
        token.span,
        names.map((known) => `@${known}`),
        names.length > 0
          ? `Use one of ${names.map((known) => `@${known}`).join(', ')}`
          : 'Define it under names.sets in ringflow.yml',
      );
    }
    return members.flatMap((member) => {
      const values = parseLiteral(field.kind, member);
      if (values.length === 0)
        fail(
          'filter_bad_value',
          `${JSON.stringify(member)} of ${token.text} is not a value of ${field.name}`,
          token.span,
          [LITERAL_HINTS[field.kind]],
        );
      return values;
    });
  }

  try {
    awaited = { what: 'field' };
    if (peek().kind === 'end') return { tree: null, awaited };
    const tree = parseOr(0);
    if (peek().kind !== 'end')
      fail(
        'filter_syntax',
        `Found ${shown(peek())} after the end of a condition`,
        peek().span,
        ['and', 'or'],
        'Join conditions with "and" or "or"',
      );
    return { tree, awaited };
  } catch (stop) {
    if (stop instanceof Stop) return awaited ? { error: stop.error, awaited } : { error: stop.error };
    throw stop;
  }
}
