import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TOP_RESOLUTIONS } from '@ringflow/contract';
import type { Engine, Settings, SqlParams } from '../engine.ts';
import { insertRowsSql, oneBlock } from '../inserts.ts';
import { batchNumber, DEAD_AFTER_MS, type TopBatches } from './batches.ts';
import { makeListFiles } from './batch-files.ts';
import type { KeptSegments } from './kept-segments.ts';
import { ALL_LISTS } from './keys.ts';
import { foldListSql } from './fold.ts';
import { raiseTopState, readTopStates, type TopProgress, type TopState } from './state.ts';

const [FIVE, HOUR, DAY] = TOP_RESOLUTIONS;

/** An hour is folded this long after its end; what comes later goes into `top_1h` with its batch. */
const GRACE_MS = 3_600_000;

/** Hours that are folded in one step, when there is much to catch up on. */
const MAX_FOLD_SECONDS = DAY.seconds;

/** A run ends after the step that passes this, so that its failure or success is seen. */
const MAX_RUN_MS = 60_000;

export interface TopListsDeps {
  readonly engine: Engine;
  readonly batches: Pick<TopBatches, 'closeDue' | 'loader' | 'openEpoch' | 'closedMs'>;
  /** A folder in it, of this loader, is for the records of the batch in hand. */
  readonly directory: string;
  readonly kept: Pick<KeptSegments, 'pathsOf' | 'drop'>;
  /** Rows that are named in each list, bucket and exporter. */
  topK(): number;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Runs what moves a batch from the raw table's side of a query to that of the lists; see snapshot.ts. */
  commit(work: () => Promise<void>): Promise<void>;
}

export interface TopListsStatus {
  readonly openEpoch: number;
  readonly consolidatedEpoch: number;
  /** How long the oldest closed batch waits; 0 when none does. */
  readonly lagSeconds: number;
  /** Since start. */
  readonly batches: number;
  readonly failures: number;
  /** Records that came after their hour was folded. */
  readonly lateRecords: number;
  readonly lastBatchMs: number;
  /** Why the last run failed; null when it did not. */
  readonly lastError: string | null;
  /** By table, milliseconds since the epoch: buckets that end up to here hold all that was consolidated. */
  readonly closedMs: Readonly<Record<string, number>>;
}

export interface TopLists {
  /** Closes the open batch when it is due and does what waits, up to a minute of it; true when more waits. */
  run(): Promise<boolean>;
  /** Ends the run that goes on after the step in hand. */
  stop(): void;
  status(): TopListsStatus;
}

/**
 * Makes the top lists: each closed batch once into `top_5m`, each closed hour of that into `top_1h`, each closed day of
 * that into `top_1d`. A step is announced in `top_state` before it begins and when it is done, and one that was begun is
 * repeated before anything else: it then reads what it read before, and each table recognises by the step's tokens what it
 * already has. So a loader that is killed at any moment ends up with the same lists.
 */
