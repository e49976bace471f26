import {
  COLUMNS,
  LOG_COLUMNS,
  recordsToLogs,
  type Column,
  type DataFrameJson,
  type FrameFieldType,
  type FrameNotice,
} from '@ringflow/contract';
import { columnOf, frameOf, samplingNotices, type FilledField } from '../frames.ts';
import { planQuery } from '../plan.ts';
import type { NameLookup } from '../resolve.ts';
import type { RunResult } from '../runner.ts';
import { bind, columnSql, integer, join, render, sql } from '../sql.ts';
import {
  answerColumn,
  columnConfig,
  outputSql,
  splitTime,
  unitOf,
  valueText,
  type AnswerColumn,
  partSql,
} from '../values.ts';
import { second } from './frame-parts.ts';
import type { Kind } from './kind.ts';
import { groupLabel, labelFields } from './labels.ts';

/** Columns that a record shows when none are chosen. */
const STORED = (COLUMNS as readonly Column[]).filter((column) => column.stored);

/** Breaks ties of any order, so that pages neither repeat nor miss a record. */
const TIE_BREAK = [
  'time_flow_end_ns',
  'time_received_ns',
  'sampler_address',
  'sequence_num',
  'src_addr',
  'dst_addr',
  'src_port',
  'dst_port',
  'proto',
  'bytes',
] as const;

/** Single records as a table, as lines of a log, or as both. */
export const prepareRecords: Kind = (input) => {
  const { query } = input;
  if (query.format === 'table') return preparePage(input);
  const asked = query.columns;
  const columns = asked.length === 0 ? [] : [...new Set([...asked, ...LOG_COLUMNS])];
  const page = preparePage({ ...input, query: { ...query, columns } });
  return {
    statements: page.statements,
    frames: (results) => {
      const [frame] = page.frames(results) as [DataFrameJson];
      const logs = recordsToLogs(frame);
      return query.format === 'logs' ? [logs] : [logs, second(withColumns(frame, asked))];
    },
  };
};

/** The fields that were asked for, with their names; none = all. */
function withColumns(frame: DataFrameJson, names: readonly string[]): DataFrameJson {
  if (names.length === 0) return frame;
  const { schema, data } = frame;
  const kept = schema.fields.map(({ name }) => names.includes(name.replace(/_name$/, '')) || names.includes(name));
  const keep = <T>(list: readonly T[]): T[] => list.filter((_, index) => kept[index]);
  return {
    schema: { ...schema, fields: keep(schema.fields) },
    data: { values: keep(data.values), ...(data.nanos ? { nanos: keep(data.nanos) } : {}) },
  };
}

/** Single records whose end is inside the window, as they were sent: filter, order, page. */
const preparePage: Kind = (input) => {
  const { query, window, filter } = input;
  const plan = planQuery({ ...query, resolution: 'raw' }, window, new Set(), input.oldest, input.nowMs);
  const columns = recordColumns(query.columns);
  const time = (ms: number) => sql`fromUnixTimestamp64Nano(${bind(ms === 0 ? '0' : `${ms}000000`, 'Int64')}, 'UTC')`;
  const from = sql`FROM flows WHERE time_flow_end_ns >= ${time(window.fromMs)} AND time_flow_end_ns < ${time(window.toMs)} AND (${filter})`;
  const asked = query.sort.map(({ by, descending }) =>
    descending ? sql`${partSql(by, input.names)} DESC` : sql`${partSql(by, input.names)} ASC`,
  );
  const ties = TIE_BREAK.map((name, index) => (index < 2 ? sql`${columnSql(name)} DESC` : columnSql(name)));
  // Numbers as names: an alias equal to the column's name would make the filter see the text instead of the column.
  const outputs = columns.map(
    (column, index) => sql`${outputSql(column, partSql(column.name, input.names))} AS c${integer(index)}`,
  );
  const statements = [
    render(
      sql`SELECT ${join(outputs)} ${from} ORDER BY ${join([...asked, ...ties])} LIMIT ${bind(query.limit, 'UInt32')} OFFSET ${bind(query.offset, 'UInt64')}`,
    ),
    render(sql`SELECT count(), max(sampling_rate) ${from}`),
  ];

  const frames = (results: readonly RunResult[]) => {
    const page = results[0] as RunResult;
    const total = columnOf<number>(results[1], 0)[0] ?? 0;
    const fields = recordFields(columns, page, input.names);
    const notices: FrameNotice[] = samplingNotices(plan, columnOf<number>(results[1], 1)[0] ?? 0, 1).map((notice) => ({
      ...notice,
      text: 'Counters are shown as sent; multiply by the sampling rate to estimate the traffic',
    }));
    if (query.offset + page.rows < total)
      notices.push({
        severity: 'info',
        code: 'truncated',
        text: `Records ${query.offset + 1} to ${query.offset + page.rows} of ${total}`,
      });
    return [frameOf(fields, { refId: query.refId, shape: 'records', plan, statements, results, notices, total })];
  };
  return { statements, frames };
};

/** Columns that a query for records shows: those that it names, else all that are stored. */
export function recordColumns(names: readonly string[]): AnswerColumn[] {
  return names.length === 0 ? [...STORED] : names.map((name) => answerColumn(name) as AnswerColumn);
}

/** Fields of a page of records, each followed by its names where any is known. */
export function recordFields(columns: readonly AnswerColumn[], page: RunResult, names: NameLookup): FilledField[] {
  const labels = Array.from({ length: page.rows }, (_, row) => groupLabel(page, row, 0, columns, names));
  const named = labelFields(labels, columns);
  return columns.flatMap((column, index) => {
    const name = named.find((field) => field.name === `${column.name}_name`);
    const own = recordField(column, columnOf(page, index));
    return name ? [own, name] : [own];
  });
}

function recordField(column: AnswerColumn, values: readonly unknown[]): FilledField {
  const config = columnConfig(column);
  if (column.type === 'time') {
    const times = values.map((value) => splitTime(String(value)));
    // Zero is the absent time.
    return {
      name: column.name,
      type: 'time',
      config,
      values: times.map(({ ms, nanos }) => (ms === 0 && nanos === 0 ? null : ms)),
      nanos: times.map(({ nanos }) => nanos),
    };
  }
  const isNumber =
    column.text === 'number' && column.type !== 'u32[]' && !(column.type === 'u64' && column.unit === 'id');
  const type: FrameFieldType = isNumber ? 'number' : 'string';
  return isNumber
    ? { name: column.name, type, config: { ...config, unit: unitOf(column) }, values: [...values] }
    : { name: column.name, type, config, values: values.map((value) => valueText(column, value)) };
}
