import {
  NAME_SOURCES,
  SET_SEPARATOR,
  type Attribute,
  type NameEntry,
  type NameKind,
  type NameSource,
} from '@ringflow/contract';
import type { AttributeValue, InterfaceName, NameLookup } from '../query/index.ts';
import { createClassifier, type Classifier, type Facts, type Given } from './classify.ts';
import type { ExporterNames, InterfaceNames, NamesConfig, NamesOf } from './config.ts';

/** An exporter or an interface, what is known about it and from where. */
export interface Described {
  readonly entry: NameEntry;
  /** What the rules say about it, before what is configured for it takes precedence. */
  readonly given: readonly Given[];
  /** What counts: configured, else by rule, else as it was found. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** What is known by name: the configuration's names, what exporters say, what was looked up, what the store kept. */
export interface Inventory extends NameLookup {
  /** Takes up what is new; true when something changed. */
  update(entries: Iterable<NameEntry>): boolean;
  /** All that a source says now; what it said before is forgotten. */
  replace(source: NameSource, entries: Iterable<NameEntry>): void;
  /** The configuration changed: its names and rules are read again. Throws what {@link createInventory} throws. */
  configured(): void;
  interfaces(): readonly InterfaceName[];
  exporterNames(): ReadonlyMap<string, string>;
  /** All exporters or interfaces with their attributes. */
  describe(kind: 'exporter' | 'interface'): readonly Described[];
}

/** What each source says about one id, and what comes out of it. */
interface Known {
  readonly said: Map<NameSource, NameEntry>;
  merged: NameEntry;
}

interface Rules {
  readonly exporter: Classifier;
  readonly interface: Classifier;
}

/** Kinds whose names are lists: a filter names a member. */
const SETS: ReadonlySet<NameKind> = new Set(['network', 'threat']);

/**
 * Names in memory, looked up by every query.
 *
 * @throws RangeError for a classification rule that means nothing
 */
export function createInventory(config: NamesConfig): Inventory {
  const kinds = new Map<NameKind, Map<string, Known>>();
  const keyOf = ({ exporter, id }: Pick<NameEntry, 'exporter' | 'id'>): string => `${exporter} ${id}`;
  const mapOf = (kind: NameKind): Map<string, Known> => {
    const map = kinds.get(kind) ?? new Map<string, Known>();
    kinds.set(kind, map);
    return map;
  };
  const entriesOf = (kind: NameKind): NameEntry[] => [...mapOf(kind).values()].map(({ merged }) => merged);
  const find = (kind: NameKind, exporter: string, id: string | number): NameEntry | undefined =>
    kinds.get(kind)?.get(`${exporter} ${id}`)?.merged;
  let rules = rulesOf(config);
  /** Attributes by rule, made when they are asked for. */
  let described: Partial<Record<'exporter' | 'interface', readonly Described[]>> = {};

  function update(entries: Iterable<NameEntry>): boolean {
    let changed = false;
    for (const entry of entries) {
      const ofKind = mapOf(entry.kind);
      const known = ofKind.get(keyOf(entry));
      const said = known?.said ?? new Map<NameSource, NameEntry>();
      said.set(entry.source, entry);
      const merged = mergeEntries(said);
      if (known && JSON.stringify(known.merged) === JSON.stringify(merged)) continue;
      if (known) known.merged = merged;
      else ofKind.set(keyOf(entry), { said, merged });
      changed = true;
    }
    if (changed) described = {};
    return changed;
  }

  function replace(source: NameSource, entries: Iterable<NameEntry>): void {
    for (const kind of ['exporter', 'interface'] as const) {
      for (const [key, known] of mapOf(kind)) {
        if (!known.said.delete(source)) continue;
        if (known.said.size === 0) mapOf(kind).delete(key);
        else known.merged = mergeEntries(known.said);
      }
    }
    described = {};
    update(entries);
  }

  function configured(): void {
    rules = rulesOf(config);
    replace('config', entriesOfNames(config, 'config'));
  }

  function describe(kind: 'exporter' | 'interface'): readonly Described[] {
    return (described[kind] ??= [...mapOf(kind).values()].map(({ said, merged }) => {
      const facts = kind === 'exporter' ? exporterFacts(merged) : interfaceFacts(merged);
      const given = rules[kind](facts);
      const byRule = Object.fromEntries(given.map(({ attribute, value }) => [attribute, value]));
      const attributes = { ...merged.attributes, ...byRule, ...said.get('config')?.attributes };
      return { entry: merged, given, attributes };
    }));
  }

  function interfaceFacts({ exporter, id, name, description, speedBps }: NameEntry): Facts {
    const owner = describe('exporter').find(({ entry }) => entry.exporter === exporter);
    return {
      index: id,
      name,
      description,
      speed_bps: String(speedBps),
      exporter_address: exporter,
      exporter_name: owner?.entry.name ?? '',
      ...Object.fromEntries(Object.entries(owner?.attributes ?? {}).map(([key, value]) => [`exporter_${key}`, value])),
    };
  }

  function attributeValues(attribute: Attribute): AttributeValue[] {
    const { kind, part } = attribute;
    const valuesOf = (exporter: string, id: number, value: string): AttributeValue[] =>
      value === '' ? [] : [{ exporter, id, value }];
    if (kind === 'exporter' || kind === 'interface') {
      return describe(kind).flatMap(({ entry, attributes }) =>
        valuesOf(entry.exporter, kind === 'exporter' ? 0 : Number(entry.id), partOf(entry, part, attributes)),
      );
    }
    return entriesOf(kind).flatMap((entry) =>
      valuesOf(entry.exporter, Number(entry.id), partOf(entry, part, entry.attributes)),
    );
  }

  configured();

  return {
    update,
    replace,
    configured,
    describe,
    interfaces: () => entriesOf('interface').map(toInterface),
    exporterNames: () =>
      new Map(entriesOf('exporter').flatMap(({ exporter, name }) => (name === '' ? [] : [[exporter, name]]))),
    exporter: (address) => find('exporter', address, address)?.name || undefined,
    interface: (exporter, index) => {
      const entry = find('interface', exporter, index);
      return entry && toInterface(entry);
    },
    named: (kind, id) => find(kind, '', id)?.name || undefined,
    exportersWhere: (matches) =>
      entriesOf('exporter').flatMap(({ exporter, name }) => (name !== '' && matches(name) ? [exporter] : [])),
    interfacesWhere: (matches) =>
      entriesOf('interface')
        .filter(
          ({ name, description }) => (name !== '' && matches(name)) || (description !== '' && matches(description)),
        )
        .map(toInterface),
    idsWhere: (kind, matches) =>
      entriesOf(kind).flatMap(({ id, name }) =>
        name !== '' && membersOf(kind, name).some(matches) ? [Number(id)] : [],
      ),
    attributeValues,
  };
}

function rulesOf({ classify }: NamesConfig): Rules {
  return {
    exporter: createClassifier(classify.exporters, 'names.classify.exporters'),
    interface: createClassifier(classify.interfaces, 'names.classify.interfaces'),
  };
}

function exporterFacts({ exporter, name }: NameEntry): Facts {
  return { address: exporter, name };
}

/** A set may also be named as a whole, as groups by it show it. */
function membersOf(kind: NameKind, name: string): string[] {
  return SETS.has(kind) ? [name, ...name.split(SET_SEPARATOR)] : [name];
}

function partOf(entry: NameEntry, part: string, attributes: Readonly<Record<string, string>>): string {
  if (part === 'name') return entry.name;
  if (part === 'description') return entry.description;
  return attributes[part] ?? '';
}

/** The best source wins for each thing; one that does not say it does not take away what another one said. */
function mergeEntries(said: ReadonlyMap<NameSource, NameEntry>): NameEntry {
  const ranked = NAME_SOURCES.flatMap((source) => said.get(source) ?? []);
  const first = <T>(read: (entry: NameEntry) => T): T | undefined => ranked.map(read).find(Boolean);
  const best = ranked[0] as NameEntry;
  return {
    ...best,
    source: ranked.find(({ name }) => name !== '')?.source ?? best.source,
    name: first(({ name }) => name) ?? '',
    description: first(({ description }) => description) ?? '',
    speedBps: first(({ speedBps }) => speedBps) ?? 0,
    attributes: Object.assign({}, ...ranked.map(({ attributes }) => attributes).reverse()) as NameEntry['attributes'],
  };
}

function toInterface({ exporter, id, name, description, speedBps }: NameEntry): InterfaceName {
  return { exporter, index: Number(id), name, description, speedBps };
}

/** What people wrote down, as entries. */
export function entriesOfNames({ exporters, interfaces }: NamesOf, source: NameSource): NameEntry[] {
  const entry = (
    kind: NameKind,
    exporter: string,
    id: string,
    given: ExporterNames | Exclude<InterfaceNames, string>,
  ): NameEntry => {
    const {
      name = '',
      description = '',
      speed_bps: speedBps = 0,
      ...attributes
    }: Exclude<InterfaceNames, string> = typeof given === 'string' ? { name: given } : given;
    return { kind, exporter, id, name, description, speedBps, source, attributes };
  };
  return [
    ...Object.entries(exporters).map(([address, given]) => entry('exporter', address, address, given)),
    ...Object.entries(interfaces).flatMap(([exporter, list]) =>
      Object.entries(list).map(([index, given]) => entry('interface', exporter, index, given)),
    ),
  ];
}
