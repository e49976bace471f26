import type { TextSpan } from '../errors.ts';
import type { FilterError } from './tree.ts';

export type TokenKind = 'word' | 'string' | 'operator' | 'open' | 'close' | 'comma' | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** The word, the operator, or the string without its quotes. */
  readonly text: string;
  readonly span: TextSpan;
}

export interface Tokens {
  readonly tokens: readonly Token[];
  readonly error?: FilterError;
  /** Where a string begins that does not end. */
  readonly openString?: number;
}

/** Longest first, so that `<=` is not read as `<`. */
const OPERATORS = ['!<<', '<<', '==', '=~', '!=', '<>', '<=', '>=', '!~', '&&', '||', '=', '<', '>', '~', '!'] as const;
/** Addresses, prefixes, ranges, sizes, interface names and `@sets` are one word each. */
const WORD = /[\p{L}\p{N}_.:/%@*+-]/u;
/** Any other backslash stays, so that `"\d+"` and `"100\%"` are what they look like. */
const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  '"': '"',
  "'": "'",
  '\\': '\\',
};

/** Splits a filter into tokens; blanks and comments (SQL style, to the end of the line or bracketed) are skipped. */
export function tokenize(text: string): Tokens {
  const tokens: Token[] = [];
  let at = 0;
  const fail = (message: string, offset: number, length: number, hint: string) => ({
    tokens,
    error: { code: 'filter_syntax', message, position: { offset, length }, expected: [], hint } satisfies FilterError,
  });
  const push = (kind: TokenKind, value: string, end: number) => {
    tokens.push({ kind, text: value, span: { offset: at, length: end - at } });
    at = end;
  };
  while (at < text.length) {
    const char = text[at] as string;
    if (/\s/.test(char)) at++;
    else if (text.startsWith('--', at)) at = lineEnd(text, at);
    else if (text.startsWith('/*', at)) {
      const end = text.indexOf('*/', at + 2);
      if (end < 0) return fail('Comment without end', at, 2, 'Close it with */');
      at = end + 2;
    } else if (char === '(' || char === '[') push('open', char, at + 1);
    else if (char === ')' || char === ']') push('close', char, at + 1);
    else if (char === ',') push('comma', char, at + 1);
    else if (char === '"' || char === "'") {
      const string = readString(text, at);
      if (!string)
        return { ...fail('String without end', at, text.length - at, `Close it with ${char}`), openString: at };
      push('string', string.value, string.end);
    } else {
      const operator = OPERATORS.find((candidate) => text.startsWith(candidate, at));
      if (operator) push('operator', operator, at + operator.length);
      else {
        let end = at;
        while (end < text.length && WORD.test(text[end] as string) && !isComment(text, end)) end++;
        if (end === at)
          return fail(
            `Character ${JSON.stringify(char)} has no meaning here`,
            at,
            1,
            'Put values with such characters into quotes',
          );
        push('word', text.slice(at, end), end);
      }
    }
  }
  tokens.push({ kind: 'end', text: '', span: { offset: text.length, length: 0 } });
  return { tokens };
}

function isComment(text: string, at: number): boolean {
  return text.startsWith('--', at) || text.startsWith('/*', at);
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
}

function readString(text: string, from: number): { value: string; end: number } | null {
  const quote = text[from];
  let value = '';
  for (let at = from + 1; at < text.length; at++) {
    const char = text[at] as string;
    if (char === quote) return { value, end: at + 1 };
    if (char === '\\' && at + 1 < text.length) {
      const next = text[++at] as string;
      value += ESCAPES[next] ?? `\\${next}`;
    } else value += char;
  }
  return null;
}
