import type { ExporterInfo, ReadyResponse, StatusResponse, ThreatHit } from '@ringflow/contract';
import type { Config } from '../../config/index.ts';
import { createHistory } from '../../history/index.ts';
import {
  createHttp,
  wantsTls,
  type ExportRows,
  type Http,
  type HttpConfig,
  type HttpDeps,
  type IngestDoor,
} from '../../http/index.ts';
import type { Metrics } from '../../metrics/index.ts';
import type { NameLookup, RunQuery, Window } from '../../query/index.ts';
import type { Scores } from '../../scoreboard/index.ts';
import type { Log } from '../log.ts';
import { VERSION } from '../version.ts';
import { createAddressNames } from './address-names.ts';
import { listenError } from './listen-error.ts';

export interface WebDeps {
  readonly run: RunQuery;
  readonly exportRows: ExportRows;
  readonly status: () => StatusResponse;
  readonly exporters: () => readonly ExporterInfo[];
  readonly ready: () => ReadyResponse;
  readonly names: NameLookup;
  readonly events: HttpDeps['events'];
  readonly downtimes: () => readonly Window[];
  readonly threatHits: (limit: number) => Promise<readonly ThreatHit[]>;
  readonly scores: () => Promise<Scores>;
  readonly metrics: Metrics;
  readonly ingest: IngestDoor | undefined;
  readonly now: () => number;
  readonly log: Log;
}

export interface Web extends Http {
  /** The configuration has changed in place. */
  configured(): void;
}

/** The API with what this process knows. */
export function createWeb(config: Config, deps: WebDeps): Web {
  const { metrics, ingest, ...rest } = deps;
  const settings = { ...config.http, query: config.query };
  warnIfOpen(config.http, deps.log);
  const resolve = createAddressNames(config.resolve, metrics, rest.now);
  const history = createHistory(config.history, {
    query: config.query,
    run: rest.run,
    names: rest.names,
    oldest: () => Object.fromEntries(rest.status().store.tables.map(({ table, oldestMs }) => [table, oldestMs])),
    configured: () => ({
      services: config.metrics.services,
      watches: config.metrics.watches,
      filterOptions: { sets: config.names.sets },
    }),
    now: rest.now,
    ended: (outcome, durationMs) => {
      metrics.add('ringflow_queries_total', { kind: 'history', outcome });
      metrics.observe('ringflow_query_duration_seconds', { kind: 'history' }, durationMs / 1000);
    },
  });
  const http = createHttp(settings, {
    ...rest,
    history,
    ...(resolve ? { resolve } : {}),
    ...(ingest ? { ingest } : {}),
    version: VERSION,
    loadSeconds: config.store.load_seconds,
    scoreRows: () => config.scoreboard.rows,
    get sets() {
      return config.names.sets;
    },
    observe: ({ kind, outcome, durationMs, reads }) => {
      metrics.add('ringflow_queries_total', { kind, outcome });
      metrics.observe('ringflow_query_duration_seconds', { kind }, durationMs / 1000);
      for (const { table, rowsRead, bytesRead } of reads) {
        metrics.add('ringflow_query_read_rows_total', { kind, table }, rowsRead);
        metrics.add('ringflow_query_read_bytes_total', { kind, table }, bytesRead);
      }
    },
    refused: (reason) => metrics.add('ringflow_http_refused_total', { reason }),
    metrics: async () => ({ contentType: metrics.contentType, body: await metrics.text() }),
  });
  return {
    ...http,
    stop: async () => {
      resolve?.stop();
      await http.stop();
    },
    configured: () => void Object.assign(settings, config.http),
    start: () =>
      http.start().catch((error: Error) => {
        throw listenError(error, {
          what: 'TCP',
          endpoint: `${config.http.host}:${config.http.port}`,
          key: 'http.port',
          variable: 'RINGFLOW_HTTP_PORT',
        });
      }),
  };
}

/** Says so when strangers may read everything. */
function warnIfOpen({ host, token, tls }: HttpConfig, log: Log): void {
  if (isLoopback(host) || tls.client_ca !== '') return;
  if (token === '')
    log.warn(
      { host, hint: 'set http.token (RINGFLOW_HTTP_TOKEN), or http.host to 127.0.0.1' },
      'the API is open: whoever reaches this machine may read all flows, because http.token is empty',
    );
  else if (!wantsTls(tls))
    log.warn(
      { host, hint: 'set http.tls, or put a proxy with TLS in front' },
      'the token of the API crosses the network in the clear, because http.tls is not set',
    );
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}
