import type { ExporterInfo, ReadyResponse, StatusResponse } from '@ringflow/contract';
import type { NameLookup, RunQuery, Window } from '../query/index.ts';

/** What the API needs from the rest of the collector. */
export interface HttpDeps {
  /** Version of the collector. */
  readonly version: string;
  readonly run: RunQuery;
  readonly status: () => StatusResponse;
  readonly exporters: () => readonly ExporterInfo[];
  readonly ready: () => ReadyResponse;
  readonly names: NameLookup;
  /** The text of `/metrics` and its content type. */
  readonly metrics: () => Promise<{ readonly contentType: string; readonly body: string }>;
  /** Configured sets of the filter language: name without `@` to values. */
  readonly sets?: Readonly<Record<string, readonly string[]>>;
  /** When the collector was not running. */
  readonly downtimes?: () => readonly Window[];
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly log: HttpLog;
  /** Told about every query when it has ended; for metrics. */
  readonly observe?: (query: ObservedQuery) => void;
}

/** A query that has ended. */
export interface ObservedQuery {
  /** A query kind, `values`, or `unknown` when there is no such kind. */
  readonly kind: string;
  readonly outcome: 'ok' | 'error' | 'cancelled';
  readonly durationMs: number;
  /** What was read for each frame of the answer. */
  readonly reads: readonly { readonly table: string; readonly rowsRead: number; readonly bytesRead: number }[];
}

/** Log of the API: fields first, then a message in lower case. */
export interface HttpLog {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}
