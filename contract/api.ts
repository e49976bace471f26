import type { NameSource } from './inventory.ts';
import type { ErrorCode, TextSpan } from './errors.ts';
import type { FilterSuggestion } from './filter/index.ts';
import type { Ledger } from './ledger.ts';
import type { Metric } from './query.ts';

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
  interfaces: InterfaceInfo[];
  /** Where the name comes from; empty without one. */
  nameSource: NameSource | '';
  /** Group, role, site …, as configured or by rule. */
  attributes: Record<string, string>;
}

/** An interface of an exporter, as far as anything is known about it. */
export interface InterfaceInfo {
  index: number;
  name: string;
  description: string;
  speedBps: number;
  /** Where the name comes from. */
  source: NameSource;
  /** Connectivity, provider, boundary …, as configured or by rule. */
  attributes: Record<string, string>;
}

/** Answer of `GET /api/v1/exporters`. */
export interface ExportersResponse {
  exporters: ExporterInfo[];
}

/** A table of the store: an archive of `store.archives`. */
export interface TableInfo {
  table: string;
  /** Its name in the configuration. */
  archive: string;
  rows: number;
  sizeBytes: number;
  /** Milliseconds since the epoch of the oldest whole data, null when the table is empty. */
  oldestMs: number | null;
  /** Its share of the disk budget. */
  budgetBytes: number;
  /** At the rate of the last days; 0 when nothing is known of it. */
  growthBytesPerDay: number;
  /** How far it will reach back when growth goes on as it is; null when nothing is known of it. */
  reachSeconds: number | null;
  /** Buckets that end up to here have their peak (rings) or all that was consolidated (top lists); not of every table. */
  closedMs?: number;
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

/** Since the inlet or its configuration was last loaded. */
export interface EnrichInfo {
  files: readonly {
    path: string;
    /** When its content was taken over, milliseconds since the epoch; 0 = never. */
    loadedMs: number;
    modifiedMs: number;
    entries: number;
    /** Why the file as it is now cannot be used; null when it is in use. */
    error: string | null;
    /** How often it was taken over, and how often it could not be used. */
    loads: number;
    failures: number;
  }[];
  addresses: {
    cacheHits: number;
    cacheMisses: number;
    /** By direction; bytes are scaled by the sampling rate. */
    directions: Record<string, { records: number; bytes: number }>;
  };
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
  /** What records are enriched with. */
  enrich?: EnrichInfo;
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

/** An address that a reputation list has now, and that it did not have when the records came. */
export interface ThreatHit {
  /** In UTC, `2026-11-21`. */
  readonly day: string;
  readonly address: string;
  readonly label: string;
  readonly list: string;
  /** Empty when the list says nothing that is known. */
  readonly category: string;
  /** First and last record of the day, milliseconds since the epoch. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** Ends of records. */
  readonly records: number;
  readonly bytes: number;
}

/** Answer of `GET /api/v1/threats/retro`. */
export interface ThreatHitsResponse {
  readonly hits: readonly ThreatHit[];
}

/** What a host, or everything of a direction, sent or received. */
export interface ScoreCounters {
  readonly bytes: number;
  readonly packets: number;
  readonly flows: number;
}

/** A host of one list of a scoreboard, seen from the own networks. */
export interface ScoreRow {
  /** From 1. */
  readonly rank: number;
  readonly address: string;
  /** What it received from outside. */
  readonly in: ScoreCounters;
  /** What it sent to the outside. */
  readonly out: ScoreCounters;
  /** Percent of what all hosts have, by the metric and the direction of the list. */
  readonly share: number;
  /** Intervals that the values are the average of; 1 in the list of one interval. */
  readonly intervals: number;
}

/** The hosts with the most of one metric in one direction. */
export interface ScoreList {
  readonly direction: 'in' | 'out';
  readonly metric: Metric;
  readonly rows: readonly ScoreRow[];
}

/** Answer of `GET /api/v1/scoreboard`: own hosts with the most traffic of five minutes. */
export interface ScoreboardResponse {
  /** Milliseconds since the epoch, [fromMs, toMs). */
  readonly fromMs: number;
  readonly toMs: number;
  /** Length of the interval as far as it has passed: what values are divided by for a rate. */
  readonly seconds: number;
  /** False while records may still come. */
  readonly complete: boolean;
  /** Everything that came in and went out, whoever it was. */
  readonly in: ScoreCounters;
  readonly out: ScoreCounters;
  readonly lists: readonly ScoreList[];
}

/** Answer of `GET /api/v1/scoreboard/overall`: hosts that are among the busiest again and again, averages per interval. */
export interface OverallScoreResponse {
  /** End of the last interval that is in it; 0 when none is. */
  readonly untilMs: number;
  /** Intervals since everything was halved last. */
  readonly reports: number;
  /** Length of an interval: what values are divided by for a rate. */
  readonly seconds: number;
  readonly lists: readonly ScoreList[];
}

/** Body of `POST /api/v1/resolve`: addresses whose names are wanted. */
export interface ResolveRequest {
  addresses: string[];
  /** Look the names up, too, and say whether one of them leads back to the address. */
  confirm?: boolean;
}

/** What became of one address; `none`: the servers know no name, `busy`: too many wait already. */
export const RESOLVE_OUTCOMES = ['found', 'none', 'timeout', 'failed', 'busy', 'invalid'] as const;
export type ResolveOutcome = (typeof RESOLVE_OUTCOMES)[number];

/** The names of one address. */
export interface ResolvedAddress {
  /** As it was asked for. */
  address: string;
  outcome: ResolveOutcome;
  names: string[];
  /** One of the names leads back to the address; null when that was not asked for or could not be found out. */
  confirmed: boolean | null;
  /** The answer is an earlier one. */
  cached: boolean;
  /** Why there is no answer. */
  message?: string;
}

/** Answer of `POST /api/v1/resolve`: one result per address, in their order. */
export interface ResolveResponse {
  results: ResolvedAddress[];
}

/** Answer of `POST /api/v1/ingest`, in the shape of OpenObserve's ingestion. */
export interface IngestResponse {
  code: 200;
  status: {
    /** Name of the stream in the path. */
    name: string;
    /** Records that are on disk, those among them that were before. */
    successful: number;
    /** Records that nothing could be made of; they are counted as dropped, by exporter. */
    failed: number;
    /** Records that were taken with an earlier request. */
    repeated: number;
    /** Fields that no column takes, and values that none can hold: how many records had them, by field. */
    ignored: Record<string, number>;
  }[];
}

/** Answer of `GET /api/v1/ingest`. */
export interface IngestProgress {
  /** Records of the source that were taken. */
  records: number;
  /** What stands for all of them (docs/how-to/import-export.md); empty when there are none. */
  link: string;
}

/** Body of `POST /api/v1/export`. */
export interface ExportRequest {
  filter?: string;
  /** By time of arrival: milliseconds since the epoch, ISO 8601, `now-6h`. Default: the last hour. */
  from?: number | string;
  to?: number | string;
  /** Default: ndjson. */
  format?: 'ndjson' | 'csv' | 'parquet';
  /** Stored fields; none = all. */
  columns?: string[];
}
