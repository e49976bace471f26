import { storedColumns, type ColumnName } from '../columns.ts';
import { createFieldTable, type FieldTable } from './fields.ts';
import type { ConditionNode, FilterNode, FilterValue } from './tree.ts';

/** Columns that the filter reads, each once; the planner asks whether a ring has them all. */
export function columnsOfFilter(tree: FilterNode | null): ColumnName[] {
  const columns = new Set<ColumnName>();
  forEachCondition(tree, (condition) => {
    for (const column of condition.field.columns.flatMap(storedColumns)) columns.add(column);
    for (const value of condition.values)
      if (value.kind === 'field') for (const column of value.field.columns.flatMap(storedColumns)) columns.add(column);
    // An ifIndex means nothing without its exporter.
    if (
      condition.field.kind === 'interface' &&
      condition.values.some((value) => value.kind === 'name' || value.kind === 'text')
    )
      columns.add('sampler_address');
  });
  return [...columns];
}

export function forEachCondition(tree: FilterNode | null, visit: (condition: ConditionNode) => void): void {
  if (!tree) return;
  if (tree.kind === 'condition') visit(tree);
  else if (tree.kind === 'not') forEachCondition(tree.item, visit);
  else for (const item of tree.items) forEachCondition(item, visit);
}

/** The same filter seen from the other side: source and destination, input and output change places. */
export function reverseFilter(tree: FilterNode | null, fields: FieldTable = createFieldTable()): FilterNode | null {
  if (!tree) return null;
  const reverseNode = (node: FilterNode): FilterNode => {
    if (node.kind === 'not') return { ...node, item: reverseNode(node.item) };
    if (node.kind !== 'condition') return { ...node, items: node.items.map(reverseNode) };
    return {
      ...node,
      field: otherSide(node.field),
      values: node.values.map((value): FilterValue =>
        value.kind === 'field' ? { ...value, field: otherSide(value.field) } : value,
      ),
    };
  };
  const otherSide = (field: ConditionNode['field']) => fields.find(reverseName(field.name)) ?? field;
  return reverseNode(tree);
}

function reverseName(name: string): string {
  const swaps: readonly (readonly [RegExp, string])[] = [
    [/^src_/, 'dst_'],
    [/^dst_/, 'src_'],
    [/^nat_src_/, 'nat_dst_'],
    [/^nat_dst_/, 'nat_src_'],
    [/^in_/, 'out_'],
    [/^out_/, 'in_'],
    [/^ingress_/, 'egress_'],
    [/^egress_/, 'ingress_'],
  ];
  for (const [from, to] of swaps) if (from.test(name)) return name.replace(from, to);
  return name;
}
