import { RingflowError } from '../errors.ts';
import { createFieldTable, type FieldTable, type FilterField } from './fields.ts';
import { operatorsOf } from './operators.ts';
import { parseFilter } from './parser.ts';
import { quoted } from './format.ts';

/** An ad hoc filter as Grafana sends it; `values` belongs to the operators for several values. */
export interface AdHocFilter {
  readonly key: string;
  readonly operator: string;
  readonly value: string;
  readonly values?: readonly string[];
}

/** Grafana's operators; `=|` and `!=|` take several values. */
export const AD_HOC_OPERATORS = ['=', '!=', '=|', '!=|', '=~', '!~', '<', '<=', '>', '>='] as const;
export type AdHocOperator = (typeof AD_HOC_OPERATORS)[number];

const FIELDS: FieldTable = createFieldTable();

/** Fields that columns, labels and older spellings name, in any case: dashboards filter by what a column is called. */
export function findFieldByLabel(key: string, fields: FieldTable = FIELDS): FilterField | undefined {
  const wanted = key.trim().toLowerCase();
  const byName = fields.find(key.trim());
  if (byName) return byName;
  const byLabel = fields.fields.find(({ label }) => label.toLowerCase() === wanted);
  // A column of names ("Exporter name") is filtered as what it names.
  return (
    byLabel ?? (/ name$|_name$/.test(wanted) ? findFieldByLabel(wanted.replace(/[ _]name$/, ''), fields) : undefined)
  );
}

/**
 * The filter that ad hoc filters mean: all of them hold. Values are quoted, so whatever stands in them stays a value.
 *
 * @throws RingflowError for a field or an operator that does not exist, or a value that does not fit the field; the
 *   message names the filter
 */
export function adHocToFilter(filters: readonly AdHocFilter[], fields: FieldTable = FIELDS): string {
  return combineFilters(filters.map((filter) => adHocCondition(filter, fields)));
}

function adHocCondition({ key, operator, value, values }: AdHocFilter, fields: FieldTable): string {
  const field = findFieldByLabel(key, fields);
  if (!field) {
    const near = fields.nearest(key.slice(0, 64));
    throw new RingflowError('filter_unknown_field', `The ad hoc filter "${key.slice(0, 64)}" is about no field`, {
      hint: near.length > 0 ? `Did you mean ${near.join(' or ')}?` : 'Choose the field from the list',
    });
  }
  const several = values && values.length > 0 ? values : [value];
  const condition = conditionText(field, operator, operator.endsWith('|') ? several : [value]);
  const { error } = parseFilter(condition);
  if (error)
    throw new RingflowError(error.code, `The ad hoc filter "${field.label} ${operator} ${value}": ${error.message}`, {
      hint: error.hint,
    });
  return condition;
}

function conditionText(field: FilterField, operator: string, values: readonly string[]): string {
  switch (operator) {
    case '=':
    case '==':
    case '=|':
      return valueCondition(field, values, true);
    case '!=':
    case '!=|':
      return valueCondition(field, values, false);
    case '=~':
    case '!~': {
      if (!operatorsOf(field.kind).includes('~'))
        throw new RingflowError('filter_bad_operator', `${field.label} takes no regular expression`, {
          hint: `Use one of ${operatorsOf(field.kind).join(', ')}`,
        });
      return `${field.name} ${operator === '=~' ? '~' : '!~'} ${quoted(values[0] ?? '')}`;
    }
    case '<':
    case '<=':
    case '>':
    case '>=':
      return `${field.name} ${operator} ${quoted(values[0] ?? '')}`;
    default:
      throw new RingflowError('filter_bad_operator', `There is no ad hoc operator "${operator.slice(0, 16)}"`, {
        hint: `Use one of ${AD_HOC_OPERATORS.join(' ')}`,
      });
  }
}

/**
 * The condition "field is (not) one of these values", in the texts that cells, labels and lists of values show:
 * for "filter for value" and "filter out value". An empty value, and `unknown`, mean that the record does not say it.
 */
export function valueCondition(field: FilterField, values: readonly string[], isIn: boolean): string {
  // A list is shown as its items with blanks between them.
  if (field.kind === 'list') {
    const lists = values.map((value) => {
      const items = value.trim() === '' ? ['0'] : value.trim().split(/[\s,]+/);
      return `${field.name} contains (${items.map(quoted).join(', ')})`;
    });
    const any = lists.length === 1 ? (lists[0] as string) : `(${lists.join(' or ')})`;
    return isIn ? any : `not ${any}`;
  }
  const texts = values.map((value) => valueText(field, value));
  if (texts.length === 1) return `${field.name} ${isIn ? '=' : '!='} ${texts[0] as string}`;
  return `${field.name} ${isIn ? 'in' : 'not in'} (${texts.join(', ')})`;
}

/** Values that stand for "not known", by kind; what is missing here takes the empty text. */
const ABSENT: Readonly<Partial<Record<FilterField['kind'], string>>> = {
  addr: '::',
  exporter: '::',
  asn: 'AS0',
  number: '0',
  port: '0',
  mac: '00:00:00:00:00:00',
  tcpFlags: '0',
  quality: '0',
  etype: '0',
  proto: '0',
  service: 'HOPOPT/0',
  direction: 'ingress',
  interface: '0',
  flowType: 'FLOWUNKNOWN',
};

function valueText({ kind }: FilterField, value: string): string {
  const text = value.trim();
  if (text === '' || text === 'unknown') return ABSENT[kind] ?? '""';
  return quoted(value);
}

/** All of the filters hold; empty ones say nothing. The parts are put in brackets where they need them. */
export function combineFilters(filters: readonly string[], by: 'and' | 'or' = 'and'): string {
  const parts = filters.map((filter) => filter.trim()).filter((filter) => filter !== '');
  // One that lets everything pass makes an alternative pointless.
  if (by === 'or' && parts.length < filters.length) return '';
  if (parts.length <= 1) return parts[0] ?? '';
  return parts.map((part) => (isSimple(part) ? part : `(${part})`)).join(` ${by} `);
}

/** One condition needs no brackets; what cannot be parsed gets them, so that its error stays its own. */
function isSimple(filter: string): boolean {
  const { tree } = parseFilter(filter);
  return tree?.kind === 'condition' || (tree?.kind === 'not' && tree.item.kind === 'condition');
}
