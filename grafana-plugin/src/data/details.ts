import {
  dateTimeFormat,
  FieldType,
  formattedValueToString,
  getValueFormat,
  type DataFrame,
  type Field,
} from '@grafana/data';
import { hostNameOf } from './host-names';

/** The name that Grafana's table looks for. */
const NESTED = '__nestedFrames';

/** Fields of a record that are shown as columns when none are chosen and the rest is in its details. */
export const RECORD_COLUMNS: readonly string[] = [
  'time_flow_end_ns',
  'src_addr',
  'src_port',
  'dst_addr',
  'dst_port',
  'proto',
  'app',
  'bytes',
  'packets',
  'tcp_flags',
  'direction',
  'sampler_address',
  'in_if',
  'out_if',
  'src_country',
  'dst_country',
];

/**
 * Rows that can be opened: the columns stay, everything else that a record says is a table inside its row.
 *
 * @param columns names of the fields to stay; their names (`app_name`) stay with them
 */
export function withDetails(frame: DataFrame, columns: readonly string[]): DataFrame {
  const shown = (columns.length > 0 ? columns : RECORD_COLUMNS).flatMap((name) =>
    frame.fields.filter((field) => field.name === name || field.name === `${name}_name`),
  );
  if (shown.length === 0 || frame.length === 0) return frame;
  const nested: Field = {
    name: NESTED,
    type: FieldType.nestedFrames,
    config: {},
    values: Array.from({ length: frame.length }, (_, row) => [detailsOf(frame, row)]),
  };
  return { ...frame, fields: [...shown, nested] };
}

/** What a record says, one line per field that is not empty. */
function detailsOf({ fields, refId }: DataFrame, row: number): DataFrame {
  const said = fields.map((field) => ({ field, text: textOf(field, row) })).filter(({ text }) => text !== '');
  const column = (name: string, values: string[]): Field => ({ name, type: FieldType.string, config: {}, values });
  return {
    ...(refId === undefined ? {} : { refId }),
    length: said.length,
    fields: [
      column(
        'Field',
        said.map(({ field }) => field.config.displayNameFromDS ?? field.name),
      ),
      column(
        'Value',
        said.map(({ text }) => text),
      ),
    ],
  };
}

function textOf(field: Field, row: number): string {
  const { type, config, values } = field;
  const value: unknown = values[row];
  if (value === null || value === undefined || value === '' || value === 0) return '';
  if (type === FieldType.time && typeof value === 'number') return dateTimeFormat(value, { defaultWithMS: true });
  if (typeof value === 'number' && config.unit && config.unit !== 'none' && config.unit !== 'short')
    return `${formattedValueToString(getValueFormat(config.unit)(value))} (${value})`;
  const hostName = typeof value === 'string' ? hostNameOf(field, value) : '';
  if (hostName !== '') return `${hostName} (${String(value)})`;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
