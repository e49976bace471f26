import { RESOLUTIONS, TOP_RESOLUTIONS, type Column } from '@ringflow/contract';
import {
  BATCH_COLUMN,
  BATCH_INDEX,
  columnDefinition,
  createNamesTable,
  createRawTable,
  RAW_TABLE,
  STORED_COLUMNS,
} from './ddl.ts';
import type { Engine } from './engine.ts';
import { createFloorsTable } from './archives.ts';
import { createPeakStateTable } from './peaks.ts';
import { createImportsTable } from './ring-import.ts';
import { createScoreTable } from './scores.ts';
import { createThreatHitsTable } from './threats.ts';
import { createRingTable, PEAK_COLUMNS, RING_KEYS, ringKeyDefinition, ringViews } from './rings.ts';
import {
  createTopOpen,
  createTopState,
  createTopTable,
  TOP_KEYS,
  TOP_OPEN,
  TOP_STATE,
  topKeyDefinition,
} from './top/index.ts';

/** Version of what cannot be told from the tables themselves; a step of {@link STEPS} leads to each. */
export const SCHEMA_VERSION = 2;

/** Changes that are more than a new column, by the version they lead to; each says what it changed. */
const STEPS: Readonly<Record<number, (engine: Engine) => Promise<string>>> = {
  // The loader fills it. An earlier Ringflow, which would make the view again, refuses this version.
  2: async (engine) => {
    await engine.exec(`DROP VIEW IF EXISTS ${engine.dialect.on('fill_rings_1m')} SYNC`);
    return 'drop fill_rings_1m';
  },
};

/** What opening the database changed; empty when it was up to date. */
export interface MigrationReport {
  readonly from: number;
  readonly to: number;
  readonly changes: readonly string[];
}

/**
 * Brings the database to the present schema: makes what is missing, adds the registry's new columns to the tables,
 * makes views anew whose statement changed. Rows that were there before a new column came read as its default.
 *
 * @throws RangeError when a later version of Ringflow wrote the database
 */
export async function migrate(engine: Engine): Promise<MigrationReport> {
  const changes: string[] = [];
  const { dialect } = engine;
  await engine.exec(
    `CREATE TABLE IF NOT EXISTS ${dialect.on('schema_history')} (version UInt32, at DateTime DEFAULT now(), changes Array(String), views Map(String, String)) ENGINE = ${dialect.engine('schema_history', 'MergeTree')} ORDER BY at`,
  );
  const [last] = await readHistory(engine);
  const tables = await readTables(engine);
  const from = last?.version ?? (tables.has(dialect.stored(RAW_TABLE)) ? 1 : 0);
  if (from > SCHEMA_VERSION) {
    throw new RangeError(
      `The database has schema version ${from}, this Ringflow knows ${SCHEMA_VERSION}: a later version wrote it`,
    );
  }
  for (let version = from + 1; from > 0 && version <= SCHEMA_VERSION; version++) {
    const change = await STEPS[version]?.(engine);
    changes.push(`version ${version}`, ...(change === undefined ? [] : [change]));
  }

  const make = async (name: string, statement: string): Promise<boolean> => {
    await engine.exec(statement);
    if (tables.has(dialect.stored(name))) return false;
    changes.push(`create ${name}`);
    return true;
  };
  if (
    !(await make('names', createNamesTable(dialect))) &&
    (await missing(engine, 'names', [{ name: 'attributes' }])).length > 0
  ) {
    await engine.exec(`ALTER TABLE ${dialect.on('names')} ADD COLUMN IF NOT EXISTS attributes String AFTER source`);
    changes.push('add names.attributes');
  }
  await make('threat_hits', createThreatHitsTable(dialect));
  await make('ring_imports', createImportsTable(dialect));
  await make('aggregate_score', createScoreTable(dialect));
  await make('peak_state', createPeakStateTable(dialect));
  const ringsBefore = RESOLUTIONS.some(({ table }) => tables.has(dialect.stored(table)));
  // Rings that are new begin now: a sum of what was before would be of other rings, and wrong without a sign.
  if ((await make('archive_floors', createFloorsTable(dialect))) && ringsBefore) await beginRingsNow(engine);
  if (!(await make(RAW_TABLE, createRawTable(dialect)))) {
    for (const [column, after] of await missing(engine, dialect.stored(RAW_TABLE), STORED_COLUMNS)) {
      await engine.exec(
        `ALTER TABLE ${dialect.on(RAW_TABLE)} ADD COLUMN IF NOT EXISTS ${columnDefinition(column)}${after ? ` AFTER ${after}` : ' FIRST'}`,
      );
      changes.push(`add ${RAW_TABLE}.${column.name}`);
    }
    if ((await missing(engine, dialect.stored(RAW_TABLE), [{ name: 'batch' }])).length > 0) {
      await engine.exec(
        `ALTER TABLE ${dialect.on(RAW_TABLE)} ADD COLUMN IF NOT EXISTS ${BATCH_COLUMN}, ADD INDEX IF NOT EXISTS ${BATCH_INDEX}`,
      );
      changes.push(`add ${RAW_TABLE}.batch`);
    }
  }
  for (const resolution of RESOLUTIONS) {
    if (await make(resolution.table, createRingTable(resolution, dialect))) continue;
    for (const [{ name, definition }] of await missing(engine, dialect.stored(resolution.table), PEAK_COLUMNS)) {
      await engine.exec(`ALTER TABLE ${dialect.on(resolution.table)} ADD COLUMN IF NOT EXISTS ${definition}`);
      changes.push(`add ${resolution.table}.${name}`);
    }
    changes.push(...(await addKeys(engine, resolution.table, RING_KEYS, ringKeyDefinition)));
  }

  for (const resolution of TOP_RESOLUTIONS) {
    if (await make(resolution.table, createTopTable(resolution, dialect))) continue;
    changes.push(...(await addKeys(engine, resolution.table, TOP_KEYS, topKeyDefinition)));
  }
  await make(TOP_STATE, createTopState(dialect));
  await make(TOP_OPEN, createTopOpen(dialect));

  // Distributed tables hold nothing: they are made anew when what is below them has new columns.
  for (const table of [RAW_TABLE, ...RESOLUTIONS, ...TOP_RESOLUTIONS].map((one) =>
    typeof one === 'string' ? one : one.table,
  )) {
    const distributed = dialect.distributed(table);
    if (distributed === null) continue;
    if (tables.has(table) && changes.some((change) => change.startsWith(`add ${table}.`)))
      await engine.exec(`DROP TABLE IF EXISTS ${table} ON CLUSTER '${dialect.cluster}' SYNC`);
    await engine.exec(distributed);
  }

  // As others may load meanwhile, no view is ever missing: it is made once, and then changed in place.
  const [known] = await readHistory(engine);
  const present = await readTables(engine);
  const views: Record<string, string> = {};
  for (const { name, create, select } of ringViews(dialect)) {
    views[name] = create;
    if (!present.has(name)) await engine.exec(create);
    else if (known?.views[name] !== create) await engine.exec(`ALTER TABLE ${dialect.on(name)} MODIFY QUERY ${select}`);
    else continue;
    changes.push(`${present.has(name) ? 'change' : 'create'} ${name}`);
  }
  if (changes.length > 0) {
    await engine.exec(
      'INSERT INTO schema_history (version, changes, views) SELECT {version:UInt32}, {changes:Array(String)}, mapFromArrays({names:Array(String)}, {statements:Array(String)})',
      {
        version: SCHEMA_VERSION,
        changes,
        names: Object.keys(views),
        statements: Object.values(views),
      },
    );
  }
  return { from, to: SCHEMA_VERSION, changes };
}

