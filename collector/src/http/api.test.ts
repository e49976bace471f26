import { request as httpRequest } from 'node:http';
import Ajv from 'ajv';
import {
  COLUMNS,
  QUERY_RESPONSE_SCHEMA,
  type ApiError,
  type Column,
  type ExportersResponse,
  type FieldsResponse,
  type QueryResponse,
  type QueryResult,
  type ValuesResponse,
} from '@ringflow/contract';
import { valuesOf } from '../query/testing/store.ts';
import { ROUTES } from './index.ts';
import { createTestServer, EXPORTER, insertSample, T0, type TestServer } from './testing/server.ts';

const MINUTE = 60_000;

let server: TestServer | undefined;
const at = (): TestServer => server as TestServer;

beforeAll(async () => {
  server = await createTestServer(T0 + 60 * MINUTE);
  await insertSample(server);
});
afterAll(async () => server?.close());

const asJson = async <T>(response: Response): Promise<T> => (await response.json()) as T;
const getJson = async <T>(path: string): Promise<T> => asJson(await fetch(at().url + path));

describe('POST /api/v1/query', () => {
  test('several queries, each with its own answer or error; the answer fits its schema', async () => {
    const response = await at().post('/api/v1/query', {
      from: 'now-1h',
      to: '2026-01-10T13:00:00Z',
      timezone: 'utc',
      queries: [
        {
          refId: 'A',
          queryType: 'timeseries',
          groupBy: ['proto'],
          intervalMs: MINUTE,
          maxDataPoints: 500,
          datasource: { uid: 'x' },
        },
        { refId: 'B', kind: 'table', groupBy: ['SrcAddr'], limit: 3 },
        { refId: 'C', kind: 'table', groupBy: ['scr_addr'] },
        { refId: 'D', kind: 'stat', filter: 'dst_port = 443 and bytes > oops' },
        { kind: 'records', limit: 2 },
      ],
    });
    expect(response.status).toBe(200);
    const body = await asJson<QueryResponse>(response);
    const ajv = new Ajv({ strict: false, allErrors: true });
    expect(ajv.validate(QUERY_RESPONSE_SCHEMA, body) ? [] : ajv.errors).toEqual([]);
    const { A, B, C, D, E } = body.results as Record<string, QueryResult>;
    expect([A, B, C, D, E].map((result) => result?.status)).toEqual([200, 200, 400, 400, 200]);
    expect(A?.frames[0]?.schema).toMatchObject({
      refId: 'A',
      meta: {
        type: 'timeseries-wide',
        typeVersion: [0, 1],
        custom: { table: 'rings_1m', ring: 'service', stepSeconds: 60 },
      },
    });
    expect(valuesOf<string>(B?.frames[0], 'src_addr')).toHaveLength(4);
    expect(C).toMatchObject({
      frames: [],
      code: 'query_unknown_field',
      hint: expect.stringContaining('Did you mean src_addr') as string,
      errorSource: 'plugin',
    });
    expect(D).toMatchObject({
      code: expect.stringMatching(/^filter_/) as string,
      position: 27,
      error: expect.any(String) as string,
    });
    expect(E?.frames[0]?.data.values[0]).toHaveLength(2);
  });

  test('names are shown beside ids and filters take them', async () => {
    const { A, B } = await at().query(
      [
        { refId: 'A', kind: 'table', groupBy: ['sampler_address', 'in_if'], filter: 'exporter = "edge1"' },
        { refId: 'B', kind: 'timeseries', groupBy: ['sampler_address', 'in_if'], filter: 'in_if = "Gi0/3"' },
      ],
      T0,
      T0 + 60 * MINUTE,
    );
    const [frame] = A?.frames ?? [];
    expect(frame?.schema.fields.map((field) => field.name)).toEqual([
      'sampler_address',
      'sampler_address_name',
      'in_if',
      'in_if_name',
      'bytes',
      'packets',
      'flows',
      'share',
    ]);
    expect(
      ['sampler_address', 'sampler_address_name', 'in_if', 'in_if_name'].map((name) => valuesOf<string>(frame, name)),
    ).toEqual([['192.0.2.1'], ['edge1'], ['3'], ['Gi0/3']]);
    expect(B?.frames[0]?.schema.fields[1]).toMatchObject({
      labels: { sampler_address: '192.0.2.1', in_if: '3' },
      config: { displayNameFromDS: 'edge1 · Gi0/3' },
    });
  });

  test.each([
    ['a window that ends before it begins', { from: 2, to: 1, queries: [{}] }, 'query_window'],
    ['a time that is none', { from: 'yesterday', to: 'now', queries: [{}] }, 'query_window'],
    ['no queries', { from: 1, to: 2, queries: [] }, 'bad_request'],
    ['two of one name', { from: 1, to: 2, queries: [{ refId: 'A' }, { refId: 'A' }] }, 'bad_request'],
    ['no JSON', '{"from":', 'bad_request'],
    ['no object', '[1]', 'bad_request'],
  ])('%s is one error for the whole request', async (_, body, code) => {
    const response = await at().post('/api/v1/query', body);
    expect([response.status, await asJson(response)]).toEqual([
      400,
      expect.objectContaining({ code, message: expect.any(String) as string, hint: expect.any(String) as string }),
    ]);
  });

  test('a query over data that is gone says so', async () => {
    const { A } = await at().query([{ refId: 'A', kind: 'stat' }], T0 - 600 * MINUTE, T0 + 60 * MINUTE);
    expect(A?.frames[0]?.schema.meta.notices).toContainEqual({
      severity: 'info',
      code: 'beyond_retention',
      text: `Data begins at ${new Date(T0).toISOString()}`,
    });
  });
});

