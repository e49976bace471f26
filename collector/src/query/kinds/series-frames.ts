import type { DataFrameJson, FrameField, FrameNotice } from '@ringflow/contract';
import type { FilledField } from '../frames.ts';

/** Series on one time base up to this many go into one wide frame; more would make rows that nobody reads. */
const MAX_WIDE_SERIES = 50;

/** Series of one answer, whichever way they were put into frames. */
export interface SeriesSet {
  readonly time: FrameField;
  readonly times: readonly number[];
  readonly series: readonly FilledField[];
  /** Of the first frame, which says what is known about all. */
  readonly schema: DataFrameJson['schema'];
}

/** Takes the frames of a time series apart. */
export function seriesOf(frames: readonly DataFrameJson[]): SeriesSet {
  const first = frames[0] as DataFrameJson;
  return {
    time: first.schema.fields[0] as FrameField,
    times: (first.data.values[0] ?? []) as number[],
    series: frames.flatMap(({ schema, data }) =>
      schema.fields.slice(1).map((field, index) => ({ ...field, values: data.values[index + 1] ?? [] })),
    ),
    schema: first.schema,
  };
}

/** Puts series on one time base into frames again: one, or one each where they are many. */
export function framesOf(
  { time, times, schema }: SeriesSet,
  series: readonly FilledField[],
  notices: readonly FrameNotice[],
): DataFrameJson[] {
  const meta = {
    ...schema.meta,
    notices: [...notices],
    custom: { ...schema.meta.custom, notices: [...new Set(notices.map(({ code }) => code))] },
  };
  const frame = (fields: readonly FilledField[], more: Partial<typeof meta>): DataFrameJson => ({
    schema: {
      ...schema,
      meta: { ...meta, ...more },
      fields: [time, ...fields.map(({ values: _values, ...field }) => field)],
    },
    data: { values: [[...times], ...fields.map(({ values }) => values)] },
  });
  if (series.length <= MAX_WIDE_SERIES) return [frame(series, { type: 'timeseries-wide' })];
  return series.map((field, index) =>
    frame([field], {
      type: 'timeseries-multi',
      ...(index === 0 ? {} : { executedQueryString: '', stats: [], notices: [] }),
    }),
  );
}
