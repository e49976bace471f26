/**
 * The regular expressions of the filter language: what RE2 (the engine) and this parser both understand, so that a
 * wrong one is refused with its place before it reaches the engine, and names can be matched outside the engine in
 * linear time. No look-around and no back references: RE2 has none either.
 *
 *     alternatives a|b · groups (a) (?:a) · . ^ $ · * + ? {2} {2,} {2,5}, each with a lazy ? · classes [a-z] [^0-9]
 *     \d \w \s \D \W \S \b \B · \n \t \r · \. and other escaped punctuation · (?i) in front: any case
 */
export type RegexNode =
  | { readonly kind: 'class'; readonly ranges: readonly CharRange[]; readonly negated: boolean }
  | { readonly kind: 'assert'; readonly what: 'start' | 'end' | 'word' | 'notWord' }
  | { readonly kind: 'sequence' | 'either'; readonly items: readonly RegexNode[] }
  /** `max` Infinity = any number. */
  | { readonly kind: 'repeat'; readonly item: RegexNode; readonly min: number; readonly max: number };

/** Code points, both ends included. */
export type CharRange = readonly [from: number, to: number];

export interface Regex {
  readonly node: RegexNode;
  readonly ignoreCase: boolean;
}

export type RegexResult =
  { readonly regex: Regex; readonly error?: undefined } | { readonly regex?: undefined; readonly error: string };

/** RE2 refuses more repetitions than this, nested ones multiplied. */
const MAX_REPEAT = 1000;
/** Nodes with repetitions written out; far below what RE2 has memory for. */
const MAX_SIZE = 2000;
const MAX_DEPTH = 50;

const DIGITS: readonly CharRange[] = [[0x30, 0x39]];
const WORD: readonly CharRange[] = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];
/** RE2's `\s` has no vertical tab. */
const SPACE: readonly CharRange[] = [
  [0x09, 0x0a],
  [0x0c, 0x0d],
  [0x20, 0x20],
];
const SHORTHANDS: Readonly<Record<string, { ranges: readonly CharRange[]; negated: boolean }>> = {
  d: { ranges: DIGITS, negated: false },
  D: { ranges: DIGITS, negated: true },
  w: { ranges: WORD, negated: false },
  W: { ranges: WORD, negated: true },
  s: { ranges: SPACE, negated: false },
  S: { ranges: SPACE, negated: true },
};
const CONTROLS: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13 };
const ANY: RegexNode = { kind: 'class', ranges: [], negated: true };

class BadRegex extends Error {}

