import { createFieldTable } from '@ringflow/contract';
import type { ScopedVars } from '@grafana/data';
import type { VariableQuery } from '../types';
import type { Collector } from './collector';
import { interpolateFilter, type Variables } from './interpolate';

/** Values offered by one variable; more are found by typing, which asks the collector again. */
const MOST_VALUES = 1000;

/** An option of a variable: what people read, and what a filter takes. Both are texts: Grafana refuses numbers. */
export interface VariableOption {
  text: string;
  value: string;
}

export interface OptionsRequest {
  readonly targets: readonly VariableQuery[];
  readonly scopedVars: ScopedVars;
  /** Window whose values are offered, milliseconds since the epoch. */
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
}

/** The options of a variable, in the time range of its request and within the values of the variables it names. */
export async function variableOptions(
  { targets, scopedVars, fromMs, toMs }: OptionsRequest,
  collector: Collector,
  variables: Variables,
): Promise<VariableOption[]> {
  const query = targets[0];
  if (!query) return [];
  const search = searchText(scopedVars, variables);
  const window = { ...(fromMs === undefined ? {} : { fromMs }), ...(toMs === undefined ? {} : { toMs }) };
  const filter = interpolateFilter(query.filter ?? '', scopedVars, variables);
  const values = async (field: string): Promise<VariableOption[]> => {
    const answer = await collector.values({ field, filter, search, limit: MOST_VALUES, ...window });
    return answer.values.map(({ text, value }) => ({ text: text || value, value }));
  };
  switch (query.type ?? 'values') {
    case 'values': {
      const name = variables.replace(query.field ?? '', scopedVars);
      return name === '' ? [] : values(createFieldTable().find(name)?.name ?? name);
    }
    case 'interfaces':
      return values('if');
    case 'networks':
      return values('network');
    case 'exporters': {
      // Those that a filter leaves are known by their traffic only.
      if (filter !== '') return values('sampler_address');
      const { exporters } = await collector.exporters();
      return matching(
        exporters.map(({ address, name }) => ({ text: name || address, value: address })),
        search,
      );
    }
    case 'fields': {
      const { fields } = await collector.fields();
      return matching(
        fields.filter(({ groupable }) => groupable).map(({ name, label }) => ({ text: label, value: name })),
        search,
      );
    }
  }
}

/** What was typed into a variable's box; Grafana keeps it in `__searchFilter`. */
function searchText(scopedVars: ScopedVars, variables: Variables): string {
  const typed = variables.replace('${__searchFilter}', scopedVars);
  return typed === '${__searchFilter}' ? '' : typed.replace(/[*.]+$/, '');
}

function matching(options: VariableOption[], search: string): VariableOption[] {
  const wanted = search.toLowerCase();
  return options.filter(({ text, value }) => `${text} ${value}`.toLowerCase().includes(wanted));
}
