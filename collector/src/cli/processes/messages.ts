import type { LedgerDelta, NameEntry, ThreatHit } from '@ringflow/contract';
import type { Config } from '../../config/index.ts';
import type { Delivery, Receipt } from '../../ingest/index.ts';
import type { InletStatus, InterfaceCounters } from '../../inlet/index.ts';
import type { RunOptions, RunResult, SqlQuery } from '../../query/index.ts';
import type {
  ExportedFile,
  ExportOptions,
  LoadResult,
  ScoreState,
  SeenAddress,
  SeenPage,
  StoreStatus,
  TrafficWatch,
} from '../../store/index.ts';
import type { Problem } from '../log.ts';

/**
 * What the three processes say to each other. main forks inlet and store with `serialization: 'advanced'`; each pair
 * speaks over one channel (channel.ts): methods have an answer, events have none. inlet and store do not know each
 * other: a sealed segment's file is the only thing that passes between them.
 *
 * Life of a child: fork → `start(config)` answers when it is ready or rejects with why not → … → `stop()` answers
 * when all is safe on disk, and the child exits. When main is gone ('disconnect') a child stops in the same way.
 */
export interface InletMethods {
  /** Opens the sockets; the answer says where it listens. */
  start(config: Config): InletStarted;
  /** Takes over the run-time keys of a configuration; rejects, with everything as before, when one is wrong. */
  configure(config: Config): void;
  /** Closes the sockets, decodes what was received, seals it. */
  stop(): void;
  /** Answered as long as the event loop turns. */
  ping(): void;
  /** Takes records that main has read from JSON; the answer comes when they are on disk. */
  take(delivery: Delivery): Receipt;
  /** How far a source of records has come. */
  progress(source: string): { records: number; link: string };
}

export interface InletStarted {
  readonly listeners: readonly { readonly port: number; readonly receiver: string }[];
}

export interface InletEvents {
  /** Every second. */
  status: InletStatus;
  /** Every second. */
  usage: ProcessUsage;
  /** A warning or an error was logged. */
  problem: Problem;
  names: readonly NameEntry[];
  /** The latest counters of interfaces that sFlow told about. */
  counters: readonly InterfaceCounters[];
  /** A segment is in the spool: the store should load it now, not at its next look. */
  sealed: { readonly segment: string; readonly rows: number; readonly ledger: LedgerDelta };
}

export interface StoreMethods {
  /** Opens the engine, upgrades the schema, begins to load what waits in the spool. */
  start(config: Config, watches: readonly TrafficWatch[]): void;
  /** Takes over the run-time keys of a configuration. */
  configure(config: Config): void;
  /** Finishes the segment in hand; the rest waits in the spool. */
  stop(): void;
  /** Answered as long as the event loop turns. */
  ping(): void;
  /** {@link RunOptions.signal} travels as the call's own abort. */
  run(query: SqlQuery, options: Omit<RunOptions, 'signal'>): RunResult;
  /** Writes the rows of a query to a file, which main sends and deletes. */
  exportRows(query: SqlQuery, options: Omit<ExportOptions, 'path' | 'signal'>): ExportedFile;
  /** Loads what is in the spool now; true when it is empty, false when the engine failed. */
  load(): boolean;
  /** Drops what is older or more than the configuration allows; called by the schedule. */
  retain(): void;
  /** Puts what is closed into the top lists; true when more waits. Called by the schedule. */
  consolidate(): boolean;
  saveNames(updates: readonly NameEntry[]): void;
  loadNames(): readonly NameEntry[];
  seenAddresses(page: SeenPage): readonly SeenAddress[];
  saveThreatHits(hits: readonly ThreatHit[]): void;
  loadThreatHits(limit: number): readonly ThreatHit[];
  /** The busiest hosts so far. */
  loadScores(): ScoreState;
  saveScores(state: ScoreState): void;
}

export interface StoreEvents {
  /** Every second. */
  status: StoreStatus;
  /** Every second. */
  usage: ProcessUsage;
  /** A warning or an error was logged. */
  problem: Problem;
  /** After each segment. */
  loaded: LoadResult;
}

/** Events from main to every process. */
export interface ProcessEvents {
  /** The least important lines of the log that are written from now on. */
  logLevel: Config['log']['level'];
}

/** Events from main to the store. */
export interface MainEvents extends ProcessEvents {
  /** A segment was sealed. */
  sealed: { readonly segment: string };
  /** Names changed, and with them what the watches' filters compile to. */
  watches: readonly TrafficWatch[];
}

/** What a process takes of the machine. */
export interface ProcessUsage {
  readonly residentBytes: number;
  /** User and system, since the process began. */
  readonly cpuSeconds: number;
}
