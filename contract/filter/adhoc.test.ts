import fc from 'fast-check';
import { RingflowError } from '../errors.ts';
import { AD_HOC_OPERATORS, adHocToFilter, combineFilters, findFieldByLabel, valueCondition } from './adhoc.ts';
import { createFieldTable, type FilterField } from './fields.ts';
import { operatorsOf } from './operators.ts';
import { parseFilter } from './parser.ts';
import type { ConditionNode, FilterNode } from './tree.ts';

const FIELDS = createFieldTable();
const field = (name: string): FilterField => FIELDS.find(name) as FilterField;

test.each([
  [{ key: 'src_addr', operator: '=', value: '10.0.0.1' }, 'src_addr = "10.0.0.1"'],
  [{ key: 'Source address', operator: '=', value: '10.0.0.1' }, 'src_addr = "10.0.0.1"'],
  [{ key: 'SRCADDR', operator: '!=', value: '2001:db8::1' }, 'src_addr != "2001:db8::1"'],
  [{ key: 'Exporter name', operator: '=', value: 'edge 1' }, 'exporter_name = "edge 1"'],
  [{ key: 'sampler_address_name', operator: '=', value: 'edge 1' }, 'sampler_address = "edge 1"'],
  [{ key: 'src_as_name', operator: '=', value: 'Google LLC' }, 'src_as_name = "Google LLC"'],
  [{ key: 'proto', operator: '=|', value: 'TCP', values: ['TCP', 'UDP'] }, 'proto in ("TCP", "UDP")'],
  [{ key: 'proto', operator: '!=|', value: 'TCP', values: ['TCP', 'UDP'] }, 'proto not in ("TCP", "UDP")'],
  [{ key: 'proto', operator: '=|', value: 'TCP', values: ['TCP'] }, 'proto = "TCP"'],
  [{ key: 'app', operator: '=~', value: 'https.*' }, 'app ~ "https.*"'],
  [{ key: 'exporter', operator: '!~', value: '^edge' }, 'sampler_address !~ "^edge"'],
  [{ key: 'bytes', operator: '>=', value: '10M' }, 'bytes >= "10M"'],
  [{ key: 'service', operator: '=', value: 'https (TCP/443)' }, 'service = "https (TCP/443)"'],
  [{ key: 'src_as', operator: '=', value: '' }, 'src_as = AS0'],
  [{ key: 'src_network', operator: '!=', value: 'unknown' }, 'src_network != ""'],
  [{ key: 'as_path', operator: '=', value: 'AS64500 AS64501' }, 'as_path contains ("AS64500", "AS64501")'],
] as const)('%j', (filter, text) => {
  expect(adHocToFilter([filter])).toBe(text);
  expect(parseFilter(text).error).toBeUndefined();
});

test('several filters all hold', () => {
  expect(
    adHocToFilter([
      { key: 'proto', operator: '=', value: 'TCP' },
      { key: 'addr', operator: '!=', value: '10.0.0.1' },
    ]),
  ).toBe('proto = "TCP" and addr != "10.0.0.1"');
  expect(adHocToFilter([])).toBe('');
});

test.each([
  [{ key: 'Source adress', operator: '=', value: '1' }, 'filter_unknown_field', 'Source adress'],
  [{ key: 'src_addr', operator: '=~', value: '10.*' }, 'filter_bad_operator', 'Source address'],
  [{ key: 'src_addr', operator: '<', value: '10.0.0.1' }, 'filter_bad_operator', 'Source address'],
  [{ key: 'src_addr', operator: '=', value: '10.0.0.1" or proto = "tcp' }, 'filter_bad_value', 'Source address'],
  [{ key: 'bytes', operator: '~~', value: '1' }, 'filter_bad_operator', '~~'],
])('%j is an error that names it', (filter, code, named) => {
  const error = (() => {
    try {
      adHocToFilter([filter]);
    } catch (thrown) {
      return thrown as RingflowError;
    }
    return undefined;
  })();
  expect(error).toBeInstanceOf(RingflowError);
  expect([error?.code, error?.message]).toEqual([code, expect.stringContaining(named) as string]);
  expect(error?.hint).toBeTruthy();
});

