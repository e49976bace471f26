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

/** Places as circles whose size is their traffic. */
export function map(
  about: Described & { readonly query: FlowQueryInput; readonly unit: string; readonly connections?: FlowQueryInput },
): Placed {
  const layers = [
    new MapLayerOptionsBuilder()
      .type('markers')
      .name('Traffic')
      .config({
        showLegend: false,
        style: {
          size: { field: about.query.metric === 'flows' ? 'Flows' : 'Bytes', min: 4, max: 24, fixed: 6 },
          color: { fixed: 'orange' },
          opacity: 0.6,
          symbol: { mode: 'fixed', fixed: 'img/icons/marker/circle.svg' },
        },
      })
      .location(
        new FrameGeometrySourceBuilder()
          .mode(FrameGeometrySourceMode.Coords)
          .latitude('latitude')
          .longitude('longitude'),
      )
      .filterData({ id: 'byRefId', options: 'A' })
      .tooltip(true),
  ];
  return placed(
    about,
    new Geomap()
      .datasource(FLOWS)
      .unit(about.unit)
      .targets([flowQuery({ kind: 'geo', ...about.query })])
      .view(new MapViewConfigBuilder().id('zero').lat(20).lon(10).zoom(1.6))
      .controls(new ControlsOptionsBuilder().showZoom(true).mouseWheelZoom(false).showAttribution(false))
      .basemap({ build: () => OFFLINE_MAP } as never)
      .layers(layers),
  );
}
