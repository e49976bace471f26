import type { ErrorCode, TextSpan } from '../errors.ts';
import type { FilterField } from './fields.ts';
import type { Token } from './lexer.ts';
import type { FilterError, FilterOperator } from './tree.ts';

/** Unwinds the recursive descent; caught by `parse`, never seen outside. */
export class Stop extends Error {
  readonly error: FilterError;
  constructor(error: FilterError) {
    super(error.message);
    this.error = error;
  }
}

/** What the parser was waiting for when it stopped; completion starts from it. */
export interface Awaited {
  readonly what: 'field' | 'operator' | 'value' | 'and' | 'conjunction';
  readonly field?: FilterField;
  readonly operator?: FilterOperator;
  /** The operator began with `not`. */
  readonly negated?: boolean;
  /** `flags has syn and …`: flags of this field may go on. */
  readonly flags?: FilterField;
  /** A parenthesis is open. */
  readonly nested?: boolean;
}

/** The place in the tokens, and how to complain about it. */
export interface Cursor {
  awaited: Awaited;
  peek(ahead?: number): Token;
  next(): Token;
  /** True when the next token is one of the words (any case) or the symbol. */
  sees(words: readonly string[], symbol?: string): boolean;
  /** From the start to the last token that was taken. */
  spanFrom(start: TextSpan): TextSpan;
  fail(code: ErrorCode, message: string, position: TextSpan, expected: readonly string[], hint?: string): never;
}

export function createCursor(tokens: readonly Token[]): Cursor {
  let at = 0;
  const peek = (ahead = 0) => tokens[Math.min(at + ahead, tokens.length - 1)] as Token;
  return {
    awaited: { what: 'field' },
    peek,
    next: () => {
      const token = peek();
      at++;
      return token;
    },
    sees: (words, symbol) => {
      const token = peek();
      return token.kind === 'word'
        ? words.includes(token.text.toLowerCase())
        : token.kind === 'operator' && token.text === symbol;
    },
    spanFrom: (start) => {
      const last = (tokens[Math.min(at, tokens.length) - 1] as Token).span;
      return { offset: start.offset, length: last.offset + last.length - start.offset };
    },
    fail: (code, message, position, expected, hint) => {
      throw new Stop({ code, message, position, expected, hint });
    },
  };
}

/** A token as messages show it, cut where it is long. */
export function shownToken(token: Token): string {
  return token.kind === 'end' ? 'the end of the filter' : shown(token.text);
}

/** A text as messages show it. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
}
