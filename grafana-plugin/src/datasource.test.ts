import { migrateQuery, parseFilter } from '@ringflow/contract';
import { CoreApp, LoadingState, type AdHocVariableFilter, type DataFrame } from '@grafana/data';
import { lastValueFrom, NEVER, Observable, of, throwError } from 'rxjs';
import { bodies, frame, run, sent, server, source, useServer } from './testing/source';
import { answer, FIELDS, FROM_MS, frozen, request, TO_MS } from './testing/world';
import type { PanelQuery } from './types';

// The pitfalls are those that data sources are known for. Where another part answers for one, its tests are there:
// 13 (alignment), 14 (units of every field), 21 and 24 in collector/src/query; 16 in contract/query.test.ts; 18 in
// pkg/; 19 in explore.test.ts; 17, 20 and 27 in components/; 22, 25, 26 and 28 in source.test.ts; 23 in
// data/variable-options.test.ts.
beforeEach(useServer);

test('pitfall 1: hidden and unfinished queries are not sent', async () => {
  const { datasource } = source();
  expect(datasource.filterQuery({ refId: 'A', hide: true })).toBe(false);
  expect(datasource.filterQuery({ refId: 'A', kind: 'table' })).toBe(false);
  expect(datasource.filterQuery({ refId: 'A', kind: 'graph', groupBy: ['src_addr'] })).toBe(false);
  await run([
    { refId: 'A', hide: true },
    { refId: 'B', kind: 'geo', groupBy: [] },
  ]);
  expect(sent).toEqual([]);
});

test('pitfall 2: what Grafana passes in is never written to', async () => {
  const query: PanelQuery = frozen({
    refId: 'A',
    groupBy: ['src_addr', '$by'],
    filter: 'src_addr in ($host)',
    sort: [{ by: 'bytes', descending: true }],
  });
  const { datasource } = source({ host: ['a', 'b'], by: 'proto' });
  await lastValueFrom(datasource.query({ ...request([query]), scopedVars: frozen({}) }));
  datasource.modifyQuery(query, frozen({ type: 'ADD_FILTER', options: { key: 'proto', value: 'tcp' } }));
  datasource.toggleQueryFilter(query, { type: 'FILTER_OUT', options: { key: 'proto', value: 'tcp' } });
  datasource.interpolateVariablesInQueries([query], {});
  expect(migrateQuery(query).groupBy).toEqual(['src_addr', '$by']);
});

test('pitfall 3: the scoped variables of the request reach every field', async () => {
  const { datasource, templates } = source();
  const scopedVars = {
    host: { value: '10.0.0.1', text: '' },
    by: { value: 'proto', text: '' },
    n: { value: '7', text: '' },
  };
  const query: PanelQuery = {
    refId: 'A',
    filter: 'src_addr = $host',
    groupBy: ['$by'],
    columns: ['$by'],
    unique: ['${by}'],
    limit: '$n' as never,
    offset: '$n' as never,
    legend: '$host {{proto}}',
    sort: [{ by: '$by', descending: true }],
  };
  await lastValueFrom(datasource.query({ ...request([query]), scopedVars }));
  expect(bodies()[0]?.queries[0]).toMatchObject({
    filter: 'src_addr = 10.0.0.1',
    groupBy: ['proto'],
    columns: ['proto'],
    unique: ['proto'],
    limit: 7,
    offset: 7,
    legend: '10.0.0.1 {{proto}}',
    sort: [{ by: 'proto' }],
  });
  for (const [, scoped] of templates.replace.mock.calls) expect(scoped).toBe(scopedVars);
});

test('pitfall 4: several values are a list, quotes stay values, All drops the condition', async () => {
  const filter = 'exporter_name in ($name) and proto = tcp';
  await run([{ refId: 'A', filter }], {}, { name: ['a', 'b"c'] });
  await run([{ refId: 'A', filter }], {}, { name: ['$__all'] });
  await run([{ refId: 'A', filter }], {}, { name: '.*' });
  const filters = bodies().map(({ queries }) => queries[0]?.filter ?? '');
  expect(filters).toEqual(['exporter_name in (a, "b\\"c") and proto = tcp', 'proto = tcp', 'proto = tcp']);
  expect(parseFilter(filters[0] as string).error).toBeUndefined();
});

describe('pitfall 5: ad hoc filters', () => {
  const body = async (filters: AdHocVariableFilter[], filter = '') => {
    sent.length = 0;
    await run([{ refId: 'A', filter }], { filters });
    return bodies()[0]?.queries[0]?.filter;
  };

  test('a field is found by its name and by what it is called', async () => {
    const byName = await body([{ key: 'src_addr', operator: '=', value: '10.0.0.1' }]);
    expect(parseFilter(byName ?? '').error).toBeUndefined();
    expect(await body([{ key: 'Source address', operator: '=', value: '10.0.0.1' }])).toBe(byName);
  });

  test('operators for several values use all of them, once', async () => {
    const filter = await body([{ key: 'dst_port', operator: '=|', value: '80', values: ['80', '443'] }], 'proto = tcp');
    expect(parseFilter(filter ?? '').tree).toMatchObject({
      kind: 'and',
      items: [{ field: { name: 'proto' } }, { field: { name: 'dst_port' }, values: [{ value: 80 }, { value: 443 }] }],
    });
  });

  test('one that names no field is an error in the panel', async () => {
    const answered = await run([{ refId: 'A' }], { filters: [{ key: 'nonsense', operator: '=', value: '1' }] });
    expect(answered).toMatchObject({ data: [], state: LoadingState.Error, errors: [{ refId: 'A' }] });
    expect(answered.errors?.[0]?.message).toMatch(/nonsense/);
    expect(sent).toEqual([]);
  });
});

