import { HISTOGRAM_FIELDS, RingflowError, type FlowQuery, type QueryKind } from '@ringflow/contract';
import { legendFields } from './legend.ts';
import { columnsOf, DIMENSIONS } from './values.ts';

/** Most edges of a graph: the layout of more nodes than twice this helps nobody (grafana.md 4.6). */
export const MAX_EDGES = 200;

/** Hours of the day against days; a heatmap's own field. */
export const HOUR_FIELD = 'hour';

/** What kinds group by, where that is more than the fields of rows. */
export const DIMENSIONS_OF: Readonly<Partial<Record<QueryKind, readonly string[]>>> = {
  heatmap: [...new Set([...DIMENSIONS, ...HISTOGRAM_FIELDS, HOUR_FIELD])],
};

const COMPARABLE: ReadonlySet<QueryKind> = new Set(['timeseries', 'table']);

/** Refuses what a kind cannot show; the fields exist, the values are of their types. */
export function checkShape(query: FlowQuery): void {
  const { kind, groupBy, measure } = query;
  for (const key of ['baseline', 'mirror'] as const)
    if (typeof query[key] !== 'boolean') throw invalid(`${key} must be true or false`, 'Leave it out for false');
  if (typeof query.legend !== 'string') throw invalid('legend must be text', 'Write for example "{{src_as}}"');
  if ((query.compare !== 'none' || query.baseline) && !COMPARABLE.has(kind))
    throw invalid(
      `A query of kind "${kind}" cannot be compared with earlier`,
      'Remove compare and baseline, or ask for kind "timeseries" or "table"',
    );
  if (query.mirror && !COMPARABLE.has(kind))
    throw invalid(
      `A query of kind "${kind}" cannot be mirrored`,
      'Remove mirror, or ask for kind "timeseries" or "table"',
    );
  if (query.format !== 'table' && kind !== 'records')
    throw invalid('format belongs to kind "records"', 'Remove format, or ask for kind "records"');
  if (query.legend !== '') {
    if (kind !== 'timeseries') throw invalid('legend belongs to kind "timeseries"', 'Remove legend');
    legendFields(query);
  }
  if (kind === 'graph' && groupBy.length < 2)
    throw invalid('A graph needs two fields or more in groupBy', 'Write for example ["src_network", "dst_network"]');
  if (kind === 'geo') checkPlaces(groupBy);
  if (kind === 'heatmap' && groupBy.length > 1)
    throw invalid('A heatmap groups by one field', 'Leave one field in groupBy');
  if ((kind === 'graph' || kind === 'geo' || kind === 'heatmap') && !['rate', 'total'].includes(measure))
    throw invalid(`A query of kind "${kind}" shows rates or sums`, 'Ask for measure "rate" or "total"');
}

function checkPlaces(groupBy: readonly string[]): void {
  if (groupBy.length < 1 || groupBy.length > 2 || !groupBy.every(isPlace))
    throw invalid(
      'A map groups by one country or place, or by two',
      'Write for example ["country"], ["src_place"] or ["src_country", "dst_country"]',
    );
}

/** True for what the map knows where to put: countries and places of either side. */
export function isPlace(dimension: string): boolean {
  const columns = columnsOf(dimension);
  return /(^|_)(country|place)$/.test(dimension) && columns.length > 0;
}

function invalid(message: string, hint: string): RingflowError {
  return new RingflowError('query_invalid', message, { hint });
}
