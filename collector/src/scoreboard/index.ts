export { SCOREBOARD_DEFAULTS, SCOREBOARD_SCHEMA, type ScoreboardConfig } from './config.ts';
export { hostsOf, INTERVAL_MS, lastComplete, readScoreboard, type Ask } from './board.ts';
export { addInterval, mergeScores, rankScores, type HostScore, type Scores } from './scores.ts';
