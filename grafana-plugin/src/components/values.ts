import { completeFilter } from '@ringflow/contract';
import { getTemplateSrv } from '@grafana/runtime';
import type { ComboboxOption } from '@grafana/ui';
import type { Collector, ValuesRequest } from '../data/collector';
import { interpolateFilter } from '../data/interpolate';
import type { Catalog } from './fields';

interface Wanted extends Pick<ValuesRequest, 'fromMs' | 'toMs'> {
  field: string;
  /** What was typed. */
  search: string;
  /** Condition that holds besides. */
  others: string;
}

const MOST_VALUES = 100;

/**
 * What can be chosen as a value: the dashboard's variables, the configured sets, the words that the language knows for the
 * field (protocols, flags …), and what occurred in the traffic, most of it first. Without the collector, the rest.
 */
export async function valueOptions(
  { field, search, others, fromMs, toMs }: Wanted,
  { sets }: Catalog,
  collector: Collector,
): Promise<ComboboxOption[]> {
  if (field === '') return [];
  const fits = ({ value, label = '' }: ComboboxOption) =>
    `${value} ${label}`.toLowerCase().includes(search.toLowerCase());
  const [known, seen] = [wordsOf(field, search), await seenValues()];
  const names = new Set(seen.map(({ value }) => value));
  return [
    ...[...variables(), ...setsOf(sets)].filter(fits),
    ...seen,
    ...known.filter(({ value }) => !names.has(value)),
  ];

  async function seenValues(): Promise<ComboboxOption[]> {
    try {
      const filter = interpolateFilter(others, {}, getTemplateSrv());
      const window = { ...(fromMs === undefined ? {} : { fromMs }), ...(toMs === undefined ? {} : { toMs }) };
      const { values } = await collector.values({ field, search, filter, limit: MOST_VALUES, ...window });
      return values.map(({ value, text }) => ({
        value,
        label: value === '' ? '(none)' : value,
        ...(text !== value && text !== '' ? { description: text } : {}),
      }));
    } catch {
      // A list of values is a help, and what is typed counts without it.
      return [];
    }
  }
}

function wordsOf(field: string, search: string): ComboboxOption[] {
  const text = `${field} = ${search}`;
  return completeFilter(text, text.length)
    .suggestions.filter(({ kind }) => kind === 'value')
    .map(({ text: value, detail }) => ({ value, label: value, ...(detail === '' ? {} : { description: detail }) }));
}

function variables(): ComboboxOption[] {
  return getTemplateSrv()
    .getVariables()
    .filter(({ type }) => type !== 'adhoc' && type !== 'datasource' && type !== 'interval')
    .map(({ name }) => ({ value: `$${name}`, label: `$${name}`, description: 'Variable' }));
}

function setsOf(sets: readonly string[]): ComboboxOption[] {
  return sets.map((name) => ({ value: `@${name}`, label: `@${name}`, description: 'Configured set' }));
}
