import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { COLUMNS } from '../columns.ts';
import type { TextSpan } from '../errors.ts';
import {
  columnsOfFilter,
  completeFilter,
  createFieldTable,
  formatFilter,
  parseFilter,
  reverseFilter,
  FILTER_LIMITS,
  type FilterField,
  type FilterNode,
} from './index.ts';
import { ALL_FIELDS, createFilterSource, createRandom } from './testing/random-filter.ts';

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

/** A tree without the places it came from, with fields by name. */
function shape(tree: FilterNode | null | undefined): unknown {
  return JSON.parse(
    JSON.stringify(tree ?? null, (key, value: unknown) => {
      if (key === 'span') return undefined;
      if (key === 'field') return (value as FilterField).name;
      return typeof value === 'bigint' ? String(value) : value instanceof Uint8Array ? [...value].join('.') : value;
    }),
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

test('the canonical text of random filters parses to the same tree', () => {
  const source = createFilterSource(createRandom(7));
  const options = { fields: ALL_FIELDS };
  let parsed = 0;
  for (let i = 0; i < 3_000; i++) {
    const text = source.filter();
    const { tree, error } = parseFilter(text, options);
    if (error) {
      // Random values do not fit every operator (a range after <).
      expect([text, error.code]).toEqual([text, 'filter_bad_value']);
      continue;
    }
    parsed++;
    const canonical = formatFilter(tree);
    const again = parseFilter(canonical, options);
    expect({ text, canonical, tree: shape(again.tree) }).toEqual({ text, canonical, tree: shape(tree) });
    expect(formatFilter(again.tree ?? null)).toBe(canonical);
    // Twice reversed is the filter itself.
    expect(shape(reverseFilter(reverseFilter(tree, ALL_FIELDS), ALL_FIELDS))).toEqual(shape(tree));
  }
  expect(parsed).toBeGreaterThan(2_000);
});

test('broken filters give an error inside the text, and completion answers anywhere', () => {
  const random = createRandom(11);
  const source = createFilterSource(random);
  const marks = [
    '(',
    ')',
    '"',
    "'",
    ',',
    'not ',
    ' and ',
    '@',
    '--',
    '/*',
    '\\',
    '\0',
    '!',
    '<<',
    '~',
    '|',
    '\u{1f600}',
    '',
  ];
  for (let i = 0; i < 2_000; i++) {
    const text = source.filter().slice(0, 200);
    const at = random(text.length + 1);
    const broken = text.slice(0, at) + (marks[random(marks.length)] as string) + text.slice(at + random(5));
    const { tree, error } = parseFilter(broken, { fields: ALL_FIELDS });
    if (error) {
      const { offset, length } = error.position;
      expect({ broken, inside: offset >= 0 && length >= 0 && offset + length <= broken.length }).toEqual({
        broken,
        inside: true,
      });
      expect(error.message).not.toBe('');
    } else for (const { offset, length } of spans(tree)) expect(offset + length).toBeLessThanOrEqual(broken.length);
    const { replace } = completeFilter(broken, random(broken.length + 1), { fields: ALL_FIELDS });
    expect(replace.offset + replace.length).toBeLessThanOrEqual(broken.length);
  }
});

function spans(node: FilterNode | null): TextSpan[] {
  if (!node) return [];
  const inner = node.kind === 'condition' ? [] : node.kind === 'not' ? [node.item] : node.items;
  return [node.span, ...inner.flatMap(spans)];
}

test('a node knows its text', () => {
  const text = '  src_port in (80, 443)  and not ( proto = tcp or if = "a b" )';
  const { tree } = parseFilter(text);
  expect(spans(tree ?? null).map(({ offset, length }) => text.slice(offset, offset + length))).toEqual([
    'src_port in (80, 443)  and not ( proto = tcp or if = "a b" )',
    'src_port in (80, 443)',
    'not ( proto = tcp or if = "a b" )',
    'proto = tcp or if = "a b"',
    'proto = tcp',
    'if = "a b"',
  ]);
});

test('a column of the registry is a field with nothing else to edit', () => {
  const added = {
    ...COLUMNS[0],
    name: 'src_land',
    label: 'Source land',
    type: 'string',
    text: 'string',
    stored: true,
  } as const;
  const fields = createFieldTable([...COLUMNS, added, { ...added, name: 'dst_land', label: 'Destination land' }]);
  const { tree } = parseFilter('land = US and SrcLand in ("DE", FR)', { fields });
  expect(formatFilter(tree ?? null)).toBe('land = "US" and src_land in ("DE", "FR")');
  expect(completeFilter('src_lan', 7, { fields }).suggestions.map((suggestion) => suggestion.text)).toEqual([
    'src_land',
  ]);
});

test('completion knows what is awaited', () => {
  const texts = (text: string) => completeFilter(text, text.length).suggestions.map((suggestion) => suggestion.text);
  expect(texts('src_p')).toContain('src_port');
  expect(texts('src_addr ')).toEqual(['=', '!=', 'in', 'not in', 'between']);
  expect(texts('src_addr not ')).toEqual(['in', 'between']);
  expect(texts('src_addr !')).toEqual(['!=']);
  expect(texts('bytes between 1 ')).toEqual(['and']);
  expect(texts('(proto = tcp ')).toEqual(['and', 'or', ')']);
  expect(texts('not proto = tcp ')).toEqual(['and', 'or']);
  expect(texts('flags has ')[0]).toBe('fin');
  expect(texts('flags has syn and not a')[0]).toBe('ack');
  expect(texts('proto in (tcp, ud')).toContain('UDP');
  expect(texts('src_addr in @')).toEqual([]);
  expect(completeFilter('src_addr in @', 13, { sets: SETS }).suggestions.map(({ text }) => text)).toEqual(['@office']);
  expect(texts('proto = tc')[0]).toBe('TCP');
  expect(texts('proto = tcp ')).toEqual(['and', 'or']);
  expect(texts('proto = tcp and not dst_po')).toContain('dst_port');
  expect(completeFilter('exporter = 10.', 14).needsValues).toEqual({ field: 'sampler_address', prefix: '10.' });
  expect(completeFilter('addr = ', 7).needsValues).toEqual({ field: 'addr', prefix: '' });
  // Inside a string the quote is replaced, too.
  expect(completeFilter('exporter = "ed ge', 17)).toMatchObject({
    needsValues: { field: 'sampler_address', prefix: 'ed ge' },
    replace: { offset: 11, length: 6 },
  });
  expect(completeFilter('in_if like "x', 13)).toEqual({ suggestions: [], replace: { offset: 11, length: 2 } });
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
  expect(code(Array.from({ length: 1_200 }, () => 'proto = 6').join(' or '))).toBe('filter_too_complex');
  expect(code('x'.repeat(FILTER_LIMITS.length + 1))).toBe('filter_too_complex');
  const many = Array.from({ length: FILTER_LIMITS.values + 1 }, (_, index) => `10.0.${index >> 8}.${index & 255}`);
  expect(parseFilter('addr in @many', { sets: { many } }).error?.code).toBe('filter_too_complex');
  expect(parseFilter('addr in @many', { sets: { many: many.slice(1) } }).error).toBeUndefined();
});
