import { COLUMNS } from './index.ts';

test('column names are unique and snake_case', () => {
  const names = COLUMNS.map((column) => column.name);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
});
