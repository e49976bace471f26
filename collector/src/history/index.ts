export { HISTORY_DEFAULTS, HISTORY_SCHEMA, type HistoryConfig } from './config.ts';
export { FAMILIES, INFO_GAUGES, MEASURES } from './definitions.ts';
export { createHistory, type History, type HistoryAnswer, type HistoryCaller, type HistoryDeps } from './history.ts';
