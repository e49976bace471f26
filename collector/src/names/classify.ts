import { parsePattern, ruleProblems, type ClassifyRule } from './config.ts';

/** Facts by name; absent and empty ones are matched by nothing but patterns that find the empty text. */
export type Facts = Readonly<Record<string, string>>;

/** An attribute that a rule gave. */
export interface Given {
  readonly attribute: string;
  readonly value: string;
  /** Place of the rule in its list, from 0. */
  readonly rule: number;
}

/** Applies the rules in their order; for each attribute the first one that gives it a value wins. */
export type Classifier = (facts: Facts) => Given[];

/**
 * @param key where the rules stand in the configuration, for messages
 * @throws RangeError for a pattern that is no regular expression, or a boundary that is none
 */
export function createClassifier(rules: readonly ClassifyRule[], key: string): Classifier {
  rules.forEach((rule, at) => {
    for (const [place, message] of ruleProblems(rule)) throw new RangeError(`${key}[${at}].${place}: ${message}`);
  });
  const compiled = rules.map(({ match, set }) => ({
    patterns: Object.entries(match).map(([fact, text]) => [fact, parsePattern(text)] as const),
    values: Object.entries(set),
  }));
  return (facts) => {
    const given = new Map<string, Given>();
    compiled.forEach(({ patterns, values }, rule) => {
      const groups = matchAll(patterns, facts);
      if (!groups) return;
      for (const [attribute, template] of values) {
        if (given.has(attribute)) continue;
        const value = fill(template, groups).trim();
        if (value !== '') given.set(attribute, { attribute, value, rule });
      }
    });
    return [...given.values()];
  };
}

/** Groups by number, in the order of the patterns, and by name; null when one pattern is not found. */
function matchAll(patterns: readonly (readonly [string, RegExp])[], facts: Facts): Record<string, string> | null {
  const groups: Record<string, string> = {};
  let count = 0;
  for (const [fact, pattern] of patterns) {
    const found = pattern.exec(facts[fact] ?? '');
    if (!found) return null;
    for (const group of found.slice(1)) groups[++count] = group ?? '';
    Object.assign(groups, found.groups ?? {});
  }
  return groups;
}

function fill(template: string, groups: Readonly<Record<string, string>>): string {
  return template.replace(/\$(?:(\d+)|<(\w+)>|\$)/g, (whole, number?: string, name?: string) =>
    whole === '$$' ? '$' : (groups[number ?? name ?? ''] ?? ''),
  );
}
