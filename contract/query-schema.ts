import { ERRORS } from './errors.ts';
import { text, number, count, flag, list, choice, record, answer, type JsonSchema } from './json-schema.ts';
import {
  COMPARE_WINDOWS,
  MAX_DIMENSIONS,
  MAX_QUERIES,
  MAX_ROWS,
  MEASURES,
  METRICS,
  NOTICE_CODES,
  RECORD_FORMATS,
  DUPLICATE_MODES,
  QUERY_DEFAULTS,
  QUERY_KINDS,
  QUERY_RESOLUTIONS,
} from './query.ts';

const fields = (description: string): JsonSchema => list({ type: 'string' }, description, { maxItems: MAX_DIMENSIONS });
/** A time as queries take it. */
export const timePoint = (description: string): JsonSchema => ({
  anyOf: [{ type: 'number' }, { type: 'string' }],
  description: `${description}: milliseconds since the epoch, ISO 8601, or now, now-6h (ms s m h d w M y)`,
});

/** One query of a request. Only what differs from the defaults need be sent. */
export const FLOW_QUERY_SCHEMA: JsonSchema = {
  type: 'object',
  description: 'What to ask; keys that Grafana adds are ignored',
  properties: {
    refId: text('Name of the query in this request; its answer has the same name', { maxLength: 64 }),
    version: count('Version of the query model'),
    kind: { ...choice(QUERY_KINDS, 'Shape of the answer'), default: QUERY_DEFAULTS.kind },
    filter: text('Condition in the filter language; empty = everything', {
      default: '',
      examples: ['src_addr in 10.0.0.0/8 and dst_port = 443'],
    }),
    groupBy: fields('Fields whose combinations make the series or rows'),
    metric: { ...choice(METRICS, 'What is counted and ranks the top'), default: QUERY_DEFAULTS.metric },
    measure: choice(
      MEASURES,
      'Per second (bytes as bits), sum, percent of the total or of the interface speed, busiest minute, or 95th percentile of 5 minutes. Default: rate for timeseries and heatmap, total otherwise',
    ),
    limit: {
      type: 'integer',
      minimum: 1,
      maximum: MAX_ROWS,
      description: 'Series, rows or records. Default: 10, records 100',
    },
    offset: { ...count('Rows or records to skip'), default: 0 },
    other: {
      ...flag('Add what is not shown as "other", so that shown + other = total'),
      default: QUERY_DEFAULTS.other,
    },
    sort: list(
      {
        type: 'object',
        properties: { by: text('Field'), descending: { ...flag('Largest first'), default: true } },
        required: ['by'],
        additionalProperties: false,
      },
      'Order of rows; default by metric, largest first',
      { maxItems: MAX_DIMENSIONS },
    ),
    columns: list({ type: 'string' }, 'Fields of the answer; empty = all'),
    unique: fields('stat: fields whose distinct values are counted'),
    duplicates: {
      enum: [...DUPLICATE_MODES],
      default: QUERY_DEFAULTS.duplicates,
      description:
        'Records whose packets another record counts: auto leaves them out of totals and counts them for exporters and interfaces',
    },
    resolution: {
      ...choice(QUERY_RESOLUTIONS, 'Source: auto takes the coarsest that is exact enough'),
      default: QUERY_DEFAULTS.resolution,
    },
    compare: {
      ...choice(COMPARE_WINDOWS, 'timeseries, table: also the values of the same window this much earlier'),
      default: QUERY_DEFAULTS.compare,
    },
    baseline: {
      ...flag('timeseries, table: also the deviation from the median of the same hour of the last four weeks'),
      default: QUERY_DEFAULTS.baseline,
    },
    mirror: {
      ...flag(
        'timeseries: also the other way (source and destination swapped), as negative values; table: a column for each way',
      ),
      default: QUERY_DEFAULTS.mirror,
    },
    format: {
      ...choice(RECORD_FORMATS, 'records: rows for tables, lines for logs, or a frame of each'),
      default: QUERY_DEFAULTS.format,
    },
    legend: text('timeseries: name of a series, {{field}} stands for the value of a group; empty = the values', {
      default: '',
      maxLength: 500,
    }),
    intervalMs: {
      ...number('Wanted length of a bucket in milliseconds; 0 = from maxDataPoints'),
      minimum: 0,
      default: 0,
    },
    maxDataPoints: { ...number('Points that fit the panel; 0 = 1000'), minimum: 0, default: 0 },
  },
};

