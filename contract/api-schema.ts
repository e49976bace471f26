import { FILTER_LIMITS } from './filter/index.ts';
import { ERRORS } from './errors.ts';
import {
  MAX_DIMENSIONS,
  MAX_QUERIES,
  MAX_ROWS,
  MEASURES,
  METRICS,
  NOTICE_CODES,
  QUERY_DEFAULTS,
  QUERY_KINDS,
  QUERY_RESOLUTIONS,
} from './query.ts';

/** JSON schema (draft-07), as much of it as is used here. */
export type JsonSchema = Readonly<Record<string, unknown>>;

const text = (description: string, more: JsonSchema = {}): JsonSchema => ({ type: 'string', description, ...more });
const number = (description: string): JsonSchema => ({ type: 'number', description });
const count = (description: string): JsonSchema => ({ type: 'integer', minimum: 0, description });
const flag = (description: string): JsonSchema => ({ type: 'boolean', description });
const list = (items: JsonSchema, description: string, more: JsonSchema = {}): JsonSchema => ({
  type: 'array',
  items,
  description,
  ...more,
});
const choice = (values: readonly string[], description: string): JsonSchema => ({
  type: 'string',
  enum: [...values],
  description,
});
const record = (values: JsonSchema, description: string): JsonSchema => ({
  type: 'object',
  additionalProperties: values,
  description,
});
/** Answers: all keys are there unless named as optional. */
const answer = (
  properties: Record<string, JsonSchema>,
  description: string,
  optional: readonly string[] = [],
): JsonSchema => ({
  type: 'object',
  description,
  properties,
  required: Object.keys(properties).filter((key) => !optional.includes(key)),
});

