import { adHocToFilter, findFieldByLabel, type ColumnGroup, type FieldInfo } from '@ringflow/contract';
import type { DataSourceGetTagValuesOptions, MetricFindValue } from '@grafana/data';
import { GROUPS } from '../labels';
import type { PanelQuery } from '../types';
import type { Collector } from './collector';
import { interpolateFilter, type Variables } from './interpolate';

/** Values offered for one field. */
const MOST_VALUES = 200;

/** The fields that ad hoc filters can be about, under the headings of the registry. */
export async function tagKeys(collector: Collector): Promise<MetricFindValue[]> {
  const { fields } = await collector.fields();
  return fields.filter(({ filterable }) => filterable).map(tagKey);
}

function tagKey({ name, label, group }: FieldInfo): MetricFindValue {
  return { text: label, value: name, group: heading(group) };
}

/** The heading of a group of fields; a group that is newer than this plugin keeps its name. */
export function heading(group: string): string {
  return GROUPS[group as ColumnGroup] ?? group;
}

/** Values of a field that occurred in the dashboard's time range, in the traffic that the other filters leave. */
export async function tagValues(
  { key, filters, timeRange }: DataSourceGetTagValuesOptions<PanelQuery>,
  collector: Collector,
  variables: Variables,
): Promise<MetricFindValue[]> {
  const field = findFieldByLabel(key);
  if (!field) return [];
  const others = filters.filter((filter) => filter.key !== '' && findFieldByLabel(filter.key) !== field);
  const { values } = await collector.values({
    field: field.name,
    limit: MOST_VALUES,
    filter: interpolateFilter(adHocToFilter(others), {}, variables),
    ...(timeRange ? { fromMs: timeRange.from.valueOf(), toMs: timeRange.to.valueOf() } : {}),
  });
  return values.map(({ value, text }) => ({ value, text: text === value ? value : `${text} (${value})` }));
}
