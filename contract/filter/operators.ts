import type { FieldKind } from './fields.ts';
import type { FilterOperator } from './tree.ts';

/** What a spelling of an operator means. `between` becomes a range, `negated` puts a `not` around the condition. */
export interface OperatorMeaning {
  readonly operator: FilterOperator | 'between';
  readonly negated?: boolean;
}

/** Every spelling, words in lower case; Akvorado's `<<`, `notin`, `unlike` and `iunlike` are among them. */
const SPELLINGS: ReadonlyMap<string, OperatorMeaning> = new Map<string, OperatorMeaning>([
  ['=', { operator: '=' }],
  ['==', { operator: '=' }],
  ['!=', { operator: '=', negated: true }],
  ['<>', { operator: '=', negated: true }],
  ['<', { operator: '<' }],
  ['<=', { operator: '<=' }],
  ['>', { operator: '>' }],
  ['>=', { operator: '>=' }],
  ['<<', { operator: 'in' }],
  ['!<<', { operator: 'in', negated: true }],
  ['~', { operator: '~' }],
  ['=~', { operator: '~' }],
  ['!~', { operator: '~', negated: true }],
  ['in', { operator: 'in' }],
  ['notin', { operator: 'in', negated: true }],
  ['between', { operator: 'between' }],
  ['like', { operator: 'like' }],
  ['unlike', { operator: 'like', negated: true }],
  ['ilike', { operator: 'ilike' }],
  ['iunlike', { operator: 'ilike', negated: true }],
  ['has', { operator: 'has' }],
  ['contains', { operator: 'contains' }],
]);

/** Meaning of a spelling in any case, or undefined. */
export function findOperator(text: string): OperatorMeaning | undefined {
  return SPELLINGS.get(text.toLowerCase());
}

/** Operators that may follow the word `not`. */
export const NEGATABLE_WORDS: readonly string[] = ['in', 'between', 'like', 'ilike', 'has', 'contains'];

const EQUALITY = ['=', '!=', 'in', 'not in'] as const;
const ORDER = ['<', '<=', '>', '>=', 'between'] as const;
const PATTERNS = ['like', 'not like', 'ilike', 'not ilike', '~', '!~'] as const;

const OPERATORS: Readonly<Record<FieldKind, readonly string[]>> = {
  number: [...EQUALITY, ...ORDER],
  port: [...EQUALITY, ...ORDER],
  duration: [...EQUALITY, ...ORDER],
  time: [...EQUALITY, ...ORDER],
  asn: [...EQUALITY, ...ORDER, ...PATTERNS],
  proto: [...EQUALITY, ...ORDER],
  etype: [...EQUALITY, ...ORDER],
  flowType: EQUALITY,
  direction: EQUALITY,
  service: EQUALITY,
  mac: EQUALITY,
  addr: [...EQUALITY, 'between'],
  interface: [...EQUALITY, ...PATTERNS],
  exporter: [...EQUALITY, ...PATTERNS],
  text: [...EQUALITY, ...PATTERNS, 'has', 'not has'],
  hex: [...EQUALITY, ...PATTERNS, 'has', 'not has'],
  tcpFlags: ['has', 'not has', ...EQUALITY],
  quality: ['has', 'not has', ...EQUALITY],
  word: EQUALITY,
  country: EQUALITY,
  named: [...EQUALITY, ...PATTERNS],
  attribute: [...EQUALITY, ...PATTERNS],
  list: ['has', 'not has', 'contains', 'not contains', ...EQUALITY],
};

/** Operators that make sense for a kind of field, in the order in which completion offers them. */
export function operatorsOf(kind: FieldKind): readonly string[] {
  return OPERATORS[kind];
}

/** Operators whose right side is a pattern and not a value. */
export function takesPattern(operator: FilterOperator): operator is 'like' | 'ilike' | '~' {
  return operator === 'like' || operator === 'ilike' || operator === '~';
}

/** What completion says about each operator. */
export const OPERATOR_TEXTS: Readonly<Record<string, string>> = {
  '=': 'equals',
  '!=': 'differs from',
  '<': 'less than',
  '<=': 'at most',
  '>': 'more than',
  '>=': 'at least',
  in: 'one of a list, a range or a prefix',
  'not in': 'none of a list, a range or a prefix',
  between: 'from … and …, both included',
  like: 'pattern with % and _',
  'not like': 'does not fit a pattern with % and _',
  ilike: 'pattern with % and _, any case',
  'not ilike': 'does not fit a pattern, any case',
  '~': 'matches a regular expression',
  '!~': 'does not match a regular expression',
  has: 'has the flag, the item or the part of the text',
  'not has': 'has it not',
  contains: 'has these items one after the other',
  'not contains': 'has these items nowhere one after the other',
};
