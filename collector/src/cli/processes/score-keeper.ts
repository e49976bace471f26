import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { OverallScoreResponse, ScoreboardResponse } from '@ringflow/contract';
import type { Config } from '../../config/index.ts';
import { scoreboardPage } from '../../http/index.ts';
import {
  addInterval,
  hostsOf,
  INTERVAL_MS,
  lastComplete,
  rankScores,
  readScoreboard,
  type Ask,
  type Scores,
} from '../../scoreboard/index.ts';
import type { StoreChannel } from './store-link.ts';

export interface ScoreKeeperDeps {
  readonly ask: Ask;
  readonly store: () => StoreChannel | undefined;
  readonly now: () => number;
}

/** Keeps the busiest hosts overall: each complete interval is added once. */
export interface ScoreKeeper {
  /** The job: adds the intervals that are complete now. */
  run(): Promise<void>;
  stop(): void;
}

/** Intervals of one run, so that a run is short: an hour. */
const MOST_AT_ONCE = 12;
/** What the collector missed for longer than this is not made good. */
const LONGEST_GAP_MS = 86_400_000;

export function createScoreKeeper(config: Config, { ask, store, now }: ScoreKeeperDeps): ScoreKeeper {
  const stopping = new AbortController();
  /** Intervals without traffic are no reports; they are looked at once. */
  let seenUntilMs = 0;

  async function run(): Promise<void> {
    const channel = store();
    if (!channel) return;
    const endMs = lastComplete(now());
    let scores: Scores = await channel.call('loadScores', []);
    const knownMs = Math.max(scores.untilMs, seenUntilMs);
    let atMs = knownMs === 0 ? endMs - INTERVAL_MS : Math.max(knownMs, endMs - LONGEST_GAP_MS);
    for (let count = 0; atMs < endMs && count < MOST_AT_ONCE; count++) {
      const board = await readScoreboard(ask, atMs, config.scoreboard.rows, now(), stopping.signal);
      const hosts = hostsOf(board);
      if (hosts.length > 0) {
        scores = addInterval(scores, board.toMs, hosts);
        // All of an interval in one row: it is in it wholly or not at all, whenever this process ends.
        await channel.call('saveScores', [scores]);
        await writePages(board, scores);
      }
      atMs = board.toMs;
      seenUntilMs = atMs;
    }
  }

  async function writePages(board: ScoreboardResponse, scores: Scores): Promise<void> {
    const { directory, current, overall, rows } = config.scoreboard;
    const page = scoreboardPage(board);
    const [day, time] = new Date(board.fromMs).toISOString().split(/[T.]/) as [string, string];
    if (directory !== '') await writePage(join(directory, day, time.slice(0, 2), `${time}.html`), page);
    if (current !== '') await writePage(current, page);
    if (overall === '') return;
    const answer: OverallScoreResponse = {
      untilMs: scores.untilMs,
      reports: scores.reports,
      seconds: INTERVAL_MS / 1000,
      lists: rankScores(scores, rows),
    };
    await writePage(overall, scoreboardPage(answer));
  }

  return { run, stop: () => stopping.abort() };
}

/** Whoever reads it meanwhile has the old page or the new one. */
async function writePage(path: string, page: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.partial`, page);
  await rename(`${path}.partial`, path);
}
