import { ATTRIBUTES, type Attribute } from '../attributes.ts';
import { COLUMNS, type Column, type ColumnName, type ColumnType } from '../columns.ts';
import { EXPORTER_KINDS, type NameKind } from '../inventory.ts';
import { FIELD_ALIASES, whyNotAvailable } from './aliases.ts';

/** How a field's values are written and compared. */
export type FieldKind =
  | 'number'
  | 'port'
  | 'asn'
  | 'proto'
  | 'etype'
  | 'flowType'
  | 'direction'
  | 'tcpFlags'
  | 'quality'
  | 'service'
  | 'interface'
  | 'exporter'
  | 'addr'
  | 'mac'
  | 'text'
  | 'hex'
  | 'time'
  | 'duration'
  | 'list'
  | 'word'
  | 'country'
  | 'named'
  | 'attribute';

/** What a filter may be written about: a column, either of two columns, or something computed from a row. */
export interface FilterField {
  /** Canonical spelling. */
  readonly name: string;
  readonly label: string;
  readonly description: string;
  readonly kind: FieldKind;
  /** Columns compared; with two, one match is enough. */
  readonly columns: readonly ColumnName[];
  /** Looked up by the columns' values; with two, one match is enough. */
  readonly attributes?: readonly Attribute[];
  /** Set when the value is computed from the columns. */
  readonly computed?: ComputedField;
  /** Largest number that the columns can hold; without it any number may be compared. */
  readonly max?: number;
  /** Words of the values by number (`word`). */
  readonly words?: readonly string[];
  /** What kind of id the values are, when they have names that the collector looks up. */
  readonly names?: NameKind;
  /** True when values may have a fraction. */
  readonly fractions?: boolean;
}

export const COMPUTED_FIELDS = ['dscp', 'duration', 'bps', 'pps', 'bpp'] as const;
export type ComputedField = (typeof COMPUTED_FIELDS)[number];

const COMPUTED: readonly FilterField[] = [
  {
    name: 'dscp',
    label: 'DSCP',
    description: 'Upper six bits of the ToS octet',
    kind: 'number',
    columns: ['ip_tos'],
    computed: 'dscp',
    max: 63,
  },
  {
    name: 'duration',
    label: 'Duration',
    description: 'End minus start of the flow',
    kind: 'duration',
    columns: ['time_flow_start_ns', 'time_flow_end_ns'],
    computed: 'duration',
  },
  {
    name: 'bps',
    label: 'Bits per second',
    description: 'Scaled bytes × 8 over the duration, which counts as at least 1 ms',
    kind: 'number',
    columns: ['bytes', 'sampling_rate', 'time_flow_start_ns', 'time_flow_end_ns'],
    computed: 'bps',
    fractions: true,
  },
  {
    name: 'pps',
    label: 'Packets per second',
    description: 'Scaled packets over the duration, which counts as at least 1 ms',
    kind: 'number',
    columns: ['packets', 'sampling_rate', 'time_flow_start_ns', 'time_flow_end_ns'],
    computed: 'pps',
    fractions: true,
  },
  {
    name: 'bpp',
    label: 'Bytes per packet',
    description: 'Bytes over packets, 0 without packets',
    kind: 'number',
    columns: ['bytes', 'packets'],
    computed: 'bpp',
    fractions: true,
  },
];

/** Pairs whose common name is not what is left after cutting `src_`. */
const PAIRS: readonly (readonly [name: string, first: string, second: string, label: string])[] = [
  ['if', 'in_if', 'out_if', 'Interface'],
  ['vrf', 'ingress_vrf_id', 'egress_vrf_id', 'VRF'],
  ['nat_addr', 'nat_src_addr', 'nat_dst_addr', 'Translated address'],
  ['nat_port', 'nat_src_port', 'nat_dst_port', 'Translated port'],
];

/**
 * The fields that columns give: each stored or derived one by its name, and what both sides have under its bare name (`addr`,
 * `port`, `as` …). A new entry in the registry becomes a field with nothing else to edit.
 */
export function fieldsOf(columns: readonly Column[]): readonly FilterField[] {
  const asked = columns.filter((column) => column.stored || column.derived !== undefined);
  const byName = new Map(asked.map((column) => [column.name, column]));
  const single = asked.map((column) => fieldOf(column.name, column.label, column.description, [column]));
  const pair = (name: string, first: string, second: string, label: string): FilterField[] => {
    const [a, b] = [byName.get(first), byName.get(second)];
    return a && b && !byName.has(name) ? [fieldOf(name, label, `${a.label} or ${b.label.toLowerCase()}`, [a, b])] : [];
  };
  const sides = asked
    .filter((column) => column.name.startsWith('src_'))
    .flatMap((column) => {
      const name = column.name.slice(4);
      return pair(
        name,
        column.name,
        `dst_${name}`,
        column.label.replace(/^(Source|Input) /, '').replace(/^./, (letter) => letter.toUpperCase()),
      );
    });
  const known = ATTRIBUTES.filter((attribute) => byName.has(attribute.key) && !byName.has(attribute.name));
  return [
    ...single,
    ...sides,
    ...PAIRS.flatMap((entry) => pair(...entry)),
    ...known.map((attribute) => attributeField(attribute.name, attribute.label, attribute.description, [attribute])),
    ...eitherSide(known),
    ...COMPUTED,
  ];
}

