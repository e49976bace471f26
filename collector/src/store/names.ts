import type { Engine } from './engine.ts';

/** What an exporter says about one of its numbers, as the inlet tells it. */
export interface StoredName {
  readonly exporter: string;
  readonly kind: 'interface' | 'vrf' | 'application' | 'sampler';
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly speedBps: number;
  readonly source: 'options' | 'sflow';
}

/** Keeps names; a later one replaces an earlier one of the same exporter, kind and id. */
export async function saveNames(engine: Engine, names: readonly StoredName[], nowMs: number): Promise<void> {
  if (names.length === 0) return;
  await engine.exec(
    `INSERT INTO names (exporter, kind, id, name, description, speed_bps, source, updated)
SELECT row.1, row.2, row.3, row.4, row.5, row.6, row.7, fromUnixTimestamp64Milli({now:Int64}, 'UTC')
FROM (SELECT arrayJoin(arrayZip({exporter:Array(String)}, {kind:Array(String)}, {id:Array(String)}, {name:Array(String)}, {description:Array(String)}, {speed:Array(UInt64)}, {source:Array(String)})) AS row)`,
    {
      now: nowMs,
      exporter: names.map(({ exporter }) => exporter),
      kind: names.map(({ kind }) => kind),
      id: names.map(({ id }) => id),
      name: names.map(({ name }) => name),
      description: names.map(({ description }) => description),
      speed: names.map(({ speedBps }) => speedBps),
      source: names.map(({ source }) => source),
    },
  );
}

/** All names that are kept. */
export async function loadNames(engine: Engine): Promise<StoredName[]> {
  return engine.select<StoredName>(
    'SELECT exporter, kind, id, name, description, speed_bps AS speedBps, source FROM names FINAL ORDER BY exporter, kind, id',
  );
}
