import type { Dialect } from './dialect.ts';

/** ClickHouse `{name:Type}` placeholders and their values. */
export type SqlValue = string | number | readonly (string | number)[];
export type SqlParams = Readonly<Record<string, SqlValue>>;

export interface SqlQuery {
  readonly sql: string;
  readonly params: SqlParams;
}

/** Bounds of one read; the same shape as the query room's runner takes. */
export interface RunOptions {
  readonly id: string;
  /** Who asks; queries that wait get their turns by client. Default: one for all who do not say. */
  readonly client?: string;
  readonly timeoutMs: number;
  readonly maxRows: number;
  readonly maxMemoryBytes: number;
  readonly signal?: AbortSignal;
}

/** Rows as columns; 64-bit integers are numbers. */
export interface RunResult {
  readonly columns: unknown[][];
  readonly rows: number;
  readonly rowsRead: number;
  readonly bytesRead: number;
  readonly elapsedMs: number;
}

/** Bounds of one export. */
export interface ExportOptions extends RunOptions {
  /** Format by ClickHouse name. */
  readonly format: string;
  /** Where the rows go; a file that is not there yet. */
  readonly path: string;
  readonly maxBytes: number;
}

/** Settings of one statement, by ClickHouse name. */
export type Settings = Readonly<Record<string, string | number>>;

/** Sealed segments as the engine needs them. */
export interface SegmentSource {
  /** Absolute paths of files in Native format. */
  readonly paths: readonly string[];
  /** Names and ClickHouse types of its columns, in order. */
  readonly columns: readonly { readonly name: string; readonly type: string }[];
}

/** Rows of a segment that are inserted together, in their order in the file. */
export interface Slice {
  readonly offset: number;
  readonly rows: number;
}

/** After other inserts of segments, or beside them as {@link Engine.execBeside}. */
export type InsertTurn = 'load' | 'beside';

/** A ClickHouse, in this process or on a server. Statements of one kind run in the order of the calls. */
export interface Engine {
  readonly kind: 'embedded' | 'remote';
  /** How statements that make, change or fill tables are said to it. */
  readonly dialect: Dialect;
  /** Opens it and creates the database; rejects when it cannot be used. */
  open(): Promise<void>;
  /** Runs a statement of our own that returns nothing. */
  exec(sql: string, params?: SqlParams, settings?: Settings): Promise<void>;
  /** Runs a statement of our own that takes long, beside those of {@link Engine.exec} and {@link Engine.loadSegment}. */
  execBeside(sql: string, params?: SqlParams, settings?: Settings): Promise<void>;
  /** Runs a long read of our own beside the others and writes its rows to a file that is not there yet, in Native format. */
  selectToFile(path: string, sql: string, params: SqlParams, settings: Settings): Promise<void>;
  /** Runs a small read of our own; one object per row. */
  select<Row>(sql: string, params?: SqlParams, settings?: Settings): Promise<Row[]>;
  /** Runs a read from outside: read-only, bounded, stoppable. */
  query(query: SqlQuery, options: RunOptions): Promise<RunResult>;
  /** Runs a read from outside and writes its rows to a file, however many. */
  exportRows(query: SqlQuery, options: ExportOptions): Promise<void>;
  /** Runs an `INSERT … SELECT` of segments' files; `sql` gets the table expression to read from. */
  loadSegment(
    segment: SegmentSource,
    sql: (table: string) => string,
    settings: Settings,
    turn?: InsertTurn,
  ): Promise<void>;
  /** Runs a read over segments' files; `sql` gets the table expression to read from. */
  selectSegment<Row>(segment: SegmentSource, sql: (table: string) => string, params?: SqlParams): Promise<Row[]>;
  /** Bytes on disk of everything that is stored, what is about to be deleted included. */
  diskBytes(): Promise<number>;
  /** Stops the query with this id; true when there was one. */
  cancel(id: string): Promise<void>;
  /**
   * Refuses what comes from now on and stops what is in hand, our own statements too: those that write are known by their
   * tokens when they are repeated.
   */
  close(): Promise<void>;
}
