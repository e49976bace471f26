import type { DataFrameJson, FlowQuery } from '@ringflow/contract';
import type { OldestByTable } from '../plan.ts';
import type { NameLookup } from '../resolve.ts';
import type { RunResult, SqlQuery } from '../runner.ts';
import type { Sql } from '../sql.ts';
import type { Window } from '../window.ts';

/** What a query kind gets: a checked query, its filter as SQL, and what it may know about the world. */
export interface KindInput {
  readonly query: FlowQuery;
  readonly window: Window;
  /** The filter as a condition on the columns of the table. */
  readonly filter: Sql;
  /** Columns that the filter reads. */
  readonly filterColumns: readonly string[];
  readonly oldest: OldestByTable;
  readonly names: NameLookup;
  readonly nowMs: number;
  /** Highest sampling rate of any exporter; rings do not keep the rate of each record. */
  readonly samplingRate: number;
  /** When the collector was not running: buckets inside are unknown, not zero. */
  readonly downtimes: readonly Window[];
}

/** Statements to run, in any order, and how their results become frames. */
export interface Prepared {
  readonly statements: readonly SqlQuery[];
  /** @param results one per statement, in their order */
  frames(results: readonly RunResult[]): DataFrameJson[];
}

export type Kind = (input: KindInput) => Prepared;
