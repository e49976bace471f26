import type { ErrorCode, TextSpan } from './errors.ts';
import type { FilterSuggestion } from './filter/index.ts';
import type { Ledger } from './ledger.ts';

/** Body of every answer that is not 2xx. */
export interface ApiError {
  code: ErrorCode;
  message: string;
  /** What to do about it. */
  hint?: string;
  /** Characters of the text that was sent, from 0. */
  position?: TextSpan;
}

/** Something to filter or group by, as `GET /api/v1/fields` lists it. */
export interface FieldInfo {
  name: string;
  label: string;
  description: string;
  /** Kind of value: `addr`, `number`, `proto` … */
  type: string;
  /** What the value measures: `bytes`, `packets`, `time`, `id`, `none` … */
  unit: string;
  group: string;
  /** Columns behind it; two for either-side fields. */
  columns: string[];
  groupable: boolean;
  filterable: boolean;
  /** True when `records` can show and order by it. */
  sortable: boolean;
  operators: string[];
  /** Conditions that can be pasted into a filter. */
  examples: string[];
}

/** Answer of `GET /api/v1/fields`. */
export interface FieldsResponse {
  version: string;
  fields: FieldInfo[];
  metrics: string[];
  measures: string[];
  kinds: string[];
  resolutions: string[];
  /** Names of the configured sets, without `@`. */
  sets: string[];
}

/** One value of a field, with the traffic that had it. */
export interface FieldValue {
  /** As a filter takes it. */
  value: string;
  /** What people call it; the value itself where it has no name. */
  text: string;
  bytes: number;
}

/** Answer of `GET /api/v1/values`, most traffic first. */
export interface ValuesResponse {
  field: string;
  values: FieldValue[];
  /** False when there are more than were returned. */
  complete: boolean;
}

/** Body of `POST /api/v1/filter/validate`. */
export interface FilterValidateRequest {
  filter: string;
}

/** Answer of `POST /api/v1/filter/validate`. */
export type FilterValidateResponse =
  | { valid: true; /** The filter in its canonical spelling. */ filter: string; columns: string[] }
  | { valid: false; error: ApiError & { expected: string[] } };

/** Body of `POST /api/v1/filter/complete`; the cursor counts characters from 0. */
export interface FilterCompleteRequest {
  filter: string;
  cursor?: number;
}

/** Answer of `POST /api/v1/filter/complete`. */
export interface FilterCompleteResponse {
  suggestions: FilterSuggestion[];
  /** Characters that a suggestion replaces. */
  replace: TextSpan;
}

/** One exporter as `GET /api/v1/exporters` lists it: one entry per address, over all its domains. */
export interface ExporterInfo {
  address: string;
  name: string;
  /** Protocols it exports with, by the names of `FLOW_TYPES`. */
  protocols: string[];
  domains: number[];
  firstSeenMs: number;
  lastSeenMs: number;
  datagrams: number;
  records: number;
  /** Over the last minute or so. */
  recordsPerSecond: number;
  datagramsPerSecond: number;
  /** 0 = unknown. */
  samplingRate: number;
  /** Missing by the sequence numbers, in the unit of the protocol. */
  lost: number;
  /** What `lost` counts: flows, datagrams, records or samples; several where it exports with several protocols. */
  lostUnits: string[];
  /** Templates that it defined or redefined since the collector started. */
  templates: number;
  /** When it last announced a template, repeats included; 0 = not since the collector started. */
  templateMs: number;
  /** Arrival minus export time: how far its clock is behind; null where the protocol does not say. */
  clockOffsetMs: number | null;
  /** Sets, samples and datagrams that could not be decoded, by reason. */
  losses: Record<string, number>;
  /** Interfaces that have a name. */
  interfaces: { index: number; name: string; description: string; speedBps: number }[];
}

/** Answer of `GET /api/v1/exporters`. */
export interface ExportersResponse {
  exporters: ExporterInfo[];
}

/** A table of the store. */
export interface TableInfo {
  table: string;
  rows: number;
  sizeBytes: number;
  /** Milliseconds since the epoch of the oldest data, null when the table is empty. */
  oldestMs: number | null;
}

/** A listening UDP socket. */
export interface ListenerInfo {
  address: string;
  port: number;
  /** Receive buffer asked for, and what the kernel gave. */
  requestedBytes: number;
  grantedBytes: number;
  datagrams: number;
  /** Datagrams that the kernel dropped because the buffer was full. */
  kernelDrops: number;
  /** Bytes that wait in the buffer now. */
  queueBytes: number;
}

/** Something that went wrong in one of the processes; the same thing again is counted, not listed again. */
export interface ProblemInfo {
  process: string;
  level: 'warn' | 'error';
  message: string;
  count: number;
  firstMs: number;
  lastMs: number;
}

/** What people want to know beyond the fixed part of the status; every part may be missing. */
export interface StatusDetails {
  processes?: { role: string; state: string; pid?: number; restarts: number; error?: string }[];
  listeners?: ListenerInfo[];
  receiver?: string | null;
  /** What could not be decoded, by reason, over all exporters. */
  losses?: Record<string, number>;
  /** Datagrams that were not decoded at all: `not_allowed`, `new_source_rate`. */
  refused?: Record<string, number>;
  /** Some of the senders outside the allow-list. */
  notAllowed?: string[];
  truncatedDatagrams?: number;
  /** Age of the oldest segment that waits for the store. */
  oldestWaitingSeconds?: number;
  /** The file system of the data directory; null where it cannot be read. */
  disk?: { directory: string; freeBytes: number; totalBytes: number } | null;
  /** What the configuration allows. */
  limits?: { storeBytes: number; spoolBytes: number; spoolFreeBytes: number; clockMs: number };
  jobs?: { job: string; running: boolean; lastSuccessMs: number; failures: number; lastError?: string }[];
  /** The latest first. */
  problems?: ProblemInfo[];
  [more: string]: unknown;
}

/** Answer of `GET /api/v1/status`. The open parts are what each process says about itself. */
export interface StatusResponse {
  version: string;
  nowMs: number;
  startedMs: number;
  ledger: Ledger;
  store: { open: boolean; engine: string; tables: TableInfo[]; lastError: string | null };
  spool: { waitingSegments: number; waitingRows: number; waitingBytes: number };
  decoder: Record<string, number>;
  exporters: number;
  /** Everything else, for people: processes, listeners, jobs. */
  details: StatusDetails;
}

/** Answer of `GET /readyz`. */
export interface ReadyResponse {
  ready: boolean;
  /** Why not. */
  reasons: string[];
}
