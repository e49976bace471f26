import type { Engine } from '../engine.ts';
import { TOP_STATE } from './tables.ts';

/** How far a loader is, as {@link createTopState} explains; hours and days in seconds since the epoch. */
export interface TopState {
  readonly loader: number;
  readonly openedEpoch: number;
  readonly begunEpoch: number;
  readonly consolidatedEpoch: number;
  readonly begunHour: number;
  readonly consolidatedHour: number;
  readonly begunDay: number;
  readonly consolidatedDay: number;
  /** Milliseconds since the epoch of the last write. */
  readonly seenMs: number;
}

/** What a loader has come to. */
export type TopProgress = Partial<Omit<TopState, 'loader' | 'seenMs'>>;

/** Name of each value as a column. */
const COLUMN: Readonly<Record<keyof TopProgress, string>> = {
  openedEpoch: 'opened_epoch',
  begunEpoch: 'begun_epoch',
  consolidatedEpoch: 'consolidated_epoch',
  begunHour: 'begun_hour',
  consolidatedHour: 'consolidated_hour',
  begunDay: 'begun_day',
  consolidatedDay: 'consolidated_day',
};

/** States of all loaders that ever fed the database, by number. */
export async function readTopStates(engine: Engine): Promise<TopState[]> {
  const values = Object.entries(COLUMN).map(([name, column]) => `toUInt32(max(${column})) AS ${name}`);
  return engine.select<TopState>(
    `SELECT loader, ${values.join(', ')}, toUnixTimestamp64Milli(max(seen)) AS seenMs FROM ${TOP_STATE} GROUP BY loader ORDER BY loader`,
  );
}

/** Says that a loader has come further; values that are not named stay. */
export async function raiseTopState(
  engine: Engine,
  loader: number,
  progress: TopProgress,
  nowMs: number,
): Promise<void> {
  const names = Object.keys(progress) as (keyof TopProgress)[];
  const params = Object.fromEntries(names.map((name) => [name, progress[name] as number]));
  const values = names.map((name) => `, {${name}:UInt32}`).join('');
  await engine.exec(
    `INSERT INTO ${TOP_STATE} (loader, seen${names.map((name) => `, ${COLUMN[name]}`).join('')}) SELECT {loader:UInt32}, fromUnixTimestamp64Milli({nowMs:Int64})${values}`,
    { loader, nowMs, ...params },
  );
}