/** Parses a regular expression; the error is a sentence with the place in it. */
export function parseRegex(pattern: string): RegexResult {
  const ignoreCase = pattern.startsWith('(?i)');
  const chars = [...(ignoreCase ? pattern.slice(4) : pattern)];
  let at = 0;

  const fail = (message: string): never => {
    throw new BadRegex(`${message} at character ${at + 1 + (ignoreCase ? 4 : 0)} of the regular expression`);
  };

  function either(depth: number): RegexNode {
    if (depth > MAX_DEPTH) fail('Too many groups inside each other');
    const items = [sequence(depth)];
    while (chars[at] === '|') {
      at++;
      items.push(sequence(depth));
    }
    return items.length === 1 ? (items[0] as RegexNode) : { kind: 'either', items };
  }

  function sequence(depth: number): RegexNode {
    const items: RegexNode[] = [];
    while (at < chars.length && chars[at] !== '|' && chars[at] !== ')') items.push(repeated(depth));
    return items.length === 1 ? (items[0] as RegexNode) : { kind: 'sequence', items };
  }

  function repeated(depth: number): RegexNode {
    const item = atom(depth);
    const bounds = readBounds();
    if (!bounds) return item;
    if (chars[at] === '?') at++;
    if (chars[at] === '*' || chars[at] === '+' || chars[at] === '?' || boundsAt(at)) fail('Two repetitions in a row');
    const node: RegexNode = { kind: 'repeat', item, ...bounds };
    if (repetitions(node) > MAX_REPEAT) fail(`More than ${MAX_REPEAT} repetitions`);
    return node;
  }

  function readBounds(): { min: number; max: number } | null {
    const char = chars[at];
    if (char === '*' || char === '+' || char === '?') {
      at++;
      return { min: char === '+' ? 1 : 0, max: char === '?' ? 1 : Infinity };
    }
    const bounds = boundsAt(at);
    if (!bounds) return null;
    if (bounds.min > bounds.max || bounds.min > MAX_REPEAT || (bounds.max > MAX_REPEAT && bounds.max !== Infinity))
      fail('A repetition that is too large or the wrong way round');
    at += bounds.length;
    return { min: bounds.min, max: bounds.max };
  }

  /** `{2}`, `{2,}` or `{2,5}`; any other brace stands for itself. */
  function boundsAt(from: number): { min: number; max: number; length: number } | null {
    if (chars[from] !== '{') return null;
    const match = /^\{(\d{1,6})(,(\d{0,6}))?\}/.exec(chars.slice(from, from + 16).join(''));
    if (!match) return null;
    const min = Number(match[1]);
    const max = match[2] === undefined ? min : match[3] === '' ? Infinity : Number(match[3]);
    return { min, max, length: match[0].length };
  }

  function atom(depth: number): RegexNode {
    const char = chars[at] as string;
    switch (char) {
      case '(':
        return group(depth);
      case '[':
        return bracket();
      case '.':
        at++;
        return ANY;
      case '^':
      case '$':
        at++;
        return { kind: 'assert', what: char === '^' ? 'start' : 'end' };
      case '*':
      case '+':
      case '?':
        return fail('Nothing to repeat');
      case '\\':
        return escape();
      default:
        at++;
        return literal(char.codePointAt(0) as number);
    }
  }

  function group(depth: number): RegexNode {
    at++;
    if (chars[at] === '?') {
      if (chars[at + 1] !== ':') fail('Only (…), (?:…) and a (?i) in front are known');
      at += 2;
    }
    const node = either(depth + 1);
    if (chars[at] !== ')') fail('A group without end');
    at++;
    return node;
  }

  function escape(): RegexNode {
    const char = chars[at + 1];
    if (char === 'b' || char === 'B') {
      at += 2;
      return { kind: 'assert', what: char === 'b' ? 'word' : 'notWord' };
    }
    const shorthand = char !== undefined && Object.hasOwn(SHORTHANDS, char) ? SHORTHANDS[char] : undefined;
    if (!shorthand) return literal(escapedChar());
    at += 2;
    return { kind: 'class', ...shorthand };
  }

  /** `\n`, `\.` …: one character. */
  function escapedChar(): number {
    const char = chars[at + 1];
    if (char === undefined) return fail('A backslash without a character');
    const control = Object.hasOwn(CONTROLS, char) ? CONTROLS[char] : undefined;
    if (control === undefined && !/^[!-/:-@[-`{-~]$/.test(char)) return fail(`Unknown escape \\${char}`);
    at += 2;
    return control ?? (char.codePointAt(0) as number);
  }

  function bracket(): RegexNode {
    at++;
    const negated = chars[at] === '^';
    if (negated) at++;
    const ranges: CharRange[] = [];
    // RE2 takes a bracket in first place as a character, but ClickHouse's own reading of the pattern before it does not.
    if (chars[at] === ']') fail('A class that begins with ], which is written \\],');
    while (chars[at] !== ']') {
      if (at >= chars.length) fail('A class without end');
      if (chars[at] === '[' && chars[at + 1] === ':') fail('Classes such as [:alpha:] are not known');
      const next = chars[at + 1];
      const shorthand =
        chars[at] === '\\' && next !== undefined && Object.hasOwn(SHORTHANDS, next) ? SHORTHANDS[next] : undefined;
      if (shorthand) {
        at += 2;
        ranges.push(...(shorthand.negated ? complement(shorthand.ranges) : shorthand.ranges));
        continue;
      }
      const from = classChar();
      if (chars[at] === '-' && chars[at + 1] !== ']' && chars[at + 1] !== undefined) {
        at++;
        const to = classChar();
        if (to < from) fail('A range the wrong way round');
        ranges.push([from, to]);
      } else ranges.push([from, from]);
    }
    at++;
    return { kind: 'class', ranges, negated };
  }

  function classChar(): number {
    if (chars[at] === '\\') return escapedChar();
    return (chars[at++] as string).codePointAt(0) as number;
  }

  try {
    const node = either(0);
    if (at < chars.length) fail('A closing parenthesis too many');
    if (sizeOf(node) > MAX_SIZE) return { error: 'The regular expression is too large' };
    return { regex: { node, ignoreCase } };
  } catch (error) {
    if (error instanceof BadRegex) return { error: error.message };
    throw error;
  }
}

/** One character. */
function literal(code: number): RegexNode {
  return { kind: 'class', ranges: [[code, code]], negated: false };
}

/** All code points outside of sorted ranges. */
function complement(ranges: readonly CharRange[]): CharRange[] {
  const out: CharRange[] = [];
  let from = 0;
  for (const [low, high] of ranges) {
    if (low > from) out.push([from, low - 1]);
    from = high + 1;
  }
  return [...out, [from, 0x10ffff]];
}

/** Copies that a bounded repetition stands for, nested ones multiplied. */
function repetitions(node: RegexNode): number {
  if (node.kind === 'repeat') return repetitions(node.item) * copiesOf(node);
  if (node.kind === 'class' || node.kind === 'assert') return 1;
  return node.items.reduce((most, item) => Math.max(most, repetitions(item)), 1);
}

/** Nodes when repetitions are written out. */
function sizeOf(node: RegexNode): number {
  if (node.kind === 'repeat') return 1 + sizeOf(node.item) * copiesOf(node);
  if (node.kind === 'class' || node.kind === 'assert') return 1;
  return node.items.reduce((sum, item) => sum + sizeOf(item), 1);
}

function copiesOf({ min, max }: { min: number; max: number }): number {
  return Math.max(1, max === Infinity ? min : max);
}
