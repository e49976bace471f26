import type { DataFrameJson, FlowQuery } from '@ringflow/contract';
import type { OldestByTable, StoreFacts } from '../plan.ts';
import type { NameLookup } from '../resolve.ts';
import type { RunResult, SqlQuery } from '../runner.ts';
import type { Sql } from '../sql.ts';
import type { Window } from '../window.ts';
import type { GroupLabel } from './labels.ts';

/** What a query kind gets: a checked query, its filter as SQL, and what it may know about the world. */
export interface KindInput {
  readonly query: FlowQuery;
  readonly window: Window;
  /** The filter as a condition on the columns of the table. */
  readonly filter: Sql;
  /** Columns that the filter reads. */
  readonly filterColumns: readonly string[];
  /** Columns of which the filter takes one value only. */
  readonly fixedColumns: readonly string[];
  readonly oldest: OldestByTable;
  readonly facts: StoreFacts;
  readonly names: NameLookup;
  readonly nowMs: number;
  /** Highest sampling rate of any exporter; rings do not keep the rate of each record. */
  readonly samplingRate: number;
  /** Whose top groups are shown, where it is not the query itself: the other way, or another time, of the same groups. */
  readonly members?: KindInput;
  /** The two ways of a mirrored query. */
  readonly ways?: readonly [WayInput, WayInput];
  /** What a series is called; default: the values of its groups. */
  readonly seriesName?: (label: GroupLabel) => string;
  /** When the collector was not running: buckets inside are unknown, not zero. */
  readonly downtimes: readonly Window[];
}

/** What differs between the two ways of a query. */
export interface WayInput extends Pick<KindInput, 'query' | 'filter' | 'filterColumns' | 'fixedColumns'> {
  readonly word: string;
}

/** Statements to run, in any order, and how their results become frames. */
export interface Prepared {
  readonly statements: readonly SqlQuery[];
  /** @param results one per statement, in their order */
  frames(results: readonly RunResult[]): DataFrameJson[];
}

export type Kind = (input: KindInput) => Prepared;
