import { ATTRIBUTES, RingflowError, nearestNames, type Attribute, type FlowQuery } from '@ringflow/contract';
import type { NameLookup } from './resolve.ts';
import { FIELDS } from './values.ts';

const PLACE = /\{\{\s*([^{}]*?)\s*\}\}/g;

/** What a `{{field}}` of a legend stands for. */
type LegendField =
  | { readonly kind: 'value' | 'name'; readonly at: number }
  | { readonly kind: 'attribute'; readonly at: number; readonly exporterAt: number; readonly attribute: Attribute };

/**
 * The fields that a query's legend names, by what stands in the braces: a field of groupBy (its value), `…_name` of one,
 * or something else that is known by one (`exporter_site`, `in_if_description`).
 *
 * @throws RingflowError for what the query does not group by
 */
export function legendFields({ legend, groupBy }: Pick<FlowQuery, 'legend' | 'groupBy'>): Map<string, LegendField> {
  const fields = new Map<string, LegendField>();
  for (const [, name = ''] of legend.matchAll(PLACE)) fields.set(name, legendField(name, groupBy));
  return fields;
}

function legendField(name: string, groupBy: readonly string[]): LegendField {
  const spelled = FIELDS.find(name)?.name ?? name;
  const own = groupBy.indexOf(spelled);
  if (own >= 0) return { kind: 'value', at: own };
  const attribute = ATTRIBUTES.find((one) => one.name === spelled);
  const key = attribute ? groupBy.indexOf(attribute.key) : -1;
  if (attribute && key >= 0)
    return { kind: 'attribute', at: key, exporterAt: groupBy.indexOf('sampler_address'), attribute };
  const named = spelled.endsWith('_name') ? groupBy.indexOf(spelled.slice(0, -'_name'.length)) : -1;
  if (named >= 0) return { kind: 'name', at: named };
  const near = nearestNames(name.slice(0, 64), groupBy);
  throw new RingflowError(
    'query_unknown_field',
    `legend names "${name.slice(0, 64)}", which the query does not group by`,
    {
      hint:
        near.length > 0
          ? `Did you mean {{${near.join('}} or {{')}}}?`
          : groupBy.length > 0
            ? `Write {{${groupBy.join('}}, {{')}}}, or add the field to groupBy`
            : 'Add the field to groupBy',
    },
  );
}

/** Texts, names and values of one series, in the order of groupBy. */
export interface LegendGroup {
  readonly texts: readonly string[];
  readonly names: readonly (string | undefined)[];
  /** As the engine returned them; ids are numbers. */
  readonly values: readonly unknown[];
}

/** Makes the name of a series from the legend of a checked query. */
export function createLegend(
  query: Pick<FlowQuery, 'legend' | 'groupBy'>,
  names: NameLookup,
): (group: LegendGroup) => string {
  const fields = legendFields(query);
  const attributes = new Map<Attribute, ReadonlyMap<string, string>>();
  const valuesOf = (attribute: Attribute): ReadonlyMap<string, string> => {
    const known =
      attributes.get(attribute) ??
      new Map(names.attributeValues(attribute).map(({ exporter, id, value }) => [`${exporter} ${id}`, value]));
    attributes.set(attribute, known);
    return known;
  };
  const textOf = (field: LegendField | undefined, { texts, names: found, values }: LegendGroup): string => {
    if (!field) return '';
    if (field.kind === 'value') return texts[field.at] ?? '';
    if (field.kind !== 'attribute') return found[field.at] ?? texts[field.at] ?? '';
    const { attribute, at, exporterAt } = field;
    if (attribute.part === 'name' && found[at] !== undefined) return found[at];
    const exporter = attribute.kind === 'exporter' ? texts[at] : exporterAt >= 0 ? texts[exporterAt] : '';
    const id = attribute.kind === 'exporter' ? 0 : Number(values[at]);
    const known = valuesOf(attribute);
    return known.get(`${exporter ?? ''} ${id}`) ?? known.get(` ${id}`) ?? '';
  };
  return (group) =>
    query.legend
      .replace(PLACE, (_, name: string) => textOf(fields.get(name), group))
      .replace(/\s+/g, ' ')
      .trim();
}
