import { FLOW_QUERY_SCHEMA, migrateQuery, QUERY_DEFAULTS, QUERY_KINDS, QUERY_VERSION } from './index.ts';

test('an empty query is a time series of all traffic in bits per second', () => {
  expect(migrateQuery({})).toEqual({ refId: 'A', ...QUERY_DEFAULTS, version: QUERY_VERSION });
});

test('defaults follow the kind, and what is given wins', () => {
  expect(migrateQuery({ kind: 'table' })).toMatchObject({ measure: 'total', limit: 10 });
  expect(migrateQuery({ kind: 'records' })).toMatchObject({ limit: 100 });
  expect(migrateQuery({ kind: 'records', limit: 7 })).toMatchObject({ limit: 7 });
});

test("Grafana's own keys: queryType is the kind, the rest is dropped", () => {
  expect(migrateQuery({ queryType: 'stat', datasource: { uid: 'x' }, hide: false, version: 0 })).toEqual({
    refId: 'A',
    ...QUERY_DEFAULTS,
    kind: 'stat',
    measure: 'total',
  });
  expect(migrateQuery({ queryType: 'stat', kind: 'table' }).kind).toBe('table');
});

test('migrating twice changes nothing, and no two queries share a list', () => {
  for (const kind of QUERY_KINDS) expect(migrateQuery(migrateQuery({ kind }))).toEqual(migrateQuery({ kind }));
  expect(migrateQuery({}).groupBy).not.toBe(migrateQuery({}).groupBy);
});

test('null means not given', () => {
  expect(migrateQuery({ filter: null, groupBy: null } as never)).toEqual(migrateQuery({}));
});

test('schema and model name the same keys and defaults', () => {
  const properties = FLOW_QUERY_SCHEMA['properties'] as Record<string, { default?: unknown }>;
  expect(Object.keys(properties).sort()).toEqual(Object.keys({ refId: '', ...QUERY_DEFAULTS }).sort());
  for (const [key, { default: value }] of Object.entries(properties))
    if (value !== undefined) expect([key, value]).toEqual([key, QUERY_DEFAULTS[key as keyof typeof QUERY_DEFAULTS]]);
});