test('pitfall 6: values offered for a filter respect the others and the time range', async () => {
  server.reply = (asked) =>
    of({
      data: asked.url.endsWith('fields')
        ? FIELDS
        : { field: 'dst_port', complete: true, values: [{ value: '443', text: 'https', bytes: 1 }] },
    });
  const { datasource } = source();
  expect(await datasource.getTagKeys()).toContainEqual({
    text: 'Source address',
    value: 'src_addr',
    group: 'Exporter and record',
  });
  const values = await datasource.getTagValues({
    key: 'Destination port',
    filters: [
      { key: 'Destination port', operator: '=', value: '80' },
      { key: 'proto', operator: '=', value: 'tcp' },
    ],
    timeRange: request([]).range,
  });
  expect(values).toEqual([{ value: '443', text: 'https (443)' }]);
  expect(sent.at(-1)).toMatchObject({
    url: '/api/datasources/uid/flows/resources/values',
    params: { field: 'dst_port', from: String(FROM_MS), to: String(TO_MS), filter: expect.stringContaining('proto') },
  });
  expect(sent.at(-1)?.params?.['filter']).not.toContain('dst_port');
});

describe('answers', () => {
  const three: PanelQuery[] = [{ refId: 'A', hide: true }, { refId: 'B' }, { refId: 'C' }];

  test('pitfall 7: frames and errors keep the refId of their query', async () => {
    server.reply = () =>
      answer({ B: { frames: [frame('x', ['1'])] }, C: { status: 400, error: 'Unknown field "foo"' } });
    const { data, errors } = await run(three);
    expect(data.map(({ refId }: DataFrame) => refId)).toEqual(['B']);
    expect(errors).toMatchObject([{ refId: 'C', message: 'Unknown field "foo"' }]);
  });

  test('pitfall 8: one failing query leaves the others', async () => {
    server.reply = () => answer({ A: { frames: [frame('x', ['1'])] }, B: { status: 500, error: 'broken' } });
    const answered = await run([{ refId: 'A' }, { refId: 'B' }]);
    expect(answered.data).toHaveLength(1);
    expect(answered).toMatchObject({ state: LoadingState.Error, errors: [{ refId: 'B' }] });
  });

  test.each([
    [{ status: 502, statusText: '', data: '' }, /collector cannot be reached.*check/i],
    [{ status: 504, statusText: 'Gateway Timeout', data: {} }, /in time.*timeout/i],
    [{ status: 403, statusText: '', data: {} }, /may not query/i],
    [
      { status: 400, data: { message: 'The collector refuses the token', hint: 'Paste it' } },
      /refuses the token\. Paste it/,
    ],
  ])('pitfall 9: %o says what is wrong', async (error, expected) => {
    server.reply = () => throwError(() => error);
    const answered = await run([{ refId: 'A' }]);
    expect(answered.state).toBe(LoadingState.Error);
    expect((answered.errors ?? [answered.error])[0]?.message).toMatch(expected);
  });

  test('pitfall 9: an answer that cannot be read does not leave the panel turning', async () => {
    server.reply = () => answer({ A: { frames: [frame('__nestedFrames', [5], { type: 'nestedFrames' })] } });
    expect(await run([{ refId: 'A' }])).toMatchObject({
      data: [],
      state: LoadingState.Error,
      errors: [{ refId: 'A' }],
    });
  });

  test('pitfall 10: leaving cancels the request, which carries the id of the panel', () => {
    let cancelled = false;
    server.reply = () => new Observable(() => () => (cancelled = true));
    const running = source()
      .datasource.query(request([{ refId: 'A' }]))
      .subscribe();
    expect(sent[0]?.requestId).toBe('Q100');
    expect(cancelled).toBe(false);
    running.unsubscribe();
    expect(cancelled).toBe(true);
  });

  test('pitfall 11: a panel with four queries asks once', async () => {
    await run(['A', 'B', 'C', 'D'].map((refId) => ({ refId })));
    expect(bodies().map(({ queries }) => queries.map(({ refId }) => refId))).toEqual([['A', 'B', 'C', 'D']]);
  });

  test('pitfall 12: interval and points are sent, and the shortest interval is the configured one', async () => {
    await run([{ refId: 'A', intervalMs: 1, maxDataPoints: 1 }]);
    expect(bodies()[0]?.queries[0]).toMatchObject({ intervalMs: 60_000, maxDataPoints: 180 });
    expect(source({}, { timeInterval: '5m' }).datasource.interval).toBe('5m');
  });

  test('pitfall 13: the window is sent in milliseconds', async () => {
    await run([{ refId: 'A' }]);
    expect(bodies()[0]).toMatchObject({ from: String(FROM_MS), to: String(TO_MS) });
  });

  test('pitfall 14: units and names of the collector are kept', async () => {
    const config = { unit: 'bps', displayNameFromDS: 'Bits/s', description: 'Scaled' };
    server.reply = () => answer({ A: { frames: [frame('bps', [1], { type: 'number', config })] } });
    const { data } = await run([{ refId: 'A' }]);
    expect((data[0] as DataFrame).fields[0]?.config).toMatchObject(config);
  });

  test('pitfall 21: notices arrive', async () => {
    const notices = [{ severity: 'info', text: 'Only the top 10 are shown', code: 'truncated' }];
    server.reply = () =>
      answer({ A: { frames: [{ schema: { meta: { notices }, fields: [] }, data: { values: [] } }] } });
    const { data } = await run([{ refId: 'A' }]);
    expect((data[0] as DataFrame).meta?.notices).toEqual(notices);
  });
});

