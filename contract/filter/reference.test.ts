import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FILTER_LIMITS, parseFilter } from './index.ts';

test('every example of the reference is a filter', () => {
  const page = readFileSync(join(__dirname, '../../docs/reference/filter-language.md'), 'utf8');
  const blocks = [...page.matchAll(/```filter\n([\s\S]*?)```/g)].map((match) => match[1] as string);
  const examples = blocks.flatMap((block) => block.trim().split('\n'));
  expect(examples.length).toBeGreaterThan(15);
  for (const example of examples)
    expect([example, parseFilter(example, { sets: { private: ['10.0.0.0/8'] } }).error]).toEqual([example, undefined]);
});

test('the limits on the page are the limits', () => {
  const page = readFileSync(join(__dirname, '../../docs/reference/filter-language.md'), 'utf8').replace(/\s+/g, ' ');
  const shown = (value: number) => value.toLocaleString('en-US');
  expect(page).toContain(
    `at most ${shown(FILTER_LIMITS.length)} characters, ${shown(FILTER_LIMITS.conditions)} conditions and ` +
      `${shown(FILTER_LIMITS.depth)} levels of nesting, a list at most ${shown(FILTER_LIMITS.values)} values`,
  );
});
