import { createFieldTable, type FieldTable } from './filter/fields.ts';
import { METRICS, migrateQuery, type FlowQuery, type FlowQueryInput, type Measure, type Metric } from './query.ts';

const QUANTITIES: Readonly<Record<Metric, Readonly<Record<Exclude<Measure, 'share' | 'utilization'>, string>>>> = {
  bytes: { rate: 'bits/s', total: 'bytes', peak: 'peak bits/s', p95: '95th percentile of bits/s' },
  packets: { rate: 'packets/s', total: 'packets', peak: 'peak packets/s', p95: '95th percentile of packets/s' },
  flows: { rate: 'flows/s', total: 'flows', peak: 'peak flows/s', p95: '95th percentile of flows/s' },
};

const EARLIER: Readonly<Record<FlowQuery['compare'], string>> = {
  none: '',
  '1h': '1 hour before',
  '1d': '1 day before',
  '1w': '1 week before',
  '4w': '4 weeks before',
};

const FIELDS: FieldTable = createFieldTable();

/** `1 week before`: what a compared window is called; empty for `none`. */
export function compareText(compare: FlowQuery['compare']): string {
  return EARLIER[compare] ?? '';
}

/** `bits/s`, `share of bytes`, `utilization`. */
export function quantityText(metric: Metric, measure: Measure): string {
  if (measure === 'utilization') return 'utilization';
  const named = METRICS.includes(metric) ? metric : 'bytes';
  return measure === 'share' ? `share of ${named}` : (QUANTITIES[named][measure] ?? named);
}

/**
 * A query in one sentence, for the history of queries and the head of a collapsed editor: `Top 10 bits/s by source
 * address where dst_port = 443, mirrored, against 1 week before`. Takes queries of any version, finished or not.
 */
export function describeQuery(
  input: FlowQueryInput | Readonly<Record<string, unknown>>,
  fields: FieldTable = FIELDS,
): string {
  const query = migrateQuery(input);
  const names = (list: unknown): string[] =>
    Array.isArray(list) ? list.map((name) => labelOf(String(name), fields)) : [];
  const groups = names(query.groupBy);
  const quantity = quantityText(query.metric, query.measure);
  const top = groups.length > 0 ? `Top ${query.limit} ` : '';
  const by = groups.length > 0 ? ` by ${groups.join(' × ')}` : '';
  const subject = subjectOf(query, { quantity, groups, unique: names(query.unique), top, by });
  const filter = typeof query.filter === 'string' ? query.filter.trim() : '';
  const extras = [
    query.mirror ? 'mirrored' : '',
    query.compare === 'none' ? '' : `against ${compareText(query.compare)}`,
    query.baseline ? 'with the deviation from the last four weeks' : '',
    query.resolution === 'auto'
      ? ''
      : `from ${query.resolution === 'raw' ? 'single records' : `${query.resolution} rings`}`,
  ].filter((text) => text !== '');
  const sentence = [`${subject}${filter === '' ? '' : ` where ${filter}`}`, ...extras].join(', ');
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}

interface Parts {
  readonly quantity: string;
  readonly groups: readonly string[];
  readonly unique: readonly string[];
  readonly top: string;
  readonly by: string;
}

function subjectOf({ kind, limit, offset }: FlowQuery, { quantity, groups, unique, top, by }: Parts): string {
  switch (kind) {
    case 'timeseries':
      return `${top}${quantity}${by} over time`;
    case 'table':
      return `${top}${quantity}${by}`;
    case 'records':
      return offset > 0 ? `records ${offset + 1} to ${offset + limit}` : `the last ${limit} records`;
    case 'stat':
      return unique.length > 0 ? `total ${quantity}, distinct ${unique.join(', ')}` : `total ${quantity}`;
    case 'graph':
      return `${top}${quantity} from ${groups.join(' to ')}`;
    case 'geo':
      return `map of ${quantity}${groups.length === 2 ? ` from ${groups.join(' to ')}` : by}`;
    case 'heatmap':
      return `heatmap of ${quantity}${by}`;
    default:
      return `${String(kind)} of ${quantity}${by}`;
  }
}

function labelOf(name: string, fields: FieldTable): string {
  const label = fields.find(name)?.label ?? name;
  // `AS` and `TCP flags` keep their capitals.
  return /^[A-Z][a-z]/.test(label) ? label.charAt(0).toLowerCase() + label.slice(1) : label;
}
