import { Ajv, type ErrorObject } from 'ajv';
import { isMap, isPair, isScalar, LineCounter, parse, parseDocument, type Document, type Node } from 'yaml';
import { nearestName } from './nearest.ts';
import { isNumeric, schemaAt, settingsOf, type Schema, type Setting } from './schema.ts';
import { unitOfKey } from './units.ts';

/** One thing that is wrong, where it stands, and what to write instead. */
export interface ConfigProblem {
  /** Dotted key, e.g. `inlet.receive_buffer_bytes`; empty for the file as a whole. */
  readonly key: string;
  /** Name of the file or of the environment variable. */
  readonly source: string;
  /** 1-based; absent for environment variables. */
  readonly line?: number;
  readonly column?: number;
  readonly message: string;
  readonly hint?: string;
}

/** What a configuration is made of: the rooms' schemas and defaults, put together. */
export interface Composition {
  readonly schema: Schema;
  readonly defaults: unknown;
  /** Variables that are not derived from a key: name → key. */
  readonly aliases: Readonly<Record<string, string>>;
  /** Variables with the prefix that are none of ours to judge. */
  readonly reserved: readonly string[];
}

export interface ConfigSource {
  /** Text and name of the file, when there is one. */
  readonly file?: { readonly name: string; readonly text: string };
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface ParsedConfig {
  /** Defaults, then the file, then the environment; complete even when there are problems. */
  readonly value: unknown;
  readonly problems: readonly ConfigProblem[];
  /** Where each key that is not a default came from: dotted key → file:line or variable. */
  readonly origins: ReadonlyMap<string, string>;
}

const PREFIX = 'RINGFLOW_';

/** `inlet.listen` → `RINGFLOW_INLET_LISTEN`. */
export function variableOf(path: readonly string[]): string {
  return PREFIX + path.join('_').toUpperCase();
}

/** Reads a configuration and returns the value and *all* that is wrong with it. */
export function parseConfig(source: ConfigSource, composition: Composition): ParsedConfig {
  const problems: ConfigProblem[] = [];
  const origins = new Map<string, string>();
  const places = createPlaces(source.file, problems);
  const written = readUnits(places.value, composition.schema, [], (path, message, hint) =>
    problems.push(places.problem(path, message, hint)),
  );
  for (const { path } of settingsOf(composition.schema)) {
    const place = places.of(path);
    if (place) origins.set(path.join('.'), `${place.source}:${place.line}`);
  }
  const overrides = readEnvironment(source.env, composition, problems, origins);
  const value = merge(merge(composition.defaults, written), overrides);

  const validate = new Ajv({ allErrors: true, strict: false, validateFormats: false }).compile(composition.schema);
  if (!validate(value)) {
    const seen = new Set<string>(problems.map(({ key }) => key));
    for (const error of validate.errors ?? []) {
      // Reported with what its alternatives say.
      if (error.keyword === 'if' || error.schemaPath.includes('/anyOf/') || error.schemaPath.includes('/oneOf/'))
        continue;
      const path = pathOf(value, error);
      const key = path.join('.');
      // A value with a bad unit is also of the wrong type: once is enough.
      if (seen.has(key) && error.keyword === 'type') continue;
      const { message, hint } = describe(error, path, composition.schema);
      const variable = origins.get(key);
      if (variable?.startsWith(PREFIX)) problems.push({ key, source: variable, message, ...(hint ? { hint } : {}) });
      else problems.push(places.problem(path, message, hint));
    }
  }
  problems.sort((a, b) => (a.line ?? Infinity) - (b.line ?? Infinity) || a.key.localeCompare(b.key));
  return { value, problems, origins };
}

interface Places {
  readonly value: unknown;
  of(path: readonly (string | number)[]): { source: string; line: number; column: number } | undefined;
  problem(path: readonly (string | number)[], message: string, hint?: string): ConfigProblem;
}

/** The parsed file, and where each key stands in it. */
function createPlaces(file: ConfigSource['file'], problems: ConfigProblem[]): Places {
  const name = file?.name ?? 'ringflow.yml';
  const lines = new LineCounter();
  const document: Document | undefined =
    file && parseDocument(file.text, { lineCounter: lines, prettyErrors: false, merge: true });
  for (const error of document?.errors ?? []) {
    const { line, col } = lines.linePos(error.pos[0]);
    problems.push({ key: '', source: name, line, column: col, message: `Not YAML: ${error.message}` });
  }
  let value: unknown = document && document.errors.length === 0 ? document.toJS() : {};
  if (value === null || value === undefined) value = {};
  if (typeof value !== 'object' || Array.isArray(value)) {
    problems.push({
      key: '',
      source: name,
      line: 1,
      column: 1,
      message: 'The file must hold keys and values',
      hint: 'Write for example "data_dir: ./data"',
    });
    value = {};
  }
  /** The key's own place when the parent is a map, else the value's. */
  const of: Places['of'] = (path) => {
    let node: unknown = document?.contents;
    let at: Node | undefined;
    for (const step of path) {
      if (isMap(node)) {
        const pair = node.items.find(
          (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(step),
        );
        if (!pair) return undefined;
        at = pair.key as Node;
        node = pair.value;
      } else {
        node = document?.getIn([...path.slice(0, path.indexOf(step) + 1)], true);
        if (!node) return undefined;
        at = node as Node;
      }
    }
    if (!at?.range) return undefined;
    const { line, col } = lines.linePos(at.range[0]);
    return { source: name, line, column: col };
  };
  return {
    value,
    of,
    problem: (path, message, hint) => {
      let place: ReturnType<Places['of']>;
      for (let length = path.length; length > 0 && !place; length--) place = of(path.slice(0, length));
      return {
        key: path.join('.'),
        source: name,
        ...(place ? { line: place.line, column: place.column } : {}),
        message,
        ...(hint ? { hint } : {}),
      };
    },
  };
}

/** Turns `10GiB` and `5m` into the unit of their key; leaves the rest as it is. */
function readUnits(
  value: unknown,
  schema: Schema | undefined,
  path: readonly (string | number)[],
  problem: (path: readonly (string | number)[], message: string, hint: string) => void,
): unknown {
  if (Array.isArray(value))
    return value.map((item, index) => readUnits(item, schema?.items, [...path, index], problem));
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(
      Object.entries(value).map(([key, child]) => [
        key,
        readUnits(child, schema && schemaAt(schema, [key]), [...path, key], problem),
      ]),
    );
  }
  const unit = unitOfKey(String(path.findLast((step) => typeof step === 'string') ?? ''));
  if (typeof value !== 'string' || !schema || !isNumeric(schema) || !unit) return value;
  const number = unit.parse(value);
  if (number === null)
    problem(path, `"${value}" is not a ${unit.what}`, `Write a number with a unit, for example ${unit.example}`);
  return number ?? value;
}

function readEnvironment(
  env: ConfigSource['env'],
  composition: Composition,
  problems: ConfigProblem[],
  origins: Map<string, string>,
): unknown {
  const byVariable = new Map<string, Setting>();
  for (const setting of settingsOf(composition.schema)) byVariable.set(variableOf(setting.path), setting);
  for (const [variable, key] of Object.entries(composition.aliases)) {
    const path = key.split('.');
    byVariable.set(variable, { path, schema: schemaAt(composition.schema, path) ?? {} });
  }
  let overrides: unknown = {};
  for (const [variable, text] of Object.entries(env)) {
    if (!variable.startsWith(PREFIX) || text === undefined || composition.reserved.includes(variable)) continue;
    const setting = byVariable.get(variable);
    if (!setting) {
      const near = nearestName(variable, byVariable.keys());
      problems.push({
        key: '',
        source: variable,
        message: 'No setting belongs to this environment variable',
        ...(near ? { hint: `Write ${near}` } : {}),
      });
      continue;
    }
    const key = setting.path.join('.');
    origins.set(key, variable);
    const value = readUnits(readVariable(text, setting.schema), setting.schema, setting.path, (_path, message, hint) =>
      problems.push({ key, source: variable, message, hint }),
    );
    overrides = merge(
      overrides,
      setting.path.reduceRight<unknown>((inner, step) => ({ [step]: inner }), value),
    );
  }
  return overrides;
}

/** Text of an environment variable as the type that its setting wants; lists are separated by commas. */
function readVariable(text: string, schema: Schema): unknown {
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? []);
  if (types.includes('string') && !types.includes('null')) return text;
  if (types.includes('array') && !/^\s*\[.*\]\s*$/.test(text)) {
    return text === '' ? [] : text.split(',').map((item) => readVariable(item.trim(), schema.items ?? {}));
  }
  try {
    return parse(text) as unknown;
  } catch {
    return text;
  }
}

