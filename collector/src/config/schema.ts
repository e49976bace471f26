/** JSON schema (draft-07), as much of it as the rooms' `config.ts` use. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly required?: readonly string[];
  readonly [keyword: string]: unknown;
}

/** A key of the configuration that holds a value (not a section): `['inlet', 'listen']`. */
export interface Setting {
  readonly path: readonly string[];
  readonly schema: Schema;
}

/** True when a schema describes a section with fixed keys. */
export function isSection(
  schema: Schema,
): schema is Schema & { readonly properties: Readonly<Record<string, Schema>> } {
  return schema.properties !== undefined && Object.keys(schema.properties).length > 0;
}

/** All settings of a schema, in its order. */
export function settingsOf(schema: Schema, path: readonly string[] = []): Setting[] {
  if (!isSection(schema)) return [{ path, schema }];
  return Object.entries(schema.properties).flatMap(([key, child]) => settingsOf(child, [...path, key]));
}

/** The schema at a path; follows maps and lists; undefined when the path leads nowhere. */
export function schemaAt(schema: Schema, path: readonly (string | number)[]): Schema | undefined {
  let current: Schema | undefined = schema;
  for (const step of path) {
    if (!current) return undefined;
    if (typeof step === 'number') current = current.items;
    else
      current =
        current.properties?.[step] ??
        (typeof current.additionalProperties === 'object' ? current.additionalProperties : undefined);
  }
  return current;
}

/** True when the schema takes numbers and no strings: such a key may be written with a unit (units.ts). */
export function isNumeric(schema: Schema): boolean {
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? []);
  return types.some((type) => type === 'number' || type === 'integer') && !types.includes('string');
}
