import { resolve } from 'node:path';
import { readNativeColumns, segmentPath, type Segment } from '../spool/index.ts';
import type { SegmentSource } from './engine.ts';

/**
 * Checks a sealed segment and says what the engine needs to read it.
 *
 * @throws RangeError when its content is not what its name says
 */
export async function openSegment(directory: string, segment: Segment): Promise<SegmentSource> {
  const path = resolve(segmentPath(directory, segment));
  const { columns, rows } = await readNativeColumns(path);
  if (rows !== segment.rows) throw new RangeError(`The segment holds ${rows} rows, its name says ${segment.rows}`);
  return { path, columns };
}
