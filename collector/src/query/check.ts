import {
  COMPARE_WINDOWS,
  DUPLICATE_MODES,
  MAX_DIMENSIONS,
  MAX_FILTER_LENGTH,
  MAX_ROWS,
  MAX_SERIES,
  MEASURES,
  METRICS,
  QUERY_KINDS,
  QUERY_RESOLUTIONS,
  RECORD_FORMATS,
  RingflowError,
  nearestNames,
  type FlowQuery,
  type QueryKind,
} from '@ringflow/contract';
import { checkShape, DIMENSIONS_OF, MAX_EDGES } from './check-shape.ts';
import { quantityName } from './frames.ts';
import { WAY_WORDS, wayColumn } from './mirror.ts';
import { isOfSlots } from './slots.ts';
import { DIMENSIONS, FIELDS, isEitherSide } from './values.ts';

/** What a record can show and be ordered by. */
const SHOWN: readonly string[] = DIMENSIONS.filter((name) => !isEitherSide(name));

/** Most rows or series by kind. */
const LIMITS: Readonly<Record<QueryKind, number>> = {
  timeseries: MAX_SERIES,
  table: MAX_ROWS,
  records: MAX_ROWS,
  stat: MAX_ROWS,
  graph: MAX_EDGES,
  geo: MAX_ROWS,
  heatmap: MAX_SERIES,
};

/** Rows that paging may skip; beyond it a narrower filter is the better way. */
const MAX_OFFSET = 1_000_000;

/** Refuses what a query cannot mean; returns it with the registry's spelling of its fields. */
export function checkQuery(query: FlowQuery): FlowQuery {
  oneOf('kind', query.kind, QUERY_KINDS);
  oneOf('metric', query.metric, METRICS);
  oneOf('measure', query.measure, MEASURES);
  oneOf('resolution', query.resolution, QUERY_RESOLUTIONS);
  oneOf('duplicates', query.duplicates, DUPLICATE_MODES);
  oneOf('compare', query.compare, COMPARE_WINDOWS);
  oneOf('format', query.format, RECORD_FORMATS);
  if (typeof query.filter !== 'string') throw invalid('filter must be text', 'Write the filter as one string');
  if (query.filter.length > MAX_FILTER_LENGTH)
    throw invalid(
      `filter has ${query.filter.length} characters, more than ${MAX_FILTER_LENGTH}`,
      'Put long lists into a configured set and write @name',
    );
  wholeNumber('limit', query.limit, 1, Number.MAX_SAFE_INTEGER);
  // Who asks for too much gets as much as there may be, and a notice.
  const limit = Math.min(query.limit, LIMITS[query.kind]);
  wholeNumber('offset', query.offset, 0, MAX_OFFSET);
  wholeNumber('intervalMs', query.intervalMs, 0, Number.MAX_SAFE_INTEGER);
  wholeNumber('maxDataPoints', query.maxDataPoints, 0, Number.MAX_SAFE_INTEGER);
  if (typeof query.other !== 'boolean') throw invalid('other must be true or false', 'Leave it out for true');

  const groupBy = fields('groupBy', query.groupBy, DIMENSIONS_OF[query.kind] ?? DIMENSIONS);
  const unique = fields('unique', query.unique, DIMENSIONS);
  const answers = query.kind === 'records' ? SHOWN : answerFields(query, unique);
  const columns = fields('columns', query.columns, answers, query.kind === 'records' ? SHOWN.length : MAX_DIMENSIONS);
  const sort = sortOf(query, groupBy);
  if (query.kind === 'table' && groupBy.length === 0)
    throw invalid('A table needs groupBy', 'Add a field to groupBy, or ask for kind "stat"');
  if ((query.kind === 'stat' || query.kind === 'records') && groupBy.length > 0)
    throw invalid(`A query of kind "${query.kind}" cannot group`, 'Remove groupBy, or ask for kind "table"');
  if (query.kind !== 'stat' && unique.length > 0)
    throw invalid('unique belongs to kind "stat"', 'Remove unique, or ask for kind "stat"');
  if (query.measure === 'utilization') {
    const ends = groupBy.filter((name) => name === 'in_if' || name === 'out_if');
    if (query.kind === 'stat' || query.metric !== 'bytes' || ends.length !== 1 || !groupBy.includes('sampler_address'))
      throw invalid(
        'utilization is of an interface',
        'Group by sampler_address and one of in_if, out_if, with metric "bytes"',
      );
  }
  if (query.kind === 'stat' && query.measure === 'share')
    throw invalid('A total has no share', 'Ask for measure "total" or "rate", or for kind "table"');
  if (isOfSlots(query.measure) && unique.length > 0)
    throw invalid(`Distinct values have no ${query.measure}`, 'Remove unique, or ask for measure "total" or "rate"');
  if (isOfSlots(query.measure) && (query.compare !== 'none' || query.baseline || query.mirror))
    throw invalid(
      `Measure "${query.measure}" stands alone`,
      'Remove compare, baseline and mirror, or ask for measure "rate"',
    );
  const checked = { ...query, limit, groupBy, unique, columns, sort };
  checkShape(checked);
  return checked;
}

