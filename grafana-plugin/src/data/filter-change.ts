import {
  combineFilters,
  createFieldTable,
  findFieldByLabel,
  hasVariable,
  readStructure,
  RingflowError,
  valueCondition,
  type StructureCondition,
  type StructureNode,
} from '@ringflow/contract';

const FIELDS = createFieldTable();

/** A value that was clicked: of a cell, a label or a log line. `key` is a field's name or what it is called. */
export interface ClickedValue {
  key: string;
  value: string;
}

/**
 * The condition that a clicked value means.
 *
 * @throws RingflowError when the key names no field
 */
function conditionFor({ key, value }: ClickedValue, isFor: boolean): string {
  const field = findFieldByLabel(key, FIELDS);
  if (!field)
    throw new RingflowError('filter_unknown_field', `"${key}" cannot be filtered: it is no field of a flow record`, {
      hint: 'Click a value of a field, not of a sum',
    });
  return valueCondition(field, [value], isFor);
}

/** True when the filter asks for this value by a condition of its own. */
export function hasFilter(filter: string, clicked: ClickedValue): boolean {
  return find(filter, clicked, true) !== undefined;
}

/** Adds the condition, in place of its opposite; one that is there already is left alone. */
export function addFilter(filter: string, clicked: ClickedValue, isFor: boolean): string {
  const condition = conditionFor(clicked, isFor);
  if (find(filter, clicked, isFor)) return filter;
  return combineFilters([without(filter, clicked, !isFor), condition]);
}

/** Takes the condition away where it is there, adds it otherwise. */
export function toggleFilter(filter: string, clicked: ClickedValue, isFor: boolean): string {
  return find(filter, clicked, isFor) ? without(filter, clicked, isFor) : addFilter(filter, clicked, isFor);
}

function conditionsOf(tree: StructureNode | null | undefined): readonly StructureNode[] {
  return !tree ? [] : tree.kind === 'and' ? tree.items : [tree];
}

/** The condition of its own, among those that must all hold, that says this of the value. */
function find(filter: string, clicked: ClickedValue, isFor: boolean): StructureCondition | undefined {
  const field = findFieldByLabel(clicked.key, FIELDS);
  if (!field) return undefined;
  const wanted = readStructure(valueCondition(field, [clicked.value], isFor));
  if (!wanted || wanted.kind !== 'condition') return undefined;
  const isSame = (node: StructureNode): node is StructureCondition =>
    node.kind === 'condition' &&
    FIELDS.find(node.field.text) === field &&
    node.operator === wanted.operator &&
    node.values.length === 1 &&
    !hasVariable(node.values[0]?.raw ?? '') &&
    node.values[0]?.text === wanted.values[0]?.text;
  return conditionsOf(readStructure(filter)).find(isSame);
}

function without(filter: string, clicked: ClickedValue, isFor: boolean): string {
  const found = find(filter, clicked, isFor);
  if (!found) return filter;
  const { offset, length } = found.span;
  const before = filter.slice(0, offset).replace(/\s*(and|&&)\s*$/i, '');
  const after = filter.slice(offset + length);
  return unbracketed((before.trim() === '' ? after.replace(/^\s*(and|&&)\s*/i, '') : before + after).trim());
}

/** What is left alone needs its brackets no longer. */
function unbracketed(filter: string): string {
  const inner = filter.startsWith('(') && filter.endsWith(')') ? filter.slice(1, -1) : '';
  return inner !== '' && readStructure(inner) ? inner : filter;
}
