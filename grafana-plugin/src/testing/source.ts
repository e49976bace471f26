import {
  setBackendSrv,
  setDataSourceSrv,
  type BackendSrv,
  type BackendSrvRequest,
  type DataSourceSrv,
  type TemplateSrv,
} from '@grafana/runtime';
import { lastValueFrom, type Observable } from 'rxjs';
import { FlowDataSource } from '../datasource';
import type { PanelQuery } from '../types';
import { answer, request, settings, variables } from './world';

/** What went to Grafana's server. */
export const sent: BackendSrvRequest[] = [];

/** What Grafana's server answers; each test begins with nothing. */
export const server: { reply: (asked: BackendSrvRequest) => Observable<unknown> } = { reply: () => answer({}) };

/** Puts this server in the place of Grafana's. */
export function useServer(): void {
  sent.length = 0;
  server.reply = () => answer({});
  setBackendSrv({
    fetch: (asked: BackendSrvRequest) => {
      sent.push(asked);
      return server.reply(asked);
    },
    chunked: (asked: BackendSrvRequest) => {
      sent.push(asked);
      return server.reply(asked);
    },
  } as unknown as BackendSrv);
  setDataSourceSrv({ getInstanceSettings: () => settings() } as unknown as DataSourceSrv);
}

export function source(values: Record<string, string | string[]> = {}, jsonData = {}) {
  const templates = variables(values);
  return { datasource: new FlowDataSource(settings(jsonData), () => templates as unknown as TemplateSrv), templates };
}

export const run = (queries: PanelQuery[], parts = {}, values: Record<string, string | string[]> = {}) =>
  lastValueFrom(source(values).datasource.query(request(queries, parts)));
export const bodies = () => sent.map(({ data }) => data as { queries: PanelQuery[]; from: string; to: string });
export const frame = (name: string, values: unknown[], extra = {}) => ({
  schema: { fields: [{ name, type: 'string', ...extra }] },
  data: { values: [values] },
});