const fields = (description: string): JsonSchema => list({ type: 'string' }, description, { maxItems: MAX_DIMENSIONS });
const timePoint = (description: string): JsonSchema => ({
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
      'Per second (bytes as bits), sum, or percent of the total. Default: rate for timeseries, total otherwise',
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
    resolution: {
      ...choice(QUERY_RESOLUTIONS, 'Source: auto takes the coarsest that is exact enough'),
      default: QUERY_DEFAULTS.resolution,
    },
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

const SPAN_SCHEMA = answer({ offset: count('From 0'), length: count('Characters') }, 'Part of a text');

/** Every error body. */
export const API_ERROR_SCHEMA: JsonSchema = answer(
  {
    code: choice(Object.keys(ERRORS), 'For programs'),
    message: text('What is wrong'),
    hint: text('What to do about it'),
    position: SPAN_SCHEMA,
  },
  'An error',
  ['hint', 'position'],
);

const filterText = text('Filter', { maxLength: FILTER_LIMITS.length });

export const FILTER_VALIDATE_REQUEST_SCHEMA: JsonSchema = {
  type: 'object',
  required: ['filter'],
  properties: { filter: filterText },
};
export const FILTER_VALIDATE_RESPONSE_SCHEMA: JsonSchema = answer(
  {
    valid: flag('True when the filter can be used'),
    filter: text('The filter in its canonical spelling'),
    columns: list({ type: 'string' }, 'Columns that it reads'),
    error: answer(
      {
        ...(API_ERROR_SCHEMA['properties'] as Record<string, JsonSchema>),
        expected: list({ type: 'string' }, 'What could stand there'),
      },
      'Where and why it is wrong',
      ['hint', 'position'],
    ),
  },
  'Verdict',
  ['filter', 'columns', 'error'],
);
export const FILTER_COMPLETE_REQUEST_SCHEMA: JsonSchema = {
  type: 'object',
  required: ['filter'],
  properties: {
    filter: filterText,
    cursor: count('Character before which the cursor stands, from 0; default: the end'),
  },
};
export const FILTER_COMPLETE_RESPONSE_SCHEMA: JsonSchema = answer(
  {
    suggestions: list(
      answer(
        {
          text: text('To put in'),
          kind: choice(['field', 'operator', 'value', 'keyword', 'set'], 'What it is'),
          detail: text('For people'),
        },
        'A suggestion',
      ),
      'Best first',
    ),
    replace: SPAN_SCHEMA,
  },
  'Suggestions',
);

export const FIELDS_RESPONSE_SCHEMA: JsonSchema = answer(
  {
    version: text('Version of the collector'),
    fields: list(
      answer(
        {
          name: text('Name'),
          label: text('Label'),
          description: text('What it is'),
          type: text('Kind of value'),
          unit: text('What it measures'),
          group: text('Section in a list of fields'),
          columns: list({ type: 'string' }, 'Columns behind it'),
          groupable: flag('groupBy takes it'),
          filterable: flag('Filters take it'),
          sortable: flag('records can show and order by it'),
          operators: list({ type: 'string' }, 'Operators that filters take'),
          examples: list({ type: 'string' }, 'Conditions to paste'),
        },
        'A field',
      ),
      'Fields',
    ),
    metrics: list({ type: 'string' }, 'Values of metric'),
    measures: list({ type: 'string' }, 'Values of measure'),
    kinds: list({ type: 'string' }, 'Values of kind'),
    resolutions: list({ type: 'string' }, 'Values of resolution'),
    sets: list({ type: 'string' }, 'Configured sets, without @'),
  },
  'What can be asked',
);

export const VALUES_RESPONSE_SCHEMA: JsonSchema = answer(
  {
    field: text('Field'),
    values: list(
      answer(
        {
          value: text('As a filter takes it'),
          text: text('What people call it'),
          bytes: number('Traffic that had it, scaled'),
        },
        'A value',
      ),
      'Most traffic first',
    ),
    complete: flag('False when there are more'),
  },
  'Values that occurred',
);

export const EXPORTERS_RESPONSE_SCHEMA: JsonSchema = answer(
  {
    exporters: list(
      answer(
        {
          address: text('Address'),
          name: text('Name; empty when unknown'),
          protocols: list({ type: 'string' }, 'Protocols it exports with'),
          domains: list({ type: 'integer' }, 'Observation domains'),
          firstSeenMs: number('First datagram'),
          lastSeenMs: number('Last datagram'),
          datagrams: count('Datagrams since start'),
          records: count('Flow records since start'),
          recordsPerSecond: number('Flow records per second'),
          datagramsPerSecond: number('Datagrams per second'),
          samplingRate: count('One packet in N; 0 = unknown'),
          lost: count('Missing by the sequence numbers'),
          lostUnits: list({ type: 'string' }, 'What lost counts: flows, datagrams, records, samples'),
          templates: count('Templates defined or redefined since start'),
          templateMs: number('Last announcement of a template; 0 = not since start'),
          clockOffsetMs: { type: ['number', 'null'], description: 'Arrival minus export time; null when unknown' },
          losses: record({ type: 'integer' }, 'What could not be decoded, by reason'),
          interfaces: list(
            answer(
              {
                index: count('ifIndex'),
                name: text('Name'),
                description: text('Description'),
                speedBps: number('Bits per second'),
              },
              'An interface',
            ),
            'Interfaces with a name',
          ),
        },
        'An exporter',
      ),
      'Exporters',
    ),
  },
  'Who exports',
);

export const STATUS_RESPONSE_SCHEMA: JsonSchema = answer(
  {
    version: text('Version of the collector'),
    nowMs: number('Clock of the collector'),
    startedMs: number('When it started'),
    ledger: answer(
      {
        received: count('Records received'),
        stored: count('Records in the store'),
        waiting: count('Records on their way'),
        dropped: list(
          answer({ reason: text('Why'), exporter: text('Whose'), records: count('How many') }, 'A loss'),
          'Records dropped',
        ),
        difference: { type: 'integer', description: 'received − stored − waiting − dropped; anything but 0 is a bug' },
      },
      'Loss ledger',
    ),
    store: answer(
      {
        open: flag('The store answers'),
        engine: text('embedded or remote'),
        tables: list(
          answer(
            {
              table: text('Table'),
              rows: count('Rows'),
              sizeBytes: count('Bytes on disk'),
              oldestMs: { type: ['number', 'null'], description: 'Oldest data' },
            },
            'A table',
          ),
          'Tables',
        ),
        lastError: { type: ['string', 'null'], description: 'Why loading does not work' },
      },
      'Store',
    ),
    spool: answer(
      {
        waitingSegments: count('Segments that wait'),
        waitingRows: count('Rows in them'),
        waitingBytes: count('Their bytes'),
      },
      'Queue on disk',
    ),
    decoder: record({ type: 'number' }, 'Counters of the decoders'),
    exporters: count('Exporters that are known'),
    details: { type: 'object', additionalProperties: true, description: 'Everything else' },
  },
  'State of the collector',
);

export const READY_RESPONSE_SCHEMA: JsonSchema = answer(
  { ready: flag('True when queries can be answered'), reasons: list({ type: 'string' }, 'Why not') },
  'Readiness',
);
