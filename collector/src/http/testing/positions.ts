/** A place in a request that takes a value: where, and the schema of what belongs there. */
export interface Position {
  /** `query` or `body`, then keys; `*` is the one item of a list. */
  readonly path: readonly string[];
  readonly schema: Schema;
}

/** As much of OpenAPI's schemas as is walked. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly required?: readonly string[];
  readonly examples?: readonly unknown[];
  readonly minimum?: number;
}

/** An operation of an OpenAPI document, as the tests call it. */
export interface Operation {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly parameters: Readonly<Record<string, Schema>>;
  readonly required: readonly string[];
  readonly body: Schema | undefined;
}

interface Document {
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          {
            readonly parameters?: readonly { name: string; in: string; required?: boolean; schema: Schema }[];
            readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
          }
        >
      >
    >
  >;
}

/** All operations of a document. */
export function operationsOf(document: Document): Operation[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [], requestBody }]) => ({
      method: method.toUpperCase() as Operation['method'],
      path,
      parameters: Object.fromEntries(
        parameters.filter((one) => one.in === 'query').map(({ name, schema }) => [name, schema]),
      ),
      required: parameters.filter((one) => one.required === true).map(({ name }) => name),
      body: requestBody && Object.values(requestBody.content)[0]?.schema,
    })),
  );
}

/** Every place below a schema that takes a single value, whatever its type. */
export function leavesOf(schema: Schema, path: readonly string[]): Position[] {
  if (schema.properties)
    return Object.entries(schema.properties).flatMap(([key, value]) => leavesOf(value, [...path, key]));
  if (schema.items) return leavesOf(schema.items, [...path, '*']);
  if (typeof schema.additionalProperties === 'object') return leavesOf(schema.additionalProperties, [...path, 'any']);
  return [{ path, schema }];
}

/** All positions of an operation. */
export function positionsOf({ parameters, body }: Operation): Position[] {
  return [
    ...Object.entries(parameters).flatMap(([name, schema]) => leavesOf(schema, ['query', name])),
    ...(body ? leavesOf(body, ['body']) : []),
  ];
}

/** A copy of `target` with `value` at the path; objects and lists on the way are made. */
export function place(target: unknown, path: readonly string[], value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (key === '*') return [place(Array.isArray(target) ? target[0] : undefined, rest, value)];
  const object = typeof target === 'object' && target !== null ? (target as Record<string, unknown>) : {};
  return { ...object, [key]: place(object[key], rest, value) };
}
