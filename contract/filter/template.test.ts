import { parseFilter } from './parser.ts';
import { fillFilter } from './template.ts';

const VALUES: Readonly<Record<string, readonly string[] | null>> = {
  exporter: ['edge1', 'edge 2'],
  host: ['10.0.0.7'],
  all: null,
  none: [],
  blank: [' '],
  filter: ['src_port = 53 or dst_port = 53'],
  word: ['and'],
  odd: ['a"b\\c', 'd, e) or (proto = udp'],
  net: ['10.1', '10.2'],
};
const fill = (text: string) => fillFilter(text, (name) => VALUES[name]);

test.each([
  ['proto = tcp', 'proto = tcp'],
  ['src_addr = $host', 'src_addr = 10.0.0.7'],
  ['exporter in ($exporter)', 'exporter in (edge1, "edge 2")'],
  ['exporter = ${exporter}', 'exporter = (edge1, "edge 2")'],
  ['exporter in (core, ${exporter:csv}) and proto=tcp', 'exporter in (core, edge1, "edge 2") and proto = tcp'],
  ['[[filter]]', '(src_port = 53 or dst_port = 53)'],
  ['proto = tcp and $filter', 'proto = tcp and (src_port = 53 or dst_port = 53)'],
  ['exporter in ($all) and proto = tcp and $blank', 'proto = tcp'],
  ['exporter in ($all) and ($none)', ''],
  ['proto = tcp or exporter = $all', ''],
  ['proto = tcp and not (exporter = $all)', 'proto = tcp'],
  ['bytes between 1 and 10 and exporter = $all', 'bytes between 1 and 10'],
  ['exporter = "$exporter"', 'exporter = (edge1, "edge 2")'],
  ['src_addr in $net.0.0/16', 'src_addr in (10.1.0.0/16, 10.2.0.0/16)'],
  ['exporter like $exporter', '(exporter like edge1 or exporter like "edge 2")'],
  ['exporter not like $exporter', '(exporter not like edge1 and exporter not like "edge 2")'],
  ['exporter !~ $exporter', '(exporter !~ edge1 and exporter !~ "edge 2")'],
  ['exporter = $word', 'exporter = "and"'],
  ['exporter = $unknown', 'exporter = $unknown'],
])('%s', (text, expected) => {
  expect(fill(text)).toBe(expected);
});

test('a value never becomes more than a value', () => {
  const { tree, error } = parseFilter(fill('exporter in ($odd) and proto = tcp'));
  expect(error).toBeUndefined();
  expect(tree).toMatchObject({
    kind: 'and',
    items: [{ values: [{ text: 'a"b\\c' }, { text: 'd, e) or (proto = udp' }] }, { operator: '=' }],
  });
});
