import type { ApiError } from './api.ts';
import { answer, choice, count, flag, list, text, type JsonSchema } from './json-schema.ts';
import type { DataFrameJson } from './query.ts';

/**
 * What happened to the collection of flows, as annotations show it.
 *
 * | kind | meaning |
 * |---|---|
 * | collector_started, collector_stopped | this collector |
 * | collector_down | the time between an end and the next start: nothing was received |
 * | exporter_new | the first datagram of an exporter that was not known |
 * | exporter_silent | nothing came for several minutes; ends with the next datagram |
 * | exporter_restarted | its clock or its sequence numbers began anew |
 * | templates_changed | it redefined a template |
 * | data_dropped | records that were received were dropped: by reason |
 * | threat_found | a reputation list has an address now that records of the day had |
 */
export const EVENT_KINDS = [
  'collector_started',
  'collector_stopped',
  'collector_down',
  'exporter_new',
  'exporter_silent',
  'exporter_restarted',
  'templates_changed',
  'data_dropped',
  'threat_found',
] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

/** One of them. Times are milliseconds since the epoch. */
export interface FlowEvent {
  /** The same for the same event in every answer. */
  readonly id: string;
  readonly kind: EventKind;
  readonly fromMs: number;
  /** End of what took a while; equal to `fromMs` for a moment, null while it lasts. */
  readonly toMs: number | null;
  /** Address of the exporter that it is about; empty when it is about none. */
  readonly exporter: string;
  /** A few words, with the exporter's name. */
  readonly title: string;
  /** The numbers. */
  readonly text: string;
}

/** Answer of `GET /api/v1/events`, oldest first. */
export interface EventsResponse {
  readonly events: readonly FlowEvent[];
  /** False when there are more than were asked for: the latest are returned. */
  readonly complete: boolean;
}

/**
 * A line of `GET /api/v1/tail` (NDJSON): records that were stored since the line before, oldest first, in the fields of
 * kind `records`. A line comes at least every ten seconds, empty when nothing was stored.
 */
export interface TailLine {
  /** Absent when there is nothing new. */
  readonly frame?: DataFrameJson;
  /** Records that match and were left out because they are more than the rate asked for. */
  readonly leftOut: number;
  /** Why the next line is the last one, or what the caller should know. */
  readonly error?: ApiError;
}

/** Schema of {@link EventsResponse}. */
export const EVENTS_RESPONSE_SCHEMA: JsonSchema = answer(
  {
    events: list(
      answer(
        {
          id: text('The same for the same event in every answer'),
          kind: choice(EVENT_KINDS, 'What happened'),
          fromMs: count('Milliseconds since the epoch'),
          toMs: { type: ['integer', 'null'], description: 'Its end; as fromMs for a moment, null while it lasts' },
          exporter: text('Address of the exporter that it is about; empty when it is about none'),
          title: text('A few words'),
          text: text('The numbers'),
        },
        'An event',
      ),
      'Oldest first',
    ),
    complete: flag('False when there are more: the latest are returned'),
  },
  'What happened to the collection of flows',
);