test.each([CoreApp.Explore, CoreApp.PanelEditor, CoreApp.Dashboard, CoreApp.UnifiedAlerting])(
  'pitfall 15: the default query of %s can be asked',
  (app) => {
    const { datasource } = source();
    const query = { refId: 'A', ...datasource.getDefaultQuery(app) };
    expect(datasource.filterQuery(query)).toBe(true);
    expect(migrateQuery(query).kind).toBe(app === CoreApp.Explore ? 'records' : 'timeseries');
  },
);

test.each<PanelQuery>([
  { refId: 'A' },
  { refId: 'A', queryType: 'table', groupBy: ['src_addr'] },
  { refId: 'A', version: 1, kind: 'records', filter: 'proto = tcp' },
  { refId: 'A', version: 1, kind: 'stat', unique: ['src_addr'], foreign: 'stays' } as PanelQuery,
])('pitfall 16: a stored query of any version is sent as the current one, and stays so: %o', (query) => {
  const { datasource } = source();
  const once = datasource.applyTemplateVariables(query, {});
  expect(datasource.applyTemplateVariables(once, {})).toEqual(once);
  expect(once).toMatchObject({ refId: 'A', version: migrateQuery({}).version });
});

test('annotations are events, of the kinds and exporters that are asked for', async () => {
  const event = {
    id: '1',
    kind: 'exporter_restarted',
    fromMs: FROM_MS,
    toMs: FROM_MS,
    title: 'edge1 restarted',
    text: '',
  };
  const events = [
    { ...event, exporter: '192.0.2.1' },
    { ...event, id: '2', exporter: '192.0.2.2', toMs: FROM_MS + 5 },
  ];
  server.reply = () => of({ data: { events, complete: true } });
  const query: PanelQuery = {
    refId: 'Events',
    queryType: 'events',
    kinds: ['exporter_restarted'],
    exporters: ['$exporter'],
  };
  const { data } = await run([query], {}, { exporter: ['192.0.2.2'] });
  expect(sent[0]).toMatchObject({ params: { kind: 'exporter_restarted', from: String(FROM_MS), to: String(TO_MS) } });
  const [shown] = data as DataFrame[];
  expect(Object.fromEntries((shown?.fields ?? []).map(({ name, values }) => [name, values]))).toEqual({
    time: [FROM_MS],
    timeEnd: [FROM_MS + 5],
    title: ['edge1 restarted'],
    text: [''],
    tags: ['exporter_restarted,192.0.2.2'],
    // Not an annotation that Grafana keeps: it cannot be edited.
    id: [0],
  });
  const prepared = source().datasource.annotations?.prepareAnnotation?.({ name: 'x', target: { refId: 'X' } });
  expect(prepared?.target).toMatchObject({ refId: 'X', queryType: 'events' });
});

test('queries that are handed to Explore carry values, not variables', () => {
  const [query] = source({ host: '10.0.0.1' }).datasource.interpolateVariablesInQueries(
    [{ refId: 'A', filter: 'src_addr = $host' }],
    {},
    [{ key: 'proto', operator: '=', value: 'tcp' }],
  );
  expect(query).toMatchObject({
    datasource: { uid: 'flows' },
    filter: expect.stringMatching(/^src_addr = 10\.0\.0\.1 and proto = "?tcp"?$/),
  });
  const rows: PanelQuery = {
    refId: 'B',
    kind: 'records',
    columns: ['client_addr'],
    details: true,
    resolve: '$resolve',
  };
  expect(source({ resolve: 'on' }).datasource.interpolateVariablesInQueries([rows], {})[0]).toMatchObject({
    columns: ['client_addr'],
    details: true,
    resolve: true,
  });
});

test('an answer that never comes does not hold anything', () => {
  server.reply = () => NEVER;
  source()
    .datasource.query(request([{ refId: 'A' }]))
    .subscribe()
    .unsubscribe();
  expect(sent).toHaveLength(1);
});