/** Says that every table of rings is whole from its next bucket on; older questions go to the records. */
async function beginRingsNow(engine: Engine): Promise<void> {
  for (const { table, seconds } of RESOLUTIONS) {
    await engine.exec(
      `INSERT INTO archive_floors (archive, floor) SELECT {table:String}, toStartOfInterval(now('UTC') + ${seconds}, INTERVAL ${seconds} SECOND)`,
      { table },
    );
  }
}

/** The last entry of the history; nothing in a new database. */
function readHistory(engine: Engine): Promise<{ version: number; views: Record<string, string> }[]> {
  return engine.select('SELECT version, views FROM schema_history ORDER BY at DESC, version DESC LIMIT 1');
}

async function readTables(engine: Engine): Promise<ReadonlySet<string>> {
  const rows = await engine.select<{ name: string }>(
    'SELECT name FROM system.tables WHERE database = currentDatabase()',
  );
  return new Set(rows.map(({ name }) => name));
}

/** Adds keys that a table lacks. A sorting key takes new columns at its end, and only in the statement that adds them. */
async function addKeys(
  engine: Engine,
  table: string,
  keys: readonly Column[],
  definition: (column: Column) => string,
): Promise<string[]> {
  const added = (await missing(engine, engine.dialect.stored(table), keys)).map(([column]) => column);
  if (added.length === 0) return [];
  const [old] = await engine.select<{ key: string }>(
    'SELECT sorting_key AS key FROM system.tables WHERE database = currentDatabase() AND name = {table:String}',
    { table: engine.dialect.stored(table) },
  );
  const order = [old?.key ?? '', ...added.map(({ name }) => name)].join(', ');
  const adds = added.map((column) => `ADD COLUMN IF NOT EXISTS ${definition(column).replace(/ CODEC.*$/, '')}`);
  await engine.exec(`ALTER TABLE ${engine.dialect.on(table)} ${adds.join(', ')}, MODIFY ORDER BY (${order})`);
  return added.map(({ name }) => `add ${table}.${name}`);
}

/** Columns that a table lacks, each with the one it comes after. */
async function missing<C extends { readonly name: string }>(
  engine: Engine,
  table: string,
  wanted: readonly C[],
): Promise<[C, string | undefined][]> {
  const present = await engine.select<{ name: string }>(
    'SELECT name FROM system.columns WHERE database = currentDatabase() AND table = {table:String}',
    { table },
  );
  const names = new Set(present.map(({ name }) => name));
  return wanted.flatMap((column, index) =>
    names.has(column.name) ? [] : [[column, wanted[index - 1]?.name] as [C, string | undefined]],
  );
}
