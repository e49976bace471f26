import {
  FrameGeometrySourceBuilder,
  FrameGeometrySourceMode,
  MapLayerOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  ControlsOptionsBuilder,
  MapViewConfigBuilder,
  PanelBuilder as Geomap,
} from '@grafana/grafana-foundation-sdk/geomap';
import { DashboardLinkBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import type { FlowQueryInput } from '@ringflow/contract';
import type { Placed } from './board.ts';
import { placed, type Described } from './panels.ts';
import { flowQuery, FLOWS } from './query.ts';

/** Countries that Grafana ships: tiles from the Internet would leave an isolated network without a map. */
const OFFLINE_MAP = {
  type: 'geojson',
  name: 'Countries',
  config: { src: 'public/maps/countries.geojson', rules: [], style: { color: { fixed: 'dark-blue' }, opacity: 0.15 } },
};

type Location = Parameters<MapLayerOptionsBuilder['location']>[0];

/**
 * Places as circles whose size is their traffic, over a glow where there is much of it; and, where `connections` are asked
 * for, arrows between the two ends, as thick as the traffic.
 */
export function map(
  about: Described & {
    readonly query: FlowQueryInput;
    readonly unit: string;
    readonly connections?: FlowQueryInput;
    readonly link?: { readonly title: string; readonly url: string };
  },
): Placed {
  const { connections, link } = about;
  const size = { field: about.query.metric === 'flows' ? 'Flows' : 'Bytes', min: 4, max: 24, fixed: 6 };
  const panel = new Geomap()
    .datasource(FLOWS)
    .unit(about.unit)
    .targets([
      flowQuery({ kind: 'geo', ...about.query }),
      ...(connections ? [flowQuery({ kind: 'geo', refId: 'B', ...connections })] : []),
    ])
    .view(new MapViewConfigBuilder().id('zero').lat(25).lon(10).zoom(1.8))
    .controls(new ControlsOptionsBuilder().showZoom(true).mouseWheelZoom(false).showAttribution(false))
    .basemap({ build: () => OFFLINE_MAP } as never)
    .layers([
      layer(
        'heatmap',
        'Density',
        'A',
        { weight: { ...size, min: 0.05, max: 1, fixed: 0.1 }, blur: 24, radius: 14 },
        false,
      ),
      ...(connections ? [layer('network', 'Connections', 'B', CONNECTIONS, true)] : []),
      layer('markers', 'Traffic', 'A', { showLegend: false, style: { ...MARKERS, size } }, true),
    ]);
  if (link) panel.dataLinks([new DashboardLinkBuilder(link.title).url(link.url)]);
  return placed(about, panel);
}

const MARKERS = {
  color: { fixed: 'orange' },
  opacity: 0.6,
  symbol: { mode: 'fixed', fixed: 'img/icons/marker/circle.svg' },
};

/** Grafana marks the layer as beta; without it the same numbers stand in the table beside the map. */
const CONNECTIONS = {
  showLegend: false,
  arrow: 1,
  style: {
    size: { fixed: 3, min: 2, max: 8 },
    color: { fixed: 'green' },
    opacity: 0.5,
    symbol: { mode: 'fixed', fixed: 'img/icons/marker/circle.svg' },
  },
  edgeStyle: {
    size: { field: 'Thickness', fixed: 1, min: 1, max: 6 },
    color: { fixed: 'light-blue' },
    opacity: 0.4,
  },
};

function layer(type: string, name: string, refId: string, config: object, hasTooltip: boolean): MapLayerOptionsBuilder {
  const location: Location = new FrameGeometrySourceBuilder()
    .mode(FrameGeometrySourceMode.Coords)
    .latitude('latitude')
    .longitude('longitude');
  return new MapLayerOptionsBuilder()
    .type(type)
    .name(name)
    .config(config)
    .location(location)
    .filterData({ id: 'byRefId', options: refId })
    .tooltip(hasTooltip);
}
