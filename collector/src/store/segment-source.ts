import { resolve } from 'node:path';
import { readNativeColumns, segmentPath, type Segment } from '../spool/index.ts';
import type { SegmentSource, Slice } from './engine.ts';

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

/** Columns and types of a segment, as `file()`, `input()` and external tables take them. */
export function structureOf(segment: SegmentSource): string {
  return segment.columns.map(({ name, type }) => `${name} ${type}`).join(', ');
}

/** What takes a slice out of a read of a segment; nothing for the whole of it. */
export function sliceClause(slice: Slice | undefined): string {
  return slice ? ` LIMIT ${slice.rows} OFFSET ${slice.offset}` : '';
}

/** A text of ours as a SQL string. */
export function quoteSql(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`;
}
