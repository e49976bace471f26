import type { Engine, SegmentSource, Slice } from './engine.ts';
import { LONGEST_SPREAD_MS, MINUTE_MS } from './rings.ts';

/** Rows that are counted together; the smallest slice. */
const UNIT_ROWS = 1024;

/**
 * Row-minutes of one insert. The rings' view holds every minute of every flow of a block at once, about 550 bytes each
 * (measured: 2 million of them take 1.1 GB), so day-long flows (softflowd's default) must come in small blocks.
 */
export const MAX_ROW_MINUTES = 1_500_000;

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
  let offset = 0;
  let end = 0;
  let minutes = 0;
  for (const unit of units) {
    if (end > offset && minutes + unit.minutes > MAX_ROW_MINUTES) {
      slices.push({ offset, rows: end - offset, rowMinutes: minutes });
      offset = end;
      minutes = 0;
    }
    minutes += unit.minutes;
    end = Math.min(rows, end + UNIT_ROWS);
  }
  slices.push({ offset, rows: rows - offset, rowMinutes: minutes });
  return slices;
}
