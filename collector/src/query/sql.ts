import { COLUMNS, type Column } from '@ringflow/contract';
import type { SqlQuery, SqlValue } from './runner.ts';

/**
 * A piece of SQL with its values apart. Made only by the `sql` tag and the functions of this file, so a piece holds
 * fixed text, identifiers from the registry and `{name:Type}` placeholders, never a value.
 */
export interface Sql {
  readonly kind: 'sql';
  readonly parts: readonly (string | Bound)[];
  /** Values of placeholders that the text already names (a compiled filter). */
  readonly params: Readonly<Record<string, SqlValue>>;
}

interface Bound {
  readonly value: SqlValue;
  readonly type: BindType;
}

/** ClickHouse types that values are bound as. */
export type BindType =
  | 'UInt8'
  | 'UInt16'
  | 'UInt32'
  | 'UInt64'
  | 'Int64'
  | 'String'
  | 'IPv6'
  | 'Array(UInt32)'
  | 'Array(UInt64)'
  | 'Array(String)'
  | 'Array(IPv6)';

/** The template tag: text stays text, every `${…}` must be an `Sql` piece. */
export function sql(strings: TemplateStringsArray, ...pieces: readonly Sql[]): Sql {
  const parts: (string | Bound)[] = [strings[0] as string];
  const params: Record<string, SqlValue> = {};
  pieces.forEach((piece, index) => {
    if (piece?.kind !== 'sql') throw new TypeError('Only pieces of SQL may be put into SQL');
    parts.push(...piece.parts, strings[index + 1] as string);
    for (const [name, value] of Object.entries(piece.params)) {
      if (Object.hasOwn(params, name) && params[name] !== value)
        throw new TypeError(`Two values for the placeholder ${name}`);
      params[name] = value;
    }
  });
  return { kind: 'sql', parts, params };
}

/** Nothing. */
export const EMPTY: Sql = { kind: 'sql', parts: [], params: {} };

/** A value; it reaches the engine as a parameter. */
export function bind(value: SqlValue, type: BindType): Sql {
  return { kind: 'sql', parts: [{ value, type }], params: {} };
}

/** A whole number that is part of the statement's shape (a step, a ring's number); shown in the text for the reader. */
export function integer(value: number): Sql {
  if (!Number.isSafeInteger(value)) throw new TypeError(`Not a whole number: ${value}`);
  return { kind: 'sql', parts: [String(value)], params: {} };
}

/** A column of the registry, or what it is computed from; anything else is refused. */
export function columnSql(name: string): Sql {
  if (!BY_NAME.has(name)) throw new TypeError(`Not a column: ${name}`);
  return { kind: 'sql', parts: [derivedText(name)], params: {} };
}

/** What a column is computed from, or its name: SQL for names that are known to be columns. */
export function derivedText(name: string): string {
  return BY_NAME.get(name)?.derived ?? name;
}

/** One of the names that this room gives to its own results (`d0`, `shown` …). */
export function alias(name: string): Sql {
  if (!/^[a-z][a-z0-9_]{0,62}$/.test(name)) throw new TypeError(`Not an alias: ${name}`);
  return { kind: 'sql', parts: [name], params: {} };
}

/** Aggregate functions that this room uses by name. */
export function functionName(
  name: 'groupUniqArrayIf' | 'groupUniqArrayArrayIf' | 'uniqCombined64If' | 'uniqCombined64ArrayIf',
): Sql {
  return { kind: 'sql', parts: [name], params: {} };
}

/** SQL that was compiled elsewhere from a tree, with the values of its placeholders. */
export function compiled(query: SqlQuery): Sql {
  for (const name of Object.keys(query.params))
    if (OWN_PARAM.test(name)) throw new TypeError(`Placeholder ${name} is taken`);
  return { kind: 'sql', parts: [query.sql], params: query.params };
}

export function join(pieces: readonly Sql[], separator: ', ' | ' AND ' | ' UNION ALL ' = ', '): Sql {
  const parts: (string | Bound)[] = [];
  const params: Record<string, SqlValue> = {};
  pieces.forEach((piece, index) => {
    if (index > 0) parts.push(separator);
    parts.push(...piece.parts);
    Object.assign(params, piece.params);
  });
  return { kind: 'sql', parts, params };
}

/** Numbers the placeholders and gives the statement that the runner takes. */
export function render(piece: Sql): SqlQuery {
  const params: Record<string, SqlValue> = { ...piece.params };
  const names = new Map<string, string>();
  let text = '';
  for (const part of piece.parts) {
    if (typeof part === 'string') {
      text += part;
      continue;
    }
    const key = `${part.type} ${JSON.stringify(part.value)}`;
    let name = names.get(key);
    if (name === undefined) {
      name = `q${names.size}`;
      names.set(key, name);
      params[name] = part.value;
    }
    text += `{${name}:${part.type}}`;
  }
  return { sql: text.replace(/\s+/g, ' ').trim(), params };
}

const OWN_PARAM = /^q\d+$/;
const BY_NAME: ReadonlyMap<string, Column> = new Map(COLUMNS.map((column) => [column.name, column]));
