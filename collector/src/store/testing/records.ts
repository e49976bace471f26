import { RAW_TABLE } from '../ddl.ts';
import type { Engine } from '../engine.ts';
import { insertCellsSql } from '../ring-cells.ts';

/** Puts records that an `INSERT` by SQL makes into the raw table and the rings, as the loader does with segments'. */
export async function insertRecords(engine: Engine, insert: (table: string) => string): Promise<void> {
  await engine.exec(`CREATE TABLE made_records ENGINE = Memory EMPTY AS SELECT * FROM ${RAW_TABLE}`);
  try {
    await engine.exec(insert('made_records'));
    await engine.exec(`INSERT INTO ${RAW_TABLE} SELECT * FROM made_records`);
    await engine.exec(insertCellsSql('made_records', engine.dialect));
  } finally {
    await engine.exec('DROP TABLE made_records SYNC');
  }
}
