export { STORE_DEFAULTS, STORE_SCHEMA } from './config.ts';
export type { StoreConfig } from './config.ts';
export { RAW_TABLE } from './ddl.ts';
export { createEmbeddedEngine } from './engine-embedded.ts';
export { EngineError } from './engine-error.ts';
export type { EngineErrorCode } from './engine-error.ts';
export { createRemoteEngine } from './engine-remote.ts';
export type {
  Engine,
  ExportOptions,
  RunOptions,
  RunResult,
  SegmentSource,
  Settings,
  SqlParams,
  SqlQuery,
} from './engine.ts';
export type { ExportedFile } from './exports.ts';
export { createDurableLedger, readTaken } from './ledger.ts';
export type { DurableLedger } from './ledger.ts';
export { importRings, ownBeginning, readRingImports, rememberImport, type RingImport } from './ring-import.ts';
export { portionsOf } from './groups.ts';
export { insertCells, insertRows } from './inserts.ts';
export { createLoader } from './load.ts';
export type { LoadResult, Loader } from './load.ts';
export { migrate, SCHEMA_VERSION } from './migrations.ts';
export type { MigrationReport } from './migrations.ts';
export { archiveStatus } from './archive-status.ts';
export type { TableStatus } from './archive-status.ts';
export { growthAtRate, readFigures } from './figures.ts';
export { forecastArchives } from './forecast.ts';
export { consolidatePeaks } from './peaks.ts';
export type { RingRow } from './ring-file.ts';
export { loadScores, saveScores, type HostScore, type ScoreState } from './scores.ts';
export { limitMerges, retain } from './retention.ts';
export type { Dropped, RetentionReport } from './retention.ts';
export { openSegments } from './segment-source.ts';
export { createEngine, createStore } from './service.ts';
export type { Store, StoreDeps, StoreStatus } from './service.ts';
export type { SeenAddress, SeenPage } from './threats.ts';
export { saveNames } from './names.ts';
export { createKeptSegments, createTopBatches, createTopLists, TOP_OPEN, TOP_TABLES } from './top/index.ts';
export type { TopBatches } from './top/index.ts';
export type { TrafficDelta, TrafficKey, TrafficWatch } from './traffic.ts';
