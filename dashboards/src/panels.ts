import { PanelBuilder as BarGauge } from '@grafana/grafana-foundation-sdk/bargauge';
import {
  BarGaugeDisplayMode,
  GraphDrawStyle,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TableSortByFieldStateBuilder,
  TooltipDisplayMode,
  VisibilityMode,
  VizTextDisplayOptionsBuilder,
  VizLegendOptionsBuilder,
  VizOrientation,
  VizTooltipOptionsBuilder,
  BigValueColorMode,
  BigValueGraphMode,
} from '@grafana/grafana-foundation-sdk/common';
import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import { DashboardLinkBuilder, type DynamicConfigValue } from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as Heatmap } from '@grafana/grafana-foundation-sdk/heatmap';
import { PanelBuilder as NodeGraph } from '@grafana/grafana-foundation-sdk/nodegraph';
import {
  PanelBuilder as PieChart,
  PieChartLegendOptionsBuilder,
  PieChartLegendValues,
  PieChartType,
} from '@grafana/grafana-foundation-sdk/piechart';
import { PanelBuilder as Stat } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as Table } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeSeries } from '@grafana/grafana-foundation-sdk/timeseries';
import type { FlowQueryInput } from '@ringflow/contract';
import type { Placed } from './board.ts';
import { colorOverrides } from './colors.ts';
import { columnOverrides } from './columns.ts';
import { colored, emptyIs, hiddenUnless, nothingOf } from './overrides.ts';
import { flowQuery, FLOWS, PROMETHEUS, promQuery } from './query.ts';
import { thresholds, type Steps } from './thresholds.ts';

/** What every panel has: a title that says what is counted and in which unit, and a sentence for the "i". */
export interface Described {
  readonly title: string;
  readonly description: string;
  readonly width: number;
  readonly height: number;
}

/** Where a click on a value of a field leads; variables, filters and time range go along. */
export interface Drill {
  /** Display name of the field. */
  readonly field: string;
  readonly title: string;
  readonly board: string;
  /** Field of the filter that the value is put into. */
  readonly filter: string;
}

type Query = FlowQueryInput;

/** Adds the clicked value to the ad hoc filters of the next dashboard, beside those that are set. */
export function drillUrl(
  { board, filter }: Pick<Drill, 'board' | 'filter'>,
  value = '${__value.raw:percentencode}',
): string {
  return `/d/${board}?\${__url_time_range}&\${__all_variables}&var-filters=${filter}%7C%3D%7C${value}`;
}

function drillProperty(drills: readonly Drill[]): DynamicConfigValue {
  return { id: 'links', value: drills.map((drill) => ({ title: drill.title, url: drillUrl(drill) })) };
}

/** Lines or stacked areas of rates over time. */
export function series(
  about: Described & {
    readonly queries: readonly Query[];
    readonly unit: string;
    readonly stacked?: boolean;
    readonly bars?: boolean;
    readonly minInterval?: string;
    /** A table of last, mean and highest values on the right. */
    readonly legendTable?: boolean;
    readonly thresholds?: Steps;
    /** Only series whose names end like this; the others are what they are computed from. */
    readonly only?: string;
  },
): Placed {
  const groupBy = about.queries[0]?.groupBy ?? [];
  const panel = timeSeries(about)
    .datasource(FLOWS)
    .targets(about.queries.map(flowQuery))
    .overrides([
      ...colorOverrides(groupBy),
      ...nothingOf(groupBy),
      ...(about.only === undefined ? [] : hiddenUnless(about.only)),
    ]);
  return placed(about, panel);
}

/** The same for numbers of Prometheus. */
export function promSeries(
  about: Described & {
    readonly targets: readonly Builder<Dataquery>[];
    readonly unit: string;
    readonly bars?: boolean;
    readonly stacked?: boolean;
  },
): Placed {
  return placed(
    about,
    timeSeries(about)
      .datasource(PROMETHEUS)
      .targets([...about.targets]),
  );
}

