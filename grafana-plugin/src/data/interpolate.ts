import {
  adHocToFilter,
  COLUMNS,
  combineFilters,
  fillFilter,
  hasVariable,
  migrateQuery,
  type Column,
  type FlowQuery,
  type TemplateValues,
} from '@ringflow/contract';
import type { AdHocVariableFilter, ScopedVars } from '@grafana/data';
import type { TemplateSrv } from '@grafana/runtime';
import type { PanelQuery } from '../types';

export type Variables = Pick<TemplateSrv, 'replace' | 'getVariables'>;

/** What variables hold that are set to All: Grafana's own word, and what dashboards write as their `allValue`. */
const EVERYTHING: ReadonlySet<string> = new Set(['$__all', '.*', '*']);

/**
 * The values of a variable, however it is kept; null when it is set to All, undefined when there is none of that name.
 */
export function variableValues(name: string, scopedVars: ScopedVars, variables: Variables): TemplateValues {
  if (scopedVars[name] === undefined && isAll(name, variables)) return null;
  const values: string[] = [];
  let known = false;
  const left = variables.replace(`\${${name}}`, scopedVars, (value: unknown) => {
    known = true;
    values.push(...[value].flat().map(String));
    return '';
  });
  // A value that does not pass through the format (`allValue`) is what is left of the text.
  if (!known && left !== `\${${name}}`) values.push(left);
  else if (!known) return undefined;
  return values.some((value) => EVERYTHING.has(value)) ? null : values;
}

function isAll(name: string, variables: Variables): boolean {
  const variable = variables.getVariables().find((candidate) => candidate.name === name);
  const value = variable && 'current' in variable ? (variable.current as { value?: unknown }).value : undefined;
  return [value].flat().includes('$__all');
}

/** Fills variables into a filter; what is All or empty restricts nothing. */
export function interpolateFilter(filter: string, scopedVars: ScopedVars, variables: Variables): string {
  return fillFilter(filter, (name) => variableValues(name, scopedVars, variables));
}

/** Several values of one variable become several entries; each is there once. */
export function interpolateList(list: readonly string[], scopedVars: ScopedVars, variables: Variables): string[] {
  const filled = list.flatMap((entry) => {
    const name = /^\$(?:\{(\w+)(?::[^}]*)?\}|(\w+))$/.exec(entry.trim());
    if (!name) return [hasVariable(entry) ? variables.replace(entry, scopedVars) : entry];
    const values = variableValues((name[1] ?? name[2]) as string, scopedVars, variables);
    return values === undefined ? [entry] : (values ?? []);
  });
  return [...new Set(filled.filter((entry) => entry !== ''))];
}

/**
 * The query as it is sent: of the current version, with values in place of variables and the dashboard's ad hoc filters
 * in its filter. The query that comes in stays as it is.
 *
 * @throws RingflowError for an ad hoc filter that cannot be one
 */
export function interpolateQuery(
  query: PanelQuery,
  scopedVars: ScopedVars,
  variables: Variables,
  adHoc: readonly AdHocVariableFilter[] = [],
): PanelQuery & FlowQuery {
  const current = migrateQuery(query);
  const text = <T>(value: T): T =>
    typeof value === 'string' && hasVariable(value) ? (variables.replace(value, scopedVars) as T) : value;
  const list = (value: string[]) => (Array.isArray(value) ? interpolateList(value, scopedVars, variables) : value);
  const filter =
    typeof current.filter === 'string' ? interpolateFilter(current.filter, scopedVars, variables) : current.filter;
  const asked = adHoc.filter(({ key }) => key !== '' && key !== undefined);
  return {
    ...(query.datasource === undefined ? {} : { datasource: query.datasource }),
    ...(query.hide === undefined ? {} : { hide: query.hide }),
    ...current,
    kind: text(current.kind),
    metric: text(current.metric),
    measure: text(current.measure),
    resolution: text(current.resolution),
    duplicates: text(current.duplicates),
    compare: text(current.compare),
    legend: text(current.legend),
    groupBy: list(current.groupBy),
    columns:
      query.details === true && current.kind === 'records' ? withWhole(list(current.columns)) : list(current.columns),
    unique: list(current.unique),
    limit: numeric(text(current.limit)),
    offset: numeric(text(current.offset)),
    sort: Array.isArray(current.sort) ? current.sort.map((entry) => ({ ...entry, by: text(entry.by) })) : current.sort,
    filter: asked.length === 0 ? filter : combineFilters([filter, adHocToFilter(asked)]),
  };
}

const STORED: readonly string[] = (COLUMNS as readonly Column[]).filter(({ stored }) => stored).map(({ name }) => name);

/** Rows that can be opened hold the whole record, and what is shown that is not part of it (`client_addr`). */
function withWhole(columns: string[]): string[] {
  const more = Array.isArray(columns) ? columns.filter((name) => !STORED.includes(name)) : [];
  return more.length === 0 ? [] : [...STORED, ...more];
}

/** A number that a variable holds; what is none is left for the collector to name. */
function numeric(value: number): number {
  return typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
}
