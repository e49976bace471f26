import { COLUMNS, type Column, type FrameFieldType, type FrameNotice } from '@ringflow/contract';
import { columnOf, frameOf, samplingNotices, type FilledField } from '../frames.ts';
import { planQuery } from '../plan.ts';
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

/** Single records whose end is inside the window, as they were sent: filter, order, page. */
export const prepareRecords: Kind = (input) => {
  const { query, window, filter } = input;
  const plan = planQuery({ ...query, resolution: 'raw' }, window, new Set(), input.oldest, input.nowMs);
  const columns: AnswerColumn[] =
    query.columns.length === 0 ? [...STORED] : query.columns.map((name) => answerColumn(name) as AnswerColumn);
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
    const labels = Array.from({ length: page.rows }, (_, row) => groupLabel(page, row, 0, columns, input.names));
    const named = labelFields(labels, columns);
    const fields = columns.flatMap((column, index) => {
      const names = named.find((field) => field.name === `${column.name}_name`);
      const own = recordField(column, columnOf(page, index));
      return names ? [own, names] : [own];
    });
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
