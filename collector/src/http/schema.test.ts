import Ajv from 'ajv';
import { migrateQuery, QUERY_KINDS, QUERY_REQUEST_SCHEMA } from '@ringflow/contract';

test('every migrated query fits the schema', () => {
  const ajv = new Ajv({ strict: false });
  const validate = ajv.compile(QUERY_REQUEST_SCHEMA);
  for (const kind of QUERY_KINDS)
    expect(validate({ from: 'now-1h', to: 1, queries: [migrateQuery({ kind })] })).toBe(true);
  expect(validate({ from: 'now-1h', to: 'now', queries: [{ kind: 'pie' }] })).toBe(false);
});
