import {
  completeFilter,
  formatFilterText,
  parseFilter,
  sampleFilter,
  type FilterSuggestion,
  type TextSpan,
} from '@ringflow/contract';
import type { Collector, ValuesRequest } from './collector';

/** What is wrong with a filter, and where: characters from 0. */
export interface FilterProblem {
  readonly message: string;
  readonly position: TextSpan;
}

/** Variables and configured sets are taken for granted: what they hold is not known here. */
function sampled(text: string, sets: readonly string[]) {
  // As long as it was, so that places stay what they are.
  const masked = text.replace(/@([\w.-]+)/g, (set, name: string) => (sets.includes(name) ? `$${name}` : set));
  return sampleFilter(masked);
}

/** The first mistake of a filter as the collector would find it; undefined when there is none. */
export function filterProblem(text: string, sets: readonly string[]): FilterProblem | undefined {
  const sample = sampled(text, sets);
  const { error } = parseFilter(sample.text);
  if (!error) return undefined;
  const { offset, length } = error.position;
  const start = sample.originalOffset(offset);
  const end = Math.max(start, sample.originalOffset(offset + length));
  return {
    message: error.hint ? `${error.message}. ${error.hint}` : error.message,
    position: { offset: start, length: end - start },
  };
}

/** What can stand at the cursor. */
export interface FilterChoices {
  readonly suggestions: readonly FilterSuggestion[];
  /** Characters that a suggestion replaces. */
  readonly replace: TextSpan;
}

/** Where values come from. */
export interface ValueSource extends Pick<ValuesRequest, 'fromMs' | 'toMs'> {
  readonly collector: Pick<Collector, 'values'>;
  readonly sets: readonly string[];
  /** Names of the dashboard's variables, without `$`. */
  readonly variables: readonly string[];
}

const MOST_VALUES = 50;

/** Completes a filter at the cursor: fields, operators, words of the language, and values from the collector's data. */
export async function filterChoices(text: string, cursor: number, source: ValueSource): Promise<FilterChoices> {
  const { sets, variables, collector, fromMs, toMs } = source;
  const before = text.slice(0, cursor);
  // A `$` begins a variable, whatever stands before it.
  const typed = /\$\{?\w*$/.exec(before)?.[0];
  if (typed !== undefined)
    return {
      suggestions: variableChoices(variables),
      replace: { offset: cursor - typed.length, length: typed.length },
    };
  const sample = sampled(before, sets).text;
  const { suggestions, replace, needsValues } = completeFilter(sample, sample.length, {
    sets: Object.fromEntries(sets.map((name) => [name, []])),
  });
  const isValue = needsValues !== undefined || suggestions.some(({ kind }) => kind === 'value' || kind === 'set');
  const seen = needsValues ? await seenValues() : [];
  return {
    suggestions: [...(isValue ? variableChoices(variables) : []), ...seen, ...suggestions],
    replace: { offset: cursor - replace.length, length: replace.length },
  };

  async function seenValues(): Promise<FilterSuggestion[]> {
    const { field, prefix } = needsValues as { field: string; prefix: string };
    try {
      const window = { ...(fromMs === undefined ? {} : { fromMs }), ...(toMs === undefined ? {} : { toMs }) };
      const { values } = await collector.values({ field, search: prefix, limit: MOST_VALUES, ...window });
      return values.map(({ value, text: name }) => ({
        text: formatFilterText(value),
        kind: 'value',
        detail: name === value ? '' : name,
      }));
    } catch {
      // Without the collector the grammar still completes.
      return [];
    }
  }
}

function variableChoices(names: readonly string[]): FilterSuggestion[] {
  return names.map((name) => ({ text: `$${name}`, kind: 'value', detail: 'Variable' }));
}