function timeSeries(about: {
  readonly unit: string;
  readonly stacked?: boolean;
  readonly bars?: boolean;
  readonly minInterval?: string;
  readonly legendTable?: boolean;
  readonly thresholds?: Steps;
}): TimeSeries {
  const panel = new TimeSeries()
    .unit(about.unit)
    .lineWidth(1)
    .fillOpacity(about.bars === true ? 80 : about.stacked === true ? 60 : 10)
    .showPoints(VisibilityMode.Never)
    .spanNulls(false)
    .axisBorderShow(false)
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending).hideZeros(true))
    .legend(
      about.legendTable === true
        ? new VizLegendOptionsBuilder()
            .displayMode(LegendDisplayMode.Table)
            .placement(LegendPlacement.Right)
            .showLegend(true)
            .calcs(['mean', 'max'])
            .sortBy('Mean')
            .sortDesc(true)
        : new VizLegendOptionsBuilder()
            .displayMode(LegendDisplayMode.List)
            .placement(LegendPlacement.Bottom)
            .showLegend(true),
    );
  if (about.stacked === true) panel.stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'));
  if (about.bars === true) panel.drawStyle(GraphDrawStyle.Bars).lineWidth(0);
  if (about.minInterval !== undefined) panel.interval(about.minInterval);
  if (about.thresholds)
    panel
      .thresholds(thresholds(about.thresholds))
      .thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed));
  return panel;
}

/** Rows of the largest, with their share as a bar; clicks filter or lead on. */
export function topTable(
  about: Described & {
    readonly query: Query;
    readonly drills?: readonly Drill[];
    /** Display names of columns that stand beside a better one. */
    readonly hidden?: readonly string[];
    /** Display name of the column by which rows are shown first; default: as they come. */
    readonly sortBy?: string;
    /** Colour the percentages of utilisation. */
    readonly thresholds?: Steps;
  },
): Placed {
  const panel = new Table()
    .datasource(FLOWS)
    .targets([flowQuery({ kind: 'table', limit: 100, ...about.query })])
    .showHeader(true)
    .filterable(true)
    .minWidth(90)
    .overrides([
      ...columnOverrides(about.hidden ?? []),
      ...(about.thresholds ? [colored('Utilization')] : []),
      ...byField(about.drills ?? []),
    ]);
  if (about.thresholds) panel.thresholds(thresholds(about.thresholds));
  if (about.sortBy !== undefined)
    panel.sortBy([new TableSortByFieldStateBuilder().displayName(about.sortBy).desc(true)]);
  return placed(about, panel);
}

function byField(drills: readonly Drill[]) {
  const fields = [...new Set(drills.map(({ field }) => field))];
  return fields.map((field) => ({
    matcher: { id: 'byName', options: field },
    properties: [drillProperty(drills.filter((drill) => drill.field === field))],
  }));
}

/** Single records: paged and sorted by the collector, each with all it has when opened. The board has a variable `resolve`. */
export function records(about: Described & { readonly query: Query; readonly drills?: readonly Drill[] }): Placed {
  return placed(
    about,
    new Table()
      .datasource(FLOWS)
      .targets([flowQuery({ kind: 'records', details: true, resolve: '$resolve', ...about.query })])
      .showHeader(true)
      .filterable(true)
      .minWidth(80)
      .overrides([
        ...columnOverrides(),
        // Addresses are what one reads; the table scrolls where there is less room.
        {
          matcher: { id: 'byRegexp', options: '/^(Client|Server|Source address|Destination address)$/' },
          properties: [{ id: 'custom.minWidth', value: 130 }],
        },
        ...byField(about.drills ?? []),
      ]),
  );
}

/** Shares of one dimension as a ring, the rest as `other`: the slices add up to the whole. */
export function donut(
  about: Described & { readonly query: Query; readonly unit: string; readonly drill?: Drill },
): Placed {
  const metric = about.query.metric ?? 'bytes';
  const panel = new PieChart()
    .datasource(FLOWS)
    .targets([flowQuery({ kind: 'table', limit: about.width > 6 ? 10 : 5, columns: [metric], ...about.query })])
    .pieType(PieChartType.Donut)
    .unit(about.unit)
    // Of the percentages in the legend.
    .decimals(1)
    .reduceOptions(new ReduceDataOptionsBuilder().values(true).calcs([]).fields('').limit(50))
    .legend(
      new PieChartLegendOptionsBuilder()
        // Beside the ring where there is room for both.
        .displayMode(about.width > 6 ? LegendDisplayMode.Table : LegendDisplayMode.List)
        .placement(about.width > 6 ? LegendPlacement.Right : LegendPlacement.Bottom)
        .showLegend(true)
        .values([PieChartLegendValues.Percent]),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Single))
    .overrides([...colorOverrides(about.query.groupBy, 'rows'), emptyIs(about.query.groupBy)]);
  if (about.drill)
    panel.dataLinks([
      new DashboardLinkBuilder(about.drill.title).url(drillUrl(about.drill, '${__data.fields[0]:percentencode}')),
    ]);
  return placed(about, panel);
}

