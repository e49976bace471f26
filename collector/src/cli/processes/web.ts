import type { ExporterInfo, ReadyResponse, StatusResponse } from '@ringflow/contract';
import type { Config } from '../../config/index.ts';
import { createHttp, type Http } from '../../http/index.ts';
import type { Metrics } from '../../metrics/index.ts';
import type { NameLookup, RunQuery } from '../../query/index.ts';
import type { Log } from '../log.ts';
import { VERSION } from '../version.ts';
import { listenError } from './listen-error.ts';

export interface WebDeps {
  readonly run: RunQuery;
  readonly status: () => StatusResponse;
  readonly exporters: () => readonly ExporterInfo[];
  readonly ready: () => ReadyResponse;
  readonly names: NameLookup;
  readonly metrics: Metrics;
  readonly now: () => number;
  readonly log: Log;
}

/** The API with what this process knows. */
export function createWeb(config: Config, deps: WebDeps): Http {
  const { metrics, ...rest } = deps;
  const http = createHttp(
    { ...config.http, query: config.query },
    {
      ...rest,
      version: VERSION,
      sets: config.names.sets,
      observe: ({ kind, outcome, durationMs, reads }) => {
        metrics.add('ringflow_queries_total', { kind, outcome });
        metrics.observe('ringflow_query_duration_seconds', { kind }, durationMs / 1000);
        for (const { table, rowsRead, bytesRead } of reads) {
          metrics.add('ringflow_query_read_rows_total', { kind, table }, rowsRead);
          metrics.add('ringflow_query_read_bytes_total', { kind, table }, bytesRead);
        }
      },
      metrics: async () => ({ contentType: metrics.contentType, body: await metrics.text() }),
    },
  );
  return {
    ...http,
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
