import { parseRegex } from '@ringflow/contract';
import { matchesLike } from './like.ts';
import { createRegexMatcher } from './regex.ts';

/** How a pattern of the filter language tests names that are matched outside the engine. */
export function matchesName(operator: 'like' | 'ilike' | '~', pattern: string): (name: string) => boolean {
  if (operator !== '~') return (name) => matchesLike(name, pattern, operator === 'ilike');
  const { regex, error } = parseRegex(pattern);
  // The parser of filters refused it already; a tree made otherwise gets the reason.
  if (error !== undefined) throw new TypeError(error);
  return createRegexMatcher(regex);
}
