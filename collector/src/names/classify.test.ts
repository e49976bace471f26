import { createClassifier } from './classify.ts';
import type { ClassifyRule } from './config.ts';

const RULES: readonly ClassifyRule[] = [
  { match: { description: '(?i)^transit: (?<who>\\S+)' }, set: { connectivity: 'transit', provider: '$<who>' } },
  { match: { description: '^(\\w+):', exporter_name: '-(\\w+)$' }, set: { connectivity: '$1', provider: '$2-$$' } },
  { match: { description: '.' }, set: { boundary: 'external' } },
  { match: { name: '^lo' }, set: { boundary: 'internal', provider: '$9' } },
];

test('for each attribute the first rule that gives it a value wins', () => {
  const classify = createClassifier(RULES, 'names.classify.interfaces');
  expect(classify({ description: 'TRANSIT: acme 10G', exporter_name: 'edge-ams' })).toEqual([
    { attribute: 'connectivity', value: 'transit', rule: 0 },
    { attribute: 'provider', value: 'acme', rule: 0 },
    { attribute: 'boundary', value: 'external', rule: 2 },
  ]);
  expect(classify({ description: 'peering: x', exporter_name: 'edge-ams' })).toEqual([
    { attribute: 'connectivity', value: 'peering', rule: 1 },
    { attribute: 'provider', value: 'ams-$', rule: 1 },
    { attribute: 'boundary', value: 'external', rule: 2 },
  ]);
  // A group that is not there gives nothing, and no rule is left.
  expect(classify({ name: 'lo0' })).toEqual([{ attribute: 'boundary', value: 'internal', rule: 3 }]);
  expect(classify({})).toEqual([]);
});

test.each([
  [[{ match: { name: '(' }, set: { provider: 'x' } }], 'rules[0].match.name: ( is not a regular expression'],
  [[{ match: { name: 'x' }, set: { boundary: 'outside' } }], 'rules[0].set.boundary: outside is neither'],
])('a rule that means nothing is refused with its place: %j', (rules, message) => {
  expect(() => createClassifier(rules, 'rules')).toThrow(message);
});
