import { createReadStream } from 'node:fs';
import { stat, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExporterInfo, QueryResponse } from '@ringflow/contract';
import { NO_NAMES, QUERY_DEFAULTS, type NameLookup } from '../../query/index.ts';
import { createTestStore, type TestStore } from '../../query/testing/store.ts';
import { createHttp, HTTP_DEFAULTS, type Http, type HttpConfig, type HttpDeps } from '../index.ts';

/** The API over a real socket and a real engine. */
export interface TestServer {
  readonly url: string;
  readonly store: TestStore;
  readonly http: Http;
  /** Lines of the log. */
  readonly logged: string[];
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
  query(queries: readonly object[], fromMs: number, toMs: number): Promise<QueryResponse['results']>;
  close(): Promise<void>;
}

export const EXPORTER: ExporterInfo = {
  address: '192.0.2.1',
  name: 'edge1',
  protocols: ['IPFIX'],
  domains: [1],
  firstSeenMs: 1,
  lastSeenMs: 2,
  datagrams: 3,
  records: 4,
  recordsPerSecond: 5,
  datagramsPerSecond: 6,
  samplingRate: 1,
  lost: 7,
  lostUnits: ['records'],
  templates: 2,
  templateMs: 2,
  clockOffsetMs: 9,
  losses: { bad_length: 8 },
  interfaces: [{ index: 3, name: 'Gi0/3', description: 'uplink', speedBps: 1e9, source: 'config', attributes: {} }],
  nameSource: 'config',
  attributes: {},
};

/** Names of one exporter, one interface and one AS. */
export const NAMES: NameLookup = {
  ...NO_NAMES,
  exporter: (address) => (address === '192.0.2.1' ? 'edge1' : undefined),
  interface: (exporter, index) =>
    exporter === '192.0.2.1' && index === 3
      ? { exporter, index, name: 'Gi0/3', description: 'uplink', speedBps: 1e9 }
      : undefined,
  named: (kind, id) => (kind === 'as' && id === 15_169 ? 'Google LLC' : undefined),
  exportersWhere: (matches) => (matches('edge1') ? ['192.0.2.1'] : []),
  interfacesWhere: (matches) =>
    matches('Gi0/3') || matches('uplink')
      ? [{ exporter: '192.0.2.1', index: 3, name: 'Gi0/3', description: 'uplink', speedBps: 1e9 }]
      : [],
  idsWhere: (kind, matches) => (kind === 'as' && matches('Google LLC') ? [15_169] : []),
};

export async function createTestServer(
  nowMs: number,
  config: Partial<HttpConfig> = {},
  query: Partial<typeof QUERY_DEFAULTS> = {},
  deps: Partial<HttpDeps> = {},
): Promise<TestServer> {
  const store = await createTestStore();
  const logged: string[] = [];
  const log = (fields: object, message: string): void => void logged.push(`${message} ${JSON.stringify(fields)}`);
  const http = createHttp(
    { ...HTTP_DEFAULTS, port: 0, ...config, query: { ...QUERY_DEFAULTS, ...query } },
    {
      version: '0.0.0-test',
      run: (statement, options) => store.engine.query(statement, options),
      exportRows: async (statement, options) => {
        const path = join(tmpdir(), `ringflow-export-${options.id}`);
        await store.engine.exportRows(statement, { ...options, path });
        const stream = createReadStream(path).on('close', () => void unlink(path));
        return { stream, sizeBytes: (await stat(path)).size };
      },
      status: () => ({
        version: '0.0.0-test',
        nowMs,
        startedMs: nowMs - 1000,
        ledger: { received: 1, stored: 1, waiting: 0, dropped: [], difference: 0 },
        store: { open: true, engine: 'embedded', tables: store.tables(), lastError: null },
        spool: { waitingSegments: 0, waitingRows: 0, waitingBytes: 0 },
        decoder: { templates: 1 },
        exporters: 1,
        details: {},
      }),
      exporters: () => [EXPORTER],
      ready: () => ({ ready: true, reasons: [] }),
      names: NAMES,
      metrics: async () => ({
        contentType: 'text/plain; version=0.0.4; charset=utf-8',
        body: '# HELP up 1\n'.repeat(500),
      }),
      sets: { internal: ['10.0.0.0/8'] },
      now: () => nowMs,
      log: { info: log, warn: log, error: log },
      ...deps,
    },
  );
  const { url } = await http.start();
  const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  return {
    url,
    store,
    http,
    logged,
    post,
    query: async (queries, fromMs, toMs) =>
      ((await (await post('/api/v1/query', { from: fromMs, to: toMs, queries })).json()) as QueryResponse).results,
    close: async () => {
      await http.stop();
      await store.close();
    },
  };
}

/** When the records of {@link insertSample} begin. */
export const T0 = Date.UTC(2026, 0, 10, 12);

/** 300 records of two exporters over fifty minutes. */
export async function insertSample(server: TestServer): Promise<void> {
  await server.store.insert(
    Array.from({ length: 300 }, (_, index) => ({
      startMs: T0 + index * 10_000,
      endMs: T0 + index * 10_000 + 5000,
      bytes: 1000 + index,
      packets: 10,
      sampling_rate: 1,
      sampler_address: index % 3 === 0 ? '::ffff:192.0.2.1' : '::ffff:192.0.2.2',
      src_addr: `::ffff:10.0.0.${index % 20}`,
      dst_addr: '2001:db8::1',
      src_port: 40_000 + index,
      dst_port: index % 2 === 0 ? 443 : 53,
      proto: index % 2 === 0 ? 6 : 17,
      service: index % 2 === 0 ? 6 * 65_536 + 443 : 17 * 65_536 + 53,
      type: 4,
      in_if: 3,
      src_as: 15_169,
    })),
  );
}
