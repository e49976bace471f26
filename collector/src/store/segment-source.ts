import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CLICKHOUSE_TYPES } from '@ringflow/contract';
import { segmentPath, type Segment } from '../spool/index.ts';
import { STORED_COLUMNS } from './ddl.ts';
import type { SegmentSource, Slice } from './engine.ts';

/**
 * Every column in its own type: the blocks of a segment leave out columns that hold nothing and use narrower types
 * where all values fit, each block as it is; the engine widens and fills in while it reads.
 */
const SEGMENT_COLUMNS: SegmentSource['columns'] = STORED_COLUMNS.map(({ name, type }) => ({
  name,
  type: CLICKHOUSE_TYPES[type],
}));

/**
 * Says what the engine needs to read sealed segments.
 *
 * @throws RangeError when a file is not as long as its name says
 */
export async function openSegments(directory: string, segments: readonly Segment[]): Promise<SegmentSource> {
  const paths: string[] = [];
  for (const segment of segments) {
    const path = resolve(segmentPath(directory, segment));
    const { size } = await stat(path);
    if (size !== segment.sizeBytes)
      throw new RangeError(`The segment holds ${size} bytes, its name says ${segment.sizeBytes}`);
    paths.push(path);
  }
  return { paths, columns: SEGMENT_COLUMNS };
}

/** Columns and types of a segment, as `file()`, `input()` and external tables take them. */
export function structureOf(segment: SegmentSource): string {
  return segment.columns.map(({ name, type }) => `${name} ${type}`).join(', ');
}

/** What stands after FROM, to read some rows of what the engine reads segments from. */
export function sliceOf(relation: string, slice?: Slice): string {
  return slice ? `${relation} LIMIT ${slice.rows} OFFSET ${slice.offset}` : relation;
}

/** A text of ours as a SQL string. */
export function quoteSql(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`;
}
