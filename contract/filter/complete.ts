import { ETHER_TYPE_LIST, FLOW_TYPE_LIST, PROTOCOL_LIST } from '../names.ts';
import { QUALITY } from '../columns.ts';
import { serviceNames } from '../services.ts';
import { TCP_FLAGS } from '../values.ts';
import { createFieldTable, normalizeName, operatorsOf, type FieldKind } from './fields.ts';
import { awaitedAtEnd, type ParseOptions } from './parser.ts';

export interface FilterSuggestion {
  /** What to put in place of `replace`. */
  readonly text: string;
  readonly kind: 'field' | 'operator' | 'value' | 'keyword' | 'set';
  readonly detail: string;
}

export interface FilterCompletion {
  readonly suggestions: readonly FilterSuggestion[];
  /** Characters that a suggestion replaces. */
  readonly replace: { readonly offset: number; readonly length: number };
  /** Values that only the collector's data can tell: ask for this field's values that begin with the prefix. */
  readonly needsValues?: { readonly field: string; readonly prefix: string };
}

const MAX_SUGGESTIONS = 50;

/** Suggestions for the place of the cursor (characters from 0). Editor and API share this code. */
export function completeFilter(text: string, cursor: number, options: ParseOptions = {}): FilterCompletion {
  const before = text.slice(0, cursor);
  const prefix = /[\p{L}\p{N}_.:/%@*+-]*$/u.exec(before)?.[0] ?? '';
  const replace = { offset: cursor - prefix.length, length: prefix.length };
  const awaited = awaitedAtEnd(before.slice(0, replace.offset), options);
  if (!awaited) return { suggestions: [], replace };
  const fields = options.fields ?? createFieldTable();
  const pick = (suggestions: readonly FilterSuggestion[]) =>
    suggestions
      .filter((suggestion) => matches(suggestion.text, prefix))
      .sort((a, b) => rank(a.text, prefix) - rank(b.text, prefix))
      .slice(0, MAX_SUGGESTIONS);
  switch (awaited.what) {
    case 'field': {
      const suggestions = fields.fields.map((field): FilterSuggestion => ({
        text: field.name,
        kind: 'field',
        detail: field.description,
      }));
      return {
        suggestions: pick([...suggestions, { text: 'not', kind: 'keyword', detail: 'Negate the next condition' }]),
        replace,
      };
    }
    case 'operator': {
      const operators = awaited.field ? operatorsOf(awaited.field.kind) : [];
      return {
        suggestions: pick(operators.map((text) => ({ text, kind: 'operator', detail: OPERATOR_TEXTS[text] ?? '' }))),
        replace,
      };
    }
    case 'value': {
      if (!awaited.field) return { suggestions: [], replace };
      const sets = Object.keys(options.sets ?? {}).map((name): FilterSuggestion => ({
        text: `@${name}`,
        kind: 'set',
        detail: 'Configured set',
      }));
      const known = staticValues(awaited.field.kind).map(([value, detail]): FilterSuggestion => ({
        text: value,
        kind: 'value',
        detail,
      }));
      const suggestions = pick([...known, ...sets]);
      return known.length > 0 || awaited.field.computed
        ? { suggestions, replace }
        : { suggestions, replace, needsValues: { field: awaited.field.columns[0] as string, prefix } };
    }
    case 'conjunction':
      return {
        suggestions: pick(
          ['and', 'or'].map((word) => ({
            text: word,
            kind: 'keyword',
            detail: word === 'and' ? 'Both must hold' : 'One must hold',
          })),
        ),
        replace,
      };
  }
}

const OPERATOR_TEXTS: Readonly<Record<string, string>> = {
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
  ilike: 'pattern with % and _, any case',
  '~': 'regular expression (RE2)',
  '!~': 'no match of a regular expression (RE2)',
  has: 'contains',
};

function staticValues(kind: FieldKind): (readonly [value: string, detail: string])[] {
  switch (kind) {
    case 'proto':
      return PROTOCOL_LIST.map(([number, name]) => [word(name), `Protocol ${number}`]);
    case 'etype':
      return ETHER_TYPE_LIST.map(([number, name]) => [word(name), `0x${number.toString(16)}`]);
    case 'flowType':
      return FLOW_TYPE_LIST.map(([, name]) => [word(name), 'Flow type']);
    case 'direction':
      return [
        ['ingress', 'Seen on the way in'],
        ['egress', 'Seen on the way out'],
      ];
    case 'tcpFlags':
      return Object.keys(TCP_FLAGS).map((name) => [name, 'TCP flag']);
    case 'quality':
      return Object.keys(QUALITY).map((name) => [name, 'Quality flag']);
    case 'service':
    case 'port':
      return serviceNames().map((name) => [word(name), 'Service']);
    default:
      return [];
  }
}

function word(name: string): string {
  return /^[\w.:/-]+$/.test(name) ? name : JSON.stringify(name);
}

function matches(candidate: string, prefix: string): boolean {
  return normalizeName(candidate).includes(normalizeName(prefix));
}

/** What begins with the prefix comes first. */
function rank(candidate: string, prefix: string): number {
  return normalizeName(candidate).startsWith(normalizeName(prefix)) ? 0 : 1;
}
