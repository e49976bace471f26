import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Session } from 'chdb';
import { parseRegex } from '@ringflow/contract';
import { createRandom } from '../../../contract/filter/testing/random-filter.ts';
import { createRegexMatcher, engineRegex } from './regex.ts';

const directory = mkdtempSync(join(tmpdir(), 'ringflow-regex-'));
const session = new Session(directory);
afterAll(() => {
  session.close();
  rmSync(directory, { recursive: true, force: true });
});

const TEXTS = [
  '',
  'a',
  'A',
  'ab',
  'aab b',
  'xe-0/0/1',
  'Xe-0/0/1.100',
  'b\nc',
  'ü',
  'Übung 1',
  '10.0.0.1',
  'a]b',
  '_',
  '{2}',
  '\\',
];

function matches(pattern: string): boolean[] {
  const { regex, error } = parseRegex(pattern);
  if (error !== undefined) throw new Error(`${pattern}: ${error}`);
  return TEXTS.map(createRegexMatcher(regex));
}

function engineMatches(patterns: readonly string[]): boolean[][] {
  // arrayMap would refuse a pattern that is not constant, so each is a column.
  const columns = patterns.map((_, index) => `match(t, {p${index}:String})`).join(', ');
  const params = {
    texts: TEXTS,
    ...Object.fromEntries(patterns.map((pattern, index) => [`p${index}`, engineRegex(pattern)])),
  };
  const sql = `SELECT ${columns} FROM (SELECT arrayJoin(arrayEnumerate({texts:Array(String)})) AS i, {texts:Array(String)}[i] AS t ORDER BY i)`;
  const rows = JSON.parse(
    `[${session.queryBind(sql, params, 'JSONCompactEachRow').trim().split('\n').join(',')}]`,
  ) as number[][];
  return patterns.map((_, column) => rows.map((row) => row[column] === 1));
}

const ATOMS = [
  'a',
  'b',
  'A',
  'ü',
  '.',
  '\\d',
  '\\w',
  '\\W',
  '\\s',
  '\\S',
  '\\D',
  '\\.',
  '\\/',
  '-',
  '[ab]',
  '[^a]',
  '[a-c\\d]',
  '[a\\]]',
  '[\\]a]',
  '[\\W_]',
  '[x-]',
  '^',
  '$',
  '\\b',
  '\\B',
  '\\n',
  '{',
  '}',
  ']',
  '0/0',
  '(?:a|)',
  '()',
];
const REPEATS = ['', '', '', '*', '+', '?', '{2}', '{0,1}', '{1,}', '*?', '+?', '{0}'];

test('a repetition after a character of several bytes is one of the character, for the engine, too', () => {
  const patterns = ['üü*', 'aü?b', 'ü{0}a', '(?i)xÜ*e', '[ü]*', '\\[ü*', '[a\\]ü*]b'];
  expect(engineMatches(patterns)).toEqual(patterns.map(matches));
  expect(patterns.map(engineRegex)).toEqual([
    'ü[ü]*',
    'a[ü]?b',
    '[ü]{0}a',
    '(?i)x[Ü]*e',
    '[ü]*',
    '\\[[ü]*',
    '[a\\]ü*]b',
  ]);
});

test('random regular expressions match what the engine matches', () => {
  const random = createRandom(3);
  const oneOf = (items: readonly string[]) => items[random(items.length)] as string;
  const piece = (depth: number): string => {
    const parts = Array.from({ length: 1 + random(3) }, () => {
      const atom = depth > 0 && random(3) === 0 ? `(${piece(depth - 1)})` : oneOf(ATOMS);
      // A repetition after an assertion means different things to different engines.
      return /^(\^|\$|\\b|\\B|\{|\})$/.test(atom) ? atom : atom + oneOf(REPEATS);
    });
    return parts.join(oneOf(['', '', '|']));
  };
  const patterns = Array.from(
    { length: Number(process.env['RINGFLOW_RANDOM_FILTERS'] ?? 1_500) },
    () => (random(4) === 0 ? '(?i)' : '') + piece(2),
  );
  for (let at = 0; at < patterns.length; at += 100) {
    const part = patterns.slice(at, at + 100);
    const engine = engineMatches(part);
    const differing = part.flatMap((pattern, index) =>
      matches(pattern).flatMap((found, at) =>
        found === engine[index]?.[at] ? [] : [{ pattern, text: TEXTS[at], found }],
      ),
    );
    expect(differing).toEqual([]);
  }
});

test.each([
  ['a**', 'Two repetitions in a row at character 3 of the regular expression'],
  ['a++', 'Two repetitions in a row at character 3 of the regular expression'],
  ['*a', 'Nothing to repeat at character 1 of the regular expression'],
  ['(a', 'A group without end at character 3 of the regular expression'],
  ['a)', 'A closing parenthesis too many at character 2 of the regular expression'],
  ['[a', 'A class without end at character 3 of the regular expression'],
  ['[^]a]', 'A class that begins with ], which is written \\], at character 3 of the regular expression'],
  ['[z-a]', 'A range the wrong way round at character 5 of the regular expression'],
  ['a{2,1}', 'A repetition that is too large or the wrong way round at character 2 of the regular expression'],
  ['a{1001}', 'A repetition that is too large or the wrong way round at character 2 of the regular expression'],
  ['(?:a{100}){100}', 'More than 1000 repetitions at character 16 of the regular expression'],
  ['.{1000}.{1000}.{1000}', 'The regular expression is too large'],
  ['a\\', 'A backslash without a character at character 2 of the regular expression'],
  ['\\1', 'Unknown escape \\1 at character 1 of the regular expression'],
  ['(?i)\\pL', 'Unknown escape \\p at character 5 of the regular expression'],
  ['(?=a)', 'Only (…), (?:…) and a (?i) in front are known at character 2 of the regular expression'],
  ['[[:alpha:]]', 'Classes such as [:alpha:] are not known at character 2 of the regular expression'],
  ['('.repeat(80), 'Too many groups inside each other at character 52 of the regular expression'],
])('refuses %s', (pattern, message) => {
  expect(parseRegex(pattern).error).toBe(message);
});

test('what stops other engines is linear here', () => {
  const { regex } = parseRegex('(a+)+(a|aa)*(.*.*)*$b');
  if (!regex) throw new Error('not parsed');
  expect(createRegexMatcher(regex)(`${'a'.repeat(5_000)}!`)).toBe(false);
});
