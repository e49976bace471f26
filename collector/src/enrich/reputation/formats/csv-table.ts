import { parse } from 'csv-parse/sync';
import type { ListSink } from './list-row.ts';

/**
 * Calls `visit` for each row of CSV with headings, which may be in any case and order; `#` begins a comment.
 *
 * @throws Error when there are no headings, one that is needed is missing, or quotes do not end
 */
export function readTable(
  text: string,
  needed: readonly string[],
  sink: ListSink,
  visit: (row: Readonly<Record<string, string>>, line: number) => void,
): void {
  let names: string[] | null = null;
  parse(text, {
    bom: true,
    comment: '#',
    comment_no_infix: true,
    relax_column_count: true,
    skip_empty_lines: true,
    trim: true,
    on_record: (fields: string[], { lines }) => {
      if (names === null) {
        names = fields.map((field) => field.toLowerCase());
        for (const name of needed) if (!names.includes(name)) throw new Error(`It has no column "${name}"`);
      } else if (fields.length > names.length)
        sink.broken(lines, `It has ${fields.length} columns instead of ${names.length}`);
      else
        visit(
          Object.fromEntries(fields.map((field, index) => [names?.[index], field])) as Record<string, string>,
          lines,
        );
      return null;
    },
  });
  if (names === null) throw new Error(`It has no headings: write a first line like ${needed.join(',')}`);
}