/** Maps are merged key by key; everything else is replaced. */
function merge(base: unknown, over: unknown): unknown {
  if (over === undefined) return base;
  if (!isPlainMap(base) || !isPlainMap(over)) return over;
  return Object.fromEntries(
    [...new Set([...Object.keys(base), ...Object.keys(over)])].map((key) => [key, merge(base[key], over[key])]),
  );
}

function isPlainMap(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** The path of what an error is about; list positions become numbers. */
function pathOf(value: unknown, error: ErrorObject): (string | number)[] {
  const steps = error.instancePath
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  if (error.keyword === 'additionalProperties')
    steps.push((error.params as { additionalProperty: string }).additionalProperty);
  let current = value;
  return steps.map((step) => {
    const isItem = Array.isArray(current);
    current = (current as Record<string, unknown> | undefined)?.[step];
    return isItem ? Number(step) : step;
  });
}

function describe(
  error: ErrorObject,
  path: readonly (string | number)[],
  schema: Schema,
): { message: string; hint?: string } {
  const params = error.params as Record<string, unknown>;
  const meaning = schemaAt(schema, path)?.description;
  const explained = meaning === undefined ? {} : { hint: `Check what it means: ${meaning}` };
  switch (error.keyword) {
    case 'additionalProperties': {
      const known = Object.keys(schemaAt(schema, path.slice(0, -1))?.properties ?? {});
      const near = nearestName(String(path.at(-1)), known);
      return {
        message: `Unknown key "${String(path.at(-1))}"`,
        hint: near ? `Write ${near}` : `Known here: ${known.join(', ')}`,
      };
    }
    case 'required':
      return { message: `The key "${String(params.missingProperty)}" is missing` };
    case 'type':
      return { message: `Must be of type ${String(params.type).replaceAll(',', ' or ')}`, ...explained };
    case 'enum':
      return {
        message: 'Not one of the possible values',
        hint: `Write one of: ${(params.allowedValues as unknown[]).map(String).join(', ')}`,
      };
    case 'minimum':
    case 'exclusiveMinimum':
    case 'maximum':
    case 'exclusiveMaximum':
      return { message: `Must be ${String(params.comparison)} ${String(params.limit)}` };
    default:
      return { message: `Value ${error.message ?? 'is not valid'}`, ...explained };
  }
}
