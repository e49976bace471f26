import type { Engine, SegmentSource, Slice } from './engine.ts';
import { LONGEST_SPREAD_NS, MINUTE_NS } from './rings.ts';

/** Rows that are counted together; the smallest slice. */
const UNIT_ROWS = 1024;

/**
 * Row-minutes of one insert. The rings' view holds every minute of every flow of a block at once, about 400 bytes each
 * (measured: 4 million of them take 1.8 GB), so day-long flows (softflowd's default) must come in small blocks.
 */
const MAX_ROW_MINUTES = 2_000_000;

/**
 * Cuts a segment so that no insert spreads too much. Nearly always that is one slice. It depends on the segment's
 * content alone: a replay makes the same blocks, and each is recognised by its token.
 */
export async function planSlices(engine: Engine, source: SegmentSource, rows: number): Promise<readonly Slice[]> {
  const names = source.columns.map(({ name }) => name);
  if (!names.includes('time_flow_start_ns') || !names.includes('time_flow_end_ns')) return [{ offset: 0, rows }];
  const nanoseconds = (column: string) => `toUnixTimestamp64Nano(${column})`;
  const lasted = `least(greatest(${nanoseconds('time_flow_end_ns')} - ${nanoseconds('time_flow_start_ns')}, 0), ${LONGEST_SPREAD_NS})`;
  const units = await engine.selectSegment<{ minutes: number }>(
    source,
    (table) =>
      `SELECT sum(intDiv(${lasted}, ${MINUTE_NS}) + 2) AS minutes FROM ${table} GROUP BY intDiv(rowNumberInAllBlocks(), ${UNIT_ROWS}) AS unit ORDER BY unit`,
  );
  const slices: Slice[] = [];
  let offset = 0;
  let end = 0;
  let minutes = 0;
  for (const unit of units) {
    if (end > offset && minutes + unit.minutes > MAX_ROW_MINUTES) {
      slices.push({ offset, rows: end - offset });
      offset = end;
      minutes = 0;
    }
    minutes += unit.minutes;
    end = Math.min(rows, end + UNIT_ROWS);
  }
  slices.push({ offset, rows: rows - offset });
  return slices;
}
