import { hasVariable, readStructure, RingflowError, type StructureNode } from '@ringflow/contract';

/**
 * Refuses a filter with a template variable that nobody filled in, naming it: in quotes it would be a value that nothing
 * has, and an alert rule would never fire. A `$` inside of a longer text is that text.
 */
export function refuseVariables(filter: string): void {
  if (!hasVariable(filter)) return;
  const structure = readStructure(filter);
  if (structure) visit(structure);
}

function visit(node: StructureNode): void {
  if (node.kind === 'not') return visit(node.item);
  if (node.kind !== 'condition') return node.items.forEach(visit);
  for (const { text, span } of [node.field, ...node.values]) {
    if (!/^(?:\$\{[^}]*\}|\$[A-Za-z_]\w*|\[\[\w+(?::\w+)?\]\])$/.test(text)) continue;
    throw new RingflowError('filter_bad_value', `The template variable ${text.slice(0, 64)} was not filled in`, {
      position: span,
      hint: 'Write its value: alert rules and public dashboards know no variables',
    });
  }
}
