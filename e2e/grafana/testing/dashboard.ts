import type { FlowQueryInput } from '@ringflow/contract';
import type { FlowSource, TimeWindow } from './data-source.ts';
import type { Grafana } from './grafana.ts';

export interface PanelOf {
  readonly title: string;
  /** Grafana's name of the panel: `timeseries`, `table`, `stat` … */
  readonly type: string;
  readonly query: FlowQueryInput;
  readonly options?: Readonly<Record<string, unknown>>;
}

/** Saves a dashboard with two panels in a row, and what else it has (`templating`, `annotations`); returns its uid. */
export async function saveDashboard(
  grafana: Grafana,
  title: string,
  source: FlowSource,
  panels: readonly PanelOf[],
  { fromMs, toMs }: TimeWindow,
  more: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const { uid } = await grafana.api<{ uid: string }>('POST', '/api/dashboards/db', {
    overwrite: true,
    dashboard: {
      ...more,
      title,
      schemaVersion: 41,
      timezone: 'utc',
      time: { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() },
      panels: panels.map(({ title: name, type, query, options = {} }, index) => ({
        id: index + 1,
        title: name,
        type,
        datasource: source.ref,
        gridPos: { x: (index % 2) * 12, y: Math.floor(index / 2) * 8, w: 12, h: 8 },
        targets: [{ refId: 'A', datasource: source.ref, ...query }],
        options,
        fieldConfig: { defaults: {}, overrides: [] },
      })),
    },
  });
  return uid;
}
