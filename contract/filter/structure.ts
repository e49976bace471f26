import type { TextSpan } from '../errors.ts';
import { tokenize, type Token } from './lexer.ts';
import { findOperator } from './operators.ts';

/**
 * How a filter text is built, without knowing what its fields and values mean: enough to show it as rows and to put
 * values in place of Grafana's template variables. Unlike the parser it takes `$name` for a value, a field or a whole
 * condition.
 */
export type StructureNode = StructureGroup | StructureNot | StructureCondition;

export interface StructureGroup {
  readonly kind: 'and' | 'or';
  readonly items: readonly StructureNode[];
}

export interface StructureNot {
  readonly kind: 'not';
  readonly item: StructureNode;
}

/** `field operator values`. Without an operator it is a flag that goes on (`has syn and ack`), or a variable. */
export interface StructureCondition {
  readonly kind: 'condition';
  readonly field: Part;
  /** In lower case, blanks made one: `=`, `not in`; empty for a flag or a variable that stands alone. */
  readonly operator: string;
  readonly values: readonly Part[];
  /** The values stand in parentheses. */
  readonly list: boolean;
  readonly span: TextSpan;
}

/** A field or value as it is written. */
export interface Part {
  /** Characters of the text, quotes included. */
  readonly raw: string;
  /** Without quotes and escapes. Variables are as they are written. */
  readonly text: string;
  readonly quoted: boolean;
  readonly span: TextSpan;
}

/** Grafana's ways to write a variable: `$name`, `${name}`, `${name:format}`, `[[name]]`. */
export const VARIABLE = /\$\{[\w.]+(?::[^{}]*)?\}|\$\w+|\[\[\w+(?::\w+)?\]\]/g;

export function hasVariable(text: string): boolean {
  return text.search(VARIABLE) >= 0;
}

/** A letter that nobody writes: variables become words of it, as long as they are, so that places stay what they are. */
const MASK = 'ǂ';

/** Reads how a filter is built; null for an empty one, undefined where brackets or quotes do not fit. */
export function readStructure(text: string): StructureNode | null | undefined {
  return read(text).tree;
}

/** The conditions of a filter that is still being written; of the last one, as much as there is. */
export function readConditions(text: string): readonly StructureCondition[] {
  return read(text).conditions;
}

interface Reading {
  readonly tree: StructureNode | null | undefined;
  readonly conditions: readonly StructureCondition[];
}

function read(text: string): Reading {
  const { tokens, error, openString } = tokenize(text.replace(VARIABLE, (name) => MASK.repeat(name.length)));
  if (error) return { tree: undefined, conditions: openString ? readConditions(text.slice(0, openString)) : [] };
  const conditions: StructureCondition[] = [];
  let at = 0;
  const peek = (ahead = 0): Token => tokens[Math.min(at + ahead, tokens.length - 1)] as Token;
  const word = (token: Token, ...words: string[]) => token.kind === 'word' && words.includes(token.text.toLowerCase());
  const symbol = (token: Token, text: string) => token.kind === 'operator' && token.text === text;

  function group(kind: 'and' | 'or', sign: string, item: () => StructureNode | undefined): StructureNode | undefined {
    const items: StructureNode[] = [];
    for (;;) {
      const next = item();
      if (!next) return undefined;
      items.push(next);
      if (!word(peek(), kind) && !symbol(peek(), sign)) break;
      at++;
    }
    return items.length === 1 ? items[0] : { kind, items };
  }
  const either = (): StructureNode | undefined => group('or', '||', () => group('and', '&&', unit));

  function unit(): StructureNode | undefined {
    if (word(peek(), 'not') || symbol(peek(), '!')) {
      at++;
      const item = unit();
      return item && { kind: 'not', item };
    }
    if (peek().kind !== 'open') return condition();
    at++;
    const inner = either();
    if (!inner || peek().kind !== 'close') return undefined;
    at++;
    return inner;
  }

  function condition(): StructureNode | undefined {
    const start = peek();
    if (start.kind !== 'word' && start.kind !== 'string') return undefined;
    if (word(start, 'and', 'or')) return undefined;
    at++;
    const operator = operatorText();
    const values: Part[] = [];
    let list = false;
    const field = partOf(text, start);
    const number = conditions.push({ kind: 'condition', field, operator, values, list, span: start.span }) - 1;
    if (operator.endsWith('between')) {
      values.push(partOf(text, peek()));
      if (!word(peek(1), 'and') && !symbol(peek(1), '&&')) return undefined;
      values.push(partOf(text, peek(2)));
      at += 3;
    } else if (operator !== '') {
      list = peek().kind === 'open';
      if (!list) values.push(partOf(text, peek()));
      at++;
      for (; list && peek().kind !== 'close'; at++) {
        if (peek().kind === 'end') return undefined;
        if (peek().kind !== 'comma') values.push(partOf(text, peek()));
      }
      if (list) at++;
    }
    if (at > tokens.length - 1) return undefined;
    const last = (tokens[at - 1] as Token).span;
    const span = { offset: start.span.offset, length: last.offset + last.length - start.span.offset };
    return (conditions[number] = { kind: 'condition', field, operator, values, list, span });
  }

  function operatorText(): string {
    const not = word(peek(), 'not') ? 1 : 0;
    const token = peek(not);
    if ((token.kind !== 'word' && token.kind !== 'operator') || !findOperator(token.text)) return '';
    at += not + 1;
    return `${not ? 'not ' : ''}${token.text.toLowerCase()}`;
  }

  if (peek().kind === 'end') return { tree: null, conditions };
  const tree = either();
  return { tree: peek().kind === 'end' ? tree : undefined, conditions };
}

function partOf(text: string, token: Token): Part {
  const raw = text.slice(token.span.offset, token.span.offset + token.span.length);
  const quoted = token.kind === 'string';
  if (!quoted) return { raw, text: raw, quoted, span: token.span };
  // Where a variable stands in the quotes, its letters were masked for the lexer.
  const plain = hasVariable(raw) ? raw.slice(1, -1).replace(/\\(["'\\])/g, '$1') : token.text;
  return { raw, text: plain, quoted, span: token.span };
}
