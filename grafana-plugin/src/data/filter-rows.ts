import {
  createFieldTable,
  formatFilterText,
  hasVariable,
  readStructure,
  type FieldTable,
  type StructureCondition,
} from '@ringflow/contract';

/** A line of the filter builder. */
export interface FilterRow {
  /** As the registry spells it; empty while none is chosen. */
  field: string;
  operator: string;
  /** Without quotes; variables as they are written. */
  values: string[];
}

const FIELDS = createFieldTable();

/** Spellings that the builder shows as one: with several values they mean the same. */
const SAME_OPERATORS: Readonly<Record<string, string>> = {
  '==': '=',
  in: '=',
  '<<': '=',
  '<>': '!=',
  'not in': '!=',
  notin: '!=',
  '!<<': '!=',
  '=~': '~',
  unlike: 'not like',
  iunlike: 'not ilike',
};

/** Operators that take several values. */
export function takesSeveral(operator: string): boolean {
  return /^(=|!=|(not )?(has|contains))$/.test(operator);
}

/** The rows of a filter; null when it says more than rows can show: `or`, brackets, `not` in front, `between`. */
export function rowsOf(filter: string, fields: FieldTable = FIELDS): FilterRow[] | null {
  // A comment would be lost.
  if (/--|\/\*/.test(filter)) return null;
  const tree = readStructure(filter);
  if (tree === undefined) return null;
  const items = tree === null ? [] : tree.kind === 'and' ? tree.items : [tree];
  const rows: FilterRow[] = [];
  for (const item of items) {
    const row = item.kind === 'condition' ? rowOf(item, fields) : null;
    if (!row) return null;
    rows.push(row);
  }
  return rows;
}

function rowOf({ field, operator, values }: StructureCondition, fields: FieldTable): FilterRow | null {
  const known = fields.find(field.text);
  const meant = SAME_OPERATORS[operator] ?? operator;
  if (!known || operator === '' || operator.endsWith('between')) return null;
  if (values.length === 0 || (values.length > 1 && !takesSeveral(meant))) return null;
  // In quotes it is a text, bare it is a field; rows have no quotes to tell them apart.
  if (values.some((value) => value.quoted && fields.find(value.text) !== undefined)) return null;
  return { field: known.name, operator: meant, values: values.map(({ text }) => text) };
}

export function isComplete({ field, operator, values }: FilterRow): boolean {
  return field !== '' && operator !== '' && values.length > 0;
}

/** The filter that rows mean; rows that miss something say nothing yet. */
export function filterOf(rows: readonly FilterRow[]): string {
  return rows.filter(isComplete).map(conditionOf).join(' and ');
}

function conditionOf({ field, operator, values }: FilterRow): string {
  const texts = values.map(valueText);
  return `${field} ${operator} ${texts.length === 1 ? (texts[0] as string) : `(${texts.join(', ')})`}`;
}

function valueText(value: string): string {
  // A variable alone stays bare, so that its values decide how they are written.
  if (hasVariable(value) && /^(\$\w+|\$\{[^{}]+\}|\[\[[^\]]+\]\])$/.test(value)) return value;
  return value === '' ? '""' : formatFilterText(value);
}
