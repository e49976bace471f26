import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseFilter } from './index.ts';

test('every example of the reference is a filter', () => {
  const page = readFileSync(join(__dirname, '../../docs/reference/filter-language.md'), 'utf8');
  const blocks = [...page.matchAll(/```filter\n([\s\S]*?)```/g)].map((match) => match[1] as string);
  const examples = blocks.flatMap((block) => block.trim().split('\n'));
  expect(examples.length).toBeGreaterThan(15);
  for (const example of examples) expect([example, parseFilter(example).error]).toEqual([example, undefined]);
});