export function createTopLists(deps: TopListsDeps): TopLists {
  const { engine, batches, now } = deps;
  const counts = { batches: 0, failures: 0, lateRecords: 0, lastBatchMs: 0 };
  let states: readonly TopState[] = [];
  let lastError: string | null = null;
  let stopping = false;

  async function run(): Promise<boolean> {
    const deadline = performance.now() + MAX_RUN_MS;
    try {
      await batches.closeDue();
      states = await readTopStates(engine);
      for (const { loader } of mine(states)) {
        for (;;) {
          if (stopping || performance.now() > deadline) return true;
          const state = states.find((known) => known.loader === loader) as TopState;
          if (!(await step(state))) break;
        }
      }
      lastError = null;
      return false;
    } catch (error) {
      // What the engine was doing was stopped, too.
      if (stopping) return true;
      counts.failures++;
      lastError = (error as Error).message;
      throw error;
    }
  }

  /** Nobody else writes the state of a loader meanwhile. */
  async function raise(loader: number, progress: TopProgress): Promise<void> {
    await raiseTopState(engine, loader, progress, now());
    states = states.map((state) => (state.loader === loader ? { ...state, ...progress } : state));
  }

  /** The own state, and those of dead loaders when no living one has a lower number. */
  function mine(all: readonly TopState[]): TopState[] {
    const own = batches.loader();
    const isDead = (state: TopState) => state.loader !== own && now() - state.seenMs > DEAD_AFTER_MS;
    const isFirst = all.every((state) => state.loader >= own || isDead(state));
    return all.filter((state) => state.loader === own || (isFirst && isDead(state)));
  }

  /** Does what is next for a loader; false when nothing is. */
  async function step(state: TopState): Promise<boolean> {
    const { loader, consolidatedEpoch, consolidatedHour, consolidatedDay } = state;
    if (consolidatedHour === 0) {
      // Everything before the first start is late: an import goes straight into all tables.
      const hour = floorTo((now() - GRACE_MS) / 1000, HOUR.seconds);
      const day = floorTo((now() - GRACE_MS) / 1000, DAY.seconds);
      await raise(loader, { begunHour: hour, consolidatedHour: hour, begunDay: day, consolidatedDay: day });
      return true;
    }
    if (state.begunEpoch > consolidatedEpoch) {
      await takeBatch(state, state.begunEpoch);
      return true;
    }
    if (state.begunHour > consolidatedHour) {
      await fold(FIVE.table, HOUR, state, consolidatedHour, state.begunHour);
      await raise(loader, { consolidatedHour: state.begunHour });
      return true;
    }
    if (state.begunDay > consolidatedDay) {
      await fold(HOUR.table, DAY, state, consolidatedDay, state.begunDay);
      await raise(loader, { consolidatedDay: state.begunDay });
      return true;
    }
    const lastClosed = loader === batches.loader() ? batches.openEpoch() - 1 : state.openedEpoch;
    if (lastClosed > consolidatedEpoch) {
      await raise(loader, { begunEpoch: consolidatedEpoch + 1 });
      return true;
    }
    const hour = Math.min(floorTo((now() - GRACE_MS) / 1000, HOUR.seconds), consolidatedHour + MAX_FOLD_SECONDS);
    if (hour > consolidatedHour) {
      await raise(loader, { begunHour: hour });
      return true;
    }
    const day = floorTo(consolidatedHour, DAY.seconds);
    if (day > consolidatedDay) {
      await raise(loader, { begunDay: day });
      return true;
    }
    return false;
  }

  async function takeBatch({ loader, consolidatedHour, consolidatedDay }: TopState, epoch: number): Promise<void> {
    const began = performance.now();
    const done = async () => {
      await raise(loader, { consolidatedEpoch: epoch });
      await deps.kept.drop(batchNumber(loader, epoch));
    };
    const directory = join(deps.directory, String(batches.loader()));
    const clear = () => rm(directory, { recursive: true, force: true });
    // A process that was killed may have left something.
    await clear();
    await mkdir(directory, { recursive: true });
    try {
      const { files, lateRecords } = await makeListFiles(engine, deps.kept, directory, {
        loader,
        epoch,
        consolidatedHour,
        consolidatedDay,
        topK: deps.topK(),
        stopping: () => stopping,
      });
      // It is begun, and will be repeated.
      if (stopping) return;
      if (files.length === 0) return await done();
      await deps.commit(async () => {
        for (const { table, source } of files)
          await engine.loadSegment(
            source,
            (relation) => insertRowsSql(engine.dialect.stored(table), source, relation),
            { ...oneBlock(`top:${loader}:${epoch}:${table}`), ...LISTS },
            'beside',
          );
        await done();
      });
      counts.batches++;
      counts.lateRecords += lateRecords;
      counts.lastBatchMs = performance.now() - began;
    } finally {
      await clear();
    }
  }

  async function fold(
    source: string,
    { table, seconds }: { table: string; seconds: number },
    { loader }: TopState,
    from: number,
    to: number,
  ): Promise<void> {
    for (const list of ALL_LISTS) {
      const params: SqlParams = { loader, from, to, k: deps.topK() };
      const token = `top:${loader}:${table}:${from}:${to}:${list.id}`;
      await engine.execBeside(foldListSql(list, source, engine.dialect.stored(table), seconds), params, {
        ...oneBlock(token),
        ...LISTS,
        ...FOLDING,
      });
    }
  }

  function status(): TopListsStatus {
    const own = states.find(({ loader }) => loader === batches.loader());
    const consolidatedEpoch = own?.consolidatedEpoch ?? 0;
    const waitingSince = batches.closedMs(consolidatedEpoch + 1);
    // A table is whole as far as it is for every loader.
    const least = (seconds: (state: TopState) => number) => Math.min(...states.map(seconds)) * 1000;
    return {
      openEpoch: batches.openEpoch(),
      consolidatedEpoch,
      lagSeconds: waitingSince === null ? 0 : Math.max(0, (now() - waitingSince) / 1000),
      ...counts,
      lastError,
      closedMs:
        states.length === 0
          ? {}
          : {
              [HOUR.table]: least(({ consolidatedHour }) => consolidatedHour),
              [DAY.table]: least(({ consolidatedDay }) => consolidatedDay),
            },
    };
  }

  return { run, stop: () => void (stopping = true), status };
}

function floorTo(value: number, step: number): number {
  return Math.floor(value / step) * step;
}

/** More groups than fit are put aside on disk. */
const FOLDING: Settings = { max_bytes_before_external_group_by: 536_870_912 };

/** Rows of the lists are one of each. */
const LISTS: Settings = { optimize_on_insert: 0 };
