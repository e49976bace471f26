import type { EventsResponse, ExportersResponse, FieldsResponse, ValuesResponse } from '@ringflow/contract';

/** Asks the plugin's backend for something that is not a query; the backend lets only these paths through. */
export type GetResource = <T>(path: string, params?: Record<string, string>) => Promise<T>;

export interface ValuesRequest {
  field: string;
  /** Part of the value or of its name. */
  search?: string;
  limit?: number;
  /** Milliseconds since the epoch. */
  fromMs?: number;
  toMs?: number;
  /** Condition of the traffic whose values count, without variables. */
  filter?: string;
}

export interface EventsRequest {
  /** Milliseconds since the epoch. */
  fromMs: number;
  toMs: number;
  /** Empty = all. */
  kinds: readonly string[];
}

/** What editors and variables ask the collector for. The same question asked twice at a time, or soon after, goes out once. */
export interface Collector {
  fields(): Promise<FieldsResponse>;
  values(request: ValuesRequest): Promise<ValuesResponse>;
  exporters(): Promise<ExportersResponse>;
  events(request: EventsRequest): Promise<EventsResponse>;
}

/** How long an answer is good for, milliseconds. Fields change with the collector's version and configuration only. */
const FRESH_MS = { fields: 300_000, values: 10_000, exporters: 10_000, events: 10_000 } as const;
const MOST_ANSWERS = 200;

export function createCollector(get: GetResource, now: () => number = Date.now): Collector {
  const answers = new Map<string, { untilMs: number; answer: Promise<unknown> }>();

  function ask<T>(path: keyof typeof FRESH_MS, params: Record<string, string> = {}): Promise<T> {
    const key = `${path}?${JSON.stringify(params)}`;
    const known = answers.get(key);
    if (known && known.untilMs > now()) return known.answer as Promise<T>;
    const answer = get<T>(path, params);
    if (answers.size >= MOST_ANSWERS) answers.clear();
    answers.set(key, { untilMs: now() + FRESH_MS[path], answer });
    // What failed is asked again.
    answer.catch(() => answers.delete(key));
    return answer;
  }

  return {
    fields: () => ask('fields'),
    exporters: () => ask('exporters'),
    values: ({ field, search = '', limit = 100, fromMs, toMs, filter = '' }) =>
      ask('values', {
        field,
        limit: String(limit),
        ...(search === '' ? {} : { q: search }),
        ...(filter === '' ? {} : { filter }),
        ...(fromMs === undefined ? {} : { from: String(fromMs) }),
        ...(toMs === undefined ? {} : { to: String(toMs) }),
      }),
    events: ({ fromMs, toMs, kinds }) =>
      ask('events', {
        from: String(fromMs),
        to: String(toMs),
        ...(kinds.length === 0 ? {} : { kind: kinds.join(',') }),
      }),
  };
}
