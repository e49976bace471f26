import {
  DIRECTIONS,
  forEachCondition,
  parseFilter,
  reverseFilter,
  type ConditionNode,
  type FilterNode,
  type FilterValue,
} from '@ringflow/contract';
import { FIELDS } from './values.ts';

/** One way of a mirrored query. */
export interface Way {
  /** What the way is called in labels and names. */
  readonly word: string;
  readonly tree: FilterNode | null;
  /** Groups in the order of the query's; the other way's are those of the other side. */
  readonly groupBy: readonly string[];
}

/** Words for the two ways of what is asked, by the beginning of a field's name. */
const SIDES: readonly (readonly [begin: string, up: string, down: string])[] = [
  ['src_', 'from', 'to'],
  ['nat_src_', 'from', 'to'],
  ['dst_', 'to', 'from'],
  ['nat_dst_', 'to', 'from'],
  ['in_', 'in', 'out'],
  ['ingress_', 'in', 'out'],
  ['out_', 'out', 'in'],
  ['egress_', 'out', 'in'],
];

const [FROM_CLIENT, TO_CLIENT] = ['from client', 'to client'] as const;

/** All words for ways. */
export const WAY_WORDS: readonly string[] = ['from', 'to', 'in', 'out', FROM_CLIENT, TO_CLIENT];

/** The column of a table with what goes one way. */
export function wayColumn(name: string, word: string): string {
  return `${name}_${word.replaceAll(' ', '_')}`;
}

const [IN, OUT] = [DIRECTIONS.indexOf('in'), DIRECTIONS.indexOf('out')];

/**
 * The two ways of a query: as asked, and with source and destination, input and output, in and out changing places. Where
 * nothing has a side: what clients send and get, if client or server are asked for; else traffic out of and into the own
 * networks.
 */
export function mirrored(tree: FilterNode | null, groupBy: readonly string[]): readonly [Way, Way] {
  const named = [...groupBy, ...fieldsOf(tree)];
  const side = named.map((name) => SIDES.find(([begin]) => name.startsWith(begin))).find(Boolean);
  const isDirected = fieldsOf(tree).includes('direction');
  if (side || isDirected) {
    const [, up, down] = side ?? directionWords(tree);
    return [
      { word: up, tree, groupBy },
      { word: down, tree: otherWay(tree), groupBy: groupBy.map(otherSide) },
    ];
  }
  const ofRoles = named.some((name) => /^(client|server)_/.test(name));
  const [up, down] = ofRoles
    ? (['client_side = src', 'client_side = dst'] as const)
    : (['direction = out', 'direction = in'] as const);
  const words = ofRoles ? ([FROM_CLIENT, TO_CLIENT] as const) : (['out', 'in'] as const);
  return [
    { word: words[0], tree: both(tree, up), groupBy },
    { word: words[1], tree: both(tree, down), groupBy },
  ];
}

function directionWords(tree: FilterNode | null): readonly [string, string, string] {
  let isIn = false;
  forEachCondition(tree, ({ field, values }) => {
    if (field.name === 'direction') isIn ||= values.some((value) => value.kind === 'number' && value.value === IN);
  });
  return isIn ? ['', 'in', 'out'] : ['', 'out', 'in'];
}

function fieldsOf(tree: FilterNode | null): string[] {
  const names: string[] = [];
  forEachCondition(tree, ({ field }) => names.push(field.name));
  return names;
}

function both(tree: FilterNode | null, text: string): FilterNode {
  const { tree: more } = parseFilter(text);
  if (!more) throw new TypeError(`Not a filter: ${text}`);
  return tree ? { kind: 'and', items: [tree, more], span: tree.span } : more;
}

/** The filter seen from the other side, in and out included. */
function otherWay(tree: FilterNode | null): FilterNode | null {
  const turned = reverseFilter(tree, FIELDS);
  return turned && mapConditions(turned, turnDirection);
}

function mapConditions(node: FilterNode, map: (condition: ConditionNode) => ConditionNode): FilterNode {
  if (node.kind === 'condition') return map(node);
  if (node.kind === 'not') return { ...node, item: mapConditions(node.item, map) };
  return { ...node, items: node.items.map((item) => mapConditions(item, map)) };
}

function turnDirection(condition: ConditionNode): ConditionNode {
  if (condition.field.name !== 'direction') return condition;
  const turn = (value: FilterValue): FilterValue => {
    if (value.kind !== 'number') return value;
    return { ...value, value: value.value === IN ? OUT : value.value === OUT ? IN : value.value };
  };
  return { ...condition, values: condition.values.map(turn) };
}

/** `dst_as` of `src_as`, `out_if_description` of `in_if_description`; the same for what has no sides. */
function otherSide(name: string): string {
  const swaps: readonly (readonly [string, string])[] = [
    ['src_', 'dst_'],
    ['in_', 'out_'],
    ['ingress_', 'egress_'],
    ['nat_src_', 'nat_dst_'],
  ];
  for (const [one, other] of swaps) {
    const swapped = name.startsWith(one)
      ? other + name.slice(one.length)
      : name.startsWith(other)
        ? one + name.slice(other.length)
        : undefined;
    if (swapped !== undefined && FIELDS.find(swapped)?.name === swapped) return swapped;
  }
  return name;
}
