import type { FlowQueryInput, QueryResult } from '@ringflow/contract';
import { PLUGIN_ID, type Grafana } from './grafana.ts';

export interface DataSourceSettings {
  readonly url: string;
  readonly token?: string;
  readonly jsonData?: Readonly<Record<string, unknown>>;
}

/** A data source in Grafana. */
export interface FlowSource {
  readonly uid: string;
  /** Reference to it as dashboards and rules hold it. */
  readonly ref: { readonly type: string; readonly uid: string };
  /** Answers as panels get them: by way of Grafana and the plugin's backend. */
  ask(queries: readonly FlowQueryInput[], window: TimeWindow): Promise<Record<string, QueryResult>>;
  /** What "Save & test" says. */
  health(): Promise<{ status: string; message: string }>;
  remove(): Promise<void>;
}

/** Milliseconds since the epoch. */
export interface TimeWindow {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Adds a data source by the HTTP API. */
export async function addSource(grafana: Grafana, name: string, settings: DataSourceSettings): Promise<FlowSource> {
  const { datasource } = await grafana.api<{ datasource: { uid: string } }>('POST', '/api/datasources', {
    name,
    type: PLUGIN_ID,
    access: 'proxy',
    url: settings.url,
    jsonData: settings.jsonData ?? {},
    secureJsonData: settings.token === undefined ? {} : { token: settings.token },
  });
  const { uid } = datasource;
  const ref = { type: PLUGIN_ID, uid };
  return {
    uid,
    ref,
    ask: async (queries, window) =>
      (
        await askGrafana(
          grafana,
          queries.map((query) => ({ datasource: ref, ...query })),
          window,
        )
      ).results,
    health: () =>
      grafana
        .api<{ status: string; message: string }>('GET', `/api/datasources/uid/${uid}/health`)
        .catch((error: Error) => {
          const body = /\{.*\}$/s.exec(error.message)?.[0];
          if (body === undefined) throw error;
          return JSON.parse(body) as { status: string; message: string };
        }),
    remove: () => grafana.api('DELETE', `/api/datasources/uid/${uid}`),
  };
}

/** `POST /api/ds/query`, also with expressions. Errors of queries come as their results. */
export async function askGrafana(
  grafana: Grafana,
  queries: readonly object[],
  { fromMs, toMs }: TimeWindow,
): Promise<{ results: Record<string, QueryResult> }> {
  try {
    return await grafana.api('POST', '/api/ds/query', {
      from: String(fromMs),
      to: String(toMs),
      queries: queries.map((query) => ({ intervalMs: 60_000, maxDataPoints: 100, ...query })),
    });
  } catch (error) {
    const body = /\{"results".*\}$/s.exec((error as Error).message)?.[0];
    if (body === undefined) throw error;
    return JSON.parse(body) as { results: Record<string, QueryResult> };
  }
}

/** Values of a column of the first frame that has it. */
export function column(result: QueryResult | undefined, name: string): unknown[] {
  for (const frame of result?.frames ?? []) {
    const index = frame.schema.fields.findIndex((field) => field.name === name);
    if (index >= 0) return frame.data.values[index] as unknown[];
  }
  throw new Error(`No column ${name} in ${JSON.stringify(result).slice(0, 500)}`);
}
