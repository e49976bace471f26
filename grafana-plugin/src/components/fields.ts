import { useEffect, useState } from 'react';
import { COLUMNS, createFieldTable, HISTOGRAM_FIELDS, type FieldInfo } from '@ringflow/contract';
import type { ComboboxOption } from '@grafana/ui';
import { heading } from '../data/adhoc';
import { GROUPS as HEADINGS } from '../labels';
import type { Collector } from '../data/collector';

/** What editors need to know about fields. */
export interface Catalog {
  /** By name, in the order of the registry. */
  readonly fields: ReadonlyArray<Pick<FieldInfo, 'name' | 'label' | 'description' | 'group' | 'groupable' | 'type'>>;
  /** Names of the sets that the collector's configuration has, without `@`. */
  readonly sets: readonly string[];
}

const TABLE = createFieldTable();
const GROUPS = new Map<string, string>(COLUMNS.map(({ name, group }) => [name, group]));

/** What this version of the plugin knows by itself, until the collector has answered. */
export const BUILT_IN: Catalog = {
  fields: TABLE.fields.map(({ name, label, description, kind, columns, computed }) => ({
    name,
    label,
    description,
    group: GROUPS.get(columns[0] ?? '') ?? 'record',
    groupable: computed === undefined,
    type: kind,
  })),
  sets: [],
};

/** The collector's fields and sets; those of the contract while they are on their way, and where they do not come. */
export function useCatalog(collector: Collector): Catalog {
  const [catalog, setCatalog] = useState(BUILT_IN);
  useEffect(() => {
    let ignore = false;
    collector.fields().then(
      ({ fields, sets }) => !ignore && setCatalog({ fields, sets }),
      () => undefined,
    );
    return () => {
      ignore = true;
    };
  }, [collector]);
  return catalog;
}

type CatalogField = Catalog['fields'][number];

function optionOf({ name, label, description, group }: CatalogField): ComboboxOption {
  return { value: name, label, description: description || name, group: heading(group) };
}

/** Grafana shows groups one after the other and wants the options of one together. */
function byGroup(options: ComboboxOption[]): ComboboxOption[] {
  const groups = [...new Set([...Object.values(HEADINGS), ...options.map(({ group }) => group)])];
  return groups.flatMap((group) => options.filter((option) => option.group === group));
}

export function groupOptions({ fields }: Catalog): ComboboxOption[] {
  return byGroup(fields.filter(({ groupable }) => groupable).map(optionOf));
}

/** Fields to filter by. */
export function filterOptions({ fields }: Catalog): ComboboxOption[] {
  return byGroup(fields.map(optionOf));
}

/** Countries and places. */
export function placeOptions({ fields }: Catalog): ComboboxOption[] {
  return fields.filter(({ name }) => /^(src|dst|client|server)_(country|place)$/.test(name)).map(optionOf);
}

/** What a heatmap can spread: numbers in powers of two, hours, then everything else. */
export function spreadOptions(catalog: Catalog): ComboboxOption[] {
  const numbers = catalog.fields.filter(({ name }) => (HISTOGRAM_FIELDS as readonly string[]).includes(name));
  const hour: ComboboxOption = {
    value: 'hour',
    label: 'Hour of day',
    description: 'In UTC, over days',
    group: 'Sizes and times',
  };
  const first = numbers.map((field) => ({ ...optionOf(field), group: 'Sizes and times' }));
  const taken = new Set(first.map(({ value }) => value));
  return [...first, hour, ...groupOptions(catalog).filter(({ value }) => !taken.has(value))];
}

/** Chosen fields as a Combobox wants them: with their labels, variables as they are. */
export function chosen(names: readonly string[], options: readonly ComboboxOption[]): ComboboxOption[] {
  const known = new Map(options.map((option) => [option.value, option]));
  return names.map((name) => known.get(name) ?? { value: name, label: TABLE.find(name)?.label ?? name });
}
