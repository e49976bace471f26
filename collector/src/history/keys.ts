import {
  DIRECTIONS,
  formatAddressBytes,
  formatProtocol,
  parseAddress,
  parseService,
  SET_SEPARATOR,
  type ColumnName,
} from '@ringflow/contract';
import { bind, columnSql, integer, sql, type NameLookup, type Sql } from '../query/index.ts';
import type { Matcher } from './matchers.ts';

/** How values of a ring's column become a label: what is grouped by, what it is called, and how matchers narrow it. */
export interface Key {
  readonly label: string;
  /** What a statement groups by: text or a number. */
  readonly group: Sql;
  /** Label values of a group; a network inside another one belongs to both, nothing belongs to none. */
  labelsOf(value: string | number): readonly string[];
  /** The groups in the list, for a page of series. */
  among(values: readonly (string | number)[]): Sql;
  /** What must hold for the label to match, as far as it can be said of the column; null = look at the label. */
  condition(matcher: Matcher): Sql | null;
}

/** What labels are made with. */
export interface KeyDeps {
  readonly names: NameLookup;
  /** `metrics.services`: name to `tcp/443`, `https` or `gre`. */
  readonly services: Readonly<Record<string, readonly string[]>>;
}

/** Label of what belongs to no configured service, as on `/metrics`. */
const OTHER = 'other';
/** Label of a direction that nothing was found out about, as on `/metrics`. */
const UNKNOWN = 'unknown';
const LARGEST_UINT32 = 0xffff_ffff;

/** An empty list is no list to the engine. */
const NOTHING = sql`0`;

const amongNumbers =
  (subject: Sql): Key['among'] =>
  (values) =>
    values.length === 0 ? NOTHING : sql`${subject} IN ${bind(values.map(Number), 'Array(UInt32)')}`;

/** The key of a column of {@link FAMILIES}. */
export function keyOf(column: ColumnName, deps: KeyDeps): Key {
  switch (column) {
    case 'sampler_address':
      return addressKey(column);
    case 'in_if':
    case 'out_if':
      return numberKey('interface', column);
    case 'src_as':
    case 'dst_as':
      return numberKey('as', column);
    case 'proto':
      return listKey(
        'protocol',
        columnSql(column),
        Array.from({ length: 256 }, (_, number) => formatProtocol(number)),
      );
    case 'direction':
      return listKey(
        'direction',
        columnSql(column),
        DIRECTIONS.map((name) => name || UNKNOWN),
      );
    case 'service':
      return serviceKey(deps.services);
    case 'src_network':
    case 'dst_network':
      return networkKey(column, deps.names);
    default:
      throw new TypeError(`No label is made of ${column}`);
  }
}

function addressKey(column: ColumnName): Key {
  const among = (values: readonly (string | number)[]): Sql =>
    values.length === 0 ? NOTHING : sql`${columnSql(column)} IN ${bind(values.map(String), 'Array(IPv6)')}`;
  return {
    label: 'exporter',
    group: sql`toString(${columnSql(column)})`,
    labelsOf: (value) => {
      const bytes = parseAddress(String(value));
      return [bytes ? formatAddressBytes(bytes) : String(value)];
    },
    among,
    condition: ({ values }) => values && among(values.filter((value) => parseAddress(value) !== null)),
  };
}

function numberKey(label: string, column: ColumnName): Key {
  const among = amongNumbers(columnSql(column));
  return {
    label,
    group: sql`toUInt32(${columnSql(column)})`,
    labelsOf: (value) => [String(value)],
    among,
    condition: ({ values }) =>
      values && among(values.filter((value) => /^\d{1,10}$/.test(value) && Number(value) <= LARGEST_UINT32)),
  };
}

/** A label out of a list: every matcher, whatever it says, is a list of numbers. */
function listKey(label: string, group: Sql, texts: readonly string[]): Key {
  const among = amongNumbers(group);
  return {
    label,
    group: sql`toUInt32(${group})`,
    labelsOf: (value) => texts.slice(Number(value), Number(value) + 1),
    among,
    condition: ({ matches }) => among(texts.flatMap((text, number) => (matches(text) ? [number] : []))),
  };
}

/** Numbers of services become the place of their name in the list of names; the last is for all others. */
function serviceKey(services: KeyDeps['services']): Key {
  const names = Object.keys(services);
  const pairs = names.flatMap((name, place) =>
    (services[name] ?? []).flatMap(parseService).map((number) => [number, place] as const),
  );
  const others = integer(names.length);
  const group =
    pairs.length === 0
      ? sql`toUInt32(${others})`
      : sql`toUInt32(transform(${columnSql('service')}, ${bind(
          pairs.map(([number]) => number),
          'Array(UInt32)',
        )}, ${bind(
          pairs.map(([, place]) => place),
          'Array(UInt32)',
        )}, ${others}))`;
  return listKey('service', group, [...names, OTHER]);
}

function networkKey(column: ColumnName, names: NameLookup): Key {
  const among = amongNumbers(columnSql(column));
  return {
    label: 'network',
    group: sql`toUInt32(${columnSql(column)})`,
    labelsOf: (value) => {
      if (value === 0) return [];
      return names.named('network', Number(value))?.split(SET_SEPARATOR) ?? [String(value)];
    },
    among,
    // A set that holds a network that matches; its other members are left out by their label.
    condition: ({ values }) =>
      values &&
      among(values.flatMap((value) => [...names.idsWhere('network', (name) => name === value), ...idOf(value)])),
  };
}

/** An id that has no name is shown as the number that it is. */
function idOf(text: string): number[] {
  return /^\d{1,10}$/.test(text) && Number(text) <= LARGEST_UINT32 ? [Number(text)] : [];
}