/** `city` and the like: what both ends have. */
function eitherSide(known: readonly Attribute[]): FilterField[] {
  return known
    .filter(({ name }) => name.startsWith('src_'))
    .flatMap((source) => {
      const destination = known.find(({ name }) => name === source.name.replace('src_', 'dst_'));
      const label = source.label.replace(/^Source /, '').replace(/^./, (letter) => letter.toUpperCase());
      return destination
        ? [attributeField(source.name.slice(4), label, `${label} of either end`, [source, destination])]
        : [];
    });
}

function attributeField(
  name: string,
  label: string,
  description: string,
  attributes: readonly Attribute[],
): FilterField {
  const columns = attributes.flatMap(({ key, kind }): ColumnName[] =>
    EXPORTER_KINDS.has(kind) ? [key, 'sampler_address'] : [key],
  );
  return { name, label, description, kind: 'attribute', columns: [...new Set(columns)], attributes };
}

function fieldOf(name: string, label: string, description: string, columns: readonly Column[]): FilterField {
  return {
    name,
    label,
    description,
    kind: kindOf(columns[0] as Column),
    columns: columns.map((column) => column.name as ColumnName),
    ...maxOf((columns[0] as Column).type),
    ...wordsAndNames(columns[0] as Column),
  };
}

function wordsAndNames({ words, names }: Column): Pick<FilterField, 'words' | 'names'> {
  return { ...(words ? { words } : {}), ...(names ? { names } : {}) };
}

function maxOf(type: ColumnType): { max?: number } {
  if (type === 'u8') return { max: 0xff };
  if (type === 'u16') return { max: 0xffff };
  return type === 'u32' || type === 'u32[]' ? { max: 0xffff_ffff } : {};
}

function kindOf(column: Column): FieldKind {
  if (column.name === 'sampler_address') return 'exporter';
  if (column.name === 'in_if' || column.name === 'out_if') return 'interface';
  if (column.name === 'flow_direction') return 'direction';
  if (column.name.endsWith('_port')) return 'port';
  if (column.type === 'u32[]') return 'list';
  switch (column.text) {
    case 'string':
      return 'text';
    case 'prefix':
      return 'addr';
    case 'addr':
    case 'mac':
    case 'hex':
    case 'time':
    case 'proto':
    case 'etype':
    case 'flowType':
    case 'tcpFlags':
    case 'asn':
    case 'service':
    case 'quality':
    case 'number':
    case 'word':
    case 'country':
    case 'named':
      return column.text;
  }
}

/** Case and underscores do not count in names. */
export function normalizeName(name: string): string {
  return name.toLowerCase().replace(/_/g, '');
}

export interface FieldTable {
  readonly fields: readonly FilterField[];
  /** Undefined for names that mean nothing. */
  find(name: string): FilterField | undefined;
  /** Why a name that other collectors know has no field here; undefined for names that mean nothing. */
  whyNotAvailable(name: string): string | undefined;
  /** Closest names, best first, for hints. */
  nearest(name: string): readonly string[];
}

export function createFieldTable(columns: readonly Column[] = COLUMNS): FieldTable {
  const fields = fieldsOf(columns);
  const byName = new Map(fields.map((field) => [normalizeName(field.name), field]));
  // `time_flow_start` is as good as `time_flow_start_ns`.
  for (const field of fields) if (field.name.endsWith('_ns')) byName.set(normalizeName(field.name.slice(0, -3)), field);
  for (const [alias, name] of Object.entries(FIELD_ALIASES)) {
    const field = byName.get(normalizeName(name));
    if (field && !byName.has(alias)) byName.set(alias, field);
  }
  return {
    fields,
    find: (name) => byName.get(normalizeName(name)),
    whyNotAvailable: (name) => whyNotAvailable(normalizeName(name)),
    nearest: (name) =>
      nearestNames(
        name,
        fields.map((field) => field.name),
      ),
  };
}

/** Names within a third of their length by edit distance, or that contain the text; at most three. */
export function nearestNames(text: string, names: readonly string[]): string[] {
  const wanted = normalizeName(text);
  // Nobody misspells a name that badly, and the distance costs the product of the lengths.
  if (wanted === '' || wanted.length > 64) return [];
  return names
    .map((name) => ({ name, distance: distanceOf(wanted, normalizeName(name)) }))
    .filter(
      ({ name, distance }) =>
        distance <= Math.max(1, Math.floor(wanted.length / 3)) ||
        (wanted.length > 2 && normalizeName(name).includes(wanted)),
    )
    .sort((a, b) => a.distance - b.distance || a.name.localeCompare(b.name))
    .slice(0, 3)
    .map(({ name }) => name);
}

/** Levenshtein distance. */
function distanceOf(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (previous[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[j] as number) + 1, (current[j - 1] as number) + 1));
    }
    previous = current;
  }
  return previous[b.length] as number;
}
