import { migrateQuery, QUERY_KINDS } from '@ringflow/contract';
import { changeKind, changeMeasure, changeMetric, isAnswerable, measuresOf } from './kind';
import { groupsOf, perspectiveOf, perspectivesOf } from './perspective';

test.each(QUERY_KINDS.flatMap((from) => QUERY_KINDS.map((to) => [from, to] as const)))(
  'from %s to %s the query can be answered',
  (from, to) => {
    const start = { ...migrateQuery({ kind: 'timeseries', groupBy: ['src_addr'] }) };
    const query = { ...start, ...changeKind(start, from) };
    const next = { ...query, ...changeKind(query, to) };
    expect(next.kind).toBe(to);
    expect(isAnswerable(next)).toBe(true);
    if (to !== 'records') expect(measuresOf(to, next.metric)).toContain(next.measure);
  },
);

test('what was chosen stays where it fits', () => {
  const query = migrateQuery({
    kind: 'timeseries',
    groupBy: ['src_as', 'dst_as'],
    measure: 'p95',
    filter: 'proto = tcp',
  });
  expect(changeKind(query, 'table')).toMatchObject({ groupBy: ['src_as', 'dst_as'], measure: 'p95' });
  expect(changeKind(query, 'graph')).toMatchObject({ groupBy: ['src_as', 'dst_as'], measure: 'total', limit: 50 });
  expect(changeKind(query, 'records')).toMatchObject({ groupBy: [], limit: 100 });
  expect(changeKind(query, 'table')).not.toHaveProperty('filter');
});

test('utilization brings its interface, and packets have none', () => {
  const query = migrateQuery({ groupBy: ['src_addr'] });
  expect(changeMeasure(query, 'utilization')).toEqual({
    measure: 'utilization',
    groupBy: ['sampler_address', 'in_if'],
  });
  expect(changeMeasure({ ...query, groupBy: ['sampler_address', 'out_if'] }, 'utilization')).toEqual({
    measure: 'utilization',
  });
  expect(changeMetric({ ...query, measure: 'utilization' }, 'packets')).toEqual({ metric: 'packets', measure: 'rate' });
});

test('a perspective is recognised by its groups', () => {
  for (const kind of ['timeseries', 'table', 'graph', 'geo'] as const)
    for (const perspective of perspectivesOf(kind))
      expect(perspectiveOf(kind, groupsOf(perspective, kind))).toBe(perspective);
  expect(perspectiveOf('table', ['ip_tos'])).toBeUndefined();
});