describe('fields and values', () => {
  test('every stored column of the registry is a field', async () => {
    const { fields, sets } = await getJson<FieldsResponse>('/api/v1/fields');
    const names = fields.map((field) => field.name);
    for (const column of COLUMNS as readonly Column[]) if (column.stored) expect(names).toContain(column.name);
    expect(names).toEqual(expect.arrayContaining(['addr', 'port', 'as', 'if', 'bps']));
    expect(sets).toEqual(['internal']);
    expect(fields.find((field) => field.name === 'bytes')).toMatchObject({
      label: 'Bytes',
      unit: 'bytes',
      groupable: true,
      filterable: true,
      sortable: true,
    });
    for (const field of fields) {
      for (const example of field.examples) {
        const answer = await asJson<{ valid: boolean; error?: ApiError }>(
          await at().post('/api/v1/filter/validate', { filter: example }),
        );
        expect([example, answer.valid, answer.error?.message]).toEqual([example, true, undefined]);
      }
    }
  });

  test('values by traffic, searched in value and name', async () => {
    const proto = await getJson<ValuesResponse>('/api/v1/values?field=proto');
    expect(proto.values.map(({ value }) => value).sort()).toEqual(['TCP', 'UDP']);
    const addresses = await getJson<ValuesResponse>('/api/v1/values?field=src_addr&q=10.0.0.1&limit=3');
    expect([addresses.values.length, addresses.complete]).toEqual([3, false]);
    const exporters = await getJson<ValuesResponse>('/api/v1/values?field=exporter&q=EDGE');
    expect(exporters).toMatchObject({
      field: 'sampler_address',
      values: [{ value: '192.0.2.1', text: 'edge1 (192.0.2.1)' }],
      complete: true,
    });
    const interfaces = await getJson<ValuesResponse>('/api/v1/values?field=in_if&q=gi0');
    expect(interfaces.values).toMatchObject([{ value: '3', text: 'Gi0/3 (3)' }]);
    const filtered = await getJson<ValuesResponse>(
      `/api/v1/values?field=dst_port&filter=${encodeURIComponent('proto = udp')}`,
    );
    expect(filtered.values.map(({ value }) => value)).toEqual(['53']);
    const unknown = await fetch(`${at().url}/api/v1/values?field=nope`);
    expect([unknown.status, await asJson(unknown)]).toEqual([
      400,
      expect.objectContaining({ code: 'query_unknown_field' }),
    ]);
  });

  test('every value that is offered can be used in a filter', async () => {
    for (const field of ['proto', 'service', 'src_addr', 'src_as', 'in_if', 'sampler_address', 'type', 'dst_port']) {
      for (const { value } of (await getJson<ValuesResponse>(`/api/v1/values?field=${field}&limit=3`)).values) {
        const { A } = await at().query(
          [{ refId: 'A', kind: 'stat', filter: `${field} = ${JSON.stringify(value)}` }],
          T0,
          T0 + 60 * MINUTE,
        );
        expect([field, value, A?.error, valuesOf(A?.frames[0], 'flows')[0]]).toEqual([
          field,
          value,
          undefined,
          expect.any(Number),
        ]);
        expect(valuesOf(A?.frames[0], 'flows')[0]).toBeGreaterThan(0);
      }
    }
  });
});

describe('filter', () => {
  test('validate: canonical form and columns, or where and why', async () => {
    expect(
      await asJson(await at().post('/api/v1/filter/validate', { filter: 'SrcAddr << 10.0.0.0/8 AND DstPort = 443' })),
    ).toMatchObject({ valid: true, columns: expect.arrayContaining(['src_addr', 'dst_port']) as string[] });
    expect(await asJson(await at().post('/api/v1/filter/validate', { filter: 'src_addr in @internal' }))).toMatchObject(
      { valid: true },
    );
    expect(await asJson(await at().post('/api/v1/filter/validate', { filter: 'dst_prt = 443' }))).toMatchObject({
      valid: false,
      error: { code: 'filter_unknown_field', position: { offset: 0, length: 7 } },
    });
  });

  test('complete: fields, operators, values of the traffic', async () => {
    const complete = async (filter: string, cursor?: number) =>
      asJson<{ suggestions: { text: string; kind: string }[]; replace: object }>(
        await at().post('/api/v1/filter/complete', { filter, ...(cursor === undefined ? {} : { cursor }) }),
      );
    expect((await complete('dst_p')).suggestions[0]).toMatchObject({ text: 'dst_port', kind: 'field' });
    expect((await complete('proto ')).suggestions.map(({ text }) => text)).toContain('=');
    expect(await complete('src_addr = 10.0.0.1')).toMatchObject({
      suggestions: expect.arrayContaining([expect.objectContaining({ text: '10.0.0.1', kind: 'value' })]) as object[],
      replace: { offset: 11, length: 8 },
    });
    expect((await complete('proto = tcp and dst_', 3)).replace).toEqual({ offset: 0, length: 3 });
  });
});

