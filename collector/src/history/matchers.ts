import { parseRegex, RingflowError, type RegexNode } from '@ringflow/contract';
import { matchesName } from '../query/index.ts';
import type { LabelMatcher } from './request.ts';

/** A label matcher, ready to test values. */
export interface Matcher {
  readonly name: string;
  /** A label that a series does not have is tested as the empty text. */
  matches(value: string): boolean;
  /** Where only these can match: an equality, or a regular expression that is a list of texts. */
  readonly values: readonly string[] | null;
}

/** Texts that a list in a regular expression may have to be looked up one by one. */
const MAX_VALUES = 1000;

/**
 * Compiles matchers as Prometheus means them: regular expressions are anchored and in RE2's syntax; they run in time
 * proportional to pattern times text.
 *
 * @throws RingflowError `bad_request` for a regular expression that cannot be read
 */
export function compileMatchers(matchers: readonly LabelMatcher[]): Matcher[] {
  return matchers.map(({ type, name, value }) => {
    if (type === '=') return { name, matches: (text) => text === value, values: [value] };
    if (type === '!=') return { name, matches: (text) => text !== value, values: null };
    const fits = anchored(name, value);
    if (type === '!~') return { name, matches: (text) => !fits(text), values: null };
    const { regex } = parseRegex(value);
    return { name, matches: fits, values: regex && !regex.ignoreCase ? textsOf(regex.node) : null };
  });
}

function anchored(name: string, pattern: string): (text: string) => boolean {
  const flag = pattern.startsWith('(?i)') ? '(?i)' : '';
  const { error } = parseRegex(pattern);
  if (error !== undefined)
    throw new RingflowError('bad_request', `The matcher of ${name} cannot be read: ${error}`, {
      hint: 'Write a regular expression without look-around, back references and named classes',
    });
  return matchesName('~', `${flag}^(?:${pattern.slice(flag.length)})$`);
}

/** All texts that a regular expression matches as a whole, when they are few and it has nothing but alternatives. */
function textsOf(node: RegexNode): string[] | null {
  switch (node.kind) {
    case 'class': {
      const [range, ...more] = node.ranges;
      const single = range && more.length === 0 && !node.negated && range[0] === range[1];
      return single ? [String.fromCodePoint(range[0])] : null;
    }
    case 'either': {
      const lists = node.items.map(textsOf);
      return bounded(lists.some((list) => list === null) ? null : lists.flatMap((list) => list ?? []));
    }
    case 'sequence':
      return node.items.reduce<string[] | null>(
        (heads, item) => {
          const tails = heads && textsOf(item);
          return tails && bounded(heads.flatMap((head) => tails.map((tail) => head + tail)));
        },
        [''],
      );
    default:
      return null;
  }
}

function bounded(texts: string[] | null): string[] | null {
  return texts && texts.length <= MAX_VALUES ? texts : null;
}
