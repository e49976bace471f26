import type { Readable } from 'node:stream';
import type {
  EventKind,
  ExporterInfo,
  FlowEvent,
  ReadyResponse,
  ResolvedAddress,
  StatusResponse,
  ThreatHit,
} from '@ringflow/contract';
import type { History } from '../history/index.ts';
import type { Ingest } from '../ingest/index.ts';
import type { Scores } from '../scoreboard/index.ts';
import type { HttpRefusal } from './guard.ts';
import type { NameLookup, RunOptions, RunQuery, SqlQuery, Window } from '../query/index.ts';

/** What the API needs from the rest of the collector. */
export interface HttpDeps {
  /** Version of the collector. */
  readonly version: string;
  readonly run: RunQuery;
  readonly exportRows: ExportRows;
  readonly status: () => StatusResponse;
  readonly exporters: () => readonly ExporterInfo[];
  readonly ready: () => ReadyResponse;
  readonly names: NameLookup;
  /** The text of `/metrics` and its content type. */
  readonly metrics: () => Promise<{ readonly contentType: string; readonly body: string }>;
  /** Configured sets of the filter language: name without `@` to values. */
  readonly sets?: Readonly<Record<string, readonly string[]>>;
  /** Sealed segments are loaded at most this often (`store.load_seconds`). */
  readonly loadSeconds?: number;
  /** What happened to the collection of flows in a window, oldest first. */
  readonly events?: (window: Window, kinds: readonly EventKind[]) => readonly FlowEvent[];
  /** When the collector was not running. */
  readonly downtimes?: () => readonly Window[];
  /** Names of addresses; absent where they are not looked up. */
  readonly resolve?: AddressNames;
  /** The latest hits of the retro-match. */
  readonly threatHits?: (limit: number) => Promise<readonly ThreatHit[]>;
  /** The busiest hosts overall. */
  readonly scores?: () => Promise<Scores>;
  /** Hosts in a list of the scoreboard when the caller does not say (`scoreboard.rows`). */
  readonly scoreRows?: () => number;
  /** Answers Prometheus. */
  readonly history?: History;
  /** Takes records of other collectors; absent where none are taken. */
  readonly ingest?: IngestDoor;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly log: HttpLog;
  /** Told about every query when it has ended; for metrics. */
  readonly observe?: (query: ObservedQuery) => void;
  /** Told about every caller that was cut off or turned away; for metrics. */
  readonly refused?: (reason: HttpRefusal) => void;
}

/** Looks names of addresses up. */
export interface AddressNames {
  /** Addresses in one call. */
  readonly most: number;
  /** One answer per address, in their order; never rejects. */
  names(addresses: readonly string[], confirm: boolean, signal: AbortSignal): Promise<ResolvedAddress[]>;
}

/** Runs a read whose rows are too many for memory. */
export type ExportRows = (
  query: SqlQuery,
  options: RunOptions & { readonly format: string; readonly maxBytes: number },
) => Promise<{ readonly stream: Readable; readonly sizeBytes: number }>;

/** The way in for records of other collectors. */
export interface IngestDoor extends Pick<Ingest, 'take'> {
  /** How many records of a source were taken, and what stands for them. */
  progress(source: string): Promise<{ readonly records: number; readonly link: string }>;
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
