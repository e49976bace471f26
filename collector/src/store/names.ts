import type { NameEntry } from '@ringflow/contract';
import type { Engine } from './engine.ts';

/** Keeps names; a later one replaces an earlier one of the same exporter, kind and id. */
export async function saveNames(engine: Engine, names: readonly NameEntry[], nowMs: number): Promise<void> {
  if (names.length === 0) return;
  await engine.exec(
    `INSERT INTO names (exporter, kind, id, name, description, speed_bps, source, attributes, updated)
SELECT row.1, row.2, row.3, row.4, row.5, row.6, row.7, row.8, fromUnixTimestamp64Milli({now:Int64}, 'UTC')
FROM (SELECT arrayJoin(arrayZip({exporter:Array(String)}, {kind:Array(String)}, {id:Array(String)}, {name:Array(String)}, {description:Array(String)}, {speed:Array(UInt64)}, {source:Array(String)}, {attributes:Array(String)})) AS row)`,
    {
      now: nowMs,
      exporter: names.map(({ exporter }) => exporter),
      kind: names.map(({ kind }) => kind),
      id: names.map(({ id }) => id),
      name: names.map(({ name }) => name),
      description: names.map(({ description }) => description),
      speed: names.map(({ speedBps }) => speedBps),
      source: names.map(({ source }) => source),
      attributes: names.map(({ attributes }) => JSON.stringify(attributes)),
    },
  );
}

/** All names that are kept. */
export async function loadNames(engine: Engine): Promise<NameEntry[]> {
  const rows = await engine.select<Omit<NameEntry, 'attributes'> & { readonly attributes: string }>(
    'SELECT exporter, kind, id, name, description, speed_bps AS speedBps, source, attributes FROM names FINAL ORDER BY exporter, kind, id',
  );
  // Rows of before the column came have no text.
  return rows.map((row) => ({ ...row, attributes: JSON.parse(row.attributes || '{}') as NameEntry['attributes'] }));
}