/** Kinds that take any text. */
const ANY_TEXT = ['exporter_name', 'in_if_description', 'src_network', 'app'];

/** The one condition of a filter, and whether it is negated; undefined for anything else. */
function only(text: string): { node: ConditionNode; negated: boolean } | undefined {
  const { tree } = parseFilter(text);
  const node = (tree?.kind === 'not' ? tree.item : tree) as FilterNode | null | undefined;
  return node?.kind === 'condition' ? { node, negated: tree?.kind === 'not' } : undefined;
}

const texts = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string(),
  fc.constantFrom('a" or proto = tcp or "', '\\', '\\"', "'", '$__all', '@internal', 'a\nb', 'src_as', ')) or (('),
);

test('whatever stands in a value stays a value', () => {
  fc.assert(
    fc.property(fc.constantFrom(...ANY_TEXT), texts, fc.boolean(), (name, value, isIn) => {
      fc.pre(!['', 'unknown'].includes(value.trim()));
      const found = only(adHocToFilter([{ key: name, operator: isIn ? '=' : '!=', value }]));
      expect(found?.negated).toBe(!isIn);
      expect(found?.node.field.name).toBe(name);
      expect(found?.node.values.map((one) => ('text' in one ? one.text : one))).toEqual([value]);
    }),
    { numRuns: 500, seed: 20_261_121 },
  );
});

test('lists of values stay lists', () => {
  fc.assert(
    fc.property(fc.array(texts, { minLength: 2, maxLength: 8 }), (values) => {
      fc.pre(values.every((value) => !['', 'unknown'].includes(value.trim())));
      const text = adHocToFilter([{ key: 'exporter_name', operator: '=|', value: values[0] as string, values }]);
      expect(only(text)?.node.values.map((one) => ('text' in one ? one.text : one))).toEqual(values);
    }),
    { seed: 20_261_121 },
  );
});

test('any key, operator and value is one condition on one field, or an error that says so', () => {
  const keys = fc.oneof(fc.constantFrom(...FIELDS.fields.map(({ name }) => name)), texts);
  fc.assert(
    fc.property(keys, fc.constantFrom(...AD_HOC_OPERATORS), texts, fc.array(texts), (key, operator, value, values) => {
      let text: string;
      try {
        text = adHocToFilter([{ key, operator, value, values }]);
      } catch (error) {
        expect(error).toBeInstanceOf(RingflowError);
        return;
      }
      const { tree, error } = parseFilter(text);
      expect(error).toBeUndefined();
      const fields = new Set<string>();
      const visit = (node: FilterNode): void => {
        if (node.kind === 'condition') fields.add(node.field.name);
        else if (node.kind === 'not') visit(node.item);
        else node.items.forEach(visit);
      };
      visit(tree as FilterNode);
      expect([...fields]).toEqual([findFieldByLabel(key)?.name]);
    }),
    { numRuns: 500, seed: 20_261_121 },
  );
});

test('every field can be filtered for what an empty cell shows', () => {
  const wrong = FIELDS.fields
    .filter(({ kind }) => operatorsOf(kind).includes('=') && kind !== 'time' && kind !== 'duration')
    .flatMap((one) => parseFilter(valueCondition(one, [''], true)).error?.message ?? []);
  expect(wrong).toEqual([]);
});

test.each([
  [['proto = tcp', ''], 'and', 'proto = tcp'],
  [['proto = tcp or proto = udp', 'dst_port = 53'], 'and', '(proto = tcp or proto = udp) and dst_port = 53'],
  [['not proto = tcp', 'dst_port = 53'], 'or', 'not proto = tcp or dst_port = 53'],
  [['proto = tcp', ''], 'or', ''],
  [['proto =', 'dst_port = 53'], 'and', '(proto =) and dst_port = 53'],
  [[], 'and', ''],
] as const)('%j joined by %s', (filters, by, text) => {
  expect(combineFilters(filters, by)).toBe(text);
});

test('labels find fields; a label that several share finds the first', () => {
  expect(findFieldByLabel(' source ADDRESS ')).toBe(findFieldByLabel('src_addr'));
  expect(field('src_addr').label).toBe('Source address');
  expect(findFieldByLabel('nothing')).toBeUndefined();
});