describe('the rest', () => {
  test('status, exporters, health, page', async () => {
    expect(await getJson<ExportersResponse>('/api/v1/exporters')).toEqual({ exporters: [EXPORTER] });
    expect(await getJson('/api/v1/status')).toMatchObject({
      ledger: { difference: 0 },
      store: { open: true },
      details: { queries: { running: 0 } },
    });
    expect(await getJson('/healthz')).toEqual({ status: 'ok' });
    expect(await getJson('/readyz')).toEqual({ ready: true, reasons: [] });
    const page = await fetch(`${at().url}/`);
    expect([page.headers.get('content-type'), await page.text()]).toEqual([
      'text/html; charset=utf-8',
      expect.stringContaining('<title>Ringflow'),
    ]);
    const missing = await fetch(`${at().url}/nope`);
    expect([missing.status, await asJson(missing)]).toEqual([404, expect.objectContaining({ code: 'not_found' })]);
  });

  test('gzip where it is worth it and asked for', async () => {
    const encoding = (path: string, accept: string): Promise<string | undefined> =>
      new Promise((resolve, reject) => {
        httpRequest(at().url + path, { headers: { 'accept-encoding': accept } }, (response) => {
          response.resume();
          resolve(response.headers['content-encoding']);
        })
          .on('error', reject)
          .end();
      });
    expect(await encoding('/api/v1/fields', 'gzip')).toBe('gzip');
    expect(await encoding('/metrics', 'gzip')).toBe('gzip');
    expect(await encoding('/api/v1/fields', 'identity')).toBeUndefined();
    expect(await encoding('/healthz', 'gzip')).toBeUndefined();
    expect((await getJson<FieldsResponse>('/api/v1/fields')).fields.length).toBeGreaterThan(40);
  });

  test('a body over the limit is refused', async () => {
    const response = await at().post('/api/v1/query', {
      from: 1,
      to: 2,
      queries: [{ filter: 'x'.repeat(2 * 1024 * 1024) }],
    });
    expect([response.status, await asJson(response)]).toEqual([
      413,
      expect.objectContaining({
        code: 'body_too_large',
        hint: expect.stringContaining('http.max_body_bytes') as string,
      }),
    ]);
  });
});

describe('OpenAPI', () => {
  interface Operation {
    readonly operationId: string;
    readonly responses: Readonly<
      Record<
        string,
        { readonly description: string; readonly content?: Readonly<Record<string, { readonly schema: object }>> }
      >
    >;
    readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> };
    readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: object }[];
  }

  test('lists every route with schemas that compile', async () => {
    const document = await getJson<{
      openapi: string;
      info: { version: string };
      paths: Record<string, Record<string, Operation>>;
    }>('/openapi.json');
    expect([document.openapi, document.info.version]).toEqual(['3.1.0', '0.0.0-test']);
    const listed = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(listed.sort()).toEqual(
      ROUTES.map((route) => `${route.method} ${route.path.replace(/:(\w+)/g, '{$1}')}`).sort(),
    );
    const ajv = new Ajv({ strict: false });
    const ids: string[] = [];
    for (const operation of Object.values(document.paths).flatMap((methods) => Object.values(methods))) {
      ids.push(operation.operationId);
      const contents = [
        ...Object.values(operation.responses).map((response) => response.content ?? {}),
        operation.requestBody?.content ?? {},
      ];
      for (const content of contents)
        for (const { schema } of Object.values(content)) expect(() => ajv.compile(schema)).not.toThrow();
      for (const response of Object.values(operation.responses))
        expect(response.description).toEqual(expect.stringMatching(/\S/));
      for (const parameter of operation.parameters ?? []) expect(() => ajv.compile(parameter.schema)).not.toThrow();
    }
    expect(new Set(ids).size).toBe(ids.length);
    expect(document.paths['/api/v1/query']?.['post']?.requestBody?.content['application/json']?.schema).toMatchObject({
      properties: { queries: { items: { properties: { groupBy: {} } } } },
    });
    expect(Object.keys(document.paths['/metrics']?.['get']?.responses['200']?.content ?? {})).toEqual(['text/plain']);
  });
});
