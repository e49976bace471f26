import {
  AdHocVariableBuilder,
  AnnotationQueryBuilder,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  TextBoxVariableBuilder,
  TimePickerBuilder,
  VariableHide,
  VariableRefresh,
  type Dashboard,
  type Panel,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { FLOWS } from './query.ts';

/** A panel and how much of a row it takes. */
export interface Placed {
  /** Panels as the SDK builds them. */
  readonly panel: { build(): Panel };
  /** Of 24. */
  readonly width: number;
  /** In units of 30 pixels plus gap. */
  readonly height: number;
}

export interface Board {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  /** The view in the navigation bar that it belongs to. */
  readonly view: View;
  /** Panels row by row; a row breaks where 24 is full. */
  readonly panels: readonly (Placed | Column)[];
  /** Default: `now-1h`. */
  readonly from?: string;
  /** Default: `1m`. */
  readonly refresh?: string;
  /** Queries Prometheus, too. */
  readonly prometheus?: boolean;
  /** More variables, after exporter and filter. */
  readonly variables?: readonly VariableBuilder[];
}

/** Panels one below the other, beside what follows in the row. */
export interface Column {
  readonly column: readonly Placed[];
  readonly width: number;
}

type VariableBuilder = Parameters<DashboardBuilder['withVariable']>[0];

/** The navigation bar: views in the order in which one looks for something. */
export const VIEWS = {
  overview: { title: 'Overview', home: 'ringflow-overview' },
  top: { title: 'Top-N', home: 'ringflow-top-talkers' },
  threats: { title: 'Threats', home: 'ringflow-threats' },
  flows: { title: 'Flows', home: 'ringflow-flows-client-server' },
  geo: { title: 'Geo IP', home: 'ringflow-geo-client-server' },
  as: { title: 'AS Traffic', home: 'ringflow-as' },
  exporters: { title: 'Exporters', home: 'ringflow-exporters' },
  details: { title: 'Traffic Details', home: 'ringflow-details-types' },
  records: { title: 'Flow Records', home: 'ringflow-records-client-server' },
  reports: { title: 'Reports', home: 'ringflow-reports' },
  health: { title: 'Health', home: 'ringflow-health' },
} as const;
export type View = keyof typeof VIEWS;

/** Grafana's dashboard of a board, with the bars that all have in common. */
export function dashboard(board: Board, all: readonly Board[]): Dashboard {
  const builder = new DashboardBuilder(board.title)
    .uid(board.uid)
    .description(board.description)
    .tags(['ringflow', `ringflow-${board.view}`])
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from: board.from ?? 'now-1h', to: 'now' })
    .refresh(board.refresh ?? '1m')
    .timepicker(new TimePickerBuilder().refreshIntervals(['10s', '30s', '1m', '5m', '15m', '1h']))
    .links(linksOf(board, all));
  builder.withVariable(
    new DatasourceVariableBuilder('ds').label('Flows').type(FLOWS.type).hide(VariableHide.HideVariable),
  );
  if (board.prometheus === true)
    builder.withVariable(
      new DatasourceVariableBuilder('prometheus')
        .label('Prometheus')
        .type('prometheus')
        .hide(VariableHide.HideVariable),
    );
  builder.withVariable(chooser('exporter', 'Exporter', { type: 'exporters' }));
  for (const variable of board.variables ?? []) builder.withVariable(variable);
  builder.withVariable(
    new TextBoxVariableBuilder('filter')
      .label('Filter')
      .description('Filter language: src_addr in 10.0.0.0/8 and dst_port = 443')
      .defaultValue(''),
  );
  builder.withVariable(new AdHocVariableBuilder('filters').label('Filters').datasource(FLOWS));
  builder.annotation(
    new AnnotationQueryBuilder()
      .name('Collector and exporter events')
      .datasource(FLOWS)
      .enable(false)
      .iconColor('orange'),
  );
  const { panels } = placed(board.panels);
  const built = builder.build();
  return { ...built, panels };
}

/** A variable of what the data source finds in the time range; several can be chosen, All restricts nothing. */
export function chooser(name: string, label: string, query: object): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(FLOWS)
    .query({ refId: `variable-${name}`, ...query })
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .multi(true)
    .includeAll(true)
    .current({ selected: true, text: ['All'], value: ['$__all'] });
}

/** Views, then the boards of the same view: all of them keep time range, variables and filters. */
function linksOf(board: Board, all: readonly Board[]) {
  const link = (title: string, uid: string, tooltip: string) =>
    new DashboardLinkBuilder(title)
      .type(DashboardLinkType.Link)
      .url(`/d/${uid}`)
      .tooltip(tooltip)
      .icon('dashboard')
      .keepTime(true)
      .includeVars(true);
  const views = Object.values(VIEWS)
    .filter(({ home }) => all.some(({ uid }) => uid === home))
    .map(({ title, home }) => link(title, home, all.find(({ uid }) => uid === home)?.description ?? title));
  const siblings = all.filter(({ view }) => view === board.view);
  return siblings.length < 2
    ? views
    : [
        ...views,
        ...siblings.map(({ uid, title, description }) => link(`› ${title.split(': ').at(-1)}`, uid, description)),
      ];
}

/** Numbers the panels and gives them their places. */
function placed(items: Board['panels']): { panels: Panel[] } {
  const panels: Panel[] = [];
  let [x, y, rowHeight] = [0, 0, 0];
  const put = ({ panel, width, height }: Placed, atX: number, atY: number) => {
    panels.push({ ...panel.build(), id: panels.length + 1, gridPos: { x: atX, y: atY, w: width, h: height } });
  };
  for (const item of items) {
    if (x + item.width > 24) [x, y, rowHeight] = [0, y + rowHeight, 0];
    const stack = 'column' in item ? item.column : [item];
    let top = y;
    for (const one of stack) {
      put(one, x, top);
      top += one.height;
    }
    x += item.width;
    rowHeight = Math.max(rowHeight, top - y);
  }
  return { panels };
}
