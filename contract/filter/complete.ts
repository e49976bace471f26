import { ETHER_TYPE_LIST, FLOW_TYPE_LIST, PROTOCOL_LIST } from '../names.ts';
import { QUALITY } from '../columns.ts';
import { serviceNames } from '../services.ts';
import { TCP_FLAGS } from '../values.ts';
import type { Awaited } from './cursor.ts';
import { createFieldTable, normalizeName, type FilterField } from './fields.ts';
import { formatFilterText } from './format.ts';
import { tokenize } from './lexer.ts';
import { NEGATABLE_WORDS, OPERATOR_TEXTS, operatorsOf, takesPattern } from './operators.ts';
import { awaitedAtEnd, type ParseOptions } from './parser.ts';
import type { FilterOperator } from './tree.ts';

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
const DEFAULT_FIELDS = createFieldTable();

/** Suggestions for the place of the cursor (characters from 0). Editor and API share this code. */
export function completeFilter(text: string, cursor: number, options: ParseOptions = {}): FilterCompletion {
  const { awaited, offset, prefix } = placeOf(text.slice(0, cursor), options);
  const replace = { offset, length: cursor - offset };
  if (!awaited) return { suggestions: [], replace };
  return { ...suggest(awaited, prefix, options), replace };
}

interface Place {
  readonly awaited: Awaited | null;
  /** Where the replaced text begins. */
  readonly offset: number;
  /** What was typed of the suggestion, without a quote. */
  readonly prefix: string;
}

function placeOf(before: string, options: ParseOptions): Place {
  // Inside a string: what was typed after the quote, and the quote is replaced with it.
  const { openString } = tokenize(before);
  if (openString !== undefined) {
    const prefix = before.slice(openString + 1);
    return { awaited: awaitedAtEnd(before.slice(0, openString), options), offset: openString, prefix };
  }
  const word = /[\p{L}\p{N}_.:/%@*+-]*$/u.exec(before)?.[0] ?? '';
  const offset = before.length - word.length;
  const awaited = awaitedAtEnd(before.slice(0, offset), options);
  if (awaited || word !== '') return { awaited, offset, prefix: word };
  // Half an operator: `src_addr !`.
  const symbol = /[!=<>~]+$/.exec(before)?.[0] ?? '';
  const place = awaitedAtEnd(before.slice(0, before.length - symbol.length), options);
  return { awaited: place?.what === 'operator' ? place : null, offset: before.length - symbol.length, prefix: symbol };
}

function suggest(awaited: Awaited, prefix: string, options: ParseOptions): Omit<FilterCompletion, 'replace'> {
  const pick = (suggestions: readonly FilterSuggestion[]) => ({
    suggestions: suggestions
      .filter((suggestion) => matches(suggestion.text, prefix))
      .sort((a, b) => rank(a.text, prefix) - rank(b.text, prefix))
      .slice(0, MAX_SUGGESTIONS),
  });
  switch (awaited.what) {
    case 'field': {
      const flags = awaited.flags ? suggestValues(staticValues(awaited.flags)) : [];
      const fields = (options.fields ?? DEFAULT_FIELDS).fields.map((field): FilterSuggestion => ({
        text: field.name,
        kind: 'field',
        detail: field.description,
      }));
      return pick([...flags, ...fields, keyword('not', 'Negate the next condition')]);
    }
    case 'operator': {
      const operators = awaited.field ? operatorsOf(awaited.field.kind) : [];
      return pick(
        operators
          .filter((text) => !awaited.negated || NEGATABLE_WORDS.includes(text))
          .map((text) => ({ text, kind: 'operator', detail: OPERATOR_TEXTS[text] ?? '' })),
      );
    }
    case 'value':
      return awaited.field ? suggestFor(awaited.field, awaited.operator, prefix, options, pick) : { suggestions: [] };
    case 'and':
      return pick([keyword('and', 'Up to the higher bound')]);
    case 'conjunction':
      return pick([
        keyword('and', 'Both must hold'),
        keyword('or', 'One must hold'),
        ...(awaited.nested ? [keyword(')', 'End of the group')] : []),
      ]);
  }
}

function suggestFor(
  field: FilterField,
  operator: FilterOperator | undefined,
  prefix: string,
  options: ParseOptions,
  pick: (suggestions: readonly FilterSuggestion[]) => { suggestions: FilterSuggestion[] },
): Omit<FilterCompletion, 'replace'> {
  const isPattern = operator !== undefined && takesPattern(operator);
  const known = isPattern ? [] : suggestValues(staticValues(field));
  const sets = Object.keys(isPattern ? {} : (options.sets ?? {})).map((name): FilterSuggestion => ({
    text: `@${name}`,
    kind: 'set',
    detail: 'Configured set',
  }));
  const picked = pick([...known, ...sets]);
  if (known.length > 0 || field.computed || isPattern || prefix.startsWith('@')) return picked;
  return { ...picked, needsValues: { field: field.name, prefix } };
}

function suggestValues(values: readonly (readonly [value: string, detail: string])[]): FilterSuggestion[] {
  return values.map(([text, detail]) => ({ text, kind: 'value', detail }));
}

function keyword(text: string, detail: string): FilterSuggestion {
  return { text, kind: 'keyword', detail };
}

function staticValues({ kind, words }: FilterField): (readonly [value: string, detail: string])[] {
  switch (kind) {
    case 'word':
      return (words ?? []).filter((word) => word !== '').map((word) => [formatFilterText(word), '']);
    case 'proto':
      return PROTOCOL_LIST.map(([number, name]) => [formatFilterText(name), `Protocol ${number}`]);
    case 'etype':
      return ETHER_TYPE_LIST.map(([number, name]) => [formatFilterText(name), `0x${number.toString(16)}`]);
    case 'flowType':
      return FLOW_TYPE_LIST.map(([, name]) => [formatFilterText(name), 'Flow type']);
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
      return serviceNames().map((name) => [formatFilterText(name), 'Service']);
    default:
      return [];
  }
}

function matches(candidate: string, prefix: string): boolean {
  return normalizeName(candidate).includes(normalizeName(prefix));
}

/** What begins with the prefix comes first. */
function rank(candidate: string, prefix: string): number {
  return normalizeName(candidate).startsWith(normalizeName(prefix)) ? 0 : 1;
}
