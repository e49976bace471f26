import { parseFilter, sampleFilter } from '@ringflow/contract';
import { addFilter, hasFilter, toggleFilter } from './filter-change';
import { filterOf, rowsOf } from './filter-rows';
import { filterChoices, filterProblem } from './filter-text';
import { fakeCollector } from '../testing/world';

test.each([
  ['', []],
  ['proto = tcp', [['proto', '=', 'tcp']]],
  [
    'Proto == "TCP" && dstport in (80, 443)',
    [
      ['proto', '=', 'TCP'],
      ['dst_port', '=', '80', '443'],
    ],
  ],
  ['src_addr not in (10.0.0.0/8, $net)', [['src_addr', '!=', '10.0.0.0/8', '$net']]],
  [
    'bytes > 10M and exporter_name like "edge%"',
    [
      ['bytes', '>', '10M'],
      ['exporter_name', 'like', 'edge%'],
    ],
  ],
  ['exporter = "a b"', [['sampler_address', '=', 'a b']]],
  ['src_as = dst_as', [['src_as', '=', 'dst_as']]],
  [
    'flags has (syn, ack) and dst_network = ""',
    [
      ['tcp_flags', 'has', 'syn', 'ack'],
      ['dst_network', '=', ''],
    ],
  ],
] as const)('%s as rows and back means the same', (filter, expected) => {
  const rows = rowsOf(filter);
  expect(rows).toEqual(expected.map(([field, operator, ...values]) => ({ field, operator, values })));
  const meaning = (text: string) => {
    const { tree, error } = parseFilter(sampleFilter(text).text);
    expect(error).toBeUndefined();
    return JSON.stringify(tree, (key, value: unknown) => (key === 'span' ? undefined : value));
  };
  const written = filterOf(rows ?? []);
  expect(rowsOf(written)).toEqual(rows);
  // `=` with several values is membership.
  expect(meaning(written)).toBe(meaning(filter));
});

test.each([
  'proto = tcp or proto = udp',
  'not proto = tcp',
  'bytes between 1 and 2',
  'proto = tcp -- why',
  '$filter',
  'bogus = 1',
  'exporter_name = "src_addr"',
  'flags has syn and not ack',
  '(proto = tcp',
])('%s stays text', (filter) => {
  expect(rowsOf(filter)).toBeNull();
});

test('rows without a value say nothing', () => {
  expect(
    filterOf([
      { field: 'proto', operator: '=', values: [] },
      { field: '', operator: '=', values: ['x'] },
    ]),
  ).toBe('');
});

describe('clicked values', () => {
  test.each([
    ['', 'proto = "tcp"'],
    ['dst_port = 80 or dst_port = 443', '(dst_port = 80 or dst_port = 443) and proto = "tcp"'],
    ['proto != tcp and dst_port = 80', 'dst_port = 80 and proto = "tcp"'],
    ['proto = tcp', 'proto = tcp'],
    ['$filter and proto = tcp', '$filter and proto = tcp'],
  ])('%s', (filter, expected) => {
    const after = addFilter(filter, { key: 'Protocol', value: 'tcp' }, true);
    expect(after).toBe(expected);
    expect(hasFilter(after, { key: 'proto', value: 'tcp' })).toBe(true);
  });

  test('a value cannot become another condition', () => {
    const filter = addFilter('', { key: 'exporter_name', value: '" or bytes > 0 or exporter_name = "' }, false);
    expect(parseFilter(filter).tree).toMatchObject({ kind: 'not', item: { kind: 'condition' } });
  });

  test('what is no field is refused by name, and is in no filter', () => {
    expect(() => addFilter('', { key: 'Bits/s', value: '1' }, true)).toThrow(/"Bits\/s"/);
    expect(hasFilter('proto = tcp', { key: 'Bits/s', value: '1' })).toBe(false);
  });

  test('twice is as before', () => {
    const clicked = { key: 'src_addr', value: '10.0.0.1' };
    const once = toggleFilter('proto = tcp', clicked, false);
    expect(once).toBe('proto = tcp and src_addr != "10.0.0.1"');
    expect(toggleFilter(once, clicked, false)).toBe('proto = tcp');
  });
});

describe('the text of a filter', () => {
  test('a mistake is found behind variables and sets', () => {
    const text = 'src_addr in ($host) and dst_addr in @private and src_adr = 1';
    const problem = filterProblem(text, ['private']);
    expect(problem?.message).toMatch(/src_adr.*src_addr/);
    expect(problem?.position).toEqual({ offset: text.indexOf('src_adr ='), length: 7 });
  });

  test('what is right has no problem; a set that is not configured is one', () => {
    expect(filterProblem('dst_addr in @private and exporter = $exporter', ['private'])).toBeUndefined();
    expect(filterProblem('dst_addr in @privat', ['private'])?.message).toMatch(/privat/);
  });

  test('fields, values from the collector and variables are suggested where they fit', async () => {
    const collector = fakeCollector({ src_addr: [{ value: '10.0.0.1', text: 'web', bytes: 9 }] });
    const source = { collector, sets: ['private'], variables: ['host'], fromMs: 1, toMs: 2 };
    const texts = async (text: string) =>
      (await filterChoices(text, text.length, source)).suggestions.map(({ text: one }) => one);
    expect((await texts('src_ad'))[0]).toBe('src_addr');
    expect(await texts('src_addr in ($host) and src_addr in ')).toEqual(['$host', '10.0.0.1', '@private']);
    expect(collector.asked).toMatchObject([{ field: 'src_addr', fromMs: 1, toMs: 2 }]);
    expect(await texts('proto = tc')).toContain('TCP');
    const variable = await filterChoices('src_addr = $h', 13, source);
    expect(variable).toMatchObject({ suggestions: [{ text: '$host' }], replace: { offset: 11, length: 2 } });
  });

  test('without the collector the language still completes', async () => {
    const collector = { values: () => Promise.reject(new Error('gone')) };
    const { suggestions } = await filterChoices('src_addr = ', 11, { collector, sets: ['private'], variables: [] });
    expect(suggestions.map(({ text }) => text)).toEqual(['@private']);
  });
});