/** Names as bars of their weight: what core Grafana has for a word cloud. */
export function wordBars(about: Described & { readonly query: Query; readonly unit: string }): Placed {
  const metric = about.query.metric ?? 'flows';
  return placed(
    about,
    new BarGauge()
      .datasource(FLOWS)
      .targets([flowQuery({ kind: 'table', limit: 12, columns: [metric], other: false, ...about.query })])
      .unit(about.unit)
      .overrides([emptyIs(about.query.groupBy)])
      // Grafana leaves out the name of a bar that stands alone, unless one is set.
      .displayName('${__data.fields[0]}')
      .displayMode(BarGaugeDisplayMode.Basic)
      .orientation(VizOrientation.Horizontal)
      .reduceOptions(new ReduceDataOptionsBuilder().values(true).calcs([]).fields(''))
      .text(new VizTextDisplayOptionsBuilder().titleSize(12).valueSize(14))
      .thresholds(thresholds([{ value: null, color: 'blue' }])),
  );
}

/** One number. */
export function stat(
  about: Described & {
    readonly query: Query;
    readonly unit: string;
    readonly thresholds?: Steps;
  },
): Placed {
  return placed(
    about,
    statPanel(about)
      .datasource(FLOWS)
      .targets([flowQuery({ kind: 'stat', ...about.query })])
      .reduceOptions(new ReduceDataOptionsBuilder().values(false).calcs(['lastNotNull']).fields('')),
  );
}

/** One number of Prometheus. */
export function promStat(
  about: Described & {
    readonly targets: readonly Builder<Dataquery>[];
    readonly unit: string;
    readonly thresholds?: Steps;
  },
): Placed {
  return placed(
    about,
    statPanel(about)
      .datasource(PROMETHEUS)
      .targets([...about.targets]),
  );
}

function statPanel(about: { readonly unit: string; readonly thresholds?: Steps }): Stat {
  return new Stat()
    .unit(about.unit)
    .colorMode(about.thresholds ? BigValueColorMode.Background : BigValueColorMode.Value)
    .graphMode(BigValueGraphMode.None)
    .thresholds(thresholds(about.thresholds ?? [{ value: null, color: 'text' }]));
}

/** Who talks to whom, as a graph. */
export function graph(about: Described & { readonly query: Query }): Placed {
  return placed(about, new NodeGraph().datasource(FLOWS).targets([flowQuery({ kind: 'graph', ...about.query })]));
}

/** Buckets of a dimension over time. */
export function heatmap(about: Described & { readonly query: Query; readonly unit: string }): Placed {
  return placed(
    about,
    new Heatmap()
      .datasource(FLOWS)
      .targets([flowQuery({ kind: 'heatmap', ...about.query })])
      .unit(about.unit),
  );
}

/** Rows of exporters with numbers of Prometheus, each from a query of its own. */
export function promTable(
  about: Described & {
    readonly columns: readonly {
      readonly name: string;
      readonly unit: string;
      readonly expr: string;
      readonly thresholds?: Steps;
    }[];
  },
): Placed {
  const refId = (at: number) => String.fromCharCode(65 + at);
  return placed(
    about,
    new Table()
      .datasource(PROMETHEUS)
      .targets(about.columns.map(({ expr }, at) => promQuery(expr, '', refId(at), true)))
      .transformations([{ id: 'merge', options: {} }])
      .filterable(true)
      .minWidth(80)
      .overrides([
        { matcher: { id: 'byName', options: 'Time' }, properties: [{ id: 'custom.hideFrom.viz', value: true }] },
        ...['exporter', 'name', 'protocol'].map((label) => ({
          matcher: { id: 'byName', options: label },
          properties: [{ id: 'displayName', value: label.replace(/^./, (letter) => letter.toUpperCase()) }],
        })),
        ...about.columns.map(({ name, unit, thresholds: steps }, at) => ({
          matcher: { id: 'byName', options: `Value #${refId(at)}` },
          properties: [
            { id: 'displayName', value: name },
            { id: 'unit', value: unit },
            ...(steps ? [{ id: 'thresholds', value: { mode: 'absolute', steps } }, ...colored(name).properties] : []),
          ],
        })),
      ]),
  );
}

/** A panel of any kind with its title, description and size. */
export function placed<
  P extends { title(text: string): P; description(text: string): P; build(): ReturnType<Placed['panel']['build']> },
>(about: Described, panel: P): Placed {
  return { panel: panel.title(about.title).description(about.description), width: about.width, height: about.height };
}
