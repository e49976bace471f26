import { RingflowError, type FieldValue } from '@ringflow/contract';
import { neededColumns } from './kinds/grouped.ts';
import { columnOf } from './frames.ts';
import { planQuery } from './plan.ts';
import { filterSql, type QueryContext } from './prepare.ts';
import { hasNames, isOfExporter, nameOf } from './resolve.ts';
import type { RunResult, SqlQuery } from './runner.ts';
import { hasUnnamed, sourceSql } from './source.ts';
import { bind, EMPTY, render, sql, type Sql } from './sql.ts';
import { answerColumn, DIMENSIONS, FIELDS, outputSql, valueText, type AnswerColumn } from './values.ts';
import type { Window } from './window.ts';

/** Values looked through when the search is for how they are written, which the engine does not know. */
const CANDIDATES = 5000;

export interface ValuesQuery {
  readonly field: string;
  /** Part of the value or of its name; empty = all. */
  readonly search: string;
  readonly limit: number;
  readonly filter: string;
}

export interface PreparedValues {
  readonly field: string;
  readonly statement: SqlQuery;
  values(result: RunResult): { values: FieldValue[]; complete: boolean };
}

/** The values of a field by traffic: what variables, tag values and completion offer. */
export function prepareValues(query: ValuesQuery, window: Window, context: QueryContext): PreparedValues {
  const field = FIELDS.find(query.field)?.name ?? query.field;
  const column = DIMENSIONS.includes(field) ? answerColumn(field) : undefined;
  if (!column)
    throw new RingflowError('query_unknown_field', `There is no field "${query.field.slice(0, 64)}" with values`, {
      hint: 'GET /api/v1/fields lists the fields',
    });
  const filter = filterSql(query.filter, context);
  const withExporter = isOfExporter(column);
  const dimensions = withExporter ? [field, 'sampler_address'] : [field];
  // Whole buckets are exact enough here, and rings answer at once.
  const plan = planQuery(
    { kind: 'table', resolution: 'auto', intervalMs: 0, maxDataPoints: 0 },
    window,
    neededColumns(dimensions, filter.columns),
    context.oldest,
    context.nowMs,
    { facts: context.facts ?? {}, lists: { dimensions, filterColumns: filter.columns } },
  );
  const source = sourceSql(plan, filter.condition, {
    dimensions,
    bucketed: false,
    sides: 'rows',
    names: context.names,
  });
  const search = query.search.trim();
  const inSql = search === '' ? EMPTY : searchSql(column, search);
  // What a top list does not name has no value to offer.
  const named = hasUnnamed(plan) ? sql`(SELECT * FROM (${source}) WHERE m_other = 0)` : sql`(${source})`;
  const keys = withExporter ? sql`d0, d1` : sql`d0`;
  const limit = search === '' || inSql !== EMPTY ? query.limit + 1 : CANDIDATES;
  const statement = render(
    sql`SELECT ${outputSql(column, sql`d0`)}, ${withExporter ? sql`d1` : sql`''`}, b FROM (SELECT ${keys}, sum(m_bytes) AS b, sum(m_flows) AS f FROM ${named}${inSql} GROUP BY ${keys} HAVING b + f > 0 ORDER BY b DESC, ${keys} LIMIT ${bind(limit, 'UInt32')})`,
  );
  const values = (result: RunResult) => {
    const all: FieldValue[] = columnOf(result, 0).map((value, row) => {
      const text = valueText(column, value);
      const exporter = withExporter ? valueText(EXPORTER, columnOf(result, 1)[row]) : undefined;
      const name = nameOf(context.names, column, column.name === 'sampler_address' ? text : value, exporter);
      return {
        value: filterValue(column, value, text, name),
        text: name === undefined ? text : column.text === 'named' ? name : `${name} (${text})`,
        bytes: columnOf<number>(result, 2)[row] ?? 0,
      };
    });
    const wanted = search.toLowerCase();
    const found =
      wanted === '' || inSql !== EMPTY
        ? all
        : all.filter(({ value, text }) => value.toLowerCase().includes(wanted) || text.toLowerCase().includes(wanted));
    // An ifIndex stands for several interfaces; as a value it is one.
    const distinct = [...new Map(found.map((value) => [`${value.value} ${value.text}`, value])).values()].filter(
      ({ value }) => value !== '',
    );
    return { values: distinct.slice(0, query.limit), complete: distinct.length <= query.limit && result.rows < limit };
  };
  return { field, statement, values };
}

const EXPORTER = answerColumn('sampler_address') as AnswerColumn;

/** Values with many distinct ones are searched in the engine; the others as they are written, afterwards. */
function searchSql(column: AnswerColumn, search: string): Sql {
  if (column.type === 'addr' && !hasNames(column))
    return sql` WHERE positionCaseInsensitive(replaceOne(toString(d0), '::ffff:', ''), ${bind(search, 'String')}) > 0`;
  if (column.type === 'string' && column.text === 'string')
    return sql` WHERE positionCaseInsensitive(d0, ${bind(search, 'String')}) > 0`;
  return EMPTY;
}

/** Services and the like are written with a comment in brackets; a filter takes the text as it is, in quotes. */
function filterValue(column: AnswerColumn, value: unknown, text: string, name: string | undefined): string {
  // Several places may have one name; everything else that is kept as an id is the id of its name.
  if (column.text === 'named' && column.names !== 'place' && name !== undefined) return name;
  return column.text === 'asn' && !Array.isArray(value) && text === '' ? '0' : text;
}
