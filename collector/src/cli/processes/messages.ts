import type { LedgerDelta } from '@ringflow/contract';
import type { Config } from '../../config/index.ts';
import type { InletStatus, NameUpdate } from '../../inlet/index.ts';
import type { RunOptions, RunResult, SqlQuery } from '../../query/index.ts';
import type { LoadResult, StoreStatus, TrafficWatch } from '../../store/index.ts';
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
  /** Closes the sockets, decodes what was received, seals it. */
  stop(): void;
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
  names: readonly NameUpdate[];
  /** A segment is in the spool: the store should load it now, not at its next look. */
  sealed: { readonly segment: string; readonly rows: number; readonly ledger: LedgerDelta };
}

export interface StoreMethods {
  /** Opens the engine, upgrades the schema, begins to load what waits in the spool. */
  start(config: Config, watches: readonly TrafficWatch[]): void;
  /** Finishes the segment in hand; the rest waits in the spool. */
  stop(): void;
  /** {@link RunOptions.signal} travels as the call's own abort. */
  run(query: SqlQuery, options: Omit<RunOptions, 'signal'>): RunResult;
  /** Loads what is in the spool now; true when it is empty, false when the engine failed. */
  load(): boolean;
  /** Drops what is older or more than the configuration allows; called by the schedule. */
  retain(): void;
  saveNames(updates: readonly NameUpdate[]): void;
  loadNames(): readonly NameUpdate[];
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

/** Events from main. */
export interface MainEvents {
  /** To the store: a segment was sealed. */
  sealed: { readonly segment: string };
  /** To the store: names changed, and with them what the watches' filters compile to. */
  watches: readonly TrafficWatch[];
}

/** What a process takes of the machine. */
export interface ProcessUsage {
  readonly residentBytes: number;
  /** User and system, since the process began. */
  readonly cpuSeconds: number;
}
