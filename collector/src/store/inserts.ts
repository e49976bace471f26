import type { Engine, SegmentSource, Settings, Slice } from './engine.ts';
import { CELL_COLUMNS, insertCellsSql } from './ring-cells.ts';
import { sliceOf } from './segment-source.ts';

/** What goes into an insert of rows, besides their columns. */
export interface InsertPart {
  /** Those rows only. */
  readonly slice?: Slice | undefined;
  /** Columns that have the same value in every row, by name; decimal numbers. */
  readonly constants?: Readonly<Record<string, string>>;
}

/** Puts rows of files into a table as they are. */
export function insertRows(
  engine: Engine,
  table: string,
  source: SegmentSource,
  token: string,
  { slice, constants = {} }: InsertPart = {},
): Promise<void> {
  return engine.loadSegment(
    source,
    (relation) => insertRowsSql(engine.dialect.stored(table), source, sliceOf(relation, slice), constants),
    { ...oneBlock(token), ...FROM_FILES, max_block_size: 100_000_000 },
  );
}

/** `INSERT` of rows that are read from `relation`, each with the constants. */
export function insertRowsSql(
  table: string,
  source: SegmentSource,
  relation: string,
  constants: NonNullable<InsertPart['constants']> = {},
): string {
  const columns = source.columns.map(({ name }) => name);
  const names = [...columns, ...Object.keys(constants)].join(', ');
  const values = [...columns, ...Object.values(constants)].join(', ');
  return `INSERT INTO ${table} (${names}) SELECT ${values} FROM ${relation}`;
}

/** Puts the cells of segments' records into the finest ring, and by its views into all. */
export function insertCells(engine: Engine, source: SegmentSource, token: string, slice?: Slice): Promise<void> {
  const columns = source.columns.filter(({ name }) => CELL_COLUMNS.includes(name));
  return engine.loadSegment(
    { ...source, columns },
    (relation) => insertCellsSql(sliceOf(relation, slice), engine.dialect),
    {
      ...oneBlock(token),
      ...FROM_FILES,
      max_block_size: SPREAD_ROWS,
      input_format_skip_unknown_fields: 1,
      // Cells are summed up already; to look for equal ones once more takes a tenth to a fifth of the whole.
      optimize_on_insert: 0,
    },
  );
}

/** Minutes of flows that are spread at a time; all of a group at once would take 550 bytes each. */
const SPREAD_ROWS = 16_384;

/**
 * What goes together is one block in one thread, in the table and in those that its views fill, so that a replay makes the
 * same blocks and each table recognises those it has (DESIGN: the engine).
 */
export function oneBlock(token: string): Settings {
  return {
    insert_deduplication_token: token,
    deduplicate_blocks_in_dependent_materialized_views: 1,
    max_insert_threads: 1,
    max_threads: 1,
    max_insert_block_size: 100_000_000,
    min_insert_block_size_rows: 100_000_000,
    min_insert_block_size_bytes: 0,
    max_partitions_per_insert_block: 0,
  };
}

/** For what is read out of segments' files. */
const FROM_FILES: Settings = {
  // All grouping sets share one entry: after an insert of many cells, 1,400 records of few took 1.1 GB beforehand.
  collect_hash_table_stats_during_aggregation: 0,
  // The new analyser hashes all of the spreading for each key of each grouping set: an insert into the rings costs 0.2
  // CPU-seconds before its first row, with the one before it 0.1.
  allow_experimental_analyzer: 0,
};