/** Columns of a table about its rows at other times and either way. */
function besideRows(name: string): string[] {
  return [`${name}_before`, 'change_percent', 'deviation', ...WAY_WORDS.map((word) => wayColumn(name, word))];
}

/** Names of the fields that a table or stat can be cut down to. */
function answerFields(query: FlowQuery, unique: readonly string[]): string[] {
  if (isOfSlots(query.measure)) return METRICS.map((metric) => quantityName(metric, query.measure));
  const measure = query.measure === 'rate' || query.measure === 'utilization' ? 'rate' : 'total';
  return [
    ...METRICS.map((metric) => quantityName(metric, measure)),
    'share',
    'utilization',
    ...unique.map((name) => `unique_${name}`),
    ...(query.kind === 'table' ? besideRows(quantityName(query.metric, measure)) : []),
  ];
}

function sortOf(query: FlowQuery, groupBy: readonly string[]): FlowQuery['sort'] {
  if (!Array.isArray(query.sort) || query.sort.length > MAX_DIMENSIONS)
    throw invalid(
      `sort must be a list of up to ${MAX_DIMENSIONS} entries`,
      'Write for example [{"by": "bytes", "descending": true}]',
    );
  const values = isOfSlots(query.measure) ? answerFields(query, []) : ['bps', 'pps', 'fps', 'share'];
  const allowed = query.kind === 'records' ? SHOWN : [...groupBy, 'bytes', 'packets', 'flows', ...values];
  return query.sort.map((entry: unknown) => {
    const { by, descending = true } = (entry ?? {}) as { by?: unknown; descending?: unknown };
    if (typeof by !== 'string' || typeof descending !== 'boolean')
      throw invalid(
        'Each entry of sort needs "by" (a field) and "descending" (true or false)',
        'Write for example [{"by": "bytes", "descending": true}]',
      );
    return { by: known('sort', by, allowed), descending };
  });
}

function fields(key: string, value: unknown, allowed: readonly string[], most: number = MAX_DIMENSIONS): string[] {
  if (!Array.isArray(value) || !value.every((name) => typeof name === 'string'))
    throw invalid(`${key} must be a list of field names`, `Write for example "${key}": ["src_addr"]`);
  if (value.length > most) throw invalid(`${key} has ${value.length} fields, more than ${most}`, 'Remove some');
  const spelled = (value as string[]).map((name) => known(key, name, allowed));
  const twice = spelled.find((name, index) => spelled.indexOf(name) !== index);
  if (twice !== undefined) throw invalid(`${key} names ${twice} twice`, 'Name it once');
  return spelled;
}

/** The registry's spelling (case, underscores and the filter language's aliases do not matter), or an error that names near ones. */
function known(key: string, name: string, allowed: readonly string[]): string {
  const field = FIELDS.find(name)?.name;
  const found = allowed.includes(name) ? name : field !== undefined && allowed.includes(field) ? field : undefined;
  if (found !== undefined) return found;
  const near = nearestNames(name.slice(0, 64), allowed);
  const hint =
    near.length === 0
      ? 'GET /api/v1/fields lists the fields'
      : `Did you mean ${near.join(' or ')}? GET /api/v1/fields lists the fields`;
  throw new RingflowError(
    'query_unknown_field',
    `${key} has no field "${name.length > 64 ? `${name.slice(0, 64)}…` : name}"`,
    { hint },
  );
}

function oneOf(key: string, value: unknown, values: readonly string[]): void {
  if (typeof value === 'string' && values.includes(value)) return;
  const shown = JSON.stringify(value) ?? 'nothing';
  throw invalid(
    `${key} cannot be ${shown.length > 64 ? `${shown.slice(0, 64)}…` : shown}`,
    `Write one of: ${values.join(', ')}`,
  );
}

function wholeNumber(key: string, value: unknown, least: number, most: number): void {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return;
  throw invalid(`${key} must be a whole number from ${least} to ${most}`, `Change ${key}`);
}

function invalid(message: string, hint: string): RingflowError {
  return new RingflowError('query_invalid', message, { hint });
}
