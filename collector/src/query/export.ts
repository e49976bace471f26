import {
  ETHER_TYPE_LIST,
  FLOW_TYPE_LIST,
  nearestNames,
  PROTOCOL_LIST,
  QUALITY,
  RingflowError,
  COLUMNS,
  type Column,
} from '@ringflow/contract';
import type { NameLookup } from './resolve.ts';
import { filterSql, type QueryContext } from './prepare.ts';
import type { SqlQuery } from './runner.ts';
import { alias, bind, columnSql, integer, join, render, sql, type Sql } from './sql.ts';
import type { Window } from './window.ts';

/** Formats of an export: what the engine calls them, their content type and the end of a file's name. */
export const EXPORT_FORMATS = {
  ndjson: { engine: 'JSONEachRow', contentType: 'application/x-ndjson; charset=utf-8' },
  csv: { engine: 'CSVWithNames', contentType: 'text/csv; charset=utf-8' },
  parquet: { engine: 'Parquet', contentType: 'application/vnd.apache.parquet' },
} as const;
export type ExportFormat = keyof typeof EXPORT_FORMATS;

/** Single records of a filter that arrived inside the window. */
export interface ExportQuery {
  readonly filter: string;
  /** Stored columns; none = all. */
  readonly columns: readonly string[];
  readonly format: ExportFormat;
}

/** Ids that are written as names; where there are more, ids stay numbers. */
const MAX_NAMES = 20_000;

const STORED = (COLUMNS as readonly Column[]).filter(({ stored }) => stored);

/**
 * The statements of an export: how many records there are, and the records. By time of arrival, so that each record is
 * in exactly one of windows that adjoin; values are written as `ringflow decode` does (times of Parquet are timestamps).
 *
 * @throws RingflowError for what the filter or the columns get wrong
 */
export function prepareExport(
  { filter, columns, format }: ExportQuery,
  window: Window,
  context: Pick<QueryContext, 'filterOptions' | 'names'>,
): { readonly count: SqlQuery; readonly rows: SqlQuery } {
  const chosen = columns.length === 0 ? STORED : columns.map(storedColumn);
  const { condition } = filterSql(filter, context);
  const time = (ms: number): Sql =>
    sql`fromUnixTimestamp64Nano(${bind(ms === 0 ? '0' : `${ms}000000`, 'Int64')}, 'UTC')`;
  const from = sql`FROM flows WHERE time_received_ns >= ${time(window.fromMs)} AND time_received_ns < ${time(window.toMs)} AND (${condition})`;
  // Inside under other names: an alias equal to the column's name would make the filter see the text.
  const inner = chosen.map(({ name }, index) => sql`${columnSql(name)} AS c${integer(index)}`);
  const outer = chosen.map(
    (column, index) => sql`${valueSql(column, alias(`c${index}`), format, context.names)} AS ${alias(column.name)}`,
  );
  return {
    count: render(sql`SELECT count() ${from}`),
    rows: render(sql`SELECT ${join(outer)} FROM (SELECT ${join(inner)} ${from})`),
  };
}

function storedColumn(name: string): Column {
  const column = STORED.find((one) => one.name === name);
  if (column) return column;
  const near = nearestNames(
    name.slice(0, 64),
    STORED.map((one) => one.name),
  );
  throw new RingflowError('query_unknown_field', `An export has no column "${name.slice(0, 64)}"`, {
    hint: near.length > 0 ? `Did you mean ${near.join(' or ')}?` : 'docs/reference/fields.md lists the stored fields',
  });
}

/** The value of a column as it is written. */
function valueSql(column: Column, value: Sql, format: ExportFormat, names: NameLookup): Sql {
  switch (column.type) {
    case 'addr': {
      const text = sql`IPv6NumToString(${value})`;
      return sql`multiIf(${text} = '::', '', position(${text}, '.') > 0, replaceOne(${text}, '::ffff:', ''), ${text})`;
    }
    case 'time':
      return format === 'parquet' ? value : sql`toUnixTimestamp64Nano(${value})`;
    case 'mac':
      return sql`lower(MACNumToString(${value}))`;
    case 'string':
      return column.text === 'hex' ? sql`lower(hex(${value}))` : value;
    case 'u32[]':
      return value;
    default:
      return numberSql(column, value, names);
  }
}

function numberSql(column: Column, value: Sql, names: NameLookup): Sql {
  switch (column.text) {
    case 'proto':
      return named(
        value,
        PROTOCOL_LIST.filter(([number]) => number > 0),
        sql`toString(${value})`,
      );
    case 'etype':
      return named(value, ETHER_TYPE_LIST, sql`concat('0x', lower(hex(${value})))`);
    case 'flowType':
      return sql`transform(${value}, ${keys(FLOW_TYPE_LIST)}, ${texts(FLOW_TYPE_LIST)}, toString(${value}))`;
    case 'word':
      return named(
        value,
        (column.words ?? []).map((word, index) => [index, word] as const),
        sql`toString(${value})`,
      );
    case 'country':
      return sql`if(${value} = 0, '', concat(char(bitShiftRight(${value}, 8)), char(bitAnd(${value}, 255))))`;
    case 'quality': {
      const flags = Object.entries(QUALITY).map(([name, bit]) => [bit, name] as const);
      return sql`arrayStringConcat(arrayFilter(word -> notEmpty(word), arrayMap((flag, word) -> if(bitAnd(${value}, flag) != 0, word, ''), ${keys(flags)}, ${texts(flags)})), ',')`;
    }
    case 'named': {
      const kind = column.names;
      const ids = kind === undefined ? [] : names.idsWhere(kind, () => true);
      if (kind === undefined || ids.length === 0 || ids.length > MAX_NAMES) return value;
      return named(
        value,
        ids.map((id) => [id, names.named(kind, id) ?? String(id)] as const),
        sql`toString(${value})`,
      );
    }
    default:
      return value;
  }
}

/** The name of a number, the empty text for 0, and what else for the others. */
function named(value: Sql, list: readonly (readonly [number, string])[], otherwise: Sql): Sql {
  return sql`if(${value} = 0, '', transform(${value}, ${keys(list)}, ${texts(list)}, ${otherwise}))`;
}

function keys(list: readonly (readonly [number, string])[]): Sql {
  return bind(
    list.map(([number]) => number),
    'Array(UInt32)',
  );
}

function texts(list: readonly (readonly [number, string])[]): Sql {
  return bind(
    list.map(([, text]) => text),
    'Array(String)',
  );
}
