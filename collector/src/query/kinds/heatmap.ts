import { HISTOGRAM_FIELDS, type DataFrameJson, type HistogramField } from '@ringflow/contract';
import { HOUR_FIELD } from '../check-shape.ts';
import type { RunResult } from '../runner.ts';
import { floorTo } from '../window.ts';
import { prepareHistogram } from './histogram.ts';
import type { Kind, KindInput, Prepared } from './kind.ts';
import { prepareTimeseries } from './timeseries.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/**
 * Traffic as rows of colour over time (Grafana's `heatmap-rows`): a row per value of a field, per range of a number, or
 * per hour of the day.
 */
export const prepareHeatmap: Kind = (input) => {
  const [field] = input.query.groupBy;
  if (field === HOUR_FIELD) return prepareHours(input);
  if (HISTOGRAM_FIELDS.includes(field as HistogramField)) return prepareHistogram(input, field as HistogramField);
  const series = seriesOf(input, {});
  return { ...series, frames: (results) => [joined(series.frames(results))] };
};

function seriesOf(input: KindInput, changes: Partial<KindInput['query']>): Prepared {
  return prepareTimeseries({ ...input, query: { ...input.query, kind: 'timeseries', ...changes } });
}

/** Series of one time base as rows of one frame; the panel names a row by its field. */
function joined(frames: readonly DataFrameJson[]): DataFrameJson {
  const [first] = frames as [DataFrameJson];
  const rows = frames.flatMap(({ schema, data }) =>
    schema.fields.flatMap((field, index) =>
      field.type === 'time' ? [] : [{ field, values: data.values[index] ?? [] }],
    ),
  );
  // Largest at the top: the panel draws the first row at the bottom.
  rows.reverse();
  return {
    schema: {
      ...asHeatmap(first),
      fields: [
        first.schema.fields[0] as (typeof first.schema.fields)[number],
        ...rows.map(({ field: { labels: _labels, ...field } }) => ({
          ...field,
          name: field.config.displayNameFromDS ?? field.name,
        })),
      ],
    },
    data: { values: [first.data.values[0] ?? [], ...rows.map(({ values }) => values)] },
  };
}

function asHeatmap({ schema }: DataFrameJson): DataFrameJson['schema'] {
  return {
    ...schema,
    meta: { ...schema.meta, type: 'heatmap-rows', typeVersion: [0, 0], preferredVisualisationType: 'graph' },
  };
}

/** Days from left to right, hours of the day from bottom to top: one series of whole hours, folded. */
function prepareHours(input: KindInput): Prepared {
  const series = seriesOf(input, {
    groupBy: [],
    intervalMs: HOUR_MS,
    maxDataPoints: 0,
    resolution: input.query.resolution,
  });
  return {
    statements: series.statements,
    frames: (results: readonly RunResult[]) => {
      const [frame] = series.frames(results) as [DataFrameJson];
      return [foldHours(frame)];
    },
  };
}

function foldHours(frame: DataFrameJson): DataFrameJson {
  const [times, values] = frame.data.values as [number[], (number | null)[]];
  const stepMs = (frame.schema.meta.custom.stepSeconds ?? 0) * 1000;
  const [time, field] = frame.schema.fields as [
    (typeof frame.schema.fields)[number],
    (typeof frame.schema.fields)[number],
  ];
  const days = [...new Set(times.map((ms) => floorTo(ms, DAY_MS)))];
  const at = new Map(times.map((ms, index) => [ms, values[index] ?? null]));
  const hours = Array.from({ length: 24 }, (_, hour) => hour);
  const schema = asHeatmap(frame);
  const coarse = stepMs > HOUR_MS;
  return {
    schema: {
      ...schema,
      meta: {
        ...schema.meta,
        notices: coarse
          ? [
              ...schema.meta.notices,
              {
                severity: 'warning',
                code: 'resolution',
                text: 'Hours of the day are not kept for this time any more; ask for a shorter or later one',
              },
            ]
          : schema.meta.notices,
      },
      fields: [
        { ...time, config: { ...time.config, interval: DAY_MS } },
        ...hours.map((hour) => {
          const name = `${String(hour).padStart(2, '0')}:00`;
          return { ...field, name, config: { ...field.config, displayNameFromDS: name } };
        }),
      ],
    },
    data: {
      values: [
        days,
        ...hours.map((hour) => days.map((day) => (coarse ? null : (at.get(day + hour * HOUR_MS) ?? null)))),
      ],
    },
  };
}
