/** One statement: fixed text with ClickHouse `{name:Type}` placeholders, and the values for them. */
export interface SqlQuery {
  readonly sql: string;
  readonly params: Readonly<Record<string, SqlValue>>;
}

/** What may be bound to a placeholder. */
export type SqlValue = string | number | readonly (string | number)[];

/** Bounds of one run. The engine stops the query when it passes one of them. */
export interface RunOptions {
  /** Unique per run; the query can be found and stopped in the engine by it (`log_comment`). */
  readonly id: string;
  /** Who asks; queries that wait get their turns by client. */
  readonly client?: string;
  readonly timeoutMs: number;
  readonly maxRows: number;
  readonly maxMemoryBytes: number;
  /** Aborting it stops the query in the engine and rejects the promise. */
  readonly signal?: AbortSignal;
}

/** Rows as columns (`FORMAT JSONCompactColumns`); 64-bit integers are numbers. */
export interface RunResult {
  readonly columns: unknown[][];
  readonly rows: number;
  readonly rowsRead: number;
  readonly bytesRead: number;
  readonly elapsedMs: number;
}

/** Runs SQL on the store, wherever it is: in this process, in another one, or on a server. */
export type RunQuery = (query: SqlQuery, options: RunOptions) => Promise<RunResult>;
