import { formatFilterText } from './format.ts';
import { readStructure, VARIABLE, type Part, type StructureCondition, type StructureNode } from './structure.ts';

/**
 * What a variable stands for: its values, or null for "All". No values, or only blank ones, mean the same as null.
 * Undefined when there is no such variable: the text stays and the parser complains about it.
 */
export type TemplateValues = readonly string[] | null | undefined;

type ValuesOf = (variable: string) => TemplateValues;

/** More combinations of several variables in one value are not made. */
const MAX_VALUES = 10_000;
/** Operators that compare with one text: several texts are several conditions. */
const PATTERNS: ReadonlySet<string> = new Set(['like', 'ilike', '~', '=~', '!~', 'not like', 'not ilike']);

/**
 * Fills variables into a filter's text. As a value (`src_addr in ($host)`, `exporter = $exporter`) a variable becomes its
 * values, quoted where they need it; as a condition of its own (`proto = tcp and $filter`) it is a filter and comes in
 * brackets. A condition whose variable is All or blank does not restrict anything and is left out, so that one text
 * serves every choice of a dashboard.
 */
export function fillFilter(text: string, valuesOf: ValuesOf): string {
  const chosen: ValuesOf = (variable) => {
    const values = valuesOf(variable);
    const filled = values?.filter((value) => value.trim() !== '');
    return values === undefined ? undefined : filled && filled.length > 0 ? filled : null;
  };
  if (![...text.matchAll(VARIABLE)].some(([spelling]) => chosen(nameOf(spelling)) !== undefined)) return text;
  const tree = readStructure(text);
  // What cannot be read is left to the parser, whose error then shows the values.
  if (tree === undefined) return text.replace(VARIABLE, (spelling) => (chosen(nameOf(spelling)) ?? []).join(','));
  return (tree && fill(tree, chosen)) ?? '';
}

/** The name in `$name`, `${name}`, `${name:format}`, `[[name]]`. */
function nameOf(spelling: string): string {
  return (/\w+/.exec(spelling) as RegExpExecArray)[0];
}

/** The text of what restricts; null when nothing does. */
function fill(node: StructureNode, valuesOf: ValuesOf): string | null {
  if (node.kind === 'condition') return fillCondition(node, valuesOf);
  if (node.kind === 'not') {
    const item = fill(node.item, valuesOf);
    return item === null ? null : `not ${bracketed(node.item, item)}`;
  }
  const items = node.items.map((item) => ({ item, text: fill(item, valuesOf) }));
  const restricting = items.flatMap(({ item, text }) => (text === null ? [] : [bracketed(item, text)]));
  // One side of an "or" that lets everything pass makes the others pointless.
  const isPointless = node.kind === 'or' ? restricting.length < items.length : restricting.length === 0;
  return isPointless ? null : restricting.join(` ${node.kind} `);
}

function bracketed({ kind }: StructureNode, text: string): string {
  return kind === 'and' || kind === 'or' ? `(${text})` : text;
}

function fillCondition({ field, operator, values, list }: StructureCondition, valuesOf: ValuesOf): string | null {
  const subject = textsOf(field, valuesOf);
  if (subject === null) return null;
  if (operator === '') return subject.filled ? `(${subject.texts.join(') or (')})` : field.raw;
  const parts = values.map((value) => textsOf(value, valuesOf));
  if (parts.includes(null)) return null;
  const texts = parts.flatMap((part) => (part?.filled ? part.texts.map(formatFilterText) : (part?.texts ?? [])));
  const name = subject.texts[0] as string;
  if (operator.endsWith('between')) return `${name} ${operator} ${texts.join(' and ')}`;
  if (texts.length > 1 && !list && PATTERNS.has(operator)) {
    const isNegated = operator.startsWith('not') || operator === '!~';
    return `(${texts.map((one) => `${name} ${operator} ${one}`).join(isNegated ? ' and ' : ' or ')})`;
  }
  return `${name} ${operator} ${list || texts.length > 1 ? `(${texts.join(', ')})` : texts[0]}`;
}

/** What a part stands for: as it is written, or filled in; null when one of its variables is All. */
function textsOf(
  part: Part,
  valuesOf: ValuesOf,
): { readonly texts: readonly string[]; readonly filled: boolean } | null {
  let texts: readonly string[] = [part.text];
  let filled = false;
  for (const [spelling] of part.text.matchAll(VARIABLE)) {
    const values = valuesOf(nameOf(spelling));
    if (values === null) return null;
    if (values === undefined) continue;
    filled = true;
    texts = texts.flatMap((text) => values.map((value) => text.replace(spelling, () => value))).slice(0, MAX_VALUES);
  }
  return filled ? { texts, filled } : { texts: [part.raw], filled };
}
