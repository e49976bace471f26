import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { COLUMNS } from '../columns.ts';
import {
  columnsOfFilter,
  completeFilter,
  createFieldTable,
  formatFilter,
  parseFilter,
  reverseFilter,
  FILTER_LIMITS,
  type FilterNode,
} from './index.ts';

const SETS = { office: ['10.1.0.0/16', '192.0.2.1'] };
const CASES = join(__dirname, 'cases.txt');

function describeResult(text: string): string {
  const { tree, error } = parseFilter(text, { sets: SETS });
  if (!error) return `=> ${formatFilter(tree)}`;
  return `!! ${error.code} @${error.position.offset}+${error.position.length} ${error.message}${error.hint ? ` | ${error.hint}` : ''}`;
}

function inputs(): string[] {
  return readFileSync(CASES, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !/^(#|=> |!! )/.test(line));
}

function render(): string {
  const header = readFileSync(CASES, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('#'));
  return `${header.join('\n')}\n\n${inputs()
    .map((text) => `${text}\n${describeResult(text)}\n`)
    .join('\n')}`;
}

test('every case gives its tree or its error with position', () => {
  if (process.env['UPDATE_GOLDEN']) writeFileSync(CASES, render());
  expect(readFileSync(CASES, 'utf8')).toBe(render());
});

/** A tree without the places it came from. */
function shape(tree: FilterNode | null | undefined): unknown {
  return JSON.parse(
    JSON.stringify(tree ?? null, (key, value: unknown) =>
      key === 'span' || key === 'text' ? undefined : typeof value === 'bigint' ? String(value) : value,
    ),
  );
}

test('the canonical text parses to the same tree', () => {
  for (const text of inputs()) {
    const { tree, error } = parseFilter(text, { sets: SETS });
    if (error) continue;
    const again = parseFilter(formatFilter(tree));
    expect({ text, tree: shape(again.tree) }).toEqual({ text, tree: shape(tree) });
  }
});

test('a column of the registry is a field with nothing else to edit', () => {
  const added = {
    ...COLUMNS[0],
    name: 'src_country',
    label: 'Source country',
    type: 'string',
    text: 'string',
    stored: true,
  } as const;
  const fields = createFieldTable([...COLUMNS, added, { ...added, name: 'dst_country', label: 'Destination country' }]);
  const { tree } = parseFilter('country = US and SrcCountry in ("DE", FR)', { fields });
  expect(formatFilter(tree ?? null)).toBe('country = "US" and src_country in ("DE", "FR")');
  expect(completeFilter('src_cou', 7, { fields }).suggestions.map((suggestion) => suggestion.text)).toEqual([
    'src_country',
  ]);
});

test('completion knows what is awaited', () => {
  const texts = (text: string) => completeFilter(text, text.length).suggestions.map((suggestion) => suggestion.text);
  expect(texts('src_p')).toContain('src_port');
  expect(texts('src_addr ')).toEqual(['=', '!=', 'in', 'not in', 'between']);
  expect(texts('proto = tc')[0]).toBe('TCP');
  expect(texts('proto = tcp ')).toEqual(['and', 'or']);
  expect(texts('proto = tcp and not dst_po')).toContain('dst_port');
  expect(completeFilter('exporter = 10.', 14).needsValues).toEqual({ field: 'sampler_address', prefix: '10.' });
  expect(completeFilter('proto = tcp', 9).replace).toEqual({ offset: 8, length: 1 });
  expect(completeFilter('nonsense = ', 11).suggestions).toEqual([]);
});

test('columns and the reverse of a filter', () => {
  const { tree } = parseFilter('src_addr = 10.0.0.1 and in_if = "x" and port = 80 and src_as = dst_as');
  expect(columnsOfFilter(tree ?? null).sort()).toEqual([
    'dst_as',
    'dst_port',
    'in_if',
    'sampler_address',
    'src_addr',
    'src_as',
    'src_port',
  ]);
  expect(formatFilter(reverseFilter(tree ?? null))).toBe(
    'dst_addr = 10.0.0.1 and out_if = "x" and port = 80 and dst_as = src_as',
  );
});

test('limits are errors, not crashes', () => {
  const code = (text: string) => parseFilter(text).error?.code;
  expect(code(`${'('.repeat(5_000)}proto = 6${')'.repeat(5_000)}`)).toBe('filter_too_complex');
  expect(code('not '.repeat(10_000) + 'proto = 6')).toBe('filter_too_complex');
  expect(code(Array.from({ length: 3_000 }, () => 'proto = 6').join(' or '))).toBe('filter_too_complex');
  expect(code(`src_port in (${'1,'.repeat(FILTER_LIMITS.values + 1)})`)).toBe('filter_too_complex');
  expect(code('x'.repeat(FILTER_LIMITS.length + 1))).toBe('filter_too_complex');
});
