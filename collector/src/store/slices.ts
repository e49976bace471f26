import type { Engine, SegmentSource, Slice } from './engine.ts';
import { LONGEST_SPREAD_MS, MINUTE_MS } from './rings.ts';

/** Rows that are counted together; the smallest slice. */
const UNIT_ROWS = 1024;

/** Row-minutes of a flow of up to a minute, as {@link ROW_MINUTES_SQL} counts. */
const USUAL_MINUTES = 3;

/**
 * Row-minutes of longer flows in one insert. Each may be a cell of its own in every ring, and the cells of an insert are
 * held together (measured: 2.1 million row-minutes of day-long flows take 0.9 GiB, the usual ones of a million records 0.15),
 * so day-long flows (softflowd's default) must come in small blocks.
 */
const MAX_LONG_MINUTES = 1_000_000;

/** How many inserts rows must be divided into; those that fit have up to 1. */
export function slicesOf({ rows, rowMinutes }: { readonly rows: number; readonly rowMinutes: number }): number {
  return (rowMinutes - rows * USUAL_MINUTES) / MAX_LONG_MINUTES;
}

const milliseconds = (column: string): string => `toUnixTimestamp64Milli(${column})`;

/** SQL: minutes that the flows of some rows are spread over, at most. */
export const ROW_MINUTES_SQL = `sum(intDiv(least(greatest(${milliseconds('time_flow_end_ns')} - ${milliseconds('time_flow_start_ns')}, 0), ${LONGEST_SPREAD_MS}), ${MINUTE_MS}) + 2)`;

/** A slice and the minutes that its flows are spread over. */
export interface PlannedSlice extends Slice {
  readonly rowMinutes: number;
}

/**
 * Cuts a segment so that no insert spreads too much. It depends on the segment's content alone: a replay makes the same
 * blocks, and each is recognised by its token.
 */
export async function planSlices(
  engine: Engine,
  source: SegmentSource,
  rows: number,
): Promise<readonly PlannedSlice[]> {
  const units = await engine.selectSegment<{ minutes: number }>(
    source,
    (table) =>
      `SELECT ${ROW_MINUTES_SQL} AS minutes FROM ${table} GROUP BY intDiv(rowNumberInAllBlocks(), ${UNIT_ROWS}) AS unit ORDER BY unit`,
  );
  const slices: PlannedSlice[] = [];
  let slice = { offset: 0, rows: 0, rowMinutes: 0 };
  for (const { minutes } of units) {
    const unit = Math.min(UNIT_ROWS, rows - slice.offset - slice.rows);
    const more = { ...slice, rows: slice.rows + unit, rowMinutes: slice.rowMinutes + minutes };
    if (slice.rows === 0 || slicesOf(more) <= 1) {
      slice = more;
      continue;
    }
    slices.push(slice);
    slice = { offset: slice.offset + slice.rows, rows: unit, rowMinutes: minutes };
  }
  slices.push(slice);
  return slices;
}
