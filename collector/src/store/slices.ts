import type { Engine, SegmentSource, Slice } from './engine.ts';
import { LONGEST_SPREAD_MS, MINUTE_MS } from './rings.ts';

/** Rows that are counted together; the smallest slice. */
const UNIT_ROWS = 1024;

/**
 * Row-minutes of one insert. The rings' view holds every minute of every flow of a block at once, about 550 bytes each
 * (measured: 2 million of them take 1.1 GB), so day-long flows (softflowd's default) must come in small blocks.
 */
const MAX_ROW_MINUTES = 1_500_000;

/** A slice and the minutes that its flows are spread over. */
export interface PlannedSlice extends Slice {
  readonly rowMinutes: number;
}

/**
 * Cuts a segment so that no insert spreads too much. Nearly always that is one slice. It depends on the segment's
 * content alone: a replay makes the same blocks, and each is recognised by its token.
 *
 * @throws RangeError when the segment has not as many rows as it should
 */
export async function planSlices(
  engine: Engine,
  source: SegmentSource,
  rows: number,
): Promise<readonly PlannedSlice[]> {
  const milliseconds = (column: string) => `toUnixTimestamp64Milli(${column})`;
  const lasted = `least(greatest(${milliseconds('time_flow_end_ns')} - ${milliseconds('time_flow_start_ns')}, 0), ${LONGEST_SPREAD_MS})`;
  const units = await engine.selectSegment<{ minutes: number; unitRows: number }>(
    source,
    (table) =>
      `SELECT sum(intDiv(${lasted}, ${MINUTE_MS}) + 2) AS minutes, count() AS unitRows FROM ${table} GROUP BY intDiv(rowNumberInAllBlocks(), ${UNIT_ROWS}) AS unit ORDER BY unit`,
  );
  const found = units.reduce((sum, { unitRows }) => sum + unitRows, 0);
  if (found !== rows) throw new RangeError(`The segment holds ${found} rows, its name says ${rows}`);
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
