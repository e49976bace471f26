import { RESOLUTIONS } from '@ringflow/contract';
import { columnDefinition, createNamesTable, createRawTable, RAW_TABLE, STORED_COLUMNS } from './ddl.ts';
import type { Engine } from './engine.ts';
import { createThreatHitsTable } from './threats.ts';
import { createRingTable, RING_KEYS, RING_ORDER, ringKeyDefinition, ringViews } from './rings.ts';

/** Version of what cannot be told from the tables themselves; a step of {@link STEPS} leads to each. */
export const SCHEMA_VERSION = 1;

/** Changes that are more than a new column, by the version they lead to. */
const STEPS: Readonly<Record<number, (engine: Engine) => Promise<void>>> = {};

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
  await engine.exec(
    'CREATE TABLE IF NOT EXISTS schema_history (version UInt32, at DateTime DEFAULT now(), changes Array(String), views Map(String, String)) ENGINE = MergeTree ORDER BY at',
  );
  const [last] = await engine.select<{ version: number; views: Record<string, string> }>(
    'SELECT version, views FROM schema_history ORDER BY at DESC, version DESC LIMIT 1',
  );
  const tables = new Set(
    (await engine.select<{ name: string }>('SELECT name FROM system.tables WHERE database = currentDatabase()')).map(
      ({ name }) => name,
    ),
  );
  const from = last?.version ?? (tables.has(RAW_TABLE) ? 1 : 0);
  if (from > SCHEMA_VERSION) {
    throw new RangeError(
      `The database has schema version ${from}, this Ringflow knows ${SCHEMA_VERSION}: a later version wrote it`,
    );
  }
  for (let version = from + 1; from > 0 && version <= SCHEMA_VERSION; version++) {
    await STEPS[version]?.(engine);
    changes.push(`version ${version}`);
  }

  const make = async (name: string, statement: string): Promise<boolean> => {
    await engine.exec(statement);
    if (tables.has(name)) return false;
    changes.push(`create ${name}`);
    return true;
  };
  if (
    !(await make('names', createNamesTable())) &&
    (await missing(engine, 'names', [{ name: 'attributes' }])).length > 0
  ) {
    await engine.exec('ALTER TABLE names ADD COLUMN IF NOT EXISTS attributes String AFTER source');
    changes.push('add names.attributes');
  }
  await make('threat_hits', createThreatHitsTable());
  if (!(await make(RAW_TABLE, createRawTable()))) {
    for (const [column, after] of await missing(engine, RAW_TABLE, STORED_COLUMNS)) {
      await engine.exec(
        `ALTER TABLE ${RAW_TABLE} ADD COLUMN IF NOT EXISTS ${columnDefinition(column)}${after ? ` AFTER ${after}` : ' FIRST'}`,
      );
      changes.push(`add ${RAW_TABLE}.${column.name}`);
    }
  }
  for (const resolution of RESOLUTIONS) {
    if (await make(resolution.table, createRingTable(resolution))) continue;
    const added = await missing(engine, resolution.table, RING_KEYS);
    if (added.length === 0) continue;
    // A sorting key takes new columns at its end, and only in the statement that adds them.
    const [old] = await engine.select<{ key: string }>(
      'SELECT sorting_key AS key FROM system.tables WHERE database = currentDatabase() AND name = {table:String}',
      { table: resolution.table },
    );
    const order = [old?.key ?? RING_ORDER, ...added.map(([column]) => column.name)].join(', ');
    const adds = added.map(
      ([column]) => `ADD COLUMN IF NOT EXISTS ${ringKeyDefinition(column).replace(/ CODEC.*$/, '')}`,
    );
    await engine.exec(`ALTER TABLE ${resolution.table} ${adds.join(', ')}, MODIFY ORDER BY (${order})`);
    changes.push(...added.map(([column]) => `add ${resolution.table}.${column.name}`));
  }

  const views: Record<string, string> = {};
  for (const { name, create } of ringViews()) {
    views[name] = create;
    if (tables.has(name) && last?.views[name] === create) continue;
    // The loader waits for this: no segment is inserted while a view is missing.
    await engine.exec(`DROP TABLE IF EXISTS ${name} SYNC`);
    await engine.exec(create);
    changes.push(`create ${name}`);
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