/** Body of `POST /api/v1/query`. */
export const QUERY_REQUEST_SCHEMA: JsonSchema = {
  type: 'object',
  required: ['from', 'to', 'queries'],
  properties: {
    from: timePoint('Beginning of the window, included'),
    to: timePoint('End of the window, not included'),
    timezone: text('IANA name or utc'),
    queries: list(FLOW_QUERY_SCHEMA, 'Queries, answered independently of each other', {
      minItems: 1,
      maxItems: MAX_QUERIES,
    }),
  },
};

const NOTICE_SCHEMA = answer(
  {
    severity: choice(['info', 'warning', 'error'], 'How serious it is'),
    text: text('For people'),
    code: choice(NOTICE_CODES, 'For programs'),
  },
  'Something to know about the answer',
);

/** Grafana's DataFrameJSON with this collector's meta. */
export const DATA_FRAME_SCHEMA: JsonSchema = answer(
  {
    schema: answer(
      {
        refId: text('Name of the query'),
        meta: answer(
          {
            type: text('Frame type of Grafana'),
            typeVersion: list({ type: 'integer' }, 'Version of the frame type'),
            preferredVisualisationType: text('How Explore shows it'),
            executedQueryString: text('The SQL that was run; its parameters follow as comments'),
            stats: list(
              answer(
                { displayName: text('Name'), value: number('Value'), unit: text('Unit of Grafana') },
                'A number about the query',
                ['unit'],
              ),
              'Shown in the query inspector',
            ),
            notices: list(NOTICE_SCHEMA, 'What limits the answer'),
            custom: {
              type: 'object',
              additionalProperties: true,
              description: 'Table, resolution, rows and bytes read, window that was answered',
            },
          },
          'Where the answer comes from',
          ['type', 'typeVersion', 'preferredVisualisationType'],
        ),
        fields: list(
          answer(
            {
              name: text('Name of the field'),
              type: choice(['time', 'number', 'string', 'boolean', 'other'], 'Type of its values'),
              labels: record({ type: 'string' }, 'What the series is grouped by'),
              config: {
                type: 'object',
                additionalProperties: true,
                description: 'unit, displayNameFromDS, description, interval, filterable …',
              },
            },
            'A column',
            ['labels'],
          ),
          'Columns',
        ),
      },
      'Columns and provenance',
    ),
    data: answer(
      {
        values: list({ type: 'array', items: {} }, 'One list per field'),
        nanos: list(
          { type: ['array', 'null'], items: { type: 'integer' } },
          'Nanoseconds beyond the milliseconds, per time field',
        ),
      },
      'Values by column',
      ['nanos'],
    ),
  },
  'Grafana data frame',
);

/** Answer of `POST /api/v1/query`. */
export const QUERY_RESPONSE_SCHEMA: JsonSchema = answer(
  {
    results: record(
      answer(
        {
          status: { type: 'integer', description: 'HTTP status of this query alone' },
          frames: list(DATA_FRAME_SCHEMA, 'The answer'),
          error: text('What is wrong'),
          errorSource: choice(['downstream', 'plugin'], 'Who is to blame, in the words of Grafana'),
          code: choice(Object.keys(ERRORS), 'For programs'),
          hint: text('What to do about it'),
          position: count('Character of the filter where it is wrong, from 0'),
          length: count('Characters from there'),
        },
        'One answer',
        ['error', 'errorSource', 'code', 'hint', 'position', 'length'],
      ),
      'Answers by refId',
    ),
  },
  'All answers',
);
