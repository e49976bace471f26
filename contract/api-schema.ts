import { FILTER_LIMITS } from './filter/index.ts';
import { RESOLVE_OUTCOMES } from './api.ts';
import { ERRORS } from './errors.ts';
import { NAME_SOURCES } from './inventory.ts';
import { text, number, count, flag, list, choice, record, answer, type JsonSchema } from './json-schema.ts';
import { timePoint } from './query-schema.ts';

const ATTRIBUTES_SCHEMA = record(text('Value'), 'As configured or by rule');
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
                source: { enum: [...NAME_SOURCES], description: 'Where the name comes from' },
                attributes: ATTRIBUTES_SCHEMA,
              },
              'An interface',
            ),
            'Interfaces that something is known about',
          ),
          nameSource: { enum: ['', ...NAME_SOURCES], description: 'Where the name comes from' },
          attributes: ATTRIBUTES_SCHEMA,
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
              archive: text('Its name in store.archives'),
              oldestMs: { type: ['number', 'null'], description: 'Oldest whole data' },
              budgetBytes: number('Its share of the disk budget'),
              growthBytesPerDay: number('Growth at the rate of the last days'),
              reachSeconds: {
                type: ['number', 'null'],
                description: 'How far it will reach back when growth goes on as it is',
              },
              closedMs: number('Buckets that end up to here have their peak, or all that was consolidated'),
            },
            'A table',
            ['closedMs'],
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

/** Answer of `GET /api/v1/threats/retro`. */
export const THREAT_HITS_RESPONSE_SCHEMA: JsonSchema = answer(
  {
    hits: list(
      answer(
        {
          day: text('In UTC', { examples: ['2026-11-21'] }),
          address: text('The address'),
          label: text('What it is known for'),
          list: text('The list that says so'),
          category: text('Empty when the list says nothing that is known'),
          firstMs: count('First record of the day, milliseconds since the epoch'),
          lastMs: count('Last record of the day, milliseconds since the epoch'),
          records: count('Ends of records'),
          bytes: count('Bytes, scaled by the sampling rate'),
        },
        'An address on a day',
      ),
      'The latest day first, then the most bytes',
    ),
  },
  'Addresses that reputation lists have now, and did not have when the records came',
);

/** Body of `POST /api/v1/resolve`; how many addresses a call may have is configured (`resolve.max_addresses`). */
export const RESOLVE_REQUEST_SCHEMA: JsonSchema = {
  type: 'object',
  required: ['addresses'],
  additionalProperties: false,
  properties: {
    addresses: list(text('IPv4 or IPv6 address', { maxLength: 64 }), 'Addresses whose names are wanted', {
      minItems: 1,
      examples: [['192.0.2.1', '2001:db8::1']],
    }),
    confirm: { ...flag('Look the names up, too, and say whether one leads back to the address'), default: false },
  },
};

export const RESOLVE_RESPONSE_SCHEMA: JsonSchema = answer(
  {
    results: list(
      answer(
        {
          address: text('As it was asked for'),
          outcome: choice(RESOLVE_OUTCOMES, 'What became of it; none: there is no name, busy: too many wait already'),
          names: list({ type: 'string' }, 'Host names (PTR records)'),
          confirmed: {
            type: ['boolean', 'null'],
            description: 'One of the names leads back to the address; null when not asked for or not known',
          },
          cached: flag('The answer is an earlier one'),
          message: text('Why there is no answer'),
        },
        'An address',
        ['message'],
      ),
      'One per address, in their order',
    ),
  },
  'Names of addresses',
);

/** Body of `POST /api/v1/ingest`: what `ringflow decode` prints, and goflow2 writes. */
export const INGEST_REQUEST_SCHEMA: JsonSchema = list(
  {
    type: 'object',
    description: 'A flow record with the names and values of goflow2; docs/reference/fields.md lists them',
    examples: [
      {
        type: 'NETFLOW_V9',
        sampler_address: '192.0.2.1',
        time_received_ns: 1_768_046_400_000_000_000,
        src_addr: '10.0.0.1',
        dst_addr: '198.51.100.1',
        proto: 'TCP',
        bytes: 1500,
        packets: 3,
      },
    ],
  },
  'Records; one object per line (NDJSON) is the same',
);

export const INGEST_RESPONSE_SCHEMA: JsonSchema = answer(
  {
    code: { type: 'integer', enum: [200], description: 'As OpenObserve answers' },
    status: list(
      answer(
        {
          name: text('Name of the stream in the path'),
          successful: count('Records that are on disk, those among them that were before'),
          failed: count('Records that nothing could be made of; they are counted as dropped'),
          repeated: count('Records that were taken with an earlier request'),
          ignored: record(count('Records'), 'Fields and values that were not taken: how many records had them'),
        },
        'What became of the records',
      ),
      'One entry',
    ),
  },
  'The records are on disk',
);

export const INGEST_PROGRESS_SCHEMA: JsonSchema = answer(
  {
    records: count('Records of the source that were taken'),
    link: text('Hash that stands for all of them; empty when there are none'),
  },
  'How far a source has come',
);

/** Body of `POST /api/v1/export`. */
export const EXPORT_REQUEST_SCHEMA: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    filter: text('Condition that the records must meet', { maxLength: 16_384, examples: ['dst_port = 443'] }),
    from: timePoint('Beginning of the window, by time of arrival; default now-1h'),
    to: timePoint('End of the window; default now'),
    format: { ...choice(['ndjson', 'csv', 'parquet'], 'Format of the file'), default: 'ndjson' },
    columns: list({ type: 'string', maxLength: 64 }, 'Stored fields; none = all', { maxItems: 200 }),
  },
};
